"""`--only`: what a run holds back since it is of another kind. Work under way is of the kind that it was begun as."""

from reconciler.model.enrollment import Enrollment
from reconciler.model.entry import CauseId
from reconciler.planning.case import Case
from reconciler.planning.causes import adopt_cause, create_cause, delete_cause, renew_cause
from reconciler.planning.giving_way import cause_of
from reconciler.planning.steps import Act, ActionKind, Decision, Wait

_CONTINUING = frozenset({ActionKind.UPLOAD, ActionKind.ACKNOWLEDGE, ActionKind.PROMOTE, ActionKind.RESUME})
# Their causes hash what differed, which is gone from the body once their change is open: they are not told apart.
_OF_A_DIFFERENCE = frozenset({ActionKind.REISSUE, ActionKind.UPDATE, ActionKind.ADOPT})


def held_back(case: Case, enrollment: Enrollment | None, decision: Decision) -> str | None:
    """Return why `--only` holds back what was decided; None where it does not.

    A kind names what is begun, and with it all that continues it, in this run or in a later one: a run of renewals
    orders, uploads and promotes what it renews. `resume` names everything that is under way, whatever it was begun as.
    """
    only = case.context.selectors.only
    if not only or not isinstance(decision, Act | Wait):
        return None
    if isinstance(decision, Act) and decision.kind not in _CONTINUING:
        kinds = frozenset({decision.kind})
    else:
        cause = decision.cause if isinstance(decision, Act) else _cause(case, enrollment)
        own = decision.kind if isinstance(decision, Act) else ActionKind.RESUME
        kinds = _begun_as(case, enrollment, cause) | {own, ActionKind.RESUME}
    return None if kinds & only else f"{case.context.selectors.only_text} holds it back"


def _cause(case: Case, enrollment: Enrollment | None) -> CauseId | None:
    """Return why that was begun which is waited for: a pending change, or a call whose answer was lost."""
    view = case.view(enrollment) if enrollment is not None and enrollment.pending else None
    if enrollment is not None and view is not None and view.change is not None:
        return cause_of(case, enrollment, view.change)
    open_intents = case.journal.open if case.journal is not None else ()
    return next((one.intent.cause for one in open_intents if one.intent.certificate == case.desired.name), None)


def _begun_as(case: Case, enrollment: Enrollment | None, cause: CauseId | None) -> frozenset[ActionKind]:
    if cause is None:
        return frozenset()
    known = {create_cause(case.desired.identity): ActionKind.CREATE}
    if enrollment is not None:
        known[adopt_cause(enrollment.id, case.digest)] = ActionKind.ADOPT
        known[delete_cause(enrollment.id)] = ActionKind.DELETE
        if (serving := case.serving(enrollment)) is not None:
            known[renew_cause(serving.serials)] = ActionKind.RENEW
    return frozenset({known[cause]}) if cause in known else _OF_A_DIFFERENCE
