"""The sandbox as a process: its files, its restart, its end; and the commands that talk to it."""

import errno
import json
import os
import re
import shlex
import shutil
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from reconciler.cli.sandbox import app
from reconciler.sandbox.app import SandboxState
from reconciler.sandbox.server import BackgroundSandbox
from reconciler.sandbox.store import Store
from tests.support.control import Control

COMMAND = [sys.executable, "-c", "from reconciler.cli.sandbox import app; app()", "serve", "--dir"]
FACTS = {
    "cps": str,
    "scm": str,
    "oauth_token_url": str,
    "edge": dict,
    "control": str,
    "ca_file": str,
    "edgerc": str,
    "scm_admin": str,
    "private_ca_file": str,
    "scm_credentials": dict,
    "scm_readonly_credentials": dict,
    "scm_client_certificate": dict,
    "oauth_credentials": dict,
    "pid": int,
}

Serve = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def world(tmp_path: Path, make_state: Callable[..., SandboxState]) -> Path:
    """Return a directory with a saved world, so that no process has to make a certificate authority."""
    Store(tmp_path, SandboxState).save(make_state())
    return tmp_path


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Return a function that starts `certrecon sandbox serve` and waits until it is ready."""
    processes: list[subprocess.Popen[str]] = []

    def start(directory: Path, *options: str) -> "subprocess.Popen[str]":
        process = subprocess.Popen([*COMMAND, os.fspath(directory), *options], stderr=subprocess.PIPE, text=True)
        processes.append(process)
        deadline = time.monotonic() + 60
        while not (directory / "sandbox.json").exists() and process.poll() is None:
            assert time.monotonic() < deadline
            time.sleep(0.02)  # noqa: TID251 - a process of its own, in real time
        return process

    yield start
    for process in processes:
        process.kill()
        process.wait()
        assert process.stderr is not None
        process.stderr.close()


def stopped(process: "subprocess.Popen[str]", number: int = signal.SIGTERM) -> tuple[int, str]:
    process.send_signal(number)
    _, stderr = process.communicate(timeout=20)
    return process.returncode, stderr


def facts_of(directory: Path) -> dict[str, object]:
    facts: dict[str, object] = json.loads((directory / "sandbox.json").read_text())
    return facts


def control_of(directory: Path) -> Control:
    facts = facts_of(directory)
    return Control(str(facts["control"]), str(facts["ca_file"]))


def certrecon(*arguments: str, env: dict[str, str] | None = None) -> Result:
    return CliRunner().invoke(app, list(arguments), env={"COLUMNS": "200", **(env or {})})


def test_facts_have_just_the_members_of_the_interface(sandbox: BackgroundSandbox) -> None:
    facts = facts_of(sandbox.dir)
    assert {name: type(value) for name, value in facts.items()} == FACTS
    assert set(sandbox.urls["edge"]) == {"staging", "production"}
    assert set(sandbox.urls["scm_credentials"]) == {"login", "password", "customer_uri"}
    assert set(sandbox.urls["scm_readonly_credentials"]) == {"login", "password", "customer_uri"}
    assert set(sandbox.urls["scm_client_certificate"]) == {"cert_file", "key_file"}
    assert set(sandbox.urls["oauth_credentials"]) == {"client_id", "client_secret"}
    assert facts["pid"] == os.getpid()
    for name in ("cps", "scm", "scm_admin", "control"):
        assert re.fullmatch(r"https://localhost:\d+", str(facts[name]))


def test_no_file_can_be_read_by_others(sandbox: BackgroundSandbox) -> None:
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in sandbox.dir.iterdir()}
    assert modes == dict.fromkeys(
        ["ca.pem", "private-ca.pem", "scm-client.pem", "scm-client.key", "edgerc", "env", "sandbox.json", "world"],
        0o600,
    )


def test_edgerc_has_two_sections_that_edgegrid_python_reads(sandbox: BackgroundSandbox) -> None:
    from akamai.edgegrid import EdgeRc

    edgerc = EdgeRc(sandbox.urls["edgerc"])
    assert edgerc.sections() == ["default", "readonly"]
    assert f"https://{edgerc.get('default', 'host')}" == sandbox.urls["cps"]
    assert edgerc.get("default", "client_token") != edgerc.get("readonly", "client_token")


def test_env_exports_what_a_shell_understands(sandbox: BackgroundSandbox) -> None:
    script = f". {shlex.quote(os.fspath(sandbox.dir / 'env'))}; env"
    printed = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True, env={}).stdout
    exported = dict(line.split("=", 1) for line in printed.splitlines())
    assert sandbox.environment.items() <= exported.items()
    assert exported["CERTRECON_SANDBOX"] == sandbox.urls["control"]
    assert exported["AKAMAI_HOST"] == sandbox.urls["cps"].removeprefix("https://")


def test_the_files_go_when_the_sandbox_stops(world: Path, serve: Serve) -> None:
    process = serve(world)
    assert facts_of(world)["pid"] == process.pid
    status, stderr = stopped(process)
    assert status == 0
    assert not (world / "sandbox.json").exists()
    assert stderr.splitlines() == [
        "The sandbox is ready, its clock shows 2026-11-16T00:00:00+00:00. Point clients at it with:",
        f'  eval "$(certrecon sandbox env --dir {world})"',
    ]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_restart_keeps_the_world_its_options_and_its_ports(world: Path, serve: Serve, number: int) -> None:
    first = serve(world)
    before = facts_of(world)
    control_of(world).post("/seed", {"count": 3})
    control_of(world).post("/options", {"approvals": "manual"})
    control_of(world).post("/advance", {"by": "36h"})
    state = control_of(world).get("/state")
    assert stopped(first, number)[0] == 0

    serve(world)
    control = control_of(world)
    assert control.get("/state") == state
    assert state["now"] == "2026-11-17T12:00:00Z"
    assert {option["name"]: option["value"] for option in control.get("/options")["options"]}["approvals"] == "manual"
    assert {**facts_of(world), "pid": 0} == {**before, "pid": 0}


def test_a_killed_sandbox_has_saved_what_is_older_than_a_moment(world: Path, serve: Serve) -> None:
    first = serve(world)
    control_of(world).post("/advance", {"by": "36h"})
    time.sleep(1.5)  # noqa: TID251 - the moment
    first.kill()
    first.wait()
    (world / "sandbox.json").unlink()
    serve(world)
    assert control_of(world).get("/clock") == {"now": "2026-11-17T12:00:00Z"}


def test_a_fresh_world_begins_where_it_is_told_to(tmp_path: Path, serve: Serve) -> None:
    process = serve(tmp_path / "new", "--start", "2027-03-01T00:00:00Z", "--seed", "7")
    assert control_of(tmp_path / "new").get("/clock") == {"now": "2027-03-01T00:00:00Z"}
    assert stopped(process)[0] == 0


def test_a_running_clock_runs(world: Path, serve: Serve) -> None:
    serve(world, "--speed", "36000")
    time.sleep(0.2)  # noqa: TID251 - two hours
    assert control_of(world).get("/clock")["now"] > "2026-11-16T01:00:00Z"


@pytest.mark.parametrize(
    ("content", "options", "message"),
    [
        (None, ["--seed", "2"], "a world is saved here and stands at 2026-11-16T00:00:00+00:00"),
        (b"garbage", [], "not a snapshot of a sandbox"),
    ],
)
def test_what_can_not_be_served_is_said_in_one_line(
    world: Path, serve: Serve, content: bytes | None, options: list[str], message: str
) -> None:
    if content is not None:
        (world / "state.msgpack").write_bytes(content)
    process = serve(world, *options)
    _, stderr = process.communicate(timeout=20)
    assert process.returncode == 1
    assert message in stderr
    assert stderr.count("\n") == 1


def test_a_world_that_can_no_longer_be_saved_ends_the_sandbox(world: Path, serve: Serve) -> None:
    process = serve(world)
    control = control_of(world)
    shutil.rmtree(world)
    control.post("/advance", {"by": "1h"})
    _, stderr = process.communicate(timeout=20)
    assert process.returncode == 1
    saying = f"certrecon: {world / 'state.msgpack'}: the world can't be saved: {os.strerror(errno.ENOENT)}"
    assert stderr.splitlines()[-1] == saying


def test_two_sandboxes_in_one_directory_are_refused(world: Path, serve: Serve) -> None:
    first = serve(world)
    second = subprocess.run([*COMMAND, os.fspath(world)], capture_output=True, text=True, timeout=60, check=False)
    assert second.returncode == 1
    assert f"a sandbox runs here already (process {first.pid})" in second.stderr
    assert (world / "sandbox.json").exists()


def test_advance_prints_where_the_clock_is(sandbox: BackgroundSandbox) -> None:
    directory = os.fspath(sandbox.dir)
    assert certrecon("advance", "--dir", directory).output == "2026-11-16T00:00:00Z\n"
    assert certrecon("advance", "36h", "--dir", directory).output == "2026-11-17T12:00:00Z\n"
    assert certrecon("advance", "--to", "2026-12-01T00:00:00Z", "--dir", directory).output == "2026-12-01T00:00:00Z\n"


def test_commands_find_the_sandbox_by_the_environment(sandbox: BackgroundSandbox) -> None:
    assert certrecon("advance", env=sandbox.environment).output == "2026-11-16T00:00:00Z\n"


def test_env_is_printed_as_it_stands(sandbox: BackgroundSandbox) -> None:
    assert certrecon("env", "--dir", os.fspath(sandbox.dir)).output == (sandbox.dir / "env").read_text()


def test_seed_writes_files(sandbox: BackgroundSandbox, tmp_path: Path) -> None:
    target = tmp_path / "certificates" / "seeded"
    result = certrecon("seed", "--count", "3", "--write", os.fspath(target), "--dir", os.fspath(sandbox.dir))
    assert re.fullmatch(r"3 enrollments in \d+\.\d s\n", result.output)
    assert len(list(target.iterdir())) == 4
    assert len(sandbox.cps.state.enrollments) == 3


def test_faults_are_armed_from_the_command_line(sandbox: BackgroundSandbox) -> None:
    where = ("--dir", os.fspath(sandbox.dir))
    arming = certrecon("fault", "status", "scm.enroll", "--status", "429", "--header", "Retry-After: 60", *where)
    assert arming.exit_code == 0
    (fault,) = sandbox.faults.armed
    assert (fault.status, fault.headers) == (429, {"Retry-After": "60"})
    assert certrecon("fault", *where).output == "status scm.enroll nth=1 times=1\n"
    assert certrecon("fault", "--clear", *where).exit_code == 0
    assert sandbox.faults.armed == []


def test_options_are_set_and_listed_from_the_command_line(sandbox: BackgroundSandbox) -> None:
    where = ("--dir", os.fspath(sandbox.dir))
    assert certrecon("set", "approvals=manual", "staging_s=5m", *where).exit_code == 0
    assert (sandbox.scm.options.approvals, sandbox.cps.options.staging_s) == ("manual", 300.0)
    assert "approvals=manual  (auto|manual)" in certrecon("set", *where).output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["advance", "soon"], "'soon' is no duration"),
        (["fault", "explode", "scm.enroll"], "explode"),
        (["fault", "refuse", "scm.enrol"], "no operation fits 'scm.enrol'"),
        (["set", "aprovals=manual"], "did you mean approvals"),
        (["seed", "--count", "3", "--due", "4"], "due can't be more than count"),
    ],
)
def test_what_the_sandbox_refuses_is_said_in_one_line(
    sandbox: BackgroundSandbox, arguments: list[str], message: str
) -> None:
    result = certrecon(*arguments, "--dir", os.fspath(sandbox.dir))
    assert result.exit_code == 1
    assert result.output.startswith("certrecon: ")
    assert message in result.output
    assert result.output.count("\n") == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ["advance", "1h", "--to", "2026-12-01T00:00:00Z"],
        ["advance", "--to", "tomorrow"],
        ["advance", "--to", "2026-12-01T00:00:00"],
        ["fault", "refuse"],
        ["set", "approvals"],
        ["seed", "--count", "0"],
    ],
)
def test_wrong_usage_is_refused_as_such(sandbox: BackgroundSandbox, arguments: list[str]) -> None:
    assert certrecon(*arguments, "--dir", os.fspath(sandbox.dir)).exit_code == 2


def test_a_sandbox_that_does_not_run_is_named_with_the_remedy(tmp_path: Path) -> None:
    result = certrecon("advance", "1h", "--dir", os.fspath(tmp_path))
    assert (result.exit_code, result.output) == (
        1,
        f"certrecon: no sandbox runs in {tmp_path}: start it with 'certrecon sandbox serve --dir {tmp_path}'\n",
    )


def test_without_directory_and_environment_the_question_is_which(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CERTRECON_SANDBOX", raising=False)
    result = certrecon("advance", "1h")
    assert result.exit_code == 1
    assert result.output.startswith("certrecon: which sandbox? give --dir")


def test_only_loopback_is_taken_for_a_sandbox(sandbox: BackgroundSandbox) -> None:
    env = {**sandbox.environment, "CERTRECON_SANDBOX": "https://cert-manager.com"}
    result = certrecon("advance", "1h", env=env)
    assert result.exit_code == 1
    assert "https://cert-manager.com is not a sandbox" in result.output


def test_a_sandbox_that_has_gone_is_said(sandbox: BackgroundSandbox) -> None:
    env = {**sandbox.environment, "CERTRECON_SANDBOX": "https://localhost:1"}
    result = certrecon("advance", "1h", env=env)
    assert result.exit_code == 1
    assert result.output.startswith("certrecon: no sandbox answers at https://localhost:1 (")
