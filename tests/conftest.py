"""Fixtures of all tests: a sandbox of one's own, quick since all share one certificate authority and pool of primes.

What imports a server is imported in the fixtures: the tests of pure parts start without it.
"""

import fcntl
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import pytest

from reconciler.sandbox.ids import Ids, IdState
from reconciler.sandbox.keys import SHARED_POOL, KeyMaker
from tests.support.control import Control

if TYPE_CHECKING:
    from reconciler.sandbox.app import SandboxState
    from reconciler.sandbox.ca import CaState
    from reconciler.sandbox.server import BackgroundSandbox
    from tests.support.program import Program

pytest_plugins = ["tests.support.oracle", "tests.support.cells", "tests.support.told"]

START = datetime(2026, 11, 16, tzinfo=UTC)
_PRIMES = 48

MakeSandbox = Callable[..., "BackgroundSandbox"]


@pytest.fixture
def no_cover(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave a test out of the coverage (pytest-cov knows the fixture by this name), with the processes that it starts.

    For tests that run what others measure, in many processes: being measured would take them twice the time.
    """
    monkeypatch.delenv("COVERAGE_PROCESS_CONFIG", raising=False)


@pytest.fixture(scope="session")
def shared_files(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """Return a directory that all workers of this run share."""
    own = tmp_path_factory.getbasetemp()
    return own if worker_id == "master" else own.parent


@pytest.fixture(scope="session")
def ca_state(shared_files: Path) -> "CaState":
    """Return the certificate authority of this run; fill the shared pool of primes. The first worker makes both."""
    from reconciler.sandbox.ca import Authority, CaState

    ca_file, primes_file = shared_files / "ca.msgpack", shared_files / "primes.json"
    with (shared_files / "ca.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not ca_file.exists():
            SHARED_POOL.fill(_PRIMES)
            SHARED_POOL.save(primes_file)
            authority = Authority.create(ids=Ids(IdState(seed=0)), keys=KeyMaker("pooled"))
            ca_file.write_bytes(msgspec.msgpack.encode(authority.state))
        else:
            SHARED_POOL.load(primes_file)
    return msgspec.msgpack.decode(ca_file.read_bytes(), type=CaState)


@pytest.fixture
def make_state(ca_state: "CaState") -> Callable[..., "SandboxState"]:
    """Return a function that makes a fresh world: `make_state(start=..., seed=...)`."""
    from reconciler.sandbox.app import fresh_state

    def make(*, start: datetime = START, seed: int = 1) -> "SandboxState":
        return fresh_state(start=start, seed=seed, keys=KeyMaker("pooled"), ca=ca_state)

    return make


@pytest.fixture
def make_sandbox(tmp_path: Path, make_state: Callable[..., "SandboxState"]) -> Iterator[MakeSandbox]:
    """Return a function that starts a sandbox in a thread: `make_sandbox(start=..., seed=..., speed=...)`."""
    from reconciler.sandbox.app import Sandbox
    from reconciler.sandbox.server import BackgroundSandbox
    from tests.support.standing import standing_sandbox

    with ExitStack() as stack:

        def make(*, start: datetime = START, seed: int = 1, speed: float = 0.0) -> "BackgroundSandbox":
            directory = tmp_path / f"sandbox-{start:%Y%m%d}-{seed}"
            directory.mkdir()
            world = Sandbox(make_state(start=start, seed=seed), keys=KeyMaker("pooled"), speed=speed)
            serve = BackgroundSandbox if speed else standing_sandbox
            return stack.enter_context(serve(world, directory))

        yield make


@pytest.fixture
def sandbox(make_sandbox: MakeSandbox) -> "BackgroundSandbox":
    """Return a running sandbox whose clock stands at 2026-11-16T00:00Z."""
    return make_sandbox()


@pytest.fixture
def control(sandbox: "BackgroundSandbox") -> Control:
    """Return a client of the sandbox's control API."""
    return Control(sandbox.urls["control"], sandbox.urls["ca_file"])


@pytest.fixture
def program(sandbox: "BackgroundSandbox", tmp_path: Path) -> "Program":
    """Return certrecon in a repository with one short certificate file, pointed at the sandbox."""
    from tests.support.program import Program, small_repository

    return Program(
        repository=small_repository(tmp_path / "repository", "www.example.com"), environment=sandbox.environment
    )
