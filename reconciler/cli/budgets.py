"""`--allow-budget`: a budget that a person raises for one run. No plan file can (design: safety 5)."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from reconciler.errors import UsageError

if TYPE_CHECKING:
    from reconciler.model.policy import Budgets

AllowBudget = Annotated[
    list[str] | None,
    typer.Option(
        "--allow-budget",
        metavar="BUDGET=N",
        help="Raise this budget of the policy for this run, as deletes=2. Repeatable.",
    ),
]

_NUMBER = re.compile(r"[0-9]{1,7}")
_FIELDS = {  # as files spell them
    "orders": "orders",
    "ordersPerDay": "orders_per_day",
    "deletes": "deletes",
    "revokes": "revokes",
    "cancels": "cancels",
    "changedPercent": "changed_percent",
}


def allowed_budgets(wanted: Sequence[str] | None) -> Mapping[str, int]:
    """Read each BUDGET=N.

    Raises:
        UsageError: one is not of that form, or there is no such budget.
    """
    found = {}
    for one in wanted or ():
        name, _, number = one.partition("=")
        if not _NUMBER.fullmatch(number):
            raise UsageError(f'"{one}" is not BUDGET=N, as deletes=2.')
        if name not in _FIELDS:
            raise UsageError(f'There is no budget "{name}". Choose one of: {", ".join(_FIELDS)}.')
        found[name] = int(number)
    return found


def raised(budgets: "Budgets", allowed: Mapping[str, int]) -> "Budgets":
    """Return the budgets with what a person allows.

    Raises:
        UsageError: the files allow more: a budget is lowered there, where all runs see it.
    """
    for name, number in allowed.items():
        in_files = getattr(budgets, _FIELDS[name])
        if number < in_files:
            raise UsageError(f"--allow-budget {name}={number} would lower it: policy.budgets.{name} is {in_files}.")
    return replace(budgets, **{_FIELDS[name]: number for name, number in allowed.items()})
