"""What the sandbox's CPS remembers: plain data, so that it survives a restart."""

import enum
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from reconciler.sandbox.cps.body import EnrollmentBody, NetworkConfiguration
from reconciler.sandbox.ids import Ids

Algorithm = Literal["RSA", "ECDSA"]
Network = Literal["staging", "production"]

ALGORITHMS: tuple[Algorithm, ...] = ("RSA", "ECDSA")
AUTO_RENEWAL = "<auto-renewal>"


class Status(enum.StrEnum):
    """Where a change stands, in CPS's words."""

    SAFETY_CHECKS = "pre-verification-safety-checks"
    WAIT_PRE_VERIFICATION = "wait-review-pre-verification-safety-checks"
    GENERATE_CSR = "generate-csr"
    WAIT_UPLOAD = "wait-upload-third-party"
    VERIFY = "verify-third-party-cert"
    WAIT_REVIEW = "wait-review-third-party-cert"
    SLOT_FILES = "create-slot-files"
    LIVE_CHECK = "live-check-action"
    STAGE_SETTINGS = "deploy-changes-to-staging"
    STAGE_CERTIFICATE = "deploy-cert-to-staging"
    WAIT_CHANGE_MANAGEMENT = "wait-ack-change-management"
    DEPLOY_PRODUCTION = "deploy-cert-to-production"
    COMPLETE = "complete"
    ABANDON_SLOTS = "abandon-slots-action"
    DEPROVISION = "deprovision-cert"
    DELETE_CSR = "delete-csr"


class Kind(enum.StrEnum):
    """What a change is for."""

    NEW = "new"
    NAMES = "names"
    SUBJECT = "subject"
    RENEWAL = "renewal"
    ADDITION = "addition"  # the certificate of the missing algorithm
    SETTINGS = "settings"  # network settings; no certificate
    REMOVAL = "removal"

    @property
    def needs_certificate(self) -> bool:
        return self not in (Kind.SETTINGS, Kind.REMOVAL)


Outcome = Literal["open", "suspended", "cancelled", "completed", "error"]


@dataclass(kw_only=True)
class ApiClient:
    """Somebody's API client. The secrets are the sandbox's own."""

    section: str  # of the .edgerc file
    user: str  # createdBy of what it does
    client_token: str
    client_secret: str
    access_token: str
    may_write: bool
    contracts: list[str]
    account_switch_keys: list[str] = field(default_factory=list)
    enabled: bool = True


@dataclass(kw_only=True)
class KeyPair:
    algorithm: Algorithm
    private_key_pem: str  # empty once the change was cancelled
    csr_pem: str
    made_at: datetime


@dataclass(kw_only=True)
class Upload:
    algorithm: Algorithm
    certificate_pem: str
    trust_chain_pem: str  # as sent; empty if none was


@dataclass(kw_only=True)
class Finding:
    code: str
    text: str
    blocking: bool = False


@dataclass(kw_only=True)
class ChangeError:
    code: str
    description: str
    timestamp: datetime


@dataclass(kw_only=True)
class Change:
    """One run of the workflow."""

    id: int
    enrollment_id: int
    kind: Kind
    created_by: str
    created_at: datetime
    status: Status
    outcome: Outcome = "open"
    updated_at: datetime | None = None
    step: int = 0  # counts entered statuses; an event of an earlier step is void
    algorithms: list[Algorithm] = field(default_factory=list)
    keys: list[KeyPair] = field(default_factory=list)
    uploads: list[Upload] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    error: ChangeError | None = None
    answered: list[str] = field(default_factory=list)
    not_before: datetime | None = None
    not_after: datetime | None = None
    held: bool = False  # waits for `not_before`
    bypass_staging: bool = False
    body_before: EnrollmentBody | None = None
    shown_status: Status | None = None  # what is shown until `shown_until`
    shown_until: datetime | None = None

    def key(self, algorithm: Algorithm) -> KeyPair | None:
        return next((key for key in self.keys if key.algorithm == algorithm), None)


@dataclass(kw_only=True)
class DeployedCertificate:
    algorithm: Algorithm
    certificate_pem: str
    trust_chain_pem: str
    private_key_pem: str


@dataclass(kw_only=True)
class Deployment:
    """What runs on one network."""

    certificates: list[DeployedCertificate]  # the primary one first
    certificates_of: int  # the change that brought them
    network_configuration: NetworkConfiguration
    deployed_at: datetime


@dataclass(kw_only=True)
class LoggedCertificates:
    change_id: int
    certificates: list[DeployedCertificate]


@dataclass(kw_only=True)
class Enrollment:
    id: int
    contract: str
    wanted: EnrollmentBody
    created_at: datetime
    deployed_body: EnrollmentBody | None = None  # `wanted` as it was when production was last deployed
    pending: int | None = None
    superseded: list[int] = field(default_factory=list)  # changes that the pending one replaced
    change_ids: list[int] = field(default_factory=list)
    slot: int | None = None
    staging: Deployment | None = None
    production: Deployment | None = None
    log: list[LoggedCertificates] = field(default_factory=list)

    def on(self, network: Network) -> Deployment | None:
        return self.production if network == "production" else self.staging


@dataclass(kw_only=True)
class Lagging:
    """What the list still shows of an enrollment that was written to; None if it was not there yet."""

    until: datetime
    before: Enrollment | None


@dataclass(kw_only=True)
class CpsState:
    account: str
    contracts: list[str]
    clients: list[ApiClient]
    enrollments: dict[int, Enrollment] = field(default_factory=dict)
    changes: dict[int, Change] = field(default_factory=dict)
    lagging: dict[int, Lagging] = field(default_factory=dict)  # the list of enrollments
    lagging_active: dict[int, Lagging] = field(default_factory=dict)  # the list of active certificates


def default_state(ids: Ids) -> CpsState:
    """Return an account with two contracts and two API clients, one of which may only read."""
    contracts = ["C-1ABCDEF", "C-2GHIJKL"]
    return CpsState(
        account="A-1XYZ",
        contracts=contracts,
        clients=[
            _client(ids, "default", "certrecon", contracts, may_write=True),
            _client(ids, "readonly", "auditor", contracts, may_write=False),
        ],
    )


def _client(ids: Ids, section: str, user: str, contracts: Iterable[str], *, may_write: bool) -> ApiClient:
    return ApiClient(
        section=section,
        user=user,
        client_token=_token(ids),
        client_secret=f"{ids.text('cps.secret', 43)}=",
        access_token=_token(ids),
        may_write=may_write,
        contracts=list(contracts),
    )


def _token(ids: Ids) -> str:
    return f"akab-{ids.text('cps.token', 16).lower()}-{ids.text('cps.token', 16).lower()}"
