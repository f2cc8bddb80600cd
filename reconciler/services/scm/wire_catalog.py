"""SCM's JSON of domains, of an organization's identity and of the login's password -> values."""

import enum
from dataclasses import dataclass
from typing import TypeVar

from reconciler.model.domain import (
    DcvMethod,
    DcvStatus,
    Delegation,
    Domain,
    OrganizationDetails,
    OrganizationValidation,
    PasswordState,
    PasswordStatus,
    Privilege,
    ValidationLevel,
    ValidationStatus,
)
from reconciler.model.names import BadNameError, DnsName, dns_name
from reconciler.model.order import OrganizationId
from reconciler.services.decode import decode, observed_name, optional_instant, text_or_none
from reconciler.services.scm.wire import Wire

Status = TypeVar("Status", bound=enum.StrEnum)

_METHODS = {
    "CNAME_CSR_HASH": DcvMethod.CNAME,
    "DNSTXT_RANDOM_VALUE": DcvMethod.TXT,
    "EMAIL": DcvMethod.EMAIL,
    "HTTP_CSR_HASH": DcvMethod.HTTP,
    "HTTPS_CSR_HASH": DcvMethod.HTTPS,
}
# The two generations of the API: `validationLevel` and `type` (sectigo-scm 2.15).
_LEVELS = {
    "OV_SSL": ValidationLevel.OV,
    "OV": ValidationLevel.OV,
    "EV_SSL": ValidationLevel.EV,
    "EV": ValidationLevel.EV,
}
_PASSWORD = {
    "ALIVE": PasswordStatus.ALIVE,
    "EXPIRED": PasswordStatus.EXPIRED,
    "NEVER_EXPIRE": PasswordStatus.NEVER_EXPIRES,
}


class WireDomainRow(Wire):
    id: int
    name: str


class WireDelegation(Wire):
    org_id: int
    cert_types: list[str] | None = None
    domain_certificate_request_privileges: list[str] | None = None
    status: str | None = None


class WireDomain(Wire):
    name: str
    state: str | None = None
    validation_status: str | None = None
    validation_method: str | None = None
    dcv_validation: str | None = None
    dcv_expiration: str | None = None
    delegations: list[WireDelegation] | None = None


class WireValidation(Wire):
    validation_level: str | None = None
    type: str | None = None
    status: str | None = None
    background_status: str | None = None
    expires: str | None = None


class WireOrganizationDetails(Wire):
    id: int
    name: str
    city: str | None = None
    state_or_province: str | None = None
    country: str | None = None


class WirePassword(Wire):
    state: str | None = None
    expiration_date: str | None = None


def domain_rows(body: bytes) -> dict[int, DnsName]:
    """Return the domains of a page of the list, by id."""
    return {row.id: _name(row.name) for row in decode(body, list[WireDomainRow])}


def domain(body: bytes) -> Domain:
    wire = decode(body, WireDomain)
    done, until = optional_instant(wire.dcv_validation), optional_instant(wire.dcv_expiration)
    return Domain(
        name=_name(wire.name),
        active=_active(wire.state),
        delegations=tuple(_delegation(one) for one in wire.delegations or ()),
        dcv_status=None if wire.validation_status is None else _status(wire.validation_status, DcvStatus),
        dcv_method=_METHODS.get(wire.validation_method or ""),
        dcv_done_on=done.date() if done is not None else None,
        dcv_until=until.date() if until is not None else None,
    )


def _delegation(wire: WireDelegation) -> Delegation:
    granted = wire.domain_certificate_request_privileges
    return Delegation(
        organization_id=OrganizationId(wire.org_id),
        active=_active(wire.status),
        ssl=None if wire.cert_types is None else "SSL" in wire.cert_types,
        privileges=None if granted is None else frozenset(one for one in Privilege if one.value in granted),
    )


def validations(body: bytes) -> tuple[OrganizationValidation, ...]:
    """Return the validations for TLS; those for mail are left out."""
    rows = ((_LEVELS.get(row.validation_level or row.type or ""), row) for row in decode(body, list[WireValidation]))
    return tuple(
        OrganizationValidation(
            level=level,
            status=_status(row.status, ValidationStatus),
            expires_at=optional_instant(row.expires),
            background=None if row.background_status is None else _status(row.background_status, ValidationStatus),
        )
        for level, row in rows
        if level is not None
    )


def organization_details(body: bytes) -> OrganizationDetails:
    wire = decode(body, WireOrganizationDetails)
    return OrganizationDetails(
        id=OrganizationId(wire.id),
        name=wire.name,
        city=text_or_none(wire.city),
        state_or_province=text_or_none(wire.state_or_province),
        country=text_or_none(wire.country),
    )


def password_state(body: bytes) -> PasswordState:
    wire = decode(body, WirePassword)
    expires = optional_instant(wire.expiration_date)
    return PasswordState(
        status=_PASSWORD.get(wire.state or "", PasswordStatus.UNKNOWN),
        expires_on=expires.date() if expires is not None else None,
    )


def _status(text: str | None, known: type[Status]) -> Status:
    """Return a status that one generation of the API writes `NOT_VALIDATED` and the other `Not validated`."""
    try:
        return known((text or "").replace("_", " ").lower())
    except ValueError:
        return known("unknown")


def _active(state: str | None) -> bool:
    """Tell whether a state is ACTIVE; where SCM says nothing, its answer to the order will tell."""
    return state is None or state.upper() == "ACTIVE"


def _name(text: str) -> DnsName:
    """Return a domain as certificates spell it: SCM shows international ones as they were typed."""
    try:
        return dns_name(text)
    except BadNameError:
        return observed_name(text)


class WireAdminRow(Wire):
    id: int
    login: str | None = None


class WireCredential(Wire):
    role: str | None = None


class WireAdmin(Wire):
    credentials: list[WireCredential] | None = None
    privileges: list[str] | None = None


class WirePrivilege(Wire):
    name: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AdminRights:
    roles: frozenset[str]
    privileges: frozenset[str]


def admins(body: bytes) -> dict[str, int]:
    """Return the ids of admins by their logins."""
    return {row.login: row.id for row in decode(body, list[WireAdminRow]) if row.login is not None}


def admin(body: bytes) -> AdminRights:
    wire = decode(body, WireAdmin)
    roles = (one.role for one in wire.credentials or ())
    return AdminRights(
        roles=frozenset(role for role in roles if role is not None), privileges=frozenset(wire.privileges or ())
    )


def privileges(body: bytes) -> frozenset[str]:
    return frozenset(one.name for one in decode(body, list[WirePrivilege]) if one.name is not None)
