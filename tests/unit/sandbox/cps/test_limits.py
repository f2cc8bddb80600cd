"""Rate limits: how many calls, in which time, and what a refusal says."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from starlette.responses import Response

from reconciler.sandbox.clock import ClockState, VirtualClock
from reconciler.sandbox.cps.limits import Limits
from reconciler.sandbox.cps.options import CpsOptions
from tests.unit.sandbox.cps.harness import Cps, media

START = datetime(2026, 11, 16, tzinfo=UTC)


class Scale(VirtualClock):
    """A clock whose limiter stands still between advances."""

    def limiter_s(self) -> float:
        return (self.now() - START).total_seconds()


@pytest.fixture
def clock() -> Scale:
    return Scale(ClockState(now=START))


@pytest.fixture
def limits(clock: Scale) -> Iterator[tuple[Limits, CpsOptions]]:
    options = CpsOptions()
    yield Limits(options, clock, real_now=lambda: datetime(2026, 11, 23, tzinfo=UTC)), options


def advance(clock: Scale, seconds: float) -> None:
    clock.advance_to(datetime.fromtimestamp(clock.now().timestamp() + seconds, tz=UTC))


def passed(limits: Limits, count: int, operation: str = "get_enrollment") -> int:
    return sum(limits.refusal(operation) is None for _ in range(count))


def test_burst_is_twenty_in_two_seconds(limits: tuple[Limits, CpsOptions], clock: Scale) -> None:
    assert passed(limits[0], 25) == 20
    advance(clock, 1.9)
    assert passed(limits[0], 1) == 0
    advance(clock, 0.1)
    assert passed(limits[0], 25) == 15  # with the twenty before, 35 in this minute


def test_minute_has_thirty_five_calls(limits: tuple[Limits, CpsOptions], clock: Scale) -> None:
    assert passed(limits[0], 20) == 20
    advance(clock, 2)
    assert passed(limits[0], 20) == 15
    advance(clock, 58)
    assert passed(limits[0], 30) == 20


def test_active_certificates_have_ten_a_minute_of_their_own(limits: tuple[Limits, CpsOptions]) -> None:
    assert passed(limits[0], 11, "list_active_certificates") == 10
    assert passed(limits[0], 10) == 10


def test_refused_calls_do_not_count(limits: tuple[Limits, CpsOptions], clock: Scale) -> None:
    passed(limits[0], 500)
    advance(clock, 60)
    assert passed(limits[0], 20) == 20


def test_thousand_an_hour_and_none_are_options(limits: tuple[Limits, CpsOptions]) -> None:
    limits[1].rate_limits = "per-hour"
    assert passed(limits[0], 1001) == 1000
    limits[1].rate_limits = "unlimited"
    assert passed(limits[0], 2000) == 2000


def refused(limits: Limits) -> Response:
    passed(limits, 20)
    answer = limits.refusal("get_enrollment")
    assert answer is not None
    return answer


def test_refusal_says_how_long_and_until_when(limits: tuple[Limits, CpsOptions]) -> None:
    answer = refused(limits[0])
    assert answer.status_code == 429
    assert answer.headers["retry-after"] == "2"
    assert answer.headers["x-ratelimit-next"] == "2026-11-23T00:00:02.000Z"  # real time, as the Date beside it
    assert "x-ratelimit-limit" not in answer.headers
    assert answer.body == (
        b'{"type": "429 Too Many Requests", "title": "Too Many Requests", '
        b'"detail": "You have exhausted your API Request Quota. Retry after: 2 seconds."}'
    )


def test_bodies_and_headers_are_options(limits: tuple[Limits, CpsOptions]) -> None:
    checked, options = limits
    options.too_many_requests_body = "docs"
    options.retry_after_header = False
    options.rate_limit_headers = "all"
    options.rate_limit_clock = "sandbox"
    answer = refused(checked)
    assert b'"title": "HTTP 429 - Too many requests"' in answer.body
    assert "retry-after" not in answer.headers
    assert answer.headers["x-ratelimit-limit"] == "35"
    assert answer.headers["x-ratelimit-remaining"] == "15"
    assert answer.headers["x-ratelimit-next"] == "2026-11-16T00:00:02.000Z"


def test_body_that_a_user_reported_names_the_instant(limits: tuple[Limits, CpsOptions]) -> None:
    checked, options = limits
    options.too_many_requests_body = "field-report"
    options.rate_limit_headers = "omitted"
    answer = refused(checked)
    assert b"Please try after 2026-11-23T00:00:02.000Z" in answer.body
    assert "x-ratelimit-next" not in answer.headers


def test_service_refuses_with_429_and_an_advance_lets_pass_again(cps: Cps) -> None:
    cps.options.rate_limits = "per-minute"
    statuses = [
        cps.call("GET", "/cps/v2/active-certificates", accept=media("active-certificates", 2)).status for _ in range(11)
    ]
    assert statuses == [200] * 10 + [429]
    assert cps.call("GET", "/contract-api/v1/contracts/identifiers?depth=TOP").status == 200
    cps.advance(minutes=1)
    reply = cps.call("GET", "/cps/v2/active-certificates", accept=media("active-certificates", 2))
    assert reply.status == 200


def test_limits_may_be_told_in_every_answer(cps: Cps) -> None:
    cps.options.rate_limits = "per-minute"
    cps.options.rate_limit_headers = "all"
    reply = cps.call("GET", "/cps/v2/enrollments", accept=media("enrollments", 11))
    assert (reply.headers["x-ratelimit-limit"], reply.headers["x-ratelimit-remaining"]) == ("35", "34")
