"""The order of one half: what is asked of SCM, and what forbids to place it after all (the order rule)."""

from dataclasses import dataclass
from datetime import datetime

from reconciler.model.certificate import (
    DesiredCertificate,
    EnrollmentId,
)
from reconciler.model.entry import CauseId
from reconciler.model.names import DnsName
from reconciler.model.order import Order, OrderRequest
from reconciler.model.x509 import CsrInfo
from reconciler.planning.half import Half, Surroundings
from reconciler.planning.indexes import OrderBook
from reconciler.planning.ordering import OrderTerms
from reconciler.planning.steps import SubmitOrder
from reconciler.planning.tags import OrderTag, key_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Ordering:
    """What an order of this change is placed with."""

    terms: OrderTerms
    installation: str
    cause: CauseId
    untagged_since: datetime | None  # orders by hand since then stop ours; None: a person lets it go on


def submit_order(of: Surroundings, half: Half, csr: CsrInfo, ordering: Ordering) -> SubmitOrder:
    """Return the order of a half that has none: tagged, with the names that the change was opened for."""
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
