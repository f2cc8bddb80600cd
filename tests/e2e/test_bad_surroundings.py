"""Credentials, addresses and names that do not fit the services: one clear message each, with place and remedy."""

import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import pytest

from reconciler.sandbox.server import BackgroundSandbox
from tests.support.control import Control
from tests.support.program import Program

Break = Callable[[Program], None]


@dataclass(frozen=True, kw_only=True)
class Bad:
    """One thing that is wrong: how to make it so, and what the message must say."""

    make: Break
    said: tuple[str, ...]


def variable(name: str, value: str | None) -> Break:
    def make(program: Program) -> None:
        if value is None:
            del program.environment[name]
        else:
            program.environment[name] = value

    return make


def field(text: str) -> Break:
    def make(program: Program) -> None:
        program.write("certificates/www.example.com.yaml", f"commonName: www.example.com\n{text}\n")

    return make


def edgerc(old: str, new: str) -> Break:
    def make(program: Program) -> None:
        path = Path(program.environment["AKAMAI_EDGERC"])
        changed = program.repository / "edgerc"
        lines = [new if line.startswith(old) else line for line in path.read_text().splitlines()]
        changed.write_text("\n".join(lines) + "\n")
        program.environment["AKAMAI_EDGERC"] = str(changed)

    return make


FILE = "certificates/www.example.com.yaml:2"
BAD = {
    "unknown profile": Bad(
        make=field("apiVersion: certrecon/v1\nsectigo: {profile: OV Multi-Domian}"),
        said=("certificates/www.example.com.yaml:3", "OV Multi-Domian", 'Did you mean "OV Multi-Domain"?'),
    ),
    "unknown organization": Bad(
        make=field("apiVersion: certrecon/v1\nsectigo: {organization: Exampel Ltd}"),
        said=("certificates/www.example.com.yaml:3", "Exampel Ltd", 'Did you mean "Example Ltd"?'),
    ),
    "unknown contract": Bad(
        make=field("apiVersion: certrecon/v1\nakamai: {contract: C-NONE}"),
        said=("certificates/www.example.com.yaml:3", "C-NONE", "It has: C-1ABCDEF, C-2GHIJKL."),
    ),
    "term that no profile offers": Bad(
        make=field("apiVersion: certrecon/v1\nsectigo: {term: 20}"),
        said=("certificates/www.example.com.yaml:3", "TERM-01", "at most 20 days"),
    ),
    "EV profile by id with a wildcard": Bad(
        make=field('apiVersion: certrecon/v1\ndnsNames: ["*.example.com"]\nsectigo: {profile: "2022"}'),
        said=("certificates/www.example.com.yaml:4", "PROF-02", "EV allows no wildcard"),
    ),
    "no password": Bad(make=variable("SECTIGO_PASSWORD", None), said=("SECTIGO_PASSWORD", "certrecon.yaml")),
    "wrong password": Bad(
        make=variable("SECTIGO_PASSWORD", "wrong-and-secret"), said=("scm:", "Check the login", "certrecon.yaml")
    ),
    "no credentials file": Bad(make=variable("AKAMAI_EDGERC", "/nonexistent/edgerc"), said=("/nonexistent/edgerc",)),
    "no section": Bad(make=edgerc("[default]", "[other]"), said=("default", "edgerc")),
    "no token": Bad(make=edgerc("client_token", ""), said=("client_token", "edgerc")),
    "wrong secret": Bad(
        make=edgerc("client_secret", "client_secret = wrong-and-secret"), said=("cps:", "signature does not match")
    ),
    "unknown client": Bad(
        make=edgerc("client_token", "client_token = akab-nobody"), said=("cps:", "Inactive client token")
    ),
    "host that is not Akamai's": Bad(make=edgerc("host", "host = evil.example.com"), said=("evil.example.com", "not")),
    "sandbox not running": Bad(
        make=variable("CERTRECON_SANDBOX", "https://localhost:9"), said=("sandbox", "certrecon sandbox serve")
    ),
    "roots that do not exist": Bad(
        make=variable("CERTRECON_CA_FILE", "/nonexistent/ca.pem"), said=("CERTRECON_CA_FILE",)
    ),
    "roots that are none": Bad(make=variable("CERTRECON_CA_FILE", "/etc/hostname"), said=("CERTRECON_CA_FILE",)),
}


@pytest.mark.parametrize("command", ["plan", "apply"])
@pytest.mark.parametrize("bad", BAD)
def test_bad_surroundings_give_one_clear_message(program: Program, control: Control, bad: str, command: str) -> None:
    BAD[bad].make(program)
    finished = program.run(command) if command == "plan" else program.apply(wait="0s")
    said = finished.stdout + finished.stderr
    assert finished.exit_code == 1, said
    for text in BAD[bad].said:
        assert text in said, said
    assert "Traceback" not in said
    assert "wrong-and-secret" not in said
    assert control.get("/calls")["mutating_total"] == 0


def test_a_clock_that_is_two_minutes_off_is_named_with_its_offset(
    program: Program, control: Control, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The machine's clock is behind: both the signature and our own idea of the time are."""
    now = time.time()
    late = time.gmtime(now - 120)
    monkeypatch.setattr("akamai.edgegrid.edgegrid.eg_timestamp", lambda: time.strftime("%Y%m%dT%H:%M:%S+0000", late))
    monkeypatch.setattr(
        "reconciler.services.http.time", SimpleNamespace(time=lambda: now - 120, monotonic=time.monotonic)
    )  # the client's alone
    finished = program.plan()
    assert finished.exit_code == 1
    assert re.search(r"clock is 1(19|20|21) s behind", finished.stderr), finished.stderr
    assert control.get("/calls")["mutating_total"] == 0


def test_wrong_usage_is_64_and_never_2(program: Program) -> None:
    for arguments in (["plan", "--nonsense"], ["nonsense"], ["plan", "--format", "xml"], ["apply", "--wait", "soon"]):
        assert program.run(*arguments).exit_code == 64, arguments


def test_read_only_credentials_plan_and_cannot_apply(program: Program, sandbox: BackgroundSandbox) -> None:
    edgerc("[default]", "[hidden]")(program)
    changed = Path(program.environment["AKAMAI_EDGERC"])
    changed.write_text(changed.read_text().replace("[readonly]", "[default]"))
    reader = sandbox.urls["scm_readonly_credentials"]
    program.environment |= {"SECTIGO_LOGIN": reader["login"], "SECTIGO_PASSWORD": reader["password"]}
    assert program.plan().exit_code == 2
    finished = program.apply(wait="0s")
    assert finished.exit_code == 1
    assert "may only read" in finished.stderr
    assert sandbox.cps.state.enrollments == {}
