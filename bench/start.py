"""Time how long a command takes to begin, in user time beside Python's own.

A run of a few milliseconds is measured coarsely: runs of both take turns, and their sums are compared.
"""

import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from bench.stage import ROOT, Result, main, result
from tools import local_sandbox

_YARDSTICK = "python3 -c pass"
_CERTIFICATE = "apiVersion: certrecon/v1\ncommonName: www.example.com\nkeyTypes: [RSA-2048, ECDSA-P256]\n"


def version(count: int) -> Result:
    """Ask for the version."""
    return _beside_python("version", ["--version"], runs=_runs(count), allowed=15)


def validate_one(count: int) -> Result:
    """Validate a project of one certificate file."""
    return _beside_python("validate_one", ["validate"], runs=_runs(count), allowed=40)


def _runs(count: int) -> int:
    """Return how often each is run: 20 times where nothing else is asked for, 3 at least."""
    return max(3, count // 50)


def _beside_python(benchmark: str, arguments: Sequence[str], *, runs: int, allowed: int) -> Result:
    measured = reference = 0.0
    with tempfile.TemporaryDirectory(prefix="certrecon-bench-") as folder:
        project = _project(Path(folder))
        for _ in range(runs):
            reference += _user_seconds([sys.executable, "-c", "pass"], project)
            measured += _user_seconds([str(local_sandbox.CERTRECON), *arguments], project)
    return result(benchmark, 1, measured / runs, _YARDSTICK, reference / runs, allowed=f"{allowed} x")


def _project(folder: Path) -> Path:
    subprocess.run(["git", "init", "--quiet", str(folder)], check=True)
    (folder / "certificates").mkdir()
    for name in ("certrecon.yaml", "certificates/_defaults.yaml"):
        (folder / name).write_text((ROOT / name).read_text())
    (folder / "certificates" / "www.yaml").write_text(_CERTIFICATE)
    return folder


def _user_seconds(command: Sequence[str], directory: Path) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    subprocess.run(command, cwd=directory, env=_environment(), capture_output=True, check=True)
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before


def _environment() -> Mapping[str, str]:
    """Return ours without what points certrecon at a sandbox: there it would ask for the time."""
    return {name: value for name, value in os.environ.items() if not name.startswith("CERTRECON_")}


if __name__ == "__main__":
    sys.exit(main(alone=(version, validate_one)))
