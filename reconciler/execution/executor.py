"""The loop: look, decide, journal the intents, act, journal the outcomes; until nothing is left to do now."""

import logging
import uuid
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from reconciler.execution.observe import Observer
from reconciler.execution.perform import body_digest, operation_of, perform
from reconciler.model.certificate import CertificateName, ChangeId, DesiredCertificate, EnrollmentId, InstanceName
from reconciler.model.digest import desired_digest
from reconciler.model.entry import Intent, IntentId, Outcome, OutcomeKind
from reconciler.model.order import SslId
from reconciler.planning.causes import create_cause
from reconciler.planning.halves import may_order
from reconciler.planning.indexes import OrderBook
from reconciler.planning.plan import Plan, Standing
from reconciler.planning.steps import Act, CreateEnrollment, Step, SubmitOrder, Wait
from reconciler.ports import Clock, Journal

log = logging.getLogger(__name__)

SETTLE = timedelta(minutes=15)  # of service time: how long a service may take to show what it has done
_BACK_OFF = (timedelta(seconds=30), timedelta(minutes=1), timedelta(minutes=2), timedelta(minutes=5))
_GIVE_UP_AFTER = 5  # steps in a row that were not sent, or not possible, for one certificate


@dataclass(frozen=True, slots=True, kw_only=True)
class StepKey:
    """What makes two steps the same one: made twice, they would do twice."""

    certificate: CertificateName
    operation: str
    enrollment_id: EnrollmentId | None
    change_id: ChangeId | None
    key_type: str | None
    body: str  # digest of what is sent


@dataclass(frozen=True, slots=True, kw_only=True)
class Performed:
    """One step that was made, for reports."""

    certificate: CertificateName
    operation: str
    outcome: Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What a run did, and how everything stands after it."""

    plan: Plan  # of the last look
    performed: tuple[Performed, ...]
    failures: Mapping[CertificateName, str]  # refused, given up, or with an outcome that is still unknown
    under_way: frozenset[CertificateName]


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What the loop tells a listener while it runs."""

    at: datetime
    certificate: CertificateName | None
    text: str


@dataclass
class Executor:
    """One run. `decide` plans from a look; it is the same function that `plan` uses."""

    observer: Observer
    journal: Journal
    clock: Clock
    certificates: Sequence[DesiredCertificate]
    decide: Callable[..., Plan]
    approved: Callable[[Standing], bool] = lambda _: True
    tell: Callable[[Told], None] = lambda _: None
    stop: Callable[[], bool] = lambda: False
    _keys: dict[IntentId, StepKey] = field(default_factory=dict)
    _failed: dict[CertificateName, str] = field(default_factory=dict)
    _tries: defaultdict[StepKey, int] = field(default_factory=lambda: defaultdict(int))
    _performed: list[Performed] = field(default_factory=list)

    def converge(self, *, wait: timedelta = timedelta()) -> Result:
        """Go round until each certificate would have to wait longer than `wait` allows, counted from now."""
        deadline = self.clock.now() + wait
        while True:
            plan = self._look()
            runnable = [(standing, step) for standing in plan.standings for step in self._runnable(standing)]
            if self.stop():
                return self._result(plan)
            if runnable:
                self._act(runnable)
                continue
            pause = self._pause(plan)
            if pause is None or self.clock.now() + pause > deadline:
                return self._result(plan)
            self.clock.sleep(pause)

    # Look

    def _look(self) -> Plan:
        observed = self.observer.look(self.certificates, placed=self._placed())
        return self.decide(observed)

    def _placed(self) -> Mapping[InstanceName, frozenset[SslId]]:
        """Return the orders placed in this run: they are read by id where SCM's lists do not show them yet."""
        placed: defaultdict[InstanceName, set[SslId]] = defaultdict(set)
        instances = {one.name: one.order.instance for one in self.certificates}
        for outcome in self.journal.outcomes():
            if outcome.ssl_id is not None:
                placed[instances[self._keys[outcome.intent].certificate]].add(outcome.ssl_id)
        return {instance: frozenset(ids) for instance, ids in placed.items()}

    # Decide

    def _runnable(self, standing: Standing) -> list[Step]:
        now = self.clock.now()
        return [step for step, when in self._timed(standing) if when is not None and when <= now]

    def _timed(self, standing: Standing) -> list[tuple[Step, datetime | None]]:
        """Return the steps that this run may make for one certificate, each with when; None: not again in this run."""
        if not isinstance(standing.decision, Act) or standing.name in self._failed or not self.approved(standing):
            return []
        return [(step, self._not_before(step, _key(standing, step))) for step in standing.decision.steps]

    def _not_before(self, step: Step, key: StepKey) -> datetime | None:
        """Return when a step may be made: not while what it did may still be on its way to being seen.

        A create or an order whose answer was lost is not made again by this run, however often it looks.
        """
        latest = self._latest(key)
        if latest is None:
            return self.clock.now()
        if latest.kind is OutcomeKind.UNKNOWN and isinstance(step, CreateEnrollment | SubmitOrder):
            return None
        if latest.kind in (OutcomeKind.DONE, OutcomeKind.UNKNOWN):
            return latest.at + SETTLE
        return latest.at + _BACK_OFF[min(self._tries[key], len(_BACK_OFF)) - 1]

    def _latest(self, key: StepKey) -> Outcome | None:
        of_key = [outcome for outcome in self.journal.outcomes() if self._keys[outcome.intent] == key]
        return max(of_key, key=lambda outcome: outcome.at, default=None)

    def _pause(self, plan: Plan) -> timedelta | None:
        """Return how long to the next look that may see something new; None where there is nothing to wait for."""
        now, pauses = self.clock.now(), []
        for standing in plan.standings:
            if isinstance(standing.decision, Wait):
                until = standing.decision.until
                pauses.append(standing.decision.poll if until is None else max(standing.decision.poll, until - now))
            for step, when in self._timed(standing):
                if when is not None:
                    pauses.append(when - now)
                elif not self._settled(_key(standing, step)):
                    pauses.append(timedelta(minutes=1))
        return max(min(pauses), timedelta(seconds=1)) if pauses else None

    def _settled(self, key: StepKey) -> bool:
        latest = self._latest(key)
        return latest is None or latest.at + SETTLE <= self.clock.now()

    # Act

    def _act(self, runnable: Sequence[tuple[Standing, Step]]) -> None:
        """Write down all intents at once; read the orders once more where one is to be placed; make the calls."""
        now = self.clock.now()
        intents = [self._intent(standing, step, now) for standing, step in runnable]
        self.journal.intend(tuple(intents))
        books = self._second_look(runnable)
        for intent, (standing, step) in zip(intents, runnable, strict=True):
            outcome = self._not_sent(intent) if self.stop() else self._perform(intent, step, books)
            self.journal.record((outcome,))
            self._note(standing, step, outcome)

    def _intent(self, standing: Standing, step: Step, now: datetime) -> Intent:
        key = _key(standing, step)
        intent = Intent(
            id=IntentId(uuid.uuid4().hex),
            certificate=standing.name,
            cause=create_cause(standing.desired.identity),
            attempt=self._tries[key] + 1,
            operation=key.operation,
            enrollment_id=key.enrollment_id,
            change_id=key.change_id,
            key_type=key.key_type,
            body_digest=key.body,
            desired_digest=desired_digest(standing.desired),
            at=now,
        )
        self._keys[intent.id] = key
        return intent

    def _second_look(self, runnable: Sequence[tuple[Standing, Step]]) -> Mapping[InstanceName, OrderBook | None]:
        """Read SCM's orders after the intents are down (the order rule); None where the reading is not complete."""
        instances = {step.instance for _, step in runnable if isinstance(step, SubmitOrder)}
        placed = self._placed()
        books: dict[InstanceName, OrderBook | None] = {}
        for instance in sorted(instances):
            reading = self.observer.orders(instance, placed.get(instance, frozenset()))
            books[instance] = OrderBook.of(reading.values) if reading.complete else None
        return books

    def _perform(self, intent: Intent, step: Step, books: Mapping[InstanceName, OrderBook | None]) -> Outcome:
        if isinstance(step, SubmitOrder):
            refusal = _order_refusal(step, books[step.instance])
            if refusal is not None:
                return Outcome(intent=intent.id, kind=OutcomeKind.LOOK_AGAIN, at=self.clock.now(), detail=refusal)
        log.info("%s: certificate=%s enrollment=%s", intent.operation, intent.certificate, intent.enrollment_id)
        outcome = perform(step, self.observer.services, intent=intent.id, now=self.clock.now())
        log.info("%s: certificate=%s: %s", intent.operation, intent.certificate, outcome.kind)
        return replace(outcome, at=self.clock.now())

    def _not_sent(self, intent: Intent) -> Outcome:
        return Outcome(intent=intent.id, kind=OutcomeKind.NOT_SENT, at=self.clock.now(), detail="the run was ended.")

    def _note(self, standing: Standing, step: Step, outcome: Outcome) -> None:
        key = _key(standing, step)
        self._performed.append(Performed(certificate=standing.name, operation=key.operation, outcome=outcome))
        self.tell(Told(at=outcome.at, certificate=standing.name, text=_told(key, outcome)))
        if outcome.kind is OutcomeKind.DONE:
            self._tries.pop(key, None)
            return
        self._tries[key] += 1
        if outcome.kind is OutcomeKind.REFUSED:
            self._failed[standing.name] = outcome.detail
        elif self._tries[key] >= _GIVE_UP_AFTER:
            self._failed[standing.name] = f"{outcome.detail} (given up after {_GIVE_UP_AFTER} tries)"

    def _result(self, plan: Plan) -> Result:
        failures = dict(self._failed)
        for standing in plan.standings:
            for detail in self._unknown(standing):
                failures[standing.name] = detail
        under_way = {
            standing.name
            for standing in plan.standings
            if isinstance(standing.decision, Act | Wait) and standing.name not in failures
        }
        return Result(
            plan=plan,
            performed=tuple(self._performed),
            failures=failures,
            under_way=frozenset(under_way),
        )

    def _unknown(self, standing: Standing) -> list[str]:
        """Return what is said of steps whose outcome no look has shown."""
        if not isinstance(standing.decision, Act):
            return []
        latest = [self._latest(_key(standing, step)) for step in standing.decision.steps]
        return [one.detail for one in latest if one is not None and one.kind is OutcomeKind.UNKNOWN]


def _key(standing: Standing, step: Step) -> StepKey:
    return StepKey(
        certificate=standing.name,
        operation=operation_of(step),
        enrollment_id=getattr(step, "enrollment_id", None),
        change_id=getattr(step, "change_id", None),
        key_type=step.key_type if isinstance(step, SubmitOrder) else None,
        body=body_digest(step),
    )


def _order_refusal(step: SubmitOrder, book: OrderBook | None) -> str | None:
    if book is None:
        return "SCM's orders could not be read completely just before the order: nothing was sent."
    return may_order(step, book)


def _told(key: StepKey, outcome: Outcome) -> str:
    if outcome.kind is OutcomeKind.DONE:
        ids = [f"enrollment {outcome.enrollment_id}"] if outcome.enrollment_id is not None else []
        ids += [f"order {outcome.ssl_id}"] if outcome.ssl_id is not None else []
        return f"{key.operation}{f' {key.key_type}' if key.key_type else ''}: done" + (
            f" ({', '.join(ids)})" if ids else ""
        )
    return f"{key.operation}: {outcome.kind}: {outcome.detail}"
