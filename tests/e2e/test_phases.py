"""Every phase x every kind of action: run once, what is due is done; run again, nothing is."""

import json
from collections import Counter
from collections.abc import Sequence
from itertools import product

import pytest

from reconciler.execution.durable import DurableJournal
from reconciler.planning.steps import ActionKind, Phase
from reconciler.services.limits import Limiter
from tests.support.control import Control
from tests.support.phase_stage import PhaseStage
from tests.support.phases import IMPOSSIBLE, Row, cover, rows
from tests.support.program import Program

TABLE = rows()


@pytest.fixture(autouse=True)
def unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let clients call, and the journal grow, as often as they like: each wait for a limit would move the clock."""
    monkeypatch.setattr(Limiter, "acquire", lambda *_: None)
    monkeypatch.setattr(DurableJournal, "_pace", lambda _: None)


def test_each_cell_is_played_or_said_to_be_impossible() -> None:
    played = frozenset[tuple[ActionKind, Phase]]().union(*(row.cells for row in TABLE))
    impossible = Counter(cell for one in IMPOSSIBLE for cell in one.cells)
    assert played | set(impossible) == set(product(ActionKind, Phase))
    assert played & set(impossible) == set()
    assert max(impossible.values()) == 1


def test_the_thin_cover_has_each_kind_and_each_phase() -> None:
    cells = [cell for row in cover(TABLE) for cell in row.cells]
    assert {kind for kind, _ in cells} == set(ActionKind)
    assert {phase for _, phase in cells} == set(Phase)


def test_each_kind_and_each_phase_is_served_once_and_then_left_alone(program: Program, control: Control) -> None:
    check(program, control, cover(TABLE))


@pytest.mark.long
def test_each_phase_of_each_kind_is_served_once_and_then_left_alone(program: Program, control: Control) -> None:
    check(program, control, TABLE)


def check(program: Program, control: Control, table: Sequence[Row]) -> None:
    """Bring each row to its phase; run once, which does what is due; run again, which does nothing."""
    (program.repository / "certificates" / "www.example.com.yaml").unlink()
    stage = PhaseStage(program=program, control=control, rows=table)
    stage.bring()
    assert stage.planned() == {row.name: (row.shows.phase, row.shows.due) for row in table}
    control.delete("/calls")
    first = json.loads(stage.apply().stdout)
    assert made(first) == {row.name: row.shows.calls for row in table if row.shows.calls}
    assert phases(first) == {row.name: row.then for row in table}
    assert control.get("/calls")["mutating_total"] == len(first["steps"])
    control.delete("/calls")
    second = json.loads(stage.apply().stdout)
    assert made(second) == {}
    assert phases(second) == {row.name: row.then for row in table}
    assert control.get("/calls")["mutating"] == {}
    assert {name: action for name, (_, action) in stage.planned().items() if action is not None} == {}


def made(result: dict[str, list[dict[str, str]]]) -> dict[str, tuple[str, ...]]:
    """Return the operations that a run made, by certificate."""
    names = sorted({step["certificate"] for step in result["steps"]})
    return {name: tuple(step["operation"] for step in result["steps"] if step["certificate"] == name) for name in names}


def phases(result: dict[str, list[dict[str, str]]]) -> dict[str, str]:
    return {one["name"]: one["phase"] for one in result["certificates"]}
