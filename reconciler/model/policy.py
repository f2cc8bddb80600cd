"""The configuration as values: accounts, instances, policy. `desired.project` reads it."""

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Literal

from reconciler.errors import Location
from reconciler.model.certificate import AccountName, InstanceName, RenewBefore


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """One Akamai account. Credentials come from a section of `.edgerc`, or from the variables named here."""

    name: AccountName
    account_id: str | None = None
    edgerc_section: str | None = None
    variables: Mapping[str, str] = field(
        default_factory=dict
    )  # "host" -> "AKAMAI_HOST"; used where there is no section
    account_switch_key: str | None = None
    calls_per_minute: int = 30
    location: Location


class LoginKind(enum.StrEnum):
    PASSWORD = "password"  # noqa: S105 - the word of the file
    OAUTH = "oauth"
    CERTIFICATE = "certificate"


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """How to log in to an instance: names of variables, never what they hold."""

    kind: LoginKind
    login: str | None = None
    password: str | None = None
    customer_uri: str | None = None  # a value: the last part of the portal's address
    client_id: str | None = None
    client_secret: str | None = None
    certificate_file: str | None = None
    key_file: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Instance:
    """One SCM instance."""

    name: InstanceName
    base_url: str
    login: Login
    private_roots: frozenset[str] = frozenset()  # SHA-256, upper-case hex without colons
    private_root_pems: tuple[str, ...] = ()  # of those whose certificates are had here
    location: Location


class Approval(enum.StrEnum):
    MERGE = "merge"
    PLAN = "plan"


@dataclass(frozen=True, slots=True, kw_only=True)
class Freeze:
    """Days on which nothing is renewed unless it must be; both ends inside."""

    first: date
    last: date
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Budgets:
    orders: int = 50
    orders_per_day: int = 200
    deletes: int = 0
    revokes: int = 0
    cancels: int = 0
    changed_percent: int = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Which certificates a campaign is about; every named part must fit."""

    labels: Mapping[str, str] = field(default_factory=dict)
    names: tuple[str, ...] = ()
    serials_file: str | None = None
    issuer: str | None = None
    profile: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Campaign:
    """A replacement of certificates that were issued before an instant."""

    name: str
    issued_before: datetime
    select: Selection
    reason: str
    deadline: datetime | None = None
    promote: str | None = None
    revoke_old: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    approval: Approval = Approval.MERGE
    plan_max_age: timedelta = timedelta(days=14)
    renew_before: RenewBefore | None = None
    csr_max_age: timedelta = timedelta(days=14)
    freezes: tuple[Freeze, ...] = ()
    warn_days: float | None = None
    critical_days: float | None = None
    accept_warnings: frozenset[str] = frozenset()
    budgets: Budgets = Budgets()
    campaigns: tuple[Campaign, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class LockSettings:
    backend: Literal["git", "file", "none"] = "git"
    remote: str = "origin"
    ttl: timedelta = timedelta(minutes=10)
    ref_prefix: str = "refs/certrecon"


@dataclass(frozen=True, slots=True, kw_only=True)
class Notification:
    url_variable: str
    on: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """The whole of certrecon.yaml."""

    root: Path  # the folder that holds it
    name: str | None
    requires: str | None
    accounts: Mapping[AccountName, Account]
    instances: Mapping[InstanceName, Instance]
    policy: Policy
    lock: LockSettings
    notify: tuple[Notification, ...] = ()
