"""`certrecon apply`."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from reconciler.cli.options import (
    Directory,
    Format,
    Output,
    Rendering,
    Target,
    chosen_format,
    duration,
    emit,
    outputs,
    say,
)
from reconciler.cli.signals import Stopper
from reconciler.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from reconciler.execution.executor import Told


def _tell(told: "Told") -> None:
    from reconciler.report.text import told_text

    say(told_text(told.at, told.certificate, told.text))


def apply(
    directory: Directory = Path(),
    chosen: Format = "text",
    output: Output = None,
    target: Target = None,
    wait: Annotated[
        str,
        typer.Option(
            "--wait", metavar="DURATION", envvar="CERTRECON_WAIT", help="Keep looking for so long, as 20m or 48h."
        ),
    ] = "0s",
    auto_approve: Annotated[
        bool, typer.Option("--auto-approve", help="Do not ask. Needed where there is no terminal.")
    ] = False,
    promote: Annotated[
        list[str] | None,
        typer.Option(
            "--promote", metavar="NAME", help="Let this certificate go from staging to production. Repeatable."
        ),
    ] = None,
) -> None:
    """Do what plan shows: look, decide, act, until each certificate is done or would have to wait.

    Without --wait, work that is under way goes on at the next run: run it again, also after any crash.

    Exit codes: 0 done, or nothing to do; 1 an error, or an outcome that is still unknown; 3 work is under way: run
    again; 4 a certificate is blocked; 64 wrong usage, or no terminal and no approval; 130 and 143 interrupted, after
    the step in hand.

    Examples: `certrecon apply`; `certrecon apply --auto-approve --wait 48h`; `certrecon apply --promote web/www`.
    """
    from reconciler import __version__
    from reconciler.app.apply import ApplyOptions, apply, exit_code, report_of
    from reconciler.app.plan import make_plan
    from reconciler.execution.journal import RunJournal
    from reconciler.report.jsonout import result_json
    from reconciler.report.text import apply_text, plan_text
    from reconciler.wiring import open_run

    files, shown, patience = outputs(output), chosen_format(chosen), duration(wait)
    if not auto_approve and not sys.stdin.isatty():
        raise UsageError("There is no terminal to ask on. Give --auto-approve, or run it in a terminal.")
    with open_run(directory, targets=tuple(target or ()), promote=tuple(promote or ())) as run:
        approved = make_plan(run.planner, run.observer)
        for line in plan_text(approved):
            say(line.plain)
        if approved.actions and not auto_approve and not typer.confirm("Apply this plan?", err=True):
            raise typer.Exit(ExitCode.ERROR)
        stopper = Stopper(run.clock)
        options = ApplyOptions(wait=patience, tell=_tell, stop=stopper.stop)
        with stopper.listening():
            result = apply(run.planner, run.observer, RunJournal(), stopper, approved, options)
    code = stopper.requested or exit_code(result)
    report = report_of(result)
    emit(
        Rendering(text=apply_text(report), data=result_json(report, tool_version=__version__, exit_code=code)),
        shown,
        files,
    )
    raise typer.Exit(code)
