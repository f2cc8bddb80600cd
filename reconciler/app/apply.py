"""Apply: look, decide, act, until each certificate is done or would have to wait."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from reconciler.app.plan import Planner
from reconciler.errors import ExitCode, worst
from reconciler.execution.executor import Executor, Result, Told
from reconciler.execution.observe import Observer
from reconciler.planning.plan import Plan, Standing
from reconciler.ports import Clock, Journal
from reconciler.report.outcome import ApplyReport, StepMade, apply_report


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplyOptions:
    wait: timedelta = timedelta()
    tell: Callable[[Told], None] = lambda _: None
    stop: Callable[[], bool] = lambda: False


def apply(
    planner: Planner, observer: Observer, journal: Journal, clock: Clock, approved: Plan, options: ApplyOptions
) -> Result:
    """Carry out what `approved` shows, and everything that continues it.

    An action runs if the approved plan has it; later steps of the same certificate are approved with it. What became
    an action only after the plan was shown (a certificate that was not there) waits for the next run.
    """
    causes = {(action.certificate, action.cause, action.desired_digest) for action in approved.actions}
    waiting = {standing.name for standing in approved.standings if standing.action is None}

    def is_approved(standing: Standing) -> bool:
        action = standing.action
        if action is None:
            return False
        return (action.certificate, action.cause, action.desired_digest) in causes or standing.name in waiting

    executor = Executor(
        observer=observer,
        journal=journal,
        clock=clock,
        certificates=planner.certificates,
        decide=planner.plan,
        approved=is_approved,
        tell=options.tell,
        stop=options.stop,
    )
    return executor.converge(wait=options.wait)


def exit_code(result: Result) -> ExitCode:
    """Return `apply`'s exit code: the first that holds, of what the last look and the steps say."""
    codes = [result.plan.exit_code(detailed=False)]
    if result.failures:
        codes.append(ExitCode.ERROR)
    if result.under_way:
        codes.append(ExitCode.UNDER_WAY)
    return worst(codes)


def report_of(result: Result) -> ApplyReport:
    """Return the result as reports want it."""
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
    return apply_report(result.plan, steps, result.failures)
