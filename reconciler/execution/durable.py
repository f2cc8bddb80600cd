"""The journal that outlives the run: intents before mutating calls, outcomes after them (design: safety 1 and 7)."""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from reconciler.errors import JournalError
from reconciler.execution.lease import Lease
from reconciler.execution.realtime import RealTime
from reconciler.execution.store import Store
from reconciler.model.entry import Intent, IntentId, Outcome
from reconciler.model.journal import OpenState
from reconciler.model.journal_entries import Entry, IntentWritten, OutcomeWritten, decode_entry
from reconciler.ports import Clock

MOST_INTENTS = 50  # in one append: what 45 s can send
_MOST_APPENDS, _PERIOD = 6, timedelta(minutes=1)  # of service time: remotes limit pushes too


class DurableJournal:
    """Writes through a lease, so that only the holder of the lock can write; each append is durable on return.

    It can stop a step, never start one. All methods that write raise `LockLostError` and `JournalError`.
    """

    def __init__(self, lease: Lease, clock: Clock, *, real: RealTime | None = None) -> None:
        self._lease = lease
        self._clock = clock
        self._real = real or RealTime()
        self._appended: deque[datetime] = deque(maxlen=_MOST_APPENDS)
        self._intents: dict[IntentId, Intent] = {one.intent.id: one.intent for one in lease.state.open}
        self._handed_over_s: dict[IntentId, float] = {}  # of this run's intents
        self._outcomes: dict[IntentId, Outcome] = {}

    @property
    def state(self) -> OpenState:
        """What all runs together have left: open intents, known ids, refusals."""
        return self._lease.state

    def intend(self, intents: tuple[Intent, ...]) -> None:
        """Write intents, with the lock's epoch; up to 50 an append."""
        for start in range(0, len(intents), MOST_INTENTS):
            batch = [replace(one, epoch=self._lease.epoch) for one in intents[start : start + MOST_INTENTS]]
            started, now = self._real.seconds(), self._real.wall()
            self._append([IntentWritten(intent=one, written_at=now) for one in batch])
            self._intents.update({one.id: one for one in batch})
            self._handed_over_s.update({one.id: started for one in batch})

    def record(self, outcomes: tuple[Outcome, ...]) -> None:
        """Write what came of intents, of this run or of earlier ones; one append, so give all there are."""
        if not outcomes:
            return
        self._append([OutcomeWritten(outcome=one) for one in outcomes])
        self._outcomes.update({one.intent: one for one in outcomes})

    def note(self, entries: Iterable[Entry]) -> None:
        """Write other entries: ended causes, managed enrollments, contracts, levels, the applied commit."""
        entries = tuple(entries)
        if entries:
            self._append(entries)

    def intents(self) -> tuple[Intent, ...]:
        """Return the intents that earlier runs left open, and all of this run."""
        return tuple(self._intents.values())

    def outcomes(self) -> tuple[Outcome, ...]:
        """Return what this run has recorded, the latest word on each intent."""
        return tuple(self._outcomes.values())

    def carried_over(self) -> tuple[Intent, ...]:
        """Return the intents of earlier runs that are still open."""
        return tuple(one.intent for one in self.state.open if one.intent.id not in self._handed_over_s)

    def real_age(self, intent: IntentId) -> timedelta:
        """Return for how long, in real time, an open intent has been in the journal; never more than is certain.

        An earlier run's is as old as the wall clock says, and at most as old as the lock proves its holder quiet.

        Raises:
            JournalError: it is not open.
        """
        handed_over = self._handed_over_s.get(intent)
        if handed_over is not None:
            return timedelta(seconds=self._real.seconds() - handed_over)
        found = self.state.open_intent(intent)
        if found is None:
            raise JournalError(f"intent {intent} is not open.")
        by_wall_clock = max(self._real.wall() - found.written_at, timedelta())
        return min(by_wall_clock, self._lease.quiet_before)

    def _append(self, entries: Sequence[Entry]) -> None:
        self._pace()
        self._lease.append(entries)

    def _pace(self) -> None:
        """Wait until fewer than six appends were made within the last minute."""
        now = self._clock.now()
        if len(self._appended) == _MOST_APPENDS:
            pause = min(self._appended[0], now) + _PERIOD - now  # `min`: the machine's clock may have been set back
            if pause > timedelta():
                self._clock.sleep(pause)
        self._appended.append(self._clock.now())


def history(store: Store) -> Iterator[Entry]:
    """Yield all entries of the journal as it was last read, oldest first."""
    for month in store.months():
        for line in store.month(month).splitlines():
            yield decode_entry(line)
