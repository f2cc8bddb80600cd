"""A change of ours that is under way: what it waits for, what it needs next. New and old enrollments alike."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from reconciler.model.certificate import Promote
from reconciler.model.enrollment import Change, ChangeManagement, ChangeState, Enrollment, InputKind
from reconciler.model.entry import CauseId
from reconciler.planning.campaigning import begun_anew, continued, promote_of, upload_stop
from reconciler.planning.case import Case
from reconciler.planning.causes import create_cause, renew_cause
from reconciler.planning.diff import Difference, FieldDiffers, SansDiffer, differences
from reconciler.planning.freezes import frozen
from reconciler.planning.halves import Halves, Ordering, Surroundings, Upload, halves_of
from reconciler.planning.needs import need_of
from reconciler.planning.observed import ChangeView
from reconciler.planning.ownership import CLOCK_SLACK
from reconciler.planning.settle import SETTLE
from reconciler.planning.steps import (
    AcknowledgeWarnings,
    Act,
    ActionKind,
    Actor,
    Blocked,
    Decision,
    Phase,
    PromoteToProduction,
    SubmitOrder,
    Unread,
    UpdateEnrollment,
    Wait,
    unresolved,
)
from reconciler.planning.uploads import refused_upload, repaired, replaced_past_review, upload_step
from reconciler.planning.warnings import judge_management, judge_text

_MUTUAL_AUTHENTICATION = "akamai.clientMutualAuthentication"


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
    if gives_way := _older_than_campaign(case, enrollment, change, halves, found):
        return gives_way
    if found and (step := _supersede(case, enrollment, change, halves, found)):
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


def cause_of(case: Case, enrollment: Enrollment, change: Change) -> CauseId:
    """Return why the change was opened: by the journal, its order's tag, or what the certificate needs."""
    if case.journal is not None and change.id in case.journal.changes:
        return case.journal.changes[change.id].cause
    for tagged in case.instance.book.by_change.get((enrollment.id, change.id), ()):
        return tagged.tag.cause
    serving = case.serving(enrollment)
    if serving is None:
        return create_cause(case.desired.identity)
    need = need_of(case.desired, enrollment, case.served(enrollment), serving, case.now)
    return need.cause if need is not None else create_cause(case.desired.identity)


def _supersede(
    case: Case, enrollment: Enrollment, change: Change, halves: Halves, found: Sequence[Difference]
) -> Act | None:
    """Open a change in place of the pending one: nothing is ordered for it, its order is dead, or a person says so."""
    if not _replaceable(change) or halves.uncertain() is not None:
        return None  # a PUT would throw away the CSR of an order that may have been placed
    ordered = any(half.live for half in halves.halves)
    if ordered and case.desired.name not in case.context.supersede:
        return None
    lost = [str(one.order.ssl_id) for half in halves.halves for one in half.live]
    mutual = [one for one in found if _is_mutual_authentication(one)]
    only_mutual = len(mutual) == len(found)
    force_renewal, add_missing = _carried_on(case, enrollment, change)
    return Act(
        phase=_running_phase(change),
        kind=ActionKind.RESUME if only_mutual else ActionKind.REISSUE,
        cause=cause_of(case, enrollment, change),
        steps=(
            UpdateEnrollment(
                desired=case.desired,
                enrollment_id=enrollment.id,
                force_renewal=force_renewal,
                cancel_pending=True,
                add_missing=add_missing,
                replaces=change.id,
            ),
        ),
        reason="mutual-authentication" if only_mutual else "file-changed",
        text="CPS takes mutual authentication only after the enrollment was created"
        if only_mutual
        else f"the file changed while change {change.id} was pending",
        differences=tuple(found),
        notes=(f"order {', '.join(lost)} is lost by it",) if lost else (),
    )


def _carried_on(case: Case, enrollment: Enrollment, change: Change) -> tuple[bool, bool]:
    """Return what a PUT over the change must ask for beside its body: a renewal by force, the half that is missing.

    Else CPS would only see settings that differ, and what the change was opened for would be lost with it.
    """
    serving = case.serving(enrollment)
    if serving is None:
        return False, False
    need = need_of(case.desired, enrollment, case.served(enrollment), serving, case.now)
    renews = cause_of(case, enrollment, change) == renew_cause(serving.serials)
    return renews or (need is not None and need.force), need is not None and need.add_missing


def _older_than_campaign(
    case: Case, enrollment: Enrollment, change: Change, halves: Halves, found: Sequence[Difference]
) -> Act | None:
    """Open a change in place of the pending one, whose certificate a campaign would replace at once."""
    if not _replaceable(change) or halves.uncertain() is not None:
        return None  # what deploys already is deployed first; and no order may be lost unseen
    return begun_anew(case, enrollment, change, found, phase=_running_phase(change))


_REPLACEABLE_STATES = frozenset({ChangeState.AWAITING_INPUT, ChangeState.ERROR, ChangeState.CANCELLED})


def _replaceable(change: Change) -> bool:
    """Tell whether CPS takes a PUT over this change: not while it checks or deploys."""
    return change.state in _REPLACEABLE_STATES or change.status in ("pre-verification-safety-checks", "generate-csr")


def listed(found: Sequence[Difference]) -> str:
    """Return the differences in a few words."""
    return ", ".join(_named(one) for one in found)


def _named(difference: Difference) -> str:
    match difference:
        case FieldDiffers(pointer=pointer):
            return pointer
        case SansDiffer():
            return "names"
        case _:
            return "key types"


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


def _is_mutual_authentication(difference: Difference) -> bool:
    return isinstance(difference, FieldDiffers) and difference.pointer == _MUTUAL_AUTHENTICATION


_RUNNING: Mapping[str, tuple[Phase, timedelta]] = {
    "pre-verification-safety-checks": (Phase.PRECHECKS, timedelta(seconds=30)),
    "generate-csr": (Phase.CSR, timedelta(minutes=1)),
    "verify-third-party-cert": (Phase.CHECKING, timedelta(minutes=1)),
    "create-slot-files": (Phase.STAGING, timedelta(minutes=5)),
    "forward-create-slot-files": (Phase.STAGING, timedelta(minutes=5)),
    "live-check-action": (Phase.STAGING, timedelta(minutes=5)),
    "forward-live-check-action": (Phase.STAGING, timedelta(minutes=5)),
    "deploy-changes-to-staging": (Phase.STAGING, timedelta(minutes=10)),
    "deploy-cert-to-staging": (Phase.STAGING, timedelta(minutes=10)),
    "deploy-cert-to-production": (Phase.PRODUCTION, timedelta(minutes=15)),
}


# What CPS asks for, in the order in which it is answered where it asks for several.
_ASKED: Mapping[InputKind, Phase] = {
    InputKind.PRE_WARNINGS: Phase.PREWARNINGS,
    InputKind.POST_WARNINGS: Phase.WARNINGS,
    InputKind.CHANGE_MANAGEMENT: Phase.PROMOTE,
    InputKind.CERTIFICATE: Phase.CSR,
}


def _running_phase(change: Change) -> Phase:
    """Return where a change stands that is about to give way to another."""
    if change.state in (ChangeState.ERROR, ChangeState.CANCELLED):
        return Phase.ERROR
    asked = [phase for kind, phase in _ASKED.items() if kind in change.inputs]
    return asked[0] if asked else _RUNNING.get(change.status, (Phase.CHECKING, timedelta()))[0]


def _running(case: Case, change: Change) -> Wait:
    phase, poll = _RUNNING.get(change.status, (Phase.CHECKING, timedelta(minutes=5)))
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
    asked = next((kind for kind in _ASKED if kind in change.inputs), None)
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
            return _promotion(case, enrollment, view, change, halves)
        case InputKind.CERTIFICATE:
            return _certificate(case, enrollment, change, halves)


def _repair(case: Case, enrollment: Enrollment, view: ChangeView, change: Change, halves: Halves) -> Decision | None:
    """Upload over what is wrong while CPS still reviews it, unless a campaign is against what would be uploaded."""
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
        phase=Phase.UPLOADED if asked is InputKind.CERTIFICATE else _ASKED[asked],
        actor=Actor.CPS,
        text=f"CPS took the answer ({answer.operation}) and does not show it yet",
        poll=_SOON,
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
        return _with_a_young_csr(case, enrollment, change)
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


def begin_again(case: Case, enrollment: Enrollment, change: Change, phase: Phase | None = None) -> Act:
    """Replace our own dead change by a new one: a new attempt, which a person asked for."""
    return Act(
        phase=phase or _running_phase(change),
        kind=ActionKind.RESUME,
        cause=cause_of(case, enrollment, change),
        steps=(
            UpdateEnrollment(
                desired=case.desired,
                enrollment_id=enrollment.id,
                force_renewal=True,
                cancel_pending=True,
                replaces=change.id,
            ),
        ),
        reason="retry",
        text=f"a person lets the work of change {change.id} begin again",
        again=True,
    )


def _with_a_young_csr(case: Case, enrollment: Enrollment, change: Change) -> Act:
    """Replace our own change, for which nothing is ordered, by one whose CSR may still be ordered for."""
    return Act(
        phase=Phase.CSR,
        kind=ActionKind.RESUME,
        cause=cause_of(case, enrollment, change),
        steps=(
            UpdateEnrollment(
                desired=case.desired,
                enrollment_id=enrollment.id,
                force_renewal=True,
                cancel_pending=True,
                replaces=change.id,
            ),
        ),
        reason="csr-too-old",
        text=f"the CSR of change {change.id} is too old to be ordered for, and nothing was ordered",
    )


def _warnings(
    case: Case, enrollment: Enrollment, view: ChangeView, change: Change, halves: Halves, kind: InputKind
) -> Decision:
    phase = Phase.PREWARNINGS if kind is InputKind.PRE_WARNINGS else Phase.WARNINGS
    if view.warnings is None:
        return Wait(phase=phase, actor=Actor.CPS, text="CPS has warnings and does not show them yet", poll=_SOON)
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


_SOON = timedelta(seconds=30)


def _promotion(case: Case, enrollment: Enrollment, view: ChangeView, change: Change, halves: Halves) -> Decision:
    if view.management is None:
        return Wait(phase=Phase.PROMOTE, actor=Actor.CPS, text="CPS prepares its change management", poll=_SOON)
    cause = cause_of(case, enrollment, change)
    if anew := replaced_past_review(case, enrollment, view.management, change, halves, cause):
        return anew
    verdict = judge_management(view.management, case.desired, case.context.policy, halves.evidence())
    if verdict.refusals:
        return Blocked(
            phase=Phase.PROMOTE,
            actor=Actor.OPERATOR,
            text=f"CPS's validation says: {'; '.join(verdict.refusals)}",
            remedy="Review it in the portal; cancel the change there, or accept it in `acceptWarnings`.",
            reason="validation-refused",
        )
    pushed = _pushed(case, view.management)
    if held := _held_back(case, enrollment, halves):
        return replace(held, notes=(*held.notes, *pushed)) if isinstance(held, Wait) else held
    step = PromoteToProduction(
        account=case.desired.enrollment.account,
        enrollment_id=enrollment.id,
        change_id=change.id,
        validation_hash=view.management.validation_hash,
    )
    return Act(
        phase=Phase.PROMOTE,
        kind=ActionKind.PROMOTE,
        cause=cause,
        steps=(step,),
        reason="staging-serves-it",
        text="staging serves the new certificate",
        notes=(*verdict.notes, *pushed),
    )


def _pushed(case: Case, management: ChangeManagement) -> tuple[str, ...]:
    """Say when CPS will not wait any longer: 7 days before what is served ends, whatever a freeze says."""
    if management.deadline is None or case.desired.enrollment.deploy_not_before is not None:
        return ()
    freeze = frozen(case.context.policy.freezes, management.deadline)
    inside = f", inside the freeze until {freeze.last} ({freeze.reason})" if freeze is not None else ""
    return (f"CPS deploys it to production by itself on {management.deadline:%Y-%m-%d %H:%M} UTC{inside}",)


def _held_back(case: Case, enrollment: Enrollment, halves: Halves) -> Wait | Blocked | None:
    """Tell what keeps a certificate on staging: the certificate is not seen there, or a person lets it go by hand."""
    new = halves.serials()
    live = {one.serial for one in case.served(enrollment).production.values()}
    if not new and not live:
        return Blocked(
            phase=Phase.PROMOTE,
            actor=Actor.OPERATOR,
            text="the certificate on staging is of no order that certrecon knows",
            remedy="Acknowledge or cancel the change in the portal.",
            reason="unknown-certificate",
        )
    # A change of settings alone serves what production serves; one that adds a half serves that beside it.
    on_staging = {one.serial for one in case.served(enrollment).staging.values()}
    if not on_staging or not on_staging <= new | live or (new and not on_staging & new):
        return Wait(phase=Phase.STAGING, actor=Actor.CPS, text="staging does not show the certificate yet", poll=_LATER)
    match promote_of(case, enrollment):
        case Promote.AUTO:
            return None
        case Promote.VERIFIED:
            seen = case.context.observed.staging_handshakes.get((case.desired.enrollment.account, enrollment.id))
            if seen and seen <= new | live and (seen & new or not new):
                return None
            text = "no handshake with the staging edge has shown the certificate"
            return Wait(phase=Phase.PROMOTE, actor=Actor.OPERATOR, text=text, poll=_LATER, remedy=_HANDSHAKE)
        case Promote.MANUAL:
            if case.desired.name in case.context.promote:
                return None
            return Wait(
                phase=Phase.PROMOTE,
                actor=Actor.OPERATOR,
                text="it is on staging and waits for a person's go",
                poll=timedelta(hours=1),
                remedy=f"Run `certrecon apply --promote {case.desired.name}`.",
            )


_LATER = timedelta(minutes=5)
_HANDSHAKE = "Check `verify.edgeHost` and that the staging edge can be reached from here."
