"""SCM's JSON, as its manual shows it and as it was met, and the values it becomes."""

import json
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from reconciler.model.names import DnsName
from reconciler.model.order import Order, OrderRequest, OrderStatus, OrganizationId, ProfileId
from reconciler.services.decode import BodyError
from reconciler.services.scm import wire

# sectigo-scm 7: the vendor's samples.
ROW = {
    "id": 294, "type": "SSL SASP 1979724428", "typeId": 2377, "orgId": 2945, "commonName": "ccmqa.com",
    "subjAltNames": "www.test.net; www.plustest.net; www.istest.net", "status": "Requested",
    "requester": "20780_nobody@nobody.sectigo.com", "organizationName": "org4Test", "orderNumber": 7344326,
    "backendCertId": "7344326", "servers": 1, "serverType": "OTHER", "requestedVia": "Enrollment Form", "term": 365,
    "comments": "some comments", "requested": "2025-05-21T12:34:24.371Z", "downloaded": "2019-01-02T00:00:00.000Z",
    "expires": "2026-05-21T12:34:24.351Z", "issuer": "issuer", "serialNumber": "", "city": "Odesa",
}  # fmt: skip
DETAILS = {
    "commonName": "ccmqa.com", "sslId": 54, "id": 54, "orgId": 99, "status": "Issued", "orderNumber": 7344326,
    "vendor": "Vendor", "certType": {"id": 1009, "name": "SSL SASP 1908375227", "terms": [365],
    "keyTypes": {"RSA": ["1024"]}}, "subType": "", "term": 365, "owner": "client-admin-195", "ownerId": 85,
    "requester": "193_nobody@nobody.sectigo.com", "comments": "some comments", "requested": "05/21/2025",
    "expires": "05/21/2026", "renewed": False, "serialNumber": "A9:3E:C0:61:FB:1E:C0:10",
    "subjectAlternativeNames": ["CCMQA.com", "b.example"], "customFields": [{"name": "name1", "value": "value1"}],
    "certificateDetails": {"issuer": "issuer", "sha1Hash": "AAABBBCCC"}, "suspendNotifications": False,
}  # fmt: skip


def row(**members: Any) -> Order:
    return wire.report_row(msgspec.Raw(json.dumps({**ROW, **members}).encode()))


def details(**members: Any) -> Order:
    return wire.details(json.dumps({**DETAILS, **members}).encode())


def test_a_row_of_the_report_is_read() -> None:
    order = row(issued="2025-05-21T14:34:24.371+02:00", approver="second admin")
    assert (order.ssl_id, order.common_name) == (294, "ccmqa.com")
    assert order.sans == {"ccmqa.com", "www.test.net", "www.plustest.net", "www.istest.net"}
    assert (order.status, order.status_text) == (OrderStatus.REQUESTED, "Requested")
    assert (order.organization_id, order.profile_id, order.profile_name) == (2945, 2377, "SSL SASP 1979724428")
    assert (order.term_days, order.comments, order.serial) == (365, "some comments", None)
    assert order.requested_at == datetime(2025, 5, 21, 12, 34, 24, 371_000, UTC)
    assert order.issued_at == order.requested_at
    assert (order.requester, order.approver) == ("20780_nobody@nobody.sectigo.com", "second admin")


def test_details_are_read() -> None:
    order = details()
    assert (order.ssl_id, order.status) == (54, OrderStatus.ISSUED)
    assert order.sans == {"ccmqa.com", "b.example"}
    assert (order.profile_id, order.profile_name) == (1009, "SSL SASP 1908375227")
    assert order.serial == 0xA93EC061FB1EC010
    assert order.requested_at == datetime(2025, 5, 21, tzinfo=UTC)
    assert order.expires_at == datetime(2026, 5, 21, tzinfo=UTC)
    assert order.approver == "client-admin-195"


def test_members_that_are_null_are_left_out_by_scm() -> None:
    order = wire.details(b'{"sslId": 5}')
    assert (order.ssl_id, order.status, order.sans, order.serial) == (5, OrderStatus.UNKNOWN, frozenset(), None)
    assert order.requested_at is None
    assert wire.report_row(msgspec.Raw(b'{"id": 5}')).comments == ""


def test_a_term_that_nobody_can_mean_is_not_known() -> None:
    assert (row(term=10**20).term_days, details(term=10**20).term_days) == (None, None)
    assert row(term=36_500).term_days == 36_500


@pytest.mark.parametrize("document", [{"commonName": "a.example"}, {"sslId": "x"}, []])
def test_details_without_an_id_are_an_error(document: Any) -> None:
    with pytest.raises(BodyError):
        wire.details(json.dumps(document).encode())


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("SA Approved", OrderStatus.SA_APPROVED),
        ("SAApproved", OrderStatus.SA_APPROVED),
        ("issued", OrderStatus.ISSUED),
        ("Replaced", OrderStatus.REPLACED),
        ("unknown", OrderStatus.UNKNOWN),
        ("Pondering", OrderStatus.UNKNOWN),
        ("", OrderStatus.UNKNOWN),
        (None, OrderStatus.UNKNOWN),
    ],
)
def test_a_status_is_read_however_it_is_spelt(text: str | None, status: OrderStatus) -> None:
    assert wire.status(text) is status


@pytest.mark.parametrize(
    "text",
    ["a.example; b.example", "a.example, b.example", "a.example,b.example", "dNSName=a.example, dNSName=b.example"],
)
def test_names_are_split_in_each_form(text: str) -> None:
    assert wire.split_names(text) == ("a.example", "b.example")


def test_a_serial_that_is_no_number_is_as_good_as_none() -> None:
    assert row(serialNumber="00:0::11::2:2::zz").serial is None
    assert row(serialNumber="0B:01").serial == row(serialNumber="b01").serial == 0xB01


def test_departments_stand_after_their_organization() -> None:
    found = wire.organizations(
        b'[{"id": 1697, "name": "Org", "departments": [{"id": 1698, "parentName": "Org", "name": "Dep"}, '
        b'{"id": 1699, "name": "Other"}]}, {"id": 5, "name": "Bare"}]'
    )
    assert [(each.id, each.path) for each in found] == [
        (1697, "Org"), (1698, "Org / Dep"), (1699, "Org / Other"), (5, "Bare")
    ]  # fmt: skip


def test_profiles_are_read() -> None:
    (profile,) = wire.profiles(
        b'[{"id": 1018, "name": "P", "description": "d", "terms": [365, 30, 100000000000000000000],'
        b' "keyTypes": {"RSA": ["2048"]}}]'
    )
    assert (profile.id, profile.name, profile.terms_days) == (1018, "P", frozenset({30, 365}))
    assert profile.key_types == {"RSA": {"2048"}}


def test_collected_certificates_are_split() -> None:
    one = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----"
    two = one.replace("AAAA", "BBBB")
    assert wire.certificates(f"subject=x\r\n{one}\r\n{two}".encode()) == (f"{one}\n", f"{two}\n")


@pytest.mark.parametrize("body", [b"", b"not yet", b"\x30\x82\xff", b"-----BEGIN PKCS7-----\nAA\n-----END PKCS7-----"])
def test_what_is_no_certificate_is_none(body: bytes) -> None:
    assert wire.certificates(body) == ()


def request(**members: Any) -> OrderRequest:
    required: dict[str, Any] = {
        "organization_id": OrganizationId(103),
        "profile_id": ProfileId(1013),
        "term_days": 199,
        "csr_pem": "-----BEGIN CERTIFICATE REQUEST-----\nMII\n-----END CERTIFICATE REQUEST-----\n",
        "sans": (DnsName("www.example.com"), DnsName("b.example.com")),
        "comments": "certrecon/1 i=x",
    }
    return OrderRequest(**{**required, **members})


def test_an_order_says_what_is_wanted_and_no_more() -> None:
    assert wire.enroll_body(request()) == {
        "orgId": 103,
        "certType": 1013,
        "term": 199,
        "csr": "-----BEGIN CERTIFICATE REQUEST-----\nMII\n-----END CERTIFICATE REQUEST-----",
        "subjAltNames": "www.example.com,b.example.com",  # one text: a list is refused
        "comments": "certrecon/1 i=x",
    }


def test_an_order_takes_what_is_optional() -> None:
    body = wire.enroll_body(
        request(
            external_requester=("a@example.com", "b@example.com"),
            custom_fields={"Team": "web", "CostCenter": "4711"},
            dcv_mode="EMAIL",
            dcv_email="admin@example.com",
        )
    )
    assert body["externalRequester"] == "a@example.com, b@example.com"
    assert body["customFields"] == [{"name": "CostCenter", "value": "4711"}, {"name": "Team", "value": "web"}]
    assert (body["dcvMode"], body["dcvEmail"]) == ("EMAIL", "admin@example.com")


@pytest.mark.parametrize("body", [b"{}", b"[]", b'{"renewId": "x"}', b'{"sslId": null}'])
def test_a_placed_order_without_an_id_is_an_error(body: bytes) -> None:
    with pytest.raises(BodyError):
        wire.placed(body)
