"""`certrecon apply`."""

import os
import sys
from collections.abc import Mapping
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from reconciler.cli.budgets import AllowBudget, allowed_budgets, raised
from reconciler.cli.events import Emit, events
from reconciler.cli.hints import apply_command, hint
from reconciler.cli.options import (
    LOGGED,
    RENDERED,
    About,
    AskDns,
    Directory,
    Format,
    Output,
    chosen_format,
    duration,
    emit,
    frame,
    outputs,
    say,
    show,
)
from reconciler.cli.progress import Show, progress
from reconciler.cli.selectors import Accounts, Excluded, Labels, Only, Targets, selectors
from reconciler.cli.signals import Stopper
from reconciler.errors import ExitCode, UsageError
from reconciler.model.certificate import CertificateName

if TYPE_CHECKING:
    from reconciler.app.approval import Approvals, PlanFile
    from reconciler.app.journals import Held
    from reconciler.app.plan import Planner
    from reconciler.desired.head import Head
    from reconciler.execution.run import Told, UnderWay
    from reconciler.model.lock import Owner
    from reconciler.model.policy import Policy
    from reconciler.planning.plan import Plan
    from reconciler.report.outcome import ApplyReport
    from reconciler.wiring import Named, Run

Plans = Annotated[
    list[Path] | None,
    typer.Argument(metavar="[PLAN]...", help="Approved plan files, where policy.approval is plan."),
]
Waiting = Annotated[
    str,
    typer.Option(
        "--wait", metavar="DURATION", envvar="CERTRECON_WAIT", help="Keep looking for so long, as 20m or 48h."
    ),
]
Parallelism = Annotated[
    int,
    typer.Option(
        "--parallelism",
        metavar="N",
        min=1,
        envvar="CERTRECON_PARALLELISM",
        help="Work on so many Akamai accounts side by side. Within one, its rate limits are what there is.",
    ),
]
AutoApprove = Annotated[bool, typer.Option("--auto-approve", help="Do not ask. Needed where there is no terminal.")]
LockTimeout = Annotated[
    str,
    typer.Option(
        "--lock-timeout",
        metavar="DURATION",
        envvar="CERTRECON_LOCK_TIMEOUT",
        help="Wait so long for a lock that another run holds.",
    ),
]
Retry = Annotated[
    list[str] | None,
    typer.Option("--retry", metavar="NAME", help="Let dead or lost work of this certificate begin again. Repeatable."),
]
Supersede = Annotated[
    list[str] | None,
    typer.Option(
        "--supersede", metavar="NAME", help="Give up this certificate's pending change and order. Repeatable."
    ),
]
AllowAdopt = Annotated[
    list[str] | None,
    typer.Option("--allow-adopt", metavar="NAME", help="Change this enrollment that a file claims. Repeatable."),
]
Promoted = Annotated[
    list[str] | None,
    typer.Option("--promote", metavar="NAME", help="Let this certificate go from staging to production. Repeatable."),
]
AllowLocalLock = Annotated[
    bool, typer.Option("--allow-local-lock", help="Accept a lock that excludes only runs on this machine.")
]
AllowDirty = Annotated[bool, typer.Option("--allow-dirty", help="Carry out files that differ from the commit at HEAD.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """What the command line asks for."""

    directory: Path
    plans: "tuple[PlanFile, ...]"
    named: "Named"
    ask_dns: bool
    wait: timedelta
    parallelism: int
    auto_approve: bool
    lock_timeout: timedelta
    budgets: Mapping[str, int]  # raised for this run, by the files' names
    allow_local_lock: bool
    allow_dirty: bool


def apply(
    plans: Plans = None,
    directory: Directory = Path(),
    chosen: Format = "text",
    output: Output = None,
    about: About = None,
    target: Targets = None,
    exclude: Excluded = None,
    label: Labels = None,
    account: Accounts = None,
    only: Only = None,
    ask_dns: AskDns = False,
    wait: Waiting = "0s",
    parallelism: Parallelism = 1,
    auto_approve: AutoApprove = False,
    lock_timeout: LockTimeout = "0s",
    retry: Retry = None,
    supersede: Supersede = None,
    allow_adopt: AllowAdopt = None,
    allow_budget: AllowBudget = None,
    allow_local_lock: AllowLocalLock = False,
    allow_dirty: AllowDirty = False,
    promote: Promoted = None,
) -> None:
    """Do what plan shows: look, decide, act, until each certificate is done or would have to wait.

    Without --wait, work that is under way goes on at the next run: run it again, also after any crash. Of several
    accounts, those that another run has locked are left out, and the others are done.

    Exit codes: 0 done, or nothing to do; 1 an error, or an outcome that is still unknown; 3 work is under way or
    throttled: run again; 4 a guard refused something, or a certificate is blocked and too close to its end; 5 a plan
    file was stale in part; 6 the lock is held, or was lost; 64 wrong usage, or no terminal and no approval; 130 and 143
    interrupted, after the step in hand.

    Examples: `certrecon apply`; `certrecon apply --auto-approve --wait 48h`; `certrecon apply --promote web/www`;
    `certrecon apply --only renew --exclude 'shop/*'`; `certrecon apply --output metrics=c.prom`.
    """
    from reconciler import __version__
    from reconciler.app.approval import read_plan
    from reconciler.cli.rendering import metrics_of, result_rendering
    from reconciler.report.jsonout import result_json
    from reconciler.wiring import Named

    files, shown, described = outputs(output, (*LOGGED, "metrics")), chosen_format(chosen, RENDERED), frame(about)
    if not auto_approve and not sys.stdin.isatty():
        raise UsageError("There is no terminal to ask on. Give --auto-approve, or run it in a terminal.")
    asked = _Asked(
        directory=directory,
        plans=tuple(map(read_plan, plans or ())),
        named=Named(
            selectors=selectors(target, exclude, label, account, only),
            promote=promote or (),
            retry=retry or (),
            supersede=supersede or (),
            allow_adopt=allow_adopt or (),
        ),
        ask_dns=ask_dns,
        wait=duration(wait),
        parallelism=parallelism,
        auto_approve=auto_approve,
        lock_timeout=duration(lock_timeout),
        budgets=allowed_budgets(allow_budget),
        allow_local_lock=allow_local_lock,
        allow_dirty=allow_dirty,
    )
    with events(files) as note:
        report, code, policy = _run(asked, note)
    data = result_json(report, tool_version=__version__, exit_code=code)
    measured = metrics_of(report.plan, policy, command="apply", exit_code=code)
    emit(replace(result_rendering(data, described), metrics=measured), shown, files)
    if shown == "text" and code is ExitCode.UNDER_WAY:
        hint(f"{apply_command(waits=True)}  (or later, as often as you like)", directory)
    elif shown == "text" and code is ExitCode.DONE and report.steps:
        hint("certrecon status", directory)
    raise typer.Exit(code)


def _run(asked: _Asked, note: Emit) -> "tuple[ApplyReport, ExitCode, Policy]":
    """Lock, look, ask, carry out what was approved, and tell who wants to be told."""
    from reconciler import __version__
    from reconciler.app.apply import ApplyOptions, apply, exit_code, note_applied, report_of
    from reconciler.app.lock_place import run_owner
    from reconciler.app.notify import conditions
    from reconciler.app.rights import refuse_readers
    from reconciler.report.events import run_started
    from reconciler.wiring import announcer_of, open_run

    opened = open_run(asked.directory, asked.named, parallelism=asked.parallelism, only_looks=False)
    with opened as run, ExitStack() as stack:
        note(run_started(run.clock.now(), command="apply", tool_version=__version__))
        announcer = announcer_of(run, warn=lambda text: say(f"certrecon: warning: {text}"))
        stack.enter_context(announcer.telling({}))
        policy = replace(run.planner.policy, budgets=raised(run.planner.policy.budgets, asked.budgets))
        approvals = _approvals(policy, asked.plans)
        owner = run_owner(os.environ, commit=_commit(run, asked))
        refuse_readers(run.observer.services)
        stopper = Stopper(run.clock)
        stack.enter_context(stopper.listening())
        held = stack.enter_context(_locks(run, asked, owner, stopper))
        stack.enter_context(announcer.telling(held.journals))
        planner = _of_held(replace(run.planner, policy=policy), held, stopper)
        approved = _approved(run, planner, held, asked)
        show_progress = stack.enter_context(progress(waits=asked.wait > timedelta()))
        options = ApplyOptions(
            wait=asked.wait,
            allow_adopt=frozenset(map(CertificateName, asked.named.allow_adopt)),
            lock_ttl=run.project.lock.ttl,
            owner=owner,
            approvals=approvals,
            tell=lambda told: _tell(told, note),
            watch=lambda under_way: _watch(under_way, show_progress, note),
            stop=stopper.stop,
            parallelism=asked.parallelism,
        )
        result = apply(planner, run.observer, held, stopper, approved, options)
        stale = approvals.stale(approved.standings, now=approved.at) if approvals is not None else ()
        for text in stale:
            say(f"certrecon: stale: {text}")
        if approvals is not None and not held.locked_out:
            note_applied(held, result.plan, approvals, owner.commit, now=run.clock.now())
        code = stopper.requested or exit_code(result, held, stale=bool(stale))
        report = report_of(result, approved)
        _note_end(report, run.clock.now(), code, note)
        if stopper.requested is None:  # who ends a run does not wait for chats
            announcer.ended(conditions(report, policy, code), report.plan)
    return report, code, policy


def _approvals(policy: "Policy", plans: "tuple[PlanFile, ...]") -> "Approvals | None":
    from reconciler.app.approval import Approvals
    from reconciler.model.policy import Approval

    if policy.approval is Approval.PLAN:
        return Approvals(files=plans, max_age=policy.plan_max_age)
    if plans:
        raise UsageError("Plan files are for `policy.approval: plan`; here what stands on the branch is approved.")
    return None


def _commit(run: "Run", asked: _Asked) -> str:
    """Return the commit that is carried out; refuse what nobody has reviewed (safety 4), and a lock that is none."""
    from reconciler.app.lock_place import check_settings
    from reconciler.desired.head import head

    check_settings(run.project, services_local=run.services_local, allow_local_lock=asked.allow_local_lock)
    standing_on = head(run.project.root)
    if not (asked.allow_dirty or run.services_local):
        _refuse_dirty(standing_on)
    return standing_on.commit if standing_on is not None else ""


def _refuse_dirty(standing_on: "Head | None") -> None:
    """Refuse what nobody has reviewed: what stands at HEAD is approved, and nothing else (safety 4)."""
    if standing_on is None:
        raise UsageError(
            "This is no commit of a git repository, so nobody has approved it. Commit it, or --allow-dirty."
        )
    if standing_on.differing:
        shown = ", ".join(standing_on.differing[:5])
        raise UsageError(f"The tree differs from HEAD: {shown}. Commit it, or give --allow-dirty.")


def _locks(run: "Run", asked: _Asked, owner: "Owner", stopper: Stopper) -> "AbstractContextManager[Held]":
    from reconciler.app.journals import hold

    return hold(
        run.project,
        run.accounts,
        os.environ,
        stopper,
        owner=owner,
        timeout=asked.lock_timeout,
        may_create=run.no_tags,
        stop=stopper.stop,
    )


def _of_held(planner: "Planner", held: "Held", stopper: Stopper) -> "Planner":
    """Return the planner of what is locked by this run: of accounts that another has, nothing is even read."""
    for error in held.locked_out.values():
        say(f"certrecon: {error}")
    if not held.locked_out:
        return planner
    if not held.journals:
        raise typer.Exit(stopper.requested or ExitCode.LOCKED)
    return replace(planner, selectors=replace(planner.selectors, accounts=frozenset(held.journals)))


def _approved(run: "Run", planner: "Planner", held: "Held", asked: _Asked) -> "Plan":
    """Make the plan, show it, and ask for it."""
    from reconciler import __version__
    from reconciler.app.plan import make_plan
    from reconciler.report.document import plan_document
    from reconciler.report.jsonout import plan_json
    from reconciler.report.text import plan_text

    known = {account: state for account, one in held.journals.items() if (state := one.state) is not None}
    made = make_plan(planner, run.observer, known, run.dns() if asked.ask_dns else None)
    show(plan_text(plan_document(plan_json(made, tool_version=__version__))))
    if made.actions and not asked.auto_approve and not typer.confirm("Apply this plan?", err=True):
        raise typer.Exit(ExitCode.ERROR)
    return made


def _tell(told: "Told", note: Emit) -> None:
    from reconciler.report.events import step_begun, step_ended
    from reconciler.report.text import told_text

    name, operation, outcome = told.certificate or "", told.operation, told.outcome
    if outcome is None:
        note(step_begun(told.at, certificate=name, operation=operation))
        return
    note(step_ended(told.at, certificate=name, operation=operation, outcome=outcome.kind.value, detail=outcome.detail))
    say(told_text(told.at, told.certificate, told.text))


def _watch(under_way: "UnderWay", show_progress: Show, note: Emit) -> None:
    from reconciler.report.events import looked, waiting
    from reconciler.report.progress import progress_text

    note(looked(under_way.at, {phase.value: count for phase, count in under_way.phases.items()}, under_way.next_look))
    if under_way.next_look is not None:
        note(waiting(under_way.at, under_way.next_look))
    show_progress(progress_text(under_way.at, under_way.phases, under_way.next_look))


def _note_end(report: "ApplyReport", at: datetime, code: ExitCode, note: Emit) -> None:
    from reconciler.report.events import certificate_ended, run_ended

    for row in report.rows:
        note(certificate_ended(at, certificate=row.name, ending=row.ending.value, text=row.text))
    note(run_ended(at, exit_code=code, summary=report.summary))
