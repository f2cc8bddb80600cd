"""What is said of an order that is not an issued, sound certificate: who has to act on it, and when to look again."""

from datetime import datetime, timedelta

from reconciler.model.certificate import (
    CertificateName,
)
from reconciler.model.order import Order, OrderStatus
from reconciler.planning.findings import Finding
from reconciler.planning.half import Half
from reconciler.planning.steps import Actor, Blocked, Phase, Wait


def placed_by_hand(order: Order, name: CertificateName) -> Blocked:
    """An order that nobody tagged may be for our CSR: a person has to say."""
    return Blocked(
        phase=Phase.CSR,
        actor=Actor.OPERATOR,
        text=f"order {order.ssl_id} of equal name, organization and profile was placed by"
        f" {order.requester or 'somebody'} and may be for this CSR",
        remedy="Decline or revoke it in SCM, or upload its certificate in the portal. If it is for something else, run"
        f" `certrecon apply --retry {name}`.",
        reason="untagged-order",
    )


def checks_failed(phase: Phase, half: Half, found: tuple[Finding, ...], remedy: str) -> Blocked:
    """A CSR or a certificate is not as it must be: it is not used."""
    said = "; ".join(str(finding) for finding in found)
    return Blocked(
        phase=phase,
        actor=Actor.OPERATOR,
        text=f"the {half.key_type} {'CSR' if phase is Phase.CSR else 'certificate'} fails its checks: {said}",
        remedy=remedy,
        reason="check-failed",
        error=True,
    )


def dead_order(half: Half, name: CertificateName) -> Blocked:
    """Nothing comes of the order: a person clears the reason and says so."""
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


def order_under_way(order: Order, now: datetime) -> Wait:
    """Say who has to act on an order that is alive, and when to look at it again."""
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
