"""A fleet that is as wanted: what a look at it costs does not grow with it."""

import time
from pathlib import Path

import pytest

from tests.support.control import Control
from tests.support.program import Program

pytestmark = pytest.mark.usefixtures("no_cover")

MOST_CALLS = 12


def seed(program: Program, count: int) -> None:
    """Put `count` deployed enrollments in place, and make their files the whole repository."""
    (program.repository / "certificates" / "www.example.com.yaml").unlink()
    folder = program.repository / "certificates" / "seeded"
    seeded = program.run("sandbox", "seed", "--count", str(count), "--write", str(folder))
    assert seeded.exit_code == 0, seeded.stderr
    assert len(list(folder.glob("*.yaml"))) == count + 1  # its _defaults.yaml


def plan_calls(program: Program, control: Control) -> dict[str, int]:
    """Plan with nothing to do; return the sandbox's count of calls by operation."""
    control.delete("/calls")
    planned = program.plan()
    assert (planned.exit_code, "No changes." in planned.stdout) == (0, True), planned.stdout + planned.stderr
    counted = control.get("/calls")
    assert counted["mutating_total"] == 0
    calls: dict[str, int] = counted["calls"]
    return calls


def test_thousand_certificates_are_seeded_in_time_and_planned_in_twelve_calls(
    program: Program, control: Control
) -> None:
    began = time.monotonic()
    seed(program, 1000)
    assert time.monotonic() - began < 30
    calls = plan_calls(program, control)
    assert 0 < sum(calls.values()) <= MOST_CALLS, calls


@pytest.mark.long
def test_calls_do_not_grow_with_the_fleet(program: Program, control: Control, tmp_path: Path) -> None:
    seed(program, 50)
    few = plan_calls(program, control)
    more = program.repository / "certificates" / "more"
    assert program.run("sandbox", "seed", "--count", "2000", "--write", str(more)).exit_code == 0
    assert plan_calls(program, control) == few
