"""What a lost answer, a doubled order and a lagging list may not lead to. The crash matrix has every call and fault."""

import dataclasses

import pytest

from reconciler.sandbox.server import BackgroundSandbox
from tests.support.control import Control
from tests.support.program import Finished, Program


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


@pytest.mark.parametrize("step", ["cps.create_enrollment", "scm.enroll"])
def test_a_costly_step_with_an_unknown_outcome_fails_the_run_and_is_repeated_only_when_settled(
    dv: Program, control: Control, step: str
) -> None:
    control.post("/faults", {"operation": step, "kind": "status", "status": 500})  # it did not even act
    first = dv.apply(wait="10m")
    assert first.exit_code == 1, first.stdout
    assert "It may have happened" in first.stdout
    assert control.get("/calls")["mutating"][step] == 1
    control.post("/advance", {"by": "1m"})
    dv.apply(wait="0s")
    assert control.get("/calls")["mutating"][step] == 1
    assert until_done(dv, control)[-1].exit_code == 0
    assert control.get("/calls")["mutating"][step] == 2


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
