"""The limits of a service, kept on this side: at most so many calls in any window of time."""

import logging
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from reconciler.ports import Clock
from reconciler.services.http import Answer
from reconciler.services.reserve import Reserve
from reconciler.services.retry import next_call_s, retry_after_s

log = logging.getLogger(__name__)

_LONGEST_HOLD = timedelta(minutes=10)  # a service that asks for more has a wrong clock, or answers 429 again


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """At most `calls` in any `seconds`. A bucket that holds `calls` and refills would let twice as many through."""

    calls: int
    seconds: float


class Limiter:
    """Holds calls back, for everyone who shares an account's budget in this process.

    `limits` are by group of operations; those of group "" bind all calls. It measures service time, so that it works
    on the sandbox's clock as on the machine's. `reserve`: what is left to others, by one who only looks.
    """

    def __init__(
        self, clock: Clock, limits: Mapping[str, tuple[Limit, ...]] | None = None, *, reserve: Reserve | None = None
    ) -> None:
        self._clock = clock
        self._reserve = reserve
        self._windows = {
            group: [_Window(limit) for limit in several] for group, several in (limits or {}).items() if several
        }
        self._held_until = datetime.min.replace(tzinfo=UTC)

    def acquire(self, group: str = "") -> None:
        """Wait until one more call of `group` is within the limits, and count it.

        Raises:
            ReserveReachedError: what is left is for others.
        """
        if self._reserve is not None:
            self._reserve.check()
        windows = [*self._windows.get("", ()), *(self._windows.get(group, ()) if group else ())]
        if not windows and self._held_until.year == 1:
            return
        now = self._clock.now()
        held_until = min(self._held_until, now + _LONGEST_HOLD)  # the machine's clock may have been set back
        free_at = max([window.free_at(now) for window in windows] + [held_until, now])
        if free_at > now:
            log.info("limit of the service: waiting %.1f s", (free_at - now).total_seconds())
            self._clock.sleep(free_at - now)
            now = max(self._clock.now(), free_at)
        for window in windows:
            window.count(now)

    def observe(self, answer: Answer) -> None:
        """Slow down where the service says that its budget, which others use too, is spent."""
        wait_s: float | None = None
        if answer.status == 429:
            wait_s = retry_after_s(answer)
        elif answer.headers.get("X-RateLimit-Remaining", "").strip() == "0":
            wait_s = next_call_s(answer)
        if wait_s is not None:
            self.hold(timedelta(seconds=min(wait_s, _LONGEST_HOLD.total_seconds())))
        if self._reserve is not None and (pause := self._reserve.observe(answer, self._clock.now())) is not None:
            self.hold(pause)

    def hold(self, duration: timedelta) -> None:
        """Let no call through for `duration` from now."""
        self._held_until = max(self._held_until, self._clock.now() + min(duration, _LONGEST_HOLD))


class _Window:
    def __init__(self, limit: Limit) -> None:
        self._length = timedelta(seconds=limit.seconds)
        self._calls: deque[datetime] = deque(maxlen=limit.calls)  # the last ones: more can't matter

    def free_at(self, now: datetime) -> datetime:
        if len(self._calls) < (self._calls.maxlen or 0):
            return now
        return min(self._calls[0], now) + self._length  # `min`: the machine's clock may have been set back

    def count(self, now: datetime) -> None:
        self._calls.append(now)
