"""Status: how every certificate is, who has to act, and what no file or no network knows. Nothing is changed."""

from collections.abc import Mapping
from dataclasses import replace

from reconciler.app.looking import Looked, look, readable_journals
from reconciler.app.plan import Planner
from reconciler.errors import ExitCode, worst
from reconciler.execution.observe import Observer
from reconciler.model.certificate import AccountName
from reconciler.model.policy import Project
from reconciler.planning.health import Level, Work, health_of, worst_first
from reconciler.planning.strays import stray_orders, unclaimed_enrollments
from reconciler.report.status import Status

FAIL_ON = ("warn", "critical", "blocked")


def make_status(
    planner: Planner,
    observer: Observer,
    project: Project,
    accounts: frozenset[AccountName],
    environment: Mapping[str, str],
) -> Status:
    """Look once. A journal that cannot be read is said, and the rest is told without it.

    Raises:
        AuthenticationError: a service did not accept the credentials.
    """
    return look_at_status(planner, observer, project, accounts, environment)[0]


def look_at_status(
    planner: Planner,
    observer: Observer,
    project: Project,
    accounts: frozenset[AccountName],
    environment: Mapping[str, str],
) -> tuple[Status, Looked]:
    """Return the status, and the look that it is of. Raises what `make_status` raises."""
    journals, unreadable = readable_journals(project, accounts, environment)
    looked = look(planner, observer, journals)
    plan, context = looked.plan, looked.context
    healths = (health_of(standing, context.observed, planner.policy) for standing in plan.standings)
    broken = len(planner.desired.broken)
    status = Status(
        plan=replace(plan, unread=(*unreadable, *plan.unread)),
        healths=tuple(sorted(healths, key=worst_first)),
        # What a broken file claims is not known: nothing is read as released.
        unclaimed=() if broken else unclaimed_enrollments(context, planner.desired.certificates),
        strays=stray_orders(context),
        broken=broken,
    )
    return status, looked


def exit_code(status: Status, fail_on: frozenset[str]) -> ExitCode:
    """Return 1 where something could not be read or a level that was asked for is reached, 4 for blocked ones."""
    levels = {one.level for one in status.healths}
    codes = []
    if status.plan.problems or status.plan.unread:
        codes.append(ExitCode.ERROR)
    if "warn" in fail_on and levels & {Level.WARN, Level.CRITICAL}:
        codes.append(ExitCode.ERROR)
    if "critical" in fail_on and Level.CRITICAL in levels:
        codes.append(ExitCode.ERROR)
    if "blocked" in fail_on and any(one.work is Work.BLOCKED for one in status.healths):
        codes.append(ExitCode.REFUSED)
    return worst(codes)
