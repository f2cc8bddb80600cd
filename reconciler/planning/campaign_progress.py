"""Replacement campaigns as a whole: what they will take, and how far they are."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

from reconciler.model.certificate import AccountName, CertificateName
from reconciler.model.names import is_wildcard
from reconciler.model.replacement import Replacement
from reconciler.planning.campaigns import Candidate, Judged, Progress, judge

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How fast one account can go."""

    calls_per_minute: float
    orders_left_today: int
    orders_per_day: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """What a campaign takes from now on, if people and services do not delay it."""

    certificates: int
    orders: int
    calls: int  # of CPS
    finishes_at: datetime | None  # None: never, as some orders are beyond what a day allows
    in_time: int  # how many are deployed by the deadline; all of those that ever are, where there is none
    late: tuple[CertificateName, ...]  # the others, the most exposed first


def estimate(
    replacement: Replacement,
    candidates: Iterable[Candidate],
    *,
    paces: Mapping[AccountName, Pace],
    calls_per_certificate: float,
    latency: timedelta,
    now: datetime,
) -> Estimate:
    """Return what it takes to replace all that waits for a campaign. Accounts work side by side.

    Args:
        candidates: of all accounts in `paces`; those that do not wait are left out.
        calls_per_certificate: of CPS, from the start to production, polling included.
        latency: from the last call of a certificate's work until it is in production: issue and deployment.
        now: service time.
    """
    waiting = sorted(
        (one for one in candidates if judge(replacement, one) == Judged(progress=Progress.WAITING)), key=exposure
    )
    finished: dict[CertificateName, datetime | None] = {}
    for account, pace in paces.items():
        of_account = [one for one in waiting if one.account == account]
        finished |= _finishes(of_account, pace, calls_per_certificate, latency, now)
    deadline = replacement.campaign.deadline
    late = [one.name for one in waiting if not _in_time(finished[one.name], deadline)]
    ends = [*finished.values()]
    return Estimate(
        certificates=len(waiting),
        orders=sum(one.orders for one in waiting),
        calls=_rounded_up(len(waiting) * calls_per_certificate),
        finishes_at=None if None in ends else max((end for end in ends if end is not None), default=now),
        in_time=len(waiting) - len(late),
        late=tuple(late),
    )


Exposure = tuple[bool, bool, int, bool, timedelta, CertificateName]


def exposure(candidate: Candidate) -> Exposure:
    """Return what certificates are sorted by in a campaign: the first one's outage would hurt the most.

    What is revoked already is refused by browsers now; a wildcard stands for any number of hosts; then the number of
    names; then the time left.
    """
    return (
        not candidate.revoked,
        not any(is_wildcard(name) for name in candidate.names),
        -len(candidate.names),
        candidate.remaining is None,
        candidate.remaining or timedelta(),
        candidate.name,
    )


def _finishes(
    ordered: Sequence[Candidate], pace: Pace, calls_per_certificate: float, latency: timedelta, now: datetime
) -> Mapping[CertificateName, datetime | None]:
    """Return when each certificate of an account is in production, worked on in this order; None: never."""
    if pace.calls_per_minute <= 0:
        raise ValueError("a pace without calls")
    work = timedelta(minutes=calls_per_certificate / pace.calls_per_minute)
    at, orders = now, 0
    found: dict[CertificateName, datetime | None] = {}
    for one in ordered:
        opens_at = _orders_open_at(orders + one.orders, pace, now)
        if opens_at is None:
            found[one.name] = None
            continue
        orders += one.orders
        at = max(at, opens_at) + work
        found[one.name] = at + latency
    return found


def _orders_open_at(orders: int, pace: Pace, now: datetime) -> datetime | None:
    """Return when the daily budget allows so many orders in all: today, or at the start of a day by UTC."""
    beyond = orders - max(pace.orders_left_today, 0)
    if beyond <= 0:
        return now
    if pace.orders_per_day <= 0:
        return None
    midnight = datetime.combine(now.astimezone(UTC).date(), time(), tzinfo=UTC)
    return midnight + -(-beyond // pace.orders_per_day) * _DAY


def _in_time(end: datetime | None, deadline: datetime | None) -> bool:
    return end is not None and (deadline is None or end <= deadline)


def _rounded_up(number: float) -> int:
    return -int(-number // 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stuck:
    """A certificate of a campaign that does not move."""

    name: CertificateName
    cause: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BurnDown:
    """How far a campaign is."""

    campaign: str
    deadline: datetime | None
    done: int
    in_flight: tuple[CertificateName, ...]  # here and below, the most exposed first
    waiting: tuple[CertificateName, ...]
    stuck: tuple[Stuck, ...]
    serials_not_served: int  # of those in its file: replaced before, or not on this CDN

    @property
    def total(self) -> int:
        return self.done + self.left

    @property
    def left(self) -> int:
        return len(self.in_flight) + len(self.waiting) + len(self.stuck)

    def late(self, now: datetime) -> bool:
        return self.left > 0 and self.deadline is not None and now > self.deadline


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignState:
    """One campaign in a report: how far it is, and what the rest takes."""

    burn_down: BurnDown
    estimate: Estimate


def burn_down(replacement: Replacement, candidates: Iterable[Candidate]) -> BurnDown:
    """Count a campaign's certificates by how far they are."""
    by_exposure = sorted(candidates, key=exposure)
    groups: defaultdict[Progress, list[CertificateName]] = defaultdict(list)
    stuck: list[Stuck] = []
    for one in by_exposure:
        judged = judge(replacement, one)
        if judged is None:
            continue
        groups[judged.progress].append(one.name)
        if judged.progress is Progress.STUCK:
            stuck.append(Stuck(name=one.name, cause=judged.cause))
    served = {half.serial for one in by_exposure for half in one.served}
    return BurnDown(
        campaign=replacement.campaign.name,
        deadline=replacement.campaign.deadline,
        done=len(groups[Progress.DONE]),
        in_flight=tuple(groups[Progress.IN_FLIGHT]),
        waiting=tuple(groups[Progress.WAITING]),
        stuck=tuple(stuck),
        serials_not_served=len(replacement.serials - served),
    )
