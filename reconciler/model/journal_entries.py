"""The entries of the journal: one a line in a file a month, for people and audits (design: safety 7).

What later runs must know does not have to be computed from them: it stands in `open.json` (see `model.journal`).
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from reconciler.errors import JournalError
from reconciler.model.certificate import CertificateName, ChangeId, ContractId, EnrollmentId, Identity
from reconciler.model.codec import CodecError, from_json, to_json
from reconciler.model.entry import CauseId, Intent, Outcome
from reconciler.model.lock import VERSION, refuse_newer


@dataclass(frozen=True, slots=True, kw_only=True)
class EpochTaken:
    epoch: int
    owner: str
    run_url: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class IntentWritten:
    intent: Intent
    written_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeWritten:
    outcome: Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class CauseEnded:
    """A look showed the cause's effect."""

    cause: CauseId
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptRaised:
    """Dead work is begun anew: a person asked for it, or changed the file."""

    cause: CauseId
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class EnrollmentManaged:
    """A file claims this enrollment from now on."""

    identity: Identity
    enrollment_id: EnrollmentId
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class EnrollmentReleased:
    """No file claims this enrollment any more, or it was removed as declared."""

    enrollment_id: EnrollmentId
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangesGone:
    """These changes are not pending any more, and what became of them was judged."""

    change_ids: frozenset[ChangeId]
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthorSeen:
    """As whom CPS's history has a change whose id CPS had told us: so we are called there."""

    author: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ContractsSeen:
    contracts: frozenset[ContractId]
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusalsForgotten:
    certificate: CertificateName
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelReported:
    certificate: CertificateName
    level: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CommitApplied:
    commit: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalMade:
    """The journal begins here: the first run's, or a repair's, which says what it could not find again."""

    at: datetime
    lost: tuple[str, ...] = ()


Entry = (
    EpochTaken
    | IntentWritten
    | OutcomeWritten
    | CauseEnded
    | AttemptRaised
    | EnrollmentManaged
    | EnrollmentReleased
    | ChangesGone
    | AuthorSeen
    | ContractsSeen
    | RefusalsForgotten
    | LevelReported
    | CommitApplied
    | JournalMade
)

_KINDS: Mapping[str, type[Entry]] = {
    "epoch": EpochTaken,
    "intent": IntentWritten,
    "outcome": OutcomeWritten,
    "cause ended": CauseEnded,
    "attempt raised": AttemptRaised,
    "enrollment managed": EnrollmentManaged,
    "enrollment released": EnrollmentReleased,
    "changes gone": ChangesGone,
    "author seen": AuthorSeen,
    "contracts seen": ContractsSeen,
    "refusals forgotten": RefusalsForgotten,
    "level reported": LevelReported,
    "commit applied": CommitApplied,
    "journal made": JournalMade,
}
_NAMES = {kind: name for name, kind in _KINDS.items()}


def entry_time(entry: Entry) -> datetime:
    """Return when it was, in service time."""
    match entry:
        case IntentWritten(intent=intent):
            return intent.at
        case OutcomeWritten(outcome=outcome):
            return outcome.at
        case _:
            return entry.at


def encode_entry(entry: Entry) -> str:
    """Return the entry as one line, with its end."""
    return json.dumps({"v": VERSION, "kind": _NAMES[type(entry)], **to_json(entry)}, ensure_ascii=True) + "\n"


def decode_entry(line: str) -> Entry:
    """Read one line of a month's file.

    Raises:
        JournalError: it was written by a newer certrecon, or is damaged.
    """
    try:
        data = json.loads(line)
        refuse_newer(data, "an entry of the journal")
        kind = _KINDS[data.pop("kind")]
        del data["v"]
        return from_json(kind, data)
    except (CodecError, ValueError, KeyError, TypeError) as error:
        raise JournalError(f"an entry cannot be read ({error}): {line.strip()[:80]}") from error
