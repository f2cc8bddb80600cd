"""After a renewal SCM is told which order succeeds which, once; and nothing depends on whether that works."""

import time

import pytest

from reconciler.sandbox.server import BackgroundSandbox
from tests.support.control import Control
from tests.support.program import Program

FILE = "certificates/www.example.com.yaml"
HEAD = "apiVersion: certrecon/v1\ncommonName: www.example.com\n"
OLD, NEW = 5001, 5002
LINK = "scm.mark_renewed"
NO_RIGHT = {"status": 400, "body": '{"code": -25, "description": "You are not authorized to execute renew"}'}


@pytest.fixture
def reissue(program: Program, control: Control) -> Program:
    """Return the program with one certificate in production, whose file asks for another name by now."""
    assert program.apply().exit_code == 0
    control.delete("/calls")
    program.write(FILE, HEAD + "dnsNames: [img.example.com]\n")
    return program


def told(control: Control) -> int:
    calls: int = control.get("/calls")["mutating"].get(LINK, 0)
    return calls


def succeeded(sandbox: BackgroundSandbox) -> tuple[bool, int | None]:
    order = sandbox.scm.state.orders[OLD]
    return order.renewed, order.successor


def run_again(program: Program, control: Control) -> None:
    """Run apply once more when all that was unknown has settled; it has nothing left to do."""
    control.post("/advance", {"by": "1h"})
    finished = program.apply(wait="0s")
    assert finished.exit_code == 0, finished.stdout + finished.stderr


def test_the_older_order_is_linked_to_its_successor_once(
    reissue: Program, control: Control, sandbox: BackgroundSandbox
) -> None:
    finished = reissue.apply()
    assert finished.exit_code == 0, finished.stdout + finished.stderr
    assert succeeded(sandbox) == (True, NEW)
    assert "No changes." in reissue.plan().stdout
    assert f"order {NEW}" not in reissue.plan().stdout
    run_again(reissue, control)
    assert told(control) == 1
    events = reissue.run("history", "www.example.com", "--format", "json").json["events"]
    assert [event["text"].split(";")[0] for event in events[-2:]] == [
        f"intent: link orders on enrollment {control.get('/state')['enrollments'][0]['id']}",
        "done: link orders",
    ]


@pytest.mark.parametrize(("fault", "calls"), [("lose-answer", 1), ("refuse", 2)])
def test_an_unknown_outcome_fails_nothing_and_is_looked_for_before_it_is_told_again(
    reissue: Program, control: Control, sandbox: BackgroundSandbox, fault: str, calls: int
) -> None:
    control.post("/faults", {"operation": LINK, "kind": fault})
    assert reissue.apply().exit_code == 0
    assert reissue.apply().exit_code == 0  # not settled: neither told nor asked
    assert told(control) == 1
    time.sleep(2.5)  # noqa: TID251 - what may still be on its way settles in real time too: 1.2 times the lock's 2 s
    for _ in range(2):
        run_again(reissue, control)
    assert (told(control), succeeded(sandbox)) == (calls, (True, NEW))


def test_a_refusal_is_noted_and_not_asked_for_again(
    reissue: Program, control: Control, sandbox: BackgroundSandbox
) -> None:
    control.post("/faults", {"operation": LINK, "kind": "status", "times": 0, **NO_RIGHT})
    finished = reissue.apply()
    assert finished.exit_code == 0, finished.stdout + finished.stderr
    assert "not authorized" in finished.stderr
    for _ in range(2):
        run_again(reissue, control)
    assert (told(control), succeeded(sandbox)) == (1, (False, None))
    assert "No changes." in reissue.plan().stdout


def test_what_a_person_has_linked_stays_as_it_is(
    reissue: Program, control: Control, sandbox: BackgroundSandbox
) -> None:
    order = sandbox.scm.state.orders[OLD]
    order.renewed, order.successor = True, 4711
    assert reissue.apply().exit_code == 0
    assert (told(control), succeeded(sandbox)) == (0, (True, 4711))
