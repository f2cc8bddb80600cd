"""The next step of one certificate, from what is wanted, what was seen and what the journal knows: pure."""

from datetime import timedelta

from reconciler.model.certificate import DesiredEnrollment, EnrollmentId, State
from reconciler.model.enrollment import Enrollment
from reconciler.model.journal import identity_key
from reconciler.planning.case import Case
from reconciler.planning.causes import create_cause
from reconciler.planning.endings import effect_to_follow
from reconciler.planning.matching import Absent, Found, InTheWay, match_enrollment
from reconciler.planning.ownership import Owner
from reconciler.planning.pending import change_under_way
from reconciler.planning.removal import remove
from reconciler.planning.served import served_certificate
from reconciler.planning.settle import SETTLE
from reconciler.planning.steps import (
    Act,
    ActionKind,
    Actor,
    Blocked,
    CreateEnrollment,
    Decision,
    Phase,
    Unread,
    Wait,
    operation_of,
    unresolved,
)


def decide(case: Case) -> Decision:
    """Return what is to be done, waited for, or in the way of one certificate."""
    if unread := _unread(case):
        return unread
    own = case.desired.enrollment.enrollment_id
    claimed = case.context.claimed.get(case.desired.enrollment.account, frozenset()) - {own}
    found = match_enrollment(case.desired, case.account.index, claimed=frozenset(claimed))
    if case.desired.state is State.ABSENT:
        return remove(case, found)
    match found:
        case InTheWay(why=why, remedy=remedy):
            return Blocked(phase=Phase.ABSENT, actor=Actor.AUTHOR, text=why, remedy=remedy, reason="in-the-way")
        case Absent():
            return _unless_refused(case, _create(case))
        case Found(enrollment=enrollment):
            return _unless_refused(case, _existing(case, enrollment))


def _unread(case: Case) -> Unread | None:
    parts = (
        case.account.contracts,
        case.account.enrollments,
        case.account.served,
        case.instance.organizations,
        case.instance.profiles,
        case.instance.orders,
    )
    problems = [problem for part in parts if not part.complete for problem in part.problems or ("not complete",)]
    return Unread(text="; ".join(dict.fromkeys(problems))) if problems else None


def _create(case: Case) -> Decision:
    if stop := _gone(case) or _uncertain(case):
        return stop
    if case.terms is None:
        return unresolved()
    if missing := _missing_for_create(case.desired.enrollment):
        return Blocked(
            phase=Phase.ABSENT,
            actor=Actor.AUTHOR,
            text=f"CPS creates no enrollment without {', '.join(missing)}, and no file names it",
            remedy="Name it in the file or in certificates/_defaults.yaml.",
            reason="incomplete",
            error=True,
        )
    return Act(
        phase=Phase.ABSENT,
        kind=ActionKind.CREATE,
        cause=create_cause(case.desired.identity),
        steps=(CreateEnrollment(desired=case.desired),),
        reason="no-enrollment",
        text="no enrollment has this identity",
        notes=case.terms.notes,
        again=case.desired.name in case.context.retry,
    )


def _gone(case: Case) -> Blocked | Wait | None:
    """An enrollment that the journal knows and a complete list no longer shows is never created anew (safety 3)."""
    known = case.journal.enrollments.get(identity_key(case.desired.identity)) if case.journal is not None else None
    if known is None or case.desired.name in case.context.retry:
        return None
    if wait := _just_created(case, known):
        return wait
    return Blocked(
        phase=Phase.ABSENT,
        actor=Actor.OPERATOR,
        text=f"enrollment {known} was there and is gone: removed in the portal, or its only change was cancelled",
        remedy=f"Run `certrecon apply --retry {case.desired.name}` to have it created anew, or take the file away.",
        reason="enrollment-gone",
    )


def _just_created(case: Case, known: EnrollmentId) -> Wait | None:
    """The list may lag behind a create (akamai-cps 5.4): what we have just begun is not gone."""
    changes = case.journal.changes.values() if case.journal is not None else ()
    opened_at = max((one.opened_at for one in changes if one.enrollment_id == known), default=None)
    if opened_at is None or case.now - opened_at >= SETTLE:
        return None
    return Wait(
        phase=Phase.ABSENT,
        actor=Actor.CPS,
        text=f"enrollment {known} was just created, and CPS's list does not show it yet",
        poll=timedelta(minutes=1),
        since=opened_at,
        to_order=len(case.desired.wanted_key_types),
    )


def _uncertain(case: Case) -> Wait | None:
    """A create whose answer was lost may show yet."""
    for one in case.journal.open if case.journal is not None else ():
        same = one.intent.certificate == case.desired.name and one.intent.operation == "create enrollment"
        if same and (until := case.context.settles(one)) > case.now:
            return Wait(
                phase=Phase.ABSENT,
                actor=Actor.CPS,
                text="the answer to the create was lost; the enrollment may show yet",
                poll=timedelta(minutes=1),
                until=until,
                to_order=len(case.desired.wanted_key_types),
            )
    return None


def _missing_for_create(wanted: DesiredEnrollment) -> list[str]:
    """Return what CPS demands of a create and no built-in default can give (akamai-cps 3.1)."""
    needed = {
        "akamai.adminContact": wanted.admin_contact,
        "akamai.techContact": wanted.tech_contact,
        "akamai.org": wanted.org,
    }
    return [pointer for pointer, value in needed.items() if value is None]


def _existing(case: Case, enrollment: Enrollment) -> Decision:
    deployed = bool(case.served(enrollment).production)
    if not enrollment.pending:
        if deployed:
            return served_certificate(case, enrollment, view=None, owner=None)
        if wait := effect_to_follow(case, enrollment):
            return wait
        return Blocked(
            phase=Phase.ERROR,
            actor=Actor.OPERATOR,
            text=f"enrollment {enrollment.id} has neither a certificate nor a pending change",
            remedy="Renew or remove it in the portal.",
            reason="idle-enrollment",
        )
    view = case.view(enrollment)
    if view is not None and view.problem is not None:
        return Unread(text=view.problem)
    owner = case.owner(enrollment)
    if owner is Owner.OURS and view is not None:
        return change_under_way(case, enrollment, view)
    if deployed:
        return served_certificate(case, enrollment, view=view, owner=owner)
    if view is None or owner is None:
        return Unread(text=f"who opened the pending change of enrollment {enrollment.id} could not be read")
    by = view.record.created_by if view.record is not None and view.record.created_by else "somebody"
    return Blocked(
        phase=Phase.PRECHECKS,
        actor=Actor.OPERATOR,
        text=f"enrollment {enrollment.id} is new and was created by {by}, not by certrecon",
        remedy=f"Take it over with `akamai.adoptChange: {enrollment.pending[-1].id}`, or finish it in the portal.",
        reason="foreign-change",
    )


def _unless_refused(case: Case, decision: Decision) -> Decision:
    """What a service refused for this very file is tried again later, with a back-off (safety 1)."""
    if not isinstance(decision, Act) or case.journal is None or case.desired.name in case.context.retry:
        return decision
    for step in decision.steps:
        refusal = case.journal.refusal(case.desired.name, operation_of(step), case.digest)
        if refusal is not None and case.now < refusal.not_before:
            return Blocked(
                phase=decision.phase,
                actor=Actor.OPERATOR,
                text=f"{operation_of(step)} was refused: {refusal.detail} It is tried again after"
                f" {refusal.not_before:%Y-%m-%d %H:%M} UTC",
                remedy="Change the file, or put right at the service what it says.",
                reason="refused",
                error=True,
            )
    return decision
