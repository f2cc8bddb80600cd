"""Steps (one call that changes something each) and decisions (what the look at one certificate leads to)."""

import enum
from dataclasses import dataclass
from datetime import datetime, timedelta

from reconciler.model.certificate import (
    AccountName,
    ChangeId,
    DesiredCertificate,
    EnrollmentId,
    InstanceName,
    KeyType,
    MutualAuthentication,
)
from reconciler.model.enrollment import InputKind, UploadHalf
from reconciler.model.order import OrderRequest


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
class SetMutualAuthentication:
    account: AccountName
    enrollment_id: EnrollmentId
    settings: MutualAuthentication
    fips_mode: bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmitOrder:
    instance: InstanceName
    enrollment_id: EnrollmentId
    change_id: ChangeId
    key_type: KeyType
    key: str  # as the tag has it
    request: OrderRequest


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


Step = (
    CreateEnrollment
    | SetMutualAuthentication
    | SubmitOrder
    | UploadCertificates
    | AcknowledgeWarnings
    | PromoteToProduction
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """Something can be done now."""

    phase: Phase
    steps: tuple[Step, ...]  # independent of each other
    reason: str  # code: "no-enrollment"
    text: str  # the same for people
    notes: tuple[str, ...] = ()


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
