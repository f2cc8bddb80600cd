"""One SCM instance over HTTP, as `ports.Scm` asks for it."""

import logging
from collections.abc import Callable
from typing import TypeVar

from reconciler.errors import AuthenticationError, ServiceError, ServiceRejectedError
from reconciler.model.access import Rights
from reconciler.model.domain import Domain, OrganizationDetails, OrganizationValidation, PasswordState
from reconciler.model.names import DnsName
from reconciler.model.order import Order, OrderRequest, Organization, OrganizationId, PlacedOrder, Profile, SslId
from reconciler.model.reading import Reading
from reconciler.services.caller import Caller
from reconciler.services.decode import encode
from reconciler.services.http import Request
from reconciler.services.scm import catalog, refusals, wire
from reconciler.services.scm.orders import JSON, OrderReader, read_order

log = logging.getLogger(__name__)

Item = TypeVar("Item")
Value = TypeVar("Value")


class ScmClient:
    """Answers for one instance. Bulk reads report what is missing; `submit_order` is made once.

    `by_password` tells whether the login has a password that can expire; `login` is the admin's name, where it is
    known.
    """

    def __init__(
        self,
        caller: Caller,
        *,
        login: str | None = None,
        by_password: bool = True,
        on_close: Callable[[], None] = lambda: None,
    ) -> None:
        self._caller = caller
        self._login = login
        self._by_password = by_password
        self._orders = OrderReader(caller=caller)
        self._on_close = on_close

    def close(self) -> None:
        self._caller.close()
        self._on_close()

    def rights(self) -> Rights:
        if self._login is None:
            return Rights(who="the OAuth client", may_write=None)
        who = f'admin "{self._login}"'
        try:
            return Rights(who=who, may_write=catalog.read_may_order(self._caller, self._login))
        except AuthenticationError:
            raise
        except ServiceError as error:
            log.info("%s", error)
            return Rights(who=who, may_write=None)

    # Bulk reads

    def organizations(self) -> Reading[tuple[Organization, ...]]:
        return self._list("list organizations", "/organization/v1", wire.organizations)

    def profiles(self) -> Reading[tuple[Profile, ...]]:
        return self._list("list certificate profiles", "/ssl/v1/types", wire.profiles)

    def orders(self) -> Reading[tuple[Order, ...]]:
        return _incomplete_on_failure(self._orders.read, ())

    def _list(self, operation: str, path: str, parse: Callable[[bytes], tuple[Item, ...]]) -> Reading[tuple[Item, ...]]:
        request = Request(operation=operation, method="GET", path=path, headers={"Accept": "application/json"})
        return _incomplete_on_failure(
            lambda: Reading(values=self._caller.call(request, lambda answer: parse(answer.body))), ()
        )

    # Reads before an order

    def domains(self, names: frozenset[DnsName]) -> Reading[tuple[Domain, ...]]:
        return _incomplete_on_failure(lambda: catalog.read_domains(self._caller, names), ())

    def validations(self, organization_id: OrganizationId) -> Reading[tuple[OrganizationValidation, ...]]:
        return _incomplete_on_failure(
            lambda: Reading(values=catalog.read_validations(self._caller, organization_id)), ()
        )

    def organization_details(self, organization_id: OrganizationId) -> Reading[OrganizationDetails | None]:
        return _incomplete_on_failure(lambda: Reading(values=catalog.read_details(self._caller, organization_id)), None)

    def password_state(self) -> Reading[PasswordState | None]:
        if not self._by_password:
            return Reading(values=None)
        return _incomplete_on_failure(lambda: Reading(values=catalog.read_password_state(self._caller)), None)

    # Reads of one order

    def order(self, ssl_id: SslId) -> Order | None:
        return read_order(self._caller, ssl_id)

    def collect(self, ssl_id: SslId) -> tuple[str, ...] | None:
        # x509: leaf and chain. Its order is not the same everywhere, and does not matter to who reads all of it.
        return self._collect(ssl_id, f"collect order {ssl_id}", "x509")

    def chain(self, ssl_id: SslId) -> tuple[str, ...] | None:
        return self._collect(ssl_id, f"collect the chain of order {ssl_id}", "x509IOR")

    def _collect(self, ssl_id: SslId, operation: str, form: str) -> tuple[str, ...] | None:
        request = Request(operation=operation, method="GET", path=f"/ssl/v1/collect/{ssl_id}", query={"format": form})
        try:
            return self._caller.call(request, lambda answer: wire.certificates(answer.body)) or None
        except ServiceRejectedError as error:
            if refusals.waits(error):
                return None
            raise

    # Steps

    def submit_order(self, request: OrderRequest) -> PlacedOrder:
        order = Request(
            operation=f"submit the order for {request.sans[0]}",
            method="POST",
            path="/ssl/v1/enroll",
            mutates=True,
            headers=JSON,
            body=encode(wire.enroll_body(request)),
        )
        return self._caller.call(order, lambda answer: wire.placed(answer.body))

    def revoke(self, ssl_id: SslId, reason: str) -> None:
        request = Request(
            operation=f"revoke order {ssl_id}",
            method="POST",
            path=f"/ssl/v1/revoke/{ssl_id}",
            mutates=True,
            headers=JSON,
            body=encode(wire.revocation(reason)),
        )
        self._caller.call(request, lambda _: None)

    def link_orders(self, old: SslId, new: SslId) -> None:
        request = Request(
            operation=f"link order {new} to {old}",
            method="POST",
            path=f"/ssl/v1/renew/manual/{old}",
            mutates=True,
            headers=JSON,
            body=encode({"id": new}),
        )
        self._caller.call(request, lambda _: None)


def _incomplete_on_failure(read: Callable[[], Reading[Value]], nothing: Value) -> Reading[Value]:
    """Return the reading; an incomplete one where the service failed. Wrong credentials are no gap: they raise."""
    try:
        return read()
    except AuthenticationError:
        raise
    except ServiceError as error:
        return Reading(values=nothing, complete=False, problems=(str(error),))
