"""What one run has tried, and when it may try a step again. What outlives the run is the journal's."""

from collections import defaultdict, deque
from dataclasses import dataclass
from datetime import datetime, timedelta

from reconciler.execution.perform import body_digest
from reconciler.execution.run import Performed
from reconciler.model.certificate import CertificateName, ChangeId, EnrollmentId
from reconciler.model.entry import Outcome, OutcomeKind
from reconciler.model.journal import OpenState
from reconciler.planning.ownership import OPENING
from reconciler.planning.plan import Standing
from reconciler.planning.settle import SETTLE
from reconciler.planning.steps import (
    HOUSEKEEPING,
    Act,
    CreateEnrollment,
    LinkOrders,
    Step,
    SubmitOrder,
    UpdateEnrollment,
    operation_of,
)

_BACK_OFF = (timedelta(seconds=30), timedelta(minutes=1), timedelta(minutes=2), timedelta(minutes=5))
_GIVE_UP_AFTER = 5  # steps in a row that were not sent, not possible or without effect, for one certificate
_BEGINNING = {*OPENING, "submit order"}


@dataclass(frozen=True, slots=True, kw_only=True)
class StepKey:
    """What makes two steps the same one: made twice, they would do twice."""

    certificate: CertificateName
    operation: str
    enrollment_id: EnrollmentId | None
    change_id: ChangeId | None
    key_type: str | None
    body: str  # digest of what is sent


def key_of_step(standing: Standing, step: Step) -> StepKey:
    return StepKey(
        certificate=standing.name,
        operation=operation_of(step),
        enrollment_id=getattr(step, "enrollment_id", None),
        change_id=getattr(step, "change_id", None),
        key_type=step.key_type if isinstance(step, SubmitOrder) else None,
        body=body_digest(step),
    )


class Attempts:
    """The steps of one run: the latest outcome of each, how often it was tried, which certificates have failed."""

    def __init__(self) -> None:
        self.performed: list[Performed] = []
        self.failed: dict[CertificateName, str] = {}
        self.orders_placed = 0
        self._latest: dict[StepKey, Outcome] = {}
        self._tries: defaultdict[StepKey, int] = defaultdict(int)
        self._recent: defaultdict[tuple[CertificateName, str], deque[datetime]] = defaultdict(
            lambda: deque(maxlen=_GIVE_UP_AFTER)
        )

    @property
    def begun(self) -> frozenset[CertificateName]:
        """The certificates for which this run has opened a change or placed an order, or may have."""
        return frozenset(
            key.certificate
            for key, outcome in self._latest.items()
            if key.operation in _BEGINNING and outcome.kind in (OutcomeKind.DONE, OutcomeKind.UNKNOWN)
        )

    def tried(self, key: StepKey) -> bool:
        """Tell whether this run has made the step before."""
        return key in self._latest

    def not_before(self, key: StepKey, step: Step, state: OpenState | None, now: datetime) -> datetime | None:
        """Return when a step may be made: not while what it did may still be on its way to being seen.

        What costs a certificate or opens a change, and whose answer was lost, is made again only once the journal has
        closed its intent: it is settled, and no complete look has shown it. Without a journal, not by this run.
        """
        latest = self._latest.get(key)
        if latest is None:
            return now
        if latest.kind is OutcomeKind.UNKNOWN and isinstance(step, CreateEnrollment | SubmitOrder | UpdateEnrollment):
            closed = state is not None and state.open_intent(latest.intent) is None
            return now if closed else None
        if latest.kind in (OutcomeKind.DONE, OutcomeKind.UNKNOWN):
            return latest.at + SETTLE
        return latest.at + _BACK_OFF[min(self._tries[key], len(_BACK_OFF)) - 1]

    def settled(self, key: StepKey, now: datetime) -> bool:
        """Tell whether what the step did must have shown by now."""
        latest = self._latest.get(key)
        return latest is None or latest.at + SETTLE <= now

    def note(self, key: StepKey, step: Step, outcome: Outcome) -> None:
        """Remember what came of a step; give its certificate up where it is refused, or leads nowhere."""
        repeated = key in self._latest and self._latest[key].kind is OutcomeKind.DONE
        self._latest[key] = outcome
        self.orders_placed += isinstance(step, SubmitOrder) and outcome.kind in (OutcomeKind.DONE, OutcomeKind.UNKNOWN)
        if isinstance(step, LinkOrders):
            return  # what comes of bookkeeping is told, and fails nothing
        if outcome.kind is OutcomeKind.DONE and self._in_a_circle(key, outcome.at):
            self.failed[key.certificate] = f"{key.operation} is done again and again. Given up for this run."
            return
        if outcome.kind is OutcomeKind.DONE and not repeated:
            self._tries.pop(key, None)
            return
        self._tries[key] += 1
        if outcome.kind is OutcomeKind.REFUSED:
            self.failed[key.certificate] = outcome.detail
        elif self._tries[key] >= _GIVE_UP_AFTER:
            detail = outcome.detail or f"{key.operation} is answered as done and has no effect."
            self.failed[key.certificate] = f"{detail} Given up after {_GIVE_UP_AFTER} tries."

    def _in_a_circle(self, key: StepKey, at: datetime) -> bool:
        """Tell whether one certificate's steps of a kind follow each other faster than their effects are seen.

        Each may differ from the one before, and be answered as done: without this, a run could go on for ever.
        """
        recent = self._recent[key.certificate, key.operation]
        recent.append(at)
        return len(recent) == recent.maxlen and at - recent[0] < SETTLE

    def unknown(self, standing: Standing, state: OpenState | None) -> list[str]:
        """Return what is said of a certificate's steps whose outcome no look has shown."""
        open_ones = [
            outcome
            for key, outcome in self._latest.items()
            if key.certificate == standing.name
            and outcome.kind is OutcomeKind.UNKNOWN
            and key.operation not in HOUSEKEEPING
        ]
        if state is None:
            return [one.detail for one in open_ones] if isinstance(standing.decision, Act) else []
        still = {one.intent.id for one in state.open}
        return [one.detail for one in open_ones if one.intent in still]


def told(key: StepKey, outcome: Outcome) -> str:
    """Say what came of a step, in a line."""
    if outcome.kind is OutcomeKind.DONE:
        ids = [f"enrollment {outcome.enrollment_id}"] if outcome.enrollment_id is not None else []
        ids += [f"order {outcome.ssl_id}"] if outcome.ssl_id is not None else []
        return f"{key.operation}{f' {key.key_type}' if key.key_type else ''}: done" + (
            f" ({', '.join(ids)})" if ids else ""
        )
    return f"{key.operation}: {outcome.kind}: {outcome.detail}"
