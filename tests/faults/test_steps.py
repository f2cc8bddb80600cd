"""Each mutating call of a create, struck by each fault: run again, and there is one enrollment and one order."""

import dataclasses
from typing import Any

import pytest

from reconciler.sandbox.server import BackgroundSandbox
from tests.support.control import Control
from tests.support.program import Finished, Program

# The mutating calls of a create with a warning on the way (a DV certificate loses its subject: CPS asks for that).
STEPS = (
    "cps.create_enrollment",
    "scm.enroll",
    "cps.upload_certificate",
    "cps.acknowledge_post_verification_warnings",
    "cps.acknowledge_change_management",
)

HTML = {"status": 502, "body": "<html>bad gateway</html>", "content_type": "text/html"}
PLAIN = {"status": 503, "body": "upstream connect error", "content_type": "text/plain"}

# What the service did not do may be done again; what it may have done is looked for first.
FAULTS: dict[str, dict[str, Any]] = {
    "answer lost": {"kind": "lose-answer"},
    "refused connection": {"kind": "refuse"},
    "half a body": {"kind": "half-body"},
    "500 after acting": {"kind": "status-after", "status": 500},
    "502 with HTML after acting": {"kind": "status-after", **HTML},
    "503 in plain text": {"kind": "status", **PLAIN},
    "429": {"kind": "status", "status": 429, "headers": {"Retry-After": "5"}},
    "wrong types": {"kind": "wrong-types"},
    "no body": {"kind": "empty-body"},
}


@pytest.fixture
def dv(program: Program) -> Program:
    """Return the program with one DV certificate."""
    program.write(
        "certificates/www.example.com.yaml",
        "apiVersion: certrecon/v1\ncommonName: www.example.com\nsectigo: {profile: DV Multi-Domain}\n",
    )
    return program


def until_done(program: Program, control: Control, *, runs: int = 12) -> list[Finished]:
    """Run apply again and again, an hour apart, until it says that nothing is left."""
    finished = []
    for _ in range(runs):
        finished.append(program.apply(wait="6h"))
        if finished[-1].exit_code == 0:
            return finished
        control.post("/advance", {"by": "1h"})
    return finished


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("step", STEPS)
def test_a_fault_at_a_step_leaves_one_of_everything(dv: Program, control: Control, step: str, fault: str) -> None:
    control.post("/faults", {"operation": step, **FAULTS[fault]})
    finished = until_done(dv, control)
    assert finished[-1].exit_code == 0, finished[-1].stdout
    assert all("Traceback" not in one.stderr for one in finished)
    state = control.get("/state")
    assert [order["common_name"] for order in state["orders"]] == ["www.example.com"]
    (enrollment,) = state["enrollments"]
    assert [served["serial"] for served in enrollment["production"]] == [state["orders"][0]["serial"].lower()]
    assert "No changes." in dv.plan().stdout


@pytest.mark.parametrize("step", ["cps.create_enrollment", "scm.enroll"])
def test_a_lost_answer_to_a_costly_step_is_not_repeated_by_the_run_and_fails_it(
    dv: Program, control: Control, step: str
) -> None:
    control.post("/advance", {"by": "10m"})
    control.post("/faults", {"operation": step, "kind": "status", "status": 500})  # it did not even act
    first = dv.apply(wait="1h")
    assert first.exit_code == 1, first.stdout
    assert control.get("/calls")["mutating"][step] == 1
    assert "run" in first.stdout
    assert until_done(dv, control)[-1].exit_code == 0


@pytest.mark.parametrize("wait", ["2m", "5m", "48h"])
def test_a_second_order_for_a_key_is_found_and_named_at_any_phase_and_nothing_more_is_ordered(
    dv: Program, control: Control, sandbox: BackgroundSandbox, wait: str
) -> None:
    dv.apply(wait=wait)
    (first,) = sandbox.scm.state.orders.values()
    twin = dataclasses.replace(first, ssl_id=first.ssl_id + 1)
    sandbox.scm.state.orders[twin.ssl_id] = twin
    for finished in (dv.plan(), dv.apply(wait="1h")):
        assert finished.exit_code == 1
        assert f"revoke {twin.ssl_id}" in finished.stdout
    assert control.get("/calls")["mutating"]["scm.enroll"] == 1


def test_an_order_that_appears_between_look_and_order_is_not_doubled(dv: Program, control: Control) -> None:
    """A lagging list: the order is there and cannot be seen; the run that placed it reads it by its id."""
    control.post("/options", {"visible_after_s": 900})
    assert dv.apply(wait="12h").exit_code == 0
    assert control.get("/calls")["mutating"]["scm.enroll"] == 1
