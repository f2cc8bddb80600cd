"""`certrecon status`."""

import os
from pathlib import Path
from typing import Annotated

import typer

from reconciler.cli.options import Directory, Format, Output, Rendering, chosen_format, emit, outputs
from reconciler.cli.selectors import Accounts, Excluded, Labels, Only, Targets, selectors
from reconciler.errors import UsageError


def status(
    directory: Directory = Path(),
    chosen: Format = "text",
    output: Output = None,
    target: Targets = None,
    exclude: Excluded = None,
    label: Labels = None,
    account: Accounts = None,
    only: Only = None,
    fail_on: Annotated[
        list[str] | None,
        typer.Option(
            "--fail-on",
            metavar="warn|critical|blocked",
            envvar="CERTRECON_FAIL_ON",
            help="Exit 1 where a certificate is that close to its end, or revoked; 4 where one is blocked. Repeatable.",
        ),
    ] = None,
) -> None:
    """Show what each certificate serves, where the work on it is, who has to act, and what nobody claims.

    Takes no lock and changes nothing.

    Exit codes: 0 shown, whatever there is; 1 something could not be read, or --fail-on warn or critical holds;
    4 --fail-on blocked holds; 64 wrong usage.

    Examples: `certrecon status`; `certrecon status --fail-on critical --fail-on blocked`;
    `certrecon status --target 'shop.*' --format json`.
    """
    from reconciler import __version__
    from reconciler.app.status import FAIL_ON, exit_code, make_status
    from reconciler.report.status import status_text
    from reconciler.report.statusjson import status_json
    from reconciler.wiring import Named, open_run

    files, shown, asked = outputs(output), chosen_format(chosen), frozenset(fail_on or ())
    if unknown := sorted(asked - set(FAIL_ON)):
        raise UsageError(f'There is no level "{unknown[0]}". Choose one of: {", ".join(FAIL_ON)}.')
    named = Named(selectors=selectors(target, exclude, label, account, only))
    with open_run(directory, named) as run:
        made = make_status(run.planner, run.observer, run.project, run.accounts, os.environ)
    code = exit_code(made, asked)
    data = status_json(made, tool_version=__version__, exit_code=code)
    emit(Rendering(text=status_text(made), data=data), shown, files)
    raise typer.Exit(code)
