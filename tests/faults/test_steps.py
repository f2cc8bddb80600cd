"""What a lost answer, a doubled order and a lagging list may not lead to. The crash matrix has every call and fault."""

import dataclasses
import time

import pytest

from reconciler.sandbox.server import BackgroundSandbox
from tests.support.control import Control
from tests.support.program import Finished, Program

LIST_FAILS = {"operation": "cps.list_enrollments", "kind": "status", "status": 403}


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


def test_what_was_not_seen_in_two_complete_looks_is_made_again(dv: Program, control: Control) -> None:
    control.post("/faults", {"operation": "cps.create_enrollment", "kind": "status", "status": 500})
    assert dv.apply(wait="0s").exit_code == 1
    control.post("/advance", {"by": "1h"})
    time.sleep(2.5)  # noqa: TID251 - what may still be on its way settles in real time too: 1.2 times the lock's 2 s
    control.delete("/calls")
    # The plan of apply looks, then the loop: twice, as an intent is settled. The second of these is not complete.
    per_look = 2  # lists, one for each contract
    control.post("/faults", {**LIST_FAILS, "nth": 2 * per_look + 1, "times": 0})
    assert dv.apply(wait="0s").exit_code == 1
    assert control.get("/calls")["mutating"] == {}
    control.delete("/faults")
    dv.apply(wait="0s")
    assert control.get("/calls")["mutating"] == {"cps.create_enrollment": 1}


def test_a_change_that_a_person_opens_while_ours_is_unknown_is_left_alone(dv: Program, control: Control) -> None:
    assert dv.apply(wait="48h").exit_code == 0
    dv.write(
        "certificates/www.example.com.yaml",
        "apiVersion: certrecon/v1\ncommonName: www.example.com\ndnsNames: [img.example.com]\n"
        "sectigo: {profile: DV Multi-Domain}\n",
    )
    control.post("/faults", {"operation": "cps.update_enrollment", "kind": "status", "status": 500})
    assert dv.apply(wait="0s").exit_code == 1
    (enrollment,) = control.get("/state")["enrollments"]
    names = ["www.example.com", "img.example.com"]
    control.post("/cps/edit_names", {"enrollment_id": enrollment["id"], "names": names})
    control.delete("/calls")
    finished = dv.apply(wait="48h")
    assert "opened by portal-user, is in the way" in finished.stdout, finished.stdout
    assert control.get("/calls")["mutating_total"] == 0


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
