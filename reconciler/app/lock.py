"""The lock and the journal of an account for people: show, break, repair."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from reconciler.app.lock_place import SHORTEST_TTL
from reconciler.errors import JournalError, LockHeldError
from reconciler.execution.lease import journal_write, new_nonce
from reconciler.execution.lock import held_text, journal_problem, new_state
from reconciler.execution.realtime import RealTime
from reconciler.execution.store import Snapshot, Store, SwapRejectedError
from reconciler.model.certificate import EnrollmentId
from reconciler.model.enrollment import Enrollment, Served
from reconciler.model.journal import OpenState, decode_state
from reconciler.model.journal_entries import EpochTaken, JournalMade
from reconciler.model.lock import LockRecord, NewerFormatError, Owner, decode_lock, encode_lock
from reconciler.model.order import Order
from reconciler.planning.rebuild import rebuild

log = logging.getLogger(__name__)

_BREAK_TRIES = 5  # a holder that is alive moves its record in between


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How an account's lock and journal stand."""

    account: str
    place: str
    record: LockRecord | None
    state: OpenState | None
    problem: str | None  # why the journal cannot be used
    holder_gone: bool | None = None  # where the store can know

    @property
    def held(self) -> bool:
        return self.record is not None and not self.record.free


def show(store: Store, account: str) -> Standing:
    """Look at lock and journal; nothing is taken."""
    snapshot = store.read()
    record = _record(snapshot)
    state, problem = None, None
    try:
        problem = journal_problem(snapshot, record)
        state = None if snapshot.journal is None else decode_state(snapshot.journal.text)
    except JournalError as error:
        problem = error.detail
    if snapshot.journal is None and record is None:
        problem = None  # nothing has run yet, or all was removed: the next apply tells by the tags of orders
    return Standing(
        account=account,
        place=store.place,
        record=record,
        state=state,
        problem=problem,
        holder_gone=_holder_gone(store, record),
    )


def _holder_gone(store: Store, record: LockRecord | None) -> bool | None:
    return store.holder_gone(record.epoch) if record is not None and not record.free else None


def _record(snapshot: Snapshot) -> LockRecord | None:
    return None if snapshot.lock is None else decode_lock(snapshot.lock.text)


def break_lock(store: Store, standing: Standing) -> None:
    """Free the lock that `standing` shows, whoever has it: its holder writes and sends nothing more once it notices.

    Raises:
        JournalError: somebody else has it by now.
    """
    assert standing.record is not None
    for _ in range(_BREAK_TRIES):
        snapshot = store.read()
        record = _record(snapshot)
        if record is None or record.free:
            return
        if record.epoch != standing.record.epoch:
            raise JournalError(
                f"account {standing.account} is locked by {record.owner.name} by now.",
                remedy="Look again with 'certrecon lock show'.",
            )
        freed = record.freed(nonce=new_nonce(), broken=True, at=RealTime().wall())
        try:
            store.swap(snapshot.versions, encode_lock(freed), None)
        except SwapRejectedError as error:
            log.info("the holder is alive, or was quicker: %s", error)
            continue
        return
    raise JournalError(f"the lock of account {standing.account} moved at each try.", remedy="Try again.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What the services show, read completely."""

    orders: tuple[Order, ...]
    enrollments: tuple[Enrollment, ...]
    served: Mapping[EnrollmentId, Served]


@dataclass(frozen=True, slots=True, kw_only=True)
class Repair:
    """What a repair did; `lost` says what could not be found again."""

    state: OpenState
    repaired: bool
    reason: str = ""
    lost: tuple[str, ...] = ()


def repair(store: Store, account: str, found: Found, *, owner: Owner, at: datetime) -> Repair:
    """Make lock and journal fit each other again, from what is left of them and what the services show.

    Raises:
        LockHeldError: a run has the lock.
        JournalError: another run changed something meanwhile, or a newer certrecon wrote the journal.
    """
    snapshot = store.read()
    record = _record(snapshot)
    if record is not None and not record.free:
        raise LockHeldError(held_text(account, record, gone=_holder_gone(store, record)))
    state, reason = _usable(snapshot, record)
    if state is not None and not reason:
        return Repair(state=state, repaired=False)
    sequence, epoch = _beyond(record, state)
    begin = replace(new_state() if state is None else state, sequence=sequence)
    rebuilt = rebuild(found.orders, found.enrollments, found.served, begin=begin)
    entries = (
        JournalMade(at=at, lost=rebuilt.lost),
        EpochTaken(epoch=epoch, owner=owner.name, run_url=owner.run_url, at=at),
    )
    after = rebuilt.state.after(entries)
    freed = _free_record(after, epoch, owner)
    write = journal_write(after, entries, freed.nonce, anew=state is None)
    try:
        store.swap(snapshot.versions, encode_lock(freed), write)
    except SwapRejectedError as error:
        raise JournalError("another run changed lock or journal meanwhile.", remedy="Look at it again.") from error
    return Repair(state=after, repaired=True, reason=reason, lost=rebuilt.lost)


def _usable(snapshot: Snapshot, record: LockRecord | None) -> tuple[OpenState | None, str]:
    """Return the journal as far as it belongs to this lock, and what is wrong with it."""
    if snapshot.journal is None:
        return None, "there was no journal."
    try:
        state = decode_state(snapshot.journal.text)
    except NewerFormatError:
        raise
    except JournalError as error:
        return None, error.detail
    if record is not None and state.journal_id != record.journal_id:
        return None, journal_problem(snapshot, record) or ""
    return state, journal_problem(snapshot, record) or ""


def _beyond(record: LockRecord | None, state: OpenState | None) -> tuple[int, int]:
    """Return the highest sequence number that anyone has seen, and an epoch that nobody has had."""
    sequences = [one.sequence for one in (record, state) if one is not None]
    epochs = [one.epoch for one in (record, state) if one is not None]
    return max(sequences, default=0), max(epochs, default=0) + 1


def _free_record(state: OpenState, epoch: int, owner: Owner) -> LockRecord:
    now = RealTime().wall()
    return LockRecord(
        nonce=new_nonce(),
        free=True,
        owner=owner,
        epoch=epoch,
        ttl_s=SHORTEST_TTL.total_seconds(),
        since=now,
        beat_at=now,
        journal_id=state.journal_id,
        sequence=state.sequence,
    )
