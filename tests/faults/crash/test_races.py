"""`apply` against `apply`, on one remote: started together, killed, stopped by the machine and woken too late."""

import signal
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import pytest

from reconciler.errors import ExitCode
from tests.faults.crash.conftest import SetStage
from tests.faults.crash.scenarios import CALLS, recorded
from tests.faults.crash.stage import PATIENT, Stage
from tests.support.crash import Alone, Moment, killed_at_call
from tests.support.holdups import Point, frozen_at, held_at_call, wait_for
from tests.support.locks import git

SCENARIO = "create DV"
CREATE, ORDER = 1, 2  # of its mutating calls


@pytest.fixture
def stage(set_stage: SetStage) -> Stage:
    return set_stage(SCENARIO, git=True)


@pytest.fixture
def frozen(stage: Stage, tmp_path: Path) -> Iterator["Frozen"]:
    with ExitStack() as stack:
        yield Frozen(stage, tmp_path / "frozen", stack)


class Frozen:
    """A holder of the lock that the machine has stopped, and that goes on when it is told."""

    def __init__(self, stage: Stage, marker: Path, stack: ExitStack) -> None:
        self._stage = stage
        self._marker = marker
        self._stack = stack

    def at(self, point: Point, nth: int) -> Alone:
        holder = self._stack.enter_context(self._stage.begin(inside=partial(frozen_at, point, nth, self._marker)))
        wait_for(lambda: self._marker.exists() or not holder.running)
        assert holder.running, holder.said
        return holder


def refs(stage: Stage) -> str:
    assert stage.remote is not None
    return git(stage.remote, "for-each-ref")


@pytest.mark.parametrize("count", [2, pytest.param(10, marks=pytest.mark.long)])
def test_of_applies_started_together_one_works_and_the_others_exit_6(stage: Stage, tmp_path: Path, count: int) -> None:
    others_have_ended = tmp_path / "go on"
    with ExitStack() as stack:
        inside = partial(held_at_call, CREATE, others_have_ended)
        running = [stack.enter_context(stage.begin(inside=inside, log=f"{number}.log")) for number in range(count)]
        wait_for(lambda: sum(one.running for one in running) == 1)
        (winner,) = (one for one in running if one.running)
        assert {one.wait() for one in running if one is not winner} == {ExitCode.LOCKED}
        others_have_ended.touch()
        assert winner.wait() == ExitCode.DONE, winner.said
    assert stage.mutating_calls() == len(recorded(CALLS)[SCENARIO])
    stage.check_the_end([stage.run()])


def test_a_killed_holder_is_replaced_when_its_lock_has_expired_and_nothing_is_ordered_twice(
    set_stage: SetStage,
) -> None:
    stage = set_stage(SCENARIO, git=True, ttl="5s")  # a busy machine is not to let the living ones lose it
    assert stage.run_struck(partial(killed_at_call, ORDER, Moment.AFTER)) == -signal.SIGKILL
    with stage.begin(log="patient.log") as impatient:
        assert impatient.wait() == ExitCode.LOCKED
    assert "is locked by" in impatient.said
    with ExitStack() as stack:
        waiting = [stack.enter_context(stage.begin(*PATIENT, log=f"{number}.log")) for number in range(2)]
        assert {one.wait() for one in waiting} == {ExitCode.DONE}
    stage.check_the_end([stage.run()])


@pytest.mark.parametrize(
    ("point", "nth"),
    [
        (Point.LIMITS, ORDER),
        pytest.param(Point.LIMITS, CREATE, marks=pytest.mark.long),
        pytest.param(Point.INTENT, ORDER, marks=pytest.mark.long),
        pytest.param(Point.INTENT, CREATE, marks=pytest.mark.long),
    ],
)
def test_a_holder_that_wakes_too_late_writes_no_intent_and_sends_nothing(
    stage: Stage, frozen: Frozen, point: Point, nth: int
) -> None:
    holder = frozen.at(point, nth)
    finished = stage.run_until_done()
    before = (refs(stage), stage.mutating_calls())
    holder.send_signal(signal.SIGCONT)
    assert holder.wait() == ExitCode.LOCKED, holder.said
    assert "lock: " in holder.said
    assert (refs(stage), stage.mutating_calls()) == before
    stage.check_the_end(finished)


def test_an_order_that_leaves_too_late_is_found_and_named_and_not_placed_again(stage: Stage, frozen: Frozen) -> None:
    """The residue: the machine stopped the holder after the last check, and another ordered in its place."""
    holder = frozen.at(Point.SENDING, ORDER)
    assert stage.run_until_done()[-1].exit_code == ExitCode.DONE
    wake(holder)
    check_two_orders(stage)
    stage.control.post("/advance", {"by": "1h"})  # it is issued
    stage.control.post("/scm/revoke", {"ssl_id": 5002})
    assert stage.run().exit_code == ExitCode.DONE


@pytest.mark.long
def test_an_order_that_leaves_too_late_while_the_other_waits_stops_the_change(stage: Stage, frozen: Frozen) -> None:
    stage.control.post("/options", {"issue_dv_s": 360_000})
    holder = frozen.at(Point.SENDING, ORDER)
    assert stage.program.apply(*PATIENT, wait="1h").exit_code == ExitCode.UNDER_WAY
    wake(holder)
    check_two_orders(stage)
    stage.control.post("/scm/reject", {"ssl_id": 5002})
    stage.control.post("/scm/issue", {"ssl_id": 5001})
    assert stage.run_until_done()[-1].exit_code == ExitCode.DONE


@pytest.mark.long
def test_a_create_that_leaves_too_late_makes_no_second_enrollment(stage: Stage, frozen: Frozen) -> None:
    """CPS takes one enrollment for a common name: the late one is refused with 409."""
    holder = frozen.at(Point.SENDING, CREATE)
    finished = stage.run_until_done()
    wake(holder)
    assert "Duplicate common name" in holder.said
    stage.check_the_end(finished)


def wake(holder: Alone) -> None:
    """Let a holder go on that sends what another has sent since, and check that it knows its lock as lost."""
    holder.send_signal(signal.SIGCONT)
    assert holder.wait() == ExitCode.LOCKED, holder.said


def check_two_orders(stage: Stage) -> None:
    """Check that each further run names the two orders and fails, and that none places a third."""
    calls, text = stage.mutating_calls(), "orders 5001, 5002 hold one key: decline or revoke 5002 in SCM"
    assert sorted(stage.sandbox.scm.state.orders) == [5001, 5002]
    for _ in range(2):
        told = stage.run()
        assert (told.exit_code, text in told.stdout) == (ExitCode.ERROR, True), told.stdout
    assert stage.mutating_calls() == calls
