"""`tools/venv.sh`: which interpreter it takes, and what it says where it can take none."""

import shutil
import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "tools" / "venv.sh"
SHELL = shutil.which("sh") or "/bin/sh"


def program(folder: Path, name: str, body: str) -> None:
    path = folder / name
    path.write_text(f"#!{SHELL}\n{body}\n")
    path.chmod(0o755)


def interpreter(folder: Path, name: str, *, version: str, venv: bool = True) -> None:
    """Put a stand-in on the path that answers the script's questions; `-m venv` tells on stdout who was taken."""
    program(
        folder,
        name,
        f'case "$2" in\n*version_info*) echo "{version}" ;;\n*ensurepip*) exit {0 if venv else 1} ;;\n'
        f'venv) echo "taken: {name}"; exit 77 ;;\nesac',
    )


def run(folder: Path, *, python: str = "") -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [SHELL, str(SCRIPT), str(folder / "venv")],
        env={"PATH": str(folder), "PYTHON": python},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A search path with git on it and nothing else."""
    program(tmp_path, "git", "exit 0")
    return tmp_path


def test_newest_supported_python_is_taken(path: Path) -> None:
    for minor in (11, 12, 14):
        interpreter(path, f"python3.{minor}", version=f"3.{minor}")
    assert "taken: python3.14" in run(path).stdout


def test_plain_python3_is_taken_where_no_other_is(path: Path) -> None:
    interpreter(path, "python3", version="3.12")
    assert "taken: python3\n" in run(path).stdout


def test_python_without_venv_is_passed_over(path: Path) -> None:
    interpreter(path, "python3.13", version="3.13", venv=False)
    interpreter(path, "python3.11", version="3.11")
    assert "taken: python3.11" in run(path).stdout


def test_named_python_is_taken(path: Path) -> None:
    interpreter(path, "python3.13", version="3.13")
    interpreter(path, "python3.11", version="3.11")
    assert "taken: python3.11" in run(path, python="python3.11").stdout


def test_missing_venv_names_debians_package(path: Path) -> None:
    program(path, "apt-get", "exit 0")
    interpreter(path, "python3.11", version="3.11", venv=False)
    done = run(path)
    assert done.returncode == 1
    assert done.stderr == "error: python3.11 cannot make virtual environments. Run: apt install python3.11-venv\n"


def test_missing_venv_elsewhere_names_the_modules(path: Path) -> None:
    interpreter(path, "python3.12", version="3.12", venv=False)
    done = run(path)
    assert done.returncode == 1
    assert "install the ensurepip and venv modules of Python 3.12" in done.stderr


def test_too_old_python_is_named(path: Path) -> None:
    interpreter(path, "python3.9", version="")
    done = run(path, python="python3.9")
    assert done.returncode == 1
    assert done.stderr == "error: PYTHON=python3.9 is too old: Python 3.11 or later is needed\n"


def test_only_an_old_python_is_none(path: Path) -> None:
    interpreter(path, "python3", version="")
    done = run(path)
    assert done.returncode == 1
    assert done.stderr.startswith("error: no Python 3.11 or later on PATH. Install one (Debian, Ubuntu: apt install")


def test_unknown_python_is_named(path: Path) -> None:
    done = run(path, python="python4")
    assert done.returncode == 1
    assert done.stderr == "error: PYTHON=python4: there is no such program\n"


def test_missing_git_is_named(tmp_path: Path) -> None:
    interpreter(tmp_path, "python3.11", version="3.11")
    done = run(tmp_path)
    assert done.returncode == 1
    assert done.stderr.startswith("error: git is missing")
