"""Domain control validation ahead of orders."""

from datetime import datetime, timedelta
from functools import partial

from starlette.responses import Response

from reconciler.sandbox.clock import Payload
from reconciler.sandbox.scm.answers import json_answer
from reconciler.sandbox.scm.dates import iso_day, iso_instant
from reconciler.sandbox.scm.errors import RefusedError
from reconciler.sandbox.scm.fields import Members, query_integer
from reconciler.sandbox.scm.names import domain_of, spelt
from reconciler.sandbox.scm.state import Domain, DomainOrder
from reconciler.sandbox.scm.terms import validation_end, validation_status
from reconciler.sandbox.scm.world import Visit, World

CHECK = "scm.domain.check_dcv"
_MODES = {"cname": "CNAME", "http": "HTTP", "https": "HTTPS", "txt": "TXT", "email": "EMAIL"}
_MOST_DAYS = 36500
_RECHECK = timedelta(hours=1)
_MAILBOXES = ("admin", "administrator", "hostmaster", "postmaster", "webmaster")
_STATUSES = ("NOT_VALIDATED", "VALIDATED", "EXPIRED")
_ORDER_STATUSES = ("NOT_INITIATED", "AWAITING_SUBMISSION", "SUBMITTED", "REJECTED")


def register(world: World) -> None:
    world.clock.on(CHECK, partial(_check_due, world))


def list_dcv(world: World, visit: Visit) -> Response:
    query = visit.call.query
    found = [domain for domain in world.state.domains.values() if _fits(world, domain, visit)]
    position, size = query_integer(query, "position") or 0, query_integer(query, "size") or 200
    rows = [_list_row(world, domain) for domain in found[position : position + min(size, 200)]]
    return json_answer(rows, headers={"X-Total-Count": str(len(found))})


def _fits(world: World, domain: Domain, visit: Visit) -> bool:
    query = visit.call.query
    status = _status_filter(query.get("dcvStatus"), "dcvStatus", _STATUSES)
    order_status = _status_filter(query.get("orderStatus"), "orderStatus", _ORDER_STATUSES)
    expires_in = query_integer(query, "expiresIn")
    organizations = {query_integer(query, "org", lowest=1), query_integer(query, "department", lowest=1)} - {None}
    return (
        query.get("domain", "").lower() in domain.name
        and status in (None, validation_status(domain, world.now))
        and order_status in (None, _order_status(domain))
        and (expires_in is None or _expires_within(domain, world.now, timedelta(days=min(expires_in, _MOST_DAYS))))
        and organizations <= {delegation.org_id for delegation in domain.delegations}
    )


def _status_filter(text: str | None, name: str, known: tuple[str, ...]) -> str | None:
    if not text:
        return None
    status = text.replace(" ", "_").upper()
    if status not in known:
        raise RefusedError(-1601, name)
    return status


def _expires_within(domain: Domain, now: datetime, span: timedelta) -> bool:
    return domain.expires_at is not None and timedelta(0) <= domain.expires_at - now <= span


def _order_status(domain: Domain) -> str:
    return "NOT_INITIATED" if domain.order is None else domain.order.status


def _list_row(world: World, domain: Domain) -> dict[str, object]:
    return {
        "domain": domain.name,
        "dcvStatus": spelt(validation_status(domain, world.now), world.options),
        "dcvMethod": domain.method,
        "dcvOrderStatus": spelt(_order_status(domain), world.options),
        "dcvOrderMethod": domain.order.mode if domain.order else domain.method,
        "expirationDate": iso_day(domain.expires_at),
    }


def get_dcv_status(world: World, visit: Visit) -> Response:
    return json_answer(_status(world, _named(world, Members.parse(visit.call.body))))


def _status(world: World, domain: Domain) -> dict[str, object]:
    order = domain.order
    shown: dict[str, object] = {
        "status": spelt(validation_status(domain, world.now), world.options),
        "validationDate": iso_day(domain.validated_at),
        "expirationDate": iso_day(domain.expires_at),
        "orderStatus": spelt(_order_status(domain), world.options),
    }
    if order is None:
        return shown
    return {
        **shown,
        "orderMode": order.mode,
        "host": order.host,
        "point": order.point,
        "url": order.url,
        "firstLine": order.first_line,
        "secondLine": order.second_line,
        "validationEmail": order.email,
        "orderBackendId": order.backend_id,
        "submittedDate": iso_day(order.submitted),
        "lastCheck": iso_instant(order.last_check),
        "nextCheck": iso_instant(order.next_check),
    }


def start_dcv(world: World, visit: Visit) -> Response:
    """Begin a validation by CNAME, HTTP or HTTPS: answer what the customer has to publish."""
    mode = _mode(visit, ("cname", "http", "https"))
    domain = _named(world, Members.parse(visit.call.body))
    order = DomainOrder(status="AWAITING_SUBMISSION", mode=mode)
    domain.order = order
    if mode == "CNAME":
        order.host = f"_{world.ids.hex('scm.dcv.host', 32)}.{domain.name}."
        order.point = _point(world)
        return json_answer({"host": order.host, "point": order.point})
    token = world.ids.hex("scm.dcv.file", 32).upper()
    order.url = f"{mode.lower()}://{domain.name}/.well-known/pki-validation/{token}.txt"
    order.first_line, order.second_line = world.ids.hex("scm.dcv.line", 64), "sectigo.com"
    return json_answer({"url": order.url, "firstLine": order.first_line, "secondLine": order.second_line})


def _point(world: World) -> str:
    return f"{world.ids.hex('scm.dcv.point', 32)}.{world.ids.hex('scm.dcv.point', 32)}.sectigo.com."


def start_email_dcv(world: World, visit: Visit) -> Response:
    """Begin a validation by e-mail: answer the addresses the CA would write to."""
    domains = _several(world, Members.parse(visit.call.body))
    for domain in domains:
        domain.order = DomainOrder(status="AWAITING_SUBMISSION", mode="EMAIL")
    rows = [
        {"domainName": domain.name, "whoisEmails": [], "adminEmails": _mailboxes(domain), "dnsTxtEmails": []}
        for domain in domains
    ]
    return json_answer({"emails": sorted({mail for d in domains for mail in _mailboxes(d)}), "dcvEmails": rows})


def _mailboxes(domain: Domain) -> list[str]:
    return [f"{mailbox}@{domain.name}" for mailbox in _MAILBOXES]


def submit_dcv(world: World, visit: Visit) -> Response:
    """Say that the values are published; the CA looks for them a little later."""
    mode = _mode(visit, ("cname", "http", "https"))
    domain = _named(world, Members.parse(visit.call.body))
    order = domain.order
    if order is None or order.mode != mode or order.status not in ("AWAITING_SUBMISSION", "REJECTED"):
        raise RefusedError(-724, domain.name, _order_status(domain))
    return json_answer(_submit(world, domain, order))


def submit_txt_dcv(world: World, visit: Visit) -> Response:
    """Begin and submit at once: TXT has no start."""
    domain = _named(world, Members.parse(visit.call.body))
    order = DomainOrder(status="AWAITING_SUBMISSION", mode="TXT")
    order.host, order.point = f"_pki-validation.{domain.name}.", world.ids.hex("scm.dcv.txt", 64)
    domain.order = order
    return json_answer({**_submit(world, domain, order), "host": order.host, "point": order.point})


def submit_email_dcv(world: World, visit: Visit) -> Response:
    """Have the CA write to an address, for one domain or several."""
    members = Members.parse(visit.call.body)
    email = members.required_text("email", longest=255)
    domains = _several(world, members)
    if any(email not in _mailboxes(domain) for domain in domains):
        raise RefusedError(-1601, "email")
    answer: dict[str, object] = {}
    for domain in domains:
        domain.order = DomainOrder(status="AWAITING_SUBMISSION", mode="EMAIL", email=email)
        answer = _submit(world, domain, domain.order)
    return json_answer({**answer, "emailValidationReferenceNumber": world.ids.next("scm.dcv.email", first=1)})


def _submit(world: World, domain: Domain, order: DomainOrder) -> dict[str, object]:
    order.status = "SUBMITTED"
    order.backend_id = str(world.ids.next("scm.dcv.backend", first=100500))
    order.submitted = world.now
    _plan_check(world, domain, order, timedelta(seconds=world.options.dcv_check_s))
    return {
        "status": spelt(validation_status(domain, world.now), world.options),
        "orderStatus": spelt(order.status, world.options),
        "message": "Submitted successfully",
        "orderBackendId": order.backend_id,
    }


def _plan_check(world: World, domain: Domain, order: DomainOrder, delay: timedelta) -> None:
    order.next_check = world.now + delay
    world.clock.after(delay, CHECK, domain_id=domain.id, backend_id=order.backend_id or "")


def _check_due(world: World, payload: Payload) -> None:
    domain = world.state.domains.get(int(payload["domain_id"]))
    if domain is not None and domain.order is not None and domain.order.backend_id == payload["backend_id"]:
        _check(world, domain, domain.order)


def _check(world: World, domain: Domain, order: DomainOrder) -> None:
    order.last_check = world.now
    if domain.answers:
        validate(world, domain, order.mode)
    else:
        _plan_check(world, domain, order, _RECHECK)


def validate(world: World, domain: Domain, method: str) -> None:
    """Make a domain validated now, for as long as the rule of the day lets it be reused."""
    domain.validated_at = world.now
    domain.expires_at = validation_end(world.now, world.now)
    domain.method = method
    domain.order = None


def sync_dcv(world: World, visit: Visit) -> Response:
    """Ask the CA for its view at once."""
    domain = _named(world, Members.parse(visit.call.body))
    if domain.order is not None and domain.order.status == "SUBMITTED" and domain.answers:
        _check(world, domain, domain.order)
    return json_answer(_status(world, domain))


def clear_dcv(world: World, visit: Visit) -> Response:
    domain = _named(world, Members.parse(visit.call.body))
    domain.order = None
    shown = _status(world, domain)
    return json_answer({"status": shown["status"], "orderStatus": shown["orderStatus"], "message": "DCV is cleared"})


def delete_dcv(world: World, visit: Visit) -> Response:
    """Forget that a domain was ever validated."""
    domain = _named(world, Members.parse(visit.call.body))
    domain.order = domain.validated_at = domain.expires_at = domain.method = None
    return Response()


def _mode(visit: Visit, taken: tuple[str, ...]) -> str:
    mode = str(visit.call.path["mode"])
    if mode not in taken:
        raise RefusedError(-1601, "dcvMode")
    return _MODES[mode]


def _several(world: World, members: Members) -> list[Domain]:
    listed = members.texts("domains")
    if listed is None:
        return [_named(world, members)]
    return [_find(world, name) for name in listed]


def _named(world: World, members: Members) -> Domain:
    return _find(world, members.required_text("domain", shortest=3, longest=255))


def _find(world: World, text: str) -> Domain:
    name = text.lower()
    for domain in world.state.domains.values():
        if domain.name == name:
            return domain
    if domain_of(world.state, name) is not None:
        raise RefusedError(-723, name)
    raise RefusedError(-727, name, status=404)
