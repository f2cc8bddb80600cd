"""The key types of one change, each from its CSR to its issued certificate: what to order, what to upload."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from reconciler.model.certificate import (
    CertificateName,
    ChangeId,
    DesiredCertificate,
    EnrollmentId,
    InstanceName,
    IssuerClass,
    KeyType,
)
from reconciler.model.chains import find_leaf
from reconciler.model.enrollment import Csr, Enrollment, UploadHalf
from reconciler.model.entry import CauseId
from reconciler.model.names import DnsName
from reconciler.model.order import Order, OrderRequest, OrderStatus, SslId
from reconciler.model.x509 import Certificate, CsrInfo, MalformedCertificateError, parse_csr
from reconciler.planning.checks import Examined, check_halves, examine
from reconciler.planning.csr_checks import TOO_OLD, check_csr, check_csr_age
from reconciler.planning.findings import Finding, errors
from reconciler.planning.indexes import OrderBook, TaggedOrder, first_to_use
from reconciler.planning.observed import ChangeView
from reconciler.planning.ordering import OrderTerms
from reconciler.planning.profiles import Kind, kind_of
from reconciler.planning.steps import Act, ActionKind, Actor, Blocked, Decision, Phase, SubmitOrder, Wait
from reconciler.planning.tags import OrderTag, key_of
from reconciler.planning.warnings import Evidence

_RSA_ALONE_AFTER = timedelta(hours=24)  # a new certificate's other half is not waited for longer (DESIGN, Key types)


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
    untagged_since: datetime | None  # orders by hand since then stop ours; None: a person lets it go on


@dataclass(frozen=True, slots=True, kw_only=True)
class Halves:
    """All wanted key types of one change, RSA first."""

    of: Surroundings
    halves: tuple[Half, ...]

    @property
    def unordered(self) -> int:
        """How many of them no order, alive or dead, is known to hold."""
        return sum(not half.live and not half.dead for half in self.halves)

    @property
    def outlived(self) -> bool:
        """Whether age alone forbids to order, and nothing is ordered, or may have been."""
        found = {finding.rule for half in self.halves for finding in errors(half.findings)}
        ordered = any(half.live or half.dead for half in self.halves)
        return found == {TOO_OLD} and not ordered and self.uncertain() is None

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
        if submit and (by_hand := untagged_order(submit[0], self.of.book)) is not None:
            return _untagged(by_hand, self.of.desired.name)
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
        return self.issued() or self.waiting()

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
            if found := errors(half.findings):
                return _blocked(Phase.CSR, half, found, "The change must be replaced: cancel it in the portal.")
        return None

    def issued(self) -> Upload | Blocked | None:
        """Return the upload once every half is issued; RSA alone once it has waited long enough for the other."""
        for half in self.halves:
            if half.examined is not None and (found := errors(half.examined.findings)):
                remedy = half.examined.remedy or "Do not use it; ask Sectigo, and cancel the change."
                return _blocked(Phase.ISSUED, half, found, remedy)
        issued = {half.key_type: half.examined for half in self.halves if half.examined is not None}
        if len(issued) == len(self.halves):
            return self._checked(issued, ())
        rsa = next((half for half in self.halves if half.key_type is KeyType.RSA and half.examined), None)
        if rsa is None or rsa.examined is None or self._alone_at(rsa) > self.of.now:
            return None
        note = f"the ECDSA half is not issued {self._patience()}: RSA is uploaded alone"
        return self._checked({KeyType.RSA: rsa.examined}, (note,))

    def _alone_at(self, rsa: Half) -> datetime:
        """Return when RSA goes without the other half: a served certificate can wait, a new one a day."""
        if self.of.warn_at is not None:
            return self.of.warn_at
        return (rsa.live[0].order.issued_at or self.of.now) + _RSA_ALONE_AFTER

    def _patience(self) -> str:
        if self.of.warn_at is not None:
            return f"by {self.of.warn_at:%Y-%m-%d %H:%M} UTC, the level of warnings"
        return "24 h after the RSA half"

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

    def waiting(self) -> Wait | Blocked:
        """Say who has to act on the halves that are not issued. A dead one blocks, but ECDSA beside a living RSA."""
        pending = [half for half in self.halves if half.live and half.examined is None]
        dead = [half for half in self.halves if half.dead and not half.live]
        rsa = next((half for half in self.halves if half.key_type is KeyType.RSA and half.live), None)
        if dead and rsa is None:
            return _dead(dead[0], self.of.desired.name)  # ECDSA is never uploaded alone where RSA is wanted too
        if pending or rsa is None:
            return _waiting(pending[0].live[0].order, self.of.now)
        refused = dead[0].dead[-1].order
        return Wait(
            phase=Phase.ISSUED,
            actor=Actor.SCM,
            text=f"order {refused.ssl_id} (ECDSA) is {refused.status_text}; RSA is uploaded alone if ECDSA is not"
            f" issued {self._patience()}",
            poll=timedelta(hours=1),
            until=self._alone_at(rsa),
            remedy=f"`certrecon apply --retry {self.of.desired.name}` begins both anew.",
        )


def halves_of(of: Surroundings) -> Halves:
    """Join CSRs, orders and issued certificates of one change, for each wanted key type."""
    halves = tuple(_half(of, key_type) for key_type in sorted(of.desired.wanted_key_types, reverse=True))
    # A change that adds the missing half shows no CSR of the one that is served: that one stays as it is.
    added = tuple(half for half in halves if half.csr is not None or half.live or half.dead)
    return Halves(of=of, halves=added if of.view.csrs and of.live else halves)


def _half(of: Surroundings, key_type: KeyType) -> Half:
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
        kind=_kind(of.desired, order),
        term_days=order.term_days,
        public_roots=of.public_roots,
        private_roots=of.private_roots,
        private_certificates=of.private_certificates,
        live_serials=frozenset(of.live.values()),
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
        untagged_since=ordering.untagged_since,
        succeeds=of.succeeded_by(half.key_type),
    )


def _common_name_first(desired: DesiredCertificate) -> tuple[DnsName, ...]:
    return (desired.common_name, *sorted(desired.sans - {desired.common_name}))


def may_order(step: SubmitOrder, book: OrderBook) -> str | None:
    """Return why an order may not be placed after all, from a reading made after its intent (the order rule)."""
    found = book.by_key.get(step.key, ())
    if found:
        ids = ", ".join(str(one.order.ssl_id) for one in found)
        return f"order {ids} for this CSR was there before ours could be placed: nothing was sent."
    by_hand = untagged_order(step, book)
    if by_hand is not None:
        return f"order {by_hand.ssl_id} was placed by hand before ours could be, maybe for this CSR: nothing was sent."
    return None


def untagged_order(step: SubmitOrder, book: OrderBook) -> Order | None:
    """Return an order without our tag that may be for the step's CSR: of equal name, organization and profile."""
    if step.untagged_since is None:
        return None
    common_name, *_ = step.request.sans
    for order in book.untagged.get(common_name, ()):
        recent = order.requested_at is None or order.requested_at >= step.untagged_since
        # What the report does not say counts as equal: the careful reading.
        organization = order.organization_id in (None, step.request.organization_id)
        if recent and order.status.live and organization and order.profile_id in (None, step.request.profile_id):
            return order
    return None


def _untagged(order: Order, name: CertificateName) -> Blocked:
    return Blocked(
        phase=Phase.CSR,
        actor=Actor.OPERATOR,
        text=f"order {order.ssl_id} of equal name, organization and profile was placed by"
        f" {order.requester or 'somebody'} and may be for this CSR",
        remedy="Decline or revoke it in SCM, or upload its certificate in the portal. If it is for something else, run"
        f" `certrecon apply --retry {name}`.",
        reason="untagged-order",
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


def _dead(half: Half, name: CertificateName) -> Blocked:
    order = half.dead[-1].order
    return Blocked(
        phase=Phase.REFUSED,
        actor=Actor.APPROVER if order.status is OrderStatus.DECLINED else Actor.OPERATOR,
        text=f"order {order.ssl_id} ({half.key_type}) is {order.status_text}",
        remedy=f"SCM has the reason. Clear it, then run `certrecon apply --retry {name}`: a new change, a new order.",
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
