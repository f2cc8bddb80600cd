"""How a change of ours ended that is no longer pending: what CPS has finished may show on its lists only later."""

from collections.abc import Collection
from datetime import timedelta

from reconciler.model.certificate import ChangeId
from reconciler.model.enrollment import ChangeRecord, Enrollment
from reconciler.planning.case import Case
from reconciler.planning.ownership import CLOCK_SLACK
from reconciler.planning.steps import Actor, Phase, Wait

_LONGEST_LAG = timedelta(days=1)  # what has not shown by then is not on its way


def effect_to_follow(case: Case, enrollment: Enrollment, among: Collection[ChangeId] | None = None) -> Wait | None:
    """Wait for the effect of our newest change (of those `among`) where CPS says that it has completed it."""
    known = case.journal.changes if case.journal is not None else {}
    ours = [one for one, change in known.items() if change.enrollment_id == enrollment.id]
    ours = [one for one in ours if among is None or one in among]
    if not ours:
        return None
    newest = max(ours)
    row = _row(case, enrollment, newest)
    if row is None or row.status != "completed":
        return None
    ended_at = row.updated_at or row.created_at
    if case.now - ended_at > _LONGEST_LAG:
        return None
    return Wait(
        phase=Phase.PRODUCTION,
        actor=Actor.CPS,
        text=f"change {newest} is complete; the networks' list is to follow",
        poll=timedelta(minutes=5),
        since=ended_at,
    )


def _row(case: Case, enrollment: Enrollment, change: ChangeId) -> ChangeRecord | None:
    """Return the row of the history that is the change's: it names no ids, and the first since its intent is ours."""
    if case.journal is None:
        return None
    since = case.journal.changes[change].opened_at - CLOCK_SLACK
    rows = case.context.observed.histories.get((case.desired.enrollment.account, enrollment.id), ())
    return min((row for row in rows if row.created_at >= since), key=lambda row: row.created_at, default=None)
