"""Domain control validation of one order: what to publish, what the CA found, and looking again."""

from starlette.responses import Response

from reconciler.sandbox.scm.answers import json_answer
from reconciler.sandbox.scm.dates import log_instant
from reconciler.sandbox.scm.orders import check_dcv
from reconciler.sandbox.scm.state import Domain, Order, OrderDcv
from reconciler.sandbox.scm.terms import validation_status
from reconciler.sandbox.scm.world import Visit, World, order_of


def new_entry(world: World, domain: Domain, mode: str, email: str | None) -> OrderDcv:
    """Return the validation of one domain for an order; one that SCM knows to be valid has passed already."""
    known = validation_status(domain, world.now) == "VALIDATED"
    ids = world.ids
    return OrderDcv(
        domain=domain.name,
        mode="CNAME" if mode == "AUTO" else mode,
        email=email,
        host=f"_{ids.hex('scm.dcv.host', 32).upper()}.{domain.name}.",
        point=f"{ids.hex('scm.dcv.point', 32).upper()}.{ids.hex('scm.dcv.point', 32).upper()}.sectigo.com.",
        passed_at=world.now if known else None,
    )


def get_order_dcv(world: World, visit: Visit) -> Response:
    return _shown(world, order_of(world, visit, read=True), status=200)


def recheck_order_dcv(world: World, visit: Visit) -> Response:
    """Have the CA look again at once."""
    order = order_of(world, visit, read=True)
    if any(entry.passed_at is None for entry in order.dcv):
        order.turn += 1  # the planned check is replaced by this one
        check_dcv(world, order)
    return _shown(world, order, status=202)


def _shown(world: World, order: Order, *, status: int) -> Response:
    value: object = {
        "dcvLog": {"error": {"code": 0, "description": None}, "log": [_log_row(entry) for entry in order.dcv]},
        "instructions": [_instruction(entry) for entry in order.dcv if entry.passed_at is None],
    }
    # The vendor's sample writes nulls here, other than everywhere else.
    return json_answer([value] if world.options.order_dcv_shape == "array" else value, status=status, nulls=True)


def _log_row(entry: OrderDcv) -> dict[str, object]:
    return {
        "dcvStatus": "Awaiting Validation" if entry.passed_at is None else "Validated",
        "domainName": entry.domain,
        "lastCheck": log_instant(entry.last_check),
        "nextCheck": log_instant(entry.next_check),
        "dcvDate": log_instant(entry.passed_at),
        "dcvEmailRefNumber": 1 if entry.mode == "EMAIL" else None,
    }


def _instruction(entry: OrderDcv) -> dict[str, object]:
    base: dict[str, object] = {"domainName": entry.domain, "dcvMode": entry.mode}
    match entry.mode:
        case "CNAME" | "TXT":
            return {**base, "host": entry.host, "point": entry.point}
        case "EMAIL":
            return {**base, "dcvEmail": entry.email}
        case _:
            token = entry.host.split(".")[0].removeprefix("_")
            scheme = entry.mode.lower()
            return {
                **base,
                "url": f"{scheme}://{entry.domain}/.well-known/pki-validation/{token}.txt",
                "file": f"{entry.point.removesuffix('.sectigo.com.').replace('.', '')}\nsectigo.com",
            }
