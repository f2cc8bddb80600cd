"""What the CPS client asks, and what it makes of the answers."""

import json
import logging
from contextlib import suppress
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from reconciler.errors import (
    AuthenticationError,
    CreateLimitError,
    LookAgainError,
    OutcomeUnknownError,
    ServiceError,
    ServiceRejectedError,
    ServiceUnavailableError,
)
from reconciler.model.certificate import ChangeId, ContractId, EnrollmentId, KeyType, MutualAuthentication
from reconciler.model.enrollment import InputKind, UploadHalf
from reconciler.model.names import DnsName
from reconciler.services.cps.client import CpsClient
from tests.support.certs import desired
from tests.support.scripted import Reply, ScriptedServer
from tests.support.service_clients import cps_on
from tests.unit.services.cps.test_bodies import wanting
from tests.unit.services.cps.test_wire import ECDSA, RECORDED, changed

E, C = EnrollmentId(1), ChangeId(2)
C1, C2 = ContractId("C-1"), ContractId("C-2")
ACCEPTED = Reply(body=b'{"change": "/cps/v2/enrollments/1/changes/2"}')
OPENED = Reply(status=202, body=b'{"enrollment":"/cps/v2/enrollments/1","changes":["/cps/v2/enrollments/1/changes/2"]}')
NOT_FOUND = Reply(status=404, body=b'{"type":"https://h/cps/v2/error-types/not-found","title":"Not Found"}')
NOT_LOGGED_IN = Reply(status=401, body=b'{"type":"https://p/-/pep-authn/deny","title":"Not authorized"}')


def reply(document: Any, status: int = 200) -> Reply:
    return Reply(status=status, body=json.dumps(document).encode())


def enrollments(*documents: Any) -> Reply:
    return reply({"enrollments": list(documents)})


def media(name: str) -> str:
    return f"application/vnd.akamai.cps.{name}+json"


# Bulk reads


def test_each_contract_is_one_call(server: ScriptedServer) -> None:
    server.script(enrollments(RECORDED), enrollments(changed("id", 5)))
    with cps_on(server) as cps:
        reading = cps.enrollments(frozenset({C2, C1}))
    assert reading.complete
    assert [(found.id, found.contract) for found in reading.values] == [(190080, "C-1"), (5, "C-2")]
    assert [seen.query for seen in server.seen] == [{"contractId": "C-1"}, {"contractId": "C-2"}]
    assert {seen.headers["accept"] for seen in server.seen} == {media("enrollments.v12")}


def test_one_bad_enrollment_does_not_hide_the_others(server: ScriptedServer) -> None:
    bad = changed("id", 6)
    del bad["csr"]
    server.script(enrollments(bad, RECORDED))
    with cps_on(server) as cps:
        reading = cps.enrollments(frozenset({C1}))
    assert [found.id for found in reading.values] == [190080]
    assert not reading.complete
    assert "enrollment 6" in reading.problems[0]


def test_a_contract_that_fails_leaves_the_reading_incomplete(server: ScriptedServer) -> None:
    server.script(enrollments(RECORDED), Reply(status=500))
    with cps_on(server) as cps:
        reading = cps.enrollments(frozenset({C1, C2}))
    assert [found.id for found in reading.values] == [190080]
    assert not reading.complete
    assert "contract C-2" in reading.problems[0]


@pytest.mark.parametrize(
    "odd", [Reply(), Reply(body=b"[]"), reply({"enrollments": {"0": {}}}), Reply(body=b"{", cut=0)]
)
def test_an_odd_list_is_incomplete_and_empty(server: ScriptedServer, odd: Reply) -> None:
    server.script(odd)
    with cps_on(server) as cps:
        reading = cps.enrollments(frozenset({C1}))
    assert (reading.values, reading.complete, len(reading.problems)) == ((), False, 1)


def test_an_enrollment_under_two_contracts_is_a_problem(server: ScriptedServer) -> None:
    server.script(enrollments(RECORDED), enrollments(RECORDED))
    with cps_on(server) as cps:
        reading = cps.enrollments(frozenset({C1, C2}))
    assert not reading.complete
    assert len(reading.values) == 1
    assert "C-1" in reading.problems[0]
    assert "C-2" in reading.problems[0]


def test_wrong_credentials_are_no_gap_in_a_reading(server: ScriptedServer) -> None:
    server.script(NOT_LOGGED_IN)
    with cps_on(server) as cps:
        for read in (cps.contracts, lambda: cps.served(frozenset({C1})), lambda: cps.enrollments(frozenset({C1}))):
            with pytest.raises(AuthenticationError):
                read()


def test_missing_rights_leave_readings_incomplete(server: ScriptedServer) -> None:
    server.script(Reply(status=403, body=b'{"type":"https://p/-/pep-authz/deny","title":"Forbidden"}'))
    with cps_on(server) as cps:
        assert not cps.contracts().complete
        reading = cps.served(frozenset({C1}))
    assert not reading.complete
    assert "grant" in reading.problems[0]


def test_contracts_are_asked_outside_of_cps(server: ScriptedServer) -> None:
    server.script(reply(["C-1", "ctr_C-2"]))
    with cps_on(server) as cps:
        assert cps.contracts().values == {"C-1", "C-2"}
    assert server.seen[0].target == "/contract-api/v1/contracts/identifiers?depth=TOP"


def test_what_is_served_comes_by_enrollment(server: ScriptedServer) -> None:
    good = {"id": 7, "production": {"primaryCertificate": ECDSA}, "staging": None}
    server.script(enrollments(good, {"id": 8, "production": {"primaryCertificate": {}}}))
    with cps_on(server) as cps:
        reading = cps.served(frozenset({C1}))
    assert list(reading.values) == [7]
    assert not reading.complete
    assert "enrollment 8" in reading.problems[0]


NOT_SERVED = {
    "406": reply({"type": "https://h/cps/v2/error-types/unsupported-media-type", "title": "Not Acceptable"}, 406),
    "415 in HTML": Reply(status=415, body=b"<html>Unsupported Media Type</html>", content_type="text/html"),
    "404": NOT_FOUND,
}


@pytest.mark.parametrize("refused", NOT_SERVED.values(), ids=NOT_SERVED)
def test_a_list_that_is_not_served_in_the_newest_version_is_read_in_the_one_before(
    server: ScriptedServer, refused: Reply
) -> None:
    server.script(refused, enrollments(RECORDED), enrollments(changed("id", 5)))
    with cps_on(server) as cps:
        reading = cps.enrollments(frozenset({C1, C2}))
    assert (reading.complete, len(reading.values)) == (True, 2)
    versions = [seen.headers["accept"] for seen in server.seen]
    assert versions == [media("enrollments.v12"), media("enrollments.v11"), media("enrollments.v11")]


def test_the_refusal_of_the_newest_version_is_told_where_all_are_refused(server: ScriptedServer) -> None:
    server.script(reply({"title": "Forbidden", "type": "https://p/-/pep-authz/deny"}, 403), NOT_FOUND)
    with cps_on(server) as cps:
        reading = cps.enrollments(frozenset({C1}))
    assert not reading.complete
    assert "Forbidden" in reading.problems[0]


def test_what_an_older_list_does_not_say_is_read_alone_where_a_file_names_it(server: ScriptedServer) -> None:
    other = changed("id", 5)
    other["csr"] = {**other["csr"], "cn": "other.example.com"}
    alone = reply({**RECORDED, "networkConfiguration": {**RECORDED["networkConfiguration"], "fipsMode": True}})
    server.script(NOT_SERVED["406"], enrollments(RECORDED, other), alone)
    with cps_on(server) as cps:
        reading = cps.enrollments(frozenset({C1}), with_fips_mode=frozenset({DnsName(RECORDED["csr"]["cn"])}))
    assert {one.id: one.fips_mode for one in reading.values} == {190080: True, 5: None}
    assert server.seen[-1].path == "/cps/v2/enrollments/190080"
    assert server.seen[-1].headers["accept"] == media("enrollment.v12")


def test_what_could_not_be_read_alone_leaves_the_list_incomplete(server: ScriptedServer) -> None:
    server.script(NOT_SERVED["406"], enrollments(RECORDED), Reply(status=500))
    with cps_on(server) as cps:
        reading = cps.enrollments(frozenset({C1}), with_fips_mode=frozenset({DnsName(RECORDED["csr"]["cn"])}))
    assert (reading.complete, len(reading.values), len(reading.problems)) == (False, 1, 1)


def test_the_newest_list_says_everything_by_itself(server: ScriptedServer) -> None:
    server.script(enrollments(RECORDED))
    with cps_on(server) as cps:
        cps.enrollments(frozenset({C1}), with_fips_mode=frozenset({DnsName(RECORDED["csr"]["cn"])}))
    assert len(server.seen) == 1


NO_CONTRACT = reply({"type": "https://h/cps/v2/error-types/invalid-request", "title": "Invalid request."}, 400)


def test_active_certificates_are_asked_for_by_contract_where_cps_wants_one(server: ScriptedServer) -> None:
    one, two = ({"id": number, "production": {"primaryCertificate": ECDSA}, "staging": None} for number in (7, 8))
    server.script(NO_CONTRACT, *(enrollments(each) for each in (one, two, one, two)))
    with cps_on(server) as cps:
        first, again = cps.served(frozenset({C1, C2})), cps.served(frozenset({C1, C2}))
    assert (sorted(first.values), first.complete) == ([7, 8], True)
    assert again == first
    contract = {"contractId": "C-1"}, {"contractId": "C-2"}
    assert [seen.query for seen in server.seen] == [{}, *contract, *contract]


def test_a_contract_whose_active_certificates_are_refused_leaves_the_reading_incomplete(server: ScriptedServer) -> None:
    server.script(NO_CONTRACT, enrollments(), NO_CONTRACT)
    with cps_on(server) as cps:
        reading = cps.served(frozenset({C1, C2}))
    assert not reading.complete
    assert "contract C-2" in reading.problems[0]


# Reads of one change


def test_what_is_not_there_is_none(server: ScriptedServer) -> None:
    server.script(NOT_FOUND)
    with cps_on(server) as cps:
        assert cps.csrs(E, C) is None
        assert cps.warnings(E, C, InputKind.POST_WARNINGS) is None
        assert cps.change_management(E, C) is None


def test_a_change_that_is_not_there_is_to_be_looked_for_again(server: ScriptedServer) -> None:
    server.script(NOT_FOUND)
    with cps_on(server) as cps, pytest.raises(LookAgainError):
        cps.change(E, C)


def test_csrs_are_read(server: ScriptedServer) -> None:
    server.script(reply({"csrs": [{"csr": "R", "keyAlgorithm": "RSA"}, {"csr": "E", "keyAlgorithm": "ECDSA"}]}))
    with cps_on(server) as cps:
        found = cps.csrs(E, C)
    assert [(csr.key_type, csr.pem) for csr in found or ()] == [(KeyType.RSA, "R"), (KeyType.ECDSA, "E")]
    assert server.seen[0].path == "/cps/v2/enrollments/1/changes/2/input/info/third-party-csr"


def test_no_csr_yet_is_none(server: ScriptedServer) -> None:
    server.script(reply({"csrs": []}))
    with cps_on(server) as cps:
        assert cps.csrs(E, C) is None


@pytest.mark.parametrize(
    ("kind", "segment"),
    [
        (InputKind.PRE_WARNINGS, "pre-verification-warnings"),
        (InputKind.POST_WARNINGS, "post-verification-warnings"),
    ],
)
def test_warnings_are_read_and_acknowledged_under_their_own_names(
    server: ScriptedServer, kind: InputKind, segment: str
) -> None:
    server.script(reply({"warnings": "w"}), ACCEPTED)
    with cps_on(server) as cps:
        assert cps.warnings(E, C, kind) == "w"
        cps.acknowledge_warnings(E, C, kind)
    read, acknowledged = server.seen
    assert read.path == f"/cps/v2/enrollments/1/changes/2/input/info/{segment}"
    assert acknowledged.path == f"/cps/v2/enrollments/1/changes/2/input/update/{segment}-ack"
    assert acknowledged.body == b'{"acknowledgement":"acknowledge"}'
    assert acknowledged.headers["content-type"] == media("acknowledgement.v1")
    assert acknowledged.headers["accept"] == media("change-id.v1")


def test_history_is_read_whole(server: ScriptedServer) -> None:
    server.script(reply({"changes": []}))
    with cps_on(server) as cps:
        assert cps.history(E) == ()
    assert server.seen[0].query == {"includeAll": "true"}


# Steps


def test_a_create_names_its_contract_and_nothing_it_was_not_told(server: ScriptedServer) -> None:
    server.script(OPENED)
    with cps_on(server) as cps:
        opened = cps.create_enrollment(desired("www.example.com"))
    assert (opened.enrollment_id, opened.change_id) == (1, 2)
    seen = server.seen[0]
    assert (seen.method, seen.path, seen.query) == ("POST", "/cps/v2/enrollments", {"contractId": "C-1"})
    assert seen.headers["content-type"] == media("enrollment.v12")
    assert seen.headers["accept"] == media("enrollment-status.v1")
    assert json.loads(seen.body)["csr"]["cn"] == "www.example.com"


def test_a_duplicate_is_allowed_only_on_purpose(server: ScriptedServer) -> None:
    server.script(OPENED)
    with cps_on(server) as cps:
        cps.create_enrollment(wanting(allow_duplicate_cn=True))
    assert server.seen[0].query["allow-duplicate-cn"] == "true"


@pytest.mark.parametrize(
    ("day", "sent"),
    [(date(2026, 11, 17), "2026-11-17"), (date(2026, 11, 16), None), (date(2020, 1, 1), None)],  # it is the 16th
)
def test_a_day_that_has_passed_holds_nothing_back(server: ScriptedServer, day: date, sent: str | None) -> None:
    server.script(OPENED)
    with cps_on(server) as cps:
        cps.create_enrollment(wanting(deploy_not_before=day))
    assert server.seen[0].query.get("deploy-not-before") == sent


# Wants just what the recorded enrollment has.
LIKE_RECORDED = desired("www.example.com", "san1.example.com")


def update(cps: CpsClient, settings: MutualAuthentication, *, cancel_pending: bool) -> None:
    """Ask for mutual authentication, and nothing else."""
    named = replace(LIKE_RECORDED.enrollment, client_mutual_authentication=settings)
    wanted = replace(LIKE_RECORDED, enrollment=named)
    cps.update_enrollment(E, wanted, force_renewal=False, cancel_pending=cancel_pending, add_missing=False)


def test_mutual_authentication_is_set_on_what_is_there_now(server: ScriptedServer) -> None:
    live = {**RECORDED, "somethingNew": [1, 2]}
    server.script(reply(live), OPENED)
    with cps_on(server) as cps:
        update(cps, MutualAuthentication(set_id="S1"), cancel_pending=True)
    read, put = server.seen
    assert (read.method, read.headers["accept"]) == ("GET", media("enrollment.v12"))
    assert (put.method, put.headers["content-type"]) == ("PUT", media("enrollment.v12"))
    assert put.query == {"allow-cancel-pending-changes": "true", "renewal-date-check-override": "true"}
    sent = json.loads(put.body)
    assert sent["networkConfiguration"].pop("clientMutualAuthentication")["setId"] == "S1"
    expected = json.loads(json.dumps(live))
    del expected["networkConfiguration"]["clientMutualAuthentication"]
    expected["csr"]["sans"] = ["www.example.com", "san1.example.com"]  # as the file spells them
    assert sent == expected


def test_a_renewal_is_forced_and_cancels_nothing(server: ScriptedServer) -> None:
    server.script(reply(RECORDED), OPENED)
    with cps_on(server) as cps:
        cps.update_enrollment(E, LIKE_RECORDED, force_renewal=True, cancel_pending=False, add_missing=False)
    assert server.seen[1].query == {"force-renewal": "true", "renewal-date-check-override": "true"}


def test_a_missing_half_is_added(server: ScriptedServer) -> None:
    server.script(reply(RECORDED), OPENED)
    with cps_on(server) as cps:
        cps.update_enrollment(E, LIKE_RECORDED, force_renewal=False, cancel_pending=False, add_missing=True)
    assert server.seen[1].query["allow-missing-certificate-addition"] == "true"


def test_a_cancelled_change_and_a_deleted_enrollment_are_named(server: ScriptedServer) -> None:
    server.script(ACCEPTED, OPENED, OPENED)
    with cps_on(server) as cps:
        cps.cancel_change(E, C)
        cps.delete_enrollment(E, cancel_pending=False)
        cps.delete_enrollment(E, cancel_pending=True)
    cancelled, deleted, with_change = server.seen
    assert (cancelled.method, cancelled.path) == ("DELETE", "/cps/v2/enrollments/1/changes/2")
    assert (deleted.method, deleted.path, deleted.query) == ("DELETE", "/cps/v2/enrollments/1", {})
    assert with_change.query == {"allow-cancel-pending-changes": "true"}


def test_nothing_is_put_over_what_can_not_be_read(server: ScriptedServer) -> None:
    server.script(reply({"unexpected": True}), OPENED)
    with cps_on(server) as cps, pytest.raises(ServiceUnavailableError):
        update(cps, MutualAuthentication(set_id="S1"), cancel_pending=True)
    assert [seen.method for seen in server.seen] == ["GET"]


def test_an_upload_is_the_dual_form(server: ScriptedServer) -> None:
    server.script(ACCEPTED)
    with cps_on(server) as cps:
        cps.upload(E, C, (UploadHalf(key_type=KeyType.RSA, leaf_pem="L", chain_pem="I"),))
    seen = server.seen[0]
    assert seen.path == "/cps/v2/enrollments/1/changes/2/input/update/third-party-cert-and-trust-chain"
    assert seen.headers["content-type"] == media("certificate-and-trust-chain.v2")


@pytest.mark.parametrize(
    ("validation_hash", "version", "body"),
    [
        ("da39", "acknowledgement-with-hash.v1", {"acknowledgement": "acknowledge", "hash": "da39"}),
        (None, "acknowledgement.v1", {"acknowledgement": "acknowledge"}),
    ],
)
def test_a_promotion_answers_with_the_hash_it_was_shown(
    server: ScriptedServer, validation_hash: str | None, version: str, body: dict[str, str]
) -> None:
    server.script(ACCEPTED)
    with cps_on(server) as cps:
        cps.acknowledge_change_management(E, C, validation_hash)
    seen = server.seen[0]
    assert (seen.headers["content-type"], json.loads(seen.body)) == (media(version), body)


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (Reply(drop=True), OutcomeUnknownError),
        (Reply(status=500), OutcomeUnknownError),
        (Reply(), OutcomeUnknownError),
        (reply({"change": "x"}), OutcomeUnknownError),
        (NOT_FOUND, LookAgainError),
        (Reply(status=400, body=b'{"title":"bad"}'), ServiceRejectedError),
    ],
)
def test_a_step_is_made_once_whatever_comes_back(server: ScriptedServer, answer: Reply, error: type[Exception]) -> None:
    server.script(answer, ACCEPTED)
    with cps_on(server, read_timeout_s=60.0) as cps, pytest.raises(error):
        cps.acknowledge_warnings(E, C, InputKind.PRE_WARNINGS)
    assert len(server.seen) == 1


# Signatures


def test_each_attempt_is_signed_anew(server: ScriptedServer) -> None:
    server.script(Reply(status=503), Reply(status=503), reply([]))
    with cps_on(server, read_timeout_s=60.0) as cps:
        cps.contracts()
    signatures = [seen.headers["authorization"] for seen in server.seen]
    assert len(set(signatures)) == 3
    assert all(text.startswith("EG1-HMAC-SHA256 client_token=akab-client-token-xxx") for text in signatures)


def every_operation(cps: CpsClient) -> None:
    cps.contracts()
    cps.enrollments(frozenset({C1}))
    cps.served(frozenset({C1}))
    for call in (
        lambda: cps.change(E, C),
        lambda: cps.csrs(E, C),
        lambda: cps.warnings(E, C, InputKind.PRE_WARNINGS),
        lambda: cps.change_management(E, C),
        lambda: cps.history(E),
        lambda: cps.create_enrollment(desired()),
        lambda: cps.upload(E, C, ()),
        lambda: cps.acknowledge_warnings(E, C, InputKind.PRE_WARNINGS),
        lambda: cps.acknowledge_change_management(E, C, None),
    ):
        with suppress(ServiceError):  # only what was sent matters
            call()


def test_the_switch_key_goes_with_every_call(server: ScriptedServer) -> None:
    server.script(Reply(body=b"[[]]"))
    with cps_on(server, switch_key="1-5C0YLB:1-8BYUX") as cps:
        every_operation(cps)
    assert len(server.seen) == 12
    assert {seen.query.get("accountSwitchKey") for seen in server.seen} == {"1-5C0YLB:1-8BYUX"}


def test_the_log_never_holds_the_signing_key(server: ScriptedServer, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    server.script(OPENED)
    with cps_on(server) as cps:
        cps.create_enrollment(desired())
    assert "signing key" not in caplog.text
    assert "signature=" not in caplog.text
    assert any(record.name == "reconciler.services.http" for record in caplog.records)


CONFLICT = "https://h/cps/v2/error-types/"


@pytest.mark.parametrize(
    ("refused", "retry_after_s"),
    [
        (reply({"type": f"{CONFLICT}create-limit-exceeded", "title": "Create limit exceeded."}, 409), None),
        (reply({"type": f"{CONFLICT}x", "title": "Conflict", "detail": "Wait 5 minutes and try again."}, 409), None),
        (Reply(status=409, headers={"Retry-After": "240"}), 240.0),
    ],
)
def test_the_limit_of_creates_is_told_from_other_conflicts(
    server: ScriptedServer, refused: Reply, retry_after_s: float | None
) -> None:
    server.script(refused)
    with cps_on(server) as cps, pytest.raises(CreateLimitError) as raised:
        cps.create_enrollment(desired())
    assert raised.value.retry_after_s == retry_after_s
    assert len(server.seen) == 1


def test_a_name_in_use_is_no_limit_whatever_it_is_called(server: ScriptedServer) -> None:
    text = "The common name [limit.minute.example.com] is used by enrollment 7."
    server.script(reply({"type": f"{CONFLICT}duplicate-common-name", "title": "Duplicate", "detail": text}, 409))
    with cps_on(server) as cps:
        with pytest.raises(LookAgainError) as raised:
            cps.create_enrollment(desired())
        assert not isinstance(raised.value, CreateLimitError)


def test_only_a_create_has_that_limit(server: ScriptedServer) -> None:
    server.script(reply({"type": f"{CONFLICT}x", "title": "Rate limit"}, 409))
    with cps_on(server) as cps:
        with pytest.raises(LookAgainError) as raised:
            cps.cancel_change(E, C)
        assert not isinstance(raised.value, CreateLimitError)
