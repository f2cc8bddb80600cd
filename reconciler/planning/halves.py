"""The key types of one change, each from its CSR to its issued certificate: what to order, what to upload."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from reconciler.model.certificate import ChangeId, DesiredCertificate, EnrollmentId, InstanceName, IssuerClass, KeyType
from reconciler.model.chains import find_leaf
from reconciler.model.enrollment import Csr, Enrollment, UploadHalf
from reconciler.model.entry import CauseId
from reconciler.model.names import DnsName
from reconciler.model.order import Order, OrderRequest, OrderStatus, SslId
from reconciler.model.x509 import Certificate, CsrInfo, MalformedCertificateError, parse_csr
from reconciler.planning.checks import Examined, check_halves, examine
from reconciler.planning.csr_checks import check_csr, check_csr_age
from reconciler.planning.findings import Finding, errors
from reconciler.planning.indexes import OrderBook, TaggedOrder
from reconciler.planning.observed import ChangeView
from reconciler.planning.ordering import OrderTerms
from reconciler.planning.profiles import Kind, kind_of
from reconciler.planning.steps import Act, ActionKind, Actor, Blocked, Decision, Phase, SubmitOrder, Wait
from reconciler.planning.tags import OrderTag, key_of
from reconciler.planning.warnings import Evidence

_RSA_ALONE_AFTER = timedelta(hours=24)  # a new certificate's other half is not waited for longer (DESIGN, Key types)
_CLOCK_SLACK = timedelta(minutes=2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Half:
    """One wanted key type of one change."""

    key_type: KeyType
    csr: CsrInfo | None  # None: CPS does not show it (any more)
    findings: tuple[Finding, ...]  # of the CSR
    live: tuple[TaggedOrder, ...]  # orders for this CSR that hold it; more than one is a mistake
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
    live_serials: frozenset[int]  # in production
    live_types: frozenset[KeyType]  # in production
    public_roots: tuple[Certificate, ...]
    private_roots: frozenset[str]
    private_certificates: tuple[Certificate, ...]
    csr_max_age: timedelta
    retry: bool  # dead work may begin again
    uncertain: Mapping[str, datetime]  # keys whose order may have been placed, and until when nobody can tell
    now: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """Halves that may be uploaded together."""

    halves: tuple[UploadHalf, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ordering:
    """What an order of this change is placed with."""

    terms: OrderTerms
    installation: str
    cause: CauseId


@dataclass(frozen=True, slots=True, kw_only=True)
class Halves:
    """All wanted key types of one change, RSA first."""

    of: Surroundings
    halves: tuple[Half, ...]

    @property
    def ordered(self) -> bool:
        return any(half.live or half.dead for half in self.halves)

    @property
    def unordered(self) -> int:
        """How many of them no order, alive or dead, is known to hold."""
        return sum(not half.live and not half.dead for half in self.halves)

    def serials(self) -> frozenset[int]:
        """Return the serials of the change's issued certificates, as far as SCM says them."""
        return frozenset(
            tagged.order.serial for half in self.halves for tagged in half.live if tagged.order.serial is not None
        )

    def evidence(self) -> Evidence:
        """Return what our own checks proved, of all the halves that are issued together."""
        examined = [half.examined for half in self.halves if half.examined is not None]
        kinds = {_kind(self.of.desired, half.live[0].order) for half in self.halves if half.live}
        if not examined:
            return Evidence(kind=_only(kinds))
        sound = {rule for one in examined for rule in _broken(one)}
        private = self.of.desired.order.issuer is IssuerClass.PRIVATE
        return Evidence(
            kind=_only(kinds),
            path_verified=not sound & {"CERT-04", "CERT-05"},
            private_root_allowed=private and all(one.path is IssuerClass.PRIVATE for one in examined),
            term_as_ordered="CERT-03" not in sound,
        )

    def next_step(self, ordering: Ordering) -> Decision | Upload | None:
        """Return the orders to place, else what to upload, else what is waited for or in the way.

        None: the work is dead, and a person lets it begin again.
        """
        if self.of.retry and any(half.dead and not half.live for half in self.halves):
            return None
        if stop := self._wrong():
            return stop
        if uncertain := self.uncertain():
            return uncertain
        submit = tuple(
            _submit(self.of, half, half.csr, ordering)
            for half in self.halves
            if half.csr is not None and not half.live and not half.dead
        )
        if submit:
            kinds = " and ".join(step.key_type for step in submit)
            return Act(
                phase=Phase.CSR,
                kind=ActionKind.RESUME,
                cause=ordering.cause,
                steps=submit,
                reason="csr-ready",
                text=f"the {kinds} CSR has no order" if len(submit) == 1 else f"the {kinds} CSRs have no orders",
                notes=ordering.terms.notes,
            )
        return self._upload() or self._wait()

    def uncertain(self) -> Wait | None:
        """Tell of an order whose answer was lost: it is not placed again before it must have shown (the order rule)."""
        for half in self.halves:
            until = self.of.uncertain.get(key_of(half.csr.spki_sha256)) if half.csr is not None else None
            if until is not None and until > self.of.now and not half.live and not half.dead:
                return Wait(
                    phase=Phase.ORDERED,
                    actor=Actor.SCM,
                    text=f"the answer to the {half.key_type} order was lost; the order may show yet",
                    poll=timedelta(minutes=1),
                    until=until,
                )
        return None

    def _wrong(self) -> Blocked | Wait | None:
        """Tell what must not go on: a CSR that is not as planned, two orders for one key, a stranger's order."""
        for half in self.halves:
            if half.csr is None:
                return Wait(
                    phase=Phase.CSR,
                    actor=Actor.CPS,
                    text=f"CPS shows no {half.key_type} CSR yet",
                    poll=timedelta(minutes=1),
                )
            if len(half.live) > 1:
                return _two_orders(half)
            if found := errors(half.findings):
                return _blocked(Phase.CSR, half, found, "The change must be replaced: cancel it in the portal.")
        if not self.ordered:
            return self._stranger()
        return None

    def _stranger(self) -> Blocked | None:
        """Look for an untagged order that may be for this CSR: somebody may have ordered by hand."""
        since = (self.of.view.record.created_at if self.of.view.record is not None else self.of.now) - _CLOCK_SLACK
        for order in self.of.book.untagged.get(self.of.desired.common_name, ()):
            recent = order.requested_at is None or order.requested_at >= since
            if recent and order.status.live and (order.sans or self.of.desired.sans) == self.of.desired.sans:
                return Blocked(
                    phase=Phase.CSR,
                    actor=Actor.OPERATOR,
                    text=f"order {order.ssl_id} of equal names was placed by {order.requester or 'somebody'} and may"
                    " be for this CSR",
                    remedy="Decline or revoke it in SCM, or upload its certificate in the portal.",
                    reason="untagged-order",
                )
        return None

    def _upload(self) -> Upload | Blocked | None:
        """Return the upload once every half is issued; RSA alone once it has waited long enough for the other."""
        for half in self.halves:
            if half.examined is not None and (found := errors(half.examined.findings)):
                remedy = half.examined.remedy or "Do not use it; ask Sectigo, and cancel the change."
                return _blocked(Phase.ISSUED, half, found, remedy)
        issued = {half.key_type: half.examined for half in self.halves if half.examined is not None}
        if len(issued) == len(self.halves):
            return self._checked(issued, ())
        rsa = next((half for half in self.halves if half.key_type is KeyType.RSA and half.examined), None)
        if rsa is None or rsa.examined is None or self._issued_at(rsa) + _RSA_ALONE_AFTER > self.of.now:
            return None
        note = "the ECDSA half is not issued 24 h after the RSA half: RSA is uploaded alone"
        return self._checked({KeyType.RSA: rsa.examined}, (note,))

    def _issued_at(self, half: Half) -> datetime:
        return half.live[0].order.issued_at or self.of.now

    def _checked(self, issued: Mapping[KeyType, Examined], notes: tuple[str, ...]) -> Upload | Blocked:
        if found := errors(check_halves(issued)):
            return _blocked(Phase.ISSUED, self.halves[0], found, "Ask Sectigo, and cancel the change in the portal.")
        halves = tuple(
            UploadHalf(
                key_type=key_type,
                leaf_pem=examined.leaf.pem,
                chain_pem="".join(one.pem if one.pem.endswith("\n") else f"{one.pem}\n" for one in examined.chain),
            )
            for key_type, examined in sorted(issued.items(), reverse=True)
        )
        said = tuple(str(finding) for one in issued.values() for finding in one.findings if not finding.skipped)
        return Upload(halves=halves, notes=(*notes, *dict.fromkeys(said)))

    def _wait(self) -> Wait | Blocked:
        """Say who has to act on the halves that are not issued; a dead one only where none is on its way."""
        pending = [half for half in self.halves if half.live and half.examined is None]
        dead = [half for half in self.halves if half.dead and not half.live]
        if pending:
            return _waiting(pending[0].live[0].order, self.of.now)
        if dead and not any(half.examined is not None for half in self.halves):
            return _dead(dead[0])
        return Wait(
            phase=Phase.ISSUED,
            actor=Actor.SCM,
            text=f"the {dead[0].key_type} half was refused; the other is uploaded alone 24 h after its issue"
            if dead
            else "the halves are not all issued",
            poll=timedelta(hours=1),
        )


def halves_of(of: Surroundings) -> Halves:
    """Join CSRs, orders and issued certificates of one change, for each wanted key type."""
    halves = tuple(_half(of, key_type) for key_type in sorted(of.desired.wanted_key_types, reverse=True))
    # A change that adds the missing half shows no CSR of the one that is served: that one stays as it is.
    added = tuple(half for half in halves if half.csr is not None or half.live or half.dead)
    return Halves(of=of, halves=added if of.view.csrs and of.live_types else halves)


def _half(of: Surroundings, key_type: KeyType) -> Half:
    csr = _csr(of.view.csrs, key_type)
    tagged = _tagged(of, csr, key_type)
    live = tuple(one for one in tagged if one.order.status.live)
    return Half(
        key_type=key_type,
        csr=csr,
        findings=_csr_findings(of, csr, key_type, ordered=bool(tagged)) if csr is not None else (),
        live=live,
        dead=tuple(one for one in tagged if not one.order.status.live),
        examined=_examined(of, csr, live[0].order) if len(live) == 1 else None,
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
        return of.book.by_key.get(key_of(csr.spki_sha256), ())
    of_change = of.book.by_change.get((of.enrollment.id, of.change_id), ())
    return tuple(one for one in of_change if one.tag.key_type is key_type)


def _csr_findings(of: Surroundings, csr: CsrInfo, key_type: KeyType, *, ordered: bool) -> tuple[Finding, ...]:
    found = check_csr(
        csr,
        of.desired,
        key_type,
        subject=of.enrollment.subject,
        exclude_sans=of.enrollment.exclude_sans,
        previous_keys=None if of.live_serials else frozenset(),
    )
    if ordered:
        return found  # an order exists: the CSR's age no longer decides
    opened_at = of.view.record.created_at if of.view.record is not None else None
    return (*found, *check_csr_age(opened_at, max_age=of.csr_max_age, now=of.now))


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
        kind=_kind(of.desired, order),
        term_days=order.term_days,
        public_roots=of.public_roots,
        private_roots=of.private_roots,
        private_certificates=of.private_certificates,
        live_serials=of.live_serials,
        revoked=False,  # a revoked order is not live, and not examined
        now=of.now,
    )


def _kind(desired: DesiredCertificate, order: Order) -> Kind | None:
    return kind_of(order.profile_name, desired.order.issuer)


def _only(kinds: set[Kind | None]) -> Kind | None:
    return next(iter(kinds)) if len(kinds) == 1 else None


def _broken(examined: Examined) -> set[str]:
    """Return the rules that are broken in the least, or that nobody could check."""
    return {finding.rule for finding in examined.findings}


# Orders


def _submit(of: Surroundings, half: Half, csr: CsrInfo, ordering: Ordering) -> SubmitOrder:
    key = key_of(csr.spki_sha256)
    tag = OrderTag(
        installation=ordering.installation,
        enrollment_id=of.enrollment.id,
        change_id=of.change_id,
        key_type=half.key_type,
        key=key,
        cause=ordering.cause,
    )
    wanted = of.desired.order
    return SubmitOrder(
        instance=wanted.instance,
        enrollment_id=EnrollmentId(of.enrollment.id),
        change_id=of.change_id,
        key_type=half.key_type,
        key=key,
        request=OrderRequest(
            organization_id=ordering.terms.organization_id,
            profile_id=ordering.terms.profile.id,
            term_days=ordering.terms.term_days,
            csr_pem=csr.pem,
            sans=_common_name_first(of.desired),
            comments=str(tag),
            external_requester=wanted.external_requester,
            custom_fields=wanted.custom_fields,
            dcv_mode=wanted.dcv_mode,
            dcv_email=wanted.dcv_email,
        ),
    )


def _common_name_first(desired: DesiredCertificate) -> tuple[DnsName, ...]:
    return (desired.common_name, *sorted(desired.sans - {desired.common_name}))


def may_order(step: SubmitOrder, book: OrderBook) -> str | None:
    """Return why an order may not be placed after all, from a reading made after its intent (the order rule)."""
    found = book.by_key.get(step.key, ())
    if found:
        ids = ", ".join(str(one.order.ssl_id) for one in found)
        return f"order {ids} for this CSR was there before ours could be placed: nothing was sent."
    return None


def _two_orders(half: Half) -> Blocked:
    ids = [one.order.ssl_id for one in half.live]
    kept, *others = sorted(ids)
    return Blocked(
        phase=Phase.ORDERED,
        actor=Actor.OPERATOR,
        text=f"{len(ids)} orders hold the {half.key_type} CSR: {', '.join(str(one) for one in sorted(ids))}",
        remedy=f"Decline or revoke {', '.join(str(one) for one in others)} in SCM; {kept} was first.",
        reason="two-orders",
        error=True,
    )


def _blocked(phase: Phase, half: Half, found: tuple[Finding, ...], remedy: str) -> Blocked:
    said = "; ".join(str(finding) for finding in found)
    return Blocked(
        phase=phase,
        actor=Actor.OPERATOR,
        text=f"the {half.key_type} {'CSR' if phase is Phase.CSR else 'certificate'} fails its checks: {said}",
        remedy=remedy,
        reason="check-failed",
        error=True,
    )


def _dead(half: Half) -> Blocked:
    order = half.dead[-1].order
    return Blocked(
        phase=Phase.REFUSED,
        actor=Actor.APPROVER if order.status is OrderStatus.DECLINED else Actor.OPERATOR,
        text=f"order {order.ssl_id} ({half.key_type}) is {order.status_text}",
        remedy="SCM has the reason: correct and approve it there, or cancel the change in the portal and run again.",
        reason=f"order-{order.status.value.lower()}",
    )


def _poll(order: Order, now: datetime) -> timedelta:
    """Look often at a young order, seldom at an old one: a tenth of its age, from a minute to half an hour."""
    if order.requested_at is None:
        return timedelta(minutes=5)
    return min(max((now - order.requested_at) / 10, timedelta(minutes=1)), timedelta(minutes=30))


def _waiting(order: Order, now: datetime) -> Wait:
    poll = _poll(order, now)
    match order.status:
        case OrderStatus.REQUESTED:
            return Wait(
                phase=Phase.ORDERED,
                actor=Actor.APPROVER,
                text=f"order {order.ssl_id} waits for approval in SCM",
                poll=timedelta(minutes=30),
                since=order.requested_at,
                remedy="An SCM administrator other than the requester approves it.",
            )
        case OrderStatus.UNKNOWN:
            text = f'order {order.ssl_id} is "{order.status_text}", which is not known: not taken for success'
            return Wait(phase=Phase.ORDERED, actor=Actor.SCM, text=text, poll=poll, since=order.requested_at)
        case OrderStatus.ISSUED:
            text = f"order {order.ssl_id} is issued and cannot be collected yet"
            return Wait(phase=Phase.ISSUED, actor=Actor.SCM, text=text, poll=poll, since=order.issued_at)
        case OrderStatus.EXPIRED | OrderStatus.REPLACED:
            text = f"order {order.ssl_id} is {order.status_text}: its certificate is not used"
            return Wait(phase=Phase.REFUSED, actor=Actor.OPERATOR, text=text, poll=timedelta(hours=1))
        case _:
            text = f"order {order.ssl_id} is {order.status_text}: Sectigo validates and issues"
            return Wait(phase=Phase.VALIDATING, actor=Actor.SCM, text=text, poll=poll, since=order.requested_at)
