"""How SCM writes and reads dates."""

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache

from reconciler.sandbox.scm.errors import RefusedError

_NAMES: Mapping[str, str] = {
    "ISO": "yyyy-MM-dd",
    "EU": "dd.MM.yyyy",
    "US": "MM/dd/yyyy",
    "UK": "dd/MM/yyyy",
    "JP": "yyyy/MM/dd",
    "ISO_HMS": "yyyy-MM-dd'T'HH:mm:ss.SSS'Z'",
    "EU_HMS": "dd.MM.yyyy HH:mm:ss",
    "US_HMS": "MM/dd/yyyy HH:mm:ss",
    "UK_HMS": "dd/MM/yyyy HH:mm:ss",
    "JP_HMS": "yyyy/MM/dd HH:mm:ss",
}
# `dateFormat` is a name or the pattern itself, in any case; no two of them differ by case alone.
_PATTERNS = {key.casefold(): pattern for name, pattern in _NAMES.items() for key in (name, pattern)}
_PARTS = (
    ("'T'", "T"),
    ("'Z'", "Z"),
    ("yyyy", "%Y"),
    ("MM", "%m"),
    ("dd", "%d"),
    ("HH", "%H"),
    ("mm", "%M"),
    ("ss", "%S"),
)


def pattern_of(date_format: str) -> str:
    """Return the pattern a `dateFormat` parameter asks for.

    Raises:
        RefusedError: -1601, it is neither a known name nor a known pattern.
    """
    try:
        return _PATTERNS[date_format.casefold()]
    except KeyError:
        raise RefusedError(-1601, "dateFormat") from None


def written(instant: datetime | None, pattern: str) -> str | None:
    """Return `instant` in a pattern of the table."""
    if instant is None:
        return None
    return instant.strftime(_form(pattern).replace("SSS", f"{instant.microsecond // 1000:03d}"))


@cache
def _form(pattern: str) -> str:
    """Return what `strftime` understands, save `SSS`, which it has no word for."""
    for part, directive in _PARTS:
        pattern = pattern.replace(part, directive)
    return pattern


def iso_instant(instant: datetime | None) -> str | None:
    """Return `2025-05-21T12:34:24.371Z`, the form of reports and validations."""
    return None if instant is None else f"{instant.replace(tzinfo=None).isoformat(timespec='milliseconds')}Z"


def iso_day(instant: datetime | None) -> str | None:
    return written(instant, _NAMES["ISO"])


def log_instant(instant: datetime | None) -> str | None:
    """Return `2025-05-21 12:24:26`, the form of an order's validation log."""
    return None if instant is None else instant.strftime("%Y-%m-%d %H:%M:%S")


def read_instant(text: str, member: str) -> datetime:
    """Read a date, or an instant with or without offset; without one it is UTC.

    Raises:
        RefusedError: -1601, naming `member`.
    """
    try:
        instant = datetime.fromisoformat(text)
        return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)
    except (ValueError, OverflowError):
        raise RefusedError(-1601, member) from None
