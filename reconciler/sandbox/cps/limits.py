"""The account's rate limits and the three forms of a 429."""

import math
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from starlette.responses import Response

from reconciler.sandbox.clock import VirtualClock
from reconciler.sandbox.cps.options import CpsOptions
from reconciler.sandbox.cps.problems import json_response


@dataclass(slots=True)
class Window:
    """At most `count` calls in any `seconds`."""

    count: int
    seconds: float
    calls: deque[float] = field(default_factory=deque)

    def wait_s(self, now_s: float) -> float:
        """Return how long a call would have to wait; 0 if it may come now."""
        while self.calls and self.calls[0] <= now_s - self.seconds:
            self.calls.popleft()
        return 0.0 if len(self.calls) < self.count else self.calls[0] + self.seconds - now_s


class Limits:
    """Counts the calls of all clients of the account; a refused call does not count."""

    def __init__(self, options: CpsOptions, clock: VirtualClock, *, real_now: Callable[[], datetime]) -> None:
        self._options = options
        self._clock = clock
        self._real_now = real_now
        self._minute = Window(35, 60.0)
        self._burst = Window(20, 2.0)
        self._hour = Window(1000, 3600.0)
        self._active_certificates = Window(10, 60.0)
        self._creates: dict[str, float] = {}

    def refusal(self, operation: str) -> Response | None:
        """Count a call of `operation`, or return the 429 for it."""
        windows = self._windows(operation)
        now_s = self._clock.limiter_s()
        wait_s = max((window.wait_s(now_s) for window in windows), default=0.0)
        if wait_s > 0:
            return self._too_many_requests(wait_s)
        for window in windows:
            window.calls.append(now_s)
        return None

    def headers(self) -> dict[str, str]:
        """Return what every answer says about the limits, if anything."""
        if self._options.rate_limit_headers != "all" or self._options.rate_limits == "unlimited":
            return {}
        window = self._hour if self._options.rate_limits == "per-hour" else self._minute
        return {
            "X-RateLimit-Limit": str(window.count),
            "X-RateLimit-Remaining": str(max(0, window.count - len(window.calls))),
        }

    def may_create(self, contract: str) -> bool:
        """Tell whether the create limit lets one pass, and if so, count it."""
        if self._options.create_limit == "unlimited":
            return True
        scope = contract if self._options.create_limit == "per-contract" else ""
        now_s = self._clock.limiter_s()
        last_s = self._creates.get(scope)
        if last_s is not None and now_s - last_s < self._options.create_limit_s:
            return False
        self._creates[scope] = now_s
        return True

    def _windows(self, operation: str) -> list[Window]:
        if self._options.rate_limits == "unlimited":
            return []
        if self._options.rate_limits == "per-hour":
            return [self._hour]
        own = [self._active_certificates] if operation == "list_active_certificates" else []
        return [self._minute, self._burst, *own]

    def _too_many_requests(self, wait_s: float) -> Response:
        seconds = math.ceil(wait_s)
        now = self._real_now() if self._options.rate_limit_clock == "real" else self._clock.now()
        again_at = _instant(now + timedelta(seconds=wait_s))
        headers = self.headers()
        if self._options.retry_after_header:
            headers["Retry-After"] = str(seconds)
        if self._options.rate_limit_headers != "omitted":
            headers["X-RateLimit-Next"] = again_at
        return json_response(_body(self._options.too_many_requests_body, seconds, again_at), 429, headers)


def _instant(instant: datetime) -> str:
    """Return an instant rounded up to milliseconds, so that who waits for it has waited long enough."""
    rounded = instant + timedelta(microseconds=-instant.microsecond % 1000)
    return f"{rounded:%Y-%m-%dT%H:%M:%S}.{rounded.microsecond // 1000:03d}Z"


def _body(form: str, seconds: int, again_at: str) -> dict[str, str]:
    """Return one of the three known bodies: the definition's, the documentation's, and one reported by a user."""
    spec = {"type": "429 Too Many Requests", "title": "Too Many Requests"}
    match form:
        case "docs":
            return {
                "type": "https://problems.luna.akamaiapis.net/cps/too-many-requests",
                "title": "HTTP 429 - Too many requests",
                "detail": "The account has reached its limit of requests.",
            }
        case "field-report":
            text = "Your request did not succeed as this operation has reached the limit for your account."
            return {**spec, "detail": f"{text} Please try after {again_at}"}
        case _:
            text = "You have exhausted your API Request Quota."
            return {**spec, "detail": f"{text} Retry after: {seconds} seconds."}
