"""At most so many calls in any window of time."""

from datetime import timedelta

import pytest

from reconciler.services.http import Answer
from reconciler.services.limits import _LONGEST_HOLD, Limit, Limiter
from tests.support.scripted import START, HandClock


def answer(status: int = 200, body: bytes = b"", **headers: str) -> Answer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(status=status, headers=named, body=body, received_at=START.timestamp())


def instants(limiter: Limiter, clock: HandClock, calls: int, group: str = "") -> list[float]:
    """Make `calls` calls as fast as the limiter lets them through; return when, in seconds from the start."""
    moments = []
    for _ in range(calls):
        limiter.acquire(group)
        moments.append((clock.now() - START).total_seconds())
    return moments


def most_in_window(moments: list[float], seconds: float) -> int:
    return max(sum(first <= moment < first + seconds for moment in moments) for first in moments)


def test_nothing_waits_below_the_limit(clock: HandClock) -> None:
    assert instants(Limiter(clock, {"": (Limit(calls=3, seconds=60),)}), clock, 3) == [0, 0, 0]


def test_the_call_above_the_limit_waits_until_the_first_leaves_the_window(clock: HandClock) -> None:
    limiter = Limiter(clock, {"": (Limit(calls=2, seconds=60),)})
    limiter.acquire()
    clock.sleep(timedelta(seconds=45))
    assert instants(limiter, clock, 3) == [45, 60, 105]


@pytest.mark.parametrize(("calls", "seconds"), [(30, 60.0), (18, 2.0), (1, 300.0)])
def test_no_window_ever_holds_more(clock: HandClock, calls: int, seconds: float) -> None:
    """A bucket that is full at the start and refills would let twice as many into the first window."""
    moments = instants(Limiter(clock, {"": (Limit(calls=calls, seconds=seconds),)}), clock, calls * 3 + 1)
    assert most_in_window(moments, seconds) == calls
    assert moments[-1] == 3 * seconds


def test_all_limits_hold_at_once(clock: HandClock) -> None:
    limiter = Limiter(clock, {"": (Limit(calls=30, seconds=60), Limit(calls=18, seconds=2))})
    moments = instants(limiter, clock, 61)
    assert most_in_window(moments, 60) == 30
    assert most_in_window(moments, 2) == 18


def test_a_group_has_limits_of_its_own_and_those_of_all(clock: HandClock) -> None:
    limiter = Limiter(clock, {"": (Limit(calls=4, seconds=60),), "active": (Limit(calls=1, seconds=10),)})
    assert instants(limiter, clock, 2, "active") == [0, 10]
    assert instants(limiter, clock, 3) == [10, 10, 60]


def test_without_limits_the_clock_is_not_even_read() -> None:
    class Untouchable(HandClock):
        def now(self) -> object:  # type: ignore[override]
            raise AssertionError("the clock was read")

    Limiter(Untouchable()).acquire()  # type: ignore[arg-type]


def test_a_budget_spent_by_others_holds_everyone_back(clock: HandClock) -> None:
    limiter = Limiter(clock, {"": (Limit(calls=30, seconds=60),)})
    limiter.observe(answer(X_RateLimit_Remaining="0", X_RateLimit_Next="2026-11-16T00:00:20.000Z"))
    assert instants(limiter, clock, 2) == [21, 21]  # a second of margin


def test_a_budget_that_is_left_holds_nobody_back(clock: HandClock) -> None:
    limiter = Limiter(clock, {"": (Limit(calls=30, seconds=60),)})
    limiter.observe(answer(X_RateLimit_Remaining="7", X_RateLimit_Next="2026-11-16T00:00:20.000Z"))
    assert instants(limiter, clock, 1) == [0]


def test_too_many_calls_holds_back_the_calls_of_others_too(clock: HandClock) -> None:
    limiter = Limiter(clock)
    limiter.observe(answer(429, Retry_After="12"))
    assert instants(limiter, clock, 1) == [12]


@pytest.mark.parametrize("seconds", ["999999", "9" * 400])
def test_a_service_with_a_wrong_clock_does_not_hold_us_for_ever(clock: HandClock, seconds: str) -> None:
    limiter = Limiter(clock)
    limiter.observe(answer(429, Retry_After=seconds))
    assert instants(limiter, clock, 1) == [600]


def test_a_clock_set_back_costs_one_window_at_most(clock: HandClock) -> None:
    limiter = Limiter(clock, {"": (Limit(calls=1, seconds=60),)})
    limiter.acquire()
    clock.sleep(timedelta(days=-1))
    limiter.acquire()
    assert clock.slept_s == [-86_400, 60]


def test_a_clock_that_is_set_back_holds_calls_no_longer_than_they_were(clock: HandClock) -> None:
    limiter = Limiter(clock, {"": (Limit(calls=1, seconds=60),)})
    limiter.acquire()
    limiter.hold(timedelta(seconds=30))
    clock.sleep(timedelta(hours=-5))
    limiter.acquire()
    assert clock.now() - START <= timedelta(hours=-5) + _LONGEST_HOLD
