"""Revoke by id, by serial number, and in the books only."""

import re
from collections.abc import Mapping

from starlette.responses import Response

from reconciler.sandbox.scm import orders
from reconciler.sandbox.scm.answers import no_content
from reconciler.sandbox.scm.dates import read_instant
from reconciler.sandbox.scm.errors import RefusedError
from reconciler.sandbox.scm.fields import Members
from reconciler.sandbox.scm.leaf import normal_serial
from reconciler.sandbox.scm.listing import leaf_of
from reconciler.sandbox.scm.state import Order
from reconciler.sandbox.scm.world import Visit, World, order_of, sees

_REASONS: Mapping[str, int] = {
    "unspecified": 0,
    "keycompromise": 1,
    "affiliationchanged": 3,
    "superseded": 4,
    "cessationofoperation": 5,
}


def revoke(world: World, visit: Visit) -> Response:
    order = order_of(world, visit)
    _revoke(world, visit, order)
    return no_content()


def revoke_by_serial(world: World, visit: Visit) -> Response:
    _revoke(world, visit, _by_serial(world, visit, str(visit.call.path["serial"])))
    return no_content()


def _revoke(world: World, visit: Visit, order: Order) -> None:
    members = Members.parse(visit.call.body)
    reason = members.required_text("reason", longest=512)
    orders.revoke(world, order, visit.admin.login, _reason_code(members), reason)


def mark_revoked(world: World, visit: Visit) -> Response:
    """Note a revocation in the books, for example one of a CA that SCM does not speak to."""
    members = Members.parse(visit.call.body)
    order = _named(world, visit, members)
    date = members.text("revokeDate")
    revoked = world.now if date is None else read_instant(date, "revokeDate")
    orders.revoke(world, order, visit.admin.login, _reason_code(members), "in the books only")
    order.revoked = revoked
    return no_content()


def _named(world: World, visit: Visit, members: Members) -> Order:
    ssl_id, serial = members.integer("certId", lowest=1), members.text("serialNumber", longest=128)
    if ssl_id is not None:
        order = world.state.orders.get(ssl_id)
        if order is None or not sees(visit.admin, order.org_id):
            raise RefusedError(-124, ssl_id)
        return order
    if not serial:
        raise RefusedError(-951, "certId, serialNumber")
    order, issuer = _by_serial(world, visit, serial), members.text("issuer")
    leaf = leaf_of(order)
    if issuer and leaf is not None and leaf.issuer != issuer:
        raise RefusedError(-166)
    return order


def _by_serial(world: World, visit: Visit, serial: str) -> Order:
    wanted = normal_serial(serial)
    for order in world.state.orders.values():
        if order.serial and normal_serial(order.serial) == wanted and sees(visit.admin, order.org_id):
            return order
    raise RefusedError(-166)


def _reason_code(members: Members) -> int:
    """Return the reason as a number, which some clients send as a text, by name, or not at all."""
    text = members.text("reasonCode")
    if text is None:
        return 0
    code = (
        int(text)
        if re.fullmatch("[0-9]{1,9}", text)
        else _REASONS.get(text.replace("_", "").replace(" ", "").casefold())
    )
    if code is None or code not in _REASONS.values():
        raise RefusedError(-1601, "reasonCode")
    return code
