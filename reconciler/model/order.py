"""What SCM says: orders, profiles, organizations."""

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import NewType

from reconciler.model.names import DnsName

SslId = NewType("SslId", int)
RenewId = NewType("RenewId", str)
OrganizationId = NewType("OrganizationId", int)  # an organization's or a department's
ProfileId = NewType("ProfileId", int)


class OrderStatus(enum.StrEnum):
    INIT = "Init"
    REQUESTED = "Requested"
    SA_APPROVED = "SA Approved"
    APPROVED = "Approved"
    APPLIED = "Applied"
    ISSUED = "Issued"
    DECLINED = "Declined"
    REJECTED = "Rejected"
    INVALID = "Invalid"
    REVOKED = "Revoked"
    EXPIRED = "Expired"
    REPLACED = "Replaced"
    UNKNOWN = "unknown"  # SCM said something else: wait and say so, never take it for success

    @property
    def live(self) -> bool:
        """Whether the order still holds its CSR: everything but Declined, Rejected, Invalid, Revoked."""
        return self not in _DEAD

    @property
    def pending(self) -> bool:
        """Whether the order is on its way to a certificate."""
        return self in _PENDING


_DEAD = frozenset({OrderStatus.DECLINED, OrderStatus.REJECTED, OrderStatus.INVALID, OrderStatus.REVOKED})
_PENDING = frozenset(
    {
        OrderStatus.INIT,
        OrderStatus.REQUESTED,
        OrderStatus.SA_APPROVED,
        OrderStatus.APPROVED,
        OrderStatus.APPLIED,
        OrderStatus.UNKNOWN,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """One certificate request at SCM, as a row of its report."""

    ssl_id: SslId
    common_name: DnsName
    sans: frozenset[DnsName]
    status: OrderStatus
    status_text: str  # as SCM spelt it
    organization_id: OrganizationId | None
    profile_id: ProfileId | None
    profile_name: str
    term_days: int | None
    comments: str
    serial: int | None
    requested_at: datetime | None
    issued_at: datetime | None
    expires_at: datetime | None
    requester: str = ""
    approver: str = ""
    renewed: bool | None = None  # a successor is linked; None: the report does not say, only details do


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """A certificate profile: what may be ordered, for how long, with which keys."""

    id: ProfileId
    name: str
    terms_days: frozenset[int]
    key_types: Mapping[str, frozenset[str]]  # {"RSA": {"2048"}, "EC": {"P-256"}}


@dataclass(frozen=True, slots=True, kw_only=True)
class Organization:
    """An organization, or a department with its parent's name."""

    id: OrganizationId
    name: str
    parent: str | None = None

    @property
    def path(self) -> str:
        """The name as users write it: "Example Ltd", "Example Ltd / Web"."""
        return f"{self.parent} / {self.name}" if self.parent else self.name


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderRequest:
    """What `submit_order` sends: every field that SCM's enroll takes from us."""

    organization_id: OrganizationId
    profile_id: ProfileId
    term_days: int
    csr_pem: str
    sans: tuple[DnsName, ...]  # sorted, the common name first
    comments: str
    external_requester: tuple[str, ...] = ()
    custom_fields: Mapping[str, str] = field(default_factory=dict)
    dcv_mode: str | None = None
    dcv_email: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacedOrder:
    ssl_id: SslId
    renew_id: RenewId | None
