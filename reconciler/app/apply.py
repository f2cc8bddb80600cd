"""Apply: look, decide, act, until each certificate is done or would have to wait."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from reconciler.app.approval import Approvals
from reconciler.app.journals import Held
from reconciler.app.plan import Planner
from reconciler.app.preflight import blocks
from reconciler.errors import ExitCode, worst
from reconciler.execution.durable import DurableJournal
from reconciler.execution.executor import Executor
from reconciler.execution.observe import Observer
from reconciler.execution.run import Result, Told, UnderWay
from reconciler.model.certificate import CertificateName
from reconciler.model.journal import OpenIntent
from reconciler.model.journal_entries import CommitApplied
from reconciler.model.lock import Owner
from reconciler.planning.plan import Plan, Standing
from reconciler.planning.settle import settled_at
from reconciler.planning.steps import ActionKind
from reconciler.ports import Clock
from reconciler.report.outcome import ApplyReport, StepMade, apply_report

_LIVES_OF_A_LOCK = 1.2  # of real time, before an intent of a run that has died counts as settled


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplyOptions:
    wait: timedelta = timedelta()
    allow_adopt: frozenset[CertificateName] = frozenset()
    lock_ttl: timedelta = timedelta()
    owner: Owner | None = None
    approvals: Approvals | None = None  # None: what stands on the branch is approved
    tell: Callable[[Told], None] = lambda _: None
    watch: Callable[[UnderWay], None] = lambda _: None
    stop: Callable[[], bool] = lambda: False
    parallelism: int = 1  # accounts side by side


def apply(
    planner: Planner, observer: Observer, held: Held, clock: Clock, approved: Plan, options: ApplyOptions
) -> Result:
    """Carry out what `approved` shows, and everything that continues it.

    An action runs if the approved plan has it; what comes later for the same file is approved with it, as is a reissue
    that was queued behind a pending change. What stands on the branch is approved by whoever merged it, save the
    adoption of a live enrollment that would be changed.
    """
    begun: set[CertificateName] = set()  # an approved action approves its later steps, its order included
    if options.approvals is not None:
        begun = {
            standing.name
            for standing in approved.standings
            if standing.action is not None and options.approvals.approves(standing.action, now=approved.at)
        }
    files = {(action.certificate, action.desired_digest) for action in approved.actions}
    # What had to wait is approved by policy; what a check before the order has blocked is not begun by this run.
    blocked = {standing.name for standing in approved.standings if blocks(standing)}
    waiting = {standing.name for standing in approved.standings if standing.action is None} - blocked

    def is_approved(standing: Standing) -> bool:
        action = standing.action
        if action is None or not standing.may_run or standing.desired.enrollment.account not in held.journals:
            return False
        if standing.name in blocked:
            return False
        if options.approvals is not None:
            return standing.name in begun or options.approvals.approves(action, now=clock.now())
        if action.kind is ActionKind.ADOPT and standing.name not in options.allow_adopt:
            return False
        return (action.certificate, action.desired_digest) in files or standing.name in waiting

    executor = Executor(
        observer=observer,
        clock=clock,
        certificates=[one for one in planner.certificates if one.enrollment.account in held.journals],
        decide=lambda observed, known, placed: planner.plan(
            observed,
            known,
            settles=_settles(held, clock, options.lock_ttl),
            placed_in_run=placed,
            retried=executor.begun,
        ),
        interest=planner.interest,
        journals=held.journals,
        leases=held.leases,
        approved=is_approved,
        tell=options.tell,
        watch=options.watch,
        stop=options.stop,
        parallelism=options.parallelism,
        approval="merge" if options.approvals is None else "plan",
        commit=options.owner.commit if options.owner is not None else "",
        run_url=options.owner.run_url if options.owner is not None else "",
    )
    return executor.converge(wait=options.wait)


def note_applied(held: Held, plan: Plan, approvals: Approvals, commit: str, *, now: datetime) -> None:
    """Write down the commit where nothing of it is left that needs an approved plan file (design: safety 4).

    A run that was narrowed, or that could not use each file, cannot tell.
    """
    if not commit or plan.selectors.text is not None or plan.problems:
        return
    left = {one.desired.enrollment.account for one in approvals.outstanding(plan.standings, now=now)}
    for account, journal in held.journals.items():
        state = journal.state
        if account not in left and state is not None and state.last_applied_commit != commit:
            journal.note([CommitApplied(commit=commit, at=now)])


def _settles(held: Held, clock: Clock, lock_ttl: timedelta) -> Callable[[OpenIntent], datetime]:
    """Return when an open intent counts as settled: by service time, and by the real time that a lock may live."""

    def settles(one: OpenIntent) -> datetime:
        by_service = settled_at(one)
        for journal in held.journals.values():
            if isinstance(journal, DurableJournal) and journal.state.open_intent(one.intent.id) is not None:
                left = _LIVES_OF_A_LOCK * lock_ttl - journal.real_age(one.intent.id)
                return max(by_service, clock.now() + left) if left > timedelta() else by_service
        return by_service

    return settles


def exit_code(result: Result, held: Held, *, stale: bool = False) -> ExitCode:
    """Return `apply`'s exit code: the first that holds, of what the last look and the steps say."""
    codes = [result.plan.exit_code(detailed=False)]
    if stale:
        codes.append(ExitCode.STALE)
    if result.failures:
        codes.append(ExitCode.ERROR)
    if held.locked_out:
        codes.append(ExitCode.LOCKED)
    if result.under_way or any(standing.throttled for standing in result.plan.standings):
        codes.append(ExitCode.UNDER_WAY)
    return worst(codes)


def report_of(result: Result, approved: Plan) -> ApplyReport:
    """Return the result as reports want it; what a check before the order has blocked stays as it was approved."""
    blocked = {standing.name: standing for standing in approved.standings if blocks(standing)}
    standings = tuple(blocked.get(standing.name, standing) for standing in result.plan.standings)
    steps = [
        StepMade(
            certificate=made.certificate,
            operation=made.operation,
            outcome=made.outcome.kind.value,
            detail=made.outcome.detail,
            at=made.outcome.at.isoformat(),
        )
        for made in result.performed
    ]
    plan = replace(result.plan, standings=standings)
    return apply_report(plan, steps, result.failures, under_way=result.under_way)
