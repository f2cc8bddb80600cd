"""Where a certificate is installed, as far as somebody noted it."""

from starlette.responses import Response

from reconciler.sandbox.scm.answers import created, json_answer, no_content
from reconciler.sandbox.scm.errors import RefusedError
from reconciler.sandbox.scm.fields import Members
from reconciler.sandbox.scm.state import Location, Order
from reconciler.sandbox.scm.world import Visit, World, order_of


def list_locations(world: World, visit: Visit) -> Response:
    order = order_of(world, visit, read=True)
    return json_answer([_row(location) for location in order.locations])


def add_location(world: World, visit: Visit) -> Response:
    order = order_of(world, visit, read=True)
    location = Location(id=world.ids.next("scm.location", first=50), details=_details(visit))
    order.locations.append(location)
    path = visit.call.target.partition("?")[0]
    return created(f"https://{visit.call.header('host')}{path}/{location.id}")


def get_location(world: World, visit: Visit) -> Response:
    return json_answer(_row(_named(order_of(world, visit, read=True), visit)))


def update_location(world: World, visit: Visit) -> Response:
    location = _named(order_of(world, visit, read=True), visit)
    location.details = _details(visit)
    return json_answer(_row(location))


def delete_location(world: World, visit: Visit) -> Response:
    order = order_of(world, visit, read=True)
    order.locations.remove(_named(order, visit))
    return no_content()


def _named(order: Order, visit: Visit) -> Location:
    wanted = visit.call.path["location"]
    for location in order.locations:
        if location.id == wanted:
            return location
    raise RefusedError(-5101, f"No location {wanted}.", status=404)


def _details(visit: Visit) -> dict[str, str]:
    details = Members.parse(visit.call.body).object("details")
    if details is None:
        raise RefusedError(-1001, "details")
    return {name: details.text(name) or "" for name in details.values}


def _row(location: Location) -> dict[str, object]:
    return {
        "id": location.id,
        "locationType": location.type,
        "name": location.name,
        "details": location.details,
    }
