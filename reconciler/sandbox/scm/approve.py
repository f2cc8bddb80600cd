"""Approve and decline."""

from starlette.responses import Response

from reconciler.sandbox.scm import orders
from reconciler.sandbox.scm.answers import no_content
from reconciler.sandbox.scm.fields import Members
from reconciler.sandbox.scm.world import Visit, World, order_of


def approve(world: World, visit: Visit) -> Response:
    order = order_of(world, visit)
    orders.approve(world, order, visit.admin, _message(visit))
    return no_content()


def decline(world: World, visit: Visit) -> Response:
    order = order_of(world, visit)
    orders.decline(world, order, visit.admin, _message(visit))
    return no_content()


def _message(visit: Visit) -> str:
    return Members.parse(visit.call.body).required_text("message", longest=512)
