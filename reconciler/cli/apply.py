"""`certrecon apply`."""

import os
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from reconciler.cli.options import (
    AskDns,
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
from reconciler.model.certificate import CertificateName

if TYPE_CHECKING:
    from reconciler.app.approval import Approvals, PlanFile
    from reconciler.desired.head import Head
    from reconciler.execution.executor import Told
    from reconciler.model.policy import Policy


def _approvals(policy: "Policy", plans: "tuple[PlanFile, ...]") -> "Approvals | None":
    from reconciler.app.approval import Approvals
    from reconciler.model.policy import Approval

    if policy.approval is Approval.PLAN:
        return Approvals(files=plans, max_age=policy.plan_max_age)
    if plans:
        raise UsageError("Plan files are for `policy.approval: plan`; here what stands on the branch is approved.")
    return None


def _refuse_dirty(standing_on: "Head | None") -> None:
    """Refuse what nobody has reviewed: what stands at HEAD is approved, and nothing else (safety 4)."""
    if standing_on is None:
        raise UsageError(
            "This is no commit of a git repository, so nobody has approved it. Commit it, or --allow-dirty."
        )
    if standing_on.differing:
        shown = ", ".join(standing_on.differing[:5])
        raise UsageError(f"The tree differs from HEAD: {shown}. Commit it, or give --allow-dirty.")


def _tell(told: "Told") -> None:
    from reconciler.report.text import told_text

    say(told_text(told.at, told.certificate, told.text))


def apply(
    plans: Annotated[
        list[Path] | None,
        typer.Argument(metavar="[PLAN]...", help="Approved plan files, where policy.approval is plan."),
    ] = None,
    directory: Directory = Path(),
    chosen: Format = "text",
    output: Output = None,
    target: Target = None,
    ask_dns: AskDns = False,
    wait: Annotated[
        str,
        typer.Option(
            "--wait", metavar="DURATION", envvar="CERTRECON_WAIT", help="Keep looking for so long, as 20m or 48h."
        ),
    ] = "0s",
    auto_approve: Annotated[
        bool, typer.Option("--auto-approve", help="Do not ask. Needed where there is no terminal.")
    ] = False,
    lock_timeout: Annotated[
        str,
        typer.Option(
            "--lock-timeout",
            metavar="DURATION",
            envvar="CERTRECON_LOCK_TIMEOUT",
            help="Wait so long for a lock that another run holds.",
        ),
    ] = "0s",
    retry: Annotated[
        list[str] | None,
        typer.Option(
            "--retry", metavar="NAME", help="Let dead or lost work of this certificate begin again. Repeatable."
        ),
    ] = None,
    supersede: Annotated[
        list[str] | None,
        typer.Option(
            "--supersede", metavar="NAME", help="Give up this certificate's pending change and order. Repeatable."
        ),
    ] = None,
    allow_adopt: Annotated[
        list[str] | None,
        typer.Option("--allow-adopt", metavar="NAME", help="Change this enrollment that a file claims. Repeatable."),
    ] = None,
    allow_local_lock: Annotated[
        bool, typer.Option("--allow-local-lock", help="Accept a lock that excludes only runs on this machine.")
    ] = False,
    allow_dirty: Annotated[
        bool, typer.Option("--allow-dirty", help="Carry out files that differ from the commit at HEAD.")
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

    Exit codes: 0 done, or nothing to do; 1 an error, or an outcome that is still unknown; 3 work is under way or
    throttled: run again; 4 a guard refused something, or a certificate is blocked and too close to its end; 5 a plan
    file was stale in part; 6 the lock is held, or was lost; 64 wrong usage, or no terminal and no approval; 130 and 143
    interrupted, after the step in hand.

    Examples: `certrecon apply`; `certrecon apply --auto-approve --wait 48h`; `certrecon apply --promote web/www`.
    """
    from reconciler import __version__
    from reconciler.app.apply import ApplyOptions, apply, exit_code, report_of
    from reconciler.app.approval import read_plan
    from reconciler.app.journals import hold
    from reconciler.app.lock_place import check_settings, run_owner
    from reconciler.app.plan import make_plan
    from reconciler.desired.head import head
    from reconciler.report.jsonout import result_json
    from reconciler.report.text import apply_text, plan_text
    from reconciler.wiring import Named, open_run

    files, shown, patience, lock_patience = (
        outputs(output),
        chosen_format(chosen),
        duration(wait),
        duration(lock_timeout),
    )
    if not auto_approve and not sys.stdin.isatty():
        raise UsageError("There is no terminal to ask on. Give --auto-approve, or run it in a terminal.")
    named = Named(targets=tuple(target or ()), promote=promote or (), retry=retry or (), supersede=supersede or ())
    files_of_plans = tuple(read_plan(path) for path in plans or ())
    with open_run(directory, named, only_looks=False) as run, ExitStack() as stack:
        approvals = _approvals(run.project.policy, files_of_plans)
        check_settings(run.project, services_local=run.services_local, allow_local_lock=allow_local_lock)
        standing_on = head(run.project.root)
        if not (allow_dirty or run.services_local):
            _refuse_dirty(standing_on)
        stopper = Stopper(run.clock)
        owner = run_owner(os.environ, commit=standing_on.commit if standing_on is not None else "")
        stack.enter_context(stopper.listening())
        held = stack.enter_context(
            hold(
                run.project,
                run.accounts,
                os.environ,
                stopper,
                owner=owner,
                timeout=lock_patience,
                may_create=run.no_tags,
                stop=stopper.stop,
            )
        )
        for error in held.locked_out.values():
            say(f"certrecon: {error}")
        known = {account: state for account, one in held.journals.items() if (state := one.state) is not None}
        approved = make_plan(run.planner, run.observer, known, run.dns() if ask_dns else None)
        for line in plan_text(approved):
            say(line.plain)
        if approved.actions and not auto_approve and not typer.confirm("Apply this plan?", err=True):
            raise typer.Exit(ExitCode.ERROR)
        options = ApplyOptions(
            wait=patience,
            allow_adopt=frozenset(map(CertificateName, allow_adopt or ())),
            lock_ttl=run.project.lock.ttl,
            owner=owner,
            approvals=approvals,
            tell=_tell,
            stop=stopper.stop,
        )
        result = apply(run.planner, run.observer, held, stopper, approved, options)
        stale = approvals.stale(approved.standings, now=approved.at) if approvals is not None else ()
        for text in stale:
            say(f"certrecon: stale: {text}")
        code = stopper.requested or exit_code(result, held, stale=bool(stale))
    report = report_of(result, approved)
    emit(
        Rendering(text=apply_text(report), data=result_json(report, tool_version=__version__, exit_code=code)),
        shown,
        files,
    )
    raise typer.Exit(code)
