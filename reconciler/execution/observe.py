"""One bulk look at everything that the desired certificates touch: a constant number of calls, plus a few under way."""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from reconciler.errors import AuthenticationError, ServiceError
from reconciler.execution.perform import Services
from reconciler.model.certificate import AccountName, ChangeId, DesiredCertificate, EnrollmentId, InstanceName, Promote
from reconciler.model.enrollment import Change, ChangeRecord, ChangeState, Csr, Enrollment, InputKind
from reconciler.model.order import Order, OrderStatus, SslId
from reconciler.model.reading import Reading
from reconciler.model.x509 import Certificate, MalformedCertificateError, parse_certificates, parse_csr
from reconciler.planning.indexes import EnrollmentIndex, OrderBook
from reconciler.planning.matching import Found, match_enrollment
from reconciler.planning.observed import AccountView, ChangeView, InstanceView, Observed
from reconciler.planning.tags import key_of
from reconciler.ports import Clock, Cps, Edge

log = logging.getLogger(__name__)

_Value = TypeVar("_Value")
_ChangeKey = tuple[AccountName, EnrollmentId, ChangeId]


@dataclass
class Observer:
    """Looks. It remembers only what can never change: the CSRs and the opener of a change, an issued certificate."""

    services: Services
    clock: Clock
    edge: Edge | None = None
    _csrs: dict[_ChangeKey, tuple[Csr, ...]] = field(default_factory=dict)
    _records: dict[_ChangeKey, ChangeRecord] = field(default_factory=dict)
    _collected: dict[tuple[InstanceName, SslId], tuple[Certificate, ...]] = field(default_factory=dict)

    def look(
        self,
        certificates: Sequence[DesiredCertificate],
        *,
        placed: Mapping[InstanceName, frozenset[SslId]] | None = None,
    ) -> Observed:
        """Read all that `certificates` need. `placed`: orders that are read by id where lists do not show them yet.

        Raises:
            AuthenticationError: a service did not accept the credentials; there is no point in going on.
        """
        at = self.clock.now()
        accounts = {name: self._account(name) for name in sorted({one.enrollment.account for one in certificates})}
        instances = {
            name: self._instance(name, (placed or {}).get(name, frozenset()))
            for name in sorted({one.order.instance for one in certificates})
        }
        look = _Look(self, accounts, instances)
        for certificate in certificates:
            look.add(certificate)
        return Observed(
            at=at,
            accounts=accounts,
            instances=instances,
            changes=look.changes,
            collected=dict(self._collected),
            staging_handshakes=look.handshakes,
        )

    def orders(self, instance: InstanceName, placed: frozenset[SslId] = frozenset()) -> Reading[tuple[Order, ...]]:
        """Read all orders of `instance`, with those of `placed` that the list does not show."""
        scm = self.services.scm[instance]
        reading = scm.orders()
        missing = placed - {order.ssl_id for order in reading.values}
        extra = [order for ssl_id in sorted(missing) if (order := _tolerant(lambda: scm.order(ssl_id))) is not None]  # noqa: B023
        return Reading(values=(*reading.values, *extra), complete=reading.complete, problems=reading.problems)

    def _account(self, name: AccountName) -> AccountView:
        cps = self.services.cps[name]
        contracts = cps.contracts()
        enrollments = cps.enrollments(contracts.values)
        return AccountView(
            contracts=contracts,
            enrollments=enrollments,
            served=cps.served(),
            index=EnrollmentIndex.of(enrollments.values),
        )

    def _instance(self, name: InstanceName, placed: frozenset[SslId]) -> InstanceView:
        scm = self.services.scm[name]
        orders = self.orders(name, placed)
        return InstanceView(
            organizations=scm.organizations(),
            profiles=scm.profiles(),
            orders=orders,
            book=OrderBook.of(orders.values),
        )

    def change_view(self, account: AccountName, enrollment: Enrollment, change_id: ChangeId) -> ChangeView:
        """Read one pending change: its status, and what its present input shows."""
        try:
            return self._change_view(account, enrollment, change_id)
        except AuthenticationError:
            raise
        except ServiceError as error:
            return ChangeView(change=None, problem=str(error))

    def _change_view(self, account: AccountName, enrollment: Enrollment, change_id: ChangeId) -> ChangeView:
        cps, key = self.services.cps[account], (account, enrollment.id, change_id)
        change = cps.change(enrollment.id, change_id)
        warnings = None
        for kind in (InputKind.PRE_WARNINGS, InputKind.POST_WARNINGS):
            if kind in change.inputs:
                warnings = cps.warnings(enrollment.id, change_id, kind)
        managed = InputKind.CHANGE_MANAGEMENT in change.inputs
        record = self._record(cps, key, change)
        return ChangeView(
            change=change,
            csrs=self._change_csrs(cps, key, change, record),
            warnings=warnings,
            management=cps.change_management(enrollment.id, change_id) if managed else None,
            record=record,
        )

    def _record(self, cps: Cps, key: _ChangeKey, change: Change) -> ChangeRecord | None:
        """Read, once a change has CSRs, who opened it and when; a later phase has its CSRs only from here."""
        if (
            key in self._records
            or change.state is not ChangeState.AWAITING_INPUT
            or InputKind.PRE_WARNINGS in change.inputs
        ):
            return self._records.get(key)
        open_rows = [row for row in cps.history(key[1]) if row.status == "incomplete"]
        return self._remember(self._records, key, open_rows[0] if open_rows else None)

    def _change_csrs(
        self, cps: Cps, key: _ChangeKey, change: Change, record: ChangeRecord | None
    ) -> tuple[Csr, ...] | None:
        if key not in self._csrs and InputKind.CERTIFICATE in change.inputs:
            self._remember(self._csrs, key, cps.csrs(key[1], key[2]))
        if key not in self._csrs and record is not None and change.inputs - {InputKind.CERTIFICATE}:
            return record.csrs
        return self._csrs.get(key)

    @staticmethod
    def _remember(memory: dict[_ChangeKey, _Value], key: _ChangeKey, value: _Value | None) -> _Value | None:
        if value is not None:
            memory[key] = value
        return value

    def collect(self, instance: InstanceName, order: Order) -> None:
        """Fetch an issued order's certificates, once."""
        key = (instance, order.ssl_id)
        if key in self._collected or order.status is not OrderStatus.ISSUED:
            return
        scm = self.services.scm[instance]
        pems = _tolerant(lambda: scm.collect(order.ssl_id))
        if pems is None:
            return
        try:
            self._collected[key] = parse_certificates("\n".join(pems))
        except MalformedCertificateError as error:
            log.warning("collect: order=%s: %s", order.ssl_id, error)


def _tolerant(read: Callable[[], _Value | None]) -> _Value | None:
    """Make a read whose failure only means that it is made again at the next look."""
    try:
        return read()
    except AuthenticationError:
        raise
    except ServiceError as error:
        log.warning("%s", error)
        return None


@dataclass
class _Look:
    """What one look adds for each certificate whose enrollment has a pending change."""

    observer: Observer
    accounts: Mapping[AccountName, AccountView]
    instances: Mapping[InstanceName, InstanceView]
    changes: dict[tuple[AccountName, EnrollmentId], ChangeView] = field(default_factory=dict)
    handshakes: dict[tuple[AccountName, EnrollmentId], frozenset[int]] = field(default_factory=dict)

    def add(self, desired: DesiredCertificate) -> None:
        view = self.accounts[desired.enrollment.account]
        if not (view.enrollments.complete and view.served.complete):
            return
        found = match_enrollment(desired, view.index)
        if not isinstance(found, Found) or not found.enrollment.pending:
            return
        enrollment = found.enrollment
        change_id = enrollment.pending[-1].id  # documented: the last one is the most recent
        tagged = self.instances[desired.order.instance].book.by_change.get((enrollment.id, change_id), ())
        deployed = bool(enrollment.id in view.served.values and view.served.values[enrollment.id].production)
        if deployed and not tagged:
            self.changes[desired.enrollment.account, enrollment.id] = ChangeView(change=None)
            return
        change = self.observer.change_view(desired.enrollment.account, enrollment, change_id)
        self.changes[desired.enrollment.account, enrollment.id] = change
        for order in self._by_key(desired, change) or [one.order for one in tagged]:
            self.observer.collect(desired.order.instance, order)
        self._shake_hands(desired, enrollment, change)

    def _by_key(self, desired: DesiredCertificate, view: ChangeView) -> list[Order]:
        book = self.instances[desired.order.instance].book
        keys = {key_of(parse_csr(csr.pem).spki_sha256) for csr in view.csrs or () if _parsable(csr)}
        return [tagged.order for key in sorted(keys) for tagged in book.by_key.get(key, ())]

    def _shake_hands(self, desired: DesiredCertificate, enrollment: Enrollment, view: ChangeView) -> None:
        """Ask the staging edge what it serves, where the file lets only a handshake promote."""
        if self.observer.edge is None or desired.enrollment.promote is not Promote.VERIFIED:
            return
        if view.change is None or InputKind.CHANGE_MANAGEMENT not in view.change.inputs:
            return
        serials = self.observer.edge.serials("staging", desired.common_name, desired.verify_edge_host)
        if serials:
            self.handshakes[desired.enrollment.account, enrollment.id] = serials


def _parsable(csr: Csr) -> bool:
    try:
        parse_csr(csr.pem)
    except MalformedCertificateError:
        return False
    return True
