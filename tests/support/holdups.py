"""Runs that stand still at a chosen point: until a file says that they may go on, or stopped by the machine."""

import contextlib
import enum
import itertools
import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest import mock

from reconciler.execution.durable import DurableJournal
from reconciler.services import permit
from reconciler.services.caller import Caller
from reconciler.services.http import Answer, Request, Transport
from tests.support.crash import Intercept, Send, at_call, intercepted

_LIMIT_S = 60.0


def wait_for(done: Callable[[], bool]) -> None:
    """Wait, in real time, until something is so."""
    give_up = time.monotonic() + _LIMIT_S
    while not done():
        assert time.monotonic() < give_up, "it does not come about"
        time.sleep(0.02)  # noqa: TID251 - processes run in real time


@contextlib.contextmanager
def held_at_call(nth: int, until: Path) -> Iterator[None]:
    """Hold this process up at its `nth` mutating call (from 1) until a file is there."""

    def hold(_transport: Transport, _request: Request, send: Send) -> Answer:
        wait_for(until.exists)
        return send()

    with intercepted(at_call(nth, hold)):
        yield


class Point(enum.StrEnum):
    """Where a run may be stopped on the way from its decision to the wire."""

    INTENT = "before its intent"
    LIMITS = "while the call waits for the limits of the service"
    SENDING = "after the last check"  # the residue of the design (safety 2): nothing can be asked later than this


@contextlib.contextmanager
def frozen_at(point: Point, nth: int, frozen: Path) -> Iterator[None]:
    """Stop this process, as SIGSTOP from outside would, on its way to its `nth` mutating call (from 1).

    The file `frozen` is made first. Who is continued goes on from there. Each call is to have an intent of its own.
    """

    def freeze() -> None:
        frozen.touch()
        os.kill(os.getpid(), signal.SIGSTOP)

    inside = {
        Point.INTENT: lambda: _before(DurableJournal, "intend", nth, freeze),
        Point.LIMITS: lambda: _before(Caller, "_attempt", nth, freeze),
        Point.SENDING: lambda: intercepted(at_call(nth, _after_check(freeze))),
    }
    with inside[point]():
        yield


@contextlib.contextmanager
def _before(owner: type, name: str, nth: int, act: Callable[[], None]) -> Iterator[None]:
    """Have `act` done before the `nth` call of a method."""
    method, made = getattr(owner, name), itertools.count(1)

    def acting(self: Any, *arguments: Any, **options: Any) -> Any:
        if next(made) == nth:
            act()
        return method(self, *arguments, **options)

    with mock.patch.object(owner, name, acting):
        yield


def _after_check(act: Callable[[], None]) -> Intercept:
    ask = permit.ask

    def check_and_act() -> None:
        ask()
        act()

    def send_late(_transport: Transport, _request: Request, send: Send) -> Answer:
        with mock.patch.object(permit, "ask", check_and_act):
            return send()

    return send_late
