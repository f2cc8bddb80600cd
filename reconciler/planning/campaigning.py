"""Replacement campaigns in the decision on one certificate: what they replace, hold back, promote and revoke."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from reconciler.model.certificate import Promote
from reconciler.model.enrollment import Change, Enrollment, ServedCertificate
from reconciler.model.order import Order, OrderStatus
from reconciler.model.policy import Campaign
from reconciler.model.replacement import Replacement
from reconciler.planning.campaigns import (
    Candidate,
    Issued,
    Progress,
    judge,
    promotion,
    rejected_by,
    replacement_for,
    replacing,
    revocation_refusal,
    upload_refusal,
    worked_for,
)
from reconciler.planning.case import Case
from reconciler.planning.causes import reissue_cause, revoke_cause
from reconciler.planning.diff import Difference
from reconciler.planning.needs import campaign_text
from reconciler.planning.steps import Act, ActionKind, Phase, RevokeCertificate, SubmitOrder, UpdateEnrollment


def candidate_of(case: Case, enrollment: Enrollment, *, changing: bool) -> Candidate:
    """Return a certificate as campaigns see it. `changing`: its pending change is ours."""
    return case.context.campaigns.candidate(
        case.desired,
        enrollment.id,
        case.served(enrollment),
        case.instance.book,
        ordered=_ordered(case, enrollment) if changing else (),
        changing=changing,
    )


def _ordered(case: Case, enrollment: Enrollment) -> tuple[Issued, ...]:
    change_id = enrollment.pending[-1].id
    tagged = case.instance.book.by_change.get((enrollment.id, change_id), ())
    return tuple(_order(case, enrollment, one.order) for one in tagged if one.order.status.live)


def _order(case: Case, enrollment: Enrollment, order: Order) -> Issued:
    """Return a live order, with what its certificate says where that was collected."""
    given = case.context.observed.collected.get((case.desired.order.instance, order.ssl_id), ())
    leaf = next((one for one in given if not one.is_ca), None)
    if leaf is None:
        return case.context.campaigns.ordered(order, enrollment.id)
    return case.context.campaigns.ordered(order, enrollment.id, serial=leaf.serial, issuer=leaf.issuer)


def waiting_for(case: Case, enrollment: Enrollment) -> tuple[Replacement, Candidate] | None:
    """Return the campaign that a certificate waits for, which has no change of ours under way."""
    replacements = case.context.campaigns.replacements
    if not replacements:
        return None
    candidate = candidate_of(case, enrollment, changing=False)
    found = replacement_for(replacements, candidate)
    return (found, candidate) if found is not None else None


# A change of ours that is under way


def begun_anew(
    case: Case, enrollment: Enrollment, change: Change, found: Sequence[Difference], *, phase: Phase
) -> Act | None:
    """Replace our change whose orders are from before a campaign: they would be in the campaign again once deployed."""
    replacements = case.context.campaigns.replacements
    if not replacements:
        return None
    candidate = candidate_of(case, enrollment, changing=True)
    replacement = replacement_for(replacements, candidate) or rejected_by(replacements, candidate)
    if replacement is None:
        return None
    campaign, serving = replacement.campaign, case.serving(enrollment)
    served = serving.serials if serving is not None else ()
    placed = case.instance.book.by_change.get((enrollment.id, change.id), ())
    lost = ", ".join(str(one.order.ssl_id) for one in placed if one.order.status.live)
    return Act(
        phase=phase,
        kind=ActionKind.REISSUE,
        cause=reissue_cause(case.desired, served, campaign=campaign.name, replaces=change.id),
        steps=(UpdateEnrollment.with_new_keys(case.desired, enrollment.id, replaces=change.id),),
        reason="campaign",
        text=f"{campaign_text(campaign)}: change {change.id} has an order of before {_spelt(campaign)}",
        differences=tuple(found),
        notes=(f"order {lost} is lost by it", *_of_revocation(campaign)),
        replacing=replacing(replacement, candidate),
    )


def _spelt(campaign: Campaign) -> str:
    return f"{campaign.issued_before:%Y-%m-%d %H:%M:%S} UTC"


def continued(case: Case, enrollment: Enrollment, act: Act) -> Act:
    """Return a step of our pending change with the campaign that it serves, where there is one."""
    replacements = case.context.campaigns.replacements
    if not replacements:
        return act
    candidate = candidate_of(case, enrollment, changing=True)
    replacement = worked_for(replacements, candidate)
    # Without an order it may be a change of settings alone, which replaces nothing.
    ordered = candidate.ordered or any(isinstance(step, SubmitOrder) for step in act.steps)
    if replacement is None or not ordered:
        return act
    return replace(act, replacing=replacing(replacement, candidate))


def upload_stop(case: Case, enrollment: Enrollment) -> str | None:
    """Return why an issued certificate of our pending change is not uploaded; None where no campaign is against it."""
    replacements = case.context.campaigns.replacements
    if not replacements:
        return None
    candidate = candidate_of(case, enrollment, changing=True)
    refusals = (upload_refusal(replacements, candidate, half) for half in candidate.ordered)
    return next((refusal for refusal in refusals if refusal is not None), None)


def promote_of(case: Case, enrollment: Enrollment) -> Promote:
    """Return how a certificate on staging goes to production: as its campaign says, else as its file does."""
    own, replacements = case.desired.enrollment.promote, case.context.campaigns.replacements
    if not replacements:
        return own
    replacement = worked_for(replacements, candidate_of(case, enrollment, changing=True))
    return promotion(replacement.campaign, own) if replacement is not None else own


# After the replacement


def begin_notes(replacement: Replacement) -> tuple[str, ...]:
    """Return what is said beside the beginning of a replacement."""
    campaign = replacement.campaign
    deadline = f"to be done by {campaign.deadline:%Y-%m-%d %H:%M} UTC" if campaign.deadline is not None else ""
    return tuple(note for note in (deadline, *_of_revocation(campaign)) if note)


def _of_revocation(campaign: Campaign) -> tuple[str, ...]:
    if not campaign.revoke_old:
        return ()
    return ("what it replaces is revoked once both networks serve the new one (policy.budgets.revokes)",)


def revocation(case: Case, enrollment: Enrollment) -> Act | None:
    """Revoke what a campaign has replaced, one certificate an action, if it asks for that and nothing serves it."""
    for campaign, old, order in _replaced(case, enrollment):
        if _not_revoked(case, enrollment, campaign, old) is None:
            step = RevokeCertificate(
                instance=case.desired.order.instance,
                ssl_id=order.ssl_id,
                serial=f"{old.serial:X}",
                reason=campaign.reason,
            )
            return Act(
                phase=Phase.PRODUCTION,
                kind=ActionKind.REVOKE,
                cause=revoke_cause(step.serial),
                steps=(step,),
                reason="campaign",
                text=f"{campaign_text(campaign)} has replaced serial {step.serial} and revokes it",
            )
    return None


def _replaced(case: Case, enrollment: Enrollment) -> Iterator[tuple[Campaign, Issued, Order]]:
    """Yield the certificates that campaigns with `revokeOld` have begun to replace and that are good still."""
    book = case.context.campaigns
    revoking = {one.campaign.name: one.campaign for one in book.replacements if one.campaign.revoke_old}
    for begun in book.begun(enrollment.id):
        campaign = revoking.get(begun.campaign)
        for serial in begun.serials if campaign is not None else ():
            order = case.instance.book.by_serial.get(int(serial, 16))
            if campaign is not None and order is not None and order.status is OrderStatus.ISSUED:
                yield campaign, book.ordered(order, enrollment.id), order


def _not_revoked(case: Case, enrollment: Enrollment, campaign: Campaign, old: Issued) -> str | None:
    anywhere = case.context.campaigns.served_anywhere
    if anywhere is None:
        return "what the networks serve could not be read completely"
    served = case.served(enrollment)
    return revocation_refusal(
        campaign,
        old,
        staging=_halves(case, enrollment, served.staging.values()),
        production=_halves(case, enrollment, served.production.values()),
        served_anywhere=anywhere,
    )


def _halves(case: Case, enrollment: Enrollment, served: Iterable[ServedCertificate]) -> tuple[Issued, ...]:
    book = case.context.campaigns
    return tuple(book.served(one, enrollment.id, case.instance.book) for one in served)


def attention(case: Case, enrollment: Enrollment) -> tuple[str, ...]:
    """Return what a person should know of a served certificate on which no campaign can act."""
    replacements = case.context.campaigns.replacements
    if not replacements:
        return ()
    candidate = candidate_of(case, enrollment, changing=False)
    judged = ((one.campaign.name, judge(one, candidate)) for one in replacements)
    stuck = [
        f"campaign {name}: {one.cause}" for name, one in judged if one is not None and one.progress is Progress.STUCK
    ]
    kept = [
        f"campaign {campaign.name} does not revoke serial {old.serial:X}: {why}"
        for campaign, old, _ in _replaced(case, enrollment)
        if (why := _not_revoked(case, enrollment, campaign, old)) is not None
    ]
    return (*stuck, *kept)
