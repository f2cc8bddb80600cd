"""A stage for each test: a sandbox and a repository of its own."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.faults.crash.scenarios import BY_NAME
from tests.faults.crash.stage import Stage
from tests.support.control import Control
from tests.support.program import Program, small_repository

if TYPE_CHECKING:
    from reconciler.sandbox.server import BackgroundSandbox

SetStage = Callable[[str], Stage]


@pytest.fixture
def set_stage(sandbox: "BackgroundSandbox", control: Control, tmp_path: Path) -> SetStage:
    """Return a function that prepares a scenario, by its name, up to the run that is struck."""

    def prepared(scenario: str) -> Stage:
        repository = small_repository(tmp_path / "repository")
        program = Program(repository=repository, environment=sandbox.environment)
        stage = Stage(scenario=BY_NAME[scenario], program=program, sandbox=sandbox, control=control)
        stage.prepare()
        return stage

    return prepared
