"""Every flag has its variable, save those that a person gives each time anew."""

from typing import Any

import pytest
import typer

from reconciler.cli.main import app

COMMAND_LINE_ONLY = ("--auto-approve", "--yes", "--force", "--allow-", "--retry", "--supersede", "--promote", "--help")


def flags(command: str) -> dict[str, object]:
    group: Any = typer.main.get_command(app)
    options = (one for one in group.commands[command].params if one.param_type_name == "option")
    return {one.opts[0]: one.envvar for one in options}


@pytest.mark.parametrize("command", ["plan", "apply", "status"])
def test_each_flag_is_set_by_its_own_variable_or_only_on_the_command_line(command: str) -> None:
    found = flags(command)
    assert {"--target", "--exclude", "--label", "--account", "--only"} <= found.keys()
    check(found)


@pytest.mark.parametrize("command", ["init", "fmt", "verify", "doctor", "schema"])
def test_flags_without_selectors_have_their_variables_too(command: str) -> None:
    check(flags(command))


def check(found: dict[str, object]) -> None:
    for flag, variable in found.items():
        wanted = None if flag.startswith(COMMAND_LINE_ONLY) else f"CERTRECON_{flag[2:].replace('-', '_').upper()}"
        assert variable == wanted, flag
