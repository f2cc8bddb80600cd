"""The loop: look, decide, journal the intents, act, journal the outcomes; until nothing is left to do now."""

import logging
import threading
import uuid
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial

from reconciler.errors import ServiceUnavailableError
from reconciler.execution.observe import Interest, Observer
from reconciler.execution.pace import CreatePace
from reconciler.execution.perform import Made, body_digest, perform
from reconciler.execution.realtime import RealTime
from reconciler.execution.sidebyside import side_by_side
from reconciler.model.certificate import (
    AccountName,
    CertificateName,
    ChangeId,
    DesiredCertificate,
    EnrollmentId,
    InstanceName,
)
from reconciler.model.digest import desired_digest
from reconciler.model.entry import CauseId, Intent, IntentId, Outcome, OutcomeKind
from reconciler.model.journal import OpenState
from reconciler.planning.case import Context
from reconciler.planning.housekeeping import lessons
from reconciler.planning.indexes import OrderBook
from reconciler.planning.observed import Observed
from reconciler.planning.order_requests import may_order
from reconciler.planning.ownership import OPENING
from reconciler.planning.plan import Plan, Standing
from reconciler.planning.settle import SETTLE
from reconciler.planning.steps import (
    HOUSEKEEPING,
    Act,
    CreateEnrollment,
    LinkOrders,
    Phase,
    Step,
    SubmitOrder,
    UpdateEnrollment,
    Wait,
    operation_of,
)
from reconciler.planning.tags import OrderTag, bound_orders
from reconciler.ports import Clock, Journal, Lease

log = logging.getLogger(__name__)

_BACK_OFF = (timedelta(seconds=30), timedelta(minutes=1), timedelta(minutes=2), timedelta(minutes=5))
_GIVE_UP_AFTER = 5  # steps in a row that were not sent, not possible or without effect, for one certificate
_BATCH = 20  # steps: what 45 s can send at the account's rate
_BEGINNING = {*OPENING, "submit order"}
_INTENT_LIFE_S = 60.0  # of real time: an older intent is closed and written anew before its call is made


Decide = Callable[[Observed, Mapping[AccountName, OpenState], int], tuple[Plan, Context]]  # orders placed in this run


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
    operation: str
    outcome: Outcome | None = None  # None: the step is begun


@dataclass(frozen=True, slots=True, kw_only=True)
class UnderWay:
    """Where the work of a run is, after each look."""

    at: datetime
    phases: Mapping[Phase, int]  # how many certificates are at each
    next_look: datetime | None  # None: there is something to do now


@dataclass
class Executor:
    """One run. `decide` plans from a look, of all accounts together: guards and budgets are the run's.

    It is the same function that `plan` uses. What is done side by side, as far as `parallelism` allows, are accounts:
    each has its own client with its limits, its journal and its lock.
    """

    observer: Observer
    clock: Clock
    certificates: Sequence[DesiredCertificate]
    decide: Decide
    interest: Callable[[Mapping[AccountName, OpenState]], Interest]
    journals: Mapping[AccountName, Journal]
    leases: Mapping[AccountName, Lease] = field(default_factory=dict)
    approved: Callable[[Standing], bool] = lambda _: True
    tell: Callable[[Told], None] = lambda _: None
    watch: Callable[[UnderWay], None] = lambda _: None
    stop: Callable[[], bool] = lambda: False
    approval: str = "merge"
    commit: str = ""
    run_url: str = ""
    parallelism: int = 1
    real: RealTime = field(default_factory=RealTime)
    _guard: threading.Lock = field(default_factory=threading.Lock)  # over all that follows, while accounts are at work
    _keys: dict[IntentId, StepKey] = field(default_factory=dict)
    _latest: dict[StepKey, Outcome] = field(default_factory=dict)
    _failed: dict[CertificateName, str] = field(default_factory=dict)
    _tries: defaultdict[StepKey, int] = field(default_factory=lambda: defaultdict(int))
    _performed: list[Performed] = field(default_factory=list)
    _recent: defaultdict[tuple[CertificateName, str], deque[datetime]] = field(
        default_factory=lambda: defaultdict(lambda: deque(maxlen=_GIVE_UP_AFTER))
    )
    _creates: CreatePace = field(default_factory=CreatePace)
    _placed: int = 0

    def converge(self, *, wait: timedelta = timedelta()) -> Result:
        """Go round until each certificate would have to wait longer than `wait` allows, counted from now.

        Raises:
            LockLostError: another run has the lock; nothing was sent after it was lost.
        """
        deadline = self.clock.now() + wait
        while True:
            plan = self._look()
            if self.stop():
                return self._result(plan)
            runnable = [(standing, step) for standing in plan.standings for step in self._runnable(standing)]
            runnable = runnable or self._housekeeping(plan)
            if runnable:
                self._watch(plan, None)
                self._act(self._creates.admitted(runnable))
                continue
            pause = self._pause(plan)
            if pause is None or (next_look := self.clock.now() + pause) > deadline:
                return self._result(plan)
            self._watch(plan, next_look)
            self.clock.sleep(pause)

    def _watch(self, plan: Plan, next_look: datetime | None) -> None:
        phases = Counter(standing.phase for standing in plan.standings if self._is_under_way(standing))
        self.watch(UnderWay(at=self.clock.now(), phases=phases, next_look=next_look))

    def _is_under_way(self, standing: Standing) -> bool:
        if isinstance(standing.decision, Wait):
            return standing.held is None
        return isinstance(standing.decision, Act) and self.approved(standing)

    @property
    def begun(self) -> frozenset[CertificateName]:
        """The certificates for which this run has opened a change or placed an order, or may have."""
        return frozenset(
            key.certificate
            for key, outcome in self._latest.items()
            if key.operation in _BEGINNING and outcome.kind in (OutcomeKind.DONE, OutcomeKind.UNKNOWN)
        )

    # Look

    def _look(self) -> Plan:
        known = self._known()
        observed = self.observer.look(self.certificates, interest=self.interest(known), journals=known)
        plan, context = self.decide(observed, known, self._placed)
        learned = lessons(plan, context)
        if not learned:
            return plan
        for account, entries in learned.items():
            self.journals[account].note(entries)
        return self.decide(observed, self._known(), self._placed)[0]

    def _known(self) -> Mapping[AccountName, OpenState]:
        states = ((account, journal.state) for account, journal in self.journals.items())
        return {account: state for account, state in states if state is not None}

    # Decide

    def _runnable(self, standing: Standing) -> list[Step]:
        timed = self._timed(standing)
        if not timed:
            return []  # nearly all of a fleet: nobody asks for the time, which may be a call away
        now = self.clock.now()
        return [step for step, when in timed if when is not None and when <= now]

    def _housekeeping(self, plan: Plan) -> list[tuple[Standing, Step]]:
        """Return the bookkeeping that this run has not tried yet; it comes when nothing else can be done."""
        due = [(standing, step) for standing in plan.standings for step in standing.housekeeping]
        return [(standing, step) for standing, step in due if _key(standing, step) not in self._latest]

    def _timed(self, standing: Standing) -> list[tuple[Step, datetime | None]]:
        """Return the steps that this run may make for one certificate, each with when; None: not again in this run."""
        if not isinstance(standing.decision, Act) or standing.name in self._failed or not self.approved(standing):
            return []
        return [(step, self._when(standing, step)) for step in standing.decision.steps]

    def _when(self, standing: Standing, step: Step) -> datetime | None:
        when, free_at = self._not_before(standing, step), self._creates.free_at(step)
        return when if when is None or free_at is None else max(when, free_at)

    def _not_before(self, standing: Standing, step: Step) -> datetime | None:
        """Return when a step may be made: not while what it did may still be on its way to being seen.

        What costs a certificate or opens a change, and whose answer was lost, is made again only once the journal has
        closed its intent: it is settled, and no complete look has shown it. Without a journal, not by this run.
        """
        key = _key(standing, step)
        latest = self._latest.get(key)
        if latest is None:
            return self.clock.now()
        if latest.kind is OutcomeKind.UNKNOWN and isinstance(step, CreateEnrollment | SubmitOrder | UpdateEnrollment):
            state = self.journals[_account(standing)].state
            closed = state is not None and state.open_intent(latest.intent) is None
            return self.clock.now() if closed else None
        if latest.kind in (OutcomeKind.DONE, OutcomeKind.UNKNOWN):
            return latest.at + SETTLE
        return latest.at + _BACK_OFF[min(self._tries[key], len(_BACK_OFF)) - 1]

    def _pause(self, plan: Plan) -> timedelta | None:
        """Return how long to the next look that may see something new; None where there is nothing to wait for."""
        now, pauses = self.clock.now(), []
        for standing in plan.standings:
            if isinstance(standing.decision, Wait) and standing.held is None:
                until = standing.decision.until
                pauses.append(standing.decision.poll if until is None else max(standing.decision.poll, until - now))
            for step, when in self._timed(standing):
                if when is not None:
                    pauses.append(when - now)
                elif not self._settled(_key(standing, step)):
                    pauses.append(timedelta(minutes=1))
        return max(min(pauses), timedelta(seconds=1)) if pauses else None

    def _settled(self, key: StepKey) -> bool:
        latest = self._latest.get(key)
        return latest is None or latest.at + SETTLE <= self.clock.now()

    # Act

    def _act(self, runnable: Sequence[tuple[Standing, Step]]) -> None:
        """Make a batch of steps for each account that has some."""
        batches = _by_account(runnable)
        made_before = len(self._performed)
        try:
            side_by_side(
                [partial(self._batch, account, some[:_BATCH]) for account, some in batches.items()],
                at_most=self.parallelism,
            )
        finally:  # the order does not tell who was faster
            self._performed[made_before:] = _in_order(self._performed[made_before:], batches)

    def _batch(self, account: AccountName, runnable: Sequence[tuple[Standing, Step]]) -> None:
        """Write down all intents; read the orders once more where one is to be placed; make the calls."""
        now = self.clock.now()
        intents = [self._intent(standing, step, now) for standing, step in runnable]
        self.journals[account].intend(tuple(intents))
        began_s = self.real.seconds()
        books = self._second_look(runnable)
        outcomes: list[Outcome] = []
        try:
            for intent, (standing, step) in zip(intents, runnable, strict=True):
                made = self._one(intent, standing, step, books, began_s)
                outcomes.append(made.outcome)
                with self._guard:
                    self._note(standing, step, made)
        finally:
            if outcomes:
                self.journals[account].record(tuple(outcomes))

    def _one(
        self,
        intent: Intent,
        standing: Standing,
        step: Step,
        books: Mapping[InstanceName, OrderBook | None],
        began_s: float,
    ) -> Made:
        if (late := self._too_late(began_s)) is not None:
            return self._unmade(intent, OutcomeKind.NOT_SENT, late)
        if (held := self._held(step)) is not None:
            return self._unmade(intent, OutcomeKind.NOT_SENT, f"{held}.")
        if isinstance(step, SubmitOrder) and (refusal := _order_refusal(step, books[step.instance])) is not None:
            return self._unmade(intent, OutcomeKind.LOOK_AGAIN, refusal)
        lease = self.leases.get(_account(standing))
        if lease is not None:
            lease.confirm()
        log.info("%s: certificate=%s enrollment=%s", intent.operation, intent.certificate, intent.enrollment_id)
        self._tell_begun(intent)
        with self.observer.services.asking(lambda: self._check_before_sending(intent, lease, began_s)):
            made = perform(step, self.observer.services, intent=intent.id, now=self.clock.now())
        log.info("%s: certificate=%s: %s", intent.operation, intent.certificate, made.outcome.kind)
        return replace(made, outcome=replace(made.outcome, at=self.clock.now()))

    def _tell_begun(self, intent: Intent) -> None:
        name, operation, at = intent.certificate, intent.operation, self.clock.now()
        with self._guard:
            self.tell(Told(at=at, certificate=name, text=f"{operation}: begun", operation=operation))

    def _too_late(self, began_s: float) -> str | None:
        if self.stop():
            return "the run was ended."
        return "the batch ran out of time." if self.real.seconds() - began_s > _INTENT_LIFE_S else None

    def _check_before_sending(self, intent: Intent, lease: Lease | None, began_s: float) -> None:
        """Check once more what was true before the call waited for a limit, a token, or the machine (safety 2 and 6).

        Raises:
            LockLostError: the lock is not ours any more.
            ServiceUnavailableError: the intent has grown too old, or the run is to end: nothing was sent.
        """
        if (late := self._too_late(began_s)) is not None:
            raise ServiceUnavailableError("certrecon", intent.operation, late)
        if lease is not None:
            lease.confirm()

    def _intent(self, standing: Standing, step: Step, now: datetime) -> Intent:
        cause = _cause(standing, step)
        key = _key(standing, step)
        lease = self.leases.get(_account(standing))
        state = self.journals[_account(standing)].state
        known = state.causes.get(cause) if state is not None else None
        again = isinstance(standing.decision, Act) and standing.decision.again
        attempt = 1 if known is None else known.attempt + (again or known.ended_at is not None)
        intent = Intent(
            id=IntentId(uuid.uuid4().hex),
            certificate=standing.name,
            cause=cause,
            attempt=attempt,
            operation=key.operation,
            enrollment_id=key.enrollment_id,
            change_id=key.change_id,
            key_type=key.key_type,
            body_digest=key.body,
            desired_digest=desired_digest(standing.desired),
            at=now,
            identity=standing.desired.identity,
            key=step.key if isinstance(step, SubmitOrder) else None,
            succeeds=step.succeeds if isinstance(step, SubmitOrder) else frozenset(),
            link=step.link if isinstance(step, LinkOrders) else None,
            approval=self.approval,
            epoch=lease.epoch if lease is not None else 0,
            commit=self.commit,
            run_url=self.run_url,
            reason=_reason(standing, step),
            replacing=standing.decision.replacing if isinstance(standing.decision, Act) else None,
        )
        self._keys[intent.id] = key
        return intent

    def _second_look(self, runnable: Sequence[tuple[Standing, Step]]) -> Mapping[InstanceName, OrderBook | None]:
        """Read SCM's orders after the intents are down (the order rule); None where the reading is not complete."""
        books: dict[InstanceName, OrderBook | None] = {}
        bound = {one: tag for state in self._known().values() for one, tag in bound_orders(state).items()}
        changes = {(step.enrollment_id, step.change_id) for _, step in runnable if isinstance(step, SubmitOrder)}
        for instance in sorted({step.instance for _, step in runnable if isinstance(step, SubmitOrder)}):
            reading = self.observer.orders(
                instance, frozenset(one for one, tag in bound.items() if _of(tag) in changes)
            )
            books[instance] = OrderBook.of(reading.values, bound) if reading.complete else None
        return books

    def _unmade(self, intent: Intent, kind: OutcomeKind, why: str) -> Made:
        return Made(outcome=Outcome(intent=intent.id, kind=kind, at=self.clock.now(), detail=why))

    def _note(self, standing: Standing, step: Step, made: Made) -> None:
        key, outcome = _key(standing, step), made.outcome
        if outcome.kind is OutcomeKind.NOT_SENT and made.error is None and self._held(step) is not None:
            return  # no call was made: the result says for what it waits
        self._performed.append(Performed(certificate=standing.name, operation=key.operation, outcome=outcome))
        text = _told(key, outcome)
        self.tell(Told(at=outcome.at, certificate=standing.name, text=text, operation=key.operation, outcome=outcome))
        if self._creates.note(step, made):
            return  # no try of this step: it came too soon
        repeated = key in self._latest and self._latest[key].kind is OutcomeKind.DONE
        self._latest[key] = outcome
        self._placed += isinstance(step, SubmitOrder) and outcome.kind in (OutcomeKind.DONE, OutcomeKind.UNKNOWN)
        if isinstance(step, LinkOrders):
            return  # what comes of bookkeeping is told, and fails nothing
        if outcome.kind is OutcomeKind.DONE and self._in_a_circle(standing, key, outcome.at):
            self._failed[standing.name] = f"{key.operation} is done again and again. Given up for this run."
            return
        if outcome.kind is OutcomeKind.DONE and not repeated:
            self._tries.pop(key, None)
            return
        self._tries[key] += 1
        if outcome.kind is OutcomeKind.REFUSED:
            self._failed[standing.name] = outcome.detail
        elif self._tries[key] >= _GIVE_UP_AFTER:
            detail = outcome.detail or f"{key.operation} is answered as done and has no effect."
            self._failed[standing.name] = f"{detail} Given up after {_GIVE_UP_AFTER} tries."

    def _in_a_circle(self, standing: Standing, key: StepKey, at: datetime) -> bool:
        """Tell whether one certificate's steps of a kind follow each other faster than their effects are seen.

        Each may differ from the one before, and be answered as done: without this, a run could go on for ever.
        """
        recent = self._recent[standing.name, key.operation]
        recent.append(at)
        return len(recent) == recent.maxlen and at - recent[0] < SETTLE

    # Result

    def _result(self, plan: Plan) -> Result:
        failures = dict(self._failed)
        for standing in plan.standings:
            for detail in self._unknown(standing):
                failures[standing.name] = detail
        under_way = {
            standing.name
            for standing in plan.standings
            if standing.name not in failures and self._is_under_way(standing)
        }
        return Result(
            plan=replace(plan, standings=tuple(map(self._with_pace, plan.standings))),
            performed=tuple(self._performed),
            failures=failures,
            under_way=frozenset(under_way),
        )

    def _held(self, step: Step) -> str | None:
        return None if self._creates.free_at(step) is None else self._creates.holds(step, self.clock.now())

    def _with_pace(self, standing: Standing) -> Standing:
        """Return the standing with what holds its create back."""
        held = [why for step, _ in self._timed(standing) if (why := self._held(step)) is not None]
        return replace(standing, throttled=held[0]) if held else standing

    def _unknown(self, standing: Standing) -> list[str]:
        """Return what is said of steps whose outcome no look has shown."""
        open_ones = [
            outcome
            for key, outcome in self._latest.items()
            if key.certificate == standing.name
            and outcome.kind is OutcomeKind.UNKNOWN
            and key.operation not in HOUSEKEEPING
        ]
        state = self.journals[_account(standing)].state
        if state is None:
            return [one.detail for one in open_ones] if isinstance(standing.decision, Act) else []
        still = {one.intent.id for one in state.open}
        return [one.detail for one in open_ones if one.intent in still]


def _account(standing: Standing) -> AccountName:
    return standing.desired.enrollment.account


def _cause(standing: Standing, step: Step) -> CauseId:
    if isinstance(step, LinkOrders):
        return step.cause
    if not isinstance(standing.decision, Act):
        raise TypeError(standing.name)
    return standing.decision.cause


def _reason(standing: Standing, step: Step) -> str:
    if isinstance(step, LinkOrders):
        return f"succession: order {step.link.new} succeeds order {step.link.old}"
    decision = standing.decision
    return f"{decision.reason}: {decision.text}" if isinstance(decision, Act) else ""


def _by_account(
    runnable: Sequence[tuple[Standing, Step]],
) -> Mapping[AccountName, list[tuple[Standing, Step]]]:
    """Return the steps of each account; the account of the most urgent one comes first."""
    found: defaultdict[AccountName, list[tuple[Standing, Step]]] = defaultdict(list)
    for standing, step in runnable:
        found[_account(standing)].append((standing, step))
    return found


def _in_order(
    performed: Sequence[Performed], batches: Mapping[AccountName, Sequence[tuple[Standing, Step]]]
) -> list[Performed]:
    accounts = list(batches)
    place = {standing.name: accounts.index(account) for account, some in batches.items() for standing, _ in some}
    return sorted(performed, key=lambda one: place[one.certificate])


def _key(standing: Standing, step: Step) -> StepKey:
    return StepKey(
        certificate=standing.name,
        operation=operation_of(step),
        enrollment_id=getattr(step, "enrollment_id", None),
        change_id=getattr(step, "change_id", None),
        key_type=step.key_type if isinstance(step, SubmitOrder) else None,
        body=body_digest(step),
    )


def _of(tag: OrderTag) -> tuple[EnrollmentId, ChangeId]:
    return tag.enrollment_id, tag.change_id


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
