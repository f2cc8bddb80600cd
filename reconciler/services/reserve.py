"""The calls that one who only looks leaves to the runs that renew: an account's limit is shared by all its clients."""

import logging
from datetime import datetime, timedelta

from reconciler.errors import ReserveReachedError
from reconciler.model.certificate import AccountName
from reconciler.services.http import Answer

log = logging.getLogger(__name__)

_SHARE = 5  # a fifth of the limit: 7 of the documented 35 calls a minute
_WINDOW = timedelta(minutes=1)  # of the documented limit: after it, our own calls no longer count


class Reserve:
    """Watches `X-RateLimit-*` and refusals. At the reserve it gives way for a minute; if that did not help, it stops.

    So a look whose own calls have used up the minute goes on after it, and one beside a busy run, or late in an hourly
    limit, ends. Where the service does not say how many calls are left, only its refusals (429) tell.
    """

    def __init__(self, account: AccountName) -> None:
        self._account = account
        self._gave_way_at: datetime | None = None
        self._spent: str | None = None

    def observe(self, answer: Answer, now: datetime) -> timedelta | None:
        """Take in what an answer says; return for how long to make no call, if so."""
        left = _left(answer)
        if left is None or left[0] * _SHARE > left[1]:
            self._gave_way_at = None
            return None
        remaining, limit = left
        if self._gave_way_at is None:
            self._gave_way_at = now
            log.warning("account %s has %d calls left: giving way to others for a minute", self._account, remaining)
            return _WINDOW
        if now >= self._gave_way_at + _WINDOW:
            self._spent = "no more calls" if remaining == 0 else f"{remaining} of {limit} calls left"
        return None

    def check(self) -> None:
        """Let one more call pass.

        Raises:
            ReserveReachedError: it would be one of those that are left to others.
        """
        if self._spent is not None:
            raise ReserveReachedError(
                f"cps: account {self._account} has {self._spent}, even after a minute without a call of ours, and what "
                "is left is for runs that renew. Other clients of the account are at work: run this again later."
            )


def _left(answer: Answer) -> tuple[int, int] | None:
    """Return how many calls are left, and of how many; None where the answer does not say."""
    if answer.status == 429:
        return 0, _number(answer, "X-RateLimit-Limit") or 1
    limit, remaining = _number(answer, "X-RateLimit-Limit"), _number(answer, "X-RateLimit-Remaining")
    return None if limit is None or remaining is None else (remaining, limit)


def _number(answer: Answer, header: str) -> int | None:
    text = answer.headers.get(header, "").strip()
    return int(text) if text.isascii() and text.isdigit() else None
