"""A newcomer's way: an empty folder, `init`, one certificate, and the hints that each command ends with."""

import re
import shlex
from pathlib import Path

import pytest

from reconciler.sandbox.server import BackgroundSandbox
from tests.support.control import Control
from tests.support.locks import bare_remote, git
from tests.support.program import Finished, Program


@pytest.fixture
def newcomer(sandbox: BackgroundSandbox, tmp_path: Path) -> Program:
    """Return certrecon in an empty folder, pointed at the sandbox."""
    folder = tmp_path / "empty"
    folder.mkdir()
    return Program(repository=folder, environment=sandbox.environment)


def next_command(finished: Finished) -> list[str]:
    """Return the arguments of the command that `finished` hints at."""
    (command,) = re.findall(r"^Next: certrecon (.*?)(?:  \(.*)?$", finished.stderr, re.MULTILINE)
    return shlex.split(command)


def write_what_is_shown(program: Program, finished: Finished) -> None:
    """Write the file that `init` shows, as a person would who copies it."""
    (path,) = re.findall(r"Write a first certificate, (\S+):", finished.stderr)
    lines = [line[4:] for line in finished.stderr.splitlines() if line.startswith("    ")]
    program.write(path, "\n".join(lines) + "\n")


def test_from_an_empty_folder_to_a_served_certificate_by_the_hints(newcomer: Program, control: Control) -> None:
    finished = newcomer.run("init")
    assert finished.exit_code == 0, finished.stderr
    write_what_is_shown(newcomer, finished)
    told = [["init"]]
    while told[-1][0] != "status" and len(told) < 10:
        told.append(next_command(finished))
        finished = newcomer.run(*told[-1])
        assert finished.exit_code in (0, 3), finished.stdout + finished.stderr
    assert [command[0] for command in told] == ["init", "validate", "plan", "apply", "apply", "status"]
    assert "www.example.com" in finished.stdout
    assert "Status: 1 ok." in finished.stdout
    assert len(control.get("/state")["enrollments"]) == 1
    assert newcomer.run("verify").exit_code == 0
    assert newcomer.run("doctor").exit_code == 0
    assert newcomer.run("fmt", "--check").exit_code == 0


def test_init_begins_the_journal_where_remote_and_credentials_are(newcomer: Program, tmp_path: Path) -> None:
    origin = bare_remote(tmp_path / "origin.git")
    git(newcomer.repository, "init", "--quiet")
    git(newcomer.repository, "remote", "add", "origin", str(origin))
    finished = newcomer.run("init", "--no-github")
    assert finished.exit_code == 0, finished.stderr
    assert "journal of account main: is there" in finished.stderr
    refs = git(origin, "for-each-ref", "--format=%(refname)").split()
    assert [ref.rpartition("/")[0] for ref in refs] == ["refs/certrecon/journal", "refs/certrecon/lock"]
    assert newcomer.run("init", "--no-github").exit_code == 0
    assert newcomer.run("lock", "show", "--format", "json").json["accounts"][0]["held"] is False
