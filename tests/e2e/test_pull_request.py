"""The whole loop: branch, plan, comment, merge, apply, resume. The steps are those of the workflow files themselves."""

import json
import os
import shutil
import signal
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from reconciler.sandbox.server import BackgroundSandbox
from tests.support.control import Control
from tests.support.forge import REPOSITORY, TOKEN, Fault, ForgeStandIn, Kept, Pull, serving
from tests.support.locks import bare_remote, git
from tests.support.program import example_repository, small_repository
from tests.support.workflow import Job, Ran, StepFailedError, run_job
from tools.local_sandbox import clean_environment

NAME = "www.example.com"
WHO = ("-c", "user.name=Ada", "-c", "user.email=ada@example.com")
# The program under test is on the PATH already; what these do needs the network.
LEFT_OUT = ("Set up Python", "Name the requirements", "Keep downloads", "Install")


@dataclass(kw_only=True)
class Hub:
    """A repository with its remote, its forge and its CI, whose jobs run one after the other."""

    folder: Path
    forge: ForgeStandIn
    credentials: Mapping[str, str]
    clone: Path = field(init=False)
    remote: Path = field(init=False)
    runs: int = 0
    own_sandbox: bool = False  # each job has one inside

    def __post_init__(self) -> None:
        self.remote = bare_remote(self.folder / "remote.git")
        git(self.remote, "symbolic-ref", "HEAD", "refs/heads/main")
        self.clone = small_repository(self.folder / "clone")
        git(self.clone, "init", "--quiet", "--initial-branch=main")
        git(self.clone, "remote", "add", "origin", str(self.remote))

    def policy(self, approval: str) -> None:
        file = self.clone / "certrecon.yaml"
        text = file.read_text().replace("{backend: file, ttl: 2s}", "{backend: git, ttl: 2s}")
        file.write_text(text.replace("policy:\n", f"policy:\n  approval: {approval}\n"))

    def commit(self, subject: str, files: Mapping[str, str]) -> str:
        for path, content in files.items():
            (self.clone / path).write_text(content)
        git(self.clone, "add", "--all")
        git(self.clone, *WHO, "commit", "--quiet", "-m", subject)
        return git(self.clone, "rev-parse", "HEAD").strip()

    def open_pull(self, number: int, files: Mapping[str, str]) -> None:
        """Open a pull request from a branch of its own."""
        git(self.clone, "switch", "--quiet", "--create", f"topic-{number}", "main")
        head = self.commit(f"Topic {number}", files)
        git(self.clone, "push", "--quiet", "origin", f"topic-{number}")
        self.forge.pulls[number] = Pull(head=head)

    def merge(self, number: int, how: str) -> None:
        git(self.clone, "switch", "--quiet", "main")
        if how == "squash":
            git(self.clone, "merge", "--quiet", "--squash", f"topic-{number}")
            git(self.clone, *WHO, "commit", "--quiet", "-m", f"Topic {number} (#{number})")
        else:
            git(self.clone, *WHO, "merge", "--quiet", "--no-ff", "-m", f"Merge #{number}", f"topic-{number}")
        git(self.clone, "push", "--quiet", "origin", "main")
        self.forge.pulls[number].merged = True
        self.forge.brought[git(self.clone, "rev-parse", "HEAD").strip()] = number

    def plan(self, number: int, **event: Any) -> Ran:
        pull = self.forge.pulls[number]
        asked = {
            "number": number,
            "head": {"sha": pull.head, "repo": {"full_name": REPOSITORY}},
            "base": {"ref": "main"},
            "user": {"login": "ada"},
        }
        github = {"event_name": "pull_request", "event": {"pull_request": asked | event}}
        secrets = {"CERTRECON_CREDENTIALS": self._lines()}
        return self._job("plan.yml", "plan", f"topic-{number}", github, secrets, {})

    def validate(self, number: int) -> Ran:
        """Run the job of a fork's pull request: without credentials."""
        asked = {
            "number": number,
            "head": {"sha": "", "repo": {"full_name": "somebody/fork"}},
            "user": {"login": "eve"},
        }
        github = {"event_name": "pull_request", "event": {"pull_request": asked}}
        return self._job("plan.yml", "validate", f"topic-{number}", github, {}, {})

    def comment(self, head: str) -> Ran:
        """Run what follows a fork's job, with a token that may comment."""
        run = {"event": "pull_request", "head_sha": head, "id": 1}
        github = {"event_name": "workflow_run", "event": {"workflow_run": run}}
        return self._job("comment.yml", "comment", None, github, {}, {})

    def apply(self, *, event: str = "push", wait: str = "20m", branch: str = "main") -> Ran:
        github = {"event_name": event, "event": {}, "ref_name": branch, "ref_type": "branch"}
        inputs = {"wait": wait, "sandbox": self.own_sandbox}
        secrets = {} if self.own_sandbox else {"CERTRECON_CREDENTIALS": self._lines()}
        return self._job("apply.yml", "apply", branch, github, secrets, inputs)

    def _lines(self) -> str:
        return "# of the sandbox\n" + "".join(f"{name}={value}\n" for name, value in self.credentials.items())

    def _job(
        self,
        workflow: str,
        name: str,
        branch: str | None,
        github: Mapping[str, Any],
        secrets: Mapping[str, str],
        inputs: Mapping[str, Any],
    ) -> Ran:
        self.runs += 1
        folder = self.folder / f"run-{self.runs}"
        home = self.folder / "home"
        home.mkdir(exist_ok=True)
        environment = {**clean_environment(home), **self.forge.github, "CERTRECON_CACHE_DIR": str(folder / "cache")}
        del environment["CERTRECON_FORGE_TOKEN"]  # it comes by the workflow, or not at all
        return run_job(
            f".github/workflows/{workflow}",
            name,
            folder=folder,
            environment=environment,
            github={**github, "repository": REPOSITORY, "token": TOKEN, "ref": f"refs/heads/{branch}"},
            handlers={
                "actions/checkout": lambda job, _: self._check_out(job, branch or "main"),
                "actions/upload-artifact": self._keep,
                "actions/download-artifact": self._fetch,
            },
            secrets=secrets,
            inputs=inputs,
            leave_out=LEFT_OUT,
        )

    def _check_out(self, job: Job, branch: str) -> None:
        git(job.folder, "clone", "--quiet", "--branch", branch, str(self.remote), str(job.workspace))

    def _keep(self, job: Job, given: Mapping[str, Any]) -> None:
        files = {Path(path).name: Path(path).read_bytes() for path in given["path"].split()}
        pulls = job.context["github"]["event"]["pull_request"]
        kept = Kept(name=given["name"], head=pulls["head"]["sha"], files=files)
        self.forge.artifacts.append(kept)

    def _fetch(self, _: Job, given: Mapping[str, Any]) -> None:
        kept = next((one for one in self.forge.artifacts if one.name == given["name"]), None)
        if kept is None:
            raise StepFailedError("there is no such artifact")
        Path(given["path"]).mkdir()
        for name, content in kept.files.items():
            (Path(given["path"]) / name).write_bytes(content)


@pytest.fixture
def hub(tmp_path: Path, sandbox: BackgroundSandbox) -> Iterator[Hub]:
    with serving() as forge:
        yield Hub(folder=tmp_path, forge=forge, credentials=sandbox.environment)


def certificate(name: str = NAME) -> dict[str, str]:
    return {f"certificates/{name}.yaml": f"apiVersion: certrecon/v1\ncommonName: {name}\n"}


def begun(hub: Hub, approval: str) -> None:
    """Give the remote a first commit: the configuration, and no certificate."""
    hub.policy(approval)
    hub.commit("Begin", {})
    git(hub.clone, "push", "--quiet", "origin", "main")


@pytest.mark.parametrize(
    ("approval", "how"),
    [
        ("plan", "squash"),
        pytest.param("plan", "merge", marks=pytest.mark.long),
        pytest.param("merge", "merge", marks=pytest.mark.long),
        pytest.param("merge", "squash", marks=pytest.mark.long),
    ],
)
def test_from_branch_to_production(hub: Hub, control: Control, approval: str, how: str) -> None:
    begun(hub, approval)
    hub.open_pull(1, certificate())

    planned = hub.plan(1)
    assert planned.success, planned.log
    assert planned.outputs["exitcode"] == "2"
    assert planned.outputs["has-changes"] == "true"
    (comment,) = hub.forge.bodies(1)
    assert comment.startswith("<!-- certrecon:plan:certrecon -->")
    assert hub.forge.pulls[1].head in comment
    assert planned.outputs["plan-digest"] in comment
    assert f"#### Caused by this change: 1\n\n```diff\n+ CREATE      {NAME}" in comment
    assert "This change causes: 1 to create." in planned.summary
    assert NAME in planned.summary
    assert control.get("/state")["enrollments"] == []

    hub.merge(1, how)
    first = hub.apply()
    assert first.success, first.log
    assert first.outputs["exitcode"] == "3"
    assert "::notice title=certrecon::Work is under way" in first.log
    assert len(control.get("/state")["enrollments"]) == 1

    resumed = hub.apply(event="schedule", wait="48h")
    assert resumed.success, resumed.log
    assert resumed.outputs["exitcode"] == "0"
    assert served(control) == [NAME]
    assert len(control.get("/state")["orders"]) == 1
    shown_as_text(planned)
    for run in (planned, first, resumed):
        assert TOKEN not in run.log
        assert TOKEN not in run.summary
    unmasked = [line for line in first.log.splitlines() if not line.startswith("::add-mask::")]
    assert not any(hub.credentials["SECTIGO_PASSWORD"] in line for line in unmasked)


def shown_as_text(ran: Ran) -> None:
    """Fail unless all that the program said stands where no line is a command to the runner."""
    opened = ran.log.index("::stop-commands::")
    word = ran.log[opened:].splitlines()[0].removeprefix("::stop-commands::")
    assert len(word) == 32
    assert opened < ran.log.index(NAME) < ran.log.index(f"::{word}::")


def served(control: Control) -> list[str]:
    return [one["common_name"] for one in control.get("/state")["enrollments"] if one["production"] is not None]


@pytest.mark.long
def test_what_nobody_has_seen_a_plan_of_does_not_run(hub: Hub, control: Control) -> None:
    begun(hub, "plan")
    hub.open_pull(1, certificate())
    assert hub.plan(1).success
    hub.forge.artifacts[0].fork = True  # somebody else's run kept it under this name
    hub.merge(1, "squash")
    applied = hub.apply()
    assert applied.success, applied.log
    assert "no plan of #1" in applied.log
    assert control.get("/state")["enrollments"] == []


@pytest.mark.long
def test_nothing_is_applied_where_the_approved_plans_cannot_be_had(hub: Hub, control: Control) -> None:
    begun(hub, "plan")
    hub.open_pull(1, certificate())
    hub.merge(1, "squash")
    hub.forge.faults.append(Fault(match="/commits/", status=404, times=99))
    applied = hub.apply()
    assert not applied.success
    assert "find the pull request of a commit" in applied.log
    assert control.get("/state")["enrollments"] == []


def test_a_broken_file_replaces_the_comment_and_fails_the_job(hub: Hub) -> None:
    begun(hub, "merge")
    hub.open_pull(1, {**certificate(), "certrecon.yaml": "apiVersion: certrecon/v1\nakamai: []\n"})
    hub.forge.say(1, "<!-- certrecon:plan:certrecon -->\nthe plan of an earlier commit")
    planned = hub.plan(1)
    assert not planned.success
    (comment,) = hub.forge.bodies(1)
    assert "no plan" in comment
    assert "certrecon.yaml:2" in comment
    assert "earlier commit" not in comment
    assert "::error title=certrecon::" in planned.log


def test_a_fork_gets_validate_only_and_its_words_are_text(hub: Hub) -> None:
    begun(hub, "merge")
    hostile = "```\n</details> @team ::error::gotcha"
    hub.open_pull(1, {"certificates/bad.yaml": f"apiVersion: certrecon/v1\ncommonName: {json.dumps(hostile)}\n"})
    assert hub.plan(1, head={"sha": "0", "repo": {"full_name": "somebody/fork"}}).skipped
    ended = hub.validate(1)
    assert not ended.success
    assert hub.forge.bodies(1) == []

    assert hub.comment(head="0" * 40).success  # of a commit that is not the pull request's any more
    assert hub.forge.bodies(1) == []
    posted = hub.comment(head=hub.forge.pulls[1].head)
    assert posted.success, posted.log
    (comment,) = hub.forge.bodies(1)
    opening = next(line for line in comment.splitlines() if line.startswith("```"))
    assert comment.splitlines().count(opening.removesuffix("text")) == 1
    assert "certificates/bad.yaml:2" in comment


def test_an_artifact_that_names_no_pull_request_is_refused(hub: Hub) -> None:
    begun(hub, "merge")
    hub.forge.artifacts.append(
        Kept(name="certrecon-validate-certrecon", head="", files={"pull-request": b"1; id", "report.txt": b"x"})
    )
    ended = hub.comment(head="0" * 40)
    assert not ended.success
    assert "names no pull request" in ended.log
    assert hub.forge.calls == []


def test_apply_does_nothing_on_another_branch(hub: Hub) -> None:
    begun(hub, "merge")
    assert hub.apply(branch="topic-1").skipped


@pytest.mark.long
def test_jobs_with_a_sandbox_of_their_own(tmp_path: Path) -> None:
    """As this repository's CI calls the workflows: the example's certificates, from nothing to production."""
    with serving() as forge:
        hub = Hub(folder=tmp_path, forge=forge, credentials={}, own_sandbox=True)
        shutil.rmtree(hub.clone / "certificates")
        example_repository(hub.clone)
        hub.commit("Begin", {})
        git(hub.clone, "push", "--quiet", "origin", "main")
        try:
            applied = hub.apply(wait="48h")
        finally:
            facts = json.loads((tmp_path / "run-1" / "temp" / "certrecon-sandbox" / "sandbox.json").read_text())
            os.kill(facts["pid"], signal.SIGTERM)
    assert applied.success, applied.log
    assert applied.outputs["exitcode"] == "0"
