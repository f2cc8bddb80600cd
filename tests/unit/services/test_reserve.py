"""Who only looks leaves the account's last calls to those who renew: it gives way once, then it stops."""

import pytest

from reconciler.errors import ReserveReachedError
from reconciler.model.certificate import AccountName
from reconciler.services.http import Answer
from reconciler.services.limits import Limiter
from reconciler.services.reserve import Reserve
from tests.support.scripted import START, HandClock


def answer(left: int | None = None, *, of: int = 35, status: int = 200) -> Answer:
    headers = {} if left is None else {"X-RateLimit-Limit": str(of), "X-RateLimit-Remaining": str(left)}
    return Answer(status=status, headers=headers, body=b"", received_at=START.timestamp())


TOO_MANY = answer(status=429)


def calls(clock: HandClock, *answers: Answer) -> list[float]:
    """Make one call for each answer, and one more; return when each was made, in seconds from the start."""
    limiter, moments = Limiter(clock, reserve=Reserve(AccountName("main"))), []
    for one in (*answers, answer()):
        limiter.acquire()
        moments.append((clock.now() - START).total_seconds())
        limiter.observe(one)
    return moments


@pytest.mark.parametrize(
    ("answers", "moments"),
    [
        ([answer(8), answer(8), answer(8)], [0, 0, 0, 0]),
        ([answer(7)], [0, 60]),
        ([answer(7), answer(30), answer(7)], [0, 60, 60, 120]),  # it was our own calls that had used it up
        ([answer(200, of=1000)], [0, 60]),
        ([answer(201, of=1000)], [0, 0]),
        ([answer(0, of=0)], [0, 60]),
        ([TOO_MANY], [0, 60]),
        ([TOO_MANY, answer(), TOO_MANY], [0, 60, 60, 120]),  # in between it was let through
        ([answer()], [0, 0]),
    ],
)
def test_at_the_reserve_it_gives_way_for_a_minute(
    clock: HandClock, answers: list[Answer], moments: list[float]
) -> None:
    assert calls(clock, *answers) == moments


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        ([answer(7), answer(6)], "account main has 6 of 35 calls left, even after a minute"),
        ([answer(150, of=1000), answer(149, of=1000)], "149 of 1000 calls left"),
        ([TOO_MANY, TOO_MANY], "no more calls"),
        ([answer(5), TOO_MANY], "no more calls"),
    ],
)
def test_where_that_does_not_help_it_stops_before_the_next_call(
    clock: HandClock, answers: list[Answer], said: str
) -> None:
    with pytest.raises(ReserveReachedError, match=said):
        calls(clock, *answers)


def test_the_last_call_of_a_look_may_be_the_one_that_reaches_it(clock: HandClock) -> None:
    limiter = Limiter(clock, reserve=Reserve(AccountName("main")))
    for one in (answer(7), answer(7)):
        limiter.acquire()
        limiter.observe(one)


def test_who_renews_leaves_nothing(clock: HandClock) -> None:
    limiter = Limiter(clock)
    for _ in range(3):
        limiter.acquire()
        limiter.observe(answer(1))
    assert clock.slept_s == []
