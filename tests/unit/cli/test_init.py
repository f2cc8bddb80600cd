"""`init`: files that pass their own checks whatever the answers are, and nothing overwritten."""

import sys
from pathlib import Path
from typing import Any

import pytest
import typer

from reconciler.desired.project import load_project
from reconciler.desired.yamlfile import read
from tests.support.locks import bare_remote, git
from tests.support.program import Program

HOSTILE = ('no: "x" # |', "${{ secrets }}", "a\U0001f600\u202e", "@directory@", "[]", "null", "12", "*a", "'")


@pytest.fixture
def empty(tmp_path: Path) -> Program:
    folder = tmp_path / "empty"
    folder.mkdir()
    return Program(repository=folder)


def content(program: Program) -> dict[str, bytes]:
    root = program.repository
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def test_what_it_makes_passes_validate_and_fmt(empty: Program) -> None:
    answers = ("--customer-uri", "acme", "--account-id", "A-1", "--contract", "C-1")
    made = empty.run("init", *answers, "--organization", "1", "--profile", "2", "--example")
    assert made.exit_code == 0, made.stderr
    assert made.stderr.endswith("Next: certrecon validate\n")
    assert "lock.backend: file" in made.stderr
    validated = empty.run("validate")
    assert validated.exit_code == 0, validated.stdout
    assert "1 valid certificate; no problems." in validated.stderr
    assert empty.run("fmt", "--check").exit_code == 0
    assert "certificates/_defaults.yaml" in content(empty)


def test_nothing_is_overwritten(empty: Program) -> None:
    empty.write(".gitignore", "mine\n")
    empty.write("certificates/_defaults.yaml", "apiVersion: certrecon/v1\n")
    first = empty.run("init", "--customer-uri", "acme")
    assert "  = kept     .gitignore\n" in first.stdout
    assert content(empty)[".gitignore"] == b"mine\n"
    before = content(empty)
    assert empty.run("init", "--customer-uri", "other", "--project", "other").exit_code == 0
    assert content(empty) == before


@pytest.mark.parametrize("hostile", HOSTILE)
def test_hostile_answers_are_texts_and_nothing_else(empty: Program, hostile: str) -> None:
    made = empty.run("init", "--customer-uri", "acme", "--organization", hostile, "--profile", hostile)
    assert made.exit_code == 0, made.stderr
    defaults = read(empty.repository / "certificates/_defaults.yaml", "x").data
    assert defaults["sectigo"] == {"organization": hostile, "profile": hostile}


@pytest.mark.parametrize("name", ["project", "account-id", "customer-uri", "contract", "branch", "secure-network"])
def test_what_may_not_stand_in_its_place_is_refused_before_anything_is_made(empty: Program, name: str) -> None:
    finished = empty.run("init", "--customer-uri", "acme", f"--{name}", "${{ secrets }}")
    assert finished.exit_code == 64, finished.stdout
    assert content(empty) == {}


def test_without_a_terminal_what_is_missing_is_named(empty: Program) -> None:
    finished = empty.run("init")
    assert finished.exit_code == 64
    assert "--customer-uri" in finished.stderr
    assert content(empty) == {}


def test_on_a_terminal_what_is_missing_is_asked_for(empty: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def answer(question: str, **_: Any) -> str:
        asked.append(question.partition(" ")[0])
        return {"Sectigo customer URI (last part of the portal's address)": "acme"}.get(question, "")

    monkeypatch.setattr(typer, "prompt", answer)
    monkeypatch.setattr(sys, "stdin", Terminal())
    assert empty.run("init", "--project", "web").exit_code == 0
    assert asked == ["Akamai", "Sectigo", "Sectigo", "Sectigo", "Akamai"]
    assert load_project(empty.repository, environment={}).name == "web"


class Terminal:
    def isatty(self) -> bool:
        return True


def test_a_git_remote_takes_lock_and_journal_and_workflows_lie_at_the_top(empty: Program, tmp_path: Path) -> None:
    git(empty.repository, "init", "--quiet")
    git(empty.repository, "remote", "add", "origin", str(bare_remote(tmp_path / "origin.git")))
    assert empty.run("init", "-C", "tls", "--customer-uri", "acme").exit_code == 64  # the account's id names the lock
    (empty.repository / "tls").mkdir()
    made = empty.run("init", "-C", "tls", "--customer-uri", "acme", "--account-id", "A-1")
    assert made.exit_code == 0, made.stderr
    assert "the first apply does it" in made.stderr  # there are no credentials here
    assert load_project(empty.repository / "tls", environment={}).lock.backend == "git"
    assert b"directory: tls\n" in content(empty)[".github/workflows/certrecon-plan.yml"]


@pytest.mark.parametrize("wrong", [["--secure-network", "moon"], ["--workflows", "nonsense"]], ids=str)
def test_wrong_answers_are_refused_before_anything_is_made(empty: Program, wrong: list[str]) -> None:
    assert empty.run("init", "--customer-uri", "acme", *wrong).exit_code == 64
    assert content(empty) == {}
