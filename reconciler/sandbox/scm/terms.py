"""How long a public certificate may live, and how old a domain validation may be, by the day of issue.

CA/Browser Forum Baseline Requirements 6.3.2 and 4.2.1 (ballot SC-081v3), each less the day that Sectigo keeps in
reserve; Sectigo brought the first step forward to 2026-03-12.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from reconciler.sandbox.scm.options import ScmOptions
from reconciler.sandbox.scm.state import Domain, Profile

_LEGACY_TERMS = [365]


@dataclass(frozen=True, slots=True)
class _Limit:
    since: date
    term_days: int
    validation_days: int


_LIMITS = (
    _Limit(date(2029, 3, 15), 46, 8),
    _Limit(date(2027, 3, 15), 99, 98),
    _Limit(date(2026, 3, 12), 199, 198),
    _Limit(date.min, 397, 397),
)


def _limit(now: datetime) -> _Limit:
    day = now.astimezone(UTC).date()
    return next(limit for limit in _LIMITS if limit.since <= day)


def longest_term(now: datetime) -> int:
    """Return the days a public certificate issued at `now` may last."""
    return _limit(now).term_days


def terms_of(profile: Profile, options: ScmOptions, now: datetime) -> list[int]:
    """Return the terms a profile offers today: longer ones than the day allows give way to the longest allowed."""
    if profile.kind == "PRIVATE":
        return profile.terms
    if options.legacy_terms:
        return _LEGACY_TERMS
    return sorted({min(term, longest_term(now)) for term in profile.terms})


def validation_end(validated_at: datetime, now: datetime) -> datetime:
    """Return when a domain validation ends by the rule of the day of issue, whatever was promised for it before."""
    return validated_at + timedelta(days=_limit(now).validation_days)


def validation_status(domain: Domain, now: datetime) -> str:
    """Return NOT_VALIDATED, VALIDATED or EXPIRED."""
    if domain.validated_at is None or domain.expires_at is None:
        return "NOT_VALIDATED"
    ends = min(domain.expires_at, validation_end(domain.validated_at, now))
    return "VALIDATED" if now < ends else "EXPIRED"
