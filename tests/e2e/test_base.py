"""What a pull request causes: both revisions planned on one look. One sandbox for all of it."""

import json
from pathlib import Path
from typing import Any

import pytest

from reconciler.desired.planfile import read_saved_plan
from reconciler.errors import ExitCode
from reconciler.sandbox.server import BackgroundSandbox
from tests.support.control import Control
from tests.support.locks import git
from tests.support.program import Program, small_repository

HEAD = "apiVersion: certrecon/v1\n"
WHO = ("-c", "user.name=Ada", "-c", "user.email=ada@example.com", "-c", "commit.gpgsign=false")


@pytest.fixture
def program(sandbox: BackgroundSandbox, tmp_path: Path) -> Program:
    """Return certrecon with two certificates in production, committed to main."""
    made = Program(
        repository=small_repository(tmp_path / "project", "www.example.com", "old.example.com"),
        environment={**sandbox.environment, "CERTRECON_STATE_DIR": str(tmp_path / "state")},
    )
    git(made.repository, "init", "--quiet", "--initial-branch=main")
    commit(made)
    git(made.repository, "branch", "base")
    return made


def commit(program: Program) -> None:
    git(program.repository, "add", "--all")
    git(program.repository, *WHO, "commit", "--quiet", "-m", "x")


def compared(program: Program, *arguments: str, folder: Path) -> Any:
    saved = folder / "plan.json"
    finished = program.plan("--base", "base", "--output", f"json={saved}", *arguments)
    assert finished.exit_code in (ExitCode.DONE, ExitCode.CHANGES), finished.stderr
    return read_saved_plan(saved)


def calls(program: Program, control: Control, *arguments: str) -> Any:
    control.delete("/calls")
    assert program.plan(*arguments).exit_code in (ExitCode.DONE, ExitCode.CHANGES)
    return control.get("/calls")["calls"]


def origins(plan: Any) -> dict[str, str | None]:
    return {row["name"]: row["origin"] for row in plan["certificates"]}


def test_a_pull_request_sees_what_it_causes_and_then_the_rest(
    program: Program, control: Control, tmp_path: Path
) -> None:
    assert program.apply().exit_code == 0
    renewed = f"{HEAD}commonName: www.example.com\ndnsNames: [img.example.com]\n"
    program.write("certificates/www.example.com.yaml", renewed)
    (program.repository / "certificates" / "old.example.com.yaml").unlink()
    program.write("certificates/new.example.com.yaml", f"{HEAD}commonName: new.example.com\n")
    commit(program)

    control.post("/advance", {"by": "10m"})  # no limit is near
    assert calls(program, control, "--base", "base") == calls(program, control)  # one look serves both revisions
    plan = compared(program, folder=tmp_path)
    assert origins(plan) == {"new.example.com": "change", "www.example.com": "change"}
    (released,) = plan["base"]["released"]
    (enrollment,) = [one for one in control.get("/state")["enrollments"] if one["common_name"] == "old.example.com"]
    assert (released["name"], released["enrollment_id"]) == ("old.example.com", enrollment["id"])
    assert released["expires"] is not None
    assert plan["base"]["reference"] == "base"
    assert plan["base"]["revision"] == git(program.repository, "rev-parse", "base").strip()

    shown = program.plan("--base", "base").stdout
    assert "\nCaused by this change\n" in shown
    assert "- released    old.example.com  certificates/old.example.com.yaml\n    its file is gone: enroll" in shown
    assert "This change causes: 1 to reissue, 1 to create, 1 released. It places 2 orders. Besides it: 0 unch" in shown

    # What main has by now as well is no part of the change; what is begun for it is in flight.
    git(program.repository, "branch", "--force", "base")
    assert set(origins(compared(program, folder=tmp_path)).values()) == {"drift"}
    assert program.apply(wait="15m").exit_code == ExitCode.UNDER_WAY  # CPS lets us create only so often
    program.write("certificates/new.example.com.yaml", f"{HEAD}commonName: new.example.com\nlabels: {{team: web}}\n")
    made = calls(program, control, "--base", "base")
    assert (made["cps.get_change"], made["cps.get_change_history"]) == (2, 2)  # each once, for both revisions
    assert origins(compared(program, folder=tmp_path)) == {"new.example.com": "change", "www.example.com": "in flight"}

    # Nothing is left in the files, and the account is looked at for the base alone.
    control.post("/advance", {"by": "10m"})
    for name in ("www", "new"):
        (program.repository / "certificates" / f"{name}.example.com.yaml").unlink()
    found = {one["name"]: one for one in compared(program, folder=tmp_path)["base"]["released"]}
    assert (found["www.example.com"]["expires"] is not None, found["www.example.com"]["pending"]) == (True, True)
    assert found["new.example.com"] == found["new.example.com"] | {"expires": None, "pending": True, "looked_at": True}


def test_a_commit_is_planned_by_its_own_files(program: Program, tmp_path: Path) -> None:
    program.write("certificates/new.example.com.yaml", f"{HEAD}commonName: new.example.com\n")
    commit(program)
    git(program.repository, "switch", "--quiet", "--orphan", "nothing")
    plan = compared(program, "--rev", "main", folder=tmp_path)
    assert origins(plan) == {"new.example.com": "change", "old.example.com": "drift", "www.example.com": "drift"}
    assert program.run("validate", "--rev", "base").exit_code == 0
    assert "old.example.com" in program.run("status", "--rev", "base").stdout
    assert program.run("validate").exit_code == ExitCode.ERROR
    narrowed = compared(program, "--rev", "main", "--base", "main~1", "--target", "new*", folder=tmp_path)
    assert (origins(narrowed), narrowed["base"]["released"]) == ({"new.example.com": "change"}, [])


def test_a_base_that_cannot_be_planned_or_found(program: Program, tmp_path: Path) -> None:
    program.write("certificates/new.example.com.yaml", "apiVersion: certrecon/v1\nbroken: true\n")
    good = (program.repository / "certrecon.yaml").read_text()
    program.write("certrecon.yaml", "akamai: []\n")
    commit(program)
    git(program.repository, "branch", "--force", "base")
    program.write("certrecon.yaml", good)
    (program.repository / "certificates" / "new.example.com.yaml").unlink()
    plan = compared(program, folder=tmp_path)
    assert set(origins(plan).values()) == {"change"}
    assert "its configuration cannot be used (certrecon.yaml:1" in plan["base"]["note"]

    missing = program.plan("--base", "origin/main")
    assert (missing.exit_code, missing.stdout) == (ExitCode.ERROR, "")
    assert "fetch-depth: 0" in missing.stderr


def test_a_plan_of_files_that_nobody_has_reviewed_says_so(program: Program, tmp_path: Path) -> None:
    assert "DIRTY" not in program.plan().stdout
    program.write("certificates/new.example.com.yaml", f"{HEAD}commonName: new.example.com\n")
    head = git(program.repository, "rev-parse", "HEAD").strip()
    shown = program.plan("--output", f"json={tmp_path / 'plan.json'}").stdout
    assert f"\nDIRTY: not as in commit {head[:12]}: certificates/new.example.com.yaml. Nobody has reviewed" in shown
    assert program.run("show", str(tmp_path / "plan.json")).stdout == shown
    plan = compared(program, "--rev", "base", folder=tmp_path)
    assert plan["head"] == {"revision": head, "differing": []}


def test_a_broken_file_is_never_read_as_removed(program: Program, control: Control, tmp_path: Path) -> None:
    program.write("certificates/www.example.com.yaml", "apiVersion: certrecon/v1\nbroken: true\n")
    saved = tmp_path / "plan.json"
    finished = program.plan("--base", "base", "--output", f"json={saved}")
    assert finished.exit_code == ExitCode.ERROR
    assert json.loads(saved.read_text())["base"]["released"] == []
