"""Every mutating call of every scenario meets every fault: run again, and there is one of everything.

What the service did not do may be done again; what it may have done is looked for first. `make test` plays each fault
and each operation once; the others are nightly.
"""

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from unittest import mock

import pytest

from reconciler.services.http import Answer, Request, Transport
from tests.faults.crash.conftest import SetStage
from tests.faults.crash.matrix import LOGINS, Struck, chosen, struck
from tests.faults.crash.stage import Stage
from tests.support.cells import CELL
from tests.support.crash import Intercept, Send, at_call, intercepted

CELLS = struck()
QUICK = chosen(CELLS)
PARAMETERS = [pytest.param(cell, id=str(cell), marks=() if str(cell) in QUICK else pytest.mark.long) for cell in CELLS]


@pytest.mark.parametrize("cell", PARAMETERS)
def test_a_fault_at_a_call_leaves_one_of_everything(
    cell: Struck, set_stage: SetStage, record_property: Callable[[str, object], None]
) -> None:
    record_property(CELL, "fault")
    stage = set_stage(cell.call.scenario, ttl="1s")
    log_in_by(stage, cell.login)
    if cell.fault.armed:
        stage.control.post("/faults", {"operation": cell.call.operation, "nth": cell.call.time, **cell.fault.armed})
    disturb = DISTURBANCES[cell.fault.disturb](stage)
    met: list[str] = []

    def meet(transport: Transport, request: Request, send: Send) -> Answer:
        met.append(request.operation)
        return disturb(transport, request, send)

    with intercepted(at_call(cell.call.nth, meet)):
        finished = stage.run_until_done()
    assert len(met) == 1
    assert not cell.fault.armed or stage.fault_struck()
    stage.check_the_end(finished)


def log_in_by(stage: Stage, login: str) -> None:
    configuration = stage.program.repository / "certrecon.yaml"
    written = configuration.read_text()
    assert LOGINS["password"] in written
    configuration.write_text(written.replace(LOGINS["password"], LOGINS[login]))


def timeout(stage: Stage) -> Intercept:
    """The client gives up before the service has acted; the service acts all the same."""
    gate, acted = stage.sandbox.sandbox.gate, threading.Event()

    def give_up(transport: Transport, _request: Request, send: Send) -> Answer:
        with (
            mock.patch.object(transport, "_timeouts", (10.0, 0.1)),
            mock.patch.object(gate, "after_mutation", acted.set),
        ):
            try:
                return send()
            finally:
                assert acted.wait(30.0)

    return give_up


def expired_token(stage: Stage) -> Intercept:
    """The service does not know the token any more that the client still thinks fresh."""

    def expire(_transport: Transport, _request: Request, send: Send) -> Answer:
        tokens = stage.sandbox.scm.state.tokens
        assert tokens
        stage.sandbox.run(tokens.clear)
        return send()

    return expire


def clock_off(seconds: float) -> Callable[[Stage], Intercept]:
    """The machine's clock, by which requests are signed, is off."""

    def shifted() -> str:
        return (datetime.now(UTC) + timedelta(seconds=seconds)).strftime("%Y%m%dT%H:%M:%S+0000")  # noqa: TID251

    def send_off(_transport: Transport, _request: Request, send: Send) -> Answer:
        with mock.patch("akamai.edgegrid.edgegrid.eg_timestamp", shifted):
            return send()

    return lambda _stage: send_off


def undisturbed(_stage: Stage) -> Intercept:
    return lambda _transport, _request, send: send()


DISTURBANCES: dict[str, Callable[[Stage], Intercept]] = {
    "": undisturbed,
    "timeout": timeout,
    "expired token": expired_token,
    "clock ahead": clock_off(45),
    "clock behind": clock_off(-45),
}
