"""What the journal holds: intents before mutating calls, outcomes after them (design: safety, causes and intents)."""

import enum
from dataclasses import dataclass
from datetime import datetime
from typing import NewType

from reconciler.model.certificate import CertificateName, ChangeId, EnrollmentId, Identity
from reconciler.model.order import SslId
from reconciler.model.replacement import Replacing

IntentId = NewType("IntentId", str)
CauseId = NewType("CauseId", str)  # hash of why an action is needed; stable while its inputs are


class OutcomeKind(enum.StrEnum):
    DONE = "done"
    REFUSED = "refused"  # the service said no: the same call is not worth repeating soon
    NOT_SENT = "not sent"  # may be made again at once
    LOOK_AGAIN = "look again"  # it was not yet, or is no longer, possible
    UNKNOWN = "unknown"  # never repeated blindly: the next looks decide


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderLink:
    """A word to SCM that one order succeeds another, so that it stops its mails about the older one's end."""

    old: SslId
    new: SslId
    until: datetime  # the older certificate's end: after it there is nothing to be told


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """One mutating call that is about to be made."""

    id: IntentId
    certificate: CertificateName
    cause: CauseId
    attempt: int
    operation: str  # the step's name: "submit order"
    enrollment_id: EnrollmentId | None
    change_id: ChangeId | None
    key_type: str | None
    body_digest: str
    desired_digest: str
    at: datetime  # service time
    identity: Identity | None = None  # of the certificate: what a create's enrollment is remembered by
    key: str | None = None  # of an order: its CSR's public key, as the tag has it
    succeeds: frozenset[SslId] = frozenset()  # of an order: those whose certificates its own is to replace
    link: OrderLink | None = None  # of a link
    approval: str = ""  # what approved it: "merge", "policy", or a plan's digest
    epoch: int = 0  # of the lock
    commit: str = ""  # of the desired state
    run_url: str = ""
    reason: str = ""  # of its action, for people: "campaign: replacement campaign distrust (superseded)"
    replacing: Replacing | None = None  # what a campaign replaces by it


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of an intent."""

    intent: IntentId
    kind: OutcomeKind
    at: datetime
    detail: str = ""
    enrollment_id: EnrollmentId | None = None
    change_id: ChangeId | None = None
    ssl_id: SslId | None = None
    seen: bool = False  # by a look: the service's own answer never came
