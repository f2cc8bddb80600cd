"""What SCM says before an order: domains and their validation, the organization's identity, the login's password."""

import enum
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime

from reconciler.model.names import DnsName, is_wildcard
from reconciler.model.order import OrganizationId


class Privilege(enum.StrEnum):
    """For which names below a domain certificates may be ordered."""

    DOMAIN = "DOMAIN"
    SUBDOMAIN = "SUBDOMAIN"
    WILDCARD_AT_DOMAIN = "WILDCARD_1ST_LEVEL"  # *.example.com
    WILDCARD_BELOW = "WILDCARD_2ND_LEVEL"  # *.shop.example.com


class DcvStatus(enum.StrEnum):
    NOT_VALIDATED = "not validated"
    VALIDATED = "validated"
    EXPIRED = "expired"
    UNKNOWN = "unknown"  # SCM said something else: it is not taken for valid


class DcvMethod(enum.StrEnum):
    """How control of a domain was shown. `exact` ones show it for that name alone, and for no wildcard (BR 3.2.2.4)."""

    CNAME = "CNAME"
    TXT = "TXT"
    EMAIL = "e-mail"
    HTTP = "HTTP"
    HTTPS = "HTTPS"

    @property
    def exact(self) -> bool:
        return self in {DcvMethod.HTTP, DcvMethod.HTTPS}


@dataclass(frozen=True, slots=True, kw_only=True)
class Delegation:
    """To whom a domain is given, and for what. None: SCM does not say."""

    organization_id: OrganizationId  # an organization's, or a department's: one does not stand for the other
    active: bool  # else it was asked for, and nobody has approved it
    ssl: bool | None
    privileges: frozenset[Privilege] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Domain:
    """One domain of the customer: a registered one as a rule, with all that lies below it."""

    name: DnsName
    active: bool
    delegations: tuple[Delegation, ...]
    dcv_status: DcvStatus | None  # None: this customer does not validate ahead of orders, or SCM does not show it
    dcv_method: DcvMethod | None = None
    dcv_done_on: date | None = None
    dcv_until: date | None = None  # as SCM shows it; the rules of the day of issue may be stricter


class ValidationLevel(enum.StrEnum):
    OV = "OV"
    EV = "EV"


class ValidationStatus(enum.StrEnum):
    NOT_VALIDATED = "not validated"
    PENDING = "pending"
    EXPIRED = "expired"
    FAILED = "failed"
    VALIDATED = "validated"
    UNKNOWN = "unknown"  # SCM said something else: it is not taken for valid


@dataclass(frozen=True, slots=True, kw_only=True)
class OrganizationValidation:
    """One validation of an organization's identity. `background` runs behind one that still holds; None: none runs."""

    level: ValidationLevel
    status: ValidationStatus
    expires_at: datetime | None
    background: ValidationStatus | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OrganizationDetails:
    """What the CA writes into the subject of OV and EV certificates. None: SCM has nothing there."""

    id: OrganizationId
    name: str
    city: str | None = None
    state_or_province: str | None = None
    country: str | None = None


class PasswordStatus(enum.StrEnum):
    ALIVE = "alive"
    EXPIRED = "expired"
    NEVER_EXPIRES = "never expires"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class PasswordState:
    """The password of the login that asked."""

    status: PasswordStatus
    expires_on: date | None = None


def covering_domain(name: DnsName, domains: Collection[DnsName]) -> DnsName | None:
    """Return the domain that `name` belongs to: the longest that is the name (without its star) or that ends it."""
    host = _host(name)
    while host and host not in domains:
        host = host.partition(".")[2]
    return DnsName(host) if host else None


def privilege_for(name: DnsName, domain: DnsName) -> Privilege:
    """Return what a delegation of `domain` must allow so that `name` can be ordered."""
    at_domain = _host(name) == domain
    if is_wildcard(name):
        return Privilege.WILDCARD_AT_DOMAIN if at_domain else Privilege.WILDCARD_BELOW
    return Privilege.DOMAIN if at_domain else Privilege.SUBDOMAIN


def _host(name: DnsName) -> str:
    return name.removeprefix("*.")
