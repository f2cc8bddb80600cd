"""A change that is on staging: what must be true before it goes to production, and what keeps it back."""

from dataclasses import replace
from datetime import timedelta

from reconciler.model.certificate import Promote
from reconciler.model.enrollment import Change, ChangeManagement, Enrollment
from reconciler.planning.campaigning import promote_of
from reconciler.planning.case import Case
from reconciler.planning.freezes import frozen
from reconciler.planning.giving_way import begin_again, cause_of
from reconciler.planning.halves import Halves
from reconciler.planning.observed import ChangeView
from reconciler.planning.settle import SOON
from reconciler.planning.steps import (
    Act,
    ActionKind,
    Actor,
    Blocked,
    Decision,
    Phase,
    PromoteToProduction,
    Wait,
)
from reconciler.planning.uploads import died_past_review, replaced_past_review
from reconciler.planning.warnings import judge_management

_LATER = timedelta(minutes=5)
_HANDSHAKE = "Check `verify.edgeHost` and that the staging edge can be reached from here."


def promotion(case: Case, enrollment: Enrollment, view: ChangeView, change: Change, halves: Halves) -> Decision:
    """Let CPS deploy to production what staging serves and policy accepts."""
    if view.management is None:
        return Wait(phase=Phase.PROMOTE, actor=Actor.CPS, text="CPS prepares its change management", poll=SOON)
    if dead := died_past_review(case, enrollment, view.management, halves):
        return begin_again(case, enrollment, change) if halves.of.retry else dead
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
