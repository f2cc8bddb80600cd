"""The pre-commit hooks: which files they are for, and that their entries are commands that need no network."""

import re
import shlex
import socket
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from tests.support.program import ROOT, Program, small_repository

HOOKS: dict[str, dict[str, Any]] = {
    hook["id"]: hook for hook in YAML(typ="safe").load((ROOT / ".pre-commit-hooks.yaml").read_text())
}


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Program:
    """Return certrecon on a small project, where nothing can be asked of a network."""

    def refuse(*_: object) -> None:
        raise AssertionError("a hook asked the network")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.delenv("CERTRECON_SANDBOX", raising=False)
    return Program(repository=small_repository(tmp_path / "project", "www.example.com"))


def run(program: Program, hook: str) -> int:
    name, *arguments = shlex.split(HOOKS[hook]["entry"])
    assert name == "certrecon"
    return program.run(*arguments).exit_code


def test_there_are_two() -> None:
    assert set(HOOKS) == {"certrecon-validate", "certrecon-fmt"}


@pytest.mark.parametrize("hook", HOOKS)
@pytest.mark.parametrize(
    ("path", "meant"),
    [
        ("certrecon.yaml", True),
        ("certificates/web/www.yaml", True),
        ("certificates/_defaults.yaml", True),
        ("certificates/www.yml", True),  # it is not read: `validate` says so
        ("prod/certificates/www.yaml", True),
        ("README.md", False),
        ("other/www.yaml", False),
    ],
)
def test_each_runs_where_its_files_are_touched(hook: str, path: str, meant: bool) -> None:
    assert bool(re.search(HOOKS[hook]["files"], path)) is meant


@pytest.mark.parametrize("hook", HOOKS)
def test_each_looks_at_the_whole_project(hook: str) -> None:
    assert HOOKS[hook]["pass_filenames"] is False
    assert HOOKS[hook]["language"] == "python"


def test_validate_fails_on_a_wrong_file(program: Program) -> None:
    assert run(program, "certrecon-validate") == 0
    program.write("certificates/bad.yaml", "apiVersion: certrecon/v1\ncommonName: bad\n")
    assert run(program, "certrecon-validate") == 1


def test_fmt_rewrites_a_file_which_pre_commit_takes_for_a_failure(program: Program) -> None:
    program.write("certificates/late.yaml", "commonName: late.example.com\napiVersion: certrecon/v1\n")
    assert run(program, "certrecon-fmt") == 0
    assert (program.repository / "certificates" / "late.yaml").read_text().startswith("apiVersion: certrecon/v1\n")
