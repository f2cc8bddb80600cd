"""The lines that text and Markdown share: what is said of a plan, without how it looks. Not yet escaped."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta

from reconciler.planning.steps import ActionKind
from reconciler.report.document import (
    ActionRow,
    CertificateRow,
    DifferenceRow,
    EnrollmentRow,
    PlanDocument,
    RefusalRow,
    ReleasedRow,
    ServingRow,
    orders_of,
)

_SHOWN_NAMES = 8
_SHOWN_FILES = 5
_WORDS = {"keyTypes": "key types"}
_RISK = {kind.value: place for place, kind in enumerate(ActionKind)}


def by_risk(rows: Iterable[CertificateRow]) -> list[CertificateRow]:
    """Return the rows by the risk of their actions, else as they come; what has no action is last."""
    return sorted(rows, key=lambda row: _RISK.get(row.action.kind, -1) if row.action is not None else len(_RISK))


def is_known(kind: str) -> bool:
    """Tell whether this version knows a kind of action: one that it does not counts as the riskiest."""
    return kind in _RISK


def restrictions(plan: PlanDocument) -> Iterator[str]:
    """Yield what a reader has to know before anything else: what the plan is not of, and not for."""
    if plan.partial:
        yield f"PARTIAL: {plan.partial}"
    if plan.seen_at is not None:
        seen = time_text(plan.seen_at)
        yield f"AS OF {time_text(plan.at)}, as everything was seen at {seen}: apply does not take this plan"
    if plan.differing:
        more = f" and {len(plan.differing) - _SHOWN_FILES} more" if len(plan.differing) > _SHOWN_FILES else ""
        shown = f"{', '.join(plan.differing[:_SHOWN_FILES])}{more}"
        unlike = f"DIRTY: not as in commit {plan.head[:12]}: {shown}"
        yield f"{unlike}. Nobody has reviewed this: on real services apply refuses it"
    if plan.base_note:
        yield f"BASE {plan.base[:12] if plan.base else ''}: {plan.base_note}"


def blocked_lines(row: CertificateRow) -> list[str]:
    """Return what is in the way, and who acts how."""
    work = row.work
    return [f"{work.phase}: {work.text}", f"{work.actor}: {work.remedy}"]


def refusal_lines(row: CertificateRow, refusal: RefusalRow) -> list[str]:
    """Return which guard refuses what and why, and what a person can do."""
    kind = row.action.kind if row.action is not None else ""
    return [f"{kind}: {refusal.guard}: {refusal.text}", refusal.remedy]


def waiting_lines(row: CertificateRow) -> list[str]:
    """Return for whom and since when it waits, and what that one can do."""
    work = row.work
    until = f", until {time_text(work.until)}" if work.until is not None else ""
    since = f", since {time_text(work.since)}" if work.since is not None else ""
    what = f"{work.phase}: waits for {work.actor}: {work.text}{since}{until}"
    return [line for line in (what, work.remedy, *work.notes, row.held or "") if line]


def create_lines(row: CertificateRow, action: ActionRow) -> Iterator[str]:
    """Yield what a create makes."""
    if action.kind == ActionKind.CREATE:
        if row.enrollment is not None:
            yield _enrollment_line(row, row.enrollment)
        yield f"names: {_names(row)}"


def consequence_lines(row: CertificateRow, action: ActionRow) -> Iterator[str]:
    """Yield what an action costs, what it has to wait for, and what is served meanwhile."""
    if action.orders is not None:
        kinds = " + ".join(action.orders.key_types)
        yield (
            f"{count_of(action.orders.count, 'order')}: {kinds} of {action.orders.profile!r} for"
            f" {action.orders.organization}, {action.orders.term_days} days"
        )
    yield from action.notes
    if row.refused is not None:
        yield f"REFUSED by guard {row.refused.guard}: see above"
    if row.throttled is not None:
        yield f"waits: {row.throttled}"
    if row.held is not None:
        yield row.held
    if row.serving is not None:
        yield serving_text(row.serving)


def _enrollment_line(row: CertificateRow, wanted: EnrollmentRow) -> str:
    sni = "SNI only" if wanted.sni_only else "not SNI only"
    promote = f"promote {wanted.promote}" if wanted.promote is not None else "no stop at staging"
    return f"enrollment: account {row.account}, contract {wanted.contract}, {wanted.secure_network}, {sni}, {promote}"


def _names(row: CertificateRow) -> str:
    others = [name for name in row.names if name != row.common_name]
    shown = ", ".join([row.common_name, *others[:_SHOWN_NAMES]])
    more = len(others) - _SHOWN_NAMES
    return f"{shown} and {more} more" if more > 0 else shown


def difference_text(difference: DifferenceRow) -> str:
    """Return one difference in a line: names and key types as sets, settings before and after."""
    if difference.of_set:
        parts = [f"+ {one}" for one in difference.added] + [f"- {one}" for one in difference.removed]
        return f"{field_text(difference)}: {', '.join(parts)} ({difference.effect})"
    return f"{difference.field}: {difference.before} -> {difference.after} ({difference.effect})"


def field_text(difference: DifferenceRow) -> str:
    """Return the field in people's words."""
    return _WORDS.get(difference.field, difference.field)


def serving_text(serving: ServingRow) -> str:
    """Return what production serves, in a line."""
    kinds = " + ".join(serving.key_types)
    left = f"{serving.remaining // timedelta(days=1)} days left" if serving.remaining > timedelta() else "EXPIRED"
    return f"serves {kinds} until {time_text(serving.expires)} ({left})"


def released_lines(row: ReleasedRow, at: datetime) -> Iterator[str]:
    """Yield what becomes of a certificate whose file is gone."""
    if not row.looked_at:
        yield f"its file is gone; account {row.account} was not read, so that nobody knows what it serves"
        return
    if row.enrollment_id is None:
        yield "its file is gone before anything was made of it: nothing is left behind"
        return
    yield f"its file is gone: enrollment {row.enrollment_id} stays, and nobody renews it any more"
    if row.expires is None:
        yield "serves nothing"
    elif row.expires <= at:
        yield f"serves what EXPIRED on {time_text(row.expires)}"
    else:
        yield f"serves until {time_text(row.expires)} ({(row.expires - at) // timedelta(days=1)} days left)"
    if row.pending:
        yield "a change is under way there, and nobody goes on with it"


_ORIGINS = {"drift": "Drift", "renewal": "Renewals due", "in flight": "In flight"}


def elsewhere(plan: PlanDocument) -> Iterator[tuple[str, tuple[CertificateRow, ...]]]:
    """Yield what a change does not cause: actions and waits by their origin, then what is blocked, then the rest."""
    active = [row for row in plan.certificates if row.work.state == "waiting" or (row.action and row.held is None)]
    others = [row for row in plan.not_caused(active) if row.refused is None]
    origins = dict.fromkeys([*_ORIGINS, *sorted(row.origin or "" for row in others)])
    for origin in origins:
        yield _ORIGINS.get(origin, "Other origin"), tuple(row for row in others if (row.origin or "") == origin)
    yield "Blocked", plan.not_caused(plan.working("blocked"))


def counts_text(plan: PlanDocument) -> str | None:
    """Return how many there are of each kind, worst first; None where everything is as wanted."""
    unchanged = len(plan.working("unchanged"))
    whole = unchanged == len(plan.certificates) and not plan.problems and not plan.unread
    if whole and not plan.actions and not plan.held and not plan.released:
        return None
    return ", ".join([*_counts(plan.certificates), f"{unchanged} unchanged"])


def _counts(rows: Sequence[CertificateRow]) -> list[str]:
    kinds = Counter(row.action.kind for row in rows if row.action is not None and row.held is None)
    known = [kind.value for kind in ActionKind]
    parts = [f"{kinds[kind]} to {kind}" for kind in (*known, *sorted(set(kinds) - set(known))) if kinds[kind]]
    if held := sum(row.action is not None and row.held is not None for row in rows):
        parts.append(f"{held} held back")
    states = Counter(row.work.state for row in rows)
    words = (("waiting", "waiting"), ("blocked", "blocked"), ("not read", "unread"))
    return [*parts, *(f"{states[state]} {word}" for word, state in words if states[state])]


def headline(plan: PlanDocument) -> str:
    """Return the plan in a sentence or two: what there is of each kind, and the orders that it places."""
    counts = counts_text(plan)
    if counts is None:
        return f"No changes. {count_of(len(plan.certificates), 'certificate')} as wanted."
    nothing = "No changes can be made now. " if not plan.actions and not plan.released else ""
    if plan.base is not None:
        return f"{nothing}{_compared_headline(plan)}"
    orders = f" It places {count_of(plan.orders, 'order')}." if plan.orders else ""
    return f"{nothing}Plan: {counts}.{orders}"


def _compared_headline(plan: PlanDocument) -> str:
    """Return what the change causes, and then what would be there without it."""
    caused, others = plan.caused(plan.certificates), plan.not_caused(plan.certificates)
    counts = _counts(caused)
    counts += [f"{len(plan.released)} released"] if plan.released else []
    ordered = orders_of(caused)
    orders = f" It places {count_of(ordered, 'order')}." if ordered else ""
    rest = ", ".join([*_counts(others), f"{sum(row.work.state == 'unchanged' for row in plan.certificates)} unchanged"])
    return f"This change causes: {', '.join(counts) or 'nothing'}.{orders} Besides it: {rest}."


def exceeded_text(plan: PlanDocument) -> str:
    """Return the guards whose limit is exceeded; empty for none."""
    exceeded = [f"{one.guard} {one.used} of {one.limit}" for one in plan.guards if one.exceeded]
    return f"Guards exceeded: {', '.join(exceeded)}" if exceeded else ""


def count_of(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def time_text(instant: datetime) -> str:
    return f"{instant:%Y-%m-%d %H:%M} UTC"
