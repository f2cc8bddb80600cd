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
from typing import Any
from unittest import mock

from reconciler.services.http import Answer, Request, Transport

_LIMIT_S = 120.0  # of real time: a run that takes longer hangs

Send = Callable[[], Answer]
Intercept = Callable[[Transport, Request, Send], Answer]

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


def run_alone(
    directory: Path, environment: Mapping[str, str], *arguments: str, kill: tuple[int, Moment] | None = None
) -> int:
    """Run certrecon in a process of its own and return its exit code; a signal's number, negative, if it died of one.

    Args:
        directory: where it runs; its output goes to `run.log` beside it.
        environment: variables that are set for it.
        kill: the mutating call (from 1) at which it is killed, and when; None lets it live.
    """
    said = directory.with_name("run.log")
    process = _PROCESSES.Process(target=_run, args=(directory, dict(environment), list(arguments), kill, said))
    with _without_coverage():
        process.start()
    process.join(_LIMIT_S)
    try:
        assert process.exitcode is not None, f"it hangs: {said.read_text()}"
        return process.exitcode
    finally:
        process.kill()
        process.join()
        process.close()


@contextlib.contextmanager
def _without_coverage() -> Iterator[None]:
    """Hide coverage's variables from the first process: what is killed could not save what it measured."""
    hidden = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_PROCESS")}
    with mock.patch.dict(os.environ, hidden, clear=True):
        yield


def _run(
    directory: Path, environment: dict[str, str], arguments: list[str], kill: tuple[int, Moment] | None, said: Path
) -> None:
    from reconciler.cli.main import main

    os.environ.update(environment)
    os.chdir(directory)
    struck = contextlib.nullcontext() if kill is None else intercepted(at_call(kill[0], _killer(kill[1])))
    with said.open("a", buffering=1) as out, contextlib.redirect_stdout(out), contextlib.redirect_stderr(out), struck:
        code = main(arguments)
    raise SystemExit(code)


def _killer(moment: Moment) -> Intercept:
    def die(_transport: Transport, _request: Request, send: Send) -> Any:
        if moment is Moment.AFTER:
            send()
        os.kill(os.getpid(), signal.SIGKILL)

    return die
