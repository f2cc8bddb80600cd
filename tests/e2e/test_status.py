"""`status`, `show`, `explain`, `history` over HTTP: what they tell. `test_readonly` has what they need and touch."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.control import Control
from tests.support.program import Program, state_files

NAME = "www.example.com"
HEAD = f"apiVersion: certrecon/v1\ncommonName: {NAME}\n"


@pytest.fixture
def live(program: Program, control: Control) -> Program:
    """Return the program with one certificate in production."""
    assert program.apply().exit_code == 0
    control.delete("/calls")
    return program


@pytest.mark.parametrize("arguments", [["status"], ["explain", NAME], ["history", NAME]], ids=" ".join)
def test_a_held_lock_is_neither_waited_for_nor_touched(live: Program, arguments: list[str]) -> None:
    before = hold_lock(live)
    assert live.run("lock", "show", "--format", "json").json["accounts"][0]["held"] is True
    finished = live.run(*arguments)
    assert finished.exit_code == 0, finished.stdout + finished.stderr
    assert state_files(live) == before


def hold_lock(program: Program) -> dict[str, str]:
    (path,) = Path(program.environment["CERTRECON_STATE_DIR"]).rglob("lock.json")
    record = json.loads(path.read_text())
    path.write_text(json.dumps(record | {"free": False}))
    return state_files(program)


# Status


def certificate(finished: Any) -> dict[str, Any]:
    (found,) = finished.json["certificates"]
    assert isinstance(found, dict)
    return found


def test_status_turns_from_ok_to_critical_and_fails_only_where_asked(live: Program, control: Control) -> None:
    assert live.run("status", "--fail-on", "warn", "--fail-on", "blocked").exit_code == 0
    control.post("/advance", {"by": "180d"})
    assert certificate(live.run("status", "--format", "json"))["level"] == "warn"
    assert live.run("status").exit_code == 0
    assert live.run("status", "--fail-on", "critical").exit_code == 0
    assert live.run("status", "--fail-on", "warn").exit_code == 1
    control.post("/advance", {"by": "10d"})
    assert certificate(live.run("status", "--format", "json"))["level"] == "critical"
    assert live.run("status", "--fail-on", "critical").exit_code == 1
    control.post("/advance", {"by": "30d"})
    assert "EXPIRED" in live.run("status").stdout
    assert live.run("status", "--fail-on", "nonsense").exit_code == 64


def test_a_blocked_certificate_is_told_with_its_remedy_and_fails_where_asked(live: Program, control: Control) -> None:
    (enrollment,) = control.get("/state")["enrollments"]
    control.post("/seed", {"count": 1})
    live.write(f"certificates/{NAME}.yaml", HEAD + "akamai: {sniOnly: false}\n")
    finished = live.run("status")
    assert finished.exit_code == 0
    assert "blocked at absent (in-the-way): author of the file acts" in finished.stdout
    assert str(enrollment["id"]) in finished.stdout
    assert live.run("status", "--fail-on", "blocked").exit_code == 4


def test_a_wait_names_who_acts(program: Program, control: Control) -> None:
    control.post("/options", {"approvals": "manual"})
    program.write(f"certificates/{NAME}.yaml", HEAD + "sectigo: {profile: EV Multi-Domain}\n")
    assert program.apply(wait="1h").exit_code == 3
    work = certificate(program.run("status", "--format", "json"))["work"]
    assert (work["state"], work["actor"]) == ("waiting", "SCM approver")
    assert work["since"] is not None
    assert "An SCM administrator other than the requester approves it." in program.run("status").stdout


def test_a_certificate_without_file_is_released_and_a_stranger_is_unmanaged(live: Program, control: Control) -> None:
    control.post("/seed", {"count": 1})
    (live.repository / f"certificates/{NAME}.yaml").unlink()
    live.write("certificates/new.example.com.yaml", "apiVersion: certrecon/v1\ncommonName: new.example.com\n")
    found = live.run("status", "--format", "json").json["unclaimed_enrollments"]
    assert [(one["common_name"], one["claim"]) for one in found] == [
        (NAME, "released"),
        ("s0001.example.com", "unmanaged"),
    ]
    live.write("certificates/broken.yaml", "commonName: [\n")
    broken = live.run("status", "--format", "json")
    assert (broken.exit_code, broken.json["unclaimed_enrollments"]) == (1, None)


def test_settings_changed_by_hand_are_told_as_drift(live: Program, control: Control) -> None:
    live.write(f"certificates/{NAME}.yaml", HEAD + "akamai: {ocspStapling: 'off'}\n")
    (difference,) = certificate(live.run("status", "--format", "json"))["drift"]
    assert (difference["field"], difference["before"], difference["after"]) == ("akamai.ocspStapling", "on", "off")


def test_a_renewed_certificates_old_order_is_superseded_and_a_second_one_is_a_stray(
    live: Program, control: Control
) -> None:
    control.post("/advance", {"by": "170d"})
    control.post("/scm/validate_domain", {"name": "example.com"})
    assert live.apply().exit_code == 0
    (stray,) = live.run("status", "--format", "json").json["stray_orders"]
    assert stray["superseded"] is True
    assert "1 superseded" in live.run("status").stdout


def test_an_incomplete_reading_is_exit_1_and_says_what(live: Program, control: Control) -> None:
    for operation in ("scm.report", "scm.list_orders"):
        control.post("/faults", {"operation": operation, "kind": "status", "status": 500, "times": 0})
    finished = live.run("status")
    assert finished.exit_code == 1, finished.stdout
    assert "Could not be read completely" in finished.stdout


def test_a_damaged_journal_is_said_and_health_is_told_all_the_same(live: Program) -> None:
    (path,) = Path(live.environment["CERTRECON_STATE_DIR"]).rglob("open.json")
    path.write_text("{")
    finished = live.run("status")
    assert finished.exit_code == 1
    assert "open.json cannot be read" in finished.stdout
    assert "RSA until 2027-06-02" in finished.stdout


# Show, explain, history


def test_show_has_file_enrollment_both_networks_and_orders(live: Program) -> None:
    facts = live.run("show", NAME, "--format", "json").json["facts"]
    (order,) = (key for key in facts if key.startswith("order_"))
    assert facts["production_RSA"]["serial"] == facts["staging_RSA"]["serial"]
    assert facts[order]["serial"]["value"] == facts["production_RSA"]["serial"]["value"]
    assert facts[order]["placed_by"]["value"] == "certrecon"
    assert facts["certificate"]["contract"]["source"] == "certificates/_defaults.yaml:7:3"
    assert facts["certificate"]["account"]["source"] == "the only one in certrecon.yaml"


def test_show_effective_works_offline(program: Program, control: Control) -> None:
    shown = program.run("show", NAME, "--effective")
    assert shown.exit_code == 0
    assert "certificates/_defaults.yaml:7" in shown.stdout
    assert control.get("/calls")["total"] == 0


def test_show_renders_a_saved_plan_and_refuses_a_newer_one(program: Program, control: Control) -> None:
    planned = program.run("plan", "--output", "json=plan.json", "--output", "events=events.jsonl")
    events = [json.loads(line) for line in (program.repository / "events.jsonl").read_text().splitlines()]
    assert [event["kind"] for event in events] == ["run-started", "run-ended"]
    control.delete("/calls")
    shown = program.run("show", "plan.json")
    assert shown.exit_code == 0
    assert shown.stdout == planned.stdout
    assert f"  + create      {NAME}" in shown.stdout
    assert program.run("show", "plan.json", "--format", "json").json["kind"] == "plan"
    assert control.get("/calls")["total"] == 0
    path = program.repository / "plan.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"format_version": "2.0"}))
    refused = program.run("show", "plan.json")
    assert (refused.exit_code, "format_version is 2.0" in refused.stderr) == (1, True)


@pytest.mark.parametrize("command", ["show", "explain", "history"])
def test_a_wrong_name_gets_the_nearest_and_a_broken_file_its_problems(program: Program, command: str) -> None:
    near = program.run(command, "www.exampel.com")
    assert (near.exit_code, f'Did you mean "{NAME}"?' in near.stderr) == (64, True)
    program.write(f"certificates/{NAME}.yaml", HEAD + "nonsense: 1\n")
    broken = program.run(command, NAME)
    assert (broken.exit_code, "nonsense" in broken.stderr) == (1, True)


def test_explain_names_the_need_the_rule_and_what_decided(live: Program, control: Control) -> None:
    control.post("/advance", {"by": "170d"})
    facts = live.run("explain", NAME, "--format", "json").json["facts"]
    assert facts["need"]["needs"]["value"] == "renew"
    assert facts["ownership"]["pending_change_is"]["value"] == "CPS's own"
    assert facts["dates"]["lifetime"]["value"] == 199 * 86400
    assert facts["dates"]["due"]["value"] < facts["dates"]["now"]["value"] < facts["dates"]["warn_from"]["value"]
    assert facts["order"]["limit"]["value"] == "100 days"
    assert facts["decision"]["blocked"]["value"] == "preflight"  # the domain's validation is dead by then
    control.post("/scm/validate_domain", {"name": "example.com"})
    assert live.run("explain", NAME, "--format", "json").json["facts"]["decision"]["action"]["value"] == "renew"


def test_history_merges_the_journal_with_what_cps_did_itself(live: Program, control: Control) -> None:
    control.post("/advance", {"by": "150d"})
    events = live.run("history", NAME, "--format", "json").json["events"]
    told = [event["text"].split(";")[0] for event in events]
    assert told[0] == "intent: create enrollment"
    assert told[-1] == "renew opened by <auto-renewal>"
    assert [event["at"] for event in events] == sorted(event["at"] for event in events)
    assert sum("submit order" in text for text in told) == 2  # meant, and done


def test_history_without_a_journal_is_what_cps_tells(live: Program) -> None:
    text = (live.repository / "certrecon.yaml").read_text()
    live.write("certrecon.yaml", text.replace("backend: file", "backend: none"))
    finished = live.run("history", NAME, "--format", "json")
    assert finished.exit_code == 0, finished.stderr
    assert {event["source"] for event in finished.json["events"]} == {"cps"}


# Report


def test_a_report_tells_plan_status_validations_and_orders_of_one_look(live: Program, tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    finished = live.run("report", "--output", f"html={page}", "--format", "json", "--about", "project=prod")
    assert finished.exit_code == 0, finished.stderr
    report = finished.json
    assert (report["kind"], report["plan"]["at"], report["status"]["at"]) == ("report", report["at"], report["at"])
    assert certificate_names(report["plan"]) == certificate_names(report["status"]) == [NAME]
    validations = {(one["subject"], one["name"]): one["until"] for one in report["validations"]}
    # What was validated with 198 days to go counts for 100 on 2027-03-15, when these are over.
    assert validations["domain", "example.com"] == "2027-03-14"
    assert ("organization", "Example Ltd") in validations
    assert [one["max_days"] for one in report["load"]["limits"]] == [199, 100, 47]
    assert report["load"]["year_orders"] >= 3
    text = page.read_text()
    assert text.startswith("<!DOCTYPE html>")
    for title in ("What would be done", "Time line", "Orders to come", "Validations", "Certificates"):
        assert f">{title}</h2>" in text
    said = live.run("report").stdout
    assert "domain example.com at enterprise: can be used until 2027-03-14, for 1 certificate" in said


def certificate_names(document: dict[str, Any]) -> list[str]:
    return [one["name"] for one in document["certificates"]]


def test_plan_status_and_apply_make_pages_and_a_saved_plan_the_same_one(live: Program, tmp_path: Path) -> None:
    saved, page = tmp_path / "plan.json", tmp_path / "plan.html"
    assert live.run("plan", "--output", f"json={saved}", "--output", f"html={page}").exit_code == 0
    assert live.run("show", str(saved), "--format", "html").stdout == page.read_text()
    assert "<h1>certrecon status</h1>" in live.run("status", "--format", "html").stdout
    assert "<h1>certrecon apply</h1>" in live.apply("--format", "html").stdout
    assert live.run("validate", "--format", "html").exit_code == 64
