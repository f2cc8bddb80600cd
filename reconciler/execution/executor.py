"""The loop: look, decide, journal the intents, act, journal the outcomes; until nothing is left to do now."""

import logging
import threading
import uuid
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial

from reconciler.errors import ServiceUnavailableError
from reconciler.execution.attempts import Attempts, key_of_step, told
from reconciler.execution.observe import Interest, Observer
from reconciler.execution.pace import CreatePace
from reconciler.execution.perform import Made, perform
from reconciler.execution.realtime import RealTime
from reconciler.execution.run import Performed, Result, Told, UnderWay
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
from reconciler.model.journal_entries import Entry
from reconciler.planning.case import Context
from reconciler.planning.housekeeping import gives_up, lessons
from reconciler.planning.indexes import OrderBook
from reconciler.planning.observed import Observed
from reconciler.planning.order_requests import may_order
from reconciler.planning.plan import Plan, Standing
from reconciler.planning.steps import (
    Act,
    LinkOrders,
    Step,
    SubmitOrder,
    Wait,
)
from reconciler.planning.tags import OrderTag, bound_orders
from reconciler.ports import Clock, Journal, Lease

log = logging.getLogger(__name__)

_BATCH = 20  # steps: what 45 s can send at the account's rate
_INTENT_LIFE_S = 60.0  # of real time: an older intent is closed and written anew before its call is made


Decide = Callable[[Observed, Mapping[AccountName, OpenState], int], tuple[Plan, Context]]  # orders placed in this run


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
    _attempts: Attempts = field(default_factory=Attempts)
    _creates: CreatePace = field(default_factory=CreatePace)

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
        return self._attempts.begun

    # Look

    def _look(self) -> Plan:
        plan, context, learned = self._looked()
        if gives_up(learned):
            plan, context, learned = self._looked()  # two complete looks must have seen nothing (safety 2)
        if not learned:
            return plan
        for account, entries in learned.items():
            self.journals[account].note(entries)
        return self.decide(context.observed, self._known(), self._attempts.orders_placed)[0]

    def _looked(self) -> tuple[Plan, Context, Mapping[AccountName, tuple[Entry, ...]]]:
        known = self._known()
        observed = self.observer.look(self.certificates, interest=self.interest(known), journals=known)
        plan, context = self.decide(observed, known, self._attempts.orders_placed)
        return plan, context, lessons(plan, context)

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
        return [(standing, step) for standing, step in due if not self._attempts.tried(key_of_step(standing, step))]

    def _timed(self, standing: Standing) -> list[tuple[Step, datetime | None]]:
        """Return the steps that this run may make for one certificate, each with when; None: not again in this run."""
        if (
            not isinstance(standing.decision, Act)
            or standing.name in self._attempts.failed
            or not self.approved(standing)
        ):
            return []
        return [(step, self._when(standing, step)) for step in standing.decision.steps]

    def _when(self, standing: Standing, step: Step) -> datetime | None:
        key, state, now = key_of_step(standing, step), self.journals[_account(standing)].state, self.clock.now()
        when, free_at = self._attempts.not_before(key, step, state, now), self._creates.free_at(step)
        return when if when is None or free_at is None else max(when, free_at)

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
                elif not self._attempts.settled(key_of_step(standing, step), now):
                    pauses.append(timedelta(minutes=1))
        return max(min(pauses), timedelta(seconds=1)) if pauses else None

    # Act

    def _act(self, runnable: Sequence[tuple[Standing, Step]]) -> None:
        """Make a batch of steps for each account that has some."""
        batches = _by_account(runnable)
        made_before = len(self._attempts.performed)
        try:
            side_by_side(
                [partial(self._batch, account, some[:_BATCH]) for account, some in batches.items()],
                at_most=self.parallelism,
            )
        finally:  # the order does not tell who was faster
            self._attempts.performed[made_before:] = _in_order(self._attempts.performed[made_before:], batches)

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
        key = key_of_step(standing, step)
        lease = self.leases.get(_account(standing))
        state = self.journals[_account(standing)].state
        known = state.causes.get(cause) if state is not None else None
        again = isinstance(standing.decision, Act) and standing.decision.again
        attempt = 1 if known is None else known.attempt + (again or known.ended_at is not None)
        return Intent(
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
        key, outcome = key_of_step(standing, step), made.outcome
        if outcome.kind is OutcomeKind.NOT_SENT and made.error is None and self._held(step) is not None:
            return  # no call was made: the result says for what it waits
        self._attempts.performed.append(Performed(certificate=standing.name, operation=key.operation, outcome=outcome))
        text = told(key, outcome)
        self.tell(Told(at=outcome.at, certificate=standing.name, text=text, operation=key.operation, outcome=outcome))
        if self._creates.note(step, made):
            return  # no try of this step: it came too soon
        self._attempts.note(key, step, outcome)

    # Result

    def _result(self, plan: Plan) -> Result:
        failures = dict(self._attempts.failed)
        for standing in plan.standings:
            for detail in self._attempts.unknown(standing, self.journals[_account(standing)].state):
                failures[standing.name] = detail
        under_way = {
            standing.name
            for standing in plan.standings
            if standing.name not in failures and self._is_under_way(standing)
        }
        return Result(
            plan=replace(plan, standings=tuple(map(self._with_pace, plan.standings))),
            performed=tuple(self._attempts.performed),
            failures=failures,
            under_way=frozenset(under_way),
        )

    def _held(self, step: Step) -> str | None:
        return None if self._creates.free_at(step) is None else self._creates.holds(step, self.clock.now())

    def _with_pace(self, standing: Standing) -> Standing:
        """Return the standing with what holds its create back."""
        held = [why for step, _ in self._timed(standing) if (why := self._held(step)) is not None]
        return replace(standing, throttled=held[0]) if held else standing


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


def _of(tag: OrderTag) -> tuple[EnrollmentId, ChangeId]:
    return tag.enrollment_id, tag.change_id


def _order_refusal(step: SubmitOrder, book: OrderBook | None) -> str | None:
    if book is None:
        return "SCM's orders could not be read completely just before the order: nothing was sent."
    return may_order(step, book)
