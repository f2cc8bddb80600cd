"""The lock of one account: taken by compare-and-swap from absent, free, or left behind (design: safety 6).

Every taking raises the epoch and moves the journal as well, so that a holder who was overtaken can write no intent any
more, whatever it believes.
"""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from reconciler.errors import JournalError, LockHeldError
from reconciler.execution.lease import (
    FIRST_PAUSE_S,
    REFUSALS,
    Held,
    Lease,
    Timing,
    journal_write,
    new_nonce,
    refused,
    shown_time,
)
from reconciler.execution.realtime import RealTime
from reconciler.execution.store import (
    JournalWrite,
    Snapshot,
    Store,
    StoreUnreachableError,
    SwapRejectedError,
    Versions,
)
from reconciler.model.journal import REPAIR, OpenState, decode_state
from reconciler.model.journal_entries import Entry, EpochTaken, JournalMade
from reconciler.model.lock import LockRecord, Owner, decode_lock, encode_lock

_RACE_PAUSE_S = 0.05
_SLICE_S = 0.5  # of a wait, after which it is asked whether the run is to end
_LOOKS = 4  # at two objects that do not fit together: someone may just be writing


class Locker:
    """Takes the lock of one account."""

    def __init__(
        self,
        store: Store,
        *,
        account: str,
        owner: Owner,
        ttl: timedelta,
        real: RealTime | None = None,
    ) -> None:
        self._store = store
        self._account = account
        self._owner = owner
        self._timing = Timing(ttl=ttl)
        self._real = real or RealTime()

    def take(
        self,
        *,
        at: datetime,
        timeout: timedelta = timedelta(),
        create: bool = False,
        stop: Callable[[], bool] = lambda: False,
    ) -> Lease:
        """Take the lock, waiting for it as long as `timeout`, or until `stop`; `at` is service time, for the journal.

        `create` allows to begin a journal where there is neither lock nor journal: only if no order carries our tag.

        Raises:
            LockHeldError: another run has it.
            JournalError: the journal is missing, or is not the one that the lock names; or the store does not answer.
        """
        watch, give_up, races = _Watch(self._real), self._real.seconds() + timeout.total_seconds(), 0
        while True:
            try:
                return self._try(watch, at=at, create=create)
            except SwapRejectedError as error:
                races += 1
                if races > REFUSALS and not watch.anything_moved:
                    raise refused(self._store, error) from error
                self._real.wait(_RACE_PAUSE_S * races)
                continue  # another run was quicker: look what it made of it
            except (LockHeldError, StoreUnreachableError):
                if self._real.seconds() >= give_up or stop():
                    raise
            self._wait(min(self._timing.beat_s, max(give_up - self._real.seconds(), _RACE_PAUSE_S)), stop)

    def _wait(self, seconds: float, stop: Callable[[], bool]) -> None:
        end = self._real.seconds() + seconds
        while not stop() and (rest := end - self._real.seconds()) > 0:
            self._real.wait(min(rest, _SLICE_S))

    def _try(self, watch: "_Watch", *, at: datetime, create: bool) -> Lease:
        started = self._real.seconds()
        snapshot = self._store.read()
        watch.note(snapshot)
        record = None if snapshot.lock is None else decode_lock(snapshot.lock.text)
        if record is not None and not record.free:
            gone = self._store.holder_gone(record.epoch)
            if not (watch.left_behind(record, started) if gone is None else gone):
                raise LockHeldError(held_text(self._account, record, gone=gone))
        return self._seize(_Seen(snapshot=snapshot, record=record), at=at, create=create)

    def _seize(self, seen: "_Seen", *, at: datetime, create: bool) -> Lease:
        """Write our record and the journal's epoch in one swap.

        Raises:
            SwapRejectedError: another run was quicker.
        """
        before, made = self._journal(seen, at=at, create=create)
        epoch = max(before.epoch, 0 if seen.record is None else seen.record.epoch) + 1
        if not self._store.hold(epoch):
            raise LockHeldError(f"lock: account {self._account}: another run is just taking it.")
        entries = (*made, EpochTaken(epoch=epoch, owner=self._owner.name, run_url=self._owner.run_url, at=at))
        state = before.after(entries)
        record = self._record(state, epoch)
        write = journal_write(state, entries, record.nonce, anew=seen.snapshot.journal is None)
        started = self._real.seconds()
        versions = self._swap(seen.snapshot.versions, record, write)
        return Lease(
            self._store,
            Held(record=record, state=state, versions=versions),
            timing=self._timing,
            real=self._real,
            since_s=started,
            safe=seen.record is not None and not seen.record.broken,
        )

    def _record(self, state: OpenState, epoch: int) -> LockRecord:
        now = self._real.wall()
        return LockRecord(
            nonce=new_nonce(),
            free=False,
            owner=self._owner,
            epoch=epoch,
            ttl_s=self._timing.ttl.total_seconds(),
            since=now,
            beat_at=now,
            journal_id=state.journal_id,
            sequence=state.sequence,
        )

    def _journal(self, seen: "_Seen", *, at: datetime, create: bool) -> tuple[OpenState, tuple[Entry, ...]]:
        """Return the journal that the lock goes with, and what has to be written to begin it."""
        snapshot, record = seen.snapshot, seen.record
        if snapshot.journal is None and record is None and create:
            return new_state(), (JournalMade(at=at),)
        for _ in range(_LOOKS):
            if snapshot.journal is not None and journal_problem(snapshot, record) is None:
                return decode_state(snapshot.journal.text), ()
            self._real.wait(FIRST_PAUSE_S / 5)
            snapshot = self._store.read()
            if snapshot.versions != seen.snapshot.versions:
                raise SwapRejectedError("lock or journal have just been changed by another run.")
        raise JournalError(f"account {self._account}: {journal_problem(snapshot, record)}", remedy=REPAIR)

    def _swap(self, before: Versions, record: LockRecord, write: JournalWrite) -> Versions:
        """Swap once; where no answer arrives, look whether it worked."""
        try:
            return self._store.swap(before, encode_lock(record), write)
        except StoreUnreachableError:
            snapshot = self._store.read()
            if snapshot.lock is not None and decode_lock(snapshot.lock.text).nonce == record.nonce:
                return snapshot.versions
            raise


@dataclass(frozen=True, slots=True, kw_only=True)
class _Seen:
    snapshot: Snapshot
    record: LockRecord | None


class _Watch:
    """Watches a holder: it is gone when its record has not changed for 1.2 of its own lifetimes, by our clock."""

    def __init__(self, real: RealTime) -> None:
        self._real = real
        self._versions: Versions | None = None
        self._nonce: str | None = None
        self._first_s = 0.0
        self.anything_moved = False  # between the last two looks

    def note(self, snapshot: Snapshot) -> None:
        self.anything_moved = self._versions is not None and snapshot.versions != self._versions
        self._versions = snapshot.versions

    def left_behind(self, record: LockRecord, look_started_s: float) -> bool:
        """Tell whether the record has been there for so long: from the end of our first look to the begin of this."""
        if record.nonce != self._nonce:
            self._nonce, self._first_s = record.nonce, self._real.seconds()
            return False
        return look_started_s - self._first_s >= record.takeover_after.total_seconds()


def new_state() -> OpenState:
    """Return the state of a journal that begins: its id and the installation's are random."""
    return OpenState(journal_id=secrets.token_hex(8), installation=secrets.token_hex(4))


def journal_problem(snapshot: Snapshot, record: LockRecord | None) -> str | None:
    """Return why the journal may not be trusted with this lock; None where it may."""
    if snapshot.journal is None:
        return "there is no journal, and whether there ever was one is not known."
    if record is None:
        return None
    state = decode_state(snapshot.journal.text)
    if state.journal_id != record.journal_id:
        return f"the lock names journal {record.journal_id}, but the journal is {state.journal_id}."
    if state.sequence < record.sequence:
        return f"the lock has seen append {record.sequence} of the journal, which now ends at {state.sequence}."
    return None


def held_text(account: str, record: LockRecord, *, gone: bool | None) -> str:
    """Say who has the lock, since when, and how it can be had. `gone`: its holder has ended; None: nobody can know."""
    run = f"\n  run: {record.owner.run_url}" if record.owner.run_url else ""
    return (
        f"lock: account {account} is locked by {record.owner.name} since {shown_time(record.since)}, last heard of "
        f"{shown_time(record.beat_at)}.{run}\n  {_way_to_it(record, gone)}"
    )


def _way_to_it(record: LockRecord, gone: bool | None) -> str:
    match gone:
        case None:
            minutes = record.takeover_after.total_seconds() / 60
            return (
                f"If that run has died, another can take it after {minutes:.3g} min of silence: wait for it with "
                "--lock-timeout, or run 'certrecon lock break'."
            )
        case True:
            return "That run has ended without releasing it: the next run takes it at once."
        case False:
            return (
                "That run is alive on this machine, and its lock is free the moment it ends: wait for it with "
                "--lock-timeout, or end it."
            )
