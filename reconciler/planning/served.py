"""What is done for a certificate that production serves: another, a younger, other settings, or nothing."""

from dataclasses import replace
from datetime import datetime

from reconciler.model.certificate import DesiredCertificate, EnrollmentId, State
from reconciler.model.enrollment import ChangeState, Enrollment, InputKind, Served
from reconciler.model.journal import OpenState, OwnChange
from reconciler.model.order import OrderStatus
from reconciler.model.policy import Policy
from reconciler.model.x509 import MalformedCertificateError, parse_csr
from reconciler.planning.campaign_book import CampaignBook
from reconciler.planning.campaigning import attention, begin_notes, revocation, waiting_for
from reconciler.planning.campaigns import Progress, judge, replacing
from reconciler.planning.case import Case
from reconciler.planning.causes import adopt_cause, cancel_cause, revoke_cause
from reconciler.planning.endings import effect_to_follow
from reconciler.planning.freezes import pull_forward
from reconciler.planning.indexes import OrderBook
from reconciler.planning.needs import Need, Serving, need_of, serving_of
from reconciler.planning.observed import ChangeView
from reconciler.planning.ownership import OPENING, Owner
from reconciler.planning.pending import change_under_way
from reconciler.planning.steps import (
    Act,
    ActionKind,
    Actor,
    Blocked,
    CancelChange,
    Decision,
    Done,
    Phase,
    RevokeCertificate,
    Unread,
    UpdateEnrollment,
    Wait,
    unresolved,
)


def need_for(case: Case, enrollment: Enrollment, serving: Serving) -> Need | None:
    """Return what the served certificate needs, with freezes and campaigns taken in."""
    freezes = case.context.policy.freezes

    def moved(due: datetime, warn_at: datetime) -> datetime:
        return pull_forward(due, freezes, warn_at=warn_at, earliest=serving.half_life)

    waits = waiting_for(case, enrollment)
    campaign = waits[0].campaign if waits is not None else None
    need = need_of(
        case.desired, enrollment, case.served(enrollment), serving, case.now, pull_forward=moved, campaign=campaign
    )
    return need if waits is None or need is None else replace(need, replacing=replacing(*waits))


def change_matters(
    desired: DesiredCertificate,
    enrollment: Enrollment,
    served: Served,
    book: OrderBook,
    policy: Policy,
    journal: OpenState | None,
    now: datetime,
    campaigns: CampaignBook,
) -> bool:
    """Tell whether a change is worth its reads, pending or gone: of a served certificate only if it is ours, or needed.

    A renewal that CPS opened early is not read before its certificate needs anything (DESIGN 2).
    """
    serving = serving_of(desired, served, book, policy, now)
    if serving is None or desired.state is State.ABSENT:
        return True
    if enrollment.pending and _named_or_ours(desired, enrollment, book, journal):
        return True
    if need_of(desired, enrollment, served, serving, now) is not None:
        return True
    candidate = campaigns.candidate(desired, enrollment.id, served, book)
    judged = [judge(one, candidate) for one in campaigns.replacements]
    return any(one is not None and one.progress is not Progress.DONE for one in judged)


def _named_or_ours(
    desired: DesiredCertificate, enrollment: Enrollment, book: OrderBook, journal: OpenState | None
) -> bool:
    pending = enrollment.pending[-1].id
    named = pending in (desired.enrollment.adopt_change, desired.enrollment.cancel_change)
    known = journal is not None and (
        pending in journal.changes or any(one.intent.enrollment_id == enrollment.id for one in journal.open)
    )
    return named or known or (enrollment.id, pending) in book.by_change


def served_certificate(case: Case, enrollment: Enrollment, *, view: ChangeView | None, owner: Owner | None) -> Decision:
    """Decide on a certificate that is served and has no change of ours under way."""
    serving = case.serving(enrollment)
    if serving is None:
        return Unread(text=f"enrollment {enrollment.id}: what is served could not be told")
    pending = enrollment.pending[-1].id if enrollment.pending else None
    if pending is not None and case.desired.enrollment.cancel_change == pending:
        return _cancel(case, enrollment)
    need = need_for(case, enrollment, serving)
    if need is None:
        revoke = _revocations(case, serving) or revocation(case, enrollment)
        return revoke or Done(notes=(*_notes(case, enrollment, owner), *attention(case, enrollment)))
    if need.new_order and case.terms is None:
        return unresolved()
    if pending is None:
        return _ended(case, enrollment, need) or _unsettled(case, enrollment, need) or _open(case, enrollment, need)
    if view is None or view.change is None:
        return Unread(text=f"the pending change of enrollment {enrollment.id} was not read")
    if owner is Owner.CPS:
        return _over_own_renewal(case, enrollment, view, need)
    return _foreign(enrollment, view, need)


def _notes(case: Case, enrollment: Enrollment, owner: Owner | None) -> tuple[str, ...]:
    notes = []
    if enrollment.pending:
        whose = "CPS opened it" if owner is Owner.CPS else "it is not certrecon's"
        notes.append(f"change {enrollment.pending[-1].id} is pending and is left alone: {whose}")
    wanted = case.desired.enrollment.deploy_not_before
    if wanted is not None and wanted <= case.now.date():
        notes.append(f"akamai.deploy.notBefore ({wanted}) has passed and holds nothing back")
    return tuple(notes)


def _open(case: Case, enrollment: Enrollment, need: Need, *, over: bool = False) -> Act:
    """Open a change: one PUT. `over`: the pending one gives way."""
    adopted = _to_adopt(case, enrollment, need)
    step = UpdateEnrollment(
        desired=case.desired,
        enrollment_id=enrollment.id,
        force_renewal=need.force,
        cancel_pending=over,
        add_missing=need.add_missing,
        replaces=enrollment.pending[-1].id if over and enrollment.pending else None,
    )
    return Act(
        phase=Phase.PRODUCTION,
        kind=ActionKind.ADOPT if adopted else need.kind,
        cause=adopt_cause(enrollment.id, case.digest) if adopted else need.cause,
        steps=(step,),
        reason="adopted-with-differences" if adopted else need.reason,
        text=f"{need.text}; the file claims this enrollment for the first time" if adopted else need.text,
        differences=need.differences,
        notes=_opening_notes(case, enrollment, need),
        replacing=need.replacing,
        again=case.desired.name in case.context.retry,
    )


def _opening_notes(case: Case, enrollment: Enrollment, need: Need) -> tuple[str, ...]:
    of_order = case.terms.notes if need.new_order and case.terms is not None else ()
    waits = waiting_for(case, enrollment)
    return of_order if waits is None else (*of_order, *begin_notes(waits[0]))


def _to_adopt(case: Case, enrollment: Enrollment, need: Need) -> bool:
    """Tell whether a file claims an existing enrollment for the first time, and something would change."""
    if case.journal is None or not need.differences:
        return False
    return enrollment.id not in _managed(case)


def _managed(case: Case) -> frozenset[EnrollmentId]:
    if case.journal is None:
        return frozenset()
    changes = {change.enrollment_id for change in case.journal.changes.values()}
    return frozenset(case.journal.enrollments.values()) | changes


def _ended(case: Case, enrollment: Enrollment, need: Need) -> Wait | Blocked | None:
    """A change of ours that is gone without its effect: it may show yet, or was cancelled (the change rule)."""
    if case.journal is None or case.desired.name in case.context.retry:
        return None
    opened = {number: one for number, one in case.journal.changes.items() if one.enrollment_id == enrollment.id}
    ours = [number for number, change in opened.items() if _opened_for(case.journal, change, need)]
    if not ours:
        return None
    if wait := effect_to_follow(case, enrollment, ours):
        return wait
    return Blocked(
        phase=Phase.ERROR,
        actor=Actor.OPERATOR,
        text=f"lost change: {', '.join(str(one) for one in sorted(ours))} of enrollment {enrollment.id} is gone, and"
        f" what it was opened for is not served: {need.text}",
        remedy=f"Run `certrecon apply --retry {case.desired.name}` to begin again.",
        reason="lost-change",
    )


def _opened_for(journal: OpenState, change: OwnChange, need: Need) -> bool:
    """Tell whether a change was opened for this need; for a campaign, also the one that took another's place."""
    record = journal.causes.get(change.cause)
    if record is None or record.ended_at is not None:
        return False
    of_campaign = record.replacing is not None and record.replacing == need.replacing
    return change.cause == need.cause or of_campaign


def _unsettled(case: Case, enrollment: Enrollment, need: Need) -> Wait | None:
    """A PUT whose answer was lost may have opened a change that no list shows yet: not again before it settled."""
    if case.journal is None:
        return None
    for one in case.journal.open:
        same = one.intent.enrollment_id == enrollment.id and one.intent.cause == need.cause
        if same and one.intent.operation in OPENING and (until := case.context.settles(one)) > case.now:
            return Wait(
                phase=Phase.PRODUCTION,
                actor=Actor.CPS,
                text="the answer to an update was lost; it may show yet",
                poll=until - case.now,
                until=until,
                to_order=len(case.desired.wanted_key_types) if need.new_order else 0,
            )
    return None


def _over_own_renewal(case: Case, enrollment: Enrollment, view: ChangeView, need: Need) -> Decision:
    """Use the change that CPS opened by itself if its CSR is young and carries the wanted names, else replace it."""
    change = view.change
    if change is None:
        return Unread(text=f"the pending change of enrollment {enrollment.id} was not read")
    if need.kind is ActionKind.RENEW:
        if change.state in (ChangeState.NEW, ChangeState.RUNNING):
            return change_under_way(case, enrollment, view)
        if InputKind.CERTIFICATE in change.inputs and _fits(case, view):
            return change_under_way(case, enrollment, view)
    return _open(case, enrollment, need, over=True)


def _fits(case: Case, view: ChangeView) -> bool:
    opened_at = view.record.created_at if view.record is not None else None
    if opened_at is None or case.now - opened_at > case.context.policy.csr_max_age or not view.csrs:
        return False
    names = set()
    for csr in view.csrs:
        try:
            names.add(parse_csr(csr.pem).sans | {case.desired.common_name})
        except MalformedCertificateError:
            return False
    excluded = bool(case.desired.enrollment.exclude_sans)
    return excluded or names == {case.desired.sans}


def _foreign(enrollment: Enrollment, view: ChangeView, need: Need) -> Blocked:
    pending = enrollment.pending[-1].id
    by = view.record.created_by if view.record is not None and view.record.created_by else "somebody"
    status = view.change.status if view.change is not None else "unknown"
    return Blocked(
        phase=Phase.PRODUCTION,
        actor=Actor.OPERATOR,
        text=f"{need.text}, but change {pending} ({status}), opened by {by}, is in the way",
        remedy=f"Finish or cancel it in the portal, or write `akamai.adoptChange: {pending}` or"
        f" `akamai.cancelChange: {pending}`.",
        reason="foreign-change",
    )


def _cancel(case: Case, enrollment: Enrollment) -> Act:
    change_id = enrollment.pending[-1].id
    return Act(
        phase=Phase.PRODUCTION,
        kind=ActionKind.CANCEL,
        cause=cancel_cause(change_id),
        steps=(
            CancelChange(account=case.desired.enrollment.account, enrollment_id=enrollment.id, change_id=change_id),
        ),
        reason="cancel-declared",
        text=f"the file cancels change {change_id}",
    )


def _revocations(case: Case, serving: Serving) -> Act | None:
    """Revoke what the file names, if it is not served and not revoked yet."""
    for wanted in case.desired.revocations:
        number = int(wanted.serial.replace(":", ""), 16)
        order = case.instance.book.by_serial.get(number)
        if order is None or order.status is not OrderStatus.ISSUED or number in serving.serials:
            continue
        step = RevokeCertificate(
            instance=case.desired.order.instance, ssl_id=order.ssl_id, serial=wanted.serial, reason=wanted.reason
        )
        return Act(
            phase=Phase.PRODUCTION,
            kind=ActionKind.REVOKE,
            cause=revoke_cause(wanted.serial),
            steps=(step,),
            reason="revoke-declared",
            text=f"the file revokes serial {wanted.serial} ({wanted.reason})",
        )
    return None
