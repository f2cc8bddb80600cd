"""What the SCM client asks, and what it makes of the answers."""

import json
from typing import Any

import pytest

from reconciler.errors import (
    AuthenticationError,
    OutcomeUnknownError,
    ServiceError,
    ServiceRejectedError,
    ServiceUnavailableError,
)
from reconciler.model.order import SslId
from tests.support.scripted import Reply, ScriptedServer
from tests.support.service_clients import scm_on
from tests.unit.services.scm.test_wire import DETAILS, request

PEM = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"


def reply(document: Any, status: int = 200) -> Reply:
    return Reply(status=status, body=json.dumps(document).encode())


def code(number: int, status: int = 400) -> Reply:
    return reply({"code": number, "description": "said"}, status)


def octets(body: bytes) -> Reply:
    return Reply(body=body, content_type="application/octet-stream;charset=UTF-8")


def test_collect_takes_leaf_and_chain(server: ScriptedServer) -> None:
    server.script(octets(PEM + PEM))
    with scm_on(server) as scm:
        assert scm.collect(SslId(7)) == (PEM.decode(), PEM.decode())
    assert server.seen[0].target == "/ssl/v1/collect/7?format=x509"


@pytest.mark.parametrize(
    "answer",
    [
        *(code(number) for number in (0, -23, -183, -1400, -109, -103, -1112)),
        octets(b""),
        octets(b"Being processed"),
    ],
)
def test_a_certificate_that_is_not_there_yet_is_none(server: ScriptedServer, answer: Reply) -> None:
    server.script(answer)
    with scm_on(server) as scm:
        assert scm.collect(SslId(7)) is None


@pytest.mark.parametrize("answer", [code(-110), code(-5101), code(-124), code(-5101, 404), code(-3)])
def test_a_certificate_that_never_comes_is_refused(server: ScriptedServer, answer: Reply) -> None:
    server.script(answer)
    with scm_on(server) as scm, pytest.raises(ServiceRejectedError):
        scm.collect(SslId(7))


@pytest.mark.parametrize("answer", [code(-2), Reply(status=503), Reply(body=PEM, cut=30)])
def test_a_failing_collect_is_not_a_waiting_one(server: ScriptedServer, answer: Reply) -> None:
    """A revoked password or a broken answer must not look like a slow CA."""
    server.script(answer)
    with scm_on(server) as scm, pytest.raises(ServiceUnavailableError):
        scm.collect(SslId(7))


def test_a_login_that_fails_is_not_a_waiting_certificate(server: ScriptedServer) -> None:
    server.script(code(-16, 401))
    with scm_on(server) as scm, pytest.raises(AuthenticationError):
        scm.collect(SslId(7))


def test_an_order_is_asked_for_with_whole_dates(server: ScriptedServer) -> None:
    server.script(reply(DETAILS))
    with scm_on(server) as scm:
        order = scm.order(SslId(54))
    assert order is not None
    assert order.ssl_id == 54
    assert server.seen[0].target == "/ssl/v1/54?dateFormat=ISO_HMS"


@pytest.mark.parametrize("answer", [code(-5101, 404), code(-5101), code(-124), Reply(status=404)])
def test_an_order_that_scm_does_not_know_is_none(server: ScriptedServer, answer: Reply) -> None:
    server.script(answer)
    with scm_on(server) as scm:
        assert scm.order(SslId(54)) is None


def test_an_order_that_may_not_be_seen_is_not_none(server: ScriptedServer) -> None:
    server.script(code(-37))
    with scm_on(server) as scm, pytest.raises(ServiceRejectedError):
        scm.order(SslId(54))


def test_an_order_is_submitted_as_one_json_object(server: ScriptedServer) -> None:
    server.script(reply({"sslId": 55, "renewId": "gu03sW6WENt7GTvDTuOP"}))
    with scm_on(server) as scm:
        placed = scm.submit_order(request())
    assert (placed.ssl_id, placed.renew_id) == (55, "gu03sW6WENt7GTvDTuOP")
    seen = server.seen[0]
    assert (seen.method, seen.path) == ("POST", "/ssl/v1/enroll")
    assert seen.headers["content-type"] == "application/json;charset=UTF-8"
    assert json.loads(seen.body)["subjAltNames"] == "www.example.com,b.example.com"


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (Reply(drop=True), OutcomeUnknownError),
        (Reply(status=503, body=b"upstream connect error"), OutcomeUnknownError),
        (Reply(body=b'{"sslId": 5', cut=5), OutcomeUnknownError),
        (Reply(), OutcomeUnknownError),
        (reply({"renewId": "x"}), OutcomeUnknownError),
        (code(-2), OutcomeUnknownError),
        (code(-1010), ServiceRejectedError),
        (Reply(status=429), ServiceUnavailableError),
        (code(-16, 401), AuthenticationError),
    ],
)
def test_an_order_is_never_submitted_twice(server: ScriptedServer, answer: Reply, error: type[ServiceError]) -> None:
    server.script(answer, reply({"sslId": 56}))
    with scm_on(server, read_timeout_s=60.0) as scm, pytest.raises(error) as caught:
        scm.submit_order(request())
    assert type(caught.value) is error
    assert len(server.seen) == 1


def test_organizations_and_profiles_say_if_they_are_incomplete(server: ScriptedServer) -> None:
    server.script(Reply(status=500))
    with scm_on(server) as scm:
        for reading in (scm.organizations(), scm.profiles()):
            assert (reading.values, reading.complete) == ((), False)
            assert reading.problems[0].startswith("scm: list ")


def test_a_login_that_fails_is_no_gap_in_a_reading(server: ScriptedServer) -> None:
    server.script(code(-16, 401))
    with scm_on(server) as scm:
        for read in (scm.organizations, scm.profiles, scm.orders):
            with pytest.raises(AuthenticationError):
                read()
