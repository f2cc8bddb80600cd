"""What a served certificate needs: a new one, other settings, or nothing. Pure; says nothing of what is under way."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from reconciler.model.certificate import DesiredCertificate, KeyType
from reconciler.model.enrollment import Enrollment, Served, ServedCertificate
from reconciler.model.entry import CauseId
from reconciler.model.names import DnsName
from reconciler.model.order import Order, OrderStatus
from reconciler.model.policy import Campaign, Policy
from reconciler.model.replacement import Replacing
from reconciler.planning.causes import reissue_cause, renew_cause, update_cause
from reconciler.planning.diff import Difference, Effect, FieldDiffers, KeyTypesDiffer, SansDiffer, differences
from reconciler.planning.indexes import OrderBook
from reconciler.planning.lifetime import due_at, half_life, usable_before, warn_days
from reconciler.planning.profiles import ca_additions
from reconciler.planning.steps import ActionKind

_DAY = timedelta(days=1)
_UNKNOWN_LIFE_WARN_DAYS = 21.0  # pki-rules 2.2 for 199 days, where the lifetime is not known


@dataclass(frozen=True, slots=True, kw_only=True)
class Serving:
    """What production serves for one certificate: the first axis."""

    expires_at: datetime  # the earlier of a pair
    remaining: timedelta
    key_types: frozenset[KeyType]
    serials: frozenset[int]
    issued_at: datetime | None  # None where SCM does not know the serial
    before: timedelta | None  # how long before the end it is to be renewed; None as above
    wrong_override: str | None  # why `renewal.before` is not what `before` says
    due_at: datetime | None
    warn_at: datetime
    names: frozenset[DnsName] | None  # those that every half has; None where SCM does not know the serial
    revoked: bool

    @property
    def below_warn(self) -> bool:
        return self.expires_at - self.remaining >= self.warn_at

    @property
    def lifetime(self) -> timedelta | None:
        """The lifetime in whole days, rounded up as the report's timestamps allow."""
        return None if self.issued_at is None else _whole_days(self.expires_at - self.issued_at)

    @property
    def half_life(self) -> datetime | None:
        """The instant before which it is never due for age."""
        if self.lifetime is None:
            return None
        return half_life(_start(self.expires_at, self.lifetime), self.expires_at, self.issued_at)


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """Why a served certificate is not left alone."""

    kind: ActionKind  # REISSUE, RENEW or UPDATE
    cause: CauseId
    reason: str  # code: "due"
    text: str
    differences: tuple[Difference, ...] = ()
    force: bool = False  # the body already equals the file: CPS must be told to renew
    add_missing: bool = False
    urgent: bool = False  # revoked, expired, below warn, or of a campaign: freezes and jitter do not count
    replacing: Replacing | None = None  # where a campaign is the reason, or one beside another

    @property
    def new_order(self) -> bool:
        return self.kind is not ActionKind.UPDATE


def serving_of(
    desired: DesiredCertificate, served: Served, book: OrderBook, policy: Policy, now: datetime
) -> Serving | None:
    """Return what production serves, None where it serves nothing."""
    live = served.production
    if not live:
        return None
    first = min(live.values(), key=lambda one: one.expires_at)
    orders = [order for one in live.values() if (order := book.by_serial.get(one.serial)) is not None]
    issued_at = _issued_at(book.by_serial.get(first.serial))
    life = None if issued_at is None else _whole_days(first.expires_at - issued_at)
    before, wrong = (None, None) if life is None else usable_before(life, desired.renew_before or policy.renew_before)
    return Serving(
        expires_at=first.expires_at,
        remaining=first.expires_at - now,
        key_types=frozenset(live),
        serials=frozenset(one.serial for one in live.values()),
        issued_at=issued_at,
        before=before,
        wrong_override=wrong,
        due_at=_due_at(first, life, before, desired.common_name, issued_at),
        warn_at=first.expires_at - _DAY * _warn(life, before, policy),
        names=frozenset.intersection(*(one.sans | {one.common_name} for one in orders)) if orders else None,
        revoked=any(_revoked(one) for one in orders),
    )


def _issued_at(order: Order | None) -> datetime | None:
    """Return when the served certificate was issued; where SCM's row has no such date, when it was asked for.

    With neither, every look would find a life of less than `warn` at its end, and renew it.
    """
    return None if order is None else order.issued_at or order.requested_at


def _revoked(order: Order) -> bool:
    return order.status is OrderStatus.REVOKED


def _whole_days(duration: timedelta) -> timedelta:
    return -(-duration // _DAY) * _DAY


def _start(expires_at: datetime, life: timedelta) -> datetime:
    """Return the certificate's start: its lifetime is the report's, in whole days, since SCM gives no notBefore."""
    return expires_at + timedelta(seconds=1) - life


def _due_at(
    served: ServedCertificate,
    life: timedelta | None,
    before: timedelta | None,
    name: DnsName,
    issued_at: datetime | None,
) -> datetime | None:
    if life is None or before is None:
        return None
    return due_at(_start(served.expires_at, life), served.expires_at, name, before, issued_at=issued_at)


def _warn(life: timedelta | None, before: timedelta | None, policy: Policy) -> float:
    if policy.warn_days is not None:
        return policy.warn_days
    return _UNKNOWN_LIFE_WARN_DAYS if life is None or before is None else warn_days(life, before)


def need_of(
    desired: DesiredCertificate,
    enrollment: Enrollment,
    served: Served,
    serving: Serving,
    now: datetime,
    *,
    pull_forward: Callable[[datetime, datetime], datetime] = lambda due, _: due,
    campaign: Campaign | None = None,
) -> Need | None:
    """Return what the served certificate needs, the weightiest first: another one, a younger one, other settings.

    `pull_forward` moves a due date out of a freeze, given it and the warn date. `campaign` is one that the certificate
    is selected by and has not satisfied.
    """
    found = differences(desired, enrollment, served)
    urgent = serving.revoked or serving.remaining <= timedelta() or serving.below_warn
    if other := _other_certificate(desired, found, serving, campaign):
        return Need(
            kind=ActionKind.REISSUE,
            cause=reissue_cause(desired, serving.serials, campaign=campaign.name if campaign is not None else None),
            reason=other.reason,
            text=other.text,
            differences=found,
            force=other.force,
            add_missing=other.add_missing,
            urgent=urgent or campaign is not None,
        )
    if why := _younger_certificate(serving, now, pull_forward):
        reason, text = why
        return Need(
            kind=ActionKind.RENEW,
            cause=renew_cause(serving.serials),
            reason=reason,
            text=text,
            force=True,
            urgent=urgent,
            differences=found,
        )
    if found:
        return Need(
            kind=ActionKind.UPDATE,
            cause=update_cause(enrollment.id, found),
            reason="settings-differ",
            text="settings differ that need no new certificate",
            differences=found,
        )
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Other:
    reason: str
    text: str
    force: bool = False
    add_missing: bool = False


def _other_certificate(
    desired: DesiredCertificate, found: tuple[Difference, ...], serving: Serving, campaign: Campaign | None
) -> _Other | None:
    """Return why another certificate is needed: what the body says first, then what is served, then a campaign."""
    new_order = [one for one in found if one.effect is Effect.NEW_ORDER]
    if any(isinstance(one, SansDiffer) for one in new_order):
        return _Other(reason="names-differ", text="names differ from the served certificate")
    if any(isinstance(one, FieldDiffers) for one in new_order):
        return _Other(reason="subject-differs", text="the subject differs from the served certificate")
    for one in new_order:
        if isinstance(one, KeyTypesDiffer):
            if one.added and not one.removed and campaign is None:  # a campaign replaces the other half too
                return _Other(reason="half-missing", text="a wanted key type is not served", add_missing=True)
            return _Other(reason="key-types-differ", text="key types differ", force=True)
    if serving.names is not None and not _as_wanted(serving.names, desired):
        text = "the enrollment is as wanted, the served certificate is not: its names differ"
        return _Other(reason="served-names-differ", text=text, force=True)
    if campaign is not None:
        return _Other(reason="campaign", text=campaign_text(campaign), force=True)
    return None


def campaign_text(campaign: Campaign) -> str:
    return f"replacement campaign {campaign.name} ({campaign.reason})"


def _as_wanted(names: frozenset[DnsName], desired: DesiredCertificate) -> bool:
    """Tell whether a certificate has the wanted names, and beside them only what a CA adds unasked."""
    return desired.sans <= names and names - desired.sans <= ca_additions(desired.common_name)


def _younger_certificate(
    serving: Serving, now: datetime, pull_forward: Callable[[datetime, datetime], datetime]
) -> tuple[str, str] | None:
    if serving.revoked:
        return "revoked", "SCM says that the served certificate is revoked"
    if serving.remaining <= timedelta():
        return "expired", f"the served certificate expired on {serving.expires_at:%Y-%m-%d %H:%M} UTC"
    if serving.due_at is None:
        if serving.below_warn:
            return "due", "it is close to its end, and SCM does not know when it was issued"
        return None
    due = pull_forward(serving.due_at, serving.warn_at)
    if due > now:
        return None
    moved = "" if due == serving.due_at else f", pulled forward from {serving.due_at:%Y-%m-%d} out of a freeze"
    return "due", f"due for age since {due:%Y-%m-%d %H:%M} UTC{moved}"
