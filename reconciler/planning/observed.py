"""What one bulk look saw, joined: accounts, instances, and the changes that are under way."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from reconciler.model.certificate import AccountName, ContractId, EnrollmentId, InstanceName
from reconciler.model.enrollment import Change, ChangeManagement, ChangeRecord, Csr, Enrollment, Served
from reconciler.model.order import Order, Organization, Profile, SslId
from reconciler.model.reading import Reading
from reconciler.model.x509 import Certificate
from reconciler.planning.indexes import EnrollmentIndex, OrderBook


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountView:
    """One Akamai account, read in bulk."""

    contracts: Reading[frozenset[ContractId]]
    enrollments: Reading[tuple[Enrollment, ...]]
    served: Reading[Mapping[EnrollmentId, Served]]
    index: EnrollmentIndex  # of `enrollments`


@dataclass(frozen=True, slots=True, kw_only=True)
class InstanceView:
    """One SCM instance, read in bulk."""

    organizations: Reading[tuple[Organization, ...]]
    profiles: Reading[tuple[Profile, ...]]
    orders: Reading[tuple[Order, ...]]
    book: OrderBook  # of `orders`


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeView:
    """One pending change in detail. A `problem` says that it could not be read: nothing is decided for it."""

    change: Change | None
    csrs: tuple[Csr, ...] | None = None  # None: not ready, or not read because another input waits
    warnings: str | None = None  # the whole text of the warnings that wait
    management: ChangeManagement | None = None
    record: ChangeRecord | None = None  # who opened it, when
    problem: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """Everything that the services said in one look."""

    at: datetime  # service time that decisions are made as of: the look's start, or an instant to come
    accounts: Mapping[AccountName, AccountView]
    instances: Mapping[InstanceName, InstanceView]
    changes: Mapping[tuple[AccountName, EnrollmentId], ChangeView] = field(default_factory=dict)
    collected: Mapping[tuple[InstanceName, SslId], tuple[Certificate, ...]] = field(default_factory=dict)
    staging_handshakes: Mapping[tuple[AccountName, EnrollmentId], frozenset[int]] = field(
        default_factory=dict
    )  # serials
    histories: Mapping[tuple[AccountName, EnrollmentId], tuple[ChangeRecord, ...]] = field(
        default_factory=dict
    )  # of those whose change of ours is gone while something is needed still
    problems: tuple[str, ...] = ()  # what could not be read, one sentence each
    seen_at: datetime | None = None  # where decisions are made as of an instant to come: when all this was seen
