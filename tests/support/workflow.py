"""Runs jobs of workflow files on this machine: their own `run:` steps with a job's variables, other actions by hand.

As much of GitHub's runner as our workflows use: expressions, `if:`, outputs, composite actions, `$/` references.
"""

import re
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

ROOT = Path(__file__).parents[2]
Context = dict[str, Any]
Handler = Callable[["Job", Mapping[str, Any]], None]

_TOKEN = re.compile(r"\s*('(?:[^']|'')*'|&&|\|\||==|!=|[!(),]|[\w.-]+)")


def load(path: str) -> Any:
    return YAML(typ="safe").load((ROOT / path).read_text())


class StepFailedError(Exception):
    """A step did not do what it is for."""

    def __init__(self, text: str, outputs: Mapping[str, str] | None = None) -> None:
        super().__init__(text)
        self.outputs = dict(outputs or {})


@dataclass(kw_only=True)
class Ran:
    """What became of a job."""

    success: bool
    skipped: bool
    log: str
    outputs: dict[str, str]
    summary: str


@dataclass(kw_only=True)
class Job:
    """One run of one job: its contexts, its folder, and what it has said."""

    context: Context
    folder: Path
    environment: Mapping[str, str]
    handlers: Mapping[str, Handler]
    leave_out: frozenset[str] = frozenset()
    failed: bool = False
    log: list[str] = field(default_factory=list)
    path: list[str] = field(default_factory=list)

    @property
    def workspace(self) -> Path:
        return self.folder / "workspace"

    def steps(self, steps: Sequence[Mapping[str, Any]], context: Context, *, action_path: Path | None = None) -> None:
        """Run steps in `context`, whose `steps` collects their outputs."""
        for step in steps:
            if step.get("name") in self.leave_out or not self._wanted(step.get("if"), context):
                continue
            ident = step.get("id", "")
            outputs: dict[str, str] = {}
            try:
                outputs = self._step(step, context, action_path)
                outcome = "success"
            except StepFailedError as error:
                self.log.append(str(error))
                outcome = "failure"
                self.failed = self.failed or not step.get("continue-on-error", False)
                outputs = error.outputs
            if ident:
                context["steps"][ident] = {"outputs": outputs, "outcome": outcome}

    def _wanted(self, condition: str | None, context: Context) -> bool:
        text = str(condition or "success()").removeprefix("${{").removesuffix("}}").strip()
        if not re.search(r"\b(always|failure|success|cancelled)\(", text):
            text = f"success() && ({text})"
        return bool(evaluate(text, context, failed=self.failed))

    def _step(self, step: Mapping[str, Any], context: Context, action_path: Path | None) -> dict[str, str]:
        if "run" in step:
            return self._run(step, context, action_path)
        name = step["uses"]
        given = {key: filled(value, context) for key, value in step.get("with", {}).items()}
        if name.startswith("$/"):
            return self._composite(name.removeprefix("$/"), given, context)
        handler = self.handlers[name.partition("@")[0]]
        handler(self, given)
        return {}

    def _composite(self, folder: str, given: Mapping[str, Any], context: Context) -> dict[str, str]:
        action = load(f"{folder}/action.yml")
        inputs = {name: as_text(given.get(name, one.get("default", ""))) for name, one in action["inputs"].items()}
        inner = {**context, "inputs": inputs, "steps": {}}
        before = self.failed
        self.failed = False
        self.steps(action["runs"]["steps"], inner, action_path=ROOT / folder)
        failed, self.failed = self.failed, before
        outputs = {name: as_text(filled(one["value"], inner)) for name, one in action["outputs"].items()}
        if failed:
            raise StepFailedError(f"action {folder} failed", outputs)
        return outputs

    def _run(self, step: Mapping[str, Any], context: Context, action_path: Path | None) -> dict[str, str]:
        script, output = self.folder / "step.sh", self.folder / "output"
        script.write_text(step["run"])
        output.write_text("")
        own = {name: as_text(filled(value, context)) for name, value in step.get("env", {}).items()}
        files = {"GITHUB_OUTPUT": output, "GITHUB_PATH": self.folder / "path"}
        files |= {"GITHUB_STEP_SUMMARY": self.folder / "summary.md", "RUNNER_TEMP": self.folder / "temp"}
        environment = {**self.environment, **{name: str(file) for name, file in files.items()}, **own}
        if action_path is not None:
            environment["GITHUB_ACTION_PATH"] = str(action_path)
        strict = ["--noprofile", "--norc", "-eo", "pipefail"] if step.get("shell") == "bash" else ["-e"]
        ended = subprocess.run(
            ["bash", *strict, str(script)],
            cwd=self.workspace, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            check=False,
        )  # fmt: skip
        self.log.append(ended.stdout)
        outputs = dict(line.split("=", 1) for line in output.read_text().splitlines())
        if ended.returncode != 0:
            raise StepFailedError(f'step "{step.get("name")}" ended with {ended.returncode}', outputs)
        return outputs


def run_job(
    workflow: str,
    name: str,
    *,
    folder: Path,
    environment: Mapping[str, str],
    github: Mapping[str, Any],
    handlers: Mapping[str, Handler],
    inputs: Mapping[str, Any] | None = None,
    secrets: Mapping[str, str] | None = None,
    leave_out: Sequence[str] = (),
) -> Ran:
    """Run one job of a workflow that is called with `inputs` and `secrets`."""
    data = load(workflow)
    called = data["on"]["workflow_call"]
    given = {key: one.get("default") for key, one in called["inputs"].items()} | dict(inputs or {})
    (folder / "workspace").mkdir(parents=True)
    (folder / "temp").mkdir()
    context: Context = {
        "github": dict(github),
        "inputs": given,
        "secrets": dict(secrets or {}),
        "steps": {},
        "runner": {"temp": str(folder / "temp"), "os": "Linux", "arch": "X64"},
    }
    job = Job(
        context=context,
        folder=folder,
        environment=environment,
        handlers=handlers,
        leave_out=frozenset(leave_out),
    )
    wanted = data["jobs"][name]
    skipped = not job._wanted(wanted.get("if"), context)
    if not skipped:
        job.steps(wanted["steps"], context)
    outputs = {key: as_text(filled(value, context)) for key, value in wanted.get("outputs", {}).items()}
    summary = folder / "summary.md"
    return Ran(
        success=not job.failed,
        skipped=skipped,
        log="\n".join(job.log),
        outputs=outputs,
        summary=summary.read_text() if summary.exists() else "",
    )


def filled(value: Any, context: Context) -> Any:
    """Return a value of a workflow with its `${{ }}` evaluated."""
    if not isinstance(value, str):
        return value
    whole = re.fullmatch(r"\$\{\{(.*?)\}\}", value, re.DOTALL)
    if whole:
        return evaluate(whole[1], context)
    return re.sub(r"\$\{\{(.*?)\}\}", lambda found: as_text(evaluate(found[1], context)), value)


def as_text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else str(value)


def evaluate(expression: str, context: Context, *, failed: bool = False) -> Any:
    """Evaluate an expression of GitHub's, as far as our workflows have them.

    Raises:
        ValueError: it has what is not known here.
    """
    tokens = _TOKEN.findall(expression)
    if "".join(tokens) != re.sub(r"\s(?=(?:[^']*'[^']*')*[^']*$)", "", expression):
        raise ValueError(f"not understood: {expression}")
    reader = _Reader(tokens, context, failed=failed)
    value = reader.either()
    if reader.tokens:
        raise ValueError(f"not understood: {expression}")
    return value


class _Reader:
    def __init__(self, tokens: list[str], context: Context, *, failed: bool) -> None:
        self.tokens, self._context, self._failed = list(tokens), context, failed

    def either(self) -> Any:
        value = self._both()
        while self._take("||"):
            right = self._both()
            value = value or right
        return value

    def _both(self) -> Any:
        value = self._equal()
        while self._take("&&"):
            right = self._equal()
            value = right if value else value
        return value

    def _equal(self) -> Any:
        value = self._single()
        if self._take("=="):
            return _loose(value) == _loose(self._single())
        if self._take("!="):
            return _loose(value) != _loose(self._single())
        return value

    def _single(self) -> Any:
        if self._take("!"):
            return not self._single()
        if self._take("("):
            value = self.either()
            assert self._take(")")
            return value
        token = self.tokens.pop(0)
        if token.startswith("'"):
            return token[1:-1].replace("''", "'")
        if self._take("("):
            assert self._take(")")
            return {"always": True, "success": not self._failed, "failure": self._failed}[token]
        return self._looked_up(token)

    def _looked_up(self, token: str) -> Any:
        first, *rest = token.split(".")
        value = self._context[first]
        for part in rest:
            value = value.get(part) if isinstance(value, dict) else None
        return value

    def _take(self, token: str) -> bool:
        if self.tokens and self.tokens[0] == token:
            self.tokens.pop(0)
            return True
        return False


def _loose(value: Any) -> str:
    return as_text(value).lower()
