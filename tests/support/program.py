"""certrecon as a user runs it, in this process: arguments in; exit code, stdout, stderr out."""

import contextlib
import io
import json
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from reconciler.cli.main import main

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, kw_only=True)
class Finished:
    exit_code: int
    stdout: str
    stderr: str

    @property
    def json(self) -> Any:
        return json.loads(self.stdout)


@dataclass(kw_only=True)
class Program:
    """Runs commands in one repository, with the environment of one sandbox."""

    repository: Path
    environment: dict[str, str] = field(default_factory=dict)

    def run(self, *arguments: str) -> Finished:
        out, err = io.StringIO(), io.StringIO()
        with (
            pytest.MonkeyPatch.context() as patch,
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(err),
            contextlib.chdir(self.repository),
        ):
            for name, value in self.environment.items():
                patch.setenv(name, value)
            code = main(list(arguments))
        return Finished(exit_code=code, stdout=out.getvalue(), stderr=err.getvalue())

    def plan(self, *arguments: str) -> Finished:
        return self.run("plan", "--detailed-exitcode", *arguments)

    def apply(self, *arguments: str, wait: str = "48h") -> Finished:
        return self.run("apply", "--auto-approve", "--wait", wait, *arguments)

    def write(self, path: str, text: str) -> None:
        """Write one file of the repository."""
        target = self.repository / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)


def state_files(program: Program) -> dict[str, str]:
    """Return lock and journal of backend `file`, by path."""
    folder = Path(program.environment["CERTRECON_STATE_DIR"])
    return {str(path): path.read_text() for path in sorted(folder.rglob("*.json*"))}


def example_repository(target: Path) -> Path:
    """Copy the example configuration with its certificates to `target`."""
    target.mkdir(parents=True, exist_ok=True)
    shutil.copy(ROOT / "certrecon.yaml", target)
    shutil.copytree(ROOT / "certificates", target / "certificates")
    return target


def small_repository(target: Path, *certificates: str) -> Path:
    """Make a repository with the example's configuration and defaults, and a short file for each name."""
    target.mkdir(parents=True, exist_ok=True)
    (target / "certificates").mkdir()
    configuration = (ROOT / "certrecon.yaml").read_text()
    lock = "lock: {backend: file"
    assert lock in configuration
    # What a run that died may still have sent settles after 1.2 times this, in real time.
    (target / "certrecon.yaml").write_text(configuration.replace(lock, f"{lock}, ttl: 2s"))
    shutil.copy(ROOT / "certificates" / "_defaults.yaml", target / "certificates")
    for name in certificates:
        (target / "certificates" / f"{name}.yaml").write_text(f"apiVersion: certrecon/v1\ncommonName: {name}\n")
    return target
