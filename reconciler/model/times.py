"""Times as people and services tell them, kept where one can calculate with them.

A typing error, or a certificate "without end" (its notAfter is then 9999-12-31 23:59:59, RFC 5280 4.1.2.5), would else
leave Python's calendar in the first sum, and end the run for all other certificates too.
"""

import re
from datetime import UTC, date, datetime, timedelta

YEARS = range(1970, 3000)
LONGEST_SPAN_DAYS = 36_500

_FIRST = datetime(YEARS.start, 1, 1, tzinfo=UTC)
_LAST = datetime(YEARS.stop - 1, 12, 31, 23, 59, 59, tzinfo=UTC)
_SPAN = re.compile(r"(?:[0-9]{1,12}[smhd])+")
_PART = re.compile(r"([0-9]+)([smhd])")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


def span(text: str) -> timedelta | None:
    """Return the length of "45s", "20m", "1h30m", "14d"; None where the text is none, or over `LONGEST_SPAN_DAYS`."""
    if not _SPAN.fullmatch(text):
        return None
    seconds = sum(int(number) * _SECONDS[unit] for number, unit in _PART.findall(text))
    return timedelta(seconds=seconds) if seconds <= LONGEST_SPAN_DAYS * _SECONDS["d"] else None


def day(text: str) -> date | None:
    """Return the day of "2027-03-15"; None where there is no such day in `YEARS`."""
    try:
        read = date.fromisoformat(text)
    except ValueError:
        return None
    return read if read.year in YEARS else None


def instant(text: str) -> datetime | None:
    """Return the instant of ISO 8601, naive where no offset is named; None where there is none such in `YEARS`."""
    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        return None
    return read if read.year in YEARS else None


def within_reach(moment: datetime) -> datetime:
    """Return an aware instant in UTC, or the first or last of `YEARS` where it lies outside of them."""
    return min(max(moment, _FIRST), _LAST)
