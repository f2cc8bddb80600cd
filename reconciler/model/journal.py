"""What all entries of the journal lead to: the content of `open.json` (design: safety 1 and 7)."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import assert_never

from reconciler.errors import JournalError
from reconciler.model.certificate import CertificateName, ChangeId, ContractId, EnrollmentId, Identity, KeyType
from reconciler.model.codec import CodecError, from_json, to_json
from reconciler.model.entry import CauseId, Intent, IntentId, OrderLink, Outcome, OutcomeKind
from reconciler.model.journal_entries import (
    AttemptRaised,
    AuthorSeen,
    CauseEnded,
    ChangesGone,
    CommitApplied,
    ContractsSeen,
    EnrollmentManaged,
    EnrollmentReleased,
    Entry,
    EpochTaken,
    IntentWritten,
    JournalMade,
    LevelReported,
    OutcomeWritten,
    RefusalsForgotten,
)
from reconciler.model.lock import VERSION, refuse_newer
from reconciler.model.order import SslId
from reconciler.model.replacement import Replacing

_LONGEST_BACK_OFF_H = 24
_MOST_UNCLEAR = 2
_CAUSES_KEPT = timedelta(days=400)  # after their end: longer than any certificate of today lives
_ANSWERS_KEPT = timedelta(days=1)  # CPS shows what it was given within minutes
REPAIR = "Run 'certrecon lock repair'."


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenIntent:
    """An intent that nobody has closed: its call may have been made, or may not."""

    intent: Intent
    written_at: datetime  # wall clock, when it was handed to the journal
    unknown: Outcome | None = None  # the call was made and its answer did not arrive


@dataclass(frozen=True, slots=True, kw_only=True)
class CauseRecord:
    """What was begun for one cause. An equal need after its end is its next attempt."""

    attempt: int
    first_intent_at: datetime  # of this attempt
    ended_at: datetime | None = None
    enrollment_id: EnrollmentId | None = None  # that a campaign is about
    replacing: Replacing | None = None  # what it replaces there


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnChange:
    """A change at CPS that we opened."""

    enrollment_id: EnrollmentId
    cause: CauseId
    opened_at: datetime
    seen: bool = False  # found by a look: CPS did not tell us its id


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What we last gave to a change that waited for us, and CPS took: certificates, or an acknowledgement."""

    operation: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnOrder:
    """An order that holds a CSR's key, for ever."""

    ssl_id: SslId
    enrollment_id: EnrollmentId
    change_id: ChangeId | None
    key_type: KeyType
    cause: CauseId
    requested_at: datetime
    succeeds: frozenset[SslId] = frozenset()  # orders of what was served when this one was placed


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkRecord:
    """What came of a link so far. It is bookkeeping: two answers that say nothing are enough."""

    link: OrderLink
    unclear: int = 0  # answers that were lost or said nothing, while no look has shown the link since
    closed: bool = False  # SCM was told, or does not want to be

    def after(self, outcome: Outcome, *, was_unknown: bool) -> "LinkRecord":
        unclear = self.unclear + (was_unknown and outcome.kind is OutcomeKind.NOT_SENT)
        closed = outcome.kind in (OutcomeKind.DONE, OutcomeKind.REFUSED) or unclear >= _MOST_UNCLEAR
        return replace(self, unclear=unclear, closed=closed)


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """How often in a row a service refused an operation for an unchanged file."""

    desired_digest: str
    count: int
    last_at: datetime
    detail: str = ""

    @property
    def not_before(self) -> datetime:
        """When the operation may be tried again: one hour later, doubling to a day."""
        doublings = min(self.count - 1, 5)  # 2^5 hours are beyond the longest already
        return self.last_at + timedelta(hours=min(1 << doublings, _LONGEST_BACK_OFF_H))


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """What people were last told of a certificate."""

    level: str
    at: datetime


def identity_key(identity: Identity) -> str:
    """Return what a certificate is remembered by. The account's name is left out: projects call it as they like."""
    sni = "sni" if identity.sni_only else "dedicated"
    return f"{identity.contract}/{identity.common_name}/{identity.secure_network}/{sni}"


def refusal_key(certificate: CertificateName, operation: str) -> str:
    return f"{certificate}: {operation}"


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenState:
    """All that the next run must know; the content of open.json."""

    v: int = VERSION
    journal_id: str
    installation: str  # in the tags of our orders; random, made with the journal or recovered from tags
    sequence: int = 0  # number of appends
    epoch: int = 0  # of the lock, at the last taking
    open: tuple[OpenIntent, ...] = ()
    causes: Mapping[CauseId, CauseRecord] = field(default_factory=dict)
    enrollments: Mapping[str, EnrollmentId] = field(default_factory=dict)  # by `identity_key`
    changes: Mapping[ChangeId, OwnChange] = field(default_factory=dict)
    orders: Mapping[str, OwnOrder] = field(default_factory=dict)  # by key, as the tag has it
    answers: Mapping[ChangeId, Answer] = field(default_factory=dict)  # young ones
    links: Mapping[SslId, LinkRecord] = field(default_factory=dict)  # by the older order
    authors: frozenset[str] = frozenset()  # as whom CPS's history has our changes
    contracts: frozenset[ContractId] = frozenset()
    refusals: Mapping[str, Refusal] = field(default_factory=dict)  # by `refusal_key`
    levels: Mapping[CertificateName, Level] = field(default_factory=dict)
    last_applied_commit: str | None = None

    def after(self, entries: Iterable[Entry]) -> "OpenState":
        """Return the state after one append of `entries`."""
        state = replace(self, sequence=self.sequence + 1)
        for entry in entries:
            state = _after(state, entry)
        return state

    def open_intent(self, intent: IntentId) -> OpenIntent | None:
        return next((one for one in self.open if one.intent.id == intent), None)

    def refusal(self, certificate: CertificateName, operation: str, desired_digest: str) -> Refusal | None:
        """Return what the services refused for this very file; None where nothing was, or the file has changed."""
        found = self.refusals.get(refusal_key(certificate, operation))
        return found if found is not None and found.desired_digest == desired_digest else None


def _after(state: OpenState, entry: Entry) -> OpenState:  # noqa: C901 - one line a kind
    match entry:
        case EpochTaken():
            links = {old: one for old, one in state.links.items() if entry.at < one.link.until}
            return replace(state, epoch=entry.epoch, causes=_without_old(state.causes, entry.at), links=links)
        case IntentWritten():
            return _with_intent(state, entry)
        case OutcomeWritten(outcome=outcome):
            return _with_outcome(state, outcome)
        case CauseEnded():
            return _with_cause_ended(state, entry)
        case AttemptRaised():
            return _with_attempt_raised(state, entry)
        case EnrollmentManaged():
            known = {**state.enrollments, identity_key(entry.identity): entry.enrollment_id}
            return replace(state, enrollments=known)
        case EnrollmentReleased():
            kept = {key: one for key, one in state.enrollments.items() if one != entry.enrollment_id}
            return replace(state, enrollments=kept)
        case ChangesGone():
            return _without_changes(state, entry.change_ids)
        case AuthorSeen():
            return replace(state, authors=state.authors | {entry.author})
        case ContractsSeen():
            return replace(state, contracts=entry.contracts)
        case RefusalsForgotten():
            return replace(state, refusals=_without_refusals(state.refusals, entry.certificate))
        case LevelReported():
            told = Level(level=entry.level, at=entry.at)
            return replace(state, levels={**state.levels, entry.certificate: told})
        case CommitApplied():
            return replace(state, last_applied_commit=entry.commit)
        case JournalMade():
            return state
        case _:
            assert_never(entry)


def _with_intent(state: OpenState, entry: IntentWritten) -> OpenState:
    intent = entry.intent
    opened = (*state.open, OpenIntent(intent=intent, written_at=entry.written_at))
    if intent.link is not None:
        return replace(state, open=opened)  # bookkeeping after the cause's end: it begins no attempt
    known = state.causes.get(intent.cause)
    if known is None or known.attempt < intent.attempt:
        known = CauseRecord(attempt=intent.attempt, first_intent_at=intent.at)
    if known.replacing is None and intent.replacing is not None:
        known = replace(known, enrollment_id=intent.enrollment_id, replacing=intent.replacing)
    return replace(
        state,
        open=opened,
        causes={**state.causes, intent.cause: known},
    )


def _with_outcome(state: OpenState, outcome: Outcome) -> OpenState:
    """Close the intent, unless its outcome is unknown; learn the ids that came of it, or that it was refused."""
    found = state.open_intent(outcome.intent)
    if found is None:
        return state  # closed before: the first word stands
    if outcome.kind is OutcomeKind.UNKNOWN:
        marked = replace(found, unknown=outcome)
        return replace(state, open=tuple(marked if one is found else one for one in state.open))
    state = replace(state, open=tuple(one for one in state.open if one is not found))
    if found.intent.link is not None:
        known = state.links.get(found.intent.link.old, LinkRecord(link=found.intent.link))
        known = known.after(outcome, was_unknown=found.unknown is not None)
        return replace(state, links={**state.links, known.link.old: known})
    if outcome.kind is OutcomeKind.DONE:
        state = _with_answer(_with_refusal(state, found.intent, None), found.intent, outcome)
        return _with_ids(state, found.intent, outcome)
    if outcome.kind is OutcomeKind.REFUSED:
        return _with_refusal(state, found.intent, outcome)
    return state


def _with_answer(state: OpenState, intent: Intent, outcome: Outcome) -> OpenState:
    if intent.change_id is None or intent.key is not None:  # an order is no answer to CPS
        return state
    young = {number: one for number, one in state.answers.items() if outcome.at - one.at < _ANSWERS_KEPT}
    return replace(state, answers={**young, intent.change_id: Answer(operation=intent.operation, at=outcome.at)})


def _with_ids(state: OpenState, intent: Intent, outcome: Outcome) -> OpenState:
    enrollment_id = outcome.enrollment_id if outcome.enrollment_id is not None else intent.enrollment_id
    if outcome.enrollment_id is not None and intent.identity is not None:
        known = {**state.enrollments, identity_key(intent.identity): outcome.enrollment_id}
        state = replace(state, enrollments=known)
    if outcome.change_id is not None and enrollment_id is not None:
        change = OwnChange(enrollment_id=enrollment_id, cause=intent.cause, opened_at=intent.at, seen=outcome.seen)
        state = replace(state, changes={**state.changes, outcome.change_id: change})
    if outcome.ssl_id is not None and intent.key is not None and enrollment_id is not None:
        order = OwnOrder(
            ssl_id=outcome.ssl_id,
            enrollment_id=enrollment_id,
            change_id=intent.change_id,
            key_type=KeyType(intent.key_type or KeyType.RSA),
            cause=intent.cause,
            requested_at=intent.at,
            succeeds=intent.succeeds,
        )
        state = replace(state, orders={**state.orders, intent.key: order})
    return state


def _with_refusal(state: OpenState, intent: Intent, outcome: Outcome | None) -> OpenState:
    key = refusal_key(intent.certificate, intent.operation)
    others = {name: one for name, one in state.refusals.items() if name != key}
    if outcome is None:
        return replace(state, refusals=others) if key in state.refusals else state
    before = state.refusal(intent.certificate, intent.operation, intent.desired_digest)
    refusal = Refusal(
        desired_digest=intent.desired_digest,
        count=1 if before is None else before.count + 1,
        last_at=outcome.at,
        detail=outcome.detail,
    )
    return replace(state, refusals={**others, key: refusal})


def _with_cause_ended(state: OpenState, entry: CauseEnded) -> OpenState:
    known = state.causes.get(entry.cause)
    if known is None or known.ended_at is not None:
        return state
    return replace(state, causes={**state.causes, entry.cause: replace(known, ended_at=entry.at)})


def _with_attempt_raised(state: OpenState, entry: AttemptRaised) -> OpenState:
    known = state.causes.get(entry.cause)
    raised = CauseRecord(attempt=1, first_intent_at=entry.at)
    if known is not None:
        raised = replace(known, attempt=known.attempt + 1, first_intent_at=entry.at, ended_at=None)
    return replace(state, causes={**state.causes, entry.cause: raised})


def _without_old(causes: Mapping[CauseId, CauseRecord], at: datetime) -> Mapping[CauseId, CauseRecord]:
    def kept(record: CauseRecord) -> bool:
        return record.ended_at is None or at - record.ended_at < _CAUSES_KEPT

    return {cause: record for cause, record in causes.items() if kept(record)}


def _without_changes(state: OpenState, gone: frozenset[ChangeId]) -> OpenState:
    """Forget changes, and their orders but the latest of each enrollment and key type: what is served came of it.

    A CSR belongs to one change: when that is gone, nothing can be ordered for the CSR any more. An order that was the
    latest when its change went is forgotten with the change of the next.
    """
    changes = {number: one for number, one in state.changes.items() if number not in gone}
    ended = {one.enrollment_id for one in state.orders.values() if one.change_id in gone}
    latest: dict[tuple[EnrollmentId, KeyType], OwnOrder] = {}
    for order in sorted(state.orders.values(), key=lambda one: (one.requested_at, one.ssl_id)):
        latest[order.enrollment_id, order.key_type] = order

    def kept(one: OwnOrder) -> bool:
        over = one.change_id in gone or (one.enrollment_id in ended and one.change_id not in changes)
        return not over or latest[one.enrollment_id, one.key_type] is one

    return replace(state, changes=changes, orders={key: one for key, one in state.orders.items() if kept(one)})


def _without_refusals(refusals: Mapping[str, Refusal], certificate: CertificateName) -> Mapping[str, Refusal]:
    return {key: one for key, one in refusals.items() if not key.startswith(f"{certificate}: ")}


def encode_state(state: OpenState) -> str:
    """Return the text of open.json: sorted and indented, so that git and people see what changed."""
    return json.dumps(to_json(state) | {"v": state.v}, sort_keys=True, indent=1) + "\n"


def decode_state(text: str) -> OpenState:
    """Read open.json.

    Raises:
        JournalError: it was written by a newer certrecon, or is damaged.
    """
    try:
        data = json.loads(text)
        refuse_newer(data, "the journal")
        return from_json(OpenState, data)
    except (CodecError, ValueError) as error:
        raise JournalError(f"open.json cannot be read ({error}).", remedy=REPAIR) from error
