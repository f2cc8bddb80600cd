"""Several accounts in one run: looked at and worked on side by side, told in a fixed order."""

import dataclasses
import threading
from collections.abc import Callable, Iterable
from typing import Any

import pytest

from reconciler.errors import LockLostError
from reconciler.execution.executor import Executor
from reconciler.execution.journal import RunJournal
from reconciler.execution.observe import Observer
from reconciler.execution.perform import Services
from reconciler.execution.run import Performed, UnderWay
from reconciler.model.certificate import AccountName, CertificateName, ChangeId, DesiredCertificate
from reconciler.model.entry import CauseId, Intent, Outcome
from reconciler.model.reading import Reading
from reconciler.planning.case import Context
from reconciler.planning.observed import Observed
from reconciler.planning.plan import Plan, Standing
from reconciler.planning.steps import Act, ActionKind, CancelChange, Decision, Done, Phase
from tests.support.certs import desired
from tests.support.live import standing
from tests.support.looks import ENROLLMENT, NOW, account_view, context, instance_view

EMEA, MAIN = AccountName("emea"), AccountName("main")


class StandingClock:
    def now(self) -> Any:
        return NOW

    def sleep(self, duration: Any) -> None:
        raise AssertionError(duration)


class FakeCps:
    """An account that shows nothing; each call does what the test says first."""

    def __init__(self, before: Callable[[], object]) -> None:
        self._before = before

    def contracts(self) -> Reading[frozenset[Any]]:
        self._before()
        return Reading(values=frozenset())

    def enrollments(self, _: object, **_options: object) -> Reading[tuple[Any, ...]]:
        return Reading(values=())

    def served(self, _: object) -> Reading[dict[Any, Any]]:
        return Reading(values={})

    def cancel_change(self, *_: object) -> None:
        self._before()


class FakeScm:
    def orders(self) -> Reading[tuple[Any, ...]]:
        return Reading(values=())

    organizations = profiles = orders


class KeptJournal(RunJournal):
    """Keeps what was recorded."""

    def __init__(self) -> None:
        self.intents: list[Intent] = []
        self.outcomes: list[Outcome] = []

    def intend(self, intents: tuple[Intent, ...]) -> None:
        self.intents += intents

    def record(self, outcomes: tuple[Outcome, ...]) -> None:
        self.outcomes += outcomes


class LostLease:
    epoch = 1

    def confirm(self) -> None:
        raise LockLostError("lock: another run has it.")

    def release(self) -> None:
        """Nothing is held."""


def certificate(account: AccountName) -> DesiredCertificate:
    made = desired(f"{account}.example.com")
    return dataclasses.replace(
        made,
        name=CertificateName(account),
        enrollment=dataclasses.replace(made.enrollment, account=account),
    )


def to_cancel(account: AccountName) -> Act:
    step = CancelChange(account=account, enrollment_id=ENROLLMENT, change_id=ChangeId(1))
    return Act(
        phase=Phase.PRODUCTION,
        kind=ActionKind.CANCEL,
        cause=CauseId(account),
        steps=(step,),
        reason="cancel-declared",
        text="the file cancels it",
    )


class Deciding:
    """Cancels a change of each account, once."""

    def __init__(self) -> None:
        self.looks = 0

    def __call__(self, observed: Observed, *_: object) -> tuple[Plan, Context]:
        self.looks += 1
        standings = [self._standing(account) for account in (MAIN, EMEA)]  # the most urgent first
        plan = Plan(at=observed.at, standings=tuple(standings), problems=(), unread=())
        return plan, dataclasses.replace(context(account_view(), instance_view()), observed=observed)

    def _standing(self, account: AccountName) -> Standing:
        decision: Decision = to_cancel(account) if self.looks == 1 else Done()
        template = standing(context(account_view(), instance_view()), desired())
        return dataclasses.replace(template, desired=certificate(account), decision=decision, phase=Phase.PRODUCTION)


def executor(cps: dict[AccountName, FakeCps], *, parallelism: int, **fields: Any) -> Executor:
    certificates = [certificate(account) for account in cps]
    of_accounts: Any = cps
    scm: Any = {certificates[0].order.instance: FakeScm()}
    services = Services(cps=of_accounts, scm=scm)
    return Executor(
        observer=Observer(services=services, clock=StandingClock(), parallelism=parallelism),
        clock=StandingClock(),
        certificates=certificates,
        decide=Deciding(),
        interest=lambda _: lambda *_: False,
        journals=fields.pop("journals", None) or {account: KeptJournal() for account in cps},
        parallelism=parallelism,
        **fields,
    )


def meeting() -> Callable[[], object]:
    """Return what lets two calls through only together."""
    return threading.Barrier(2, timeout=10).wait


def accounts_of(performed: Iterable[Performed]) -> list[str]:
    return [one.certificate for one in performed]


def test_two_accounts_are_looked_at_and_worked_on_side_by_side() -> None:
    meet = meeting()
    run = executor({EMEA: FakeCps(meet), MAIN: FakeCps(meet)}, parallelism=2)
    assert accounts_of(run.converge().performed) == [MAIN, EMEA]


def test_steps_are_told_as_they_are_made_and_reported_in_the_order_of_urgency() -> None:
    emea_is_done = threading.Event()
    told: list[str | None] = []

    def tell(one: Any) -> None:
        if one.outcome is None:
            return  # it is begun
        told.append(one.certificate)
        if one.certificate == EMEA:
            emea_is_done.set()

    calls = iter(range(10))

    def main_is_slow() -> None:
        assert next(calls) != 1 or emea_is_done.wait(10)  # the first call is the look's, the second the step

    run = executor({EMEA: FakeCps(lambda: None), MAIN: FakeCps(main_is_slow)}, parallelism=2, tell=tell)
    assert accounts_of(run.converge().performed) == [MAIN, EMEA]
    assert told == [EMEA, MAIN]


@pytest.mark.parametrize(("parallelism", "emea_acted"), [(2, 1), (1, 0)])
def test_a_lost_lock_ends_the_run_and_the_work_of_the_others_is_written_down(parallelism: int, emea_acted: int) -> None:
    """With one at a time the other account is not even begun."""
    journals = {EMEA: KeptJournal(), MAIN: KeptJournal()}
    run = executor(
        {EMEA: FakeCps(lambda: None), MAIN: FakeCps(lambda: None)},
        parallelism=parallelism,
        journals=journals,
        leases={MAIN: LostLease()},
    )
    with pytest.raises(LockLostError):
        run.converge()
    assert (len(journals[EMEA].intents), len(journals[EMEA].outcomes)) == (emea_acted, emea_acted)
    assert journals[MAIN].outcomes == []


def test_who_watches_is_told_what_is_under_way_before_each_round() -> None:
    seen: list[UnderWay] = []
    run = executor({EMEA: FakeCps(lambda: None), MAIN: FakeCps(lambda: None)}, parallelism=1, watch=seen.append)
    run.converge()
    assert seen == [UnderWay(at=NOW, phases={Phase.PRODUCTION: 2}, next_look=None)]
