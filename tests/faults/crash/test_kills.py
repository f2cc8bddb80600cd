"""Every mutating call of every scenario, struck at each of its moments: run again, and there is one of everything."""

import signal
from collections.abc import Callable
from functools import partial

import pytest

from tests.faults.crash.conftest import SetStage
from tests.faults.crash.matrix import Kill, kills
from tests.faults.crash.scenarios import BY_NAME
from tests.support.cells import CELL
from tests.support.crash import Moment, killed_at_call


def marks(kill: Kill) -> tuple[pytest.MarkDecorator, ...]:
    return () if BY_NAME[kill.call.scenario].quick else (pytest.mark.long,)


@pytest.mark.parametrize("kill", [pytest.param(kill, id=str(kill), marks=marks(kill)) for kill in kills()])
def test_a_run_that_is_struck_at_a_call_leaves_one_of_everything(
    kill: Kill, set_stage: SetStage, record_property: Callable[[str, object], None]
) -> None:
    record_property(CELL, "kill")
    stage = set_stage(kill.call.scenario)
    if kill.moment is Moment.LOST:
        stage.control.post("/faults", {"operation": kill.call.operation, "nth": kill.call.time, "kind": "lose-answer"})
        assert "Traceback" not in stage.run().stderr
        assert stage.fault_struck()
    else:
        assert stage.run_struck(partial(killed_at_call, kill.call.nth, kill.moment)) == -signal.SIGKILL
        assert stage.mutating_calls() == (kill.call.nth if kill.moment is Moment.AFTER else kill.call.nth - 1)
    stage.check_the_end(stage.run_until_done())
