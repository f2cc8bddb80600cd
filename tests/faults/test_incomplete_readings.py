"""What could not be read completely leads to no action on what it covers, and to exit 1."""

from typing import Any

import pytest

from tests.support.control import Control
from tests.support.program import Program

READS = (
    "cps.list_contracts",
    "cps.list_enrollments",
    "cps.list_active_certificates",
    "scm.report",
    "scm.list_organizations",
    "scm.list_profiles",
)

FAULTS: dict[str, dict[str, Any]] = {
    "500": {"kind": "status", "status": 500},
    "503 in plain text": {"kind": "status", "status": 503, "body": "no", "content_type": "text/plain"},
    "half a body": {"kind": "half-body"},
    "no body": {"kind": "empty-body"},
    "wrong types": {"kind": "wrong-types"},
}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("read", READS)
def test_a_bulk_read_that_fails_for_good_stops_every_action(
    program: Program, control: Control, read: str, fault: str
) -> None:
    control.post("/faults", {"operation": read, "times": 0, **FAULTS[fault]})
    # A report that fails is replaced by the list; where that fails too, nothing is left to believe.
    control.post("/faults", {"operation": "scm.list_orders", "times": 0, **FAULTS[fault]})
    for finished in (program.plan(), program.apply()):
        assert finished.exit_code == 1, finished.stdout
        assert "Traceback" not in finished.stderr
    assert control.get("/calls")["mutating_total"] == 0


@pytest.mark.parametrize("read", READS)
def test_a_bulk_read_that_fails_once_is_made_again(program: Program, control: Control, read: str) -> None:
    control.post("/faults", {"operation": read, "kind": "status", "status": 500})
    assert program.plan().exit_code == 2


def test_a_read_is_tried_again_for_as_long_as_it_may(
    program: Program, control: Control, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CERTRECON_READ_TIMEOUT", "")  # what the option sets goes with the test
    control.post("/faults", {"operation": "cps.list_contracts", "kind": "status", "status": 503, "times": 0})

    def tries(*options: str) -> int:
        control.delete("/calls")
        assert program.run(*options, "plan").exit_code == 1
        made: int = control.get("/calls")["calls"]["cps.list_contracts"]
        return made

    assert tries() > tries("--read-timeout", "10s") > 1
    assert program.run("--read-timeout", "soon", "plan").stderr == (
        'certrecon: environment: error: CERTRECON_READ_TIMEOUT: "soon" is not a length of time of at most 36500d.'
        " Write one, as 90s or 2m.\n"
    )


def test_a_report_that_lacks_a_row_is_not_believed(program: Program, control: Control) -> None:
    assert program.apply().exit_code == 0
    program.write("certificates/img.example.com.yaml", "apiVersion: certrecon/v1\ncommonName: img.example.com\n")
    control.delete("/calls")
    control.post("/faults", {"operation": "scm.report", "kind": "drop-item", "times": 0})
    control.post("/faults", {"operation": "scm.list_orders", "kind": "drop-item", "times": 0})
    finished = program.apply()
    assert finished.exit_code == 1
    assert control.get("/calls")["mutating_total"] == 0


def test_a_change_that_cannot_be_read_stops_only_its_certificate(program: Program, control: Control) -> None:
    assert program.apply(wait="5m").exit_code == 3
    program.write("certificates/img.example.com.yaml", "apiVersion: certrecon/v1\ncommonName: img.example.com\n")
    control.post("/faults", {"operation": "cps.get_change", "kind": "status", "status": 500, "times": 0})
    planned = program.plan()
    assert planned.exit_code == 1
    assert "+ create      img.example.com" in planned.stdout
