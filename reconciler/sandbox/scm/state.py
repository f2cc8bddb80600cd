"""All that the sandbox's SCM knows: plain data, which a snapshot writes and reads as it stands."""

import enum
from dataclasses import dataclass, field
from datetime import datetime

from reconciler.sandbox.hierarchy import Kind


class Status(enum.StrEnum):
    """The states of an order, spelt as details and report spell them."""

    INIT = "Init"
    REQUESTED = "Requested"
    SA_APPROVED = "SA Approved"
    APPROVED = "Approved"
    DECLINED = "Declined"
    APPLIED = "Applied"
    ISSUED = "Issued"
    REVOKED = "Revoked"
    EXPIRED = "Expired"
    REPLACED = "Replaced"
    REJECTED = "Rejected"
    INVALID = "Invalid"


@dataclass(kw_only=True)
class Admin:
    """A person or program that works in SCM."""

    id: int
    login: str
    password: str
    full_name: str
    email: str
    roles: list[str]
    privileges: list[str]
    organizations: list[int] = field(default_factory=list)  # empty: the whole customer (role MRAO)
    auto_approve: bool = False
    password_expires: datetime | None = None  # None: never
    failed_logins: int = 0


@dataclass(kw_only=True)
class OAuthClient:
    client_id: str
    client_secret: str
    login: str  # the admin whose API key it is


@dataclass(kw_only=True)
class Token:
    client_id: str
    expires_at: datetime  # real time


@dataclass(kw_only=True)
class Validation:
    """One validation of an organization's identity. `status` is what was decided; `expires` makes it EXPIRED."""

    id: int
    level: str  # OV_SSL, EV_SSL
    status: str  # NOT_VALIDATED, PENDING, FAILED, VALIDATED
    submitted: datetime | None = None
    expires: datetime | None = None
    background_status: str | None = None


@dataclass(kw_only=True)
class Organization:
    """An organization, or with `parent` a department of one."""

    id: int
    name: str
    parent: int | None = None
    address: str = ""
    city: str = ""
    state_or_province: str = ""
    postal_code: str = ""
    country: str = ""
    registration_number: str = ""
    business_category: str = "Private Organization"
    api_enabled: bool = True
    validations: list[Validation] = field(default_factory=list)


@dataclass(kw_only=True)
class Delegation:
    org_id: int
    cert_types: list[str]
    privileges: list[str]
    status: str = "ACTIVE"  # or REQUESTED


@dataclass(kw_only=True)
class DomainOrder:
    """A running domain control validation."""

    status: str  # AWAITING_SUBMISSION, SUBMITTED, REJECTED
    mode: str  # CNAME, HTTP, HTTPS, EMAIL, TXT
    host: str | None = None
    point: str | None = None
    url: str | None = None
    first_line: str | None = None
    second_line: str | None = None
    email: str | None = None
    backend_id: str | None = None
    submitted: datetime | None = None
    last_check: datetime | None = None
    next_check: datetime | None = None


@dataclass(kw_only=True)
class Domain:
    id: int
    name: str
    active: bool = True
    description: str | None = None
    delegations: list[Delegation] = field(default_factory=list)
    validated_at: datetime | None = None
    expires_at: datetime | None = None  # what SCM displays; the reuse limit of the day may end it earlier
    method: str | None = None
    order: DomainOrder | None = None
    answers: bool = True  # whether the customer's DNS, web server and mailbox hold what a validation looks for


@dataclass(kw_only=True)
class Profile:
    """A certificate profile of the customer over one product of the CA."""

    id: int
    name: str
    kind: Kind
    terms: list[int]
    key_types: dict[str, list[str]]
    description: str = ""
    multi_domain: bool = False
    wildcards: bool = False
    approval: bool = False
    renewable: bool = True
    organizations: list[int] = field(default_factory=list)  # empty: all


@dataclass(kw_only=True)
class CustomField:
    id: int
    name: str
    mandatory: bool = False
    state: str = "ACTIVE"


@dataclass(kw_only=True)
class CustomValue:
    name: str
    value: str


@dataclass(kw_only=True)
class OrderDcv:
    """Validation of one domain for one order, when the customer works without pre-validation."""

    domain: str
    mode: str
    email: str | None
    host: str
    point: str
    passed_at: datetime | None = None
    last_check: datetime | None = None
    next_check: datetime | None = None


@dataclass(kw_only=True)
class Location:
    id: int
    details: dict[str, str]
    type: str = "CUSTOM"
    name: str = ""


@dataclass(kw_only=True)
class OldCertificate:
    """A certificate that a replacement took the place of."""

    serial: str
    leaf_pem: str
    replaced_at: datetime
    revoked_at: datetime | None = None


@dataclass(kw_only=True)
class Order:
    """One certificate request and what became of it."""

    ssl_id: int
    renew_id: str
    org_id: int
    profile_id: int
    csr_pem: str
    common_name: str
    sans: list[str]  # as ordered: with or without the common name
    term: int
    requester: str
    requester_id: int
    requested_via: str
    requested: datetime
    visible_at: datetime
    status: Status = Status.INIT
    turn: int = 0  # a step planned on an earlier turn no longer concerns the order
    edited: bool = False  # since it was declined, rejected or found invalid
    comments: str = ""
    external_requester: str = ""
    custom_fields: list[CustomValue] = field(default_factory=list)
    locations: list[Location] = field(default_factory=list)
    dcv: list[OrderDcv] = field(default_factory=list)
    order_number: int | None = None
    approver: str | None = None
    approver_id: int | None = None
    approved: datetime | None = None
    declined: datetime | None = None
    issued: datetime | None = None
    expires: datetime | None = None
    downloaded: datetime | None = None
    revoked: datetime | None = None
    reason_code: int | None = None
    replaced: datetime | None = None
    renewed_date: datetime | None = None
    successor: int | None = None
    renewed: bool = False
    renew_id_used: bool = False
    serial: str = ""  # upper-case hex of whole bytes, no colons
    leaf_pem: str = ""
    issued_by: Kind | None = None  # which of the sandbox's CAs; None: not issued, or imported
    ends_at: datetime | None = None  # a replacement takes over the end of what it replaces
    old_certificates: list[OldCertificate] = field(default_factory=list)
    auto_renew: bool = False
    auto_renew_days: int = 30
    suspend_notifications: bool = False


@dataclass(kw_only=True)
class Activity:
    """One line of the audit log."""

    at: datetime
    actor: str
    action: str
    ssl_id: int
    note: str = ""


@dataclass(kw_only=True)
class ScmState:
    customer_uri: str
    admins: dict[str, Admin] = field(default_factory=dict)  # by login
    oauth_clients: dict[str, OAuthClient] = field(default_factory=dict)  # by client id
    tokens: dict[str, Token] = field(default_factory=dict)
    organizations: dict[int, Organization] = field(default_factory=dict)
    domains: dict[int, Domain] = field(default_factory=dict)
    profiles: dict[int, Profile] = field(default_factory=dict)
    custom_fields: list[CustomField] = field(default_factory=list)
    orders: dict[int, Order] = field(default_factory=dict)
    activity: list[Activity] = field(default_factory=list)
