"""The orders that a fleet will ask for: month by month, and a year at each lifetime that the rules still have in store.

The forecast plays on what is served: each certificate is ordered when it is due, for as long as the rules of that day
let it live, and so on. Nothing new is added to the fleet, nothing fails, and each order is issued on its day.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from reconciler.model.certificate import IssuerClass, RenewBefore, State
from reconciler.model.limits import PUBLIC_LIMITS, public_limit
from reconciler.model.names import DnsName
from reconciler.model.policy import Policy
from reconciler.planning.lifetime import due_at, usable_before
from reconciler.planning.ordering import OrderTerms
from reconciler.planning.plan import Plan, Standing
from reconciler.planning.steps import Wait

_DAY = timedelta(days=1)
_YEAR = timedelta(days=365)


@dataclass(frozen=True, slots=True, kw_only=True)
class Renewing:
    """One certificate as the forecast takes it."""

    common_name: DnsName
    next_at: datetime  # when it is ordered next; for what is under way, when that began to be waited for
    next_orders: int  # that this first time still takes
    orders: int  # that each later time takes: one for each key type
    public: bool
    cap_days: int | None  # what file or profile allow, where that is less than the rules do
    renew_before: RenewBefore | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MonthLoad:
    first: date
    orders: int
    max_days: int  # the limit for public certificates on its last day


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitLoad:
    """What the same fleet asks for in a year while one limit holds, when all of it has come down to that."""

    since: date  # the day from which the limit holds
    max_days: int
    orders_a_year: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    certificates: int
    year_orders: int  # in the 365 days from now
    months: tuple[MonthLoad, ...]  # this one first, as far as it is still to come
    limits: tuple[LimitLoad, ...]  # the one that holds, then those to come


def forecast(fleet: Sequence[Renewing], *, at: datetime) -> Forecast:
    """Return the orders to expect, to a year after the last cut that is known (a year from now, after that)."""
    last = max(at + _YEAR, _midnight(PUBLIC_LIMITS[-1].since) + _YEAR)
    end = _midnight(_next(last.date()))
    months: Counter[date] = Counter()
    year_orders = 0
    for one in fleet:
        for ordered_at, orders in _orders(one, at=at, end=end):
            months[ordered_at.date().replace(day=1)] += orders
            year_orders += orders if ordered_at < at + _YEAR else 0
    return Forecast(
        certificates=len(fleet),
        year_orders=year_orders,
        months=tuple(
            MonthLoad(first=first, orders=months[first], max_days=public_limit(_last_of(first)).max_days)
            for first in _months(at.date(), last.date())
        ),
        limits=tuple(
            LimitLoad(since=limit.since, max_days=limit.max_days, orders_a_year=_a_year(fleet, limit.since))
            for limit in PUBLIC_LIMITS
            if limit.since >= public_limit(at.date()).since
        ),
    )


def renewing_of(standing: Standing, terms: OrderTerms | None, policy: Policy, *, at: datetime) -> Renewing | None:
    """Return the certificate as the forecast takes it; None where nobody will order it again.

    One whose end is near, whatever its work is held up by, is taken to be ordered now: the work is only late.
    """
    desired, serving, action = standing.desired, standing.serving, standing.action
    if desired.state is State.ABSENT:
        return None
    public = desired.order.issuer is IssuerClass.PUBLIC
    kinds = len(desired.key_types or (serving.key_types if serving is not None else ())) or 1
    next_at, next_orders = at, kinds
    if action is not None and action.orders is not None:
        next_orders = action.orders.count
    elif isinstance(standing.decision, Wait):
        next_orders = standing.decision.to_order
    elif serving is not None:
        due = serving.due_at or serving.expires_at - 30 * _DAY  # nobody knows how long it has lived
        next_at = max(at, due)
    return Renewing(
        common_name=desired.common_name,
        next_at=next_at,
        next_orders=next_orders,
        orders=kinds,
        public=public,
        cap_days=_cap(desired.order.term_days, terms, public=public, today=at.date()),
        renew_before=desired.renew_before or policy.renew_before,
    )


def fleet_of(plan: Plan, terms: Iterable[OrderTerms | None], policy: Policy) -> tuple[Renewing, ...]:
    """Return all certificates of a plan; `terms` are those of its standings, in their order."""
    pairs = zip(plan.standings, terms, strict=True)
    return tuple(one for standing, of in pairs if (one := renewing_of(standing, of, policy, at=plan.at)) is not None)


def _cap(wanted: int | None, terms: OrderTerms | None, *, public: bool, today: date) -> int | None:
    """Return the longest life that anything but the rules allows.

    A profile whose longest term is the rules' limit of today is taken to follow them down.
    """
    offered = terms.term_days if terms is not None else None
    if public and offered is not None and offered >= public_limit(today).max_days:
        offered = None
    given = [days for days in (wanted, offered) if days is not None]
    return min(given) if given else None


def _orders(one: Renewing, *, at: datetime, end: datetime) -> Iterator[tuple[datetime, int]]:
    ordered_at, orders = max(one.next_at, at), one.next_orders
    until_next: dict[int, timedelta] = {}  # by life: a certificate comes to two or three, and asks for many
    while ordered_at < end:
        yield ordered_at, orders
        days = _life_days(one, ordered_at.date())
        if days not in until_next:
            until_next[days] = _until_due(one, days)
        ordered_at, orders = _midnight(ordered_at.date()) + until_next[days], one.orders


def _life_days(one: Renewing, issued_on: date) -> int:
    """Return how long a certificate of that day lives; of a private one whose term nobody tells, a year or so."""
    limit = public_limit(issued_on).max_days if one.public else None
    return min((days for days in (limit, one.cap_days) if days is not None), default=PUBLIC_LIMITS[0].max_days)


def _until_due(one: Renewing, days: int) -> timedelta:
    """Return how long after the midnight of its issue a certificate of so many days is due."""
    life = days * _DAY
    born = _midnight(PUBLIC_LIMITS[-1].since)  # any: only the distance counts
    before, _ = usable_before(life, one.renew_before)
    return due_at(born, born + life - timedelta(seconds=1), one.common_name, before) - born


def _a_year(fleet: Sequence[Renewing], on: date) -> int:
    """Return the orders of a year, without jitter, with the limit of that day for all."""
    return round(sum(one.orders * (_YEAR / _interval(one, _life_days(one, on))) for one in fleet))


def _interval(one: Renewing, days: int) -> timedelta:
    life = days * _DAY
    before, _ = usable_before(life, one.renew_before)
    return max(life - before, life / 2)


def _months(first: date, last: date) -> Iterator[date]:
    month = first.replace(day=1)
    while month <= last:
        yield month
        month = _next(month)


def _next(day: date) -> date:
    """Return the first of the month after."""
    return (day.replace(day=1) + 32 * _DAY).replace(day=1)


def _last_of(month: date) -> date:
    return _next(month) - _DAY


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), tzinfo=UTC)
