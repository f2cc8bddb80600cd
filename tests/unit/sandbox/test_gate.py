"""The gate: what it counts, what each fault does to a call, and that the unknown is a loud 501."""

import asyncio
import json
import logging
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import pytest
from cryptography import x509
from starlette.responses import JSONResponse, Response

from reconciler.sandbox import loopback, tls
from reconciler.sandbox.clock import ClockState, VirtualClock, real_now
from reconciler.sandbox.faults import Fault, FaultKind, Faults
from reconciler.sandbox.gate import Call, Gate, Operation
from reconciler.sandbox.hierarchy import CaRecord
from reconciler.sandbox.http import HttpListener
from reconciler.sandbox.ids import Ids, IdState
from reconciler.sandbox.keys import KeyMaker

GET_THING = Operation(service="toy", name="get_thing", method="GET", path="/things/{thing:int}", mutates=False)
MAKE_THING = Operation(service="toy", name="make_thing", method="POST", path="/things", mutates=True)
SEARCH = Operation(service="toy", name="search", method="POST", path="/search", mutates=False)
TRUTH = {"made": 1, "names": ["a", "b"], "nested": {"ok": True}}


@dataclass(kw_only=True)
class Toy:
    """A service with three operations that remembers what it did."""

    acts: list[str] = field(default_factory=list)
    saved: int = 0
    allowed: bool = True
    last: Call | None = None

    def handle(self, call: Call) -> Response:
        self.acts.append(call.method)
        self.last = call
        return JSONResponse(TRUTH, headers={"x-toy": "yes"})

    def guard(self, operation: Operation, call: Call) -> Response | None:
        return None if self.allowed else JSONResponse({"refused": operation.name, "at": call.target}, 401)

    def touch(self) -> None:
        self.saved += 1


@dataclass(kw_only=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes
    whole: bool  # whether as many bytes came as the head promised

    def json(self) -> object:
        return json.loads(self.body)


@dataclass(frozen=True, kw_only=True)
class Listening:
    port: int
    trust: ssl.SSLContext
    ca: CaRecord
    ids: Ids
    keys: KeyMaker


Ask = Callable[[str, str], Answer | None]


@pytest.fixture
def toy() -> Toy:
    return Toy()


@pytest.fixture
def gate(toy: Toy) -> Gate:
    clock = VirtualClock(ClockState(now=datetime(2026, 11, 16, tzinfo=UTC)))
    return Gate(clock=clock, faults=Faults(), after_mutation=toy.touch)


@pytest.fixture
def ask(gate: Gate, toy: Toy) -> Ask:
    """Return a function that makes one call over TLS; None where the connection closes without a byte."""
    operations = [(operation, toy.handle) for operation in (GET_THING, MAKE_THING, SEARCH)]
    application = gate.application("toy", operations, toy.guard, lambda _: JSONResponse({"no": 1}, 501))

    async def call(method: str, target: str) -> Answer | None:
        async with listening(HttpListener(application)) as there:
            return await exchange(there, method, target)

    return lambda method, target: asyncio.run(call(method, target))


async def exchange(there: Listening, method: str, target: str) -> Answer | None:
    try:
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", there.port, ssl=there.trust, server_hostname="localhost"
        )
    except OSError:
        return None
    try:
        writer.write(f"{method} {target} HTTP/1.1\r\nHost: toy\r\nConnection: close\r\n\r\n".encode())
        return _parsed(await reader.read())
    except OSError:
        return None
    finally:
        writer.transport.abort()


@asynccontextmanager
async def listening(listener: HttpListener) -> AsyncIterator[Listening]:
    ids, keys = Ids(IdState(seed=1)), KeyMaker()
    ca = loopback.create_loopback_ca(ids=ids, keys=keys)
    credential = loopback.issue_server(ca, ids=ids, keys=keys, now=real_now())
    context = tls.service_context(credential.certificate_pem, credential.key_pem, ca.certificate_pem)
    server = await asyncio.get_running_loop().create_server(listener.protocol, "127.0.0.1", 0, ssl=context)
    try:
        trust = ssl.create_default_context(cadata=ca.certificate_pem)
        yield Listening(port=server.sockets[0].getsockname()[1], trust=trust, ca=ca, ids=ids, keys=keys)
    finally:
        server.close()
        await listener.drain()
        await asyncio.sleep(0.02)


def _parsed(raw: bytes) -> Answer | None:
    if not raw:
        return None
    head, _, body = raw.partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
    whole = len(body) == int(headers.get("content-length", len(body)))
    return Answer(status=int(first.split()[1]), headers=headers, body=body, whole=whole)


def asked(ask: Ask, method: str, target: str) -> Answer:
    answer = ask(method, target)
    assert answer is not None
    return answer


def test_a_call_reaches_its_handler_whole(ask: Ask, toy: Toy) -> None:
    answer = asked(ask, "GET", "/things/7?depth=TOP&x=%20")
    assert (answer.status, answer.json(), answer.headers["x-toy"]) == (200, TRUTH, "yes")
    assert toy.last is not None
    assert toy.last.path == {"thing": 7}
    assert toy.last.query == {"depth": "TOP", "x": " "}
    assert toy.last.target == "/things/7?depth=TOP&x=%20"
    assert toy.last.header("HOST") == "toy"
    assert toy.last.peer_certificate_der is None


def test_a_client_certificate_of_the_loopback_ca_reaches_the_handler_and_no_other(gate: Gate, toy: Toy) -> None:
    application = gate.application("toy", [(GET_THING, toy.handle)], toy.guard, lambda _: Response(status_code=501))

    async def present() -> tuple[Answer | None, Answer | None]:
        async with listening(HttpListener(application)) as there:
            stranger = loopback.create_loopback_ca(ids=there.ids, keys=there.keys)
            answers: list[Answer | None] = []
            for ca in (there.ca, stranger):
                client = loopback.issue_client(ca, "api-admin", ids=there.ids, keys=there.keys, now=real_now())
                trust = ssl.create_default_context(cadata=there.ca.certificate_pem)
                tls.load(trust, client.certificate_pem, client.key_pem)
                answers.append(await exchange(replace(there, trust=trust), "GET", "/things/7"))
            return answers[0], answers[1]

    welcome, refused = asyncio.run(present())
    assert welcome is not None
    assert refused is None
    assert toy.acts == ["GET"]
    assert toy.last is not None
    assert toy.last.peer_certificate_der is not None
    presented = x509.load_der_x509_certificate(toy.last.peer_certificate_der)
    assert presented.subject.rfc4514_string() == "CN=api-admin"


def test_every_answer_carries_the_real_date(ask: Ask) -> None:
    assert asked(ask, "GET", "/things/7").headers["date"].endswith(" GMT")


def test_calls_are_counted_by_operation_and_a_post_may_read(ask: Ask, gate: Gate, toy: Toy) -> None:
    for method, target in (("GET", "/things/7"), ("POST", "/search"), ("POST", "/things"), ("POST", "/things")):
        ask(method, target)
    assert gate.calls == {"toy.get_thing": 1, "toy.search": 1, "toy.make_thing": 2}
    assert gate.mutating_calls == {"toy.make_thing": 2}
    assert toy.saved == 2


def test_what_the_guard_refuses_does_not_act(ask: Ask, toy: Toy) -> None:
    toy.allowed = False
    answer = asked(ask, "POST", "/things")
    assert (answer.status, answer.json()) == (401, {"refused": "make_thing", "at": "/things"})
    assert toy.acts == []


@pytest.mark.parametrize(
    ("method", "target"), [("GET", "/nowhere"), ("DELETE", "/things"), ("HEAD", "/things/7"), ("GET", "/things/seven")]
)
def test_what_is_not_known_is_a_loud_501(
    ask: Ask, gate: Gate, toy: Toy, caplog: pytest.LogCaptureFixture, method: str, target: str
) -> None:
    with caplog.at_level(logging.ERROR):
        assert asked(ask, method, target).status == 501
    assert f"{method} {target} is not part of the sandbox" in caplog.text
    assert gate.calls == {"toy.unknown": 1}
    assert toy.acts == []


def armed(gate: Gate, kind: FaultKind, operation: str = "toy.*", **more: object) -> None:
    gate.faults.arm(Fault(kind=kind, operation=operation, **more))  # type: ignore[arg-type]  # a test's own values


def test_a_lost_answer_was_acted_on(ask: Ask, gate: Gate, toy: Toy) -> None:
    armed(gate, FaultKind.LOSE_ANSWER)
    assert ask("POST", "/things") is None
    assert toy.acts == ["POST"]
    assert toy.saved == 1


def test_a_refused_call_was_not_acted_on(ask: Ask, gate: Gate, toy: Toy) -> None:
    armed(gate, FaultKind.REFUSE)
    assert ask("POST", "/things") is None
    assert toy.acts == []
    assert gate.calls["toy.make_thing"] == 1


def test_an_armed_status_answers_instead_of_acting(ask: Ask, gate: Gate, toy: Toy) -> None:
    armed(gate, FaultKind.STATUS, status=429, headers={"Retry-After": "21"})
    answer = asked(ask, "POST", "/things")
    assert (answer.status, answer.headers["retry-after"]) == (429, "21")
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json() == {"type": "about:blank", "title": "Too Many Requests", "status": 429}
    assert toy.acts == []


def test_an_armed_status_may_bring_its_own_body(ask: Ask, gate: Gate) -> None:
    armed(gate, FaultKind.STATUS, status=503, body="Service Unavailable", content_type="text/plain")
    answer = asked(ask, "GET", "/things/7")
    assert (answer.status, answer.body) == (503, b"Service Unavailable")
    assert answer.headers["content-type"].startswith("text/plain")


def test_a_status_after_acting_hides_what_was_done(ask: Ask, gate: Gate, toy: Toy) -> None:
    armed(gate, FaultKind.STATUS_AFTER, status=500)
    assert asked(ask, "POST", "/things").status == 500
    assert toy.acts == ["POST"]


def test_half_a_body_breaks_off_in_the_middle(ask: Ask, gate: Gate, toy: Toy) -> None:
    armed(gate, FaultKind.HALF_BODY)
    answer = asked(ask, "POST", "/things")
    whole = JSONResponse(TRUTH).body
    assert answer.body == bytes(whole)[: len(whole) // 2]
    assert not answer.whole
    assert toy.acts == ["POST"]


def test_an_empty_body_keeps_the_true_status(ask: Ask, gate: Gate) -> None:
    armed(gate, FaultKind.EMPTY_BODY)
    answer = asked(ask, "GET", "/things/7")
    assert (answer.status, answer.body, answer.whole) == (200, b"", True)


def test_wrong_types_turn_numbers_into_texts_and_lists_into_objects(ask: Ask, gate: Gate) -> None:
    armed(gate, FaultKind.WRONG_TYPES)
    answer = asked(ask, "GET", "/things/7")
    assert answer.json() == {"made": "1", "names": {"0": "a", "1": "b"}, "nested": {"ok": True}}


def test_a_dropped_item_is_the_last_of_the_first_list(ask: Ask, gate: Gate) -> None:
    armed(gate, FaultKind.DROP_ITEM)
    assert asked(ask, "GET", "/things/7").json() == {**TRUTH, "names": ["a"]}


def test_a_delay_acts_late(ask: Ask, gate: Gate, toy: Toy, monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    real_sleep = asyncio.sleep

    async def sleep(delay_s: float) -> None:
        slept.append(delay_s)
        await real_sleep(0)

    monkeypatch.setattr("reconciler.sandbox.gate.asyncio.sleep", sleep)
    armed(gate, FaultKind.DELAY, seconds=30)
    assert asked(ask, "POST", "/things").status == 200
    assert 30 in slept
    assert toy.acts == ["POST"]


def test_a_cut_connection_is_no_error_in_the_log(ask: Ask, gate: Gate, caplog: pytest.LogCaptureFixture) -> None:
    armed(gate, FaultKind.LOSE_ANSWER)
    armed(gate, FaultKind.HALF_BODY)
    with caplog.at_level(logging.ERROR):
        ask("POST", "/things")
        ask("POST", "/things")
    assert caplog.records == []


def test_a_fault_can_be_asked_for_any_known_operation(gate: Gate, ask: Ask) -> None:
    assert gate.knows("toy.*")
    assert gate.knows("toy.make_thing")
    assert not gate.knows("toy.enrol")
