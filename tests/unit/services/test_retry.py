"""How long a refusing service asks us to wait."""

from datetime import UTC, datetime

import pytest

from reconciler.services.http import Answer
from reconciler.services.retry import backoff_s, retry_after_s

RECEIVED = datetime(2025, 12, 2, 21, 59, 0, tzinfo=UTC).timestamp()


def answer(body: str = "", **headers: str) -> Answer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(status=429, headers=named, body=body.encode(), received_at=RECEIVED)


@pytest.mark.parametrize(
    ("refusal", "seconds"),
    [
        (answer(Retry_After="21"), 21.0),
        (answer(Retry_After="0"), 0.0),
        (answer(Retry_After="Tue, 02 Dec 2025 22:00:00 GMT"), 60.0),
        (answer(Retry_After="Tue, 02 Dec 2025 21:00:00 GMT"), 0.0),
        (answer(X_RateLimit_Next="2025-12-02T21:59:30Z"), 31.0),
        (answer(X_RateLimit_Next="2025-12-02T21:59:30.4732Z"), 31.473),
        # By the service's clock, which is an hour behind ours.
        (answer(X_RateLimit_Next="2025-12-02T20:59:30Z", Date="Tue, 02 Dec 2025 20:59:00 GMT"), 31.0),
        (answer('{"detail":"You have exhausted your API Request Quota. Retry after: 21 seconds."}'), 21.0),
        (answer("reached the limit for your account. Please try after 2025-12-02T22:00:40.098Z"), 101.098),
        (answer(Retry_After="5", X_RateLimit_Next="2025-12-02T22:59:30Z"), 5.0),
        (answer(Retry_After="soon"), None),
        (answer(Retry_After="Mon, 01 Jan 99999999999999999999 00:00:00 GMT"), None),
        (answer(Retry_After="5", Date="Mon, 01 Jan 99999999999999999999 00:00:00 GMT"), 5.0),
        (answer(X_RateLimit_Next="2025-12-02T21:59:30Z", Date="Mon, 01 Jan 99999999999999999999 00:00:00 GMT"), 31.0),
        (answer(X_RateLimit_Next="soon"), None),
        (answer("<html>busy</html>"), None),
    ],
)
def test_each_way_of_asking_is_understood(refusal: Answer, seconds: float | None) -> None:
    assert retry_after_s(refusal) == (None if seconds is None else pytest.approx(seconds, abs=0.001))


def test_the_back_off_doubles_up_to_its_limit() -> None:
    assert [backoff_s(attempt, 0.0) for attempt in range(1, 8)] == [1, 2, 4, 8, 16, 30, 30]


def test_jitter_takes_up_to_half() -> None:
    assert (backoff_s(3, 0.0), backoff_s(3, 0.5), backoff_s(3, 1.0)) == (4.0, 3.0, 2.0)
