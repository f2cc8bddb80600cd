"""Details, update and removal of one order; locations; imports."""

import base64
import io
import zipfile
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from reconciler.sandbox.scm.state import CustomField, CustomValue
from tests.support.csrs import make_csr, make_key
from tests.support.scm import Scm


def test_details_before_issue(scm: Scm) -> None:
    ssl_id = scm.enroll(
        subjAltNames="b.example.com", comments="tag", customFields=[{"name": "CostCenter", "value": "7"}]
    )
    assert scm.details(ssl_id) == {
        "commonName": "www.example.com",
        "sslId": ssl_id,
        "id": ssl_id,
        "orgId": 1101,
        "status": "Approved",
        "vendor": "Sectigo Limited",
        "certType": {
            "id": 2002,
            "name": "DV Multi-Domain",
            "description": "DV Multi-Domain (sandbox)",
            "terms": [199],
            "keyTypes": {"RSA": ["2048", "3072", "4096"], "EC": ["P-256", "P-384"]},
            "useSecondaryOrgName": False,
        },
        "subType": "",
        "validationType": "Domain Validation (DV)",
        "term": 199,
        "requester": "api-admin@example.com",
        "requesterId": 85,
        "requestedVia": "Web API",
        "comments": "tag",
        "requested": "11/16/2026",
        "approved": "11/16/2026",
        "renewed": False,
        "keySize": 0,
        "keyType": "RSA",
        "subjectAlternativeNames": ["www.example.com", "b.example.com"],
        "customFields": [{"name": "CostCenter", "value": "7"}],
        "autoInstallDetails": {"state": "Not configured"},
        "autoRenewDetails": {"state": "Not scheduled"},
        "suspendNotifications": False,
    }


def test_the_key_type_is_known_before_issue(scm: Scm) -> None:
    ssl_id = scm.enroll(csr=make_csr("www.example.com", key=make_key("EC")))
    assert (scm.details(ssl_id)["keyType"], scm.details(ssl_id)["keySize"]) == ("EC", 0)


def test_details_after_issue(scm: Scm) -> None:
    ssl_id = scm.issued(certType=2012, csr=make_csr("www.example.com", key=make_key("EC")))
    shown = scm.details(ssl_id)
    leaf = x509.load_pem_x509_certificate(scm.order(ssl_id).leaf_pem.encode())
    assert int(shown["serialNumber"].replace(":", ""), 16) == leaf.serial_number
    assert (shown["issued"], shown["expires"]) == ("11/16/2026", "06/02/2027")
    assert (shown["keyAlgorithm"], shown["keySize"], shown["keyType"]) == ("EC", 256, "EC - P-256")
    assert shown["keyUsages"] == ["digitalSignature"]
    assert shown["extendedKeyUsages"] == ["serverAuth"]
    assert shown["certificateDetails"]["subjectAltNames"] == "dNSName=www.example.com"
    assert shown["certificateDetails"]["issuer"] == leaf.issuer.rfc4514_string()
    assert shown["backendCertId"] == str(shown["orderNumber"])
    assert "signatureAlg" in shown


@pytest.mark.parametrize(
    ("asked", "written"),
    [
        ("ISO", "2026-11-16"),
        ("iso_hms", "2026-11-16T09:30:00.000Z"),
        ("EU", "16.11.2026"),
        ("EU_HMS", "16.11.2026 09:30:00"),
        ("us", "11/16/2026"),
        ("US_HMS", "11/16/2026 09:30:00"),
        ("UK", "16/11/2026"),
        ("UK_HMS", "16/11/2026 09:30:00"),
        ("JP", "2026/11/16"),
        ("JP_HMS", "2026/11/16 09:30:00"),
        ("YYYY-mm-DD", "2026-11-16"),
        ("dd/MM/yyyy HH:mm:ss", "16/11/2026 09:30:00"),
    ],
)
def test_dates_come_in_the_form_asked_for(scm: Scm, asked: str, written: str) -> None:
    ssl_id = scm.enroll()
    assert scm.get(f"/api/ssl/v1/{ssl_id}?dateFormat={asked}").json["requested"] == written


def test_an_unknown_form_of_dates_is_refused(scm: Scm) -> None:
    assert scm.get(f"/api/ssl/v1/{scm.enroll()}?dateFormat=stardate").refusal == (400, -1601)


def test_the_default_form_of_dates_is_an_option(scm: Scm) -> None:
    scm.options.details_dates = "ISO"
    assert scm.details(scm.enroll())["requested"] == "2026-11-16T09:30:00.000Z"


def test_options_change_single_members(scm: Scm) -> None:
    scm.options.expires_before_issue = True
    scm.options.unknown_members = True
    scm.options.details_sans = "without_cn"
    scm.options.requested_via = "REST API"
    shown = scm.details(scm.enroll(subjAltNames="b.example.com"))
    assert shown["expires"] == "11/16/2026"
    assert shown["crystalBall"] == {"state": "NEW"}
    assert shown["subjectAlternativeNames"] == ["b.example.com"]
    assert shown["requestedVia"] == "REST API"


@pytest.mark.parametrize(
    ("method", "path", "read"),
    [
        ("GET", "/api/ssl/v1/77", True),
        ("GET", "/api/ssl/v1/collect/77", True),
        ("GET", "/api/ssl/v1/77/dcv", True),
        ("GET", "/api/ssl/v1/77/location", True),
        ("POST", "/api/ssl/v1/approve/77", False),
        ("POST", "/api/ssl/v1/renewById/77", False),
        ("POST", "/api/ssl/v1/replace/77", False),
        ("POST", "/api/ssl/v1/revoke/77", False),
        ("PUT", "/api/ssl/v1", False),
    ],
)
def test_an_unknown_id_is_404_for_reads_and_400_for_the_rest(scm: Scm, method: str, path: str, read: bool) -> None:
    body = {"sslId": 77} if method == "PUT" else {}
    assert scm.call(method, path, body).refusal == ((404, -5101) if read else (400, -124))


@pytest.mark.parametrize(("choice", "refusal"), [("always_404", (404, -5101)), ("always_400", (400, -124))])
def test_the_answer_to_an_unknown_id_is_an_option(scm: Scm, choice: Any, refusal: tuple[int, int]) -> None:
    scm.options.unknown_id = choice
    assert scm.get("/api/ssl/v1/77").refusal == refusal
    assert scm.post("/api/ssl/v1/approve/77", {}).refusal == refusal


def test_an_update_changes_what_it_names_and_nothing_else(scm: Scm) -> None:
    ssl_id = scm.issued(comments="old", externalRequester="a@example.com")
    answer = scm.put("/api/ssl/v1?dateFormat=ISO", {"sslId": ssl_id, "comments": "new", "suspendNotifications": True})
    assert answer.status == 200
    assert (answer.json["comments"], answer.json["suspendNotifications"]) == ("new", True)
    assert answer.json["externalRequester"] == "a@example.com"
    assert answer.json["requested"] == "2026-11-16"


def test_custom_fields_are_replaced_or_merged(scm: Scm) -> None:
    scm.state.custom_fields.append(CustomField(id=55, name="Owner"))
    ssl_id = scm.enroll(customFields=[{"name": "CostCenter", "value": "1"}])
    change = {"sslId": ssl_id, "customFields": [{"name": "Owner", "value": "me"}]}
    assert scm.put("/api/ssl/v1", change).json["customFields"] == [{"name": "Owner", "value": "me"}]
    scm.options.update_custom_fields = "merge"
    change["customFields"] = [{"name": "CostCenter", "value": "2"}]
    assert len(scm.put("/api/ssl/v1", change).json["customFields"]) == 2


def test_parameters_change_only_before_the_ca_has_the_order(scm: Scm) -> None:
    waiting, going = scm.enroll(certType=2022), scm.enroll()
    change = {"subjectAlternativeNames": ["B.example.com"], "certTypeId": 2012, "orgId": 1201, "term": 199}
    answer = scm.put("/api/ssl/v1", {"sslId": waiting, **change})
    assert answer.json["subjectAlternativeNames"] == ["www.example.com", "b.example.com"]
    assert (answer.json["orgId"], answer.json["certType"]["id"]) == (1201, 2012)
    assert scm.put("/api/ssl/v1", {"sslId": going, **change}).refusal == (400, -1112)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"term": 365}, -36),
        ({"certTypeId": 1}, -111),
        ({"orgId": 1}, -1023),
        ({"csr": "AAAA"}, -10),
        ({"subjectAlternativeNames": ["www.example.edu"]}, -1010),
        ({"subjectAlternativeNames": "b.example.com"}, -1002),
        ({"comments": "x" * 1025}, -1601),
        ({"customFields": [{"name": "Nope", "value": ""}]}, -135),
        ({"autoRenewDetails": {"state": "Maybe"}}, -1601),
        ({"autoRenewDetails": "Scheduled"}, -1002),
        ({"autoRenewDetails": {"state": "Scheduled", "daysBeforeExpiration": 99999}}, -1601),
        ({"subjectAlternativeNames": ["\ud800.example.com"]}, -1002),
        ({"suspendNotifications": "yes"}, -1002),
    ],
)
def test_a_wrong_update_changes_nothing(scm: Scm, change: dict[str, object], code: int) -> None:
    ssl_id = scm.enroll(certType=2022, comments="kept")
    before = scm.details(ssl_id)
    assert scm.put("/api/ssl/v1", {"sslId": ssl_id, **change}).refusal == (400, code)
    assert scm.details(ssl_id) == before


def test_updates_of_issued_orders_can_be_barred(scm: Scm) -> None:
    ssl_id = scm.issued()
    scm.options.update_issued = "refuse"
    assert scm.put("/api/ssl/v1", {"sslId": ssl_id, "comments": "new"}).refusal == (400, -1112)


def test_automatic_renewal_uses_the_old_csr(scm: Scm) -> None:
    ssl_id = scm.issued()
    scheduled = {"state": "Scheduled", "daysBeforeExpiration": 20}
    answer = scm.put("/api/ssl/v1", {"sslId": ssl_id, "autoRenewDetails": scheduled})
    assert answer.json["autoRenewDetails"] == scheduled
    scm.advance(days=170)
    assert list(scm.state.orders) == [ssl_id]
    scm.portal.validate_domain("example.com")
    scm.advance(days=10)
    successor = scm.order(scm.order(ssl_id).successor or 0)
    assert successor.csr_pem == scm.order(ssl_id).csr_pem
    assert successor.status == "Issued"


def test_only_imported_orders_can_be_deleted(scm: Scm) -> None:
    ssl_id = scm.enroll()
    assert scm.delete(f"/api/ssl/v1/{ssl_id}").refusal == (400, -37)
    scm.order(ssl_id).requested_via = "Imported"
    assert scm.delete(f"/api/ssl/v1/{ssl_id}").status == 204
    assert scm.get(f"/api/ssl/v1/{ssl_id}").status == 404


def test_locations_are_kept_beside_the_order(scm: Scm) -> None:
    base = f"/api/ssl/v1/{scm.enroll()}/location"
    answer = scm.post(base, {"details": {"Akamai enrollment": "12345"}})
    assert answer.status == 201
    assert answer.headers["location"] == f"https://cert-manager.test{base}/50"
    row = {"id": 50, "locationType": "CUSTOM", "name": "", "details": {"Akamai enrollment": "12345"}}
    assert scm.get(base).json == [row]
    assert scm.get(f"{base}/50").json == row
    assert scm.put(f"{base}/50", {"details": {"IP": "192.0.2.1"}}).json["details"] == {"IP": "192.0.2.1"}
    assert scm.delete(f"{base}/50").status == 204
    assert scm.get(base).json == []
    assert scm.get(f"{base}/50").refusal == (404, -5101)
    assert scm.post(base, {}).refusal == (400, -1001)


def _foreign(scm: Scm) -> x509.Certificate:
    return x509.load_pem_x509_certificate(scm.authority.private_root_pem().encode())


def test_a_list_of_certificates_can_be_imported_once(scm: Scm) -> None:
    cert = base64.b64encode(_foreign(scm).public_bytes(Encoding.DER)).decode()
    entries = [
        {"orgID": 1101, "cert": cert, "comments": "bought elsewhere"},
        {"orgID": 1101, "cert": cert, "customFields": [{"name": "testName", "value": "x"}]},
        {"orgID": 1101, "cert": cert},
        {"orgID": 1101, "cert": "AAAA"},
        {"orgID": 7, "cert": cert},
    ]
    first, unknown_field, again, broken, nobody = scm.post("/api/ssl/v2/import", entries).json
    assert first["created"] is True
    assert int(first["cert"]["serialNumber"], 16) == _foreign(scm).serial_number
    assert unknown_field == {"errorMessage": "Custom field cannot be found: testName"}
    assert (again["created"], again["cert"]["id"]) == (False, first["cert"]["id"])
    assert broken == {"errorMessage": "Certificate cannot be parsed"}
    assert nobody == {"errorMessage": "Organization '7' not found."}
    shown = scm.details(first["cert"]["id"])
    assert (shown["status"], shown["requestedVia"], shown["comments"]) == ("Issued", "Imported", "bought elsewhere")
    assert scm.get(f"/api/ssl/v1/collect/{first['cert']['id']}?format=x509").body.count(b"BEGIN") == 1


@pytest.mark.parametrize(("body", "code"), [([], -1601), ({}, -1002), ([{}] * 129, -1601), (["x"], -1002)])
def test_a_list_to_import_has_limits(scm: Scm, body: object, code: int) -> None:
    assert scm.post("/api/ssl/v2/import", body).refusal == (400, code)


def _multipart(content: bytes, name: str = "file") -> tuple[bytes, dict[str, str]]:
    head = f'--b\r\nContent-Disposition: form-data; name="{name}"; filename="c.zip"\r\n'
    body = f"{head}Content-Type: application/zip\r\n\r\n".encode() + content + b"\r\n--b--\r\n"
    return body, {"Content-Type": 'multipart/form-data; boundary="b"'}


def test_a_zip_of_certificates_can_be_imported(scm: Scm) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("a.cer", _foreign(scm).public_bytes(Encoding.DER))
        archive.writestr("b.pem", _foreign(scm).public_bytes(Encoding.PEM))
        archive.writestr("c.p12", b"x")
        archive.writestr("d.crt", b"x")
    body, content_type = _multipart(packed.getvalue())
    answer = scm.post("/api/ssl/v1/import?orgId=1101", body, headers={**scm.login(), **content_type})
    assert answer.json == {
        "processedCount": 4,
        "errors": [
            "[b.pem] - SSL certificate already exists. Order number: N/A",
            "c.p12 - Unsupported file extension",
            "[d.crt] - Certificate cannot be parsed",
        ],
    }


def test_a_zip_that_is_none_is_refused(scm: Scm) -> None:
    body, content_type = _multipart(b"no zip")
    headers = {**scm.login(), **content_type}
    assert scm.post("/api/ssl/v1/import?orgId=1101", body, headers=headers).refusal == (400, -1601)
    assert scm.post("/api/ssl/v1/import", body, headers=headers).refusal == (400, -1001)
    other, _ = _multipart(b"", name="other")
    assert scm.post("/api/ssl/v1/import?orgId=1101", other, headers=headers).refusal == (400, -1001)


def test_custom_values_survive_the_portal(scm: Scm) -> None:
    ssl_id = scm.enroll(customFields=[{"name": "CostCenter", "value": "1"}])
    scm.portal.edit_custom_field(ssl_id, "CostCenter", "2")
    scm.portal.edit_comments(ssl_id, "by hand")
    assert scm.order(ssl_id).custom_fields == [CustomValue(name="CostCenter", value="2")]
    assert scm.details(ssl_id)["comments"] == "by hand"
