"""What SCM needs before an order: the customer's domains, the organization's identity, the login's password."""

import logging
from collections.abc import Callable, Iterable, Mapping
from typing import TypeVar

from reconciler.errors import AuthenticationError, ServiceError
from reconciler.model.domain import (
    Domain,
    OrganizationDetails,
    OrganizationValidation,
    PasswordState,
    covering_domain,
)
from reconciler.model.names import DnsName
from reconciler.model.order import OrganizationId
from reconciler.model.reading import Reading
from reconciler.services.caller import Caller
from reconciler.services.decode import BodyError
from reconciler.services.http import Answer, Request
from reconciler.services.scm import wire_catalog as wire

log = logging.getLogger(__name__)

ORDERING = "sslRequest"  # the privilege, by its name in the API (sectigo-scm 1.2)
_ROLES = ("MRAO", "RAO_SSL", "DRAO_SSL")  # those that have to do with orders
PAGE_ROWS = 200  # the most that SCM gives
_WALKS = 3

Parsed = TypeVar("Parsed")


def read_domains(caller: Caller, names: Iterable[DnsName]) -> Reading[tuple[Domain, ...]]:
    """Return the domains that cover `names`: the list once, then one call for each of them.

    A domain whose own read fails is a problem of the reading, and is not among its values.

    Raises:
        ServiceError: the list can't be read.
    """
    listed, problems = _list(caller)
    ids = {domain: number for number, domain in listed.items()}
    wanted = {covering_domain(name, ids) for name in names} - {None}
    domains: list[Domain] = []
    for name in sorted(filter(None, wanted)):
        try:
            domains.append(_get(caller, f"read domain {name}", f"/domain/v1/{ids[name]}", wire.domain))
        except AuthenticationError:
            raise
        except ServiceError as error:
            problems.append(str(error))
    return Reading(values=tuple(domains), complete=not problems, problems=tuple(problems))


def read_validations(caller: Caller, organization_id: OrganizationId) -> tuple[OrganizationValidation, ...]:
    path = f"/organization/v2/{organization_id}/validations"
    return _get(caller, f"read the validations of organization {organization_id}", path, wire.validations)


def read_details(caller: Caller, organization_id: OrganizationId) -> OrganizationDetails:
    path = f"/organization/v1/{organization_id}"
    return _get(caller, f"read organization {organization_id}", path, wire.organization_details)


def read_password_state(caller: Caller) -> PasswordState:
    return _get(caller, "read the state of the password", "/admin/v1/password", wire.password_state)


def read_may_order(caller: Caller, login: str) -> bool | None:
    """Return whether an admin has the privilege to order; None where SCM does not say.

    Instances that do not know that privilege let the role decide: so its absence counts only where it can be given.

    Raises:
        ServiceError: this admin may not read about admins, for one.
    """
    request = _request("find the admin", "/admin/v1", {"login": login})
    number = caller.call(request, lambda answer: wire.admins(answer.body)).get(login)
    if number is None:
        return None
    admin = _get(caller, "read the admin", f"/admin/v1/{number}", wire.admin)
    if ORDERING in admin.privileges:
        return True
    role = next((role for role in admin.roles if role in _ROLES), None)
    if role is None:
        return None
    request = _request("list the privileges", "/admin/v1/privileges", {"role": role})
    return False if ORDERING in caller.call(request, lambda answer: wire.privileges(answer.body)) else None


def _list(caller: Caller) -> tuple[Mapping[int, DnsName], list[str]]:
    """Walk the list of domains, again while domains come or go meanwhile; return it, and what is wrong with it."""
    rows, totals = _pages(caller)
    for _ in range(_WALKS - 1):
        if totals == {len(rows)}:
            break
        log.info("scm: the list of domains moved during the walk: %d rows of %s", len(rows), totals)
        rows, totals = _pages(caller)
    if totals == {len(rows)}:
        return rows, []
    return rows, [f"scm: the list of domains does not add up: {len(rows)} rows of {max(totals)}."]


def _pages(caller: Caller) -> tuple[dict[int, DnsName], set[int]]:
    rows: dict[int, DnsName] = {}
    totals: set[int] = set()
    position = 0
    while True:
        query = {"size": str(PAGE_ROWS), "position": str(position)}
        total, page = caller.call(_request("list domains", "/domain/v1", query), _page)
        totals.add(total)
        rows.update(page)
        position += len(page)
        if not page or position >= total:
            return rows, totals


def _page(answer: Answer) -> tuple[int, dict[int, DnsName]]:
    text = answer.headers.get("X-Total-Count", "").strip()
    if not (text.isascii() and text.isdigit()):
        raise BodyError(f"no count of domains in X-Total-Count: {text!r}")
    return int(text), wire.domain_rows(answer.body)


def _get(caller: Caller, operation: str, path: str, parse: Callable[[bytes], Parsed]) -> Parsed:
    return caller.call(_request(operation, path), lambda answer: parse(answer.body))


def _request(operation: str, path: str, query: Mapping[str, str] | None = None) -> Request:
    return Request(
        operation=operation, method="GET", path=path, query=query or {}, headers={"Accept": "application/json"}
    )
