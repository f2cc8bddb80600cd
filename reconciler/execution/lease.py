"""A lock that is held: kept alive by a thread, proved again before each step, lost rather than held in doubt.

All times here are real time (design: safety 6).
"""

import logging
import secrets
import threading
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from reconciler.errors import JournalError, LockLostError
from reconciler.execution.realtime import RealTime
from reconciler.execution.store import JournalWrite, Store, StoreUnreachableError, SwapRejectedError, Versions
from reconciler.model.journal import REPAIR, OpenState, encode_state
from reconciler.model.journal_entries import Entry, encode_entry, entry_time
from reconciler.model.lock import LockRecord, decode_lock, encode_lock

log = logging.getLogger(__name__)

LONGEST_CONFIRMATION_S = 30.0
_SHORTEST_BEAT_S = 0.5  # a push takes about a tenth of it where remote and run are on one machine
_PATIENCE_S = 120.0  # for a store that does not answer
_RELEASE_PATIENCE_S = 10.0
FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.5, 8.0
REFUSALS = 3  # swaps refused although nothing had changed: the store does not want them


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """What follows from `lock.ttl`."""

    ttl: timedelta

    @property
    def beat_s(self) -> float:
        return max(self.ttl.total_seconds() / 30, _SHORTEST_BEAT_S)

    @property
    def confirmation_s(self) -> float:
        """How old the last proof of holding the lock may be when something is sent; the rest is for the call."""
        return min(max(self.ttl.total_seconds() / 20, 2 * _SHORTEST_BEAT_S), LONGEST_CONFIRMATION_S)

    @property
    def patience_s(self) -> float:
        return min(_PATIENCE_S, self.ttl.total_seconds())


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """What we last know to stand in the store."""

    record: LockRecord
    state: OpenState
    versions: Versions


@dataclass(frozen=True, slots=True, kw_only=True)
class _Attempt:
    """A swap that is made, or whose answer did not arrive."""

    record: LockRecord
    state: OpenState
    entries: tuple[Entry, ...]
    started_s: float


class Lease:
    """A lock that is held. A thread keeps it alive; every append to the journal goes through here.

    `with` releases it. After `LockLostError` nothing may be sent any more.
    """

    def __init__(self, store: Store, held: Held, *, timing: Timing, real: RealTime, since_s: float, safe: bool) -> None:
        self._store = store
        self._held = held
        self._timing = timing
        self._real = real
        self._taken_s = self._confirmed_s = since_s
        self._safe = safe
        self._lost: str | None = None
        self._unanswered: dict[str, _Attempt] = {}  # by nonce
        self._guard = threading.RLock()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._beat, name="lock heartbeat", daemon=True)
        self._thread.start()

    @property
    def epoch(self) -> int:
        return self._held.record.epoch

    @property
    def journal_id(self) -> str:
        return self._held.record.journal_id

    @property
    def sequence(self) -> int:
        return self._held.state.sequence

    @property
    def state(self) -> OpenState:
        """The journal's state after the last append."""
        return self._held.state

    @property
    def store(self) -> Store:
        return self._store

    @property
    def quiet_before(self) -> timedelta:
        """For how long no run before this one can have sent anything, as far as the lock tells.

        A holder that released the lock, or was silent for 1.2 lifetimes, sends no more. One whose lock a person broke
        or removed may: then only the time since our taking counts.
        """
        since = timedelta(seconds=self._real.seconds() - self._taken_s)
        return since + self._held.record.takeover_after if self._safe else since

    def __enter__(self) -> "Lease":
        return self

    def __exit__(self, *_: object) -> None:
        self.release()

    def confirm(self) -> None:
        """Make sure that the lock was ours not longer ago than a step may rely on; call it just before each step.

        Raises:
            LockLostError: it is not ours any more, or that cannot be found out.
        """
        with self._guard:
            self._refuse_if_lost()
            if self._age_s() <= self._timing.confirmation_s:
                return
            try:
                self._exchange((), patience_s=self._timing.patience_s)
            except JournalError as error:
                raise LockLostError(
                    f"lock: it could not be confirmed for {self._age_s():.0f} s, so nothing more is sent ({error})"
                ) from error

    def append(self, entries: Iterable[Entry]) -> None:
        """Write entries to the journal, and prove by the same push that the lock is ours. Durable on return.

        Raises:
            LockLostError: the lock is not ours any more; nothing was written.
            JournalError: the store does not answer, or refuses; it may have been written.
        """
        with self._guard:
            self._refuse_if_lost()
            self._exchange(tuple(entries), patience_s=self._timing.patience_s)

    def release(self) -> None:
        """Leave a free lock, if it is still ours. Never raises: a lock that is left behind expires."""
        self._ended.set()
        if self._thread is not threading.current_thread():
            self._thread.join()
        with self._guard:
            if self._lost is None:
                try:
                    self._exchange((), patience_s=_RELEASE_PATIENCE_S, free=True)
                except (JournalError, LockLostError) as error:
                    log.warning("lock not released; it expires by itself: %s", error)
                self._lost = "it was released"

    def _age_s(self) -> float:
        return self._real.seconds() - self._confirmed_s

    def _refuse_if_lost(self) -> None:
        if self._lost is not None:
            raise LockLostError(f"lock: {self._lost}; no further step is made.")

    def _beat(self) -> None:
        while not self._real.wait(self._timing.beat_s, self._ended):
            with self._guard:
                if self._lost is not None:
                    return
                if self._age_s() < self._timing.beat_s / 2:
                    continue  # an append was a heartbeat
                try:
                    self._exchange((), patience_s=0)
                except LockLostError as error:
                    log.warning("%s", error)
                    return
                except JournalError as error:
                    log.warning("heartbeat not answered: %s", error)

    # Swapping

    def _exchange(self, entries: tuple[Entry, ...], *, patience_s: float, free: bool = False) -> None:
        """Swap until it is done, refused, or the store has not answered for too long.

        An attempt without an answer is looked for before the next one is made: it may have worked, also late.
        """
        give_up, pause_s, refusals = self._real.seconds() + patience_s, FIRST_PAUSE_S, 0
        while True:
            try:
                if (self._unanswered or refusals) and self._settle(entries):
                    return
                self._swap(self._attempt(entries, free=free))
            except SwapRejectedError as error:
                refusals += 1
                if refusals == 1:
                    continue  # most likely another has it: look at once
                if refusals > REFUSALS:
                    raise refused(self._store, error) from error
            except StoreUnreachableError:
                if self._real.seconds() >= give_up:
                    raise
            else:
                return
            self._real.wait(pause_s)
            pause_s = min(pause_s * 2, _LONGEST_PAUSE_S)

    def _attempt(self, entries: tuple[Entry, ...], *, free: bool) -> _Attempt:
        state = self._held.state.after(entries) if entries else self._held.state
        record = replace(
            self._held.record, nonce=new_nonce(), beat_at=self._real.wall(), sequence=state.sequence, free=free
        )
        return _Attempt(record=record, state=state, entries=entries, started_s=self._real.seconds())

    def _swap(self, attempt: _Attempt) -> None:
        write = journal_write(attempt.state, attempt.entries, attempt.record.nonce) if attempt.entries else None
        self._unanswered[attempt.record.nonce] = attempt  # until an answer is here, whatever else happens
        try:
            versions = self._store.swap(self._held.versions, encode_lock(attempt.record), write)
        except SwapRejectedError:
            del self._unanswered[attempt.record.nonce]
            raise
        self._adopt(attempt, versions)

    def _adopt(self, attempt: _Attempt, versions: Versions) -> None:
        """Take a swap for done. It proves that the lock was ours when it *began*: watchers count from its arrival."""
        self._held = Held(record=attempt.record, state=attempt.state, versions=versions)
        self._confirmed_s = attempt.started_s
        self._unanswered.clear()

    def _settle(self, entries: tuple[Entry, ...]) -> bool:
        """Look what stands in the store: ours, one of our attempts, or another's. Tell whether `entries` are written.

        To see one's own record confirms nothing: who watches it may be about to find it old enough.

        Raises:
            LockLostError: the lock is another's.
            JournalError: someone who did not hold the lock has written the journal.
        """
        snapshot = self._store.read()
        record = None if snapshot.lock is None else decode_lock(snapshot.lock.text)
        attempt = None if record is None else self._unanswered.get(record.nonce)
        if attempt is not None:
            if attempt.entries and snapshot.versions.journal == self._held.versions.journal:
                raise StoreUnreachableError(f"{self._store.place}: it is just being written.")
            self._adopt(attempt, snapshot.versions)
            return bool(entries) and attempt.entries is entries
        if record is None or record.nonce != self._held.record.nonce:
            self._lost = _taken_by(record)
            self._refuse_if_lost()
        if snapshot.versions.journal != self._held.versions.journal:
            raise JournalError(f"{self._store.place}: someone without the lock has changed the journal.", remedy=REPAIR)
        return False


def _taken_by(record: LockRecord | None) -> str:
    if record is None:
        return "its ref was removed"
    if record.free:
        return "a person broke it" if record.broken else f"{record.owner.name} had it since, and has released it"
    return f"{record.owner.name} has it since {shown_time(record.since)}" + (
        f" ({record.owner.run_url})" if record.owner.run_url else ""
    )


def refused(store: Store, error: SwapRejectedError) -> JournalError:
    """Return the error for a store that refuses swaps although nobody else has changed anything."""
    return JournalError(
        f"{store.place} refuses to be written: {error.detail}",
        remedy="Allow the push, or move the refs with lock.refPrefix.",
    )


def journal_write(state: OpenState, entries: tuple[Entry, ...], nonce: str, *, anew: bool = False) -> JournalWrite:
    """Return what an append of `entries` writes: the state, and each entry in the file of its month."""
    lines: dict[str, str] = {}
    for entry in entries:
        month = f"{entry_time(entry):%Y-%m}"
        lines[month] = lines.get(month, "") + encode_entry(entry)
    # The nonce keeps two equal appends from being the same commit.
    message = f"journal {state.sequence} of epoch {state.epoch} ({nonce})"
    return JournalWrite(state=encode_state(state), lines=lines, message=message, anew=anew)


def new_nonce() -> str:
    return secrets.token_hex(16)


def shown_time(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S} UTC"
