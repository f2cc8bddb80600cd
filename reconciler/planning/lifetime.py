"""How long a certificate may live, and when it is due: the Baseline Requirements' schedule and our renewal policy."""

import hashlib
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from reconciler.errors import CertreconError
from reconciler.model.certificate import IssuerClass, RenewBefore
from reconciler.model.limits import PublicLimit, public_limit
from reconciler.model.names import DnsName
from reconciler.model.x509 import lifetime

_DAY = timedelta(days=1)

# An order may be issued some days after it is placed: so close to a cut the row behind it is the one that is sure.
SLIP = timedelta(days=5)

# CPS pushes a staged certificate to production by itself 7 days before the old one ends (techdocs, "CPS workflow"):
# production must have the new one before that, or nobody is asked any more.
_PUSH_FLOOR = timedelta(days=8)
_FLOOR_APPLIES_FROM = timedelta(days=24)  # a third of this is the floor: shorter lives cannot keep to it

# Baseline Requirements 6.3.2 itself: what an issued certificate is judged by. `model.limits` is what can be ordered.
_BASELINE = (
    (date(1970, 1, 1), 398),
    (date(2026, 3, 15), 200),
    (date(2027, 3, 15), 100),
    (date(2029, 3, 15), 47),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """The term to order, with what a reader should know about how it was chosen."""

    days: int
    notes: tuple[str, ...] = ()


class RenewBeforeError(CertreconError):
    """A certificate would be due on the day that it is issued."""


def validity_limit(issued_at: datetime) -> timedelta:
    """Return the longest validity that a public certificate issued at this instant may have."""
    issue_date = issued_at.astimezone(UTC).date()
    return max((start, timedelta(days=days)) for start, days in _BASELINE if start <= issue_date)[1]


def max_term_days(issue_date: date, issuer: IssuerClass) -> int | None:
    """Return the longest term that can be ordered for issue on this day; None: no rule limits it."""
    return None if issuer is IssuerClass.PRIVATE else public_limit(issue_date).max_days


def near_cut(issue_date: date) -> PublicLimit | None:
    """Return the next, shorter limit if an order for this day may slip over its start; else None."""
    ahead = public_limit(issue_date + SLIP)
    return ahead if ahead.since > issue_date else None


def term_for(terms_days: Collection[int], wanted: int | None, issue_date: date, issuer: IssuerClass) -> Term | str:
    """Return the longest of a profile's terms that `wanted` and the limit allow; a sentence where none is.

    Where the issue may slip over a cut, the shorter limit counts, unless the profile offers nothing that short: CAs
    change what they offer on the day itself. `wanted` means at most; None the longest.
    """
    limit = max_term_days(issue_date, issuer)
    cut = near_cut(issue_date) if issuer is IssuerClass.PUBLIC else None
    allowed = _fitting(terms_days, limit, wanted)
    if not allowed:
        return _no_term(terms_days, wanted, limit, issue_date)
    chosen = max(_fitting(allowed, cut.max_days if cut is not None else None) or allowed)
    return Term(days=chosen, notes=_term_notes(chosen, wanted, cut))


def _fitting(terms_days: Collection[int], *bounds: int | None) -> list[int]:
    return [days for days in terms_days if days > 0 and all(bound is None or days <= bound for bound in bounds)]


def _no_term(terms_days: Collection[int], wanted: int | None, limit: int | None, issue_date: date) -> str:
    offered = ", ".join(f"{days}" for days in sorted(terms_days)) or "none"
    asked = [] if wanted is None else [f"the file asks for at most {wanted} days"]
    ruled = [] if limit is None else [f"a public certificate issued about {issue_date} may have at most {limit} days"]
    return f"No term of the profile can be ordered: {'; '.join([f'it offers {offered} (days)', *asked, *ruled])}."


def _term_notes(chosen: int, wanted: int | None, cut: PublicLimit | None) -> tuple[str, ...]:
    notes: list[str] = []
    if wanted is not None and chosen != wanted:
        notes.append(f"{wanted} days were asked for, at most: the longest term that can be ordered is {chosen} days.")
    if cut is not None:
        longer = "" if chosen <= cut.max_days else "; the profile has no term that short yet"
        notes.append(f"TERM-02: issue may slip over {cut.since}, when {cut.max_days} days become the limit{longer}.")
    return tuple(notes)


def renew_before(life: timedelta, override: RenewBefore | None = None) -> timedelta:
    """Return how long before its end a certificate of this lifetime is to be renewed.

    Raises:
        RenewBeforeError: the override is as long as the life itself, less a day.
    """
    if override is None:
        return life / 2 if life < 10 * _DAY else min(30 * _DAY, life / 3)
    before = override.of(life)
    if before >= life - _DAY:
        raise RenewBeforeError(
            f"renewal.before is {before / _DAY:g} days, but the certificate lives {life / _DAY:g} days:"
            " it would be renewed for ever. Write less."
        )
    return max(before, _PUSH_FLOOR) if life >= _FLOOR_APPLIES_FROM else before


def usable_before(life: timedelta, override: RenewBefore | None) -> tuple[timedelta, str | None]:
    """Return `renew_before`, by the built-in rule where the override makes no sense, and then why it does not.

    Without a window a certificate would be due all the time, or not before it is too late.
    """
    try:
        return renew_before(life, override), None
    except RenewBeforeError as error:
        return renew_before(life), str(error)


def half_life(not_before: datetime, not_after: datetime, issued_at: datetime | None = None) -> datetime:
    """Return the instant before which a certificate is never due for age.

    A CA dates certificates back to midnight: of a life of 7 days, half counted from there would lead to an order every
    3 days. So it is counted from the issue, where that is known; a quarter of the life is always left.
    """
    life = lifetime(not_before, not_after)
    born = not_before if issued_at is None else max(not_before, issued_at)
    return min(born + life / 2, not_after - life / 4)


def due_at(
    not_before: datetime,
    not_after: datetime,
    common_name: DnsName,
    before: timedelta,
    *,
    issued_at: datetime | None = None,
) -> datetime:
    """Return the instant from which a certificate is due for age: `before` its end, never in its first half.

    Jitter spreads certificates of one day; it depends on the name alone, and only ever makes it earlier.
    """
    due = not_after - before - _jitter(common_name, lifetime(not_before, not_after))
    return max(due, half_life(not_before, not_after, issued_at))


def _jitter(common_name: DnsName, life: timedelta) -> timedelta:
    width_s = int(min(5 * _DAY, life / 20).total_seconds())
    digest = hashlib.sha256(common_name.encode()).digest()
    return timedelta(seconds=int.from_bytes(digest[:8], "big") % max(width_s, 1))


def warn_days(life: timedelta, before: timedelta) -> float:
    """Return below how many days left a certificate is worth a warning."""
    return _floored(min(21.0, 0.7 * (before / _DAY)), 9.0, life)


def critical_days(life: timedelta, before: timedelta) -> float:
    """Return below how many days left a certificate is critical."""
    return _floored(min(10.0, before / _DAY / 2), 8.0, life)


def _floored(days: float, floor: float, life: timedelta) -> float:
    # The floors stand for the push 7 days before the end; a life too short for it would always be below them.
    return max(days, floor) if life >= _FLOOR_APPLIES_FROM else days
