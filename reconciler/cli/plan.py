"""`certrecon plan`."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from reconciler.cli.events import events
from reconciler.cli.hints import apply_command, hint
from reconciler.cli.options import (
    LOGGED,
    RENDERED,
    About,
    AskDns,
    Directory,
    Format,
    Output,
    Rev,
    chosen_format,
    emit,
    frame,
    instant,
    outputs,
)
from reconciler.cli.selectors import Accounts, Excluded, Labels, Only, Targets, selectors

if TYPE_CHECKING:
    from reconciler.report.jsonout import Tree


def plan(
    directory: Directory = Path(),
    chosen: Format = "text",
    output: Output = None,
    about: About = None,
    target: Targets = None,
    exclude: Excluded = None,
    label: Labels = None,
    account: Accounts = None,
    only: Only = None,
    base: Annotated[
        str | None,
        typer.Option(
            "--base",
            metavar="REF",
            envvar="CERTRECON_BASE",
            help="Show first what the files cause that came since they left this branch or commit, then what would be "
            "due anyway.",
        ),
    ] = None,
    rev: Rev = None,
    at: Annotated[
        str | None,
        typer.Option(
            "--at",
            metavar="DATE",
            envvar="CERTRECON_AT",
            help="Show what will be due then, as 2027-03-15 or 2027-03-15T12:00Z, if nothing is done before.",
        ),
    ] = None,
    ask_dns: AskDns = False,
    detailed_exitcode: Annotated[
        bool,
        typer.Option(
            "--detailed-exitcode",
            envvar="CERTRECON_DETAILED_EXITCODE",
            help="Exit 2 where an action could run now. Waiting alone is 0.",
        ),
    ] = False,
) -> None:
    """Show what apply would do, and why. Changes nothing.

    Exit codes: 0 done, or nothing to do; 1 an error, or something could not be read completely; 2 with
    --detailed-exitcode: an action could run now; 4 a guard refused something, or a certificate is blocked and too
    close to its end, or serves nothing; 64 wrong usage.

    Examples: `certrecon plan`; `certrecon plan --detailed-exitcode --output json=plan.json`;
    `certrecon plan --target 'shop.*'`; `certrecon plan --at 2027-03-15 --only renew`;
    `certrecon plan --base origin/main`; `certrecon plan --rev v1.4`.
    """
    from reconciler import __version__
    from reconciler.app.journals import read_journals
    from reconciler.app.plan import make_plan
    from reconciler.app.revisions import Revisions
    from reconciler.cli.rendering import plan_rendering
    from reconciler.report.events import run_ended, run_started
    from reconciler.report.jsonout import plan_json
    from reconciler.wiring import Named, open_run

    files, shown, described = outputs(output, LOGGED), chosen_format(chosen, RENDERED), frame(about)
    named, as_of = Named(selectors=selectors(target, exclude, label, account, only)), instant(at) if at else None
    revisions = Revisions(rev=rev, base=base)
    with events(files) as note, open_run(directory, named, revisions=revisions, at=as_of) as run:
        note(run_started(run.clock.now(), command="plan", tool_version=__version__))
        journals = read_journals(run.project, run.accounts, os.environ)
        dns = run.dns() if ask_dns else None
        made = make_plan(run.planner, run.observer, journals, dns, at=as_of, base=run.base)
        data = plan_json(made, tool_version=__version__, tree=_tree(run.project.root, rev))
        rendering = plan_rendering(data, described)
        code = made.exit_code(detailed=detailed_exitcode)
        note(run_ended(run.clock.now(), exit_code=code, summary=rendering.title))
    emit(rendering, shown, files)
    if shown == "text" and made.actions and at is None and rev is None:
        hint(apply_command(), directory)
    raise typer.Exit(code)


def _tree(root: Path, rev: str | None) -> "Tree | None":
    """Return what the planned files are: those of a commit, or of a tree that may differ from HEAD."""
    from reconciler.desired.head import head
    from reconciler.desired.revision import commit_of
    from reconciler.report.jsonout import Tree

    if rev is not None:
        return Tree(revision=commit_of(root, rev))
    standing_on = head(root)
    return Tree(revision=standing_on.commit, differing=standing_on.differing) if standing_on is not None else None
