"""TERM-01, RENEW-01, KEY-02: times and algorithms, as far as they are known without a profile."""

from collections.abc import Iterator
from datetime import date, timedelta

from reconciler.desired.examined import Examined
from reconciler.desired.fields import renew_before, term_days
from reconciler.errors import Problem
from reconciler.model.limits import public_limit

_PUSH_FLOOR_DAYS = 8  # CPS pushes what is on staging to production 7 days before expiry: after that nobody is asked
_FLOOR_APPLIES_FROM_DAYS = 24  # a third of this is the floor: shorter lives cannot keep to it


def term_problems(examined: Examined) -> Iterator[Problem]:
    """Compare the term with what may be issued today.

    A cut of the limits makes old files wrong overnight. Since a term means "at most", that is a warning for as long as
    the new limit, so that no fleet stops renewing on the day of a cut.
    """
    days = term_days(examined.sectigo)
    limit = public_limit(examined.known.today)
    if not examined.public or days is None or days <= limit.max_days:
        return
    text = f"Since {limit.since} a public certificate lives at most {limit.max_days} days; {days} are asked for."
    remedy = f'Write "term: max", or at most {limit.max_days}.'
    if days <= _limit_lately(examined.known.today):
        yield examined.warning("sectigo.term", f"{text} The longest allowed term is ordered.", remedy, "TERM-01")
    else:
        yield examined.error("sectigo.term", text, remedy, "TERM-01")


def _limit_lately(today: date) -> int:
    """Return the limit before the last cut while that is recent, else today's."""
    limit = public_limit(today)
    lately = public_limit(today - timedelta(days=limit.max_days))
    return max(limit.max_days, lately.max_days)


def renewal_problems(examined: Examined) -> Iterator[Problem]:
    before = renew_before(examined.fields.section("renewal").data.get("before"))
    lifetime_days = _lifetime_days(examined)
    if before is None:
        return
    if lifetime_days is None:
        if before.days is not None and before.days <= _PUSH_FLOOR_DAYS:
            yield _too_late(examined, before.days)
        return
    days = before.of(timedelta(days=lifetime_days)) / timedelta(days=1)
    if days >= lifetime_days - 1:
        text = f"Renewing {days:g} days before expiry, a certificate of {lifetime_days} days is always due."
        yield examined.error("renewal.before", text, "Write at most half of the lifetime.", "RENEW-01")
    elif days <= _PUSH_FLOOR_DAYS and lifetime_days >= _FLOOR_APPLIES_FROM_DAYS:
        yield _too_late(examined, days)
    elif days > lifetime_days / 2:
        text = f"{days:g} days are more than half of a lifetime of {lifetime_days} days; it is renewed at half."
        yield examined.warning("renewal.before", text, 'Write less, as "33%".', "RENEW-01")


def _too_late(examined: Examined, days: float) -> Problem:
    text = f"{days:g} days before expiry is too late: CPS deploys by itself 7 days before, tested or not."
    return examined.error(
        "renewal.before", text, f'Write more than {_PUSH_FLOOR_DAYS} days, as "30d" or "33%".', "RENEW-01"
    )


def _lifetime_days(examined: Examined) -> int | None:
    """Return how long the certificate will live at most; None for a private one of unknown term."""
    days = term_days(examined.sectigo)
    if not examined.public:
        return days
    limit = public_limit(examined.known.today).max_days
    return limit if days is None else min(days, limit)


def algorithm_problems(examined: Examined) -> Iterator[Problem]:
    if examined.akamai.text("signatureAlgorithm") != "SHA-1":
        return
    pointer, rule = "akamai.signatureAlgorithm", "KEY-02"
    if examined.public:
        yield examined.error(pointer, "SHA-1 is in no public certificate any more.", 'Write "SHA-256".', rule)
    else:
        yield examined.warning(pointer, "SHA-1 is broken.", 'Write "SHA-256" unless clients need it.', rule)
