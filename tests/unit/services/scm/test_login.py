"""The three logins."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from reconciler.errors import AuthenticationError, ServiceUnavailableError
from reconciler.model.access import CertificateLogin, OAuthLogin, PasswordLogin, Secret
from reconciler.services.caller import Caller
from reconciler.services.decode import decode
from reconciler.services.http import Authorize, Request, Transport
from reconciler.services.limits import Limiter
from reconciler.services.scm import refusals
from reconciler.services.scm.login import BearerLogin, HeaderLogin, token_refusal
from tests.support.scripted import HandClock, Reply, ScriptedServer, scripted_server

READ = Request(operation="look", method="GET", path="/ssl/v1")
CHANGE = Request(operation="submit the order", method="POST", path="/ssl/v1/enroll", mutates=True, body=b"{}")
LOGIN = OAuthLogin(client_id="an id", client_secret=Secret("s&cret"), token_url="unused")
GOOD = Reply(body=b"{}")


def token(text: str, **members: float) -> Reply:
    life = "".join(f', "{name}": {value}' for name, value in members.items())
    return Reply(body=f'{{"access_token": "{text}", "token_type": "Bearer"{life}}}'.encode())


def headers_of(server: ScriptedServer, login: Authorize) -> dict[str, str]:
    server.script(GOOD)
    sender = Transport("scm", server.url, authorize=login)
    sender.send(READ)
    sender.close()
    return dict(server.seen[-1].headers)


def test_a_password_goes_in_three_headers(server: ScriptedServer) -> None:
    headers = headers_of(
        server, HeaderLogin(PasswordLogin(login="ada", password=Secret("hunter2"), customer_uri="acme"))
    )
    assert (headers["login"], headers["password"], headers["customeruri"]) == ("ada", "hunter2", "acme")
    assert "authorization" not in headers


def test_a_certificate_takes_the_place_of_the_password(server: ScriptedServer) -> None:
    login = CertificateLogin(login="ada", customer_uri="acme", certificate_file=Path("c"), key_file=Path("k"))
    headers = headers_of(server, HeaderLogin(login))
    assert (headers["login"], headers["customeruri"]) == ("ada", "acme")
    assert "password" not in headers


@pytest.fixture
def tokens() -> Iterator[ScriptedServer]:
    with scripted_server(ScriptedServer()) as running:
        yield running


class Monotonic:
    now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


@contextmanager
def bearer(
    server: ScriptedServer, tokens: ScriptedServer, monotonic: Monotonic | None = None
) -> Iterator[tuple[Caller, BearerLogin]]:
    clock = HandClock()

    def caller(transport: Transport, **more: object) -> Caller:
        settings = {"limiter": Limiter(clock), "clock": clock, "read_timeout_s": 0.0, "jitter": lambda: 0.0}
        return Caller(transport, **(settings | more))  # type: ignore[arg-type]

    login = BearerLogin(
        LOGIN, caller(Transport("scm", tokens.url), refusal=token_refusal), monotonic=monotonic or Monotonic()
    )
    main = caller(Transport("scm", server.url, authorize=login), refusal=refusals.refusal, renew_login=login.forget)
    try:
        yield main, login
    finally:
        main.close()
        login.close()


def look(caller: Caller) -> None:
    caller.call(READ, lambda answer: decode(answer.body, dict[str, int]))


def test_a_token_is_asked_for_with_a_form(server: ScriptedServer, tokens: ScriptedServer) -> None:
    server.script(GOOD)
    tokens.script(token("t1", expires_in=300))
    with bearer(server, tokens) as (caller, _):
        look(caller)
    assert tokens.seen[0].body == b"grant_type=client_credentials&client_id=an+id&client_secret=s%26cret"
    assert tokens.seen[0].headers["content-type"] == "application/x-www-form-urlencoded"
    assert server.seen[0].headers["authorization"] == "Bearer t1"


@pytest.mark.parametrize(
    ("life", "after_s", "asked"),
    [
        ({"expires_in": 300}, 239.0, 1),
        ({"expires_in": 300}, 240.0, 2),  # 80 % of its life
        ({"expires_in": 100}, 69.0, 1),
        ({"expires_in": 100}, 70.0, 2),  # 30 s before its end
        ({"expires_in": 10}, 0.0, 2),  # too short to keep
        ({}, 29.0, 1),
        ({}, 30.0, 2),
    ],
)
def test_a_token_is_kept_while_it_is_fresh(
    server: ScriptedServer, tokens: ScriptedServer, life: dict[str, float], after_s: float, asked: int
) -> None:
    server.script(GOOD)
    tokens.script(token("t1", **life), token("t2", expires_in=300))
    monotonic = Monotonic()
    with bearer(server, tokens, monotonic) as (caller, _):
        look(caller)
        monotonic.now_s += after_s
        look(caller)
    assert len(tokens.seen) == asked
    assert server.seen[1].headers["authorization"] == f"Bearer t{asked}"


def test_a_token_that_is_refused_is_renewed_once(server: ScriptedServer, tokens: ScriptedServer) -> None:
    server.script(Reply(status=401))
    tokens.script(token("t1", expires_in=300), token("t2", expires_in=300))
    with bearer(server, tokens) as (caller, _), pytest.raises(AuthenticationError):
        look(caller)
    assert [seen.headers["authorization"] for seen in server.seen] == ["Bearer t1", "Bearer t2"]


def test_a_wrong_secret_is_told_and_nothing_is_sent(server: ScriptedServer, tokens: ScriptedServer) -> None:
    tokens.script(Reply(status=401, body=b'{"error":"invalid_client","error_description":"Invalid client"}'))
    with bearer(server, tokens) as (caller, _), pytest.raises(AuthenticationError, match="invalid_client"):
        caller.call(CHANGE, lambda answer: answer)
    assert server.seen == []


@pytest.mark.parametrize("failure", [Reply(status=503), Reply(drop=True), Reply(body=b"<html>")])
def test_without_a_token_a_change_was_not_sent(server: ScriptedServer, tokens: ScriptedServer, failure: Reply) -> None:
    tokens.script(failure)
    with bearer(server, tokens) as (caller, _), pytest.raises(ServiceUnavailableError):
        caller.call(CHANGE, lambda answer: answer)
    assert server.seen == []
