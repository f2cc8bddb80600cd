"""A long story that nobody has written: files, time, crashes, portals, approvers, two runners, in any order.

After each step the referee checks what must hold at any time. At the end the faults stop and people do their part:
then a few runs bring everything to what the files ask for, and a further run has nothing to do.
"""

import contextlib
import json
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING
from unittest import mock

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test

from reconciler.sandbox.scm.state import Status
from reconciler.services.http import Answer, Request, Transport
from tests.support.crash import Moment, Send, at_call, dying, intercepted
from tests.support.estate import DOMAINS, PORTAL_USER, Ask, Estate
from tests.support.program import Finished, Program, small_repository
from tests.support.referee import Referee
from tests.support.standing import standing_sandbox

if TYPE_CHECKING:
    from reconciler.sandbox.app import SandboxState

MakeState = Callable[..., "SandboxState"]
_SLOW = HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much
_FEW = settings(
    max_examples=3,
    stateful_step_count=9,
    derandomize=True,
    deadline=None,
    suppress_health_check=_SLOW,
    phases=(Phase.explicit, Phase.generate),
)
_MANY = settings(max_examples=150, stateful_step_count=25, deadline=None, suppress_health_check=_SLOW)

SEEDED = 2
NEW = ("shop.example.com", "api.example.net", "www.example.org")
FURTHER = ("img.example.com", "img.example.net")
ROUNDS = 8  # of apply, an hour apart, after the faults have stopped

PLACES = st.integers(0, 4)
WAITS = st.sampled_from(("0s", "1h", "48h"))
# What deploys and approves in minutes needs fewer looks; the order of things is the same.
QUICK = {"approval_s": 1800.0, "staging_s": 300.0, "production_s": 600.0}


def quick_machine(make_state: MakeState) -> type["Machine"]:
    """Return the machine over worlds that `make_state` makes."""

    class OverWorlds(Machine):
        make_world = staticmethod(make_state)

    return OverWorlds


class Machine(RuleBasedStateMachine):
    """`held`: the certificates that a person has brought to a halt, and that may wait for `--retry`."""

    make_world: MakeState

    def __init__(self) -> None:
        super().__init__()
        self.stack = contextlib.ExitStack()
        self.estate = self.stack.enter_context(_estate(type(self).make_world))
        self.referee = Referee(estate=self.estate)
        self.held: set[str] = set()
        self.plan_file: Path | None = None
        self.planned: dict[str, Ask] = {}
        self.sound = True

    # Steps

    def _step(self, act: Callable[[], object]) -> None:
        """Do one step, and check; a machine that has failed does not go on to its end."""
        self.sound = False
        act()
        self.referee.look()
        self.sound = True

    def _name(self, place: int) -> str:
        names = sorted(self.estate.asks)
        return names[place % len(names)]

    def _apply(self, *arguments: str, wait: str = "0s", retry: tuple[str, ...] = ()) -> Finished:
        self.referee.asked(retry=retry)
        finished = self.estate.apply(*arguments, wait=wait, retry=retry)
        self.referee.check_run(finished)
        return finished

    @initialize()
    def begin(self) -> None:
        self.estate.seed(SEEDED)
        self.referee.begin()

    # Git

    @rule(place=PLACES, further=st.sets(st.sampled_from(FURTHER)), ecdsa=st.booleans(), stapling=st.booleans())
    def edit(self, place: int, further: set[str], ecdsa: bool, stapling: bool) -> None:
        ask = Ask(common_name=self._name(place), further=frozenset(further), ecdsa=ecdsa, stapling=stapling)
        self._step(partial(self.estate.ask, ask))

    @rule(place=PLACES, declared=st.sampled_from(("absent", "cancel", "revoke", "")))
    def declare(self, place: int, declared: str) -> None:
        """Ask for what the budgets refuse, or ask for it no more."""
        ask = self.estate.asks[self._name(place)]
        declared_ask = Ask(
            common_name=ask.common_name,
            further=ask.further,
            ecdsa=ask.ecdsa,
            stapling=ask.stapling,
            declared=declared,
        )
        self._step(partial(self.estate.ask, declared_ask))

    @rule(name=st.sampled_from(NEW), ecdsa=st.booleans())
    def add_file(self, name: str, ecdsa: bool) -> None:
        self._step(lambda: self.estate.ask(Ask(common_name=name, ecdsa=ecdsa)))

    @precondition(lambda self: len(self.estate.asks) > 1)
    @rule(place=PLACES)
    def remove_file(self, place: int) -> None:
        self._step(lambda: self.estate.forget(self._name(place)))

    # Time

    @rule(days=st.sampled_from((0.05, 0.3, 2.0, 20.0, 45.0, 120.0)))
    def advance(self, days: float) -> None:
        self._step(lambda: self.estate.sandbox.advance(days=days))

    # Runs

    @rule(wait=WAITS)
    def apply(self, wait: str) -> None:
        self._step(lambda: self._apply(wait=wait))

    @rule(place=PLACES, wait=WAITS)
    def retry(self, place: int, wait: str) -> None:
        self._step(lambda: self._apply(wait=wait, retry=(self._name(place),)))

    @rule(nth=st.integers(1, 5), moment=st.sampled_from(Moment), wait=WAITS)
    def crash(self, nth: int, moment: Moment, wait: str) -> None:
        def run() -> None:
            self.referee.asked()
            with dying(nth, moment):
                self.estate.apply(wait=wait)

        self._step(run)

    @rule(nth=st.integers(1, 3), wait=WAITS)
    def two_runners(self, nth: int, wait: str) -> None:
        """A second run starts while the first has the lock: it does nothing, and says so."""

        def meet(_transport: Transport, _request: Request, send: Send) -> Answer:
            before = self._changed()
            rival = self.estate.apply(wait="1h")
            assert (rival.exit_code, self._changed()) == (6, before), rival.stdout + rival.stderr
            return send()

        def run() -> None:
            with intercepted(at_call(nth, meet)):
                self._apply(wait=wait)

        self._step(run)

    @rule(command=st.sampled_from((("plan",), ("status",), ("status", "--format", "json"))))
    def read(self, command: tuple[str, ...]) -> None:
        def run() -> None:
            before = self._changed()
            finished = self.estate.program.run(*command)
            assert finished.exit_code in (0, 1, 4), finished.stdout + finished.stderr
            assert self._changed() == before

        self._step(run)

    def _changed(self) -> int:
        return self.estate.sandbox.sandbox.gate.mutating_calls.total()

    # Approval by plan files

    @rule()
    def plan(self) -> None:
        """Keep a plan, to be approved; the world may go on before it is applied."""

        def run() -> None:
            path = self.estate.program.repository / "approved.json"
            self.estate.program.run("plan", "--output", f"json={path}")
            self.plan_file, self.planned = path, dict(self.estate.asks)

        self._step(run)

    @precondition(lambda self: self.plan_file is not None)
    @rule(wait=WAITS)
    def apply_the_plan(self, wait: str) -> None:
        """What the approved plan does not show, or the file asks for only since, does not begin."""

        def run() -> None:
            unapproved = self._unapproved()
            before = {name: self._opened(name) for name in unapproved}
            self.estate.approve_by_plan(wanted=True)
            self._apply(str(self.plan_file), wait=wait)
            self.estate.approve_by_plan(wanted=False)
            for name in unapproved:
                assert self._opened(name) == before[name] or self.referee.due(name), f"nobody approved work on {name}"

        self._step(run)

    def _unapproved(self) -> list[str]:
        assert self.plan_file is not None
        rows = json.loads(self.plan_file.read_text())["certificates"]
        shown = {row["common_name"] for row in rows if row["action"] is not None}
        return [
            name
            for name, ask in self.estate.asks.items()
            if self.estate.change(name) is None and (name not in shown or self.planned.get(name) != ask)
        ]

    def _opened(self, common_name: str) -> list[int] | None:
        """Return the changes that certrecon opened on a name; None where there is no enrollment."""
        enrollment = self.estate.enrollment(common_name)
        if enrollment is None:
            return None
        changes = self.estate.sandbox.cps.state.changes
        return [number for number in enrollment.change_ids if changes[number].created_by == "certrecon"]

    # People

    @rule(place=PLACES, name=st.sampled_from(FURTHER))
    def edit_names_in_the_portal(self, place: int, name: str) -> None:
        common_name = self._name(place)
        enrollment = self.estate.enrollment(common_name)
        if enrollment is None:
            return
        self.held.add(common_name)
        self.referee.cause(common_name, "portal")
        edit = partial(self.estate.sandbox.cps.portal.edit_names, enrollment.id, [common_name, name])
        self._step(partial(self.estate.deed, edit))

    @rule(place=PLACES)
    def open_a_renewal_in_the_portal(self, place: int) -> None:
        common_name = self._name(place)
        enrollment = self.estate.enrollment(common_name)
        if enrollment is None:
            return
        self.held.add(common_name)
        self._step(partial(self.estate.deed, partial(self.estate.sandbox.cps.portal.open_renewal, enrollment.id)))

    @rule(place=PLACES)
    def cancel_in_the_portal(self, place: int) -> None:
        common_name = self._name(place)
        enrollment = self.estate.enrollment(common_name)
        if enrollment is None or enrollment.pending is None:
            return
        self.held.add(common_name)
        self._step(partial(self.estate.deed, partial(self.estate.sandbox.cps.portal.cancel_change, enrollment.id)))

    @rule(deed=st.sampled_from(("approve", "decline", "reject", "invalidate", "issue")), newest=st.booleans())
    def decide_on_an_order(self, deed: str, newest: bool) -> None:
        waiting = self.estate.orders(Status.REQUESTED, Status.APPROVED, Status.APPLIED)
        if not waiting:
            return
        order = waiting[-1 if newest else 0]
        if deed not in ("approve", "issue"):
            self.held.add(order.common_name)
        decision = partial(getattr(self.estate.sandbox.scm.portal, deed), order.ssl_id)
        self._step(partial(self.estate.deed, decision))

    @rule(newest=st.booleans())
    def revoke(self, newest: bool) -> None:
        issued = self.estate.orders(Status.ISSUED)
        if not issued:
            return
        order = issued[-1 if newest else 0]
        self.held.add(order.common_name)
        self._step(partial(self.estate.deed, partial(self.estate.sandbox.scm.portal.revoke, order.ssl_id)))

    @rule(domain=st.sampled_from(DOMAINS))
    def expire_a_domain(self, domain: str) -> None:
        """What SCM refuses for it is tried again after an hour, or two, or four."""
        self.held.update(self.estate.asks)
        self._step(partial(self.estate.deed, partial(self.estate.sandbox.scm.portal.expire_domain, domain)))

    @rule()
    def validate_domains(self) -> None:
        self._step(self.estate.validate_everything)

    # The end

    def teardown(self) -> None:
        with self.stack:
            if self.sound:
                self._people_do_their_part()
                self._come_to_rest()
                self._check_rest()

    def _people_do_their_part(self) -> None:
        """Validate, clear away what people began in the portal, and let go of what no budget allows."""
        self.estate.validate_everything()
        for name in self.estate.asks:
            change, enrollment = self.estate.change(name), self.estate.enrollment(name)
            if change is not None and enrollment is not None and change.created_by == PORTAL_USER:
                self.estate.deed(partial(self.estate.sandbox.cps.portal.cancel_change, enrollment.id))

    def _come_to_rest(self) -> None:
        """Run until nothing is left. What is blocked was brought to a halt by a person, who lets it begin again."""
        stuck: tuple[str, ...] = ()
        for _ in range(ROUNDS):
            finished = self._run_after_a_review(stuck)
            stuck = tuple(row["name"] for row in finished.json["certificates"] if row["ending"] == "blocked")
            assert set(stuck) <= self.held, finished.stdout
            if (finished.exit_code, stuck) == (0, ()):
                return
            self.estate.sandbox.advance(hours=1)
            self.estate.validate_everything()
        pytest.fail(f"it has not come to rest after {ROUNDS} runs")

    def _run_after_a_review(self, stuck: tuple[str, ...]) -> Finished:
        self.estate.review()
        let_go = [argument for name in self.estate.asks for argument in ("--allow-adopt", name)]
        finished = self._apply(*let_go, wait="48h", retry=stuck)
        self.referee.look()
        return finished

    def _check_rest(self) -> None:
        planned = self.estate.program.plan()
        assert (planned.exit_code, "No changes." in planned.stdout) == (0, True), planned.stdout
        before = self._changed()
        assert self._apply().exit_code == 0
        assert self._changed() == before
        for ask in self.estate.asks.values():
            assert self.referee.served(ask.common_name) == (ask.names, ask.key_types), ask


@contextlib.contextmanager
def _estate(make_state: MakeState) -> Iterator[Estate]:
    """Start a world of its own. The dead of these stories send nothing any more: nobody waits for them in real time."""
    from reconciler.sandbox.app import Sandbox
    from reconciler.sandbox.keys import KeyMaker

    world = Sandbox(make_state(), keys=KeyMaker("pooled"))
    with (
        tempfile.TemporaryDirectory() as folder,
        standing_sandbox(world, Path(folder)) as sandbox,
        mock.patch("reconciler.app.apply._LIVES_OF_A_LOCK", 0.0),
    ):
        sandbox.set(**QUICK)
        repository = small_repository(Path(folder) / "repository")
        yield Estate(sandbox=sandbox, program=Program(repository=repository, environment=sandbox.environment))


def test_a_short_story_keeps_every_promise_and_ends_well(make_state: MakeState) -> None:
    run_state_machine_as_test(quick_machine(make_state), settings=_FEW)


@pytest.mark.long
def test_a_long_story_keeps_every_promise_and_ends_well(make_state: MakeState) -> None:
    run_state_machine_as_test(quick_machine(make_state), settings=_MANY)
