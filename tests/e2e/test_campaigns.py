"""Replacement campaigns over HTTP: a new key and one order for each that is selected, once, and the old one revoked."""

from collections.abc import Mapping, Sequence
from typing import Any

from reconciler.planning.campaign_states import CALLS_PER_CERTIFICATE
from tests.support.control import Control
from tests.support.program import Program

NAME, FLYING, LATE, OTHER = (f"{host}.example.com" for host in ("www", "flying", "late", "other"))
DAY_S = 24 * 3600


def policy(program: Program, *lines: str) -> None:
    """Replace the policy of the configuration."""
    path = program.repository / "certrecon.yaml"
    head, _, rest = path.read_text().partition("policy:\n")
    kept = rest[rest.index("lock:") :]
    named = "".join(f"  {line}\n" for line in lines)
    path.write_text(f"{head}policy:\n{named}{kept}")


def campaign(at: str, select: str, **fields: str) -> str:
    more = "".join(f", {key}: {value}" for key, value in fields.items())
    return f"replace: [{{name: distrust, issuedBefore: {at}, select: {select}, reason: superseded{more}}}]"


def file(program: Program, name: str, *lines: str) -> None:
    text = "\n".join(["apiVersion: certrecon/v1", f"commonName: {name}", *lines])
    program.write(f"certificates/{name}.yaml", f"{text}\n")


def now(control: Control) -> str:
    clock: str = control.get("/clock")["now"]
    return clock


def advance(control: Control, by: str) -> None:
    control.post("/advance", {"by": by})


def state(control: Control, what: str) -> Sequence[Mapping[str, Any]]:
    found: Sequence[Mapping[str, Any]] = control.get("/state")[what]
    return found


def served(control: Control) -> dict[str, set[str]]:
    """Return the serials in production, by common name."""
    return {
        one["common_name"]: {half["serial"].upper() for half in one["production"]}
        for one in state(control, "enrollments")
    }


def mutating(control: Control) -> dict[str, int]:
    found: dict[str, int] = control.get("/calls")["mutating"]
    return found


def settled(program: Program, control: Control) -> None:
    """Check that a further plan is empty, and that a further apply changes nothing."""
    planned = program.plan()
    assert (planned.exit_code, "No changes." in planned.stdout) == (0, True), planned.stdout
    control.delete("/calls")
    assert program.apply().exit_code == 0
    assert mutating(control) == {}


def enrolled(control: Control) -> int:
    count: int = mutating(control).get("scm.enroll", 0)
    return count


def test_a_campaign_replaces_what_is_served_and_what_is_in_flight_once_and_leaves_what_is_newer(
    program: Program, control: Control
) -> None:
    label = "labels: {team: web}"
    file(program, NAME, label, "keyTypes: [RSA-2048, ECDSA-P256]")
    file(program, FLYING, label)
    file(program, OTHER)
    assert program.apply().exit_code == 0
    control.post("/options", {"issue_ov_s": 10 * DAY_S})
    file(program, FLYING, label, "dnsNames: [img.example.com]")
    assert program.apply(wait="10m").exit_code == 3
    flying = state(control, "orders")[-1]
    advance(control, "1h")
    at = now(control)
    advance(control, "1h")
    control.post("/options", {"issue_ov_s": 300})
    file(program, LATE, label)
    assert program.apply(wait="3h").exit_code == 3
    old = served(control)

    freeze = "renewal: {freeze: [{from: 2026-11-10, to: 2026-11-30, reason: peak}]}"
    policy(program, freeze, campaign(at, "{labels: {team: web}}", deadline="2026-11-17T00:00:00Z", promote="verified"))
    control.post("/scm/issue", {"ssl_id": flying["ssl_id"]})  # issued late, requested before all the same
    planned = program.plan()
    assert f"change 2041004 has an order of before {at[:10]}" in planned.stdout
    assert f"order {flying['ssl_id']} is lost by it" in planned.stdout
    assert "distrust: 1 of 3 done, deadline 2026-11-17 00:00 UTC" in planned.stdout
    assert "what waits takes 3 orders" in planned.stdout
    control.delete("/calls")
    finished = program.apply()
    assert finished.exit_code == 0, finished.stdout + finished.stderr
    assert enrolled(control) == 3
    renewed = served(control)
    assert not old[NAME] & renewed[NAME]
    assert len(renewed[NAME]) == 2
    unused = {one["serial"] for one in state(control, "orders") if one["ssl_id"] == flying["ssl_id"]}
    assert None not in unused
    assert not (old[FLYING] | unused) & renewed[FLYING]
    assert (renewed[LATE], renewed[OTHER]) == (old[LATE], old[OTHER])
    settled(program, control)
    status = program.run("status", "--format", "json").json["campaigns"]
    assert [(one["name"], one["done"], one["total"]) for one in status] == [("distrust", 3, 3)]


def test_a_campaign_by_serials_revokes_the_old_certificate_after_both_networks_serve_the_new_one(
    program: Program, control: Control
) -> None:
    assert program.apply().exit_code == 0
    (old,) = (serial.upper() for serial in served(control)[NAME])
    advance(control, "1d")
    at = now(control)
    advance(control, "1h")
    program.write("affected.txt", f"{old}  # www\nA1:B2  # of another CDN\n")
    selection = campaign(at, "{serialsFile: affected.txt}", revokeOld="true")
    policy(program, selection)
    control.delete("/calls")
    assert program.apply().exit_code == 4  # no budget for the revocation
    assert enrolled(control) == 1
    assert calls_a_certificate(control) <= CALLS_PER_CERTIFICATE
    assert {one["status"] for one in state(control, "orders")} == {"Issued"}
    refused = program.plan()
    assert "revoke: revokes: the plan has 1 revoke, and policy.budgets.revokes allows 0" in refused.stdout

    policy(program, selection, "budgets: {revokes: 1}")
    control.delete("/calls")
    assert program.apply().exit_code == 0
    assert mutating(control) == {"scm.revoke": 1}
    revoked = [one["serial"] for one in state(control, "orders") if one["status"] == "Revoked"]
    assert revoked == [old]
    settled(program, control)
    told = program.run("status").stdout
    assert "distrust: 1 of 1 done\n    2 serials of its file in production of no certificate here" in told
    history = program.run("history", NAME).stdout
    assert "intent: update enrollment on enrollment 190001; campaign: replacement campaign distrust" in history
    assert f"campaign: replacement campaign distrust (superseded) has replaced serial {old} and revokes it" in history


def calls_a_certificate(control: Control) -> int:
    """Return the calls of CPS that were made for one certificate alone: bulk readings serve all."""
    bulk = {"cps.list_contracts", "cps.list_enrollments", "cps.list_active_certificates"}
    calls: dict[str, int] = control.get("/calls")["calls"]
    return sum(count for name, count in calls.items() if name.startswith("cps.") and name not in bulk)


def test_what_is_stuck_in_a_campaign_is_told_with_its_cause_and_not_ordered_again(
    program: Program, control: Control
) -> None:
    assert program.apply().exit_code == 0
    advance(control, "1d")
    at = now(control)
    advance(control, "1h")
    control.post("/options", {"issue_ov_s": 10 * DAY_S})
    policy(program, campaign(at, "{names: ['*.example.com']}", deadline="2026-11-17T04:00:00Z"))
    program.apply(wait="10m")
    control.post("/scm/reject", {"ssl_id": state(control, "orders")[-1]["ssl_id"]})
    advance(control, "1d")
    control.delete("/calls")
    program.apply()
    assert mutating(control) == {}
    status = program.run("status").stdout
    assert "distrust: 0 of 1 done, deadline 2026-11-17 04:00 UTC: it has PASSED\n    1 stuck\n" in status
    assert f"    stuck: {NAME}: order 5002 (RSA) is Rejected\n" in status
    explained = program.run("explain", NAME).stdout
    assert "distrust            stuck  (order 5002 (RSA) is Rejected; replaces what was requested before" in explained


def test_an_instant_that_has_not_passed_is_an_error_of_the_configuration_by_the_clock_of_the_run(
    program: Program, control: Control
) -> None:
    advance(control, "1h")
    policy(program, campaign("2026-11-16T01:00:00Z", "{labels: {team: web}}"))
    for command in ("validate", "plan"):
        finished = program.run(command)
        assert finished.exit_code == 1
        assert (
            "certrecon.yaml:14:44: error: policy.replace.0.issuedBefore: 2026-11-16T01:00:00Z is yet" in finished.stdout
        )
    advance(control, "1s")
    assert program.run("validate").exit_code == 0
    assert "No changes" not in program.run("plan").stdout
