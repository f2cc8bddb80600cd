"""The whole path over HTTP: from files to certificates that the edge serves, and back to a plan without changes."""

from pathlib import Path

import pytest

from reconciler.sandbox.server import BackgroundSandbox
from tests.support.control import Control
from tests.support.program import Program, example_repository
from tests.support.terminals import LIMIT_S, on_terminal


def test_the_example_repository_is_planned_applied_and_then_has_no_changes(
    sandbox: BackgroundSandbox, control: Control, tmp_path: Path
) -> None:
    program = Program(repository=example_repository(tmp_path / "example"), environment=sandbox.environment)
    planned = program.plan()
    assert planned.exit_code == 2, planned.stderr
    assert "8 to create" in planned.stdout
    assert control.get("/calls")["mutating_total"] == 0
    applied = program.apply()
    assert applied.exit_code == 0, applied.stdout
    again = program.plan()
    assert (again.exit_code, "No changes." in again.stdout) == (0, True), again.stdout
    assert control.get("/calls")["mutating"]["scm.enroll"] == 9
    assert control.get("/calls")["mutating"]["cps.create_enrollment"] == 8
    control.delete("/calls")
    assert program.apply(wait="0s").exit_code == 0
    assert control.get("/calls")["mutating_total"] == 0


def test_without_wait_the_next_runs_go_on_where_the_services_are(program: Program, control: Control) -> None:
    codes = []
    for _ in range(12):
        codes.append(program.apply(wait="0s").exit_code)
        control.post("/advance", {"by": "30m"})
    assert codes[0] == 3
    assert codes[-1] == 0
    assert control.get("/calls")["mutating"] == {
        "cps.create_enrollment": 1,
        "scm.enroll": 1,
        "cps.upload_certificate": 1,
        "cps.acknowledge_change_management": 1,
    }


def test_warnings_are_judged_by_a_run_that_did_not_see_the_csr(program: Program, control: Control) -> None:
    """Each run is a process of its own: past the upload the CSR comes from CPS's history."""
    program.write(
        "certificates/www.example.com.yaml",
        "apiVersion: certrecon/v1\ncommonName: www.example.com\nsectigo: {profile: DV Multi-Domain}\n",
    )
    for _ in range(24):
        if program.apply(wait="0s").exit_code == 0:
            break
        control.post("/advance", {"by": "10m"})
    assert "No changes." in program.plan().stdout
    assert control.get("/calls")["mutating"]["cps.acknowledge_post_verification_warnings"] == 1


def test_a_plan_changes_nothing_and_says_why_and_what(program: Program, control: Control) -> None:
    planned = program.plan("--format", "json")
    assert planned.exit_code == 2
    (certificate,) = planned.json["certificates"]
    assert certificate["action"]["kind"] == "create"
    assert certificate["action"]["orders"]["term_days"] == 199
    assert control.get("/calls")["mutating_total"] == 0


def test_plan_output_goes_to_files_as_well(program: Program) -> None:
    finished = program.run("plan", "--output", "json=plan.json", "--output", "text=plan.txt")
    assert finished.exit_code == 0
    assert '"kind": "plan"' in (program.repository / "plan.json").read_text()
    assert (program.repository / "plan.txt").read_text() == finished.stdout


def test_target_plans_only_what_it_names_and_says_so(program: Program) -> None:
    program.write("certificates/img.example.com.yaml", "apiVersion: certrecon/v1\ncommonName: img.example.com\n")
    planned = program.plan("--target", "img.*")
    assert "PARTIAL: --target 'img.*'" in planned.stdout
    assert "www.example.com" not in planned.stdout


def test_apply_without_terminal_and_approval_is_wrong_usage_before_any_call(
    program: Program, control: Control, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin.isatty", lambda: False, raising=False)
    finished = program.run("apply")
    assert finished.exit_code == 64
    assert "--auto-approve" in finished.stderr
    assert control.get("/calls")["total"] == 0


def test_a_person_is_shown_the_plan_in_colours_and_asked(program: Program, control: Control) -> None:
    with on_terminal(program, "apply") as terminal:
        terminal.read_until(b"Apply this plan? [y/N]")
        assert b"\x1b[32m  + create" in terminal.seen
        assert control.get("/calls")["mutating_total"] == 0
        terminal.type("n\n")
        assert terminal.process.wait(LIMIT_S) == 1
    assert control.get("/calls")["mutating_total"] == 0
    with on_terminal(program, "apply") as terminal:
        terminal.read_until(b"Apply this plan? [y/N]")
        terminal.type("y\n")
        terminal.read_until(b"create enrollment: done")
    assert control.get("/calls")["mutating"] == {"cps.create_enrollment": 1}


def test_a_manual_promotion_waits_for_the_command_line(program: Program, control: Control) -> None:
    program.write(
        "certificates/www.example.com.yaml",
        "apiVersion: certrecon/v1\ncommonName: www.example.com\nakamai: {promote: manual}\n",
    )
    held = program.apply(wait="3h")
    assert held.exit_code == 3
    assert "apply --promote www.example.com" in held.stdout
    assert program.apply("--promote", "www.example.com").exit_code == 0
    assert control.get("/calls")["mutating"]["scm.enroll"] == 1


def test_a_verified_promotion_asks_the_staging_edge(program: Program) -> None:
    program.write(
        "certificates/www.example.com.yaml",
        "apiVersion: certrecon/v1\ncommonName: www.example.com\nakamai: {promote: verified}\n"
        "keyTypes: [RSA-2048, ECDSA-P256]\n",
    )
    finished = program.apply()
    assert finished.exit_code == 0, finished.stdout


def test_mutual_authentication_follows_by_put_before_the_order(program: Program, control: Control) -> None:
    program.write(
        "certificates/www.example.com.yaml",
        "apiVersion: certrecon/v1\ncommonName: www.example.com\n"
        "akamai: {clientMutualAuthentication: {setId: '4711', sendCaListToClient: true}}\n",
    )
    finished = program.apply()
    assert finished.exit_code == 0, finished.stdout + finished.stderr
    calls = control.get("/calls")["mutating"]
    assert (calls["cps.create_enrollment"], calls["cps.update_enrollment"], calls["scm.enroll"]) == (1, 1, 1)
    assert "No changes." in program.plan().stdout


def test_an_order_that_needs_approval_waits_for_a_person(program: Program, control: Control) -> None:
    control.post("/options", {"approvals": "manual"})
    program.write(
        "certificates/www.example.com.yaml",
        'apiVersion: certrecon/v1\ncommonName: "*.example.com"\nsectigo: {profile: OV Wildcard}\n',
    )
    waiting = program.apply(wait="12h")
    assert waiting.exit_code == 3
    assert "SCM approver" in waiting.stdout


def test_a_declined_order_blocks_and_is_not_placed_again(program: Program, control: Control) -> None:
    control.post("/options", {"approvals": "manual"})
    program.write(
        "certificates/www.example.com.yaml",
        'apiVersion: certrecon/v1\ncommonName: "*.example.com"\nsectigo: {profile: OV Wildcard}\n',
    )
    program.apply(wait="1h")
    (order,) = control.get("/state")["orders"]
    control.post("/scm/decline", {"ssl_id": order["ssl_id"]})
    finished = program.apply(wait="1h")
    assert finished.exit_code == 4
    assert "Declined" in finished.stdout
    assert control.get("/calls")["mutating"]["scm.enroll"] == 1
