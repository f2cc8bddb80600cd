"""Every failure of a call and what it means, for a read and for a change (design: safety 1)."""

import json
from collections.abc import Callable, Iterator

import pytest

from reconciler.errors import (
    AuthenticationError,
    LookAgainError,
    OutcomeUnknownError,
    ServiceError,
    ServiceRejectedError,
    ServiceUnavailableError,
    UnexpectedAnswerError,
)
from reconciler.services.caller import Caller, Refusal
from reconciler.services.cps import refusals as cps
from reconciler.services.decode import decode
from reconciler.services.http import Request, Transport
from reconciler.services.limits import Limiter
from reconciler.services.scm import refusals as scm
from reconciler.services.scm.login import token_refusal
from tests.support.scripted import HandClock, Reply, ScriptedServer, closed_port, scripted_server

Errors = tuple[type[ServiceError], type[ServiceError]]  # of a read, of a change

NOT_SENT: Errors = (ServiceUnavailableError, ServiceUnavailableError)
LOST: Errors = (ServiceUnavailableError, OutcomeUnknownError)
ODD: Errors = (UnexpectedAnswerError, OutcomeUnknownError)
REFUSED: Errors = (ServiceRejectedError, ServiceRejectedError)
LOGIN: Errors = (AuthenticationError, AuthenticationError)
AGAIN: Errors = (LookAgainError, LookAgainError)
SAID: Errors = (ServiceRejectedError, OutcomeUnknownError)

READ = Request(operation="look", method="POST", path="/x")
CHANGE = Request(operation="step", method="POST", path="/x", mutates=True, body=b"{}")


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with scripted_server(ScriptedServer()) as running:
        yield running


def error_of(url: str, request: Request, refusal: Refusal, *, answer_timeout_s: float = 30.0) -> ServiceError:
    clock = HandClock()
    caller = Caller(
        Transport("cps", url, answer_timeout_s=answer_timeout_s),
        limiter=Limiter(clock),
        clock=clock,
        refusal=refusal,
        read_timeout_s=0.0,  # reads are not repeated here
        jitter=lambda: 0.0,
    )
    try:
        with pytest.raises(ServiceError) as caught:
            caller.call(request, lambda answer: decode(answer.body, dict[str, int]))
    finally:
        caller.close()
    return caught.value


def problem(status: int, **members: str) -> Reply:
    return Reply(status=status, body=json.dumps(members).encode(), content_type="application/problem+json")


def gateway(status: int, kind: str, detail: str) -> Reply:
    return problem(status, type=f"https://problems.luna.akamaiapis.net/-/{kind}", title="Gateway", detail=detail)


def slug(status: int, name: str, title: str = "Title", **more: str) -> Reply:
    return problem(status, type=f"https://host/cps/v2/error-types/{name}", title=title, **more)


TRANSPORT: dict[str, tuple[Reply, Errors]] = {
    "answer lost": (Reply(drop=True), LOST),
    "half a body": (Reply(body=b'{"a": 1}', cut=4), LOST),
    "silence": (Reply(silence_s=3.0), LOST),
    "success without a body": (Reply(), LOST),
    "success that is no JSON": (Reply(body=b"<html>"), LOST),
    "success of another shape": (Reply(body=b'{"a": []}'), ODD),
    "redirect": (Reply(status=302, headers={"Location": "https://elsewhere.example/"}), ODD),
    "500": (Reply(status=500), LOST),
    "502 with a page": (Reply(status=502, body=b"<html>Bad gateway</html>", content_type="text/html"), LOST),
    "503 plain text": (Reply(status=503, body=b"upstream connect error", content_type="text/plain"), LOST),
    "503 that asks for patience": (Reply(status=503, headers={"Retry-After": "5"}), LOST),
    "429": (Reply(status=429), NOT_SENT),
    "429 with a text": (problem(429, title="Too Many Requests", detail="Retry after: 21 seconds."), NOT_SENT),
    "400 with a page": (Reply(status=400, body=b"<html>no</html>", content_type="text/html"), ODD),
    "400 without a body": (Reply(status=400), ODD),
    "400 with a list": (Reply(status=400, body=b"[]"), ODD),
    "401 without a body": (Reply(status=401), LOGIN),
    "401 plain text": (Reply(status=401, body=b"no", content_type="text/plain"), LOGIN),
}

CPS: dict[str, tuple[Reply, Errors]] = {
    "body refused": (slug(400, "invalid-certificate-chain-type"), REFUSED),
    "contract refused": (problem(400, title="ApiError(type=Forbidden, title=Invalid Contract)"), REFUSED),
    "forbidden": (slug(403, "forbidden"), REFUSED),
    "no grant": (gateway(403, "pep-authz/deny", "The client does not have the grant needed"), REFUSED),
    "media type": (slug(415, "unsupported-media-type"), REFUSED),
    "no header": (gateway(400, "pep-authn/request-error", "Authorization header missing"), LOGIN),
    "clock": (gateway(400, "pep-authn/request-error", "Invalid timestamp"), LOGIN),
    "nonce": (gateway(400, "pep-authn/request-error", "Duplicate nonce"), LOGIN),
    "client": (gateway(401, "pep-authn/deny", "Inactive client token"), LOGIN),
    "signature": (gateway(401, "pep-authn/deny", "The signature does not match"), LOGIN),
    "burst at the edge": (gateway(400, "edge/deny", "WAF deny rule IPBLOCK-BURST4-54013"), NOT_SENT),
    "not there": (slug(404, "not-found", "Not Found"), AGAIN),
    "404 without a problem": (Reply(status=404), AGAIN),
    "pending change": (slug(409, "cannot-cancel-pending-change"), AGAIN),
    "wrong moment": (slug(409, "invalid-enrollment-state"), AGAIN),
    "origin down": (gateway(500, "resource-impl/forward-origin-error", "Server Error"), LOST),
    "internal error": (slug(500, "internal_error"), LOST),
    "not acceptable": (slug(406, "not-acceptable"), SAID),
    "precondition": (slug(412, "precondition-failed"), SAID),
    "403 without a problem": (Reply(status=403), ODD),
}


def code(number: int, status: int = 400, text: str = "said") -> Reply:
    return Reply(status=status, body=json.dumps({"code": number, "description": text}).encode())


FIX_INPUT: tuple[int, ...] = (
    -7,
    -9,
    -10,
    -11,
    -13,
    -35,
    -36,
    -39,
    -62,
    -64,
    -78,
    -105,
    -111,
    -123,
    -126,
    -135,
    -138,
    -139,
    -141,
)
FIX_INPUT += (-164, -194, -639, -714, -723, -732, -951, -1001, -1002, -1023, -1104, -1138, -1450, -1601)
RIGHTS: tuple[int, ...] = (
    -3,
    -25,
    -37,
    -76,
    -107,
    -169,
    -170,
    -180,
    -181,
    -188,
    -226,
    -410,
    -429,
    -715,
    -724,
    -727,
    -737,
    -738,
)
RIGHTS += (-843, -993, -1010, -1021, -1137, -1140, -1608)
TRANSIENT = (-1, -2, -14, -43, -65, -129, -140, -195, -196, -1603, -3114, -3115)
FINAL = (-102, -110, -124, -130, -159, -166, -192, -1112, -1117, -1144, -1148, -5101)
WAIT = (0, -23, -103, -109, -183, -1113, -1400)
STRANGE = (-99_999, 7)

SCM: dict[str, tuple[Reply, Errors]] = {
    **{f"fix input {number}": (code(number), REFUSED) for number in FIX_INPUT},
    **{f"rights {number}": (code(number), REFUSED) for number in RIGHTS},
    **{f"transient {number}": (code(number), LOST) for number in TRANSIENT},
    **{f"final {number}": (code(number), SAID) for number in FINAL},
    **{f"wait {number}": (code(number), SAID) for number in WAIT},
    **{f"strange {number}": (code(number), SAID) for number in STRANGE},
    "login -16": (code(-16, 401), LOGIN),
    "login -16 as 400": (code(-16), LOGIN),
    "login -970": (code(-970), LOGIN),
    "404": (code(-5101, 404), SAID),
    "404 without a body": (Reply(status=404), SAID),
    "403": (code(-3, 403), SAID),
    "405": (Reply(status=405), ODD),
    "500 with a code": (code(-2, 500), LOST),
    "a description alone": (Reply(status=400, body=b'{"description": "new form"}'), ODD),
}

TOKEN: dict[str, tuple[Reply, Errors]] = {
    "wrong secret": (Reply(status=401, body=b'{"error":"invalid_client"}'), LOGIN),
    "unauthorized client": (Reply(status=400, body=b'{"error":"unauthorized_client"}'), LOGIN),
    "forbidden": (Reply(status=403), LOGIN),
    "down": (Reply(status=503), LOST),
}

TABLES: dict[str, tuple[Refusal, dict[str, tuple[Reply, Errors]]]] = {
    "cps": (cps.refusal, TRANSPORT | CPS),
    "scm": (scm.refusal, TRANSPORT | SCM),
    "token": (token_refusal, TOKEN),
}
ROWS = [(service, row) for service, (_, table) in TABLES.items() for row in table]


@pytest.mark.parametrize(("service", "row"), ROWS)
@pytest.mark.parametrize("kind", ["read", "change"])
def test_each_failure_is_of_one_class(server: ScriptedServer, service: str, row: str, kind: str) -> None:
    refusal, table = TABLES[service]
    reply, (of_read, of_change) = table[row]
    server.script(reply)
    request, expected = (READ, of_read) if kind == "read" else (CHANGE, of_change)
    error = error_of(server.url, request, refusal, answer_timeout_s=1.0 if reply.silence_s else 30.0)
    assert type(error) is expected
    assert len(server.seen) == 1
    assert error.operation == request.operation
    assert "\n" not in str(error)


@pytest.mark.parametrize("refusal", [cps.refusal, scm.refusal])
@pytest.mark.parametrize("request_", [READ, CHANGE])
def test_a_refused_connection_is_not_sent(refusal: Refusal, request_: Request) -> None:
    assert type(error_of(f"http://127.0.0.1:{closed_port()}", request_, refusal)) is ServiceUnavailableError


def test_an_unknown_outcome_says_what_to_do(server: ScriptedServer) -> None:
    server.script(Reply(drop=True))
    error = error_of(server.url, CHANGE, cps.refusal)
    assert "It may have happened: run 'certrecon plan', which looks before it does anything." in str(error)


def test_the_clock_is_told_how_far_it_is_off(server: ScriptedServer) -> None:
    # Long ago by the service's clock, so ours is ahead of it.
    reply = gateway(400, "pep-authn/request-error", "Invalid timestamp")
    server.script(Reply(status=400, body=reply.body, headers={"Date": "Mon, 05 Jan 2026 00:00:00 GMT"}))
    error = error_of(server.url, READ, cps.refusal)
    assert "Invalid timestamp; this machine's clock is" in error.detail
    assert "s ahead of the service's, which accepts 30 s" in error.detail
    assert error.remedy == "Set this machine's clock (NTP)."


@pytest.mark.parametrize(
    ("reply", "seconds"),
    [
        (Reply(status=429, headers={"Retry-After": "21"}), 21.0),
        (problem(429, detail="You have exhausted your API Request Quota. Retry after: 21 seconds."), 21.0),
        (Reply(status=429), None),
    ],
)
@pytest.mark.parametrize("request_", [READ, CHANGE])
def test_a_throttled_call_says_when_it_may_be_made_again(
    server: ScriptedServer, reply: Reply, seconds: float | None, request_: Request
) -> None:
    server.script(reply)
    error = error_of(server.url, request_, cps.refusal)
    assert isinstance(error, ServiceUnavailableError)
    assert error.retry_after_s == seconds


@pytest.mark.parametrize(
    ("refusal", "reply", "said"),
    [
        (scm.refusal, code(-1010, text="Domain 'x.example' is not allowed."), "-1010"),
        (cps.refusal, slug(400, "invalid-enrollment"), "invalid-enrollment"),
        (cps.refusal, slug(409, "invalid-enrollment-state"), "invalid-enrollment-state"),
    ],
)
def test_a_refusal_keeps_the_code_of_the_service(
    server: ScriptedServer, refusal: Refusal, reply: Reply, said: str
) -> None:
    server.script(reply)
    error = error_of(server.url, CHANGE, refusal)
    assert isinstance(error, ServiceRejectedError)
    assert error.code == said


@pytest.mark.parametrize("judge", [cps.refusal, scm.refusal])
def test_a_text_of_a_service_can_not_write_on_the_terminal(
    server: ScriptedServer, judge: Callable[..., ServiceError]
) -> None:
    server.script(Reply(status=500, body=b"\x1b[2J\r\nall is well\x07 " + b"x" * 5000))
    error = error_of(server.url, READ, judge)
    assert "\x1b" not in str(error)
    assert "\x07" not in str(error)
    assert len(str(error)) < 600
