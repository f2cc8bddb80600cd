"""What a run leaves for machines and for people who are not there: events, metrics, notifications. One sandbox."""

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator
from prometheus_client.parser import text_string_to_metric_families

from reconciler.errors import ExitCode
from reconciler.sandbox.server import BackgroundSandbox
from tests.support.control import Control
from tests.support.program import ROOT, Finished, Program, small_repository
from tests.support.receiver import receiving

EVENT = Draft7Validator(json.loads((ROOT / "schemas" / "event.schema.json").read_text()))
SECRET = "a-path-that-is-a-secret"


@pytest.fixture
def program(sandbox: BackgroundSandbox, tmp_path: Path) -> Program:
    repository = small_repository(tmp_path / "project", "www.example.com")
    environment = {**sandbox.environment, "CERTRECON_STATE_DIR": str(tmp_path / "state")}
    return Program(repository=repository, environment=environment)


def metrics(file: Path) -> dict[tuple[str, str], float]:
    samples = [one for family in text_string_to_metric_families(file.read_text()) for one in family.samples]
    return {(one.name, ",".join(sorted(one.labels.values()))): one.value for one in samples}


def test_an_apply_leaves_events_and_metrics(program: Program, control: Control, tmp_path: Path) -> None:
    events, prom = tmp_path / "events.ndjson", tmp_path / "certrecon.prom"
    finished = program.apply("--output", f"events={events}", "--output", f"metrics={prom}")
    assert finished.exit_code == 0, finished.stderr

    lines = [json.loads(line) for line in events.read_text().splitlines()]
    for line in lines:
        assert [*EVENT.iter_errors(line)] == [], line
    kinds = [line["kind"] for line in lines]
    assert (kinds[0], kinds[-1]) == ("run-started", "run-ended")
    assert {"look", "wait", "step-begun", "step-ended", "certificate-ended"} <= set(kinds)
    begun = [line["operation"] for line in lines if line["kind"] == "step-begun"]
    assert begun[:2] == ["create enrollment", "submit order"]
    assert [line["operation"] for line in lines if line["kind"] == "step-ended"] == begun
    assert [line["at"] for line in lines] == sorted(line["at"] for line in lines)
    assert lines[-1]["exit_code"] == 0

    found = metrics(prom)
    assert found["certrecon_certificates_by_phase", "production"] == 1
    assert found["certrecon_last_run_exit_code", "apply"] == 0
    assert (
        found["certrecon_certificate_expiry_timestamp_seconds", "main,www.example.com"]
        > found["certrecon_last_success_timestamp_seconds", "apply"]
    )
    assert prom.stat().st_mode & 0o777 == 0o644

    status = program.run("status", "--output", f"metrics={prom}", "--fail-on", "critical")
    assert status.exit_code == 0
    both = metrics(prom)
    assert both["certrecon_last_run_exit_code", "status"] == 0
    assert (
        both["certrecon_last_success_timestamp_seconds", "apply"]
        == found["certrecon_last_success_timestamp_seconds", "apply"]
    )
    assert sorted(path.name for path in tmp_path.iterdir() if "prom" in path.name) == ["certrecon.prom"]
    assert "certrecon_certificate_level" in program.run("status", "--output", "metrics=-").stdout
    assert program.run("plan", "--output", f"metrics={prom}").exit_code == ExitCode.USAGE


def notified(program: Program, url: str, *arguments: str) -> Finished:
    program.environment["NOTIFY_URL"] = url
    finished = program.apply(*arguments, wait="0s")
    for text in (finished.stdout, finished.stderr):
        assert SECRET not in text
    return finished


def test_people_are_told_when_a_level_changes_and_no_failure_of_that_is_one_of_the_run(
    program: Program, control: Control
) -> None:
    configuration = (program.repository / "certrecon.yaml").read_text()
    program.write(
        "certrecon.yaml", f"{configuration}\nnotify: [{{url: NOTIFY_URL, on: [critical, blocked, failed]}}]\n"
    )
    assert program.apply().exit_code == 0
    stuck = "apiVersion: certrecon/v1\ncommonName: www.example.com\nakamai: {sniOnly: false}\n"
    program.write("certificates/www.example.com.yaml", stuck)

    refused = notified(program, f"json://127.0.0.1:1/{SECRET}")
    assert "warning: notification: NOTIFY_URL: the service did not take it" in refused.stderr
    plain = program.run("--verbose", "apply", "--auto-approve")
    assert SECRET not in plain.stderr
    assert (refused.exit_code, refused.stdout) == (plain.exit_code, plain.stdout)

    with receiving() as receiver:
        url = f"json://127.0.0.1:{receiver.server_port}/{SECRET}"
        for _ in range(2):
            notified(program, url)
        assert [told["title"] for told in receiver.bodies] == ["certrecon web: 1 blocked"]
        assert receiver.bodies[0]["message"].startswith("blocked: www.example.com: ")
        control.post("/advance", {"by": "24h"})
        notified(program, url)
        program.write("certificates/www.example.com.yaml", stuck.rpartition("akamai")[0])
        notified(program, url)
        assert [told["title"] for told in receiver.bodies[1:]] == [
            "certrecon web: 1 blocked",
            "certrecon web: 1 well again",
        ]

        program.environment["SECTIGO_PASSWORD"] = "not-the-password"
        failed = notified(program, url)
        assert failed.exit_code == ExitCode.ERROR
        assert receiver.bodies[-1]["title"] == "certrecon web: 1 failed"
        assert "not-the-password" not in receiver.bodies[-1]["message"]
    history: Any = program.run("history", "www.example.com").stdout
    assert "people were told: blocked" in history
