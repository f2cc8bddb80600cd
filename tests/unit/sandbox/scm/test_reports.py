"""Reports: certificates, activity, domains."""

import pytest

from tests.support.csrs import make_csr
from tests.support.scm import Scm

REPORT = "/api/report/v1/ssl-certificates"


def reported(scm: Scm, **members: object) -> list[int]:
    answer = scm.post(REPORT, members)
    assert answer.status == 200, answer
    assert answer.json["statusCode"] == 0
    return [row["id"] for row in answer.json["reports"]]


def asked(**members: object) -> dict[str, object]:
    """Return members under wire names: `from_` stands for `from`."""
    return {name.rstrip("_"): value for name, value in members.items()}


def test_a_row_holds_all_that_a_bulk_look_needs(scm: Scm) -> None:
    ssl_id = scm.issued(
        certType=2012,
        orgId=1102,
        subjAltNames="b.example.com",
        comments="tag",
        externalRequester="ops@example.com",
        customFields=[{"name": "CostCenter", "value": "1"}],
    )
    answer = scm.post(f"{REPORT}?output_type=buffered", {"certificateStatus": 0})
    (row,) = answer.json["reports"]
    order = scm.order(ssl_id)
    assert row == {
        "id": ssl_id,
        "type": "OV Multi-Domain",
        "typeId": 2012,
        "orgId": 1102,
        "organizationName": "Web",
        "commonName": "www.example.com",
        "subjAltNames": "www.example.com; b.example.com",
        "status": "Issued",
        "requester": "api-admin@example.com",
        "externalRequester": "ops@example.com",
        "orderNumber": order.order_number,
        "backendCertId": str(order.order_number),
        "servers": 1,
        "serverType": "OTHER",
        "requestedVia": "Web API",
        "term": 199,
        "comments": "tag",
        "requested": "2026-11-16T09:30:00.000Z",
        "approved": "2026-11-16T09:30:00.000Z",
        "issued": "2026-11-16T09:35:02.000Z",
        "expires": "2027-06-02T23:59:59.000Z",
        "issuer": row["issuer"],
        "serialNumber": order.serial.lstrip("0"),
        "signatureAlg": "SHA256WITHRSA",
        "publicKeyAlg": "RSA",
        "publicKeyType": "RSA - 2048",
        "publicKeySize": "2048",
        "sha1": row["sha1"],
        "md5": row["md5"],
        "city": "Manchester",
        "state": "Greater Manchester",
        "country": "GB",
        "customFields": [{"name": "CostCenter", "value": "1"}],
    }
    assert answer.headers["content-disposition"] == 'attachment; filename="rest_api_ssl-certificates.json"'
    assert answer.headers["cache-control"] == "must-revalidate"


def test_a_row_before_issue_has_an_empty_serial(scm: Scm) -> None:
    scm.enroll()
    (row,) = scm.post(REPORT, {}).json["reports"]
    assert row["serialNumber"] == ""
    assert not {"issued", "expires", "issuer", "externalRequester"} & set(row)


def test_serials_have_leading_zeros_on_request(scm: Scm) -> None:
    order = scm.order(scm.issued())
    order.serial = "0A0B"
    (plain,) = scm.post(REPORT, {"serialNumberFormat": ""}).json["reports"]
    (padded,) = scm.post(REPORT, {"serialNumberFormat": "HEXWithLeadingZeros"}).json["reports"]
    assert (plain["serialNumber"], padded["serialNumber"]) == ("A0B", "0A0B")


def test_filters_by_status_organization_name_requester_and_source(scm: Scm) -> None:
    issued = scm.issued(externalRequester="ops@example.com")
    waiting = scm.enroll("shop.example.net", certType=2022, orgId=1102)
    revoked = scm.issued("old.example.com", orgId=1201)
    scm.portal.revoke(revoked)
    going = scm.enroll("b.example.com")
    scm.advance(seconds=2)
    assert reported(scm, certificateStatus=0) == reported(scm, certificateStatus="Any")
    assert reported(scm, certificateStatus=1) == reported(scm, certificateStatus="7") == [waiting]
    assert reported(scm, certificateStatus=2) == reported(scm, certificateStatus="Issued") == [issued]
    assert reported(scm, certificateStatus=3) == [revoked]
    assert reported(scm, certificateStatus=4) == []
    assert reported(scm, certificateStatus=9) == [going]
    assert reported(scm, organizationIds=[1102, 1201]) == [waiting, revoked]
    assert reported(scm, commonName="shop") == reported(scm, commonName="SH?P*.net") == [waiting]
    assert reported(scm, externalRequester="ops@") == [issued]
    assert reported(scm, externalRequester="OPS@") == []
    assert reported(scm, certificateRequestSource=2) == [issued, waiting, revoked, going]
    assert reported(scm, certificateRequestSource=0) == []


def test_filters_by_each_date(scm: Scm) -> None:
    first = scm.issued()
    scm.advance(days=2)
    second = scm.issued("b.example.com")
    scm.advance(days=1)
    scm.portal.revoke(second)
    day = asked(from_="2026-11-18T00:00:00.000Z", to="2026-11-19")
    assert reported(scm, **day) == [second]
    assert reported(scm, **day, certificateDateAttribute=4) == [second]
    assert reported(scm, **day, certificateDateAttribute="5") == [second]
    assert reported(scm, **day, certificateDateAttribute=2) == []
    assert reported(scm, **asked(from_="2026-11-19"), certificateDateAttribute=2) == [second]
    assert reported(scm, **asked(to="2027-06-03T00:00:00Z"), certificateDateAttribute=3) == [first]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", -1002),
        (b'""', -1002),
        ({"certificateStatus": 12}, -1601),
        ({"certificateDateAttribute": 1}, -1601),
        ({"from": "yesterday"}, -1601),
        ({"from": "0001-01-01T00:00:00+14:00"}, -1601),
        ({"from": "2026-02-01", "to": "2026-01-01"}, -1601),
        ({"from": "2026-02-01", "to": "2026-02-01"}, -1601),
        ({"commonName": "a<b"}, -1601),
        ({"organizationIds": "1101"}, -1002),
        ({"certificateRequestSource": 6}, -1601),
        ({"serialNumberFormat": "octal"}, -1601),
    ],
)
def test_a_wrong_report_is_refused(scm: Scm, body: object, code: int) -> None:
    assert scm.post(REPORT, body).refusal == (400, code)
    scm.options.report_refusals = "status_code"
    answer = scm.post(REPORT, body)
    assert (answer.status, answer.json["statusCode"], answer.json["reports"]) == (200, code, [])


def test_the_separator_of_names_is_an_option(scm: Scm) -> None:
    scm.options.report_san_separator = ","
    scm.enroll(subjAltNames="b.example.com")
    assert scm.post(REPORT, {}).json["reports"][0]["subjAltNames"] == "www.example.com,b.example.com"


def test_the_audit_log_says_who_did_what(scm: Scm) -> None:
    ssl_id = scm.enroll(certType=2013, csr=make_csr("*.example.com"))
    scm.post(f"/api/ssl/v1/decline/{ssl_id}", {"message": "not now"}, login="approver")
    requested, declined = scm.post("/api/report/v1/activity", {}).json["reports"]
    assert (requested["admin"], requested["action"], requested["objectId"]) == ("api-admin", "requested", ssl_id)
    assert (declined["admin"], declined["action"], declined["details"]) == ("approver", "declined", "not now")
    assert scm.post("/api/report/v1/activity", asked(to="2026-11-01")).json["reports"] == []
    assert scm.post("/api/report/v1/activity", asked(from_="x")).refusal == (400, -1601)


def test_the_domains_of_the_customer(scm: Scm) -> None:
    rows = scm.post("/api/report/v1/domains", {}).json["reports"]
    assert rows[0] == {
        "id": 409,
        "name": "example.com",
        "state": "ACTIVE",
        "dcvStatus": "VALIDATED",
        "dcvExpiration": "2027-05-23",
        "organizationIds": [1101, 1102, 1103, 1201],
    }
    assert len(rows) == 5
