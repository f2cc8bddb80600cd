"""SCM's JSON as it is spelt on the wire -> values. SCM leaves out what is null; every member may be missing."""

import re
from collections.abc import Iterable

import msgspec

from reconciler.model.names import DnsName
from reconciler.model.order import (
    Order,
    OrderRequest,
    OrderStatus,
    Organization,
    OrganizationId,
    PlacedOrder,
    Profile,
    ProfileId,
    RenewId,
    SslId,
)
from reconciler.model.times import LONGEST_SPAN_DAYS
from reconciler.services.decode import BodyError, decode, each_row_once, observed_name, optional_instant, serial_number

_STATUSES = {status.value.replace(" ", "").lower(): status for status in OrderStatus}
_SEPARATORS = re.compile(r"[;,\s]+")
_PEM = re.compile(r"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)


class Wire(msgspec.Struct, rename="camel"):
    """What SCM writes in an object, in its own names."""


class WireReport(Wire):
    status_code: int | None = None
    message: str | None = None
    reports: list[msgspec.Raw] | None = None


class WireReportRow(Wire):
    id: int
    common_name: str | None = None
    subj_alt_names: str | None = None
    status: str | None = None
    type: str | None = None
    type_id: int | None = None
    org_id: int | None = None
    term: int | None = None
    comments: str | None = None
    serial_number: str | None = None
    requested: str | None = None
    issued: str | None = None
    expires: str | None = None
    requester: str | None = None
    approver: str | None = None


class WireListRow(Wire):
    ssl_id: int
    serial_number: str | None = None


class WireCertType(Wire):
    id: int | None = None
    name: str | None = None


class WireDetails(Wire):
    id: int | None = None
    ssl_id: int | None = None
    common_name: str | None = None
    subject_alternative_names: list[str] | None = None
    status: str | None = None
    cert_type: WireCertType | None = None
    org_id: int | None = None
    term: int | None = None
    comments: str | None = None
    serial_number: str | None = None
    requested: str | None = None
    issued: str | None = None
    expires: str | None = None
    requester: str | None = None
    owner: str | None = None  # who approved
    renewed: bool | None = None


def report(body: bytes) -> WireReport:
    return decode(body, WireReport)


@each_row_once
def report_row(body: bytes) -> Order:
    """Return an order from a row of the report.

    Raises:
        BodyError: it can't be used.
    """
    row = decode(body, WireReportRow)
    return Order(
        ssl_id=SslId(row.id),
        common_name=observed_name(row.common_name or ""),
        sans=_names(row.common_name, split_names(row.subj_alt_names)),
        status=status(row.status),
        status_text=row.status or "",
        organization_id=_organization_id(row.org_id),
        profile_id=_profile_id(row.type_id),
        profile_name=row.type or "",
        term_days=_term_days(row.term),
        comments=row.comments or "",
        serial=_serial(row.serial_number),
        requested_at=optional_instant(row.requested),
        issued_at=optional_instant(row.issued),
        expires_at=optional_instant(row.expires),
        requester=row.requester or "",
        approver=row.approver or "",
    )


def details(body: bytes) -> Order:
    """Return an order from its details.

    Raises:
        BodyError: it can't be used.
    """
    wire = decode(body, WireDetails)
    number = wire.ssl_id if wire.ssl_id is not None else wire.id
    if number is None:
        raise BodyError("details without an id")
    profile = wire.cert_type or WireCertType()
    return Order(
        ssl_id=SslId(number),
        common_name=observed_name(wire.common_name or ""),
        sans=_names(wire.common_name, wire.subject_alternative_names or ()),
        status=status(wire.status),
        status_text=wire.status or "",
        organization_id=_organization_id(wire.org_id),
        profile_id=_profile_id(profile.id),
        profile_name=profile.name or "",
        term_days=_term_days(wire.term),
        comments=wire.comments or "",
        serial=_serial(wire.serial_number),
        requested_at=optional_instant(wire.requested),
        issued_at=optional_instant(wire.issued),
        expires_at=optional_instant(wire.expires),
        requester=wire.requester or "",
        approver=wire.owner or "",
        renewed=wire.renewed,
    )


def list_rows(body: bytes) -> tuple[WireListRow, ...]:
    return tuple(decode(body, list[WireListRow]))


def status(text: str | None) -> OrderStatus:
    """Return the status: SCM writes it with and without blanks. What it never told us of is `UNKNOWN`."""
    return _STATUSES.get("".join((text or "").split()).lower(), OrderStatus.UNKNOWN)


def split_names(text: str | None) -> tuple[str, ...]:
    """Return the names of a report's list: `a; b`, `a, b`, and in older answers `dNSName=a, dNSName=b`."""
    words = _SEPARATORS.split(text or "")
    return tuple(word.removeprefix("dNSName=") for word in words if word)


def _names(common_name: str | None, others: Iterable[str]) -> frozenset[DnsName]:
    # Whether the common name is among the others depends on the answer: it always is among the names.
    return frozenset(observed_name(name) for name in (common_name or "", *others) if name.strip())


def _serial(text: str | None) -> int | None:
    """Return the serial; None before issue, when it is missing or empty, or no number (imported rows hold anything)."""
    try:
        return serial_number(text) if text else None
    except BodyError:
        return None


def _term_days(days: int | None) -> int | None:
    """Return a term; None for one that nobody can mean, with which nothing can be calculated either."""
    return days if days is not None and abs(days) <= LONGEST_SPAN_DAYS else None


def _organization_id(number: int | None) -> OrganizationId | None:
    return None if number is None else OrganizationId(number)


def _profile_id(number: int | None) -> ProfileId | None:
    return None if number is None else ProfileId(number)


class WireDepartment(Wire):
    id: int
    name: str
    parent_name: str | None = None


class WireOrganization(Wire):
    id: int
    name: str
    departments: list[WireDepartment] | None = None


def organizations(body: bytes) -> tuple[Organization, ...]:
    """Return organizations and departments, each department after its organization."""
    found: list[Organization] = []
    for wire in decode(body, list[WireOrganization]):
        found.append(Organization(id=OrganizationId(wire.id), name=wire.name))
        found.extend(
            Organization(id=OrganizationId(inner.id), name=inner.name, parent=inner.parent_name or wire.name)
            for inner in wire.departments or ()
        )
    return tuple(found)


class WireProfile(Wire):
    id: int
    name: str
    terms: list[int] | None = None
    key_types: dict[str, list[str]] | None = None


def profiles(body: bytes) -> tuple[Profile, ...]:
    return tuple(
        Profile(
            id=ProfileId(wire.id),
            name=wire.name,
            terms_days=frozenset(term for term in wire.terms or () if _term_days(term) is not None),
            key_types={name: frozenset(sizes) for name, sizes in (wire.key_types or {}).items()},
        )
        for wire in decode(body, list[WireProfile])
    )


class WirePlaced(Wire):
    ssl_id: int
    renew_id: str | None = None


def placed(body: bytes) -> PlacedOrder:
    wire = decode(body, WirePlaced)
    return PlacedOrder(
        ssl_id=SslId(wire.ssl_id), renew_id=RenewId(wire.renew_id) if wire.renew_id is not None else None
    )


def certificates(body: bytes) -> tuple[str, ...]:
    """Return all certificates of a collected file, PEM, in its order; none where it holds none (yet)."""
    return tuple(f"{pem}\n" for pem in _PEM.findall(body.decode("ascii", errors="replace")))


def enroll_body(request: OrderRequest) -> dict[str, object]:
    """Return what SCM's enroll takes. Names go in as one text: a JSON list is refused (sectigo-scm 2.1)."""
    body: dict[str, object] = {
        "orgId": request.organization_id,
        "certType": request.profile_id,
        "term": request.term_days,
        "csr": request.csr_pem.strip(),
        "subjAltNames": ",".join(request.sans),
        "comments": request.comments,
    }
    optional: dict[str, object] = {
        "externalRequester": ", ".join(request.external_requester),
        "customFields": [{"name": name, "value": value} for name, value in sorted(request.custom_fields.items())],
        "dcvMode": request.dcv_mode,
        "dcvEmail": request.dcv_email,
    }
    return {**body, **{name: value for name, value in optional.items() if value}}


# RFC 5280's reasons that a subscriber may give (sectigo-scm 2.9), as files spell them.
REASON_CODES = {
    "unspecified": 0,
    "keyCompromise": 1,
    "affiliationChanged": 3,
    "superseded": 4,
    "cessationOfOperation": 5,
}


def revocation(reason: str) -> dict[str, object]:
    """Return the body of a revocation."""
    return {"reasonCode": REASON_CODES[reason], "reason": f"{reason}, declared in git"}
