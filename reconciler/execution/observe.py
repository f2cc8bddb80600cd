"""One bulk look at everything that the desired certificates touch: a constant number of calls, plus a few under way."""

import logging
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import TypeVar

from reconciler.errors import AuthenticationError, ServiceError
from reconciler.execution.perform import Services
from reconciler.execution.sidebyside import side_by_side
from reconciler.model.certificate import (
    AccountName,
    ChangeId,
    ContractId,
    DesiredCertificate,
    EnrollmentId,
    InstanceName,
    IssuerClass,
    Promote,
)
from reconciler.model.enrollment import Change, ChangeRecord, Csr, Enrollment, InputKind
from reconciler.model.journal import OpenState
from reconciler.model.order import Order, OrderStatus, SslId
from reconciler.model.reading import Reading
from reconciler.model.x509 import Certificate, MalformedCertificateError, parse_certificates, parse_csr
from reconciler.planning.indexes import EnrollmentIndex, OrderBook
from reconciler.planning.matching import Found, match_enrollment
from reconciler.planning.observed import AccountView, ChangeView, InstanceView, Observed
from reconciler.planning.tags import OrderTag, bound_orders, key_of
from reconciler.planning.uploads import reviewed
from reconciler.ports import Clock, Cps, Edge

log = logging.getLogger(__name__)

_Value = TypeVar("_Value")

Interest = Callable[[DesiredCertificate, Enrollment, AccountView, InstanceView, datetime], bool]
_ChangeKey = tuple[AccountName, EnrollmentId, ChangeId]


@dataclass
class Observer:
    """Looks. It remembers only what can never change: the CSRs and the opener of a change, an issued certificate."""

    services: Services
    clock: Clock
    edge: Edge | None = None
    parallelism: int = 1  # accounts that are looked at side by side; what is remembered is by account, or of an order
    handshakes_for_all: bool = False  # a campaign lets only a handshake promote, whatever files say
    _csrs: dict[_ChangeKey, tuple[Csr, ...]] = field(default_factory=dict)
    _records: dict[_ChangeKey, ChangeRecord] = field(default_factory=dict)
    _collected: dict[tuple[InstanceName, SslId], tuple[Certificate, ...]] = field(default_factory=dict)
    _instances_of: dict[SslId, InstanceName] = field(default_factory=dict)

    def look(
        self,
        certificates: Sequence[DesiredCertificate],
        *,
        interest: Interest = lambda *_: True,
        journals: Mapping[AccountName, OpenState] | None = None,
    ) -> Observed:
        """Read all that `certificates` need.

        Args:
            certificates: what is planned.
            interest: tells whether the pending change of a served certificate matters, and is worth its reads.
            journals: what is known of our orders: they are read by id where lists do not show them yet.

        Raises:
            AuthenticationError: a service did not accept the credentials; there is no point in going on.
        """
        at = self.clock.now()
        journals = journals or {}
        by_account = _by_account(certificates)
        views = side_by_side(
            [partial(self._account, name, some, journals.get(name)) for name, some in by_account.items()],
            at_most=self.parallelism,
        )
        accounts = dict(zip(by_account, views, strict=True))
        bound = {tag: ssl for one in journals.values() for tag, ssl in bound_orders(one).items()}
        placed = self._placed(bound, accounts)
        instances = {
            name: self._instance(name, bound, placed) for name in sorted({one.order.instance for one in certificates})
        }
        opened = _opened(journals)
        looks = [_Look(self, accounts, instances, interest, opened, at) for _ in by_account]
        adding = [partial(look.add_all, some) for look, some in zip(looks, by_account.values(), strict=True)]
        side_by_side(adding, at_most=self.parallelism)
        return Observed(
            at=at,
            accounts=accounts,
            instances=instances,
            changes={key: view for look in looks for key, view in look.changes.items()},
            collected=dict(self._collected),
            staging_handshakes={key: seen for look in looks for key, seen in look.handshakes.items()},
            histories={key: rows for look in looks for key, rows in look.histories.items()},
            problems=tuple(problem for look in looks for problem in look.problems),
        )

    def orders(self, instance: InstanceName, placed: frozenset[SslId] = frozenset()) -> Reading[tuple[Order, ...]]:
        """Read all orders of `instance`, with those of `placed` that the list does not show."""
        scm = self.services.scm[instance]
        reading = scm.orders()
        self._instances_of.update({order.ssl_id: instance for order in reading.values})
        missing = {
            ssl_id
            for ssl_id in placed - {order.ssl_id for order in reading.values}
            if self._instances_of.get(ssl_id, instance) == instance
        }
        extra = [order for ssl_id in sorted(missing) if (order := _tolerant(lambda: scm.order(ssl_id))) is not None]  # noqa: B023
        return Reading(values=(*reading.values, *extra), complete=reading.complete, problems=reading.problems)

    def _account(
        self, name: AccountName, certificates: Sequence[DesiredCertificate], journal: OpenState | None
    ) -> AccountView:
        cps = self.services.cps[name]
        contracts = _as_before(cps.contracts(), journal.contracts if journal is not None else frozenset(), name)
        named = [one.common_name for one in certificates if one.enrollment.fips_mode is not None]
        enrollments = cps.enrollments(contracts.values, with_fips_mode=frozenset(named))
        return AccountView(
            contracts=contracts,
            enrollments=enrollments,
            served=cps.served(contracts.values),
            index=EnrollmentIndex.of(enrollments.values),
        )

    @staticmethod
    def _placed(bound: Mapping[SslId, OrderTag], accounts: Mapping[AccountName, AccountView]) -> frozenset[SslId]:
        """Return our orders for changes that are pending still: those must be seen, or nothing is decided."""
        pending = {
            (one.id, change.id)
            for view in accounts.values()
            for one in view.enrollments.values
            for change in one.pending
        }
        return frozenset(ssl for ssl, tag in bound.items() if (tag.enrollment_id, tag.change_id) in pending)

    def _instance(self, name: InstanceName, bound: Mapping[SslId, OrderTag], placed: frozenset[SslId]) -> InstanceView:
        scm = self.services.scm[name]
        orders = self.orders(name, placed)
        return InstanceView(
            organizations=scm.organizations(),
            profiles=scm.profiles(),
            orders=orders,
            book=OrderBook.of(orders.values, bound),
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
        record = self._record(cps, key, anew=reviewed(change))
        return ChangeView(
            change=change,
            csrs=self._change_csrs(cps, key, change, record),
            warnings=warnings,
            management=cps.change_management(enrollment.id, change_id) if managed else None,
            record=record,
        )

    def _record(self, cps: Cps, key: _ChangeKey, *, anew: bool) -> ChangeRecord | None:
        """Read, once a change, who opened it and when; a phase past the upload has its CSRs only from here.

        `anew`: what was uploaded matters, and may have become another since.
        """
        if not anew and key in self._records and self._records[key].csrs:
            return self._records[key]
        open_rows = [row for row in cps.history(key[1]) if row.status == "incomplete"]
        self._remember(self._records, key, open_rows[0] if open_rows else None)
        return self._records.get(key)

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

    def collect(self, instance: InstanceName, order: Order, *, private: bool = False) -> None:
        """Fetch an issued order's certificates, once. Of a `private` CA the root is looked for in a second format."""
        key = (instance, order.ssl_id)
        if key in self._collected or order.status is not OrderStatus.ISSUED:
            return
        scm = self.services.scm[instance]
        pems = _tolerant(lambda: scm.collect(order.ssl_id))
        if pems is None:
            return
        try:
            found = parse_certificates("\n".join(pems))
            if private and not any(one.self_signed for one in found):
                above = _tolerant(lambda: scm.chain(order.ssl_id))
                found = (*found, *parse_certificates("\n".join(above))) if above else found
            self._collected[key] = found
        except MalformedCertificateError as error:
            log.warning("collect: order=%s: %s", order.ssl_id, error)


def _by_account(certificates: Sequence[DesiredCertificate]) -> dict[AccountName, list[DesiredCertificate]]:
    found: defaultdict[AccountName, list[DesiredCertificate]] = defaultdict(list)
    for one in certificates:
        found[one.enrollment.account].append(one)
    return {name: found[name] for name in sorted(found)}


def _as_before(
    seen: Reading[frozenset[ContractId]], known: frozenset[ContractId], account: AccountName
) -> Reading[frozenset[ContractId]]:
    """Return the reading; it is not complete where a contract is missing that the credential saw before (safety 3)."""
    missing = known - seen.values
    if not seen.complete or not missing:
        return seen
    problem = (
        f"cps: the credential of {account} no longer sees contract {', '.join(sorted(missing))}. Give it the grant;"
        " if the contract is gone for good, remove the journal and run 'certrecon lock repair'."
    )
    return Reading(values=seen.values, complete=False, problems=(problem,))


def _opened(journals: Mapping[AccountName, OpenState]) -> frozenset[tuple[AccountName, EnrollmentId]]:
    """Return the enrollments for which the journals know a change of ours whose end nobody has seen."""
    return frozenset(
        (account, change.enrollment_id) for account, state in journals.items() for change in state.changes.values()
    )


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
    """What one look adds, of one account, for each certificate whose enrollment has a pending change."""

    observer: Observer
    accounts: Mapping[AccountName, AccountView]
    instances: Mapping[InstanceName, InstanceView]
    interest: Interest
    opened: frozenset[tuple[AccountName, EnrollmentId]]  # with a change of ours whose end nobody has seen
    at: datetime
    histories: dict[tuple[AccountName, EnrollmentId], tuple[ChangeRecord, ...]] = field(default_factory=dict)
    changes: dict[tuple[AccountName, EnrollmentId], ChangeView] = field(default_factory=dict)
    handshakes: dict[tuple[AccountName, EnrollmentId], frozenset[int]] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    def add_all(self, certificates: Sequence[DesiredCertificate]) -> None:
        for one in certificates:
            self.add(one)

    def add(self, desired: DesiredCertificate) -> None:
        view = self.accounts[desired.enrollment.account]
        if not (view.enrollments.complete and view.served.complete):
            return
        found = match_enrollment(desired, view.index)
        if not isinstance(found, Found):
            return
        enrollment, instance = found.enrollment, self.instances[desired.order.instance]
        of_interest = enrollment.pending or (desired.enrollment.account, enrollment.id) in self.opened
        if not of_interest or not self.interest(desired, enrollment, view, instance, self.at):
            return
        key = (desired.enrollment.account, enrollment.id)
        if not enrollment.pending:
            if key not in self.histories:
                self._read_history(desired.enrollment.account, enrollment)
            return
        change_id = enrollment.pending[-1].id  # documented: the last one is the most recent
        tagged = instance.book.by_change.get((enrollment.id, change_id), ())
        if (change := self.changes.get(key)) is None:  # of two revisions of one file, the first has read it
            change = self.changes[key] = self.observer.change_view(desired.enrollment.account, enrollment, change_id)
        for order in self._by_key(desired, change) or [one.order for one in tagged]:
            private = desired.order.issuer is IssuerClass.PRIVATE
            self.observer.collect(desired.order.instance, order, private=private)
        self._shake_hands(desired, enrollment, change)

    def _read_history(self, account: AccountName, enrollment: Enrollment) -> None:
        """Ask how a change of ours ended that is no longer pending, while something is needed still."""
        try:
            self.histories[account, enrollment.id] = self.observer.services.cps[account].history(enrollment.id)
        except AuthenticationError:
            raise
        except ServiceError as error:
            self.problems.append(str(error))

    def _by_key(self, desired: DesiredCertificate, view: ChangeView) -> list[Order]:
        book = self.instances[desired.order.instance].book
        keys = {key_of(parse_csr(csr.pem).spki_sha256) for csr in view.csrs or () if _parsable(csr)}
        return [tagged.order for key in sorted(keys) for tagged in book.by_key.get(key, ())]

    def _shake_hands(self, desired: DesiredCertificate, enrollment: Enrollment, view: ChangeView) -> None:
        """Ask the staging edge what it serves, where only a handshake promotes."""
        wanted = self.observer.handshakes_for_all or desired.enrollment.promote is Promote.VERIFIED
        if self.observer.edge is None or not wanted:
            return
        if view.change is None or InputKind.CHANGE_MANAGEMENT not in view.change.inputs:
            return
        if (desired.enrollment.account, enrollment.id) in self.handshakes:
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
