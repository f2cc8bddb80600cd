"""Bulk readings, indexed once a look, so that a fleet costs one pass and not one pass a certificate."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from reconciler.model.certificate import ChangeId, EnrollmentId
from reconciler.model.enrollment import Enrollment
from reconciler.model.names import DnsName
from reconciler.model.order import Order, OrderStatus, SslId
from reconciler.planning.tags import OrderTag, order_tag


@dataclass(frozen=True, slots=True, kw_only=True)
class EnrollmentIndex:
    by_id: Mapping[EnrollmentId, Enrollment]
    by_name: Mapping[DnsName, tuple[Enrollment, ...]]

    @classmethod
    def of(cls, enrollments: Iterable[Enrollment]) -> "EnrollmentIndex":
        by_id: dict[EnrollmentId, Enrollment] = {}
        by_name: defaultdict[DnsName, list[Enrollment]] = defaultdict(list)
        for one in enrollments:
            by_id[one.id] = one
            by_name[one.common_name].append(one)
        return cls(by_id=by_id, by_name={name: tuple(found) for name, found in by_name.items()})


@dataclass(frozen=True, slots=True, kw_only=True)
class TaggedOrder:
    order: Order
    tag: OrderTag


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderBook:
    """One instance's orders, by what certrecon asks for."""

    by_change: Mapping[tuple[EnrollmentId, ChangeId], tuple[TaggedOrder, ...]]
    by_key: Mapping[str, tuple[TaggedOrder, ...]]
    by_serial: Mapping[int, Order]
    untagged: Mapping[DnsName, tuple[Order, ...]]  # by common name
    doubled: Mapping[EnrollmentId, tuple[TaggedOrder, ...]]  # live orders that hold one key, the one to use first

    @classmethod
    def of(cls, orders: Iterable[Order], bound: Mapping[SslId, OrderTag] | None = None) -> "OrderBook":
        """Index `orders`. `bound`: what the journal knows of orders that we placed, whatever their comments say now."""
        bound = bound or {}
        by_change: defaultdict[tuple[EnrollmentId, ChangeId], list[TaggedOrder]] = defaultdict(list)
        by_key: defaultdict[str, list[TaggedOrder]] = defaultdict(list)
        by_serial: dict[int, Order] = {}
        untagged: defaultdict[DnsName, list[Order]] = defaultdict(list)
        for order in orders:
            if order.serial is not None:
                by_serial[order.serial] = order
            tag = bound.get(order.ssl_id) or order_tag(order.comments)
            if tag is None:
                untagged[order.common_name].append(order)
                continue
            tagged = TaggedOrder(order=order, tag=tag)
            by_change[tag.enrollment_id, tag.change_id].append(tagged)
            by_key[tag.key].append(tagged)
        return cls(
            by_change={change: tuple(found) for change, found in by_change.items()},
            by_key={key: tuple(found) for key, found in by_key.items()},
            by_serial=by_serial,
            untagged={name: tuple(found) for name, found in untagged.items()},
            doubled=_doubled(by_key.values()),
        )


def first_to_use(one: TaggedOrder) -> tuple[bool, SslId]:
    """Sort orders that hold one key: what is issued comes first, then the oldest."""
    return (one.order.status is not OrderStatus.ISSUED, one.order.ssl_id)


def _doubled(of_keys: Iterable[Iterable[TaggedOrder]]) -> Mapping[EnrollmentId, tuple[TaggedOrder, ...]]:
    found: defaultdict[EnrollmentId, list[TaggedOrder]] = defaultdict(list)
    for of_key in of_keys:
        live = [one for one in of_key if one.order.status.live]
        if len(live) > 1:
            found[live[0].tag.enrollment_id].extend(sorted(live, key=first_to_use))
    return {enrollment: tuple(orders) for enrollment, orders in found.items()}
