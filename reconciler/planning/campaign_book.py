"""What campaigns are judged by, indexed once a look: who asked for what when, and what a campaign has begun."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from reconciler.model.certificate import AccountName, DesiredCertificate, EnrollmentId, KeyType
from reconciler.model.enrollment import Served, ServedCertificate
from reconciler.model.journal import OpenState, OwnOrder
from reconciler.model.order import Order, SslId
from reconciler.model.replacement import Replacement, Replacing
from reconciler.planning.campaigns import Candidate, Issued, Requested, requested
from reconciler.planning.indexes import OrderBook
from reconciler.planning.observed import Observed
from reconciler.planning.rebuild import LONG_AGO


@dataclass(frozen=True, slots=True)
class _Latest:
    """The youngest order of ours for one enrollment and key type, by the journal."""

    key: str  # as the tag has it
    order: OwnOrder


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignBook:
    """The campaigns of a project, with what journals and networks say that they need. Empty where there is none."""

    replacements: tuple[Replacement, ...] = ()
    served_anywhere: frozenset[int] | None = None  # on any network; None: not read, or not completely
    _own: Mapping[SslId, OwnOrder] = field(default_factory=dict)
    _latest: Mapping[tuple[EnrollmentId, KeyType], _Latest] = field(default_factory=dict)
    _begun: Mapping[EnrollmentId, tuple[Replacing, ...]] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        replacements: tuple[Replacement, ...],
        journals: Mapping[AccountName, OpenState],
        observed: Observed | None = None,
    ) -> "CampaignBook":
        if not replacements:
            return cls()
        own = [(key, one) for journal in journals.values() for key, one in journal.orders.items()]
        return cls(
            replacements=replacements,
            served_anywhere=_served_anywhere(observed) if observed is not None else None,
            _own={one.ssl_id: one for _, one in own},
            _latest=_latest(own),
            _begun=_begun(journals.values()),
        )

    def begun(self, enrollment: EnrollmentId) -> tuple[Replacing, ...]:
        """Return what campaigns have begun to replace of an enrollment, ended or not."""
        return self._begun.get(enrollment, ())

    def served(self, one: ServedCertificate, enrollment: EnrollmentId, book: OrderBook) -> Issued:
        """Return a served certificate as campaigns see it."""
        order = book.by_serial.get(one.serial)
        if order is not None:
            return self.ordered(order, enrollment, serial=one.serial, issuer=one.issuer)
        told = self._of_unknown(enrollment, one.key_type, book)
        return Issued(serial=one.serial, issuer=one.issuer or None, profile=None, requested=told)

    def ordered(
        self, order: Order, enrollment: EnrollmentId, *, serial: int | None = None, issuer: str | None = None
    ) -> Issued:
        """Return an order, or what came of it, as campaigns see it."""
        return Issued(
            serial=serial if serial is not None else order.serial,
            issuer=issuer or None,
            profile=order.profile_name or None,
            requested=requested(self._of(order, enrollment), order),
        )

    def _of(self, order: Order, enrollment: EnrollmentId) -> OwnOrder | None:
        """Return the order by the journal; None where the journal was rebuilt from SCM, and knows no more than it."""
        own = self._own.get(order.ssl_id)
        if own is None or own.enrollment_id != enrollment:
            return None
        return None if own.requested_at in (LONG_AGO, order.requested_at) else own

    def _of_unknown(self, enrollment: EnrollmentId, key_type: KeyType, book: OrderBook) -> Requested | None:
        """Return when a certificate was asked for whose serial SCM does not know: not known to us either.

        Except where it may be of an order of ours that SCM does not show with its serial (yet): then that is not taken
        for nobody's order, which would be replaced for ever.
        """
        latest = self._latest.get((enrollment, key_type))
        if latest is None:
            return None
        shown = any(
            tagged.order.ssl_id == latest.order.ssl_id and tagged.order.serial is not None
            for tagged in book.by_key.get(latest.key, ())
        )
        return None if shown else Requested(at=None)

    def candidate(
        self,
        desired: DesiredCertificate,
        enrollment: EnrollmentId,
        served: Served,
        book: OrderBook,
        *,
        ordered: tuple[Issued, ...] = (),
        changing: bool = False,
    ) -> Candidate:
        """Return a certificate as campaigns see it, save for what only its standing can tell.

        Args:
            ordered: the live orders of its pending change, if that is ours.
            changing: whether a change of ours is pending.
        """
        live = frozenset(served.production)
        return Candidate(
            name=desired.name,
            account=desired.enrollment.account,
            labels=desired.labels,
            names=desired.sans,
            served=tuple(self.served(one, enrollment, book) for one in served.production.values()),
            ordered=ordered,
            changing=changing,
            begun=frozenset(one.campaign for one in self.begun(enrollment)),
            orders=len(desired.key_types or live or desired.wanted_key_types),
        )


def _latest(own: Iterable[tuple[str, OwnOrder]]) -> Mapping[tuple[EnrollmentId, KeyType], _Latest]:
    by_time = sorted(own, key=lambda one: (one[1].requested_at, one[1].ssl_id))
    return {(order.enrollment_id, order.key_type): _Latest(key, order) for key, order in by_time}


def _begun(journals: Iterable[OpenState]) -> Mapping[EnrollmentId, tuple[Replacing, ...]]:
    found: defaultdict[EnrollmentId, list[Replacing]] = defaultdict(list)
    for journal in journals:
        for record in journal.causes.values():
            if record.replacing is not None and record.enrollment_id is not None:
                found[record.enrollment_id].append(record.replacing)
    return {enrollment: tuple(several) for enrollment, several in found.items()}


def _served_anywhere(observed: Observed) -> frozenset[int] | None:
    readings = [view.served for view in observed.accounts.values()]
    if not all(reading.complete for reading in readings):
        return None
    return frozenset(
        certificate.serial
        for reading in readings
        for served in reading.values.values()
        for network in (served.staging, served.production)
        for certificate in network.values()
    )
