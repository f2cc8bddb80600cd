"""`--help`: each command shows examples, and they are commands that would be taken."""

import re
import shlex
from collections.abc import Iterator
from typing import Any

import pytest
import typer

from reconciler.cli.main import app

ROOT: Any = typer.main.get_command(app)


def commands(group: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    yield path
    for name, command in getattr(group, "commands", {}).items():
        yield from commands(command, (*path, name))


def found(path: tuple[str, ...]) -> Any:
    command = ROOT
    for name in path:
        command = command.commands[name]
    return command


def examples(path: tuple[str, ...]) -> list[str]:
    _, _, section = (found(path).help or "").partition("Examples: ")
    return [" ".join(text.split()) for text in re.findall(r"`([^`]+)`", section)]


def parse(arguments: list[str]) -> Any:
    """Read a command line as the program does, without running it; return the command that it reaches."""
    command, name, parent = ROOT, "certrecon", None
    while True:
        context = command.make_context(name, arguments, parent=parent)
        if not hasattr(command, "commands"):
            return command
        left = [*context._protected_args, *context.args]
        name, command, arguments = command.resolve_command(context, left)
        parent = context


@pytest.mark.parametrize("path", list(commands(ROOT)), ids=lambda path: " ".join(path) or "certrecon")
def test_each_command_shows_examples_that_reach_it(path: tuple[str, ...]) -> None:
    shown = examples(path)
    assert shown
    for text in shown:
        program, *arguments = shlex.split(text.partition(" >> ")[0])  # what the shell does with the output is its own
        assert program == "certrecon"
        if "--version" in arguments:
            continue  # it prints and exits while it is read
        reached = parse(arguments)
        assert reached is found(path) or path == () or reached in found(path).commands.values(), text


@pytest.mark.parametrize("path", list(commands(ROOT)), ids=lambda path: " ".join(path) or "certrecon")
def test_each_option_is_explained(path: tuple[str, ...]) -> None:
    for one in found(path).params:
        assert one.param_type_name == "argument" or one.help, one.name


def test_a_wrong_example_would_be_found() -> None:
    with pytest.raises(Exception, match="No such"):
        parse(["plan", "--nonsense"])
