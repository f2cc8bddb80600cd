"""`certrecon status`."""

import os
import sys
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from reconciler.cli.options import (
    MEASURED,
    PAGED,
    About,
    Directory,
    Format,
    Output,
    Rev,
    chosen_format,
    duration,
    emit,
    frame,
    outputs,
)
from reconciler.cli.selectors import Accounts, Excluded, Labels, Only, Targets, selectors
from reconciler.errors import CertreconError, UsageError

if TYPE_CHECKING:
    from rich.text import Text

    from reconciler.wiring import Named


def status(
    directory: Directory = Path(),
    chosen: Format = "text",
    output: Output = None,
    about: About = None,
    target: Targets = None,
    exclude: Excluded = None,
    label: Labels = None,
    account: Accounts = None,
    only: Only = None,
    rev: Rev = None,
    fail_on: Annotated[
        list[str] | None,
        typer.Option(
            "--fail-on",
            metavar="warn|critical|blocked",
            envvar="CERTRECON_FAIL_ON",
            help="Exit 1 where a certificate is that close to its end, or revoked; 4 where one is blocked. Repeatable.",
        ),
    ] = None,
    watch: Annotated[
        bool, typer.Option("--watch", envvar="CERTRECON_WATCH", help="Show it anew each --interval, until Ctrl-C.")
    ] = False,
    interval: Annotated[
        str, typer.Option("--interval", metavar="TIME", envvar="CERTRECON_INTERVAL", help="How long --watch rests.")
    ] = "60s",
) -> None:
    """Show what each certificate serves, where the work on it is, who has to act, and what nobody claims.

    Takes no lock and changes nothing.

    Exit codes: 0 shown, whatever there is; 1 something could not be read, or --fail-on warn or critical holds;
    4 --fail-on blocked holds; 64 wrong usage, or --watch without a terminal; 130 --watch was ended by Ctrl-C.

    Examples: `certrecon status`; `certrecon status --fail-on critical --fail-on blocked`;
    `certrecon status --target 'shop.*' --format json`; `certrecon status --watch --interval 2m`;
    `certrecon status --output metrics=/var/lib/node_exporter/certrecon.prom`.
    """
    from reconciler import __version__
    from reconciler.app.revisions import Revisions
    from reconciler.app.status import FAIL_ON, exit_code, make_status
    from reconciler.cli.rendering import metrics_of, status_rendering
    from reconciler.report.status import status_text
    from reconciler.report.statusjson import status_json
    from reconciler.wiring import Named, open_run

    files, shown, described = outputs(output, MEASURED), chosen_format(chosen, PAGED), frame(about)
    asked = frozenset(fail_on or ())
    if unknown := sorted(asked - set(FAIL_ON)):
        raise UsageError(f'There is no level "{unknown[0]}". Choose one of: {", ".join(FAIL_ON)}.')
    named, rest = Named(selectors=selectors(target, exclude, label, account, only)), duration(interval)
    if watch:
        _watch(directory, named, rest)
    with open_run(directory, named, revisions=Revisions(rev=rev)) as run:
        made = make_status(run.planner, run.observer, run.project, run.accounts, os.environ)
    code = exit_code(made, asked)
    data = status_json(made, tool_version=__version__, exit_code=code)
    measured = metrics_of(made.plan, run.project.policy, command="status", exit_code=code)
    emit(status_rendering(status_text(made), data, described, measured), shown, files)
    raise typer.Exit(code)


def _watch(directory: Path, named: "Named", rest: timedelta) -> NoReturn:
    """Show the status over and over. It rests in real time: watching a sandbox does not move its clock."""
    from rich.console import Console
    from rich.live import Live
    from rich.text import Text

    from reconciler.execution.realtime import RealTime

    if not sys.stdout.isatty():
        raise UsageError("--watch shows on a terminal only. Leave it out, or use --output.")
    real = RealTime()
    with Live(console=Console(highlight=False), auto_refresh=False, vertical_overflow="ellipsis", screen=True) as live:
        while True:
            told = Text("\n").join([*_seen(directory, named), Text(_ends(rest), style="dim")])
            live.update(told, refresh=True)
            real.wait(rest.total_seconds())


def _ends(rest: timedelta) -> str:
    return f"Anew after {rest}; Ctrl-C ends."


def _seen(directory: Path, named: "Named") -> "list[Text]":
    """Return one status; what keeps it from being read is told in its place, and tried again."""
    from rich.text import Text

    from reconciler.app.status import make_status
    from reconciler.report.status import status_text
    from reconciler.wiring import open_run

    try:
        with open_run(directory, named) as run:
            return status_text(make_status(run.planner, run.observer, run.project, run.accounts, os.environ))
    except CertreconError as error:
        return [Text(f"certrecon: {error}", style="red")]
