"""A change of ours that is under way: what it waits for, what it needs next. New and old enrollments alike."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from reconciler.model.enrollment import Change, ChangeState, Enrollment, InputKind
from reconciler.model.entry import CauseId
from reconciler.planning.campaigning import continued, upload_stop
from reconciler.planning.case import Case
from reconciler.planning.diff import differences
from reconciler.planning.giving_way import (
    ASKED,
    RUNNING,
    begin_again,
    cause_of,
    listed,
    older_than_campaign,
    superseded,
    with_a_young_csr,
)
from reconciler.planning.half import Surroundings
from reconciler.planning.halves import Halves, Upload, halves_of
from reconciler.planning.observed import ChangeView
from reconciler.planning.order_requests import Ordering
from reconciler.planning.ownership import CLOCK_SLACK
from reconciler.planning.promotion import promotion
from reconciler.planning.settle import SETTLE, SOON
from reconciler.planning.steps import (
    AcknowledgeWarnings,
    Act,
    ActionKind,
    Actor,
    Blocked,
    Decision,
    Phase,
    SubmitOrder,
    Unread,
    Wait,
    unresolved,
)
from reconciler.planning.uploads import died_in_review, refused_upload, repaired, upload_step
from reconciler.planning.warnings import judge_text


def change_under_way(case: Case, enrollment: Enrollment, view: ChangeView) -> Decision:
    """Decide on the pending change. It is judged by what it was opened for: the enrollment's own names and subject.

    Where the file has changed since: without an order the change gives way to a new one; with an order it is finished
    and deployed first, unless `--supersede` says otherwise.
    """
    change = view.change
    if change is None:
        return Unread(text=view.problem or f"the pending change of enrollment {enrollment.id} was not read")
    halves = halves_of(_surroundings(case, enrollment, change, view))
    found = differences(case.desired, enrollment, None)
    if gives_way := older_than_campaign(case, enrollment, change, halves, found):
        return gives_way
    if found and (step := superseded(case, enrollment, change, halves, found)):
        return step
    decision = _with_orders_to_come(_next(case, enrollment, view, change, halves), change, halves)
    if isinstance(decision, Act):
        decision = continued(case, enrollment, decision)
    if found and isinstance(decision, Act | Wait):
        queued = f"queued behind change {change.id}: {listed(found)}"
        return replace(decision, notes=(*decision.notes, queued))
    return decision


# Before its certificate is ordered, or while it is. A change of settings alone is among them for a moment, and is
# counted as if it needed one.
_UNTIL_ORDERED = frozenset(
    {
        "pre-verification-safety-checks",
        "wait-review-pre-verification-safety-checks",
        "generate-csr",
        "wait-upload-third-party",
    }
)


def _with_orders_to_come(decision: Decision, change: Change, halves: Halves) -> Decision:
    """Return the decision with the orders that the change still needs: they are spoken for in the budgets."""
    if change.status not in _UNTIL_ORDERED or not isinstance(decision, Act | Wait):
        return decision
    ordering = sum(isinstance(step, SubmitOrder) for step in decision.steps) if isinstance(decision, Act) else 0
    return replace(decision, to_order=halves.unordered - ordering)


def _next(case: Case, enrollment: Enrollment, view: ChangeView, change: Change, halves: Halves) -> Decision:
    match change.state:
        case ChangeState.NEW | ChangeState.RUNNING:
            return _running(case, change)
        case ChangeState.AWAITING_INPUT:
            return _answer(case, enrollment, view, change, halves)
        case ChangeState.COMPLETED:
            return Wait(
                phase=Phase.PRODUCTION,
                actor=Actor.CPS,
                text="the change is complete; the networks' list is to follow",
                poll=timedelta(minutes=1),
            )
        case ChangeState.CANCELLED | ChangeState.SUSPENDED | ChangeState.ERROR | ChangeState.UNKNOWN:
            return _stopped(case, enrollment, change)


def _surroundings(case: Case, enrollment: Enrollment, change: Change, view: ChangeView) -> Surroundings:
    trust = case.context.trust
    live = {key_type: one.serial for key_type, one in case.served(enrollment).production.items()}
    serving = case.serving(enrollment)
    return Surroundings(
        desired=replace(  # what the change was opened for
            case.desired, sans=enrollment.sans, key_types=case.desired.key_types or frozenset(live) or None
        ),
        enrollment=enrollment,
        change_id=change.id,
        view=view,
        book=case.instance.book,
        collected=case.context.observed.collected,
        live=live,
        warn_at=serving.warn_at if serving is not None else None,
        public_roots=trust.public_roots,
        private_roots=trust.private_roots.get(case.desired.order.instance, frozenset()),
        private_certificates=trust.private_certificates,
        csr_max_age=case.context.policy.csr_max_age,
        retry=case.desired.name in case.context.retry,
        uncertain=_uncertain_orders(case),
        now=case.now,
    )


def _uncertain_orders(case: Case) -> Mapping[str, datetime]:
    if case.journal is None:
        return {}
    return {
        one.intent.key: case.context.settles(one)
        for one in case.journal.open
        if one.intent.operation == "submit order" and one.intent.key is not None
    }


def _running(case: Case, change: Change) -> Wait:
    phase, poll = RUNNING.get(change.status, (Phase.CHECKING, timedelta(minutes=5)))
    if change.deploy_not_before is not None and change.deploy_not_before > case.now and phase is Phase.PRODUCTION:
        return Wait(
            phase=Phase.SCHEDULED,
            actor=Actor.CPS,
            text=f"production is held back until {change.deploy_not_before:%Y-%m-%d %H:%M} UTC",
            poll=poll,
            until=change.deploy_not_before,
        )
    return Wait(phase=phase, actor=Actor.CPS, text=change.description or change.status, poll=poll)


def _stopped(case: Case, enrollment: Enrollment, change: Change) -> Decision:
    if case.desired.name in case.context.retry and change.state is ChangeState.ERROR:
        return begin_again(case, enrollment, change)
    phase = Phase.SUSPENDED if change.state is ChangeState.SUSPENDED else Phase.ERROR
    said = f": {change.error}" if change.error else ""
    return Blocked(
        phase=phase,
        actor=Actor.OPERATOR,
        text=f"change {change.id} of enrollment {enrollment.id} is {change.state} at {change.status}{said}",
        remedy="Look at it in the portal; cancel it there and run again, or ask Akamai's support.",
        reason=f"change-{change.state}",
    )


def _answer(case: Case, enrollment: Enrollment, view: ChangeView, change: Change, halves: Halves) -> Decision:
    """Answer what CPS asks. The status may be shown before the input is offered: then wait a moment."""
    asked = next((kind for kind in ASKED if kind in change.inputs), None)
    if asked is None:
        return Wait(
            phase=Phase.CHECKING,
            actor=Actor.CPS,
            text=f"CPS says {change.status} and offers no input yet",
            poll=timedelta(seconds=30),
        )
    if given := _given(case, change, asked):
        return given
    match asked:
        case InputKind.PRE_WARNINGS:
            return _warnings(case, enrollment, view, change, halves, asked)
        case InputKind.POST_WARNINGS:
            repair = _repair(case, enrollment, view, change, halves)
            return repair or _warnings(case, enrollment, view, change, halves, asked)
        case InputKind.CHANGE_MANAGEMENT:
            return promotion(case, enrollment, view, change, halves)
        case InputKind.CERTIFICATE:
            return _certificate(case, enrollment, change, halves)


def _repair(case: Case, enrollment: Enrollment, view: ChangeView, change: Change, halves: Halves) -> Decision | None:
    """Upload over what is wrong while CPS still reviews it, unless a campaign is against what would be uploaded."""
    if dead := died_in_review(view, halves):
        return begin_again(case, enrollment, change) if halves.of.retry else dead
    repair = repaired(case, enrollment, view, change, halves, cause_of(case, enrollment, change))
    if not isinstance(repair, Act):
        return repair
    held = _given(case, change, InputKind.CERTIFICATE) or _held_by_campaign(case, enrollment, change)
    return held or repair


def _given(case: Case, change: Change, asked: InputKind) -> Wait | None:
    """Wait where CPS took this very answer a moment ago, of this run or one before, and does not show it yet."""
    answer = case.journal.answers.get(change.id) if case.journal is not None else None
    if answer is None or answer.operation != _ANSWERS[asked] or answer.at + SETTLE <= case.now or change.error:
        return None
    return Wait(
        phase=Phase.UPLOADED if asked is InputKind.CERTIFICATE else ASKED[asked],
        actor=Actor.CPS,
        text=f"CPS took the answer ({answer.operation}) and does not show it yet",
        poll=SOON,
        since=answer.at,
    )


_ANSWERS: Mapping[InputKind, str] = {
    InputKind.PRE_WARNINGS: "acknowledge warnings",
    InputKind.POST_WARNINGS: "acknowledge warnings",
    InputKind.CHANGE_MANAGEMENT: "promote to production",
    InputKind.CERTIFICATE: "upload certificate",
}


def _certificate(case: Case, enrollment: Enrollment, change: Change, halves: Halves) -> Decision:
    """Order what has no order, then upload what is issued and checked."""
    if case.terms is None:
        return unresolved()
    if halves.outlived:
        return with_a_young_csr(case, enrollment, change)
    cause = cause_of(case, enrollment, change)
    ordering = Ordering(
        terms=case.terms,
        installation=case.context.installation,
        cause=cause,
        untagged_since=_begun_at(case, halves.of.view, cause),
    )
    following = halves.next_step(ordering)
    if following is None:
        return begin_again(case, enrollment, change, Phase.REFUSED)
    if not isinstance(following, Upload):
        return following
    if stop := _held_by_campaign(case, enrollment, change):
        return stop
    if refused := refused_upload(case, halves.of.view, change, following):
        return begin_again(case, enrollment, change) if halves.of.retry else refused
    kinds = " and ".join(half.key_type for half in following.halves)
    passed = "certificate is issued and passes" if len(following.halves) == 1 else "certificates are issued and pass"
    return Act(
        phase=Phase.ISSUED,
        kind=ActionKind.UPLOAD,
        cause=cause,
        steps=(upload_step(case, enrollment.id, change.id, following),),
        reason="certificate-issued",
        text=f"the {kinds} {passed} all checks",
        notes=following.notes,
    )


def _held_by_campaign(case: Case, enrollment: Enrollment, change: Change) -> Act | Blocked | None:
    """What may be from before a campaign is not uploaded, and not ordered again either: a person decides that."""
    if (why := upload_stop(case, enrollment)) is None:
        return None
    if case.desired.name in case.context.retry:
        return begin_again(case, enrollment, change, Phase.ISSUED)
    return Blocked(
        phase=Phase.ISSUED,
        actor=Actor.OPERATOR,
        text=f"its certificate is issued and is not uploaded: {why}",
        remedy=f"Run `certrecon apply --retry {case.desired.name}` to order a new one, or give SCM's admin the right to"
        " read reports, which have the time of the request.",
        reason="campaign",
    )


def _begun_at(case: Case, view: ChangeView, cause: CauseId) -> datetime | None:
    """Return since when somebody may have ordered by hand for this cause; None where a person lets it go on.

    That is the first intent of the cause; of a renewal that CPS opened by itself, whose CSR is older, its opening.
    """
    if case.desired.name in case.context.retry:
        return None
    record = case.journal.causes.get(cause) if case.journal is not None else None
    began = [record.first_intent_at] if record is not None else []
    opened = [view.record.created_at] if view.record is not None else []
    return min((*began, *opened), default=case.now) - CLOCK_SLACK


def _warnings(
    case: Case, enrollment: Enrollment, view: ChangeView, change: Change, halves: Halves, kind: InputKind
) -> Decision:
    phase = Phase.PREWARNINGS if kind is InputKind.PRE_WARNINGS else Phase.WARNINGS
    if view.warnings is None:
        return Wait(phase=phase, actor=Actor.CPS, text="CPS has warnings and does not show them yet", poll=SOON)
    verdict = judge_text(view.warnings, case.desired, case.context.policy, halves.evidence())
    if verdict.refusals:
        return Blocked(
            phase=phase,
            actor=Actor.OPERATOR,
            text=f"CPS warns, and policy does not accept it: {'; '.join(verdict.refusals)}",
            remedy="Review it; accept what may be accepted in `acceptWarnings`, or cancel the change in the portal.",
            reason="warning-refused",
        )
    step = AcknowledgeWarnings(
        account=case.desired.enrollment.account,
        enrollment_id=enrollment.id,
        change_id=change.id,
        input=kind,
        text=view.warnings,
    )
    return Act(
        phase=phase,
        kind=ActionKind.ACKNOWLEDGE,
        cause=cause_of(case, enrollment, change),
        steps=(step,),
        reason="warnings-accepted",
        text="policy accepts each of CPS's warnings",
        notes=verdict.notes,
    )
