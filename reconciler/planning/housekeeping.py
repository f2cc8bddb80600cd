"""What a look tells the journal: intents that had their effect, causes that ended, enrollments that are managed."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from reconciler.model.certificate import AccountName, ChangeId, EnrollmentId
from reconciler.model.enrollment import Enrollment
from reconciler.model.entry import Outcome, OutcomeKind
from reconciler.model.journal import OpenIntent, OpenState, identity_key
from reconciler.model.journal_entries import (
    AuthorSeen,
    CauseEnded,
    ChangesGone,
    ContractsSeen,
    EnrollmentManaged,
    Entry,
    OutcomeWritten,
)
from reconciler.model.order import SslId
from reconciler.planning.case import Context
from reconciler.planning.ownership import AUTO_RENEWAL, intent_of
from reconciler.planning.plan import Plan, Standing
from reconciler.planning.steps import Act, ActionKind, Decision, Done, Unread, operation_of


def lessons(plan: Plan, context: Context) -> Mapping[AccountName, tuple[Entry, ...]]:
    """Return, by account, the entries that the look adds to its journal. A look that is not complete adds none."""
    found: dict[AccountName, tuple[Entry, ...]] = {}
    for account, journal in context.journals.items():
        of_account = [one for one in plan.standings if one.desired.enrollment.account == account]
        view = context.observed.accounts.get(account)
        if view is None or not (view.enrollments.complete and view.contracts.complete and view.served.complete):
            continue
        entries: list[Entry] = []
        if view.contracts.values != journal.contracts:
            entries.append(ContractsSeen(contracts=view.contracts.values, at=plan.at))
        for standing in of_account:
            if not isinstance(standing.decision, Unread):
                entries.extend(_of_standing(standing, journal, context, plan.at))
        if entries:
            found[account] = tuple(entries)
    return found


def gives_up(learned: Mapping[AccountName, tuple[Entry, ...]]) -> bool:
    """Tell whether a call is taken for one that never happened, so that it may be made again."""
    return any(
        isinstance(one, OutcomeWritten) and one.outcome.kind is OutcomeKind.NOT_SENT
        for entries in learned.values()
        for one in entries
    )


def _of_standing(standing: Standing, journal: OpenState, context: Context, at: datetime) -> Iterator[Entry]:
    for one in journal.open:
        if one.intent.certificate == standing.name and (effect := _effect(standing, one, journal, context)) is not None:
            outcome = Outcome(
                intent=one.intent.id,
                kind=effect.kind,
                at=at,
                detail=effect.detail,
                enrollment_id=effect.enrollment_id,
                change_id=effect.change_id,
                ssl_id=effect.ssl_id,
                seen=True,
            )
            yield OutcomeWritten(outcome=outcome)
    if standing.enrollment is None:
        return
    if _to_manage(standing, journal):
        yield EnrollmentManaged(identity=standing.desired.identity, enrollment_id=standing.enrollment.id, at=at)
    if (author := _author(standing.enrollment, journal, context)) is not None:
        yield AuthorSeen(author=author, at=at)
    if _as_wanted(standing.decision):
        yield from _ended(standing.enrollment.id, {one.id for one in standing.enrollment.pending}, journal, at)


def _author(enrollment: Enrollment, journal: OpenState, context: Context) -> str | None:
    """Return as whom CPS has a change whose id it told us, where that is news."""
    view = context.observed.changes.get((enrollment.account, enrollment.id))
    if not enrollment.pending or view is None or view.record is None:
        return None
    change, author = journal.changes.get(enrollment.pending[-1].id), view.record.created_by
    known = change is None or change.seen or author in journal.authors
    return None if known or author in ("", AUTO_RENEWAL) else author


def _to_manage(standing: Standing, journal: OpenState) -> bool:
    """Tell whether a file claims the enrollment, with nothing to change first that needs an approval of its own."""
    if standing.enrollment is None or isinstance(standing.decision, Unread):
        return False
    adopting = isinstance(standing.decision, Act) and standing.decision.kind is ActionKind.ADOPT
    return not adopting and identity_key(standing.desired.identity) not in journal.enrollments


def _as_wanted(decision: Decision) -> bool:
    """Tell whether what is served is wanted: also where something that is not served is still to be revoked."""
    return isinstance(decision, Done) or (isinstance(decision, Act) and decision.kind is ActionKind.REVOKE)


def _ended(enrollment_id: EnrollmentId, pending: set[ChangeId], journal: OpenState, at: datetime) -> Iterator[Entry]:
    """The certificate is as wanted: what was begun for it has ended, and its changes are gone."""
    ours = {number: one for number, one in journal.changes.items() if one.enrollment_id == enrollment_id}
    for cause in sorted({one.cause for one in ours.values()}):
        record = journal.causes.get(cause)
        if record is not None and record.ended_at is None:
            yield CauseEnded(cause=cause, at=at)
    if gone := frozenset(ours) - pending:
        yield ChangesGone(change_ids=gone, at=at)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Effect:
    kind: OutcomeKind
    detail: str = "a look showed it"
    enrollment_id: EnrollmentId | None = None
    change_id: ChangeId | None = None
    ssl_id: SslId | None = None


def _effect(standing: Standing, one: OpenIntent, journal: OpenState, context: Context) -> _Effect | None:
    """Return what became of an open intent, None while nobody can tell."""
    seen = _seen(standing, one, journal, context)
    if seen is not None:
        return seen
    if context.settles(one) <= context.observed.at:
        return _Effect(kind=OutcomeKind.NOT_SENT, detail="no look has shown it: it did not happen")
    return None


def _seen(standing: Standing, one: OpenIntent, journal: OpenState, context: Context) -> _Effect | None:
    enrollment, intent = standing.enrollment, one.intent
    match intent.operation:
        case "create enrollment" if enrollment is not None:
            change = enrollment.pending[-1].id if enrollment.pending else None
            return _Effect(kind=OutcomeKind.DONE, enrollment_id=enrollment.id, change_id=change)
        case "update enrollment" if enrollment is not None and enrollment.pending:
            view = context.observed.changes.get((standing.desired.enrollment.account, enrollment.id))
            record = view.record if view is not None else None
            fits = record is not None and intent_of(enrollment, standing.desired, record, journal) == intent
            done = _Effect(kind=OutcomeKind.DONE, enrollment_id=enrollment.id, change_id=enrollment.pending[-1].id)
            return done if fits else None
        case "update enrollment" if isinstance(standing.decision, Done):
            return _Effect(kind=OutcomeKind.DONE, enrollment_id=enrollment.id if enrollment is not None else None)
        case "submit order" if intent.key is not None:
            book = context.observed.instances[standing.desired.order.instance].book
            found = book.by_key.get(intent.key, ())
            return _Effect(kind=OutcomeKind.DONE, ssl_id=found[0].order.ssl_id) if found else None
        case "create enrollment" | "update enrollment" | "submit order" | "link orders":
            return None
        case operation:
            repeated = isinstance(standing.decision, Act) and any(
                operation_of(step) == operation for step in standing.decision.steps
            )
            return None if repeated else _Effect(kind=OutcomeKind.DONE)
