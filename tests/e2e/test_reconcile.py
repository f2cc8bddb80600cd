"""Everything after the create: renew, reissue, update, adopt, cancel, revoke, delete; and what is left alone."""

import pytest

from reconciler.sandbox.server import BackgroundSandbox
from tests.support.control import Control
from tests.support.program import Program

NAME = "www.example.com"
FILE = f"certificates/{NAME}.yaml"
HEAD = f"apiVersion: certrecon/v1\ncommonName: {NAME}\n"


@pytest.fixture
def live(program: Program, control: Control) -> Program:
    """Return the program with one certificate in production."""
    control.post("/options", {"rate_limits": "unlimited"})  # a call that comes too early would count twice
    assert program.apply().exit_code == 0
    control.delete("/calls")
    return program


def mutating(control: Control) -> dict[str, int]:
    found: dict[str, int] = control.get("/calls")["mutating"]
    return found


def serials(control: Control) -> list[str]:
    (enrollment,) = control.get("/state")["enrollments"]
    return [served["serial"] for served in enrollment["production"]]


def settled(program: Program, control: Control) -> None:
    """Check that a further plan is empty, and that a further apply changes nothing."""
    planned = program.plan()
    assert (planned.exit_code, "No changes." in planned.stdout) == (0, True), planned.stdout
    control.delete("/calls")
    assert program.apply().exit_code == 0
    assert mutating(control) == {}


def age(control: Control, days: int) -> None:
    """Let days pass. Domain validations of before 2027-03-15 are dead after it: somebody validates again."""
    control.post("/advance", {"by": f"{days}d"})
    control.post("/scm/validate_domain", {"name": "example.com"})


def test_a_certificate_is_renewed_in_its_window_and_only_once(live: Program, control: Control) -> None:
    before = serials(control)
    age(control, 130)
    assert "No changes." in live.plan().stdout
    age(control, 40)
    planned = live.plan()
    assert planned.exit_code == 2
    assert "± renew       www.example.com" in planned.stdout
    assert "due for age" in planned.stdout
    finished = live.apply()
    assert finished.exit_code == 0, finished.stdout + finished.stderr
    assert mutating(control)["scm.enroll"] == 1
    assert serials(control) != before
    settled(live, control)


def test_a_revoked_certificate_is_renewed_at_once(live: Program, control: Control) -> None:
    (order,) = control.get("/state")["orders"]
    control.post("/scm/revoke", {"ssl_id": order["ssl_id"]})
    planned = live.plan()
    assert "revoked" in planned.stdout
    assert live.apply().exit_code == 0
    assert mutating(control)["scm.enroll"] == 1
    settled(live, control)


def test_names_that_change_lead_to_one_new_order(live: Program, control: Control) -> None:
    live.write(FILE, HEAD + "dnsNames: [img.example.com]\n")
    planned = live.plan()
    assert "names: + img.example.com (forces a new order)" in planned.stdout
    finished = live.apply()
    assert finished.exit_code == 0, finished.stdout + finished.stderr
    assert mutating(control)["scm.enroll"] == 1
    settled(live, control)


def test_a_removed_name_needs_the_reviewed_acceptance(live: Program, control: Control) -> None:
    live.write(FILE, HEAD + "dnsNames: [img.example.com]\n")
    assert live.apply().exit_code == 0
    asked = "CPS will ask about the removal"
    live.write(FILE, HEAD)
    assert asked in live.plan().stdout
    blocked = live.apply()
    assert "blocked" in blocked.stdout
    assert "SANS_REMOVED_REQUIRE_ACKNOWLEDGEMENT" in blocked.stdout
    live.write(FILE, HEAD + "acceptWarnings: [{id: SANS_REMOVED_REQUIRE_ACKNOWLEDGEMENT, names: [img.example.com]}]\n")
    assert asked not in live.plan().stdout
    finished = live.apply()
    assert finished.exit_code == 0, finished.stdout + finished.stderr
    settled(live, control)


def test_settings_are_updated_without_an_order(live: Program, control: Control) -> None:
    live.write(FILE, HEAD + 'akamai: {ocspStapling: "off"}\n')
    planned = live.plan()
    assert "akamai.ocspStapling: on -> off (redeploys, without a new order)" in planned.stdout
    finished = live.apply()
    assert finished.exit_code == 0, finished.stdout + finished.stderr
    assert "scm.enroll" not in mutating(control)
    settled(live, control)


def test_a_second_key_type_is_added(live: Program, control: Control) -> None:
    live.write(FILE, HEAD + "keyTypes: [RSA-2048, ECDSA-P256]\n")
    finished = live.apply()
    assert finished.exit_code == 0, finished.stdout + finished.stderr
    (enrollment,) = control.get("/state")["enrollments"]
    assert {served["algorithm"] for served in enrollment["production"]} == {"RSA", "ECDSA"}
    assert mutating(control)["scm.enroll"] == 1
    settled(live, control)


def test_the_renewal_that_cps_opened_itself_is_used(live: Program, control: Control) -> None:
    age(control, 145)
    (enrollment,) = control.get("/state")["enrollments"]
    assert enrollment["change"]["created_by"] == "<auto-renewal>"
    assert "No changes." in live.plan().stdout
    age(control, 25)
    finished = live.apply()
    assert finished.exit_code == 0, finished.stdout + finished.stderr
    assert mutating(control)["scm.enroll"] == 1
    settled(live, control)


def test_a_change_of_somebody_else_is_left_alone(live: Program, control: Control) -> None:
    (enrollment,) = control.get("/state")["enrollments"]
    control.post("/cps/open_renewal", {"enrollment_id": enrollment["id"]})
    assert live.apply().exit_code == 0
    live.write(FILE, HEAD + "dnsNames: [img.example.com]\n")
    blocked = live.plan()
    assert "is in the way" in blocked.stdout
    assert "adoptChange" in blocked.stdout
    live.apply()
    assert mutating(control) == {}


def test_an_enrollment_removed_in_the_portal_is_not_created_anew(live: Program, control: Control) -> None:
    (enrollment,) = control.get("/state")["enrollments"]
    control.post("/cps/remove", {"enrollment_id": enrollment["id"]})
    control.post("/advance", {"by": "2h"})
    assert control.get("/state")["enrollments"] == []
    finished = live.apply()
    assert finished.exit_code == 4
    assert "is gone" in finished.stdout
    assert mutating(control) == {}
    assert live.apply("--retry", NAME).exit_code == 0


def test_a_hand_made_enrollment_is_adopted_by_a_short_file_and_nothing_unnamed_changes(
    program: Program, control: Control, sandbox: BackgroundSandbox
) -> None:
    control.post("/seed", {"count": 1})
    (enrollment,) = control.get("/state")["enrollments"]
    name = enrollment["common_name"]
    (program.repository / FILE).unlink()
    program.write(
        f"certificates/{name}.yaml", f"apiVersion: certrecon/v1\ncommonName: {name}\ndnsNames: [new.example.com]\n"
    )
    planned = program.plan()
    assert "± adopt" in planned.stdout
    held = program.apply()
    assert mutating(control) == {}
    assert held.exit_code in (0, 3)
    finished = program.apply("--allow-adopt", name)
    assert finished.exit_code == 0, finished.stdout + finished.stderr


def test_a_cancelled_change_of_ours_is_lost_and_not_begun_again_unasked(live: Program, control: Control) -> None:
    live.write(FILE, HEAD + "dnsNames: [img.example.com]\n")
    live.apply(wait="1m")
    (enrollment,) = control.get("/state")["enrollments"]
    control.post("/cps/cancel_change", {"enrollment_id": enrollment["id"]})
    control.delete("/calls")
    finished = live.apply()
    assert "lost change" in finished.stdout, finished.stdout
    assert mutating(control) == {}
    assert live.apply("--retry", NAME).exit_code == 0
    settled(live, control)


def test_a_setting_that_changes_while_a_renewal_waits_is_deployed_with_the_renewed_certificate(
    program: Program, control: Control
) -> None:
    # Else CPS opens a renewal beside ours, and a call that comes too early counts twice.
    control.post("/options", {"auto_renewal_days": 0, "rate_limits": "unlimited"})
    assert program.apply().exit_code == 0
    before = serials(control)
    age(control, 170)
    assert program.apply(wait="0s").exit_code == 3
    control.delete("/calls")
    program.write(FILE, HEAD + 'akamai: {ocspStapling: "off"}\n')
    finished = program.apply()
    assert finished.exit_code == 0, finished.stdout + finished.stderr
    assert serials(control) != before
    assert mutating(control)["cps.update_enrollment"] == 1
    settled(program, control)


def test_a_setting_that_changes_while_a_key_type_is_added_is_deployed_with_it(live: Program, control: Control) -> None:
    both = HEAD + "keyTypes: [RSA-2048, ECDSA-P256]\n"
    live.write(FILE, both)
    assert live.apply(wait="0s").exit_code == 3
    live.write(FILE, both + 'akamai: {ocspStapling: "off"}\n')
    finished = live.apply()
    assert finished.exit_code == 0, finished.stdout + finished.stderr
    (enrollment,) = control.get("/state")["enrollments"]
    assert {served["algorithm"] for served in enrollment["production"]} == {"RSA", "ECDSA"}
    settled(live, control)
