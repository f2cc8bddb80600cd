"""Credentials that may only read: enough for every command that tells, and refused by `apply` before any step."""

from pathlib import Path

import pytest

from reconciler.sandbox.server import BackgroundSandbox
from tests.support.control import Control
from tests.support.program import Program, state_files

NAME = "www.example.com"
TELLING = [
    ["plan"],
    ["status"],
    ["report"],
    ["show", NAME],
    ["show", NAME, "--pem"],
    ["show", NAME, "--effective"],
    ["explain", NAME],
    ["history", NAME],
]
CPS = 'cps: account main: API client "auditor" may only read'
SCM = 'scm: instance enterprise: admin "api-reader" may only read'


def read_cps_only(program: Program) -> None:
    edgerc = Path(program.environment["AKAMAI_EDGERC"])
    edgerc.write_text(edgerc.read_text().replace("[default]", "[hidden]").replace("[readonly]", "[default]"))


def read_scm_only(program: Program, sandbox: BackgroundSandbox) -> None:
    login = sandbox.urls["scm_readonly_credentials"]
    program.environment |= {"SECTIGO_LOGIN": login["login"], "SECTIGO_PASSWORD": login["password"]}


def changed(control: Control) -> int:
    total: int = control.get("/calls")["mutating_total"]
    return total


def test_reading_credentials_are_enough_to_tell_and_nothing_is_changed(
    program: Program, control: Control, sandbox: BackgroundSandbox
) -> None:
    assert program.apply().exit_code == 0
    control.delete("/calls")
    read_cps_only(program)
    read_scm_only(program, sandbox)
    before = state_files(program)
    for arguments in TELLING:
        for form in ("text", "json"):
            finished = program.run(*arguments, "--format", form)
            assert finished.exit_code == 0, (arguments, finished.stdout + finished.stderr)
            assert finished.stderr == "", arguments
            assert NAME in finished.stdout or "No changes." in finished.stdout, arguments
            assert form == "text" or finished.json["format_version"].startswith("1."), arguments
    assert (changed(control), state_files(program)) == (0, before)


def test_apply_refuses_them_before_it_takes_a_lock(
    program: Program, control: Control, sandbox: BackgroundSandbox
) -> None:
    read_scm_only(program, sandbox)
    one = program.apply()
    assert (one.exit_code, SCM in one.stderr, CPS in one.stderr) == (1, True, False), one.stderr
    assert "Give it the privilege to request SSL certificates" in one.stderr
    read_cps_only(program)
    both = program.apply()
    assert (both.exit_code, SCM in both.stderr, CPS in both.stderr) == (1, True, True), both.stderr
    assert "Give it read-write access to CPS, or name another one in akamai.main" in both.stderr
    assert (changed(control), state_files(program)) == (0, {})


@pytest.mark.parametrize(
    "fault", [{"status": 404}, {"status": 403}, {"status": 200, "body": "{}"}], ids=["unknown", "forbidden", "silent"]
)
def test_a_service_that_does_not_tell_rights_holds_nothing_up(
    program: Program, control: Control, fault: dict[str, object]
) -> None:
    for operation in ("cps.list_grants", "scm.list_admins"):
        control.post("/faults", {"operation": operation, "kind": "status", "times": 0, **fault})
    finished = program.apply(wait="0s")
    assert finished.exit_code == 3, finished.stdout + finished.stderr
    assert changed(control) == 1
