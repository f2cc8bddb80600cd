"""What a service answers as done and does not do: a run ends, and says so, instead of asking for ever."""

from collections.abc import Mapping
from typing import Any

import pytest

from tests.support.control import Control
from tests.support.program import Program

MUTUAL = "clientMutualAuthentication: {setId: '4711', sendCaListToClient: true, ocspEnabled: false}"


@pytest.fixture
def deaf(program: Program, monkeypatch: pytest.MonkeyPatch) -> Program:
    """Return the program with a setting that CPS never takes over, though it says so."""

    def unchanged(enrollment: Mapping[str, Any], desired: object) -> dict[str, Any]:
        return dict(enrollment)

    monkeypatch.setattr("reconciler.services.cps.bodies.update", unchanged)
    head = "apiVersion: certrecon/v1\ncommonName: www.example.com\nsectigo: {profile: DV Multi-Domain}\n"
    program.write("certificates/www.example.com.yaml", f"{head}akamai: {{{MUTUAL}}}\n")
    return program


def test_an_update_without_effect_is_made_seldom_and_then_given_up(deaf: Program, control: Control) -> None:
    finished = deaf.apply()
    assert finished.exit_code == 1, finished.stdout + finished.stderr
    assert "update enrollment is answered as done and has no effect. Given up after 5 tries." in finished.stdout
    assert control.get("/calls")["mutating"] == {"cps.create_enrollment": 1, "cps.update_enrollment": 6}
    assert control.get("/clock")["now"] < "2026-11-16T02:00:00Z"


def test_without_wait_a_run_makes_one_update(deaf: Program, control: Control) -> None:
    deaf.apply(wait="0s")
    control.post("/advance", {"by": "5m"})
    assert deaf.apply(wait="0s").exit_code == 3
    assert control.get("/calls")["mutating"] == {"cps.create_enrollment": 1, "cps.update_enrollment": 2}


def test_steps_that_differ_each_time_end_too(deaf: Program, control: Control, monkeypatch: pytest.MonkeyPatch) -> None:
    digests = iter(range(1000))
    monkeypatch.setattr("reconciler.execution.attempts.body_digest", lambda _: str(next(digests)))
    finished = deaf.apply()
    assert finished.exit_code == 1, finished.stdout + finished.stderr
    assert "is done again and again. Given up for this run." in finished.stdout
    assert control.get("/calls")["mutating"]["cps.update_enrollment"] <= 6
