"""What the benchmarks share: a sandbox, a project that fits it, a stopwatch, and how a result is told.

Seconds say little about another machine. So each result carries a ratio to a yardstick measured in the same run.
"""

import argparse
import contextlib
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import requests

from tools import local_sandbox
from tools.processes import Children, Signals, Stopped

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One measurement beside its yardstick."""

    benchmark: str
    count: int
    seconds: float
    yardstick: str
    yardstick_seconds: float
    ratio: float
    details: dict[str, Any]

    def __str__(self) -> str:
        more = "".join(f", {name} {value}" for name, value in self.details.items() if not isinstance(value, dict))
        return (
            f"{self.benchmark}: {self.count:,} in {self.seconds:.2f} s{more}; {self.ratio:.1f} x {self.yardstick}"
            f" ({self.yardstick_seconds:.2f} s)"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """A project directory and the running sandbox that it points at."""

    project: Path
    sandbox: dict[str, Any]  # what sandbox.json says
    env: dict[str, str]

    def certrecon(self, *arguments: str, expected: int = 0) -> str:
        """Run a command in the project; return its stdout."""
        command = [local_sandbox.CERTRECON, *arguments]
        done = subprocess.run(
            command,
            env=self.env,
            cwd=self.project,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != expected:
            raise SystemExit(
                f"certrecon {' '.join(arguments)} ended with {done.returncode}:\n{done.stdout}{done.stderr}"
            )
        return done.stdout

    def seed(self, count: int) -> None:
        """Make `count` deployed enrollments with their orders, and the files that ask for them."""
        folder = str(self.project / "certificates" / "seeded")
        self.certrecon("sandbox", "seed", "--dir", self.directory, "--count", str(count), "--write", folder)

    @property
    def directory(self) -> str:
        return str(Path(self.sandbox["ca_file"]).parent)

    def calls(self) -> dict[str, Any]:
        """Return the sandbox's own count of the calls since the last reset."""
        answer = requests.get(f"{self.sandbox['control']}/calls", verify=self.sandbox["ca_file"], timeout=30)
        answer.raise_for_status()
        counted: dict[str, Any] = answer.json()
        return counted

    def reset_calls(self) -> None:
        answer = requests.delete(f"{self.sandbox['control']}/calls", verify=self.sandbox["ca_file"], timeout=30)
        answer.raise_for_status()


def timed(work: Callable[[], object]) -> float:
    """Return the seconds that `work` takes."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def result(benchmark: str, count: int, seconds: float, yardstick: str, reference: float, **details: Any) -> Result:
    return Result(
        benchmark=benchmark,
        count=count,
        seconds=round(seconds, 3),
        yardstick=yardstick,
        yardstick_seconds=round(reference, 3),
        ratio=round(seconds / reference, 1),
        details=details,
    )


@contextlib.contextmanager
def staged() -> Iterator[Stage]:
    """Run a sandbox in a temporary directory, with the example's configuration and defaults but no certificates."""
    signals = Signals()
    with contextlib.ExitStack() as cleanup:
        cleanup.callback(signals.ignore)
        with signals.held():
            scene = Path(tempfile.mkdtemp(prefix="certrecon-bench-")).resolve()
            cleanup.callback(shutil.rmtree, scene, ignore_errors=True)
            children = Children(signals)
            cleanup.callback(children.end)
        project = scene / "project"
        (project / "certificates" / "seeded").mkdir(parents=True)
        for name in ("certrecon.yaml", "certificates/_defaults.yaml"):
            shutil.copyfile(ROOT / name, project / name)
        sandbox = local_sandbox.start(scene / "sandbox", children, "--pooled-keys")
        yield Stage(project=project, sandbox=sandbox, env=local_sandbox.environment(scene / "sandbox"))


def _on_stage(benchmark: Callable[[Stage, int], Result]) -> Callable[[int], Result]:
    def run(count: int) -> Result:
        with staged() as stage:
            return benchmark(stage, count)

    return run


def main(
    *benchmarks: Callable[[Stage, int], Result],
    alone: Sequence[Callable[[int], Result]] = (),
    arguments: Sequence[str] | None = None,
) -> int:
    """Run `benchmarks`, each on a stage of its own, and those `alone`, which need none.

    Sentences go to stderr, JSON to stdout.
    """
    parser = argparse.ArgumentParser()
    parser.add_argument("--count", type=int, default=1000, help="certificates; 1000 where it is left out")
    count = parser.parse_args(arguments).count
    results = []
    try:
        for benchmark in (*map(_on_stage, benchmarks), *alone):
            results.append(benchmark(count))
            print(results[-1], file=sys.stderr)
    except Stopped as stopped:
        return stopped.exit_code
    print(json.dumps([asdict(each) for each in results], indent=2))
    return 0
