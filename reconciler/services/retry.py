"""How long to wait before a read is made again: what the service asks for, in all the ways it has, or a back-off."""

import re
from datetime import UTC
from email.utils import parsedate_to_datetime

from reconciler.services.decode import BodyError, instant
from reconciler.services.http import Answer

_FIRST_S = 1.0
_LONGEST_S = 30.0
_MARGIN_S = 1.0  # the moment that a service names is the first that may work, by its own clock

# akamai-cps 5.2: the three texts of a 429 that were seen.
_SECONDS_TEXT = re.compile(rb"[Rr]etry after:?\s*(\d+(?:\.\d+)?)\s*seconds?")
_MOMENT_TEXT = re.compile(rb"[Tt]ry after:?\s*(\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d\d:?\d\d))")


def backoff_s(attempt: int, jitter: float) -> float:
    """Return the wait after try `attempt` (from 1): doubling from 1 s to 30 s; `jitter` in 0..1 takes up to half."""
    return min(_FIRST_S * 2.0 ** (attempt - 1), _LONGEST_S) * (1.0 - jitter / 2.0)


def retry_after_s(answer: Answer) -> float | None:
    """Return the seconds that a refusing answer asks for: Retry-After, X-RateLimit-Next, or a sentence in its body."""
    for seconds in (_header_s(answer), next_call_s(answer), _sentence_s(answer)):
        if seconds is not None:
            return seconds
    return None


def next_call_s(answer: Answer) -> float | None:
    """Return the seconds until X-RateLimit-Next, by the service's own clock (its Date header)."""
    text = answer.headers.get("X-RateLimit-Next")
    return _until(text, answer) if text else None


def _header_s(answer: Answer) -> float | None:
    text = answer.headers.get("Retry-After", "").strip()
    if re.fullmatch(r"\d+(\.\d+)?", text):
        return float(text)
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(moment.timestamp() - (answer.sent_at or answer.received_at), 0.0)


def _sentence_s(answer: Answer) -> float | None:
    seconds = _SECONDS_TEXT.search(answer.body)
    if seconds:
        return float(seconds[1])
    moment = _MOMENT_TEXT.search(answer.body)
    return _until(moment[1].decode(), answer) if moment else None


def _until(text: str, answer: Answer) -> float | None:
    try:
        moment = instant(text).timestamp()
    except BodyError:
        return None
    wait_s = moment - (answer.sent_at or answer.received_at)
    return wait_s + _MARGIN_S if wait_s >= 0 else None  # what has passed says nothing of when to come again
