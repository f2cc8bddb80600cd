"""Dates that pass while certrecon runs: the cut of 2027-03-15, and CPS's own push in the middle of a freeze."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from tests.support.control import Control
from tests.support.program import Program, small_repository

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import MakeSandbox

HEAD = "apiVersion: certrecon/v1\ncommonName: "


def at(control: Control, text: str) -> None:
    """Let time pass until that day. Domain validations of before 2027-03-15 are dead after it: a person validates."""
    control.post("/advance", {"to": f"{text}T00:00:00Z"})
    control.post("/scm/validate_domain", {"name": "example.com"})


def test_the_cut_passes_with_the_old_term_in_the_defaults(make_sandbox: "MakeSandbox", tmp_path: "Path") -> None:
    sandbox = make_sandbox(start=datetime(2027, 2, 20, tzinfo=UTC))
    control = Control(sandbox.urls["control"], sandbox.urls["ca_file"])
    program = Program(
        repository=small_repository(tmp_path / "repository", "old.example.com"), environment=sandbox.environment
    )
    defaults = program.repository / "certificates" / "_defaults.yaml"
    defaults.write_text(defaults.read_text().replace("sectigo:\n", "sectigo:\n  term: 199\n"))
    assert "199 days" in program.plan().stdout
    assert program.apply().exit_code == 0
    at(control, "2027-03-14")
    program.write("certificates/eve.yaml", f"{HEAD}eve.example.com\n")
    planned = program.plan()
    assert (planned.exit_code, "199 days" in planned.stdout, "TERM-02" in planned.stdout) == (2, True, True)
    assert program.apply(wait="0s").exit_code == 3
    at(control, "2027-03-15")
    assert program.apply().exit_code == 0
    at(control, "2027-04-01")
    program.write("certificates/new.yaml", f"{HEAD}new.example.com\n")
    assert program.apply().exit_code == 0
    at(control, "2027-06-20")  # for a hundred days the term is a warning; from then on files must say what is allowed
    assert "± renew" in program.plan().stdout
    assert program.apply().exit_code == 0
    orders = list(sandbox.scm.state.orders.values())
    assert [(order.common_name, order.term) for order in orders][:3] == [
        ("old.example.com", 199),
        ("eve.example.com", 99),
        ("new.example.com", 99),
    ]
    assert {order.term for order in orders[3:]} == {99}
    assert "No changes." in program.plan().stdout


def test_a_certificate_that_waits_for_a_person_is_pushed_by_cps_also_in_a_freeze(
    program: Program, control: Control
) -> None:
    program.write("certificates/www.example.com.yaml", f"{HEAD}www.example.com\nakamai: {{promote: manual}}\n")
    program.apply()
    assert program.apply("--promote", "www.example.com").exit_code == 0
    at(control, "2027-05-05")
    configuration = program.repository / "certrecon.yaml"
    freeze = "renewal: {freeze: [{from: 2027-05-20, to: 2027-06-30, reason: launch}]}"
    configuration.write_text(configuration.read_text().replace("policy:\n", f"policy:\n  {freeze}\n"))
    assert program.apply().exit_code == 3
    at(control, "2027-05-25")
    waiting = program.plan()
    assert "it is on staging and waits for a person's go" in waiting.stdout
    assert "CPS deploys it to production by itself on 2027-05-" in waiting.stdout
    assert "inside the freeze until 2027-06-30 (launch)" in waiting.stdout
    control.delete("/calls")
    at(control, "2027-05-28")
    finished = program.apply(wait="0s")
    assert finished.exit_code == 0, finished.stdout + finished.stderr
    assert "No changes." in program.plan().stdout
    assert set(control.get("/calls")["mutating"]) == {"scm.mark_renewed"}
