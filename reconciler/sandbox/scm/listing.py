"""List and count of orders: filters, paging, and the delay until a new order shows."""

import random
from collections.abc import Callable, Iterable, Mapping

from starlette.responses import Response

from reconciler.sandbox.scm.answers import json_answer
from reconciler.sandbox.scm.errors import RefusedError
from reconciler.sandbox.scm.fields import query_integer
from reconciler.sandbox.scm.leaf import Leaf, colons, normal_serial, read_leaf
from reconciler.sandbox.scm.names import all_names
from reconciler.sandbox.scm.orders import FIRST_SSL_ID
from reconciler.sandbox.scm.state import Order, Status
from reconciler.sandbox.scm.world import Visit, World, sees

_MOST_ROWS = 200
_NOISE_ADMIN = 0
_REQUESTED_VIA = (
    ("WEB_FORM", "Enrollment Form"),
    ("CLIENT_ADMIN", "Client Admin"),
    ("API", "Web API"),
    ("DISCOVERY", "Discovery"),
    ("IMPORTED", "Imported"),
    ("SCEP", "SCEP"),
    ("CD_AGENT", "CD Agent"),
    ("MS_AGENT", "MS Agent"),
    ("MS_CA", "MS CA"),
    ("BULK_REQUEST", "Bulk Request"),
    ("ACME", "ACME"),
    ("EST", "EST"),
    ("REST", "REST API"),
)
_INSTALL_STATES = (
    ("NONE", "Not configured"),
    ("NOT_STARTED", "Not started"),
    ("KEY_PROCESSING", "Key processing"),
    ("KEY_READY", "Key and CSR ready"),
    ("CERT_PROCESSING", "Certificate processing"),
    ("SCHEDULED", "Installation scheduled"),
    ("INSTALLING", "Installation processing"),
    ("ACTION_REQUIRED", "Action required"),
    ("READY_FOR_INSTALL", "Ready for install"),
    ("NEED_SERVER_RESTART", "Server restart required"),
    ("COMPLETED", "Completed"),
    ("INVALID", "Invalid configuration"),
)
_RENEWAL_STATES = (
    ("NOT_SCHEDULED", "Not scheduled"),
    ("SCHEDULED", "Scheduled"),
    ("STARTED", "Started"),
    ("SUCCESSFUL", "Successful"),
    ("FAILED", "Failed"),
)

Match = Callable[[Order], bool]


class NoMatchError(Exception):
    """A filter that nothing fits, as a value outside its enum under `bad_filter=empty`."""


def list_orders(world: World, visit: Visit) -> Response:
    size, position = _page(world, visit.call.query)
    orders = _found(world, visit)
    rows = [_row(world, order) for order in orders[position : position + size]]
    _add_noise(world)
    return json_answer(rows, headers={"X-Total-Count": str(len(orders))})


def count_orders(world: World, visit: Visit) -> Response:
    return Response(headers={"X-Total-Count": str(len(_found(world, visit)))}, media_type="application/json")


def visible_orders(world: World, visit: Visit) -> list[Order]:
    """Return the orders that bulk reads of this admin know of, by id."""
    orders = world.state.orders.values()
    return sorted(
        (order for order in orders if order.visible_at <= world.now and sees(visit.admin, order.org_id)),
        key=lambda order: order.ssl_id,
    )


def leaf_of(order: Order) -> Leaf | None:
    return read_leaf(order.leaf_pem) if order.leaf_pem else None


def shown_serial(world: World, serial: str) -> str | None:
    """Return a serial number as details and list write it."""
    if not serial:
        return None
    return colons(serial) if world.options.serials == "colons" else serial


def _page(world: World, query: Mapping[str, str]) -> tuple[int, int]:
    size = query_integer(query, "size") or world.options.list_default_size
    if size > _MOST_ROWS and world.options.list_over_size == "refuse":
        raise RefusedError(-1601, "size")
    return min(size, _MOST_ROWS), query_integer(query, "position") or 0


def _row(world: World, order: Order) -> dict[str, object]:
    leaf = leaf_of(order)
    return {
        "sslId": order.ssl_id,
        "commonName": order.common_name,
        "subjectAlternativeNames": None if leaf is None else list(leaf.sans),
        "serialNumber": shown_serial(world, order.serial),
    }


def _found(world: World, visit: Visit) -> list[Order]:
    try:
        matches = list(_matches(world, visit.call.query))
    except NoMatchError:
        return []
    orders = [order for order in visible_orders(world, visit) if all(match(order) for match in matches)]
    match world.options.list_order:
        case "descending":
            orders.reverse()
        case "shuffle":
            random.Random(world.ids.next("scm.shuffle", first=1)).shuffle(orders)  # noqa: S311 - repeatable on purpose
        case "ascending":
            pass
    return orders


def _matches(world: World, query: Mapping[str, str]) -> Iterable[Match]:
    """Yield what an order must fulfil, one condition for each filter given. Unknown parameters are ignored."""
    for name, text in query.items():
        if not text:
            continue
        if name in _TEXTS:
            yield _by_text(world, _TEXTS[name], text)
        elif name in _EXACT:
            yield _by_exact(_EXACT[name], text)
        elif name in _NUMBERS:
            yield _by_number(_NUMBERS[name], query_integer(query, name))
        elif name in _ENUMS:
            yield from _by_enum(world, name, text)


_TEXTS: Mapping[str, Callable[[Order], Iterable[str]]] = {
    "commonName": lambda order: [order.common_name],
    "subjectAlternativeName": lambda order: all_names(order.common_name, order.sans),
    "issuer": lambda order: [leaf.issuer] if (leaf := leaf_of(order)) else [],
    "vendor": lambda _order: ["Sectigo Limited"],
    "requester": lambda order: [order.requester],
    "externalRequester": lambda order: [order.external_requester],
    "keyUsage": lambda order: leaf.key_usages if (leaf := leaf_of(order)) else [],
    "extendedKeyUsage": lambda order: leaf.extended_key_usages if (leaf := leaf_of(order)) else [],
}
_EXACT: Mapping[str, Callable[[Order], str]] = {
    "serialNumber": lambda order: normal_serial(order.serial),
    "sha1Hash": lambda order: leaf.sha1 if (leaf := leaf_of(order)) else "",
    "sha256Hash": lambda order: leaf.sha256 if (leaf := leaf_of(order)) else "",
    "md5Hash": lambda order: leaf.md5 if (leaf := leaf_of(order)) else "",
    "signatureAlgorithm": lambda order: leaf.signature_algorithm if (leaf := leaf_of(order)) else "",
    "keyAlgorithm": lambda order: leaf.key_algorithm if (leaf := leaf_of(order)) else "",
    "keyParam": lambda order: leaf.key_param.upper() if (leaf := leaf_of(order)) else "",
}
_NUMBERS: Mapping[str, Callable[[Order], int]] = {
    "sslTypeId": lambda order: order.profile_id,
    "orgId": lambda order: order.org_id,
    "keySize": lambda order: leaf.key_bits if (leaf := leaf_of(order)) else 0,
}
_STATUS_NAMES = {status.replace(" ", "").casefold(): status.value for status in Status}


def _by_text(world: World, texts: Callable[[Order], Iterable[str]], wanted: str) -> Match:
    folded = wanted.casefold()
    if world.options.list_match == "exact":
        return lambda order: any(text.casefold() == folded for text in texts(order))
    return lambda order: any(folded in text.casefold() for text in texts(order))


def _by_exact(text: Callable[[Order], str], wanted: str) -> Match:
    normal = normal_serial(wanted)
    return lambda order: text(order).lstrip("0") == normal


def _by_number(number: Callable[[Order], int], wanted: int | None) -> Match:
    return lambda order: number(order) == wanted


def _no_installation(_order: Order) -> str:
    """Return the installation state of an order: SCM's agents install nothing here."""
    return "Not configured"


def _renewal_state(order: Order) -> str:
    return "Scheduled" if order.auto_renew else "Not scheduled"


def _discovery_state(_order: Order) -> str:
    return "NotDeployed"


def _both(spellings: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return the present spelling for both, the one of the header API and the one of the admin API."""
    return {key.casefold(): shown for old, shown in spellings for key in (old, shown)}


_ENUMS: Mapping[str, tuple[Mapping[str, str], Callable[[Order], str]]] = {
    "status": ({**_STATUS_NAMES, "unmanaged": "Unmanaged"}, lambda order: order.status),
    "installStatus": (_both(_INSTALL_STATES), _no_installation),
    "renewalStatus": (_both(_RENEWAL_STATES), _renewal_state),
    "discoveryStatus": ({"notdeployed": "NotDeployed", "deployed": "Deployed"}, _discovery_state),
    "requestedVia": (
        _both(_REQUESTED_VIA),
        lambda order: "Web API" if order.requested_via == "API" else order.requested_via,
    ),
}


def _by_enum(world: World, name: str, text: str) -> Iterable[Match]:
    choices, value = _ENUMS[name]
    wanted = choices.get(text.replace(" ", "").casefold() if name == "status" else text.casefold())
    if wanted is not None:
        yield lambda order: value(order) == wanted
    elif world.options.bad_filter == "refuse":
        raise RefusedError(-1601, name)
    elif world.options.bad_filter == "empty":
        raise NoMatchError


def _add_noise(world: World) -> None:
    """Let foreign orders arrive between two pages, as happens under load."""
    for _ in range(world.options.rows_between_pages):
        ssl_id = world.ids.next("scm.ssl_id", first=FIRST_SSL_ID)
        world.state.orders[ssl_id] = Order(
            ssl_id=ssl_id,
            renew_id=world.ids.text("scm.renew_id", 20),
            org_id=min(world.state.organizations),
            profile_id=min(world.state.profiles),
            csr_pem="",
            common_name=f"other-{ssl_id}.example.com",
            sans=[],
            term=199,
            requester="somebody.else@example.com",
            requester_id=_NOISE_ADMIN,
            requested_via="Enrollment Form",
            requested=world.now,
            visible_at=world.now,
            status=Status.REQUESTED,
        )
