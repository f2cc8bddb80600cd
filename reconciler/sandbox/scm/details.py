"""Details of one order, its update and its removal."""

from starlette.responses import Response

from reconciler.sandbox.scm import names
from reconciler.sandbox.scm.answers import json_answer, no_content
from reconciler.sandbox.scm.catalog import profile_row
from reconciler.sandbox.scm.csr import check_text, key_algorithm, read_csr
from reconciler.sandbox.scm.dates import pattern_of, written
from reconciler.sandbox.scm.enroll import check_custom_fields, read_custom_fields
from reconciler.sandbox.scm.errors import RefusedError
from reconciler.sandbox.scm.fields import Members
from reconciler.sandbox.scm.leaf import Leaf
from reconciler.sandbox.scm.listing import leaf_of, shown_serial
from reconciler.sandbox.scm.names import all_names
from reconciler.sandbox.scm.orders import EDITABLE, plan_auto_renewal
from reconciler.sandbox.scm.state import CustomValue, Order, Status
from reconciler.sandbox.scm.terms import terms_of
from reconciler.sandbox.scm.world import Visit, World, order_of, sees

_VALIDATION_TYPES = {
    "DV": "Domain Validation (DV)",
    "OV": "Organization Validation (OV)",
    "EV": "Extended Validation (EV)",
}
_DATES = ("requested", "approved", "declined", "issued", "expires", "replaced", "revoked")
_PARAMETERS = ("orgId", "certTypeId", "term", "commonName", "csr", "subjectAlternativeNames")
_REASONS = {
    0: "UNSPECIFIED",
    1: "KEY_COMPROMISE",
    3: "AFFILIATION_CHANGED",
    4: "SUPERSEDED",
    5: "CESSATION_OF_OPERATION",
}
_MOST_RENEWAL_DAYS = 3650
_FOUND = ("Imported", "Discovery")


def get_order(world: World, visit: Visit) -> Response:
    return _answer(world, visit, order_of(world, visit, read=True))


def _answer(world: World, visit: Visit, order: Order) -> Response:
    asked = visit.call.query.get("dateFormat")
    pattern = pattern_of(asked or ("ISO_HMS" if world.options.details_dates == "ISO" else "US"))
    return json_answer(details(world, order, pattern))


def details(world: World, order: Order, pattern: str) -> dict[str, object]:
    """Return the details object, its dates in `pattern`. Members that are None are left out of the answer."""
    profile = world.state.profiles.get(order.profile_id)
    return {
        "commonName": order.common_name,
        "sslId": order.ssl_id,
        "id": order.ssl_id,
        "orgId": order.org_id,
        "status": shown_status(world, order),
        "orderNumber": order.order_number,
        "backendCertId": None if order.order_number is None else str(order.order_number),
        "vendor": "Sectigo Limited",
        "certType": None if profile is None else profile_row(world, profile),
        "subType": "",
        "validationType": None if profile is None else _VALIDATION_TYPES.get(profile.kind),
        "term": order.term,
        "owner": order.approver,
        "ownerId": order.approver_id,
        "requester": order.requester,
        "requesterId": order.requester_id,
        "requestedVia": order.requested_via,
        "externalRequester": order.external_requester or None,
        "comments": order.comments,
        **_dates(world, order, pattern),
        "reasonCode": _reason_code(world, order),
        "renewed": order.renewed,
        "serialNumber": shown_serial(world, order.serial),
        **_key(leaf_of(order), order.csr_pem),
        "subjectAlternativeNames": _sans(world, order),
        "customFields": [{"name": value.name, "value": value.value} for value in order.custom_fields],
        "certificateDetails": _certificate(leaf_of(order)),
        "autoInstallDetails": {"state": "Not configured"},
        "autoRenewDetails": _auto_renew(order),
        "suspendNotifications": order.suspend_notifications,
        "crystalBall": {"state": "NEW"} if world.options.unknown_members else None,
    }


def shown_status(world: World, order: Order) -> str:
    return world.options.sa_approved_spelling if order.status is Status.SA_APPROVED else order.status.value


def _dates(world: World, order: Order, pattern: str) -> dict[str, str | None]:
    dates = {name: written(getattr(order, name), pattern) for name in _DATES}
    if world.options.expires_before_issue and dates["expires"] is None:
        dates["expires"] = dates["requested"]
    return {**dates, "renewedDate": written(order.renewed_date, pattern)}


def _reason_code(world: World, order: Order) -> int | str | None:
    if order.reason_code is None or world.options.reason_code_spelling == "number":
        return order.reason_code
    return str(order.reason_code)


def _key(leaf: Leaf | None, csr_pem: str) -> dict[str, object]:
    if leaf is None:
        return {"keySize": 0, "keyType": key_algorithm(csr_pem)}
    return {
        "signatureAlg": leaf.signature_algorithm,
        "keyAlgorithm": leaf.key_algorithm,
        "keySize": leaf.key_bits,
        "keyType": f"{leaf.key_algorithm} - {leaf.key_param}",
        "keyUsages": list(leaf.key_usages),
        "extendedKeyUsages": list(leaf.extended_key_usages),
    }


def _sans(world: World, order: Order) -> list[str]:
    leaf = leaf_of(order)
    sans = list(leaf.sans) if leaf is not None else all_names(order.common_name, order.sans)
    if world.options.details_sans == "without_cn":
        return [name for name in sans if name != order.common_name]
    return sans


def _certificate(leaf: Leaf | None) -> dict[str, object] | None:
    if leaf is None:
        return None
    return {
        "issuer": leaf.issuer,
        "subject": leaf.subject,
        "subjectAltNames": ", ".join(f"dNSName={name}" for name in leaf.sans),
        "md5Hash": leaf.md5,
        "sha1Hash": leaf.sha1,
        "sha256Hash": leaf.sha256,
    }


def _auto_renew(order: Order) -> dict[str, object]:
    if not order.auto_renew:
        return {"state": "Not scheduled"}
    return {"state": "Scheduled", "daysBeforeExpiration": order.auto_renew_days}


def update_order(world: World, visit: Visit) -> Response:
    """Change what the status allows; absent members stay. All members are checked before the first is written."""
    members = Members.parse(visit.call.body)
    ssl_id = members.required_integer("sslId")
    order = world.state.orders.get(ssl_id)
    if order is None or not sees(visit.admin, order.org_id):
        raise RefusedError(-124, ssl_id)
    if order.status is Status.ISSUED and world.options.update_issued == "refuse":
        raise RefusedError(-1112, order.status)
    if any(members.has(name) for name in _PARAMETERS):
        _update_parameters(world, visit, order, members)
    _update_notes(world, order, members)
    world.record(visit.admin.login, "updated", order)
    return _answer(world, visit, order)


def _update_parameters(world: World, visit: Visit, order: Order, members: Members) -> None:
    if order.status not in EDITABLE:
        raise RefusedError(-1112, order.status)
    org_id = world.organization(members.integer("orgId", lowest=1) or order.org_id, visit.admin).id
    profile = world.profile(members.integer("certTypeId", lowest=1) or order.profile_id, org_id)
    term = members.integer("term", lowest=1) or order.term
    if term not in terms_of(profile, world.options, world.now):
        raise RefusedError(-36)
    csr = read_csr(check_text(members.text("csr", shortest=1) or order.csr_pem), profile, world.options)
    common_name = (members.text("commonName", shortest=1, longest=64) or csr.common_name).lower()
    sans = members.texts("subjectAlternativeNames")
    sans = list(order.sans) if sans is None else [name.strip().lower() for name in sans]
    names.check_shape(all_names(common_name, sans), profile)
    if profile.kind != "PRIVATE":
        names.check_domains(world, all_names(common_name, sans), org_id)
    order.org_id, order.profile_id, order.term = org_id, profile.id, term
    order.csr_pem, order.common_name, order.sans = csr.pem, common_name, sans
    order.edited = True


def _update_notes(world: World, order: Order, members: Members) -> None:
    comments = members.text("comments", longest=1024)
    external_requester = members.emails("externalRequester")
    suspend = members.flag("suspendNotifications")
    values = read_custom_fields(members)
    auto_renew = _read_auto_renew(members)
    if values is not None:
        values = _merged(order, values) if world.options.update_custom_fields == "merge" else values
        check_custom_fields(world, values)
        order.custom_fields = values
    if comments is not None:
        order.comments = comments
    if external_requester is not None:
        order.external_requester = external_requester
    if suspend is not None:
        order.suspend_notifications = suspend
    if auto_renew is not None:
        order.auto_renew, order.auto_renew_days = auto_renew
        plan_auto_renewal(world, order)


def _merged(order: Order, values: list[CustomValue]) -> list[CustomValue]:
    changed = {value.name for value in values}
    return [*(value for value in order.custom_fields if value.name not in changed), *values]


def _read_auto_renew(members: Members) -> tuple[bool, int] | None:
    wanted = members.object("autoRenewDetails")
    if wanted is None:
        return None
    state = wanted.choice("state", ("Not scheduled", "Scheduled")) or "Not scheduled"
    return state == "Scheduled", wanted.integer("daysBeforeExpiration", lowest=1, highest=_MOST_RENEWAL_DAYS) or 30


def delete_order(world: World, visit: Visit) -> Response:
    """Forget an imported or discovered certificate; others stay in the books."""
    order = order_of(world, visit)
    if order.requested_via not in _FOUND:
        raise RefusedError(-37)
    del world.state.orders[order.ssl_id]
    return no_content()
