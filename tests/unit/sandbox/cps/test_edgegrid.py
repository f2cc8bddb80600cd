"""Signatures: the vectors made with Akamai's signer, and the gateway's answers."""

import itertools
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from reconciler.sandbox.cps.edgegrid import EdgeGridVerifier, content_hash
from reconciler.sandbox.cps.options import CpsOptions
from reconciler.sandbox.cps.problems import GatewayRefused
from reconciler.sandbox.cps.state import ApiClient
from reconciler.sandbox.gate import Call
from tests.support.enrollments import enrollment_body
from tests.unit.sandbox.cps.harness import Cps, media

SIGNED_AT = datetime(2026, 1, 15, 12, tzinfo=UTC)
CLIENT = ApiClient(
    section="default",
    user="certrecon",
    client_token="akab-client-token-xxx-xxxxxxxxxxxxxxxx",
    client_secret="SOMESECRETSOMESECRETSOMESECRETSOMESECRETSOME",
    access_token="akab-access-token-xxx-xxxxxxxxxxxxxxxx",
    may_write=True,
    contracts=[],
)
ACKNOWLEDGE = b'{"acknowledgement":"acknowledge"}'
# Made with edgegrid-python 2.0.9.
VECTORS = {
    "GET": (
        "GET",
        "/cps/v2/enrollments?contractId=1-1TJZH5",
        b"",
        "Kqc+IhTQH1ygVAdi91qEE0qwQfq63sIXGUzPzK78U7s=",
    ),
    "POST": (
        "POST",
        "/cps/v2/enrollments/10002/changes/10002/input/update/post-verification-warnings-ack",
        ACKNOWLEDGE,
        "1H6Q6y1JaFIrce8LsBFrMgxw+im+C7I1ZJZnPoSIbsU=",
    ),
    "PUT": (
        "PUT",
        "/cps/v2/enrollments/10002/changes/10002/deployment-schedule?accountSwitchKey=1-5C0YLB%3A1-8BYUX",
        b'{"notBefore":null,"notAfter":null}',
        "42dZurF1seY1JMzCbuics5AIlNK9qSwva+AgincmoGU=",
    ),
}


def signed(vector: str, *, body: bytes | None = None, **fields: str) -> Call:
    """Return the call of a vector; `fields` replace those of its header."""
    method, target, sent, signature = VECTORS[vector]
    header = {
        "client_token": CLIENT.client_token,
        "access_token": CLIENT.access_token,
        "timestamp": "20260115T12:00:00+0000",
        "nonce": "11111111-2222-4333-8444-555555555555",
        "signature": signature,
    } | fields
    authorization = "EG1-HMAC-SHA256 " + ";".join(f"{name}={value}" for name, value in header.items())
    return Call(
        method=method,
        target=target,
        path={},
        query={},
        headers={"host": "akab-host.luna.akamaiapis.net", "authorization": authorization},
        body=sent if body is None else body,
        peer_certificate_der=None,
    )


def verifier(*, late_s: float = 0, options: CpsOptions | None = None) -> EdgeGridVerifier:
    return EdgeGridVerifier([CLIENT], options or CpsOptions(), real_now=lambda: SIGNED_AT + timedelta(seconds=late_s))


@pytest.mark.parametrize("vector", VECTORS)
def test_signature_of_a_known_signer_verifies(vector: str) -> None:
    assert verifier().verify(signed(vector)) is CLIENT


def test_content_hash_is_of_post_bodies_only_and_of_their_first_128_kib() -> None:
    assert content_hash("POST", ACKNOWLEDGE) == "qEOLwU52Sw9C3w1QIjX0sxl/+oE0aXfHvzQ+003QlT8="
    assert content_hash("PUT", ACKNOWLEDGE) == ""
    assert content_hash("POST", b"x" * 131_072) == content_hash("POST", b"x" * 131_073)
    assert content_hash("POST", b"x" * 131_072) != content_hash("POST", b"x" * 131_071)


def test_changed_body_breaks_the_signature_of_a_post() -> None:
    assert _refusal(signed("POST", body=b'{"acknowledgement":"deny"}')) == (401, "The signature does not match")


@pytest.mark.parametrize(
    ("fields", "answer"),
    [
        ({"signature": "AAAA5y1JaFIrce8LsBFrMgxw+im+C7I1ZJZnPoSIbsU="}, (401, "The signature does not match")),
        ({"nonce": "other"}, (401, "The signature does not match")),
        ({"client_token": "akab-unknown"}, (401, "Inactive client token")),
        ({"access_token": "akab-unknown"}, (401, "Inactive client token")),
        ({"timestamp": "2026-01-15T12:00:00Z"}, (400, "Invalid timestamp")),
        ({"timestamp": "20260115T12:00:31+0000"}, (400, "Invalid timestamp")),
    ],
)
def test_wrong_header_is_refused(fields: dict[str, Any], answer: tuple[int, str]) -> None:
    assert _refusal(signed("GET", **fields)) == answer


def test_header_that_is_no_header_is_refused() -> None:
    call = signed("GET")
    broken = replace(call, headers={"host": "h", "authorization": "Bearer abc"})
    assert _refusal(broken) == (400, "Invalid authorization header")


@pytest.mark.parametrize(("late_s", "verified"), [(30, True), (31, False), (-30, True), (-31, False)])
def test_clock_window_is_thirty_seconds_on_both_sides(late_s: float, verified: bool) -> None:
    call = signed("GET")
    if verified:
        assert verifier(late_s=late_s).verify(call) is CLIENT
    else:
        with pytest.raises(GatewayRefused, match="Invalid timestamp"):
            verifier(late_s=late_s).verify(call)


def test_nonce_is_taken_once_for_as_long_as_the_timestamp_could_be_replayed() -> None:
    seconds = itertools.chain([0.0] * 2, itertools.repeat(30.0))
    replayed = EdgeGridVerifier([CLIENT], CpsOptions(), real_now=lambda: SIGNED_AT + timedelta(seconds=next(seconds)))
    replayed.verify(signed("GET"))
    with pytest.raises(GatewayRefused, match="Duplicate nonce") as refusal:
        replayed.verify(signed("GET"))
    assert refusal.value.status == 400


@pytest.mark.parametrize(("option", "status"), [("401", 401), ("accepted", None)])
def test_answer_to_a_replay_is_an_option(option: str, status: int | None) -> None:
    options = CpsOptions()
    options.nonce_replay = "401" if option == "401" else "accepted"
    checked = verifier(options=options)
    checked.verify(signed("GET"))
    if status is None:
        assert checked.verify(signed("GET")) is CLIENT
    else:
        with pytest.raises(GatewayRefused) as refusal:
            checked.verify(signed("GET"))
        assert refusal.value.status == status


def test_unverified_call_does_not_use_up_its_nonce() -> None:
    checked = verifier()
    with pytest.raises(GatewayRefused):
        checked.verify(signed("GET", signature="AAAA5y1JaFIrce8LsBFrMgxw+im+C7I1ZJZnPoSIbsU="))
    assert checked.verify(signed("GET")) is CLIENT


def test_large_put_may_be_refused() -> None:
    options = CpsOptions()
    call = signed("PUT", body=b"x" * 131_073)
    assert verifier(options=options).verify(call) is CLIENT
    options.large_put = "401"
    with pytest.raises(GatewayRefused, match="The signature does not match"):
        verifier(options=options).verify(call)


def test_disabled_client_is_unknown() -> None:
    disabled = replace(CLIENT, enabled=False)
    with pytest.raises(GatewayRefused, match="Inactive client token"):
        EdgeGridVerifier([disabled], CpsOptions(), real_now=lambda: SIGNED_AT).verify(signed("GET"))


# Over the service, signed by edgegrid-python itself.


def _without_authorization(headers: dict[str, str]) -> None:
    del headers["authorization"]


def _with_other_host(headers: dict[str, str]) -> None:
    headers["host"] = "localhost"


@pytest.mark.parametrize(
    ("alter", "status", "kind", "title", "detail"),
    [
        (_without_authorization, 400, "pep-authn/request-error", "Bad request", "Authorization header missing"),
        (_with_other_host, 401, "pep-authn/deny", "Not authorized", "The signature does not match"),
    ],
)
def test_gateway_answers_with_its_own_problem(
    cps: Cps, alter: Callable[[dict[str, str]], None], status: int, kind: str, title: str, detail: str
) -> None:
    reply = cps.call("GET", "/cps/v2/enrollments", accept=media("enrollments", 11), alter=alter)
    body = reply.body
    assert (reply.status, reply.headers["content-type"]) == (status, "application/problem+json")
    assert set(body) == {
        "type",
        "title",
        "status",
        "detail",
        "instance",
        "method",
        "serverIp",
        "clientIp",
        "requestId",
        "requestTime",
    }
    assert (body["type"], body["title"], body["status"], body["detail"], body["method"]) == (
        f"https://problems.luna.akamaiapis.net/-/{kind}",
        title,
        status,
        detail,
        "GET",
    )


def test_replayed_request_is_refused_by_the_service(cps: Cps) -> None:
    sent: dict[str, str] = {}
    cps.call("GET", "/cps/v2/enrollments", accept=media("enrollments", 11), alter=sent.update)
    kept: dict[str, str] = {}

    def keep(headers: dict[str, str]) -> None:
        kept.update(headers)

    assert cps.call("GET", "/cps/v2/enrollments", accept=media("enrollments", 11), alter=keep).status == 200
    again = cps.send("GET", "/cps/v2/enrollments", kept, b"")
    assert (again.status, again.body["detail"]) == (400, "Duplicate nonce")


def test_read_only_client_may_read_and_not_write(cps: Cps) -> None:
    read = cps.call("GET", "/cps/v2/enrollments", accept=media("enrollments", 11), client="readonly")
    assert read.status == 200
    write = cps.call(
        "POST",
        "/cps/v2/enrollments?contractId=C-1ABCDEF",
        accept=media("enrollment-status", 1),
        content=media("enrollment", 11),
        body=enrollment_body("www.example.com"),
        client="readonly",
    )
    assert write.status == 403
    assert write.body["type"] == "https://problems.luna.akamaiapis.net/-/pep-authz/deny"
    assert write.body["title"] == "Forbidden"
    assert "authzRealm" in write.body
    assert cps.service.state.enrollments == {}


def test_account_switch_key_is_an_access_of_its_own(cps: Cps) -> None:
    path = "/cps/v2/enrollments?accountSwitchKey=1-5C0YLB%3A1-8BYUX"
    assert cps.call("GET", path, accept=media("enrollments", 11)).status == 403
    cps.service.state.clients[0].account_switch_keys.append("1-5C0YLB:1-8BYUX")
    assert cps.call("GET", path, accept=media("enrollments", 11)).status == 200


def test_enrollment_of_a_contract_that_the_client_can_not_see_is_forbidden(cps: Cps) -> None:
    enrollment = cps.create()
    cps.service.state.clients[1].contracts.remove("C-1ABCDEF")
    path = f"/cps/v2/enrollments/{enrollment.id}"
    assert cps.call("GET", path, accept=media("enrollment", 11), client="readonly").status == 403
    listed = cps.call("GET", "/cps/v2/enrollments", accept=media("enrollments", 11), client="readonly")
    assert listed.body == {"enrollments": []}


def test_contracts_are_those_of_the_client(cps: Cps) -> None:
    cps.service.state.clients[1].contracts.remove("C-1ABCDEF")
    path = "/contract-api/v1/contracts/identifiers"
    assert cps.call("GET", f"{path}?depth=TOP").body == ["C-1ABCDEF", "C-2GHIJKL"]
    assert cps.call("GET", f"{path}?depth=ALL", client="readonly").body == ["C-2GHIJKL"]
    assert cps.call("GET", f"{path}?depth=SOME").status == 400


def _refusal(call: Call) -> tuple[int, str]:
    with pytest.raises(GatewayRefused) as refusal:
        verifier().verify(call)
    return refusal.value.status, refusal.value.detail
