"""CPS lets an account create an enrollment in five minutes: creates follow one another, and nothing else waits."""

import pytest

from tests.support.control import Control
from tests.support.program import Program

NAMES = ("a.example.com", "b.example.com", "www.example.com")


@pytest.fixture
def three(program: Program, control: Control) -> Program:
    """Return the program with three certificates, on a CPS that limits creates."""
    for name in NAMES:
        program.write(
            f"certificates/{name}.yaml",
            f"apiVersion: certrecon/v1\ncommonName: {name}\nsectigo: {{profile: DV Multi-Domain}}\n",
        )
    control.post("/options", {"create_limit": "per-account"})
    return program


def created(control: Control) -> list[str]:
    return [one["common_name"] for one in control.get("/state")["enrollments"]]


def test_creates_follow_one_another_and_only_creates_wait(three: Program, control: Control) -> None:
    first = three.apply(wait="0s")
    assert first.exit_code == 3, first.stdout + first.stderr
    assert created(control) == ["a.example.com"]
    assert control.get("/calls")["mutating"] == {"cps.create_enrollment": 2}  # one learns of the limit, none after it
    said = "CPS limits how often account main may create an enrollment: this one follows after 2026-11-16 00:05"
    assert first.stdout.count(said) == 2
    control.post("/advance", {"by": "5m"})
    finished = three.apply()
    assert finished.exit_code == 0, finished.stdout + finished.stderr
    assert created(control) == [*NAMES]
    assert control.get("/calls")["mutating"]["cps.create_enrollment"] == 5
    ordered = finished.stderr.index("a.example.com: submit order RSA: done")
    assert ordered < finished.stderr.index("www.example.com: create enrollment: done")
    assert "No changes." in three.plan().stdout
