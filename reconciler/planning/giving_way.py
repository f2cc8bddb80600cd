"""A pending change of ours that gives way to a new one: for what reason, and what must not be lost by it."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

from reconciler.model.enrollment import Change, ChangeState, Enrollment, InputKind
from reconciler.model.entry import CauseId
from reconciler.planning.campaigning import begun_anew
from reconciler.planning.case import Case
from reconciler.planning.causes import create_cause, renew_cause
from reconciler.planning.diff import Difference, FieldDiffers, SansDiffer
from reconciler.planning.halves import Halves
from reconciler.planning.needs import need_of
from reconciler.planning.steps import (
    Act,
    ActionKind,
    Phase,
    UpdateEnrollment,
)

_REPLACEABLE_STATES = frozenset({ChangeState.AWAITING_INPUT, ChangeState.ERROR, ChangeState.CANCELLED})
_MUTUAL_AUTHENTICATION = "akamai.clientMutualAuthentication"

RUNNING: Mapping[str, tuple[Phase, timedelta]] = {
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
ASKED: Mapping[InputKind, Phase] = {
    InputKind.PRE_WARNINGS: Phase.PREWARNINGS,
    InputKind.POST_WARNINGS: Phase.WARNINGS,
    InputKind.CHANGE_MANAGEMENT: Phase.PROMOTE,
    InputKind.CERTIFICATE: Phase.CSR,
}


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


def begin_again(case: Case, enrollment: Enrollment, change: Change, phase: Phase | None = None) -> Act:
    """Replace our own dead change by a new one: a new attempt, which a person asked for."""
    text = f"a person lets the work of change {change.id} begin again"
    anew = _anew(case, enrollment, change, phase or phase_of(change), reason="retry", text=text)
    return replace(anew, again=True)


def with_a_young_csr(case: Case, enrollment: Enrollment, change: Change) -> Act:
    """Replace our own change, for which nothing is ordered, by one whose CSR may still be ordered for."""
    text = f"the CSR of change {change.id} is too old to be ordered for, and nothing was ordered"
    return _anew(case, enrollment, change, Phase.CSR, reason="csr-too-old", text=text)


def _anew(case: Case, enrollment: Enrollment, change: Change, phase: Phase, *, reason: str, text: str) -> Act:
    return Act(
        phase=phase,
        kind=ActionKind.RESUME,
        cause=cause_of(case, enrollment, change),
        steps=(UpdateEnrollment.with_new_keys(case.desired, enrollment.id, replaces=change.id),),
        reason=reason,
        text=text,
    )


def superseded(
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
        phase=phase_of(change),
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


def older_than_campaign(
    case: Case, enrollment: Enrollment, change: Change, halves: Halves, found: Sequence[Difference]
) -> Act | None:
    """Open a change in place of the pending one, whose certificate a campaign would replace at once."""
    if not _replaceable(change) or halves.uncertain() is not None:
        return None  # what deploys already is deployed first; and no order may be lost unseen
    return begun_anew(case, enrollment, change, found, phase=phase_of(change))


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


def _is_mutual_authentication(difference: Difference) -> bool:
    return isinstance(difference, FieldDiffers) and difference.pointer == _MUTUAL_AUTHENTICATION


def phase_of(change: Change) -> Phase:
    """Return where a change stands that is about to give way to another."""
    if change.state in (ChangeState.ERROR, ChangeState.CANCELLED):
        return Phase.ERROR
    asked = [phase for kind, phase in ASKED.items() if kind in change.inputs]
    return asked[0] if asked else RUNNING.get(change.status, (Phase.CHECKING, timedelta()))[0]
