"""What a short command imports: startup is paid at each call, in hooks and in loops. Time is `make bench`'s."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from reconciler.cli.late import NAMES
from tests.support.program import ROOT

SERVICES = {"requests", "urllib3", "cryptography", "msgspec", "dns", "git", "akamai", "starlette", "uvicorn"}
HEAVY = SERVICES | {"rich", "reconciler.services", "reconciler.planning", "reconciler.execution", "reconciler.sandbox"}

_PROGRAM = """
import sys
from reconciler.cli.start import run
try:
    run()
except SystemExit as exit:
    assert not exit.code, exit.code
finally:
    print(*sys.modules, file=sys.stderr)
"""


def imported(*arguments: str, directory: Path = ROOT) -> set[str]:
    """Return the modules that a run imports, and the packages that they are in."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("CERTRECON_", "COVERAGE_"))}
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM, *arguments],
        cwd=directory,
        env=clean | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return set(done.stderr.splitlines()[-1].split())


@pytest.fixture
def one_file(tmp_path: Path) -> Path:
    (tmp_path / "certificates").mkdir()
    subprocess.run(["git", "init", "--quiet", str(tmp_path)], check=True)
    for name in ("certrecon.yaml", "certificates/_defaults.yaml"):
        (tmp_path / name).write_text((ROOT / name).read_text())
    (tmp_path / "certificates" / "www.yaml").write_text(
        "apiVersion: certrecon/v1\ncommonName: www.example.com\nkeyTypes: [ECDSA-P256]\n"
    )
    return tmp_path


@pytest.mark.parametrize("arguments", [["--version"], ["version"]])
def test_the_version_needs_nothing_that_was_installed_with_it(arguments: list[str]) -> None:
    found = imported(*arguments)
    assert not found & (HEAVY | {"typer", "pydantic", "jsonschema", "ruamel", "logging", "reconciler.errors"})
    assert "reconciler.cli.version" in found


def test_validating_a_file_needs_neither_services_nor_plans(one_file: Path) -> None:
    found = imported("validate", directory=one_file)
    assert not found & HEAVY
    assert not {f"reconciler.cli.{name}" for name in NAMES} & found - {
        "reconciler.cli.validate",
        "reconciler.cli.version",
    }
    assert "jsonschema" not in found  # that is for files that are wrong
    assert "ruamel.yaml" in found


def test_help_needs_no_service() -> None:
    assert not imported("--help") & SERVICES
