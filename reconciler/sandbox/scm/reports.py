"""Bulk reports: certificates with all their fields, the audit log, domains."""

from collections.abc import Callable, Mapping
from datetime import datetime
from fnmatch import fnmatchcase

from starlette.responses import Response

from reconciler.sandbox.scm.answers import json_answer
from reconciler.sandbox.scm.dates import iso_day, iso_instant, read_instant
from reconciler.sandbox.scm.details import shown_status
from reconciler.sandbox.scm.domains import seen
from reconciler.sandbox.scm.errors import RefusedError
from reconciler.sandbox.scm.fields import Members
from reconciler.sandbox.scm.leaf import Leaf, normal_serial
from reconciler.sandbox.scm.listing import leaf_of, visible_orders
from reconciler.sandbox.scm.names import all_names, spelt
from reconciler.sandbox.scm.state import Order, Status
from reconciler.sandbox.scm.terms import validation_status
from reconciler.sandbox.scm.world import Visit, World

Match = Callable[[Order], bool]

_STATUSES: Mapping[str, frozenset[Status]] = {
    "0": frozenset(Status),
    "1": frozenset({Status.REQUESTED}),
    "2": frozenset({Status.ISSUED}),
    "3": frozenset({Status.REVOKED}),
    "4": frozenset({Status.EXPIRED}),
    "7": frozenset({Status.REQUESTED}),
    "8": frozenset({Status.APPROVED, Status.SA_APPROVED}),
    "9": frozenset({Status.APPLIED}),
    "10": frozenset({Status.REJECTED}),
    "11": frozenset(),
}
_STATUS_WORDS = {"any": "0", "requested": "1", "issued": "2", "revoked": "3", "expired": "4", "applied": "9"}
_DATES: Mapping[str, Callable[[Order], datetime | None]] = {
    "2": lambda order: order.revoked,
    "3": lambda order: order.expires,
    "4": lambda order: order.requested,
    "5": lambda order: order.issued,
}
_DATE_WORDS = {"revocation": "2", "expiration": "3", "request": "4", "issuance": "5"}
_REQUEST_DATE = "4"
_SOURCES = {
    "0": "Enrollment Form",
    "1": "Client Admin",
    "2": "Web API",
    "3": "Discovery",
    "4": "Imported",
    "5": "SCEP",
    "7": "MS Agent",
    "9": "Bulk Request",
    "10": "ACME",
    "11": "EST",
    "12": "REST API",
}


def report(world: World, visit: Visit) -> Response:
    try:
        members = Members.parse(visit.call.body)
        matches = _matches(members)
        padded = members.choice("serialNumberFormat", ("", "HEXWithLeadingZeros")) == "HEXWithLeadingZeros"
    except RefusedError as refusal:
        return _refused(world, refusal)
    orders = [order for order in visible_orders(world, visit) if all(match(order) for match in matches)]
    return _report("ssl-certificates", [_row(world, order, padded=padded) for order in orders])


def activity_report(world: World, visit: Visit) -> Response:
    try:
        start, end = _period(Members.parse(visit.call.body))
    except RefusedError as refusal:
        return _refused(world, refusal)
    rows: list[dict[str, object]] = [
        {
            "date": iso_instant(line.at),
            "admin": line.actor,
            "action": line.action,
            "type": "SSL",
            "objectId": line.ssl_id,
            "details": line.note or None,
        }
        for line in world.state.activity
        if _within(line.at, start, end)
    ]
    return _report("activity", rows)


def domains_report(world: World, visit: Visit) -> Response:
    rows: list[dict[str, object]] = [
        {
            "id": domain.id,
            "name": domain.name,
            "state": "ACTIVE" if domain.active else "SUSPENDED",
            "dcvStatus": spelt(validation_status(domain, world.now), world.options),
            "dcvExpiration": iso_day(domain.expires_at),
            "organizationIds": [delegation.org_id for delegation in domain.delegations],
        }
        for domain in world.state.domains.values()
        if seen(visit.admin, domain)
    ]
    return _report("domains", rows)


def _report(name: str, rows: list[dict[str, object]]) -> Response:
    headers = {
        "Content-Disposition": f'attachment; filename="rest_api_{name}.json"',
        "Cache-Control": "must-revalidate",
        "Pragma": "public",
    }
    return json_answer({"statusCode": 0, "reports": rows}, headers=headers)


def _refused(world: World, refusal: RefusedError) -> Response:
    if world.options.report_refusals == "http_400":
        return refusal.answer()
    return json_answer({"statusCode": refusal.code, "message": refusal.description, "reports": []})


def _matches(members: Members) -> list[Match]:
    """Return what an order must fulfil. Numbers and their words are taken, as the two manuals have one each."""
    statuses = _STATUSES[_choice(members, "certificateStatus", _STATUSES, _STATUS_WORDS) or "0"]
    date_of = _DATES[_choice(members, "certificateDateAttribute", _DATES, _DATE_WORDS) or _REQUEST_DATE]
    start, end = _period(members)
    matches: list[Match] = [lambda order: order.status in statuses]
    if start is not None or end is not None:
        matches.append(lambda order: _within(date_of(order), start, end))
    return [*matches, *_more_matches(members)]


def _more_matches(members: Members) -> list[Match]:
    matches: list[Match] = []
    organizations = members.values.get("organizationIds")
    if organizations:
        wanted = _organizations(organizations)
        matches.append(lambda order: order.org_id in wanted)
    common_name = members.text("commonName", longest=256)
    if common_name:
        if set(common_name) & set("<>\\"):
            raise RefusedError(-1601, "commonName")
        matches.append(lambda order: _like(order.common_name, common_name.lower()))
    requester = members.text("externalRequester", longest=512)
    if requester:
        matches.append(lambda order: _like(order.external_requester, requester))
    source = _choice(members, "certificateRequestSource", _SOURCES, {})
    if source is not None:
        matches.append(lambda order: order.requested_via == _SOURCES[source])
    return matches


def _choice(members: Members, name: str, numbers: Mapping[str, object], words: Mapping[str, str]) -> str | None:
    text = members.text(name)
    if text is None or text == "":
        return None
    number = words.get(text.casefold(), text)
    if number not in numbers:
        raise RefusedError(-1601, name)
    return number


def _organizations(value: object) -> frozenset[int]:
    if not isinstance(value, list) or not all(isinstance(number, int) for number in value):
        raise RefusedError(-1002)
    return frozenset(value)


def _period(members: Members) -> tuple[datetime | None, datetime | None]:
    start, end = members.text("from"), members.text("to")
    first = read_instant(start, "from") if start else None
    last = read_instant(end, "to") if end else None
    if first is not None and last is not None and first >= last:
        raise RefusedError(-1601, "from")
    return first, last


def _within(instant: datetime | None, start: datetime | None, end: datetime | None) -> bool:
    return instant is not None and (start is None or start <= instant) and (end is None or instant <= end)


def _like(text: str, pattern: str) -> bool:
    """Match anywhere in the text; `*` and `?` stand for what they do in file names."""
    return fnmatchcase(text, f"*{pattern.replace('[', '[[]')}*")


def _row(world: World, order: Order, *, padded: bool) -> dict[str, object]:
    leaf = leaf_of(order)
    organization = world.state.organizations[order.org_id]
    identity = world.identity(order.org_id)
    profile = world.state.profiles.get(order.profile_id)
    return {
        "id": order.ssl_id,
        "type": None if profile is None else profile.name,
        "typeId": None if profile is None else profile.id,
        "orgId": order.org_id,
        "organizationName": organization.name,
        "commonName": order.common_name,
        "subjAltNames": world.options.report_san_separator.join(
            all_names(order.common_name, order.sans) if leaf is None else leaf.sans
        ),
        "status": shown_status(world, order),
        "requester": order.requester,
        "approver": order.approver,
        "externalRequester": order.external_requester or None,
        "orderNumber": order.order_number,
        "backendCertId": None if order.order_number is None else str(order.order_number),
        "servers": 1,
        "serverType": "OTHER",
        "requestedVia": order.requested_via,
        "term": order.term,
        "comments": order.comments,
        **_dates(order),
        **_certificate(order, leaf, padded=padded),
        "city": identity.city or None,
        "state": identity.state_or_province or None,
        "country": identity.country or None,
        "customFields": [{"name": value.name, "value": value.value} for value in order.custom_fields],
    }


def _dates(order: Order) -> dict[str, str | None]:
    names = ("requested", "approved", "declined", "issued", "downloaded", "expires", "revoked", "replaced")
    return {name: iso_instant(getattr(order, name)) for name in names}


def _certificate(order: Order, leaf: Leaf | None, *, padded: bool) -> dict[str, object]:
    if leaf is None:
        return {"serialNumber": ""}
    return {
        "issuer": leaf.issuer,
        "serialNumber": order.serial if padded else normal_serial(order.serial),
        "signatureAlg": leaf.signature_algorithm,
        "publicKeyAlg": leaf.key_algorithm,
        "publicKeyType": f"{leaf.key_algorithm} - {leaf.key_param}",
        "publicKeySize": str(leaf.key_bits),
        "sha1": leaf.sha1,
        "md5": leaf.md5,
    }
