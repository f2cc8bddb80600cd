"""A stage for each test: a sandbox and a repository of its own."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.faults.crash.scenarios import BY_NAME
from tests.faults.crash.stage import Stage
from tests.support.control import Control
from tests.support.locks import bare_remote
from tests.support.program import Program, small_repository

if TYPE_CHECKING:
    from reconciler.sandbox.server import BackgroundSandbox

SetStage = Callable[..., Stage]


@pytest.fixture(autouse=True)
def _unmeasured(no_cover: None) -> None:
    pass


@pytest.fixture
def set_stage(sandbox: "BackgroundSandbox", control: Control, tmp_path: Path) -> SetStage:
    """Return a function that prepares a scenario, by its name, up to the run that is struck.

    `git=True`: lock and journal are on a remote, a bare repository of this machine; else in a folder. What a run that
    died may still have sent settles after 1.2 times `ttl`, in real time, and so does its lock on a remote.
    """

    def prepared(scenario: str, *, git: bool = False, ttl: str = "2s") -> Stage:
        repository = small_repository(tmp_path / "repository")
        remote = bare_remote(tmp_path / "remote.git") if git else None
        configure_lock(repository, remote, ttl)
        environment = sandbox.environment | {"CERTRECON_CACHE_DIR": str(tmp_path / "cache")}
        program = Program(repository=repository, environment=environment)
        stage = Stage(scenario=BY_NAME[scenario], program=program, sandbox=sandbox, control=control, remote=remote)
        stage.prepare()
        return stage

    return prepared


def configure_lock(repository: Path, remote: Path | None, ttl: str) -> None:
    configuration = repository / "certrecon.yaml"
    written = configuration.read_text()
    assert "{backend: file, ttl: 2s}" in written
    place = "backend: file" if remote is None else f"backend: git, remote: '{remote}'"
    configuration.write_text(written.replace("{backend: file, ttl: 2s}", f"{{{place}, ttl: {ttl}}}"))
