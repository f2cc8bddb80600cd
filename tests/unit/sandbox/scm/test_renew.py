"""Renew, replace and revoke."""

from datetime import timedelta
from typing import Any

import pytest
from cryptography import x509

from tests.support.csrs import make_csr
from tests.support.scm import Scm


def public_key_of(pem: str) -> Any:
    return x509.load_pem_x509_certificate(pem.encode()).public_key()


def test_renewal_by_id_makes_a_new_order_of_the_same_parameters(scm: Scm) -> None:
    old = scm.issued(subjAltNames="b.example.com", comments="tag", customFields=[{"name": "CostCenter", "value": "1"}])
    csr = make_csr("www.example.com")
    answer = scm.post(f"/api/ssl/v1/renewById/{old}", {"csr": csr})
    assert answer.status == 200
    assert set(answer.json) == {"sslId"}
    new = scm.order(answer.json["sslId"])
    assert (new.sans, new.comments, new.term, new.org_id) == (["b.example.com"], "tag", 199, 1101)
    assert new.renew_id != scm.order(old).renew_id
    scm.advance(minutes=10)
    assert public_key_of(new.leaf_pem) == x509.load_pem_x509_csr(csr.encode()).public_key()
    shown = scm.details(old)
    assert (shown["status"], shown["renewed"], shown["renewedDate"]) == ("Issued", True, "11/16/2026")


def test_renewal_without_a_csr_uses_the_old_one_unless_the_option_demands_one(scm: Scm) -> None:
    old = scm.issued()
    new = scm.post(f"/api/ssl/v1/renewById/{old}", {}).json["sslId"]
    assert scm.order(new).csr_pem == scm.order(old).csr_pem
    scm.options.renew_without_csr = "refuse"
    assert scm.post(f"/api/ssl/v1/renewById/{old}", {}).refusal == (400, -1001)


@pytest.mark.parametrize("body", [b'""', b""])
def test_a_text_as_body_is_refused_unless_the_option_is_lenient(scm: Scm, body: bytes) -> None:
    old = scm.issued()
    assert scm.post(f"/api/ssl/v1/renewById/{old}", body).refusal == (400, -1002)
    scm.options.renew_text_body = "accept"
    assert scm.post(f"/api/ssl/v1/renewById/{old}", body).status == 200


def test_renewal_takes_the_longest_term_of_the_day(scm: Scm) -> None:
    old = scm.issued(certType=2031, term=30)
    assert scm.order(scm.post(f"/api/ssl/v1/renewById/{old}", {}).json["sslId"]).term == 365


def test_renewal_passes_the_checks_of_an_order(scm: Scm) -> None:
    old = scm.issued()
    scm.portal.expire_domain("example.com")
    assert scm.post(f"/api/ssl/v1/renewById/{old}", {}).refusal == (400, -1137)
    assert scm.details(old)["renewed"] is False


def test_renewal_can_be_forbidden_and_needs_a_certificate(scm: Scm) -> None:
    old = scm.enroll()
    assert scm.post(f"/api/ssl/v1/renewById/{old}", {}).refusal == (400, -130)
    scm.state.profiles[2002].renewable = False
    assert scm.post(f"/api/ssl/v1/renewById/{old}", {}).refusal == (400, -180)


def test_a_renew_id_renews_once_and_names_no_order(scm: Scm) -> None:
    old = scm.order(scm.issued())
    path = f"/api/ssl/v1/renew/{old.renew_id}"
    answer = scm.post(path, {"csr": make_csr("www.example.com")})
    assert (answer.status, answer.body) == (204, b"")
    assert old.successor in scm.state.orders
    again = scm.post(path, {})
    assert again.refusal == (400, -105)
    assert again.json["description"] == "Error was occurred while renewing cert. Status = Issued"
    assert scm.post("/api/ssl/v1/renew/unknown", {}).refusal == (400, -123)


def test_renew_ids_may_be_used_again_and_stay_the_same_by_option(scm: Scm) -> None:
    scm.options.renew_id_again = "accept"
    scm.options.renew_id_of_successor = "same"
    old = scm.order(scm.issued())
    path = f"/api/ssl/v1/renew/{old.renew_id}"
    assert scm.post(path, {}).status == 204
    scm.advance(minutes=5)
    assert scm.post(path, {}).status == 204
    first, second, third = scm.state.orders.values()
    assert (first.successor, second.successor) == (second.ssl_id, third.ssl_id)


def test_marking_as_renewed_is_bookkeeping_only(scm: Scm) -> None:
    old, new = scm.issued(), scm.issued()
    answer = scm.post(f"/api/ssl/v1/renew/manual/{old}", {"id": new})
    assert (answer.status, answer.body) == (204, b"")
    assert (scm.order(old).renewed, scm.order(old).successor) == (True, new)
    assert len(scm.state.orders) == 2


def test_a_successor_can_be_named_by_order_number_or_not_at_all(scm: Scm) -> None:
    old, new = scm.issued(), scm.issued()
    number = str(scm.order(new).order_number)
    assert scm.post(f"/api/ssl/v1/renew/manual/{old}", {"orderNumber": number}).status == 204
    assert scm.order(old).successor == new
    assert scm.post(f"/api/ssl/v1/renew/manual/{new}", {}).status == 204
    assert scm.order(new).renewed


@pytest.mark.parametrize(("body", "code"), [({"id": 77}, -124), ({"orderNumber": "77"}, -1104), (b'""', -1002)])
def test_a_wrong_successor_is_refused(scm: Scm, body: object, code: int) -> None:
    old = scm.issued()
    assert scm.post(f"/api/ssl/v1/renew/manual/{old}", body).refusal == (400, code)
    assert not scm.order(old).renewed


def replacement(**members: object) -> dict[str, object]:
    body = {"csr": make_csr("www.example.com"), "reason": "new key", **members}
    return {name: value for name, value in body.items() if value is not None}


def test_a_replacement_keeps_id_and_end_and_has_a_new_serial(scm: Scm) -> None:
    ssl_id = scm.issued()
    order = scm.order(ssl_id)
    serial, end = order.serial, order.expires
    scm.advance(days=20)
    answer = scm.post(f"/api/ssl/v1/replace/{ssl_id}", replacement(subjectAlternativeNames=["b.example.com"]))
    assert (answer.status, answer.body) == (204, b"")
    assert scm.details(ssl_id)["status"] == "Applied"
    assert scm.get(f"/api/ssl/v1/collect/{ssl_id}").refusal == (400, 0)
    scm.advance(minutes=10)
    shown = scm.details(ssl_id)
    assert shown["status"] == "Issued"
    assert shown["subjectAlternativeNames"] == ["www.example.com", "b.example.com"]
    assert shown["replaced"] == "12/06/2026"
    assert order.serial != serial
    assert order.expires == end
    assert [old.serial for old in order.old_certificates] == [serial]
    scm.advance(days=300)
    assert order.old_certificates[0].revoked_at is None


def test_a_renewal_that_fails_by_itself_is_in_the_audit_log(scm: Scm) -> None:
    ssl_id = scm.issued()
    scm.put("/api/ssl/v1", {"sslId": ssl_id, "autoRenewDetails": {"state": "Scheduled"}})
    scm.portal.expire_domain("example.com")
    scm.advance(days=180)
    assert list(scm.state.orders) == [ssl_id]
    assert scm.state.activity[-1].action == "automatic renewal failed"
    assert "example.com" in scm.state.activity[-1].note


def test_a_planned_renewal_is_dropped_when_somebody_renewed_before(scm: Scm) -> None:
    ssl_id = scm.issued()
    scm.put("/api/ssl/v1", {"sslId": ssl_id, "autoRenewDetails": {"state": "Scheduled"}})
    scm.post(f"/api/ssl/v1/renewById/{ssl_id}", {})
    scm.advance(days=180)
    assert len(scm.state.orders) == 2


def test_a_replaced_certificate_can_be_revoked_by_the_ca_later(scm: Scm) -> None:
    scm.options.replaced_revoked_after_s = 3600
    ssl_id = scm.issued()
    scm.post(f"/api/ssl/v1/replace/{ssl_id}", replacement())
    replaced_at = scm.clock.now()
    scm.advance(hours=2)
    (old,) = scm.order(ssl_id).old_certificates
    assert old.revoked_at == replaced_at + timedelta(hours=1)
    assert scm.details(ssl_id)["status"] == "Issued"


def test_the_old_certificate_can_stay_collectable_meanwhile(scm: Scm) -> None:
    scm.options.replace_status = "Issued"
    ssl_id = scm.issued()
    old = scm.get(f"/api/ssl/v1/collect/{ssl_id}?format=x509CO").body
    scm.post(f"/api/ssl/v1/replace/{ssl_id}", replacement())
    assert scm.get(f"/api/ssl/v1/collect/{ssl_id}?format=x509CO").body == old
    scm.advance(minutes=10)
    assert scm.get(f"/api/ssl/v1/collect/{ssl_id}?format=x509CO").body != old


def test_a_replacement_can_wait_for_approval_again(scm: Scm) -> None:
    scm.options.replace_status = "Requested"
    ssl_id = scm.enroll(certType=2022)
    scm.advance(days=3)
    scm.post(f"/api/ssl/v1/replace/{ssl_id}", replacement())
    assert scm.details(ssl_id)["status"] == "Requested"
    scm.advance(days=3)
    assert scm.details(ssl_id)["status"] == "Issued"


@pytest.mark.parametrize(
    ("members", "code"),
    [
        ({"csr": None}, -1001),
        ({"reason": None}, -1001),
        ({"reason": ""}, -1601),
        ({"reason": "x" * 513}, -1601),
        ({"subjectAlternativeNames": "b.example.com"}, -1002),
        ({"subjectAlternativeNames": ["b.example.edu"]}, -1010),
        ({"commonName": "x" * 65}, -1601),
        ({"csr": "AAAA"}, -10),
    ],
)
def test_a_wrong_replacement_is_refused(scm: Scm, members: dict[str, object], code: int) -> None:
    ssl_id = scm.issued()
    assert scm.post(f"/api/ssl/v1/replace/{ssl_id}", replacement(**members)).refusal == (400, code)
    assert scm.details(ssl_id)["status"] == "Issued"


def test_only_a_certificate_can_be_replaced(scm: Scm) -> None:
    assert scm.post(f"/api/ssl/v1/replace/{scm.enroll()}", replacement()).refusal == (400, -130)


@pytest.mark.parametrize(
    ("reason_code", "number"),
    [(4, 4), ("4", 4), ("superseded", 4), ("KEY_COMPROMISE", 1), ("keyCompromise", 1), (None, 0)],
)
def test_a_certificate_can_be_revoked(scm: Scm, reason_code: object, number: int) -> None:
    ssl_id = scm.issued()
    answer = scm.post(f"/api/ssl/v1/revoke/{ssl_id}", {"reasonCode": reason_code, "reason": "gone"})
    assert (answer.status, answer.body) == (204, b"")
    shown = scm.details(ssl_id)
    assert (shown["status"], shown["reasonCode"], shown["revoked"]) == ("Revoked", number, "11/16/2026")
    assert scm.post(f"/api/ssl/v1/revoke/{ssl_id}", {"reason": "again"}).refusal == (400, -102)


def test_a_reason_can_be_shown_as_text(scm: Scm) -> None:
    scm.options.reason_code_spelling = "text"
    ssl_id = scm.issued()
    scm.portal.revoke(ssl_id, reason_code=1)
    assert scm.details(ssl_id)["reasonCode"] == "1"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"reason": ""}, -1601),
        ({}, -1001),
        ({"reason": "x", "reasonCode": 2}, -1601),
        ({"reason": "x", "reasonCode": "why"}, -1601),
        ({"reason": "x", "reasonCode": "²"}, -1601),
        ({"reason": "x" * 513}, -1601),
    ],
)
def test_a_wrong_revocation_is_refused(scm: Scm, body: dict[str, object], code: int) -> None:
    ssl_id = scm.issued()
    assert scm.post(f"/api/ssl/v1/revoke/{ssl_id}", body).refusal == (400, code)
    assert scm.details(ssl_id)["status"] == "Issued"


def test_an_order_without_certificate_cannot_be_revoked(scm: Scm) -> None:
    assert scm.post(f"/api/ssl/v1/revoke/{scm.enroll()}", {"reason": "x"}).refusal == (400, -102)


def test_a_serial_number_names_the_certificate_in_any_form(scm: Scm) -> None:
    ssl_id = scm.issued()
    serial = scm.details(ssl_id)["serialNumber"]
    assert scm.post("/api/ssl/v1/revoke/serial/AB:CD", {"reason": "x"}).refusal == (400, -166)
    answer = scm.post(f"/api/ssl/v1/revoke/serial/{serial.lower()}", {"reason": "x", "reasonCode": 1})
    assert answer.status == 204
    assert scm.details(ssl_id)["status"] == "Revoked"


def test_a_revocation_can_be_noted_by_id_or_serial(scm: Scm) -> None:
    first, second = scm.issued(), scm.issued()
    body = {"certId": first, "revokeDate": "2026-11-10T12:24:27.916+01:00", "reasonCode": 4}
    assert scm.post("/api/ssl/v1/revoke/manual", body).status == 204
    assert scm.get(f"/api/ssl/v1/{first}?dateFormat=ISO_HMS").json["revoked"] == "2026-11-10T11:24:27.916Z"
    shown = scm.details(second)
    by_serial = {"serialNumber": shown["serialNumber"], "issuer": "CN=another"}
    assert scm.post("/api/ssl/v1/revoke/manual", by_serial).refusal == (400, -166)
    by_serial["issuer"] = shown["certificateDetails"]["issuer"]
    assert scm.post("/api/ssl/v1/revoke/manual", by_serial).status == 204
    assert scm.details(second)["status"] == "Revoked"


@pytest.mark.parametrize(
    ("body", "code"), [({}, -951), ({"certId": 77}, -124), ({"serialNumber": "AB"}, -166), ({"certId": "x"}, -1002)]
)
def test_a_note_of_revocation_names_a_certificate(scm: Scm, body: dict[str, object], code: int) -> None:
    assert scm.post("/api/ssl/v1/revoke/manual", body).refusal == (400, code)
