"""The man page and the completion files: made from what `--help` says, and not stale."""

import shutil
import subprocess
from typing import Any

import pytest
import typer

from reconciler.cli.late import NAMES
from reconciler.cli.main import app
from tools.manual import SHARE, manual

PAGE = "man/man1/certrecon.1"


@pytest.mark.parametrize("path", list(manual()))
def test_what_is_kept_is_what_the_commands_say(path: str) -> None:
    assert (SHARE / path).read_text(encoding="utf-8") == manual()[path], "Run: make man"


def test_nothing_else_is_kept() -> None:
    kept = {path.relative_to(SHARE).as_posix() for path in SHARE.rglob("*") if path.is_file()}
    assert kept == set(manual())


def test_the_page_has_every_command_with_its_options() -> None:
    page = manual()[PAGE]
    sections = dict(part.split("\n", 1) for part in page.split("\n.SS ")[1:])
    root: Any = typer.main.get_command(app)
    for name in NAMES:
        command = root.commands[name]
        for below in getattr(command, "commands", {"": command}):
            one = command.commands[below] if below else command
            section = sections[f'"{f"{name} {below}".strip()}"']
            for flag in (option.opts[0] for option in one.params if option.param_type_name == "option"):
                assert flag == "--help" or flag.replace("-", "\\-") in section


def test_no_line_of_text_is_taken_for_a_request() -> None:
    requests = {".\\\"", ".TH", ".SH", ".SS", ".PP", ".TP", ".nh", ".ad"}  # fmt: skip
    lines = [line for line in manual()[PAGE].splitlines() if line.startswith((".", "'"))]
    assert {line.split()[0] for line in lines} == requests


@pytest.mark.skipif(shutil.which("groff") is None, reason="groff is not installed; it comes with man")
def test_the_page_is_one_for_groff() -> None:
    done = subprocess.run(
        ["groff", "-man", "-Kutf8", "-Tutf8", "-ww", "-z", str(SHARE / PAGE)],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert done.stderr == ""
