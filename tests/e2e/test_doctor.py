"""`doctor` and `verify` over HTTP and TLS: what they find, and that they change nothing."""

from pathlib import Path
from typing import Any

from tests.support.control import Control
from tests.support.program import Finished, Program

NAME = "www.example.com"
HEAD = f"apiVersion: certrecon/v1\ncommonName: {NAME}\n"


def checks(finished: Finished) -> dict[tuple[str, str | None], dict[str, Any]]:
    return {(one["topic"], one["subject"]): one for one in finished.json["checks"]}


def failing(finished: Finished) -> set[tuple[str, str | None]]:
    return {key for key, one in checks(finished).items() if one["state"] == "fail"}


def test_a_project_in_order_passes_and_nothing_is_changed(program: Program, control: Control) -> None:
    finished = program.run("doctor", "--format", "json")
    assert finished.exit_code == 0, finished.stdout
    assert {one["state"] for one in finished.json["checks"]} == {"ok"}
    topics = {one["topic"] for one in finished.json["checks"]}
    assert topics == {
        "configuration",
        "files",
        "clock",
        "credentials",
        "contracts",
        "rights",
        "password",
        "profiles",
        "lock and journal",
    }
    assert control.get("/calls")["mutating_total"] == 0
    assert not [*Path(program.environment["CERTRECON_STATE_DIR"]).rglob("*.json")]


def test_each_thing_that_is_wrong_is_found_with_its_remedy(program: Program, control: Control) -> None:
    program.write(f"certificates/{NAME}.yaml", HEAD + "sectigo: {profile: OV Multi}\nakamai: {contract: C-9}\n")
    finished = program.run("doctor", "--format", "json")
    assert finished.exit_code == 1
    assert failing(finished) == {("contracts", "account main"), ("profiles", "instance enterprise")}
    assert 'Did you mean "OV Multi-Domain"?' in checks(finished)["profiles", "instance enterprise"]["remedy"]
    program.write(f"certificates/{NAME}.yaml", HEAD + "nonsense: 1\n")
    program.environment |= {"SECTIGO_PASSWORD": "xyzzy-plugh", "AKAMAI_EDGERC": "/nowhere"}
    finished = program.run("doctor", "--format", "json")
    assert failing(finished) == {
        ("files", None), ("credentials", "account main"), ("credentials", "instance enterprise")
    }  # fmt: skip
    assert "xyzzy" not in finished.stdout
    program.write("certrecon.yaml", "apiVersion: certrecon/v1\n")
    finished = program.run("doctor", "--format", "json")
    assert finished.exit_code == 1
    assert {one["state"] for one in finished.json["checks"]} == {"fail", "skipped"}
    assert control.get("/calls")["mutating_total"] == 0


def test_verify_tells_what_both_networks_serve_without_credentials(program: Program, control: Control) -> None:
    finished = program.run("verify")
    assert finished.exit_code == 1
    assert "nothing is served for www.example.com" in finished.stdout
    assert program.apply().exit_code == 0
    control.delete("/calls")
    program.environment |= {"SECTIGO_PASSWORD": "", "AKAMAI_EDGERC": "/nowhere"}
    finished = program.run("verify", "--format", "json")
    assert finished.exit_code == 0, finished.stdout
    assert [(one["network"], one["verdict"]) for one in finished.json["verdicts"]] == [
        ("staging", "ok"), ("production", "ok")
    ]  # fmt: skip
    assert [one["served"][0]["key_type"] for one in finished.json["verdicts"]] == ["RSA-2048", "RSA-2048"]
    program.write(f"certificates/{NAME}.yaml", HEAD + "dnsNames: [img.example.com]\n")
    finished = program.run("verify", "--network", "production")
    assert finished.exit_code == 1
    assert "does not hold img.example.com" in finished.stdout
    assert "staging" not in finished.stdout
    program.write(f"certificates/{NAME}.yaml", HEAD + "nonsense: 1\n")
    assert program.run("verify").exit_code == 1
    assert program.run("verify", "--network", "moon").exit_code == 64
    assert control.get("/calls")["mutating_total"] == 0
