"""Every push of lock and journal, struck at each of its moments: run again, and there is one of everything.

Who was killed has left its lock behind; the next run waits until that has expired.
"""

import signal
from collections.abc import Callable
from functools import partial

import pytest

from reconciler.errors import ExitCode
from tests.faults.crash.conftest import SetStage
from tests.faults.crash.matrix import QUICK_PUSH_KILLS, PushKill, push_kills
from tests.faults.crash.scenarios import PUSHES, recorded
from tests.support.cells import CELL
from tests.support.crash import Moment
from tests.support.pushes import PushKind, struck_at_heartbeat, struck_at_push

CELLS = tuple(push_kills())


def marks(kill: PushKill) -> tuple[pytest.MarkDecorator, ...]:
    return () if str(kill) in QUICK_PUSH_KILLS else (pytest.mark.long,)


def test_each_of_the_quick_kills_is_one_of_the_matrix() -> None:
    assert {str(kill) for kill in CELLS} >= QUICK_PUSH_KILLS


@pytest.mark.parametrize("kill", [pytest.param(kill, id=str(kill), marks=marks(kill)) for kill in CELLS])
def test_a_run_that_is_struck_at_a_push_leaves_one_of_everything(
    kill: PushKill, set_stage: SetStage, record_property: Callable[[str, object], None]
) -> None:
    record_property(CELL, "push kill")
    stage = set_stage(kill.scenario, git=True)
    before = stage.appends()
    strike = struck_at_heartbeat if kill.heartbeat else struck_at_push
    code = stage.run_struck(partial(strike, kill.nth, kill.moment))
    assert code == (ExitCode.DONE if kill.moment is Moment.LOST else -signal.SIGKILL)
    if not kill.heartbeat and kill.moment is not Moment.LOST:
        assert stage.appends() - before == appends_until(kill)
    stage.check_the_end(stage.run_until_done())


def appends_until(kill: PushKill) -> int:
    """Return how many appends have reached the remote when a run dies."""
    arrived = recorded(PUSHES)[kill.scenario][: kill.nth - (kill.moment is Moment.BEFORE)]
    return sum(push != PushKind.RELEASE for push in arrived)
