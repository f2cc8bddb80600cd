"""What no file asks for, or no network serves: enrollments that nobody renews, orders whose certificate lies idle."""

import enum
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from reconciler.model.certificate import AccountName, DesiredCertificate, EnrollmentId, InstanceName
from reconciler.model.enrollment import Enrollment, Served, ServedCertificate
from reconciler.model.order import Order, OrderStatus
from reconciler.planning.case import Context
from reconciler.planning.matching import Absent, Found, InTheWay, match_enrollment
from reconciler.planning.observed import AccountView
from reconciler.planning.tags import order_tag


class Claim(enum.StrEnum):
    """Why an enrollment that no file claims is known."""

    RELEASED = "released"  # the journal has it as managed, and its file is gone
    FORMERLY_MANAGED = "formerly managed"  # only the tags of its orders tell
    UNMANAGED = "unmanaged"


@dataclass(frozen=True, slots=True, kw_only=True)
class UnclaimedEnrollment:
    """An enrollment that no file claims: it stays as it is, and nobody renews it."""

    enrollment: Enrollment
    claim: Claim
    expires_at: datetime | None  # None: production serves nothing


@dataclass(frozen=True, slots=True, kw_only=True)
class StrayOrder:
    """An order that is alive at SCM, while no network serves its certificate and no change waits for it."""

    instance: InstanceName
    order: Order
    superseded: bool  # a later certificate is served in its place: it only waits for its end


def unclaimed_enrollments(
    context: Context, certificates: Iterable[DesiredCertificate]
) -> tuple[UnclaimedEnrollment, ...]:
    """Return the third-party enrollments that none of `certificates` claims; those that end first come first.

    `certificates` are all of the project, not only those that were planned. An account that could not be read
    completely gives none.
    """
    certificates = tuple(certificates)
    tagged = _tagged(context)
    found: list[UnclaimedEnrollment] = []
    for account, view in context.observed.accounts.items():
        if not (view.enrollments.complete and view.served.complete):
            continue
        claimed = claimed_enrollments(context, account, view, certificates)
        journal = context.journals.get(account)
        managed = frozenset(journal.enrollments.values()) if journal is not None else frozenset()
        found.extend(
            UnclaimedEnrollment(
                enrollment=one,
                claim=_claim(one.id, managed, tagged),
                expires_at=_expires_at(view.served.values, one),
            )
            for one in view.enrollments.values
            if one.third_party and one.id not in claimed
        )
    return tuple(sorted(found, key=_by_end))


def _by_end(one: UnclaimedEnrollment) -> tuple[int, bool, float, int]:
    end = one.expires_at
    return (list(Claim).index(one.claim), end is None, end.timestamp() if end else 0.0, one.enrollment.id)


def claimed_enrollments(
    context: Context, account: AccountName, view: AccountView, certificates: Iterable[DesiredCertificate]
) -> frozenset[EnrollmentId]:
    """Return what files claim; where a file fits several, or one that is in its way, all of that name."""
    pinned = context.claimed.get(account, frozenset())
    found = set(pinned)
    for one in certificates:
        if one.enrollment.account != account:
            continue
        match match_enrollment(one, view.index, claimed=pinned - {one.enrollment.enrollment_id}):
            case Found(enrollment=enrollment):
                found.add(enrollment.id)
            case InTheWay():
                found |= {other.id for other in view.index.by_name.get(one.common_name, ())}
            case Absent():
                pass
    return frozenset(found)


def _installations(context: Context) -> frozenset[str]:
    """Return the installation ids that our tags carry: each journal has its own."""
    return frozenset({context.installation, *(one.installation for one in context.journals.values())})


def _tagged(context: Context) -> frozenset[EnrollmentId]:
    """Return the enrollments that an order of ours was placed for."""
    ours = _installations(context)
    return frozenset(
        one.tag.enrollment_id
        for view in context.observed.instances.values()
        for orders in view.book.by_change.values()
        for one in orders
        if one.tag.installation in ours
    )


def _claim(number: EnrollmentId, managed: frozenset[EnrollmentId], tagged: frozenset[EnrollmentId]) -> Claim:
    if number in managed:
        return Claim.RELEASED
    return Claim.FORMERLY_MANAGED if number in tagged else Claim.UNMANAGED


def _expires_at(served: Mapping[EnrollmentId, Served], enrollment: Enrollment) -> datetime | None:
    live = served.get(enrollment.id, Served()).production.values()
    return min((one.expires_at for one in live), default=None)


def stray_orders(context: Context) -> tuple[StrayOrder, ...]:
    """Return the orders of certrecon's, and of names that an account has, that are alive and serve nowhere.

    Orders of other names are for other servers, and none of our business. What could not be read completely gives
    none.
    """
    observed = context.observed
    complete = all(view.enrollments.complete and view.served.complete for view in observed.accounts.values())
    if not complete:
        return ()
    known = _Known(context)
    found = [
        StrayOrder(instance=name, order=order, superseded=known.superseded(order))
        for name, view in observed.instances.items()
        if view.orders.complete
        for order in view.orders.values
        if known.astray(order)
    ]
    return tuple(sorted(found, key=lambda one: (one.superseded, one.instance, one.order.ssl_id)))


class _Known:
    """What orders are judged by: names, serials and pending changes of all accounts."""

    def __init__(self, context: Context) -> None:
        self._now = context.observed.at
        self._installations = _installations(context)
        accounts = tuple(context.observed.accounts.values())
        enrollments = [one for view in accounts for one in view.enrollments.values]
        self._ids = {one.id for one in enrollments} | _ids_of_journals(context)
        self._names = {one.common_name for one in enrollments}
        self._busy_names = {one.common_name for one in enrollments if one.pending}
        self._pending = {(one.id, change.id) for one in enrollments for change in one.pending}
        self._serials = {one.serial for view in accounts for one in _served(view)}
        self._newest = self._newest_served(context)

    def _newest_served(self, context: Context) -> dict[str, datetime]:
        """Return, by common name, when the newest served certificate was issued."""
        newest: dict[str, datetime] = {}
        for view in context.observed.instances.values():
            for serial, order in view.book.by_serial.items():
                if serial in self._serials and order.issued_at is not None:
                    before = newest.get(order.common_name)
                    newest[order.common_name] = order.issued_at if before is None else max(before, order.issued_at)
        return newest

    def astray(self, order: Order) -> bool:
        tag = order_tag(order.comments)
        if tag is None:
            if order.common_name not in self._names or order.common_name in self._busy_names:
                return False  # a change waits for a certificate of that name, and this may be it
        elif tag.installation not in self._installations or tag.enrollment_id not in self._ids:
            return False  # another account's, which was not read
        elif (tag.enrollment_id, tag.change_id) in self._pending:
            return False
        return self._alive(order) and order.serial not in self._serials

    def _alive(self, order: Order) -> bool:
        if order.status is OrderStatus.ISSUED:
            return order.expires_at is None or order.expires_at > self._now
        return order.status.pending

    def superseded(self, order: Order) -> bool:
        newest = self._newest.get(order.common_name)
        return newest is not None and order.issued_at is not None and order.issued_at <= newest


def _ids_of_journals(context: Context) -> set[EnrollmentId]:
    return {
        number
        for journal in context.journals.values()
        for number in (*journal.enrollments.values(), *(one.enrollment_id for one in journal.orders.values()))
    }


def _served(view: AccountView) -> Iterator[ServedCertificate]:
    for one in view.served.values.values():
        yield from one.staging.values()
        yield from one.production.values()
