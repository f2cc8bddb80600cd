"""`state: absent`: the enrollment is removed, refused while anything live or foreign depends on it."""

from datetime import timedelta

from reconciler.model.enrollment import Enrollment
from reconciler.planning.case import Case
from reconciler.planning.causes import delete_cause
from reconciler.planning.matching import Found, Match
from reconciler.planning.ownership import Owner
from reconciler.planning.steps import Act, ActionKind, Actor, Blocked, Decision, DeleteEnrollment, Done, Phase, Wait


def remove(case: Case, found: Match) -> Decision:
    """Decide on a certificate that is to be absent. What is gone already does nothing and says that the file can go."""
    if not isinstance(found, Found):
        return Done(notes=("it is gone: the file can go too",))
    enrollment = found.enrollment
    if removing := _under_way(case, enrollment):
        return removing
    if enrollment.pending and case.opened_by(enrollment) not in (Owner.OURS, Owner.CPS):
        return _in_the_way(f"change {enrollment.pending[-1].id} was not opened by certrecon")
    live = [
        tagged.order.ssl_id
        for change in enrollment.pending
        for tagged in case.instance.book.by_change.get((enrollment.id, change.id), ())
        if tagged.order.status.pending
    ]
    if live:
        return _in_the_way(f"order {', '.join(str(one) for one in live)} is alive: decline it in SCM first")
    return Act(
        phase=Phase.REMOVING,
        kind=ActionKind.DELETE,
        cause=delete_cause(enrollment.id),
        steps=(
            DeleteEnrollment(
                account=case.desired.enrollment.account,
                enrollment_id=enrollment.id,
                cancel_pending=bool(enrollment.pending),
            ),
        ),
        reason="absent-declared",
        text=f"the file says `state: absent` of enrollment {enrollment.id}",
    )


def _under_way(case: Case, enrollment: Enrollment) -> Wait | None:
    """The removal is itself a change, and takes CPS its time."""
    known = case.journal.changes if case.journal is not None else {}
    ours = [change.id for change in enrollment.pending if change.id in known]
    if not any(known[number].cause == delete_cause(enrollment.id) for number in ours):
        return None
    return Wait(
        phase=Phase.REMOVING,
        actor=Actor.CPS,
        text=f"enrollment {enrollment.id} is being removed",
        poll=timedelta(minutes=10),
    )


def _in_the_way(why: str) -> Blocked:
    return Blocked(
        phase=Phase.PRODUCTION,
        actor=Actor.OPERATOR,
        text=f"it is not removed: {why}",
        remedy="Clear that first, or set `state: present`.",
        reason="removal-refused",
    )
