"""Which orders SCM is to be told of as successors, so that its mails about the older certificates' end stop.

An order's details say that a successor was linked; the report, which a look reads, does not (sectigo-scm 2.7 and 3.1).
So the journal remembers what SCM was told, and without a journal nothing is told.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from reconciler.model.certificate import AccountName, DesiredCertificate, InstanceName
from reconciler.model.enrollment import Enrollment, Served
from reconciler.model.entry import OrderLink
from reconciler.model.journal import OpenState, OwnOrder
from reconciler.model.order import Order, OrderStatus, SslId
from reconciler.planning.case import Context
from reconciler.planning.steps import LinkOrders


@dataclass(frozen=True, slots=True, kw_only=True)
class Links:
    """What a look and the journals say of successions, indexed once."""

    context: Context
    placed: Mapping[AccountName, Mapping[SslId, OwnOrder]]  # our orders that succeed others
    older: Mapping[tuple[InstanceName, SslId], Order]  # those others, as far as SCM shows them
    served: frozenset[int]  # serials on any network of any account

    @classmethod
    def of(cls, context: Context) -> "Links":
        placed = {
            account: {own.ssl_id: own for own in journal.orders.values() if own.succeeds}
            for account, journal in context.journals.items()
        }
        wanted = {ssl_id for orders in placed.values() for own in orders.values() for ssl_id in own.succeeds}
        observed = context.observed
        return cls(
            context=context,
            placed=placed,
            older={
                (name, order.ssl_id): order
                for name, view in observed.instances.items()
                for order in view.orders.values
                if order.ssl_id in wanted
            },
            served=frozenset(
                serial
                for view in observed.accounts.values()
                for served in view.served.values.values()
                for serial in _serials(served)
            ),
        )

    def due(self, desired: DesiredCertificate, enrollment: Enrollment) -> tuple[LinkOrders, ...]:
        """Return what SCM is to be told now that production serves what is wanted: each succession once."""
        account = desired.enrollment.account
        journal, placed = self.context.journals.get(account), self.placed.get(account)
        if journal is None or not placed:
            return ()
        return tuple(
            LinkOrders(
                instance=desired.order.instance,
                enrollment_id=enrollment.id,
                cause=own.cause,
                link=OrderLink(old=older.ssl_id, new=own.ssl_id, until=older.expires_at),
            )
            for own in self._in_production(desired, enrollment, placed)
            for older in self._succeeded(desired.order.instance, own, journal)
            if older.expires_at is not None
        )

    def _in_production(
        self, desired: DesiredCertificate, enrollment: Enrollment, placed: Mapping[SslId, OwnOrder]
    ) -> Iterator[OwnOrder]:
        """Yield our orders whose certificates the enrollment's production serves."""
        book = self.context.observed.instances[desired.order.instance].book
        view = self.context.observed.accounts[desired.enrollment.account]
        for _, one in sorted(view.served.values.get(enrollment.id, Served()).production.items()):
            order = book.by_serial.get(one.serial)
            own = placed.get(order.ssl_id) if order is not None else None
            if own is not None and own.enrollment_id == enrollment.id:
                yield own

    def _succeeded(self, instance: InstanceName, own: OwnOrder, journal: OpenState) -> Iterator[Order]:
        """Yield the older orders that SCM still mails about and that it was not told of: issued, valid, not served."""
        under_way = {one.intent.link.old for one in journal.open if one.intent.link is not None}
        closed = {old for old, record in journal.links.items() if record.closed}
        for ssl_id in sorted(own.succeeds - closed - under_way):
            order = self.older.get((instance, ssl_id))
            if order is None or order.status is not OrderStatus.ISSUED or order.serial in self.served:
                continue
            if order.expires_at is not None and self.context.observed.at < order.expires_at:
                yield order


def _serials(served: Served) -> Iterator[int]:
    for network in (served.staging, served.production):
        yield from (one.serial for one in network.values())


def link_text(step: LinkOrders) -> str:
    """Return the step as a plan announces it."""
    return f"SCM is to be told that order {step.link.new} succeeds order {step.link.old}, whose mails end with that"
