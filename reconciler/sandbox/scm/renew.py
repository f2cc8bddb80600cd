"""Renew by id, by renew id, in the books only; replace."""

from functools import partial

from starlette.responses import Response

from reconciler.sandbox.clock import Payload
from reconciler.sandbox.scm import names, orders
from reconciler.sandbox.scm.answers import json_answer, no_content
from reconciler.sandbox.scm.csr import check_text, read_csr
from reconciler.sandbox.scm.enroll import DCV_MODES, Form, checked
from reconciler.sandbox.scm.errors import RefusedError
from reconciler.sandbox.scm.fields import Members, parse_json
from reconciler.sandbox.scm.state import Admin, Order, Status
from reconciler.sandbox.scm.terms import terms_of
from reconciler.sandbox.scm.world import Visit, World, order_of, sees

_RENEWABLE = frozenset({Status.ISSUED, Status.EXPIRED})


def register(world: World) -> None:
    world.clock.on(orders.AUTO_RENEW, partial(_auto_renew, world))


def renew_by_id(world: World, visit: Visit) -> Response:
    order = order_of(world, visit)
    successor = renewed(world, visit.admin, order, _read(world, visit))
    return json_answer({"sslId": successor.ssl_id})


def renew(world: World, visit: Visit) -> Response:
    """Renew by the id that enroll gave for it. The answer names no order."""
    renew_id = str(visit.call.path["renew_id"])
    candidates = [order for order in world.state.orders.values() if order.renew_id == renew_id]
    if not candidates or not sees(visit.admin, candidates[-1].org_id):
        raise RefusedError(-123)
    order = candidates[-1]
    members = _read(world, visit)
    if order.renew_id_used and world.options.renew_id_again == "refuse":
        raise RefusedError(-105, order.status)
    renewed(world, visit.admin, order, members)
    order.renew_id_used = True
    return no_content()


def _read(world: World, visit: Visit) -> Members:
    """Return the body. Two clients send the JSON text "", which servers have refused since 2024."""
    if world.options.renew_text_body == "accept" and (not visit.call.body or parse_json(visit.call.body) == ""):
        return Members({})
    return Members.parse(visit.call.body)


def renewed(world: World, admin: Admin, order: Order, members: Members) -> Order:
    """Order the successor of a certificate, with its parameters and the longest term of today.

    Raises:
        RefusedError: -180 the profile forbids it, -130 not issued, or any refusal of enroll.
    """
    csr_text = members.text("csr", shortest=1)
    if csr_text is not None:
        check_text(csr_text)
    elif world.options.renew_without_csr == "refuse":
        raise RefusedError(-1001, "csr")
    profile = world.profile(order.profile_id, order.org_id)
    if not profile.renewable:
        raise RefusedError(-180)
    if order.status not in _RENEWABLE:
        raise RefusedError(-130, order.status)
    form = Form(
        org_id=order.org_id,
        csr_text=csr_text or order.csr_pem,
        profile_id=order.profile_id,
        term=max(terms_of(profile, world.options, world.now)),
        sans=order.sans,
        external_requester=order.external_requester,
        comments=order.comments,
        custom_fields=order.custom_fields,
        dcv_mode=members.choice("dcvMode", DCV_MODES),
        dcv_email=members.emails("dcvEmail"),
        renew_id=order.renew_id if world.options.renew_id_of_successor == "same" else None,
    )
    successor = orders.place(world, admin, checked(world, admin, form))
    _link(world, order, successor.ssl_id)
    return successor


def _link(world: World, order: Order, successor: int | None) -> None:
    order.renewed = True
    order.renewed_date = world.now
    order.successor = successor


def mark_renewed(world: World, visit: Visit) -> Response:
    """Note in the books that a certificate was renewed, and by which order; the CA is not asked."""
    order = order_of(world, visit)
    members = Members.parse(visit.call.body)
    successor_id = members.integer("id", lowest=1)
    number = members.text("orderNumber", longest=255)
    if successor_id is not None:
        successor = world.state.orders.get(successor_id)
        if successor is None or not sees(visit.admin, successor.org_id):
            raise RefusedError(-124, successor_id)
    elif number is not None:
        successor_id = _by_order_number(world, number)
    if order.status not in _RENEWABLE:
        raise RefusedError(-130, order.status)
    _link(world, order, successor_id)
    world.record(visit.admin.login, "marked renewed", order)
    return no_content()


def _by_order_number(world: World, number: str) -> int:
    for order in world.state.orders.values():
        if order.order_number is not None and str(order.order_number) == number:
            return order.ssl_id
    raise RefusedError(-1104, number)


def replace(world: World, visit: Visit) -> Response:
    """Order a new certificate under the same id. The term is what remains of the old one."""
    order = order_of(world, visit)
    members = Members.parse(visit.call.body)
    csr_text = check_text(members.required_text("csr"))
    members.required_text("reason", longest=512)
    common_name = members.text("commonName", shortest=1, longest=64)
    asked = members.texts("subjectAlternativeNames")
    if order.status is not Status.ISSUED:
        raise RefusedError(-130, order.status)
    profile = world.profile(order.profile_id, order.org_id)
    csr = read_csr(csr_text, profile, world.options)
    name = (common_name or csr.common_name).lower()
    sans = list(order.sans) if asked is None else [part.strip().lower() for part in asked]
    listed = names.all_names(name, sans)
    names.check_shape(listed, profile)
    if profile.kind != "PRIVATE":
        names.check_validated(world, names.check_domains(world, listed, order.org_id))
    orders.replace(world, order, visit.admin, csr, sans, name)
    return no_content()


def _auto_renew(world: World, payload: Payload) -> None:
    """Renew as SCM does by itself: with the old CSR."""
    order = world.state.orders.get(int(payload["ssl_id"]))
    if order is None or not order.auto_renew or order.renewed or order.serial != payload["serial"]:
        return
    admins = {admin.id: admin for admin in world.state.admins.values()}
    try:
        renewed(world, admins[order.requester_id], order, Members({}))
    except RefusedError as refusal:
        world.record("Sectigo", "automatic renewal failed", order, refusal.description)
