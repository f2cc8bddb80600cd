"""Write what a system shows of a program: the man page, and completion for shells. Usage: python -m tools.manual [DIR].

Both are made from what `--help` is made from, and go with the wheel into `share/`, where `man` and shells look.
"""

import functools
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer

from reconciler import __version__
from reconciler.cli.main import app

SHARE = Path(__file__).parents[1] / "share"
_PROGRAM = "certrecon"
_SHELLS = {
    "bash": "bash-completion/completions/certrecon",
    "zsh": "zsh/site-functions/_certrecon",
    "fish": "fish/vendor_completions.d/certrecon.fish",
}


@functools.cache
def manual() -> dict[str, str]:
    """Return each file by its path below `share`."""
    completion = {path: _completion(shell) for shell, path in _SHELLS.items()}
    return {f"man/man1/{_PROGRAM}.1": "\n".join(_page()) + "\n", **completion}


def _completion(shell: str) -> str:
    """Return what the program prints for `--install-completion` in that shell."""
    done = subprocess.run(
        [sys.executable, "-m", "reconciler.cli.main"],
        env=os.environ | {f"_{_PROGRAM.upper()}_COMPLETE": f"source_{shell}"},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return done.stdout.strip() + "\n"


def _page() -> Iterator[str]:
    root: Any = typer.main.get_command(app)
    context = root.make_context(_PROGRAM, [], resilient_parsing=True)
    first, *rest = _paragraphs(root.help)
    yield f'.\\" Made by `make man` from what `{_PROGRAM} --help` says.'
    yield f'.TH {_PROGRAM.upper()} 1 "" "{_PROGRAM} {__version__}" "User Commands"'
    yield from (".nh", ".ad l")  # commands are copied from here: none is broken at a hyphen
    yield from (".SH NAME", f"{_PROGRAM} \\- {_inline(first[:1].lower() + first[1:].removesuffix('.'))}")
    yield from (".SH SYNOPSIS", _synopsis(root, context), ".SH DESCRIPTION", *_text(rest))
    yield from (".SH OPTIONS", *_options(root, context))
    yield ".SH COMMANDS"
    yield from _commands(root, context)


def _commands(group: Any, parent: Any) -> Iterator[str]:
    for name, command in group.commands.items():
        context = command.make_context(name, [], parent=parent, resilient_parsing=True)
        if hasattr(command, "commands"):
            yield from _commands(command, context)
            continue
        yield f'.SS "{context.command_path.removeprefix(_PROGRAM).strip()}"'
        yield from (_synopsis(command, context), ".PP", *_text(_paragraphs(command.help)), *_options(command, context))


def _synopsis(command: Any, context: Any) -> str:
    return " ".join(
        [f"\\fB{_escaped(context.command_path)}\\fR", *map(_escaped, command.collect_usage_pieces(context))]
    )


def _options(command: Any, context: Any) -> Iterator[str]:
    for parameter in command.get_params(context):
        record = parameter.get_help_record(context)
        if record is not None and (parameter.name != "help" or context.parent is None):
            yield from (".TP", f"\\fB{_escaped(record[0])}\\fR", _inline(" ".join(record[1].split())))


def _text(paragraphs: list[str]) -> Iterator[str]:
    for number, paragraph in enumerate(paragraphs):
        if number:
            yield ".PP"
        yield _inline(paragraph)


def _paragraphs(text: str | None) -> list[str]:
    return [" ".join(part.split()) for part in (text or "").split("\n\n") if part.strip()]


def _inline(text: str) -> str:
    """Return text as roff, commands in bold; a dot or an apostrophe in front would be a request."""
    bold = re.sub(r"`([^`]*)`", r"\\fB\1\\fR", _escaped(text))
    return f"\\&{bold}" if bold.startswith((".", "'")) else bold


def _escaped(text: str) -> str:
    return text.replace("\\", "\\e").replace("-", "\\-")


def main(directory: Path) -> None:
    for path, text in manual().items():
        file = directory / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
        print(file)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else SHARE)
