"""The commands, each imported when it is asked for: a run pays for its own command only."""

import functools
import importlib
from collections.abc import Iterator, Mapping, MutableMapping
from typing import Any, cast

import typer
from typer.core import TyperGroup

# In the order of `--help`: what is begun with, what is run daily, what helps, and groups. A module for each; in it a
# function of that name, or `app`.
NAMES = (
    "init",
    "validate",
    "fmt",
    "plan",
    "apply",
    "status",
    "report",
    "show",
    "explain",
    "history",
    "verify",
    "doctor",
    "schema",
    "version",
    "lock",
    "sandbox",
    "ci",
)


class LateCommands(TyperGroup):
    """A group whose commands are those of `NAMES`."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.commands = cast("MutableMapping[str, Any]", _Commands())  # it is only read


class _Commands(Mapping[str, Any]):
    """The commands by name. Click's type is not named: newer versions of Typer carry their own Click."""

    def __getitem__(self, name: str) -> Any:
        if name not in NAMES:
            raise KeyError(name)
        return _command(name)

    def __iter__(self) -> Iterator[str]:
        return iter(NAMES)

    def __len__(self) -> int:
        return len(NAMES)


@functools.cache
def _command(name: str) -> Any:
    module = importlib.import_module(f"reconciler.cli.{name}")
    group = getattr(module, "app", None)
    if group is None:
        group = typer.Typer(rich_markup_mode=None, add_completion=False)
        group.command(name)(getattr(module, name))
    return typer.main.get_command(group)
