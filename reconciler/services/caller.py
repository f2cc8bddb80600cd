"""Calls to one service: held back by its limits, judged, parsed; reads are repeated, changes never."""

import itertools
import logging
import time
from collections.abc import Callable
from datetime import timedelta
from typing import TypeVar

from reconciler.errors import ServiceError, ServiceUnavailableError
from reconciler.ports import Clock
from reconciler.services.decode import BodyError, BrokenBodyError
from reconciler.services.http import Answer, Request, Transport
from reconciler.services.limits import Limiter
from reconciler.services.refusals import not_answered, not_understood
from reconciler.services.retry import backoff_s

log = logging.getLogger(__name__)

Parsed = TypeVar("Parsed")
Refusal = Callable[[Request, Answer], ServiceError]


class Caller:
    """Makes calls. `refusal` says what an answer outside 200..299 means.

    `renew_login` is asked once after a 401: True means that there are new credentials to try. `jitter` gives numbers
    in 0..1.
    """

    def __init__(
        self,
        transport: Transport,
        *,
        limiter: Limiter,
        clock: Clock,
        refusal: Refusal,
        read_timeout_s: float,
        jitter: Callable[[], float],
        renew_login: Callable[[], bool] = lambda: False,
    ) -> None:
        self._transport = transport
        self._limiter = limiter
        self._clock = clock
        self._refusal = refusal
        self._read_timeout_s = read_timeout_s
        self._jitter = jitter
        self._renew_login = renew_login

    def call(self, request: Request, parse: Callable[[Answer], Parsed], *, group: str = "") -> Parsed:
        """Return what `parse` makes of the answer; a read is repeated while that may help and time is left.

        `parse` raises `BodyError` for what it can't use. `group` names the limits that hold beside the general ones.

        Raises:
            ServiceError: one of its classes, as `errors` explains them.
        """
        if request.mutates:
            return self._attempt(request, parse, group)
        return self._read(request, parse, group)

    def _read(self, request: Request, parse: Callable[[Answer], Parsed], group: str) -> Parsed:
        left_s = self._read_timeout_s
        for attempt in itertools.count(1):
            self._limiter.acquire(group)
            started = time.monotonic()
            try:
                return self._exchange(request, parse)
            except ServiceUnavailableError as error:
                left_s -= time.monotonic() - started
                wait_s = error.retry_after_s
                if wait_s is None:
                    wait_s = backoff_s(attempt, self._jitter())
                if wait_s > left_s:
                    raise
                log.info("%s; attempt %d, again in %.1f s", error, attempt, wait_s)
            self._clock.sleep(timedelta(seconds=wait_s))
            left_s -= wait_s
        raise AssertionError("unreachable: the loop has no end")

    def _attempt(self, request: Request, parse: Callable[[Answer], Parsed], group: str) -> Parsed:
        self._limiter.acquire(group)
        return self._exchange(request, parse)

    def _exchange(self, request: Request, parse: Callable[[Answer], Parsed]) -> Parsed:
        answer = self._transport.send(request)
        if answer.status == 401 and self._renew_login():
            answer = self._transport.send(request)  # nothing was done: it was not even read
        self._limiter.observe(answer)
        if not 200 <= answer.status < 300:
            raise self._refusal(request, answer)
        try:
            return parse(answer)
        except BrokenBodyError as error:
            raise not_answered(self._transport.service, request, f"HTTP {answer.status} with {error}") from error
        except BodyError as error:
            raise not_understood(self._transport.service, request, f"HTTP {answer.status}: {error}") from error

    def close(self) -> None:
        self._transport.close()
