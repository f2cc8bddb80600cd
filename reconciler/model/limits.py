"""How long public certificates and their validations may live: the table of ballot SC-081v3 with Sectigo's margin.

The row is chosen by the date of issue. Private CAs are outside of it.
"""

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicLimit:
    """The limits for certificates issued on `since` and later, in days."""

    since: date
    max_days: int
    dcv_days: int  # how long a domain validation may be used again
    org_days: int  # how long an organization's may


# Baseline Requirements 6.3.2 and 4.2.1. Sectigo issues one day less than allowed and changed three days early (its
# partner notice of 2026-03); what it will do in 2027 and 2029 is not announced, so those rows are the ballot's.
PUBLIC_LIMITS = (
    PublicLimit(since=date.min, max_days=398, dcv_days=398, org_days=825),
    PublicLimit(since=date(2026, 3, 12), max_days=199, dcv_days=198, org_days=398),
    PublicLimit(since=date(2027, 3, 15), max_days=100, dcv_days=100, org_days=398),
    PublicLimit(since=date(2029, 3, 15), max_days=47, dcv_days=10, org_days=398),
)


def public_limit(issued_on: date) -> PublicLimit:
    """Return the row that holds for a public certificate issued on that day."""
    return next(limit for limit in reversed(PUBLIC_LIMITS) if limit.since <= issued_on)
