"""Steps (one call that changes something each) and decisions (what the look at one certificate leads to)."""

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from reconciler.model.certificate import (
    AccountName,
    ChangeId,
    DesiredCertificate,
    EnrollmentId,
    InstanceName,
    KeyType,
)
from reconciler.model.enrollment import InputKind, UploadHalf
from reconciler.model.entry import CauseId, OrderLink
from reconciler.model.order import OrderRequest, SslId
from reconciler.model.replacement import Replacing
from reconciler.planning.diff import Difference


class Phase(enum.StrEnum):
    """How far the work on one certificate is; computed from live data at each look."""

    ABSENT = "absent"
    PRECHECKS = "prechecks"
    PREWARNINGS = "prewarnings"
    CSR = "csr"
    ORDERED = "ordered"
    VALIDATING = "validating"
    REFUSED = "refused"
    ISSUED = "issued"
    UPLOADED = "uploaded"
    CHECKING = "checking"
    WARNINGS = "warnings"
    STAGING = "staging"
    PROMOTE = "promote"
    SCHEDULED = "scheduled"
    PRODUCTION = "production"
    ERROR = "error"
    SUSPENDED = "suspended"
    REMOVING = "removing"


class ActionKind(enum.StrEnum):
    """What a person approves, worst first."""

    DELETE = "delete"
    REVOKE = "revoke"
    CANCEL = "cancel"
    REISSUE = "reissue"
    CREATE = "create"
    ADOPT = "adopt"
    RENEW = "renew"
    UPDATE = "update"
    UPLOAD = "upload"
    ACKNOWLEDGE = "acknowledge"
    PROMOTE = "promote"
    RESUME = "resume"


class Actor(enum.StrEnum):
    """Who has to act next."""

    CERTRECON = "certrecon"
    AUTHOR = "author of the file"
    OPERATOR = "operator"
    APPROVER = "SCM approver"
    SCM = "Sectigo"
    CPS = "Akamai"


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateEnrollment:
    desired: DesiredCertificate


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateEnrollment:
    """One PUT: the body as it is, with the fields that files name replaced (DESIGN 3)."""

    desired: DesiredCertificate
    enrollment_id: EnrollmentId
    force_renewal: bool = False  # a new change with new keys, though nothing in the body differs
    cancel_pending: bool = False  # the pending change gives way
    add_missing: bool = False  # only the half that is missing after deployment
    replaces: ChangeId | None = None

    @classmethod
    def with_new_keys(
        cls, desired: DesiredCertificate, enrollment_id: EnrollmentId, *, replaces: ChangeId
    ) -> "UpdateEnrollment":
        """Return the PUT that opens a change with new keys in place of our pending one."""
        return cls(
            desired=desired, enrollment_id=enrollment_id, force_renewal=True, cancel_pending=True, replaces=replaces
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelChange:
    account: AccountName
    enrollment_id: EnrollmentId
    change_id: ChangeId


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteEnrollment:
    account: AccountName
    enrollment_id: EnrollmentId
    cancel_pending: bool  # our own pending change goes with it


@dataclass(frozen=True, slots=True, kw_only=True)
class RevokeCertificate:
    instance: InstanceName
    ssl_id: SslId
    serial: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmitOrder:
    instance: InstanceName
    enrollment_id: EnrollmentId
    change_id: ChangeId
    key_type: KeyType
    key: str  # as the tag has it
    request: OrderRequest
    # An order by hand of equal name since then may be for this CSR. It is no part of what is sent.
    untagged_since: datetime | None = field(default=None, compare=False, repr=False)
    succeeds: frozenset[SslId] = field(default=frozenset(), repr=False)  # for the journal: SCM is not told with it


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadCertificates:
    account: AccountName
    enrollment_id: EnrollmentId
    change_id: ChangeId
    halves: tuple[UploadHalf, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AcknowledgeWarnings:
    account: AccountName
    enrollment_id: EnrollmentId
    change_id: ChangeId
    input: InputKind  # PRE_WARNINGS or POST_WARNINGS
    text: str  # what policy accepted; acknowledged only if CPS still says the same


@dataclass(frozen=True, slots=True, kw_only=True)
class PromoteToProduction:
    account: AccountName
    enrollment_id: EnrollmentId
    change_id: ChangeId
    validation_hash: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkOrders:
    """Tell SCM that an order succeeds another. Bookkeeping: no certificate waits for it, or fails with it."""

    instance: InstanceName
    enrollment_id: EnrollmentId
    cause: CauseId  # of the newer order
    link: OrderLink


Step = (
    CreateEnrollment
    | UpdateEnrollment
    | SubmitOrder
    | UploadCertificates
    | AcknowledgeWarnings
    | PromoteToProduction
    | CancelChange
    | DeleteEnrollment
    | RevokeCertificate
    | LinkOrders
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """Something can be done now."""

    phase: Phase
    kind: ActionKind
    cause: CauseId
    steps: tuple[Step, ...]  # independent of each other
    reason: str  # code: "no-enrollment"
    text: str  # the same for people
    differences: tuple[Difference, ...] = ()
    notes: tuple[str, ...] = ()
    to_order: int = 0  # orders that its change needs after these steps
    replacing: Replacing | None = None  # by a campaign
    again: bool = False  # a person lets dead or lost work begin again: the next attempt


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """Someone else is at work; look again after `poll`."""

    phase: Phase
    actor: Actor
    text: str
    poll: timedelta
    since: datetime | None = None
    until: datetime | None = None  # when it is known
    remedy: str = ""
    notes: tuple[str, ...] = ()
    to_order: int = 0  # orders that what was begun still needs, as far as nobody else has to act before them


@dataclass(frozen=True, slots=True, kw_only=True)
class Blocked:
    """Nothing moves until somebody acts. `error`: also the run failed (two orders for one key, say)."""

    phase: Phase
    actor: Actor
    text: str
    remedy: str
    reason: str  # code: "order-declined"
    error: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Unread:
    """What decides could not be read completely: no action, and the run failed."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What is wanted is what is served, or nothing is left that this program may do."""

    notes: tuple[str, ...] = ()


Decision = Act | Wait | Blocked | Unread | Done


def operation_of(step: Step) -> str:
    """Return the step's name in certrecon's words, as journal, log and messages have it."""
    return _OPERATIONS[type(step)]


_OPERATIONS: Mapping[type[Step], str] = {
    CreateEnrollment: "create enrollment",
    UpdateEnrollment: "update enrollment",
    SubmitOrder: "submit order",
    UploadCertificates: "upload certificate",
    AcknowledgeWarnings: "acknowledge warnings",
    PromoteToProduction: "promote to production",
    CancelChange: "cancel change",
    DeleteEnrollment: "delete enrollment",
    RevokeCertificate: "revoke certificate",
    LinkOrders: "link orders",
}
HOUSEKEEPING = frozenset({"link orders"})  # the operations that no certificate waits for, or fails with


def unresolved() -> Blocked:
    """Return what is said of a certificate whose file names what the services do not have."""
    return Blocked(
        phase=Phase.ABSENT,
        actor=Actor.AUTHOR,
        text="its file names something that SCM or CPS does not have",
        remedy="See the problems listed above.",
        reason="unresolved",
        error=True,
    )
