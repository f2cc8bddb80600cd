"""The image: what a linter would say of its Dockerfile, and that its context holds all that the build needs."""

import json
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

from tests.support.program import ROOT

# Instruction and argument, without comments, each on one line.
LINES = [line for line in (ROOT / "Dockerfile").read_text().splitlines() if line and line[0] != "#"]
TEXT = "\n".join(LINES)
INSTRUCTIONS = [(line.split()[0], line.split(maxsplit=1)[1]) for line in TEXT.replace("\\\n", " ").splitlines()]
COMMANDS = [
    " ".join(part.split())
    for name, argument in INSTRUCTIONS
    if name == "RUN"
    for part in re.split(r"&&|\|\||;", argument)
]
FINAL = INSTRUCTIONS[max(number for number, (name, _) in enumerate(INSTRUCTIONS) if name == "FROM") :]


def sources() -> list[str]:
    """Return what is copied from the build's context."""
    copies = [argument.split() for name, argument in INSTRUCTIONS if name == "COPY"]
    return [one for words in copies if not words[0].startswith("--from=") for one in words[:-1]]


def last(instruction: str) -> str:
    return [argument for name, argument in FINAL if name == instruction][-1]


def test_every_stage_is_of_the_base_that_the_builder_names() -> None:
    bases = [argument.split()[0] for name, argument in INSTRUCTIONS if name == "FROM"]
    assert bases == ["${PYTHON_IMAGE}", "${PYTHON_IMAGE}"]
    (default,) = [argument for name, argument in INSTRUCTIONS if name == "ARG" and argument.startswith("PYTHON_IMAGE=")]
    assert re.fullmatch(r"PYTHON_IMAGE=python:3\.\d+-slim-\w+", default)  # a release, never "latest"


def test_it_runs_as_nobody_in_particular() -> None:
    user, group = last("USER").split(":")
    assert int(user) > 999  # a number: Kubernetes' runAsNonRoot cannot read names
    assert int(group) > 999


def test_signals_reach_the_process() -> None:
    """No shell stands between: it would not pass them on. Process 1 is one that does."""
    assert json.loads(last("ENTRYPOINT")) == ["tini", "--", "certrecon"]
    assert json.loads(last("CMD")) == ["--help"]
    assert not [argument for name, argument in INSTRUCTIONS if name == "STOPSIGNAL"]


def test_what_git_needs_is_there_and_nothing_is_kept_of_the_way() -> None:
    (run,) = [argument for name, argument in FINAL if name == "RUN"]
    (installed,) = [command for command in COMMANDS if command.startswith("apt-get install")]
    assert {"git", "ca-certificates", "openssh-client", "tini"} <= set(installed.split())
    assert "--no-install-recommends" in installed
    assert "rm -rf /var/lib/apt/lists/*" in run
    assert f"safe.directory {last('WORKDIR')}" in run  # a repository that is mounted belongs to somebody else


def test_only_what_the_lock_names_is_installed() -> None:
    installs = [command for command in COMMANDS if "pip install" in command]
    assert len(installs) == 2
    for command in (*installs, *(command for command in COMMANDS if "pip wheel" in command)):
        assert "--no-cache-dir" in command
        assert "--require-hashes" in command or "--no-deps" in command


def test_nothing_is_fetched_and_no_secret_is_taken() -> None:
    assert "ADD" not in {name for name, _ in INSTRUCTIONS}
    assert not re.search(r"curl|wget|sudo|--mount=type=secret", TEXT)
    assert not re.search(r"(?i)^(ARG|ENV) .*(password|secret|token|key)", TEXT, re.MULTILINE)


def test_it_says_what_it_is() -> None:
    labels = set(re.findall(r"org\.opencontainers\.image\.(\w+)=", last("LABEL")))
    assert {"title", "description", "licenses", "version", "revision"} <= labels


def test_the_context_is_what_is_copied_and_nothing_else() -> None:
    lines = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if line and line[0] != "#"]
    assert lines[0] == "*"
    assert {line[1:] for line in lines if line.startswith("!")} == set(sources())


def test_the_context_is_enough_for_the_wheel(tmp_path: Path) -> None:
    for source in sources():
        if (ROOT / source).is_dir():
            shutil.copytree(ROOT / source, tmp_path / source, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / source, tmp_path / source)
    subprocess.run([sys.executable, "-m", "hatchling", "build", "-t", "wheel"], cwd=tmp_path, check=True, timeout=120)
    (wheel,) = (tmp_path / "dist").glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert "reconciler/schemas/certificate.schema.json" in names
    assert "reconciler/templates/init/certrecon.yaml" in names
    assert any(name.endswith("/share/man/man1/certrecon.1") for name in names)
