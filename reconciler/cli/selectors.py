"""The selectors of plan, apply and status: what a run is about."""

import difflib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from reconciler.errors import UsageError

if TYPE_CHECKING:
    from reconciler.planning.selectors import Selectors
    from reconciler.planning.steps import ActionKind

Targets = Annotated[
    list[str] | None,
    typer.Option(
        "--target", metavar="NAME", envvar="CERTRECON_TARGET", help="Only these certificates (globs). Repeatable."
    ),
]
Excluded = Annotated[
    list[str] | None,
    typer.Option(
        "--exclude", metavar="NAME", envvar="CERTRECON_EXCLUDE", help="Not these certificates (globs). Repeatable."
    ),
]
Labels = Annotated[
    list[str] | None,
    typer.Option(
        "--label",
        metavar="KEY=VALUE",
        envvar="CERTRECON_LABEL",
        help="Only certificates that carry this label. Repeatable: values of one key are alternatives.",
    ),
]
Accounts = Annotated[
    list[str] | None,
    typer.Option(
        "--account",
        metavar="NAME",
        envvar="CERTRECON_ACCOUNT",
        help="Only this Akamai account: no other is read or locked. Repeatable.",
    ),
]
Only = Annotated[
    list[str] | None,
    typer.Option(
        "--only",
        metavar="KIND,...",
        envvar="CERTRECON_ONLY",
        help="Only actions of these kinds: create, adopt, reissue, renew, update, cancel, delete, revoke, with what"
        " continues them, in a later run too; or resume: all that is under way. The rest is shown as held back, and is"
        " neither carried out nor waited for.",
    ),
]


def selectors(
    targets: Sequence[str] | None,
    excluded: Sequence[str] | None,
    labels: Sequence[str] | None,
    accounts: Sequence[str] | None,
    only: Sequence[str] | None,
) -> "Selectors":
    """Read the selectors; whether they fit anything is seen where the files are.

    Raises:
        UsageError: a label is not KEY=VALUE, or there is no such kind of action.
    """
    from reconciler.model.certificate import AccountName
    from reconciler.planning.selectors import Selectors

    kinds = [word for one in only or () for word in one.split(",")]
    return Selectors(
        targets=tuple(targets or ()),
        excluded=tuple(excluded or ()),
        labels=frozenset(map(_label, labels or ())),
        accounts=frozenset(map(AccountName, accounts or ())),
        only=frozenset(map(_kind, kinds)),
    )


def _label(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not equals or not key or not value:
        raise UsageError(f'"{text}" is not KEY=VALUE, as team=web.')
    return key, value


def _kind(text: str) -> "ActionKind":
    from reconciler.planning.steps import ActionKind

    name = text.strip()
    if name in list(ActionKind):
        return ActionKind(name)
    close = difflib.get_close_matches(name, list(ActionKind), n=1)
    hint = f'Did you mean "{close[0]}"?' if close else f"Choose of: {', '.join(ActionKind)}."
    raise UsageError(f'There is no kind of action "{name}". {hint}')
