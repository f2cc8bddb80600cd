"""Reads are made again while that may help; changes are made once."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

import pytest

from reconciler.errors import (
    AuthenticationError,
    OutcomeUnknownError,
    ServiceError,
    ServiceUnavailableError,
    UnexpectedAnswerError,
)
from reconciler.services import permit
from reconciler.services.caller import Caller
from reconciler.services.decode import decode
from reconciler.services.http import Answer, Request, Transport
from reconciler.services.limits import Limit, Limiter
from reconciler.services.scm import refusals
from tests.support.scripted import HandClock, Reply, ScriptedServer, closed_port

READ = Request(operation="read the report", method="POST", path="/report")
CHANGE = Request(operation="submit the order", method="POST", path="/enroll", mutates=True, body=b"{}")
GOOD = Reply(body=b'{"a": 1}')


@contextmanager
def calling(url: str, clock: HandClock, **options: object) -> Iterator[Caller]:
    settings: dict[str, object] = {
        "limiter": Limiter(clock),
        "clock": clock,
        "refusal": refusals.refusal,
        "read_timeout_s": 120.0,
        "jitter": lambda: 0.0,
    }
    caller = Caller(Transport("scm", url, answer_timeout_s=30.0), **(settings | options))  # type: ignore[arg-type]
    try:
        yield caller
    finally:
        caller.close()


def parse(answer: Answer) -> dict[str, int]:
    return decode(answer.body, dict[str, int])


RETRIED = {
    "503 plain text": Reply(status=503, body=b"upstream connect error", content_type="text/plain"),
    "500": Reply(status=500),
    "429": Reply(status=429),
    "lost": Reply(drop=True),
    "half a body": Reply(body=b'{"a": 1}', cut=3),
    "an empty body": Reply(),
    "no JSON": Reply(body=b"<html>"),
    "a transient code": Reply(status=400, body=b'{"code":-140,"description":"try again later"}'),
}


@pytest.mark.parametrize("fault", RETRIED)
def test_a_read_is_made_again(server: ScriptedServer, clock: HandClock, fault: str) -> None:
    server.script(RETRIED[fault], RETRIED[fault], GOOD)
    with calling(server.url, clock) as caller:
        assert caller.call(READ, parse) == {"a": 1}
    assert len(server.seen) == 3
    assert clock.slept_s == [1.0, 2.0]


@pytest.mark.parametrize("fault", RETRIED)
def test_a_change_is_made_once(server: ScriptedServer, clock: HandClock, fault: str) -> None:
    server.script(RETRIED[fault], GOOD)
    with calling(server.url, clock) as caller, pytest.raises(ServiceError):
        caller.call(CHANGE, parse)
    assert len(server.seen) == 1
    assert clock.slept_s == []


def test_a_read_gives_up_when_its_time_is_spent(server: ScriptedServer, clock: HandClock) -> None:
    server.script(Reply(status=503))
    with calling(server.url, clock) as caller, pytest.raises(ServiceUnavailableError):
        caller.call(READ, parse)
    assert clock.slept_s == [1, 2, 4, 8, 16, 30, 30]  # the next 30 s would end after 120 s
    assert len(server.seen) == 8


def test_a_read_does_not_wait_longer_than_it_may(server: ScriptedServer, clock: HandClock) -> None:
    server.script(Reply(status=429, headers={"Retry-After": "121"}))
    with calling(server.url, clock) as caller, pytest.raises(ServiceUnavailableError) as caught:
        caller.call(READ, parse)
    assert caught.value.retry_after_s == 121.0
    assert len(server.seen) == 1


def test_a_read_waits_as_long_as_it_is_asked_to(server: ScriptedServer, clock: HandClock) -> None:
    server.script(Reply(status=429, headers={"Retry-After": "21"}), GOOD)
    with calling(server.url, clock) as caller:
        caller.call(READ, parse)
    assert clock.slept_s == [21.0]


def test_waits_of_the_limiter_are_no_waits_of_the_read(server: ScriptedServer, clock: HandClock) -> None:
    server.script(Reply(status=503), GOOD)
    limiter = Limiter(clock, {"": (Limit(calls=1, seconds=300),)})
    with calling(server.url, clock, limiter=limiter) as caller:
        assert caller.call(READ, parse) == {"a": 1}
    assert clock.slept_s == [1.0, 299.0]


def test_a_change_that_came_too_early_holds_the_next_call_back(server: ScriptedServer, clock: HandClock) -> None:
    server.script(Reply(status=429, headers={"Retry-After": "12"}), GOOD)
    with calling(server.url, clock) as caller:
        with pytest.raises(ServiceUnavailableError):
            caller.call(CHANGE, parse)
        assert clock.slept_s == []
        caller.call(READ, parse)
    assert clock.slept_s == [12.0]


def test_a_refused_connection_is_tried_again_by_a_read(clock: HandClock) -> None:
    url = f"http://127.0.0.1:{closed_port()}"
    with calling(url, clock, read_timeout_s=5.0) as caller, pytest.raises(ServiceUnavailableError):
        caller.call(READ, parse)
    assert clock.slept_s == [1.0, 2.0]


def test_wrong_shape_is_no_reason_to_ask_again(server: ScriptedServer, clock: HandClock) -> None:
    server.script(Reply(body=b'{"a": "x"}'), GOOD)
    with calling(server.url, clock) as caller, pytest.raises(UnexpectedAnswerError):
        caller.call(READ, parse)
    assert len(server.seen) == 1


@pytest.mark.parametrize("body", [b"", b"[]", b'{"a": "x"}', b"<html>"])
def test_a_success_that_says_nothing_leaves_a_change_unknown(
    server: ScriptedServer, clock: HandClock, body: bytes
) -> None:
    server.script(Reply(body=body))
    with calling(server.url, clock) as caller, pytest.raises(OutcomeUnknownError):
        caller.call(CHANGE, parse)


def test_new_credentials_are_tried_once(server: ScriptedServer, clock: HandClock) -> None:
    server.script(Reply(status=401), Reply(status=401), GOOD)
    with (
        calling(server.url, clock, renew_login=lambda: True) as caller,
        pytest.raises(AuthenticationError),
    ):
        caller.call(CHANGE, parse)
    assert len(server.seen) == 2


def test_a_change_goes_through_with_new_credentials(server: ScriptedServer, clock: HandClock) -> None:
    server.script(Reply(status=401), GOOD)
    with calling(server.url, clock, renew_login=lambda: True) as caller:
        assert caller.call(CHANGE, parse) == {"a": 1}


def test_a_change_that_is_sent_again_with_a_new_login_is_permitted_again(
    server: ScriptedServer, clock: HandClock
) -> None:
    server.script(Reply(status=401), GOOD)
    asked: list[str] = []
    with calling(server.url, clock, renew_login=lambda: True) as caller, permit.asking(lambda: asked.append("permit")):
        caller.call(CHANGE, parse)
    assert asked == ["permit", "permit"]


def test_the_permit_is_asked_after_the_limits_of_the_service_were_waited_for(
    server: ScriptedServer, clock: HandClock
) -> None:
    server.script(GOOD, GOOD)
    asked_at: list[datetime] = []
    limiter = Limiter(clock, {"": (Limit(calls=1, seconds=60.0),)})
    with (
        calling(server.url, clock, limiter=limiter) as caller,
        permit.asking(lambda: asked_at.append(clock.now())),
    ):
        caller.call(CHANGE, parse)
        caller.call(CHANGE, parse)
    assert asked_at[1] - asked_at[0] == timedelta(seconds=60)
