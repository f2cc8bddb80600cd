"""One wanted key type of one change: its CSR, its orders, its issued certificate, and what the checks say of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from reconciler.model.certificate import (
    ChangeId,
    DesiredCertificate,
    InstanceName,
    KeyType,
)
from reconciler.model.chains import find_leaf
from reconciler.model.enrollment import Csr, Enrollment
from reconciler.model.order import Order, OrderStatus, SslId
from reconciler.model.x509 import Certificate, CsrInfo, MalformedCertificateError, parse_csr
from reconciler.planning.checks import Examined, examine
from reconciler.planning.csr_checks import check_csr, check_csr_age
from reconciler.planning.findings import Finding
from reconciler.planning.indexes import OrderBook, TaggedOrder, first_to_use
from reconciler.planning.observed import ChangeView
from reconciler.planning.profiles import Kind, kind_of
from reconciler.planning.tags import key_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Half:
    """One wanted key type of one change."""

    key_type: KeyType
    csr: CsrInfo | None  # None: CPS does not show it (any more)
    findings: tuple[Finding, ...]  # of the CSR
    live: tuple[TaggedOrder, ...]  # orders for this CSR that hold it, the one to use first; another is a mistake
    dead: tuple[TaggedOrder, ...]
    examined: Examined | None  # the issued certificate, once it was collected


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What the halves of one change are judged with."""

    desired: DesiredCertificate
    enrollment: Enrollment
    change_id: ChangeId
    view: ChangeView
    book: OrderBook
    collected: Mapping[tuple[InstanceName, SslId], tuple[Certificate, ...]]
    live: Mapping[KeyType, int]  # serials in production
    warn_at: datetime | None  # of what production serves; None: it serves nothing
    public_roots: tuple[Certificate, ...]
    private_roots: frozenset[str]
    private_certificates: tuple[Certificate, ...]
    csr_max_age: timedelta
    retry: bool  # dead work may begin again
    uncertain: Mapping[str, datetime]  # keys whose order may have been placed, and until when nobody can tell
    now: datetime

    def succeeded_by(self, key_type: KeyType) -> frozenset[SslId]:
        """Return the orders of what production serves whose certificates one of this key type replaces."""
        wanted = self.desired.wanted_key_types
        replaced = [serial for served, serial in self.live.items() if served is key_type or served not in wanted]
        orders = (self.book.by_serial.get(serial) for serial in replaced)
        return frozenset(order.ssl_id for order in orders if order is not None)


def half_of(of: Surroundings, key_type: KeyType) -> Half:
    """Join what is known of one key type of a change."""
    csr = _csr(of.view.csrs, key_type)
    tagged = _tagged(of, csr, key_type)
    live = tuple(sorted((one for one in tagged if one.order.status.live), key=first_to_use))
    return Half(
        key_type=key_type,
        csr=csr,
        findings=_csr_findings(of, csr, key_type, ordered=bool(tagged)) if csr is not None else (),
        live=live,
        dead=tuple(one for one in tagged if not one.order.status.live),
        examined=_examined(of, csr, live[0].order) if live else None,
    )


def _csr(csrs: tuple[Csr, ...] | None, key_type: KeyType) -> CsrInfo | None:
    """Return the CSR whose key is of this type: what CPS calls it does not count."""
    for csr in csrs or ():
        try:
            parsed = parse_csr(csr.pem)
        except MalformedCertificateError:
            continue
        if parsed.key.key_type is key_type:
            return parsed
    return None


def _tagged(of: Surroundings, csr: CsrInfo | None, key_type: KeyType) -> tuple[TaggedOrder, ...]:
    """Return the orders for this CSR: by its key; where CPS no longer shows it, by the change that the tag names."""
    if csr is not None:
        of_key = of.book.by_key.get(key_of(csr.spki_sha256), ())
        return tuple(one for one in of_key if not _of_another_change(of, one))
    of_change = of.book.by_change.get((of.enrollment.id, of.change_id), ())
    return tuple(one for one in of_change if one.tag.key_type is key_type)


def _of_another_change(of: Surroundings, one: TaggedOrder) -> bool:
    return (one.tag.enrollment_id, one.tag.change_id) != (of.enrollment.id, of.change_id)


def _csr_findings(of: Surroundings, csr: CsrInfo, key_type: KeyType, *, ordered: bool) -> tuple[Finding, ...]:
    found = check_csr(
        csr,
        of.desired,
        key_type,
        subject=of.enrollment.subject,
        exclude_sans=of.enrollment.exclude_sans,
        previous_keys=_previous_keys(of, csr),
    )
    if ordered:
        return found  # an order exists: the CSR's age no longer decides
    opened_at = of.view.record.created_at if of.view.record is not None else None
    return (*found, *check_csr_age(opened_at, max_age=of.csr_max_age, now=of.now))


def _previous_keys(of: Surroundings, csr: CsrInfo) -> frozenset[str] | None:
    """Return the CSR's key if it is an earlier one's: an order for another change has it. None: nobody can tell."""
    if any(_of_another_change(of, one) for one in of.book.by_key.get(key_of(csr.spki_sha256), ())):
        return frozenset({csr.spki_sha256})
    return None if of.live else frozenset()


def _examined(of: Surroundings, csr: CsrInfo | None, order: Order) -> Examined | None:
    given = of.collected.get((of.desired.order.instance, order.ssl_id))
    if given is None or csr is None or order.status is not OrderStatus.ISSUED:
        return None
    leaf = find_leaf(given, csr.spki_sha256) or next((one for one in given if not one.is_ca), given[0])
    return examine(
        leaf,
        given,
        csr,
        of.desired,
        kind=kind_ordered(of.desired, order),
        term_days=order.term_days,
        public_roots=of.public_roots,
        private_roots=of.private_roots,
        private_certificates=of.private_certificates,
        live_serials=frozenset(of.live.values()),
        revoked=False,  # a revoked order is not live, and not examined
        now=of.now,
    )


def kind_ordered(desired: DesiredCertificate, order: Order) -> Kind | None:
    """Return what kind of certificate an order is of; None where its profile does not say."""
    return kind_of(order.profile_name, desired.order.issuer)


def broken_rules(examined: Examined) -> set[str]:
    """Return the rules that are broken in the least, or that nobody could check."""
    return {finding.rule for finding in examined.findings}
