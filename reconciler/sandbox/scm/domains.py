"""The customer's domains and to whom they are delegated."""

from collections.abc import Iterable

from starlette.responses import Response

from reconciler.sandbox.scm.answers import created, json_answer, no_content
from reconciler.sandbox.scm.dates import iso_day
from reconciler.sandbox.scm.defaults import DOMAIN_PRIVILEGES
from reconciler.sandbox.scm.errors import RefusedError
from reconciler.sandbox.scm.fields import Members, query_integer
from reconciler.sandbox.scm.names import all_names, domain_of, spelt
from reconciler.sandbox.scm.state import Admin, Delegation, Domain, Status
from reconciler.sandbox.scm.terms import validation_status
from reconciler.sandbox.scm.world import Visit, World, sees

CERT_TYPES = ("SSL", "SMIME", "CodeSign")
_METHODS = {
    "CNAME": "CNAME_CSR_HASH",
    "HTTP": "HTTP_CSR_HASH",
    "HTTPS": "HTTPS_CSR_HASH",
    "EMAIL": "EMAIL",
    "TXT": "DNSTXT_RANDOM_VALUE",
}
_FIRST_DOMAIN = 409
_MOST_BULK = 1000


def list_domains(world: World, visit: Visit) -> Response:
    found = _found(world, visit)
    position = query_integer(visit.call.query, "position") or 0
    size = query_integer(visit.call.query, "size") or 200
    rows = [{"id": domain.id, "name": domain.name} for domain in found[position : position + size]]
    return json_answer(rows, headers={"X-Total-Count": str(len(found))})


def count_domains(world: World, visit: Visit) -> Response:
    return json_answer({"count": len(_found(world, visit))})


def _found(world: World, visit: Visit) -> list[Domain]:
    query = visit.call.query
    name, state, status = query.get("name", "").lower(), query.get("state"), query.get("status")
    org_id = query_integer(query, "orgId", lowest=1)
    if state not in (None, "", "active", "inactive"):
        raise RefusedError(-1601, "state")
    if status not in (None, "", "requested", "approved"):
        raise RefusedError(-1601, "status")
    return [
        domain
        for domain in world.state.domains.values()
        if seen(visit.admin, domain)
        and name in domain.name
        and (not state or domain.active == (state == "active"))
        and (not status or (_delegation_status(domain) == "REQUESTED") == (status == "requested"))
        and (org_id is None or any(delegation.org_id == org_id for delegation in domain.delegations))
    ]


def seen(admin: Admin, domain: Domain) -> bool:
    """Tell whether an admin may see a domain: all of them, or those delegated to its organizations."""
    return not admin.organizations or any(sees(admin, delegation.org_id) for delegation in domain.delegations)


def _delegation_status(domain: Domain) -> str:
    active = any(delegation.status == "ACTIVE" for delegation in domain.delegations)
    return "ACTIVE" if active else "REQUESTED"


def get_domain(world: World, visit: Visit) -> Response:
    domain = _named(world, visit)
    return json_answer(
        {
            "id": domain.id,
            "name": domain.name,
            "description": domain.description,
            "delegationStatus": _delegation_status(domain),
            "state": "ACTIVE" if domain.active else "SUSPENDED",
            **(_validation(world, domain) if world.options.pre_validation else {}),
            "delegations": [_delegation_row(delegation) for delegation in domain.delegations],
            "ctLogMonitoring": {"enabled": False, "includeSubdomains": False},
        }
    )


def _validation(world: World, domain: Domain) -> dict[str, object]:
    return {
        "validationStatus": spelt(validation_status(domain, world.now), world.options),
        "validationMethod": _METHODS.get(domain.method or ""),
        "dcvValidation": iso_day(domain.validated_at),
        "dcvExpiration": iso_day(domain.expires_at),
    }


def _delegation_row(delegation: Delegation) -> dict[str, object]:
    return {
        "orgId": delegation.org_id,
        "certTypes": delegation.cert_types,
        "domainCertificateRequestPrivileges": delegation.privileges,
        "status": delegation.status,
    }


def create_domain(world: World, visit: Visit) -> Response:
    members = Members.parse(visit.call.body)
    name = members.required_text("name", shortest=4, longest=255).lower().strip(".")
    if "." not in name:
        raise RefusedError(-714, 1)
    if any(domain.name == name for domain in world.state.domains.values()):
        raise RefusedError(-700)
    wanted = members.objects("delegations")
    if not wanted:
        raise RefusedError(-709)
    domain = Domain(
        id=world.ids.next("scm.domain", first=_FIRST_DOMAIN),
        name=name,
        description=members.text("description", longest=255),
        active=members.flag("active") is not False,
        delegations=[_read_delegation(world, visit.admin, entry) for entry in wanted],
    )
    world.state.domains[domain.id] = domain
    return created(f"https://{visit.call.header('host')}{visit.call.target.partition('?')[0]}/{domain.id}")


def _read_delegation(world: World, admin: Admin, members: Members) -> Delegation:
    organization = world.organization(members.required_integer("orgId"), admin)
    return Delegation(
        org_id=organization.id,
        cert_types=_subset(members, "certTypes", CERT_TYPES) or ["SSL"],
        privileges=_subset(members, "domainCertificateRequestPrivileges", DOMAIN_PRIVILEGES) or [*DOMAIN_PRIVILEGES],
    )


def _subset(members: Members, name: str, known: Iterable[str]) -> list[str] | None:
    values = members.texts(name)
    if values is not None and not set(values) <= set(known):
        raise RefusedError(-1601, name)
    return values


def delete_domain(world: World, visit: Visit) -> Response:
    domain = _named(world, visit)
    issued = (order for order in world.state.orders.values() if order.status is Status.ISSUED)
    names = {name for order in issued for name in all_names(order.common_name, order.sans)}
    if any(domain_of(world.state, name) is domain for name in names):
        raise RefusedError(-740)
    del world.state.domains[domain.id]
    return no_content()


def activate_domain(world: World, visit: Visit) -> Response:
    _named(world, visit).active = True
    return Response()


def suspend_domain(world: World, visit: Visit) -> Response:
    _named(world, visit).active = False
    return Response()


def delegate_domain(world: World, visit: Visit) -> Response:
    _delegate(_named(world, visit), _read_delegation(world, visit.admin, Members.parse(visit.call.body)))
    return Response()


def delegate_domains(world: World, visit: Visit) -> Response:
    """Delegate many domains to one organization, all or none."""
    members = Members.parse(visit.call.body)
    numbers = members.values.get("domainIds")
    if not isinstance(numbers, list) or not 1 <= len(numbers) <= _MOST_BULK:
        raise RefusedError(-1601, "domainIds")
    domains = [_domain(world, visit.admin, number) for number in numbers]
    for domain in domains:
        _delegate(domain, _read_delegation(world, visit.admin, members))
    return Response()


def _delegate(domain: Domain, delegation: Delegation) -> None:
    kept = [present for present in domain.delegations if present.org_id != delegation.org_id]
    domain.delegations = [*kept, delegation]


def remove_delegation(world: World, visit: Visit) -> Response:
    domain = _named(world, visit)
    delegation = _delegation(domain, visit)
    if len(domain.delegations) == 1:
        raise RefusedError(-709)
    domain.delegations.remove(delegation)
    return Response()


def approve_delegation(world: World, visit: Visit) -> Response:
    _requested(_named(world, visit), visit).status = "ACTIVE"
    return Response()


def reject_delegation(world: World, visit: Visit) -> Response:
    domain = _named(world, visit)
    domain.delegations.remove(_requested(domain, visit))
    return Response()


def _requested(domain: Domain, visit: Visit) -> Delegation:
    delegation = _delegation(domain, visit)
    if delegation.status != "REQUESTED":
        raise RefusedError(-705)
    return delegation


def _delegation(domain: Domain, visit: Visit) -> Delegation:
    org_id = Members.parse(visit.call.body).required_integer("orgId")
    for delegation in domain.delegations:
        if delegation.org_id == org_id:
            return delegation
    raise RefusedError(-1023, org_id)


def _named(world: World, visit: Visit) -> Domain:
    return _domain(world, visit.admin, visit.call.path["domain_id"])


def _domain(world: World, admin: Admin, number: object) -> Domain:
    domain = world.state.domains.get(number) if isinstance(number, int) else None
    if domain is None or not seen(admin, domain):
        raise RefusedError(-727, number, status=404)
    return domain
