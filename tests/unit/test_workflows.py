"""The workflow files: what no linter tells of them."""

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

import reconciler
from tests.support.workflow import evaluate
from tools.sbom import bill

ROOT = Path(__file__).resolve().parents[2]
FILES = ("action/action.yml", *(f".github/workflows/{name}.yml" for name in ("apply", "comment", "plan", "release")))


def steps(file: str) -> Iterator[dict[str, Any]]:
    data = YAML(typ="safe").load((ROOT / file).read_text())
    jobs = data["jobs"].values() if "jobs" in data else [data["runs"]]
    for job in jobs:
        yield from job["steps"]


@pytest.mark.parametrize("file", FILES)
def test_each_script_is_one_of_bash(file: str) -> None:
    for step in steps(file):
        if "run" in step:
            ended = subprocess.run(["bash", "-n"], input=step["run"], text=True, capture_output=True, check=False)
            assert ended.returncode == 0, ended.stderr


@pytest.mark.parametrize("file", FILES)
def test_no_script_holds_an_expression(file: str) -> None:
    assert [step["name"] for step in steps(file) if "${{" in step.get("run", "")] == []


def test_the_workflow_that_may_comment_for_forks_checks_out_nothing() -> None:
    used = [step["uses"].partition("@")[0] for step in steps(".github/workflows/comment.yml") if "uses" in step]
    assert used == ["actions/download-artifact", "$/action"]


def test_only_the_version_that_was_tested_is_pinned_of_each_action() -> None:
    text = "".join((ROOT / file).read_text() for file in FILES) + (ROOT / ".github/workflows/ci.yml").read_text()
    pinned: dict[str, set[str]] = {}
    for name, commit in re.findall(r"uses: ([\w/-]+)@(\w+ # \S+)", text):
        pinned.setdefault(name, set()).add(commit)
    assert {name: commits for name, commits in pinned.items() if len(commits) > 1} == {}


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("github.ref_name == inputs.branch && github.ref_type == 'branch'", True),
        ("github.event.number || github.ref", "refs/heads/main"),
        ("!(inputs.branch != 'MAIN')", True),
        ("steps.run.outputs.exitcode || '1'", "1"),
    ],
)
def test_expressions_mean_what_they_mean_at_github(expression: str, value: object) -> None:
    github = {"ref_name": "main", "ref_type": "branch", "ref": "refs/heads/main", "event": {}}
    assert evaluate(expression, {"github": github, "inputs": {"branch": "main"}, "steps": {}}) == value


def test_the_bill_of_materials_has_each_locked_requirement_with_its_hashes() -> None:
    lock = (ROOT / "requirements.txt").read_text()
    made = json.loads(json.dumps(bill(lock, reconciler.__version__)))
    assert made["metadata"]["component"]["purl"] == f"pkg:pypi/certrecon@{reconciler.__version__}"
    named = {one["name"] for one in made["components"]}
    assert named == set(re.findall(r"^([\w.-]+)(?:\[.*\])?==", lock, re.MULTILINE))
    hashes = [place for one in made["components"] for place in one["externalReferences"]]
    assert len(hashes) == lock.count("--hash=sha256:")
