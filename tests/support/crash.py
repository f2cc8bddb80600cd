"""Runs of `certrecon apply` that are struck at one mutating call: seen, killed there, or disturbed.

The package knows nothing of this: `Transport.send`, through which every call to a service goes, is replaced from
outside. A run that is killed is a process of its own, and dies of SIGKILL: nothing is cleaned up, nothing is written.
"""

import contextlib
import enum
import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NoReturn
from unittest import mock

from reconciler.errors import JournalError, OutcomeUnknownError
from reconciler.execution.filestore import FileStore
from reconciler.execution.store import JournalWrite, Versions
from reconciler.services.http import Answer, Request, Transport

_LIMIT_S = 120.0  # of real time: a run that takes longer hangs

Send = Callable[[], Answer]
Intercept = Callable[[Transport, Request, Send], Answer]
Surroundings = Callable[[], contextlib.AbstractContextManager[object]]  # of a module or a `partial`: it is pickled

# The process that all runs are forked from has imported the program once; it has no threads, and opens nothing.
_PROCESSES = multiprocessing.get_context("forkserver")
_PROCESSES.set_forkserver_preload(
    [
        "tests.support.crash",
        "reconciler.cli.main",
        "reconciler.wiring",
        "reconciler.app.apply",
        "reconciler.report.text",
        "reconciler.report.jsonout",
        "reconciler.execution.gitrefs",
        "tests.support.holdups",
        "tests.support.pushes",
    ]
)


class Moment(enum.StrEnum):
    """When a call is struck."""

    BEFORE = "killed before sending"
    LOST = "answer lost after acting"
    AFTER = "killed after the answer"


@contextlib.contextmanager
def intercepted(intercept: Intercept) -> Iterator[None]:
    """Let `intercept` make, or not make, each call that changes something."""
    send = Transport.send

    def watched(self: Transport, request: Request) -> Answer:
        return intercept(self, request, lambda: send(self, request)) if request.mutates else send(self, request)

    with mock.patch.object(Transport, "send", watched):
        yield


def at_call(nth: int, act: Intercept) -> Intercept:
    """Return what does `act` in place of the `nth` mutating call (from 1), and only makes all others."""
    made = 0

    def intercept(transport: Transport, request: Request, send: Send) -> Answer:
        nonlocal made
        made += 1
        return act(transport, request, send) if made == nth else send()

    return intercept


class Killed(BaseException):
    """A run in this process has died; no `except Exception` hears of it."""


@contextlib.contextmanager
def dying(nth: int, moment: Moment) -> Iterator[None]:
    """Let the run inside the block die at its `nth` mutating call (from 1), in this process and so a hundred times
    quicker than `run_alone`: from then on it sends nothing, and writes nothing of lock and journal.

    Where `moment` is `LOST` the run lives on, and only the answer is lost.
    """
    dead = False
    swap = FileStore.swap

    def die(transport: Transport, request: Request, send: Send) -> Answer:
        nonlocal dead
        if moment is not Moment.BEFORE:
            send()
        if moment is Moment.LOST:
            raise OutcomeUnknownError(transport.service, request.operation, "the answer was lost on its way.")
        dead = True
        raise Killed

    def written(self: FileStore, before: Versions, lock: str, journal: JournalWrite | None) -> Versions:
        if dead:
            raise JournalError("the run is dead.")
        return swap(self, before, lock, journal)

    act = at_call(nth, die)

    def intercept(transport: Transport, request: Request, send: Send) -> Answer:
        if dead:
            raise Killed
        return act(transport, request, send)

    with intercepted(intercept), mock.patch.object(FileStore, "swap", written), contextlib.suppress(Killed):
        yield


class Alone:
    """certrecon in a process of its own, from the moment it begins. Leaving the `with` ends it, if it still runs.

    `inside` makes what it runs in: something that strikes it, or nothing. What it says goes to a file beside
    `directory`.
    """

    def __init__(
        self,
        directory: Path,
        environment: Mapping[str, str],
        *arguments: str,
        inside: Surroundings = contextlib.nullcontext,
        log: str = "run.log",
    ) -> None:
        self._log = directory.with_name(log)
        self._log.touch()
        self._process = _PROCESSES.Process(
            target=_run, args=(directory, dict(environment), list(arguments), inside, self._log)
        )
        with _without_coverage():
            self._process.start()

    @property
    def said(self) -> str:
        """What it, and those before it with the same log, have said so far."""
        return self._log.read_text()

    @property
    def running(self) -> bool:
        return self._process.exitcode is None

    def send_signal(self, number: signal.Signals) -> None:
        assert self._process.pid is not None
        os.kill(self._process.pid, number)

    def wait(self) -> int:
        """Return its exit code; a signal's number, negative, if it died of one."""
        self._process.join(_LIMIT_S)
        assert self._process.exitcode is not None, f"it hangs: {self.said}"
        return self._process.exitcode

    def __enter__(self) -> "Alone":
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.join()
        self._process.close()


@contextlib.contextmanager
def _without_coverage() -> Iterator[None]:
    """Hide coverage's variables from the first process: what is killed could not save what it measured."""
    hidden = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_PROCESS")}
    with mock.patch.dict(os.environ, hidden, clear=True):
        yield


def _run(directory: Path, environment: dict[str, str], arguments: list[str], inside: Surroundings, log: Path) -> None:
    from reconciler.cli.main import main

    os.environ.update(environment)
    os.chdir(directory)
    with log.open("a", buffering=1) as out, contextlib.redirect_stdout(out), contextlib.redirect_stderr(out), inside():
        code = main(arguments)
    raise SystemExit(code)


@contextlib.contextmanager
def killed_at_call(nth: int, moment: Moment) -> Iterator[None]:
    """Kill this process at its `nth` mutating call (from 1)."""

    def strike(_transport: Transport, _request: Request, send: Send) -> Any:
        if moment is Moment.AFTER:
            send()
        die()

    with intercepted(at_call(nth, strike)):
        yield


def die() -> NoReturn:
    """End this process as `kill -9` and a power cut do: nothing is cleaned up, nothing is written."""
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError("SIGKILL cannot be survived")
