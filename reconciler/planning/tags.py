"""The tag that certrecon writes into the comments of its orders, readable for ever (design: safety 2).

    certrecon/1 i=<installation> e=<enrollment> c=<change> k=<RSA|ECDSA> key=<hash> cause=<hash>

People may add to the comments before and behind it; the tag is found wherever it stands.
"""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from reconciler.model.certificate import ChangeId, EnrollmentId, KeyType
from reconciler.model.entry import CauseId
from reconciler.model.journal import OpenState
from reconciler.model.order import Order, SslId

_PATTERN = re.compile(
    r"certrecon/1\s+i=(?P<installation>\w+)\s+e=(?P<enrollment>\d+)\s+c=(?P<change>\d+)"
    r"\s+k=(?P<key_type>RSA|ECDSA)\s+key=(?P<key>[0-9a-f]+)\s+cause=(?P<cause>[0-9a-f]+)"
)
_KEY_DIGITS = 32  # of the SHA-256 of the SubjectPublicKeyInfo: 128 bits


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderTag:
    """Which CSR an order was placed for, and why."""

    installation: str
    enrollment_id: EnrollmentId
    change_id: ChangeId
    key_type: KeyType
    key: str  # first 32 hex digits of the SHA-256 of the CSR's SubjectPublicKeyInfo
    cause: CauseId

    def __str__(self) -> str:
        return (
            f"certrecon/1 i={self.installation} e={self.enrollment_id} c={self.change_id}"
            f" k={self.key_type} key={self.key} cause={self.cause}"
        )


def bound_orders(journal: OpenState) -> dict[SslId, OrderTag]:
    """Return the tags that our orders were placed with, by the journal: a CSR is bound to its order for ever."""
    return {
        order.ssl_id: OrderTag(
            installation=journal.installation,
            enrollment_id=order.enrollment_id,
            change_id=order.change_id,
            key_type=order.key_type,
            key=key,
            cause=order.cause,
        )
        for key, order in journal.orders.items()
        if order.change_id is not None
    }


def key_of(spki_sha256: str) -> str:
    """Return the tag's form of a public key's SHA-256 in hex."""
    return spki_sha256[:_KEY_DIGITS].lower()


def order_tag(comments: str) -> OrderTag | None:
    """Return the tag in an order's comments; None where there is none, or where a person broke it."""
    found = _PATTERN.search(comments)
    if found is None:
        return None
    return OrderTag(
        installation=found["installation"],
        enrollment_id=EnrollmentId(int(found["enrollment"])),
        change_id=ChangeId(int(found["change"])),
        key_type=KeyType(found["key_type"]),
        key=found["key"],
        cause=CauseId(found["cause"]),
    )


def installation_of(orders: Iterable[Order]) -> str | None:
    """Return the installation id that most of the tags name; None where no order carries a tag."""
    tags = (order_tag(order.comments) for order in orders)
    counted = Counter(tag.installation for tag in tags if tag is not None)
    return min(counted, key=lambda name: (-counted[name], name), default=None)
