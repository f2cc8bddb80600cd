"""What CPS says: enrollments, their pending changes, and the certificates that its networks serve."""

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from reconciler.model.certificate import (
    AccountName,
    ChangeId,
    Contact,
    ContractId,
    EnrollmentId,
    KeyType,
    MutualAuthentication,
    PostalOrganization,
    Subject,
)
from reconciler.model.names import DnsName


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingChange:
    id: ChangeId
    change_type: str | None  # "new-certificate", "renewal", ...; CPS may say nothing


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrollment:
    """CPS's container of one certificate's settings: the latest *wanted* state, not what is served."""

    id: EnrollmentId
    account: AccountName
    contract: ContractId | None  # CPS does not say it: known from which contract's list it came
    third_party: bool  # ra and validationType are third-party; the rest is not ours to manage
    common_name: DnsName
    sans: frozenset[DnsName]  # the common name among them
    subject: Subject
    secure_network: str
    sni_only: bool
    geography: str | None
    must_have_ciphers: str | None
    preferred_ciphers: str | None
    disallowed_tls_versions: frozenset[str]
    ocsp_stapling: str | None
    clone_dns_names: bool | None
    client_mutual_authentication: MutualAuthentication | None
    fips_mode: bool | None
    exclude_sans: bool
    change_management: bool
    multi_stacked: bool
    org: PostalOrganization | None
    admin_contact: Contact | None
    tech_contact: Contact | None
    pending: tuple[PendingChange, ...]
    auto_renewal_starts_at: datetime | None = None
    production_slots: tuple[int, ...] = ()


class ChangeState(enum.StrEnum):
    NEW = "new"
    RUNNING = "running"
    AWAITING_INPUT = "awaiting-input"
    SUSPENDED = "suspended"
    CANCELLED = "cancelled"
    COMPLETED = "completed"
    ERROR = "error"
    UNKNOWN = "unknown"  # CPS said something else: nothing is decided from it


class InputKind(enum.StrEnum):
    """What CPS waits for, in the words of `allowedInput[].type`."""

    CERTIFICATE = "third-party-certificate"
    PRE_WARNINGS = "pre-verification-warnings-acknowledgement"
    POST_WARNINGS = "post-verification-warnings-acknowledgement"
    CHANGE_MANAGEMENT = "change-management"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One run of CPS's workflow. Decide by `state` and `inputs`; `status` may be a word that nobody documented."""

    id: ChangeId
    state: ChangeState
    status: str
    inputs: frozenset[InputKind]  # those known here
    description: str = ""
    error: str | None = None  # "code: description"
    deploy_not_before: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Csr:
    key_type: KeyType  # as CPS labels it; checks look into the PEM
    pem: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ServedCertificate:
    """One certificate on one network, from active-certificates: no PEM, but enough to name it."""

    key_type: KeyType
    serial: int
    sha256: str  # upper-case hex without colons
    expires_at: datetime
    issuer: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """What the two networks serve for one enrollment, by key type."""

    staging: Mapping[KeyType, ServedCertificate] = field(default_factory=dict)
    production: Mapping[KeyType, ServedCertificate] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeManagement:
    """What waits for the production go: the hash to answer with, and what CPS found."""

    validation_hash: str | None
    errors: tuple[str, ...]
    warnings: tuple[str, ...]
    deadline: datetime | None
    pending_pems: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadHalf:
    """One key type's part of an upload: the leaf, and its intermediates, issuer first, without the root."""

    key_type: KeyType
    leaf_pem: str
    chain_pem: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeRecord:
    """One row of the change history. CPS names no change id there: the CSR's key tells which it is."""

    action: str
    status: str  # "incomplete", "cancelled", "completed"
    created_by: str
    created_at: datetime
    csrs: tuple[Csr, ...]
    uploads: tuple[UploadHalf, ...] = ()  # as far as CPS shows them
    updated_at: datetime | None = None  # of one that has ended: when it did


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeOpened:
    enrollment_id: EnrollmentId
    change_id: ChangeId | None  # None: stored without a change
