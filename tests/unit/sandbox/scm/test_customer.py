"""Profiles, custom fields, organizations, domains and their validation."""

from datetime import timedelta
from typing import Any

import pytest

from reconciler.sandbox.scm.state import CustomField, Delegation
from tests.support.scm import Scm

DCV = "/api/dcv/v2/validation"


def test_profiles_are_listed_with_terms_and_keys(scm: Scm) -> None:
    rows = scm.get("/api/ssl/v1/types").json
    assert [row["name"] for row in rows] == [
        "DV Single",
        "DV Multi-Domain",
        "DV Wildcard",
        "OV Single",
        "OV Multi-Domain",
        "OV Wildcard",
        "EV Single",
        "EV Multi-Domain",
        "Private TLS",
    ]
    assert rows[-1]["terms"] == [30, 365]
    assert set(rows[0]) == {"id", "name", "description", "terms", "keyTypes", "useSecondaryOrgName"}


def test_profiles_of_one_organization(scm: Scm) -> None:
    scm.state.profiles[2001].organizations = [1201]
    assert len(scm.get("/api/ssl/v1/types?organizationId=1101").json) == 8
    assert len(scm.get("/api/ssl/v2/types?organizationId=1201").json) == 9
    assert scm.get("/api/ssl/v1/types?organizationId=7").refusal == (400, -1023)
    scm.state.admins["api-reader"].organizations = [1101]
    assert len(scm.get("/api/ssl/v1/types", login="api-reader").json) == 8


def test_custom_fields_in_both_versions(scm: Scm) -> None:
    scm.state.custom_fields.append(CustomField(id=55, name="Owner", mandatory=True))
    assert scm.get("/api/ssl/v1/customFields").json == [
        {"id": 54, "name": "CostCenter", "mandatory": False},
        {"id": 55, "name": "Owner", "mandatory": True},
    ]
    rows = scm.get("/api/customField/v2?certType=SSL").json
    assert [row["mandatories"] for row in rows] == [[], ["REST_API"]]
    assert scm.get("/api/customField/v2?certType=SMIME").json == []


def test_organizations_hold_their_departments(scm: Scm) -> None:
    tree = [
        {
            "id": 1101,
            "name": "Example Ltd",
            "departments": [
                {"id": 1102, "parentName": "Example Ltd", "name": "Web"},
                {"id": 1103, "parentName": "Example Ltd", "name": "Private Lab"},
            ],
        },
        {"id": 1201, "name": "Example GmbH", "departments": []},
    ]
    for path in ("", "/managedBy/RAO_SSL", "/managed-by/DRAO_SSL", "/report-type/SSL"):
        assert scm.get(f"/api/organization/v1{path}").json == tree
    for path in ("/managedBy/RAO_SMIME", "/report-type/Client"):
        assert scm.get(f"/api/organization/v1{path}").json == []
    for path in ("/managedBy/KING", "/report-type/Horse"):
        assert scm.get(f"/api/organization/v1{path}").refusal == (400, -1601)


def test_one_organization(scm: Scm) -> None:
    shown = scm.get("/api/organization/v1/1101").json
    assert (shown["city"], shown["stateOrProvince"], shown["country"]) == ("Manchester", "Greater Manchester", "GB")
    assert shown["sslCertsApiEnabled"] is True
    assert scm.get("/api/organization/v1/1102").json["parentName"] == "Example Ltd"
    assert scm.get("/api/organization/v1/7").refusal == (404, -1023)


def test_validations_of_organizations_and_departments(scm: Scm) -> None:
    first, second = scm.get("/api/organization/v2/1201/validations").json
    assert (first["validationLevel"], first["status"], first["backendType"]) == ("OV_SSL", "VALIDATED", "SASP")
    assert first["expires"] == "2027-12-09T09:30:00.000Z"
    assert (second["validationLevel"], second["status"], "expires" in second) == ("EV_SSL", "NOT_VALIDATED", False)
    assert len(scm.get("/api/organization/v2/1102/validations").json) == 2
    assert scm.get("/api/organization/v2/7/validations").status == 404
    scm.options.validation_level_member = "type"
    assert scm.get("/api/organization/v2/1101/validations").json[1]["type"] == "EV"
    scm.advance(days=400)
    assert {row["status"] for row in scm.get("/api/organization/v2/1101/validations").json} == {"EXPIRED"}


def test_domains_are_listed_counted_and_filtered(scm: Scm) -> None:
    answer = scm.get("/api/domain/v1?size=2&position=1")
    assert answer.json == [{"id": 410, "name": "example.net"}, {"id": 411, "name": "example.org"}]
    assert answer.headers["x-total-count"] == "5"
    assert scm.get("/api/domain/v1/count").json == {"count": 5}
    scm.portal.suspend_domain("example.org")
    assert [row["name"] for row in scm.get("/api/domain/v1?state=inactive").json] == ["example.org"]
    assert [row["name"] for row in scm.get("/api/domain/v1?name=CO.UK&orgId=1101").json] == ["example.co.uk"]
    scm.portal.domain("example.net").delegations = [Delegation(org_id=1201, cert_types=["SSL"], privileges=[])]
    scm.portal.domain("example.net").delegations[0].status = "REQUESTED"
    assert [row["name"] for row in scm.get("/api/domain/v1?status=requested").json] == ["example.net"]
    assert scm.get("/api/domain/v1/count?status=approved").json == {"count": 4}
    assert scm.get("/api/domain/v1?state=odd").refusal == (400, -1601)
    assert scm.get("/api/domain/v1?status=odd").refusal == (400, -1601)


def test_one_domain(scm: Scm) -> None:
    shown = scm.get("/api/domain/v1/409").json
    assert shown["delegations"][0] == {
        "orgId": 1101,
        "certTypes": ["SSL"],
        "domainCertificateRequestPrivileges": ["DOMAIN", "SUBDOMAIN", "WILDCARD_1ST_LEVEL", "WILDCARD_2ND_LEVEL"],
        "status": "ACTIVE",
    }
    validation = ("validationStatus", "validationMethod", "dcvValidation", "dcvExpiration")
    assert [shown[name] for name in validation] == ["VALIDATED", "CNAME_CSR_HASH", "2026-11-06", "2027-05-23"]
    assert (shown["state"], shown["delegationStatus"]) == ("ACTIVE", "ACTIVE")
    assert scm.get("/api/domain/v1/77").refusal == (404, -727)
    scm.options.pre_validation = False
    assert "validationStatus" not in scm.get("/api/domain/v1/409").json


def test_the_life_of_a_domain(scm: Scm) -> None:
    body = {"name": "Example.DEV", "active": False, "delegations": [{"orgId": 1101, "certTypes": ["SSL"]}]}
    answer = scm.post("/api/domain/v1", body)
    assert answer.status == 201
    path = answer.headers["location"].removeprefix("https://cert-manager.test")
    assert scm.get(path).json["state"] == "SUSPENDED"
    assert scm.put(f"{path}/activate").status == 200
    assert scm.get(path).json["state"] == "ACTIVE"
    assert scm.put(f"{path}/suspend").status == 200
    assert scm.post(f"{path}/delegation", {"orgId": 1201, "certTypes": ["SSL", "SMIME"]}).status == 200
    assert [entry["orgId"] for entry in scm.get(path).json["delegations"]] == [1101, 1201]
    assert scm.delete(f"{path}/delegation", {"orgId": 1101}).status == 200
    assert scm.delete(f"{path}/delegation", {"orgId": 1101}).refusal == (400, -1023)
    assert scm.delete(f"{path}/delegation", {"orgId": 1201}).refusal == (400, -709)
    assert scm.delete(path).status == 204
    assert scm.get(path).status == 404


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"name": None}, -1001),
        ({"name": "a.b"}, -1601),
        ({"name": "localhost"}, -714),
        ({"name": "example.com"}, -700),
        ({"delegations": []}, -709),
        ({"delegations": [{"orgId": 7}]}, -1023),
        ({"delegations": [{"orgId": 1101, "certTypes": ["SSH"]}]}, -1601),
        ({"delegations": [{"orgId": 1101, "domainCertificateRequestPrivileges": ["ALL"]}]}, -1601),
    ],
)
def test_a_wrong_domain_is_refused(scm: Scm, change: dict[str, object], code: int) -> None:
    body = {"name": "example.dev", "delegations": [{"orgId": 1101}], **change}
    assert scm.post("/api/domain/v1", body).refusal == (400, code)
    assert len(scm.state.domains) == 5


def test_a_domain_with_certificates_stays(scm: Scm) -> None:
    scm.issued()
    assert scm.delete("/api/domain/v1/409").refusal == (400, -740)
    assert scm.delete("/api/domain/v1/410").status == 204


def test_delegations_wait_for_approval(scm: Scm) -> None:
    domain = scm.portal.domain("example.net")
    domain.delegations[0].status = domain.delegations[1].status = "REQUESTED"
    path = f"/api/domain/v1/{domain.id}/delegation"
    assert scm.post(f"{path}/approve", {"orgId": 1101}).status == 200
    assert scm.post(f"{path}/approve", {"orgId": 1101}).refusal == (400, -705)
    assert scm.post(f"{path}/reject", {"orgId": 1102}).status == 200
    assert [delegation.org_id for delegation in domain.delegations] == [1101, 1103, 1201]


def test_many_domains_are_delegated_together_or_not_at_all(scm: Scm) -> None:
    body: dict[str, Any] = {"orgId": 1201, "domainCertificateRequestPrivileges": ["DOMAIN"], "domainIds": [409, 410]}
    assert scm.post("/api/domain/v1/delegation", {**body, "domainIds": [409, 77]}).status == 404
    assert scm.portal.domain("example.com").delegations[-1].privileges != ["DOMAIN"]
    assert scm.post("/api/domain/v1/delegation", body).status == 200
    assert scm.portal.domain("example.net").delegations[-1].privileges == ["DOMAIN"]
    assert scm.post("/api/domain/v1/delegation", {**body, "domainIds": []}).refusal == (400, -1601)


def test_dcv_is_listed_and_filtered(scm: Scm) -> None:
    answer = scm.get(f"{DCV}?dcvStatus=VALIDATED&size=2")
    assert answer.headers["x-total-count"] == "4"
    assert answer.json[0] == {
        "domain": "example.com",
        "dcvStatus": "VALIDATED",
        "dcvMethod": "CNAME",
        "dcvOrderStatus": "NOT_INITIATED",
        "dcvOrderMethod": "CNAME",
        "expirationDate": "2027-05-23",
    }
    assert [row["domain"] for row in scm.get(f"{DCV}?dcvStatus=Not%20validated").json] == ["unvalidated-example.com"]
    assert scm.get(f"{DCV}?expiresIn=10").json == []
    assert len(scm.get(f"{DCV}?expiresIn=2147483647").json) == 4
    assert len(scm.get(f"{DCV}?expiresIn=190&org=1101&domain=example&orderStatus=NOT_INITIATED").json) == 4
    assert scm.get(f"{DCV}?dcvStatus=odd").refusal == (400, -1601)
    assert scm.get("/api/dcv/v1/validation?org=7").json == []


def test_validation_by_cname(scm: Scm) -> None:
    domain = {"domain": "unvalidated-example.com"}
    start = scm.post(f"{DCV}/start/domain/cname", domain).json
    assert start["host"].endswith(".unvalidated-example.com.")
    assert start["point"].endswith(".sectigo.com.")
    assert scm.post(f"{DCV}/status", domain).json == {
        "status": "NOT_VALIDATED",
        "orderStatus": "AWAITING_SUBMISSION",
        "orderMode": "CNAME",
        **start,
    }
    submitted = scm.post(f"{DCV}/submit/domain/cname", domain).json
    assert submitted == {
        "status": "NOT_VALIDATED",
        "orderStatus": "SUBMITTED",
        "message": "Submitted successfully",
        "orderBackendId": "100500",
    }
    scm.advance(minutes=5)
    assert scm.post(f"{DCV}/status", domain).json == {
        "status": "VALIDATED",
        "validationDate": "2026-11-16",
        "expirationDate": "2027-06-02",
        "orderStatus": "NOT_INITIATED",
    }
    assert scm.enroll("unvalidated-example.com") in scm.state.orders


@pytest.mark.parametrize("mode", ["http", "https"])
def test_validation_by_file_waits_until_the_file_is_there(scm: Scm, mode: str) -> None:
    domain = {"domain": "unvalidated-example.com"}
    scm.portal.break_domain("unvalidated-example.com")
    start = scm.post(f"{DCV}/start/domain/{mode}", domain).json
    assert start["url"].startswith(f"{mode}://unvalidated-example.com/.well-known/pki-validation/")
    assert (len(start["firstLine"]), start["secondLine"]) == (64, "sectigo.com")
    scm.post(f"{DCV}/submit/domain/{mode}", domain)
    scm.advance(hours=3)
    shown = scm.post(f"{DCV}/status", domain).json
    assert (shown["status"], shown["orderStatus"]) == ("NOT_VALIDATED", "SUBMITTED")
    assert (shown["lastCheck"], shown["nextCheck"]) == ("2026-11-16T11:35:00.000Z", "2026-11-16T12:35:00.000Z")
    scm.portal.mend_domain("unvalidated-example.com")
    assert scm.post(f"{DCV}/sync?force=true", domain).json["status"] == "VALIDATED"


def test_validation_by_text_record(scm: Scm) -> None:
    answer = scm.post(f"{DCV}/submit/domain/txt", {"domain": "unvalidated-example.com"}).json
    assert answer["host"] == "_pki-validation.unvalidated-example.com."
    assert (answer["orderStatus"], len(answer["point"])) == ("SUBMITTED", 64)
    scm.advance(minutes=5)
    assert scm.get("/api/domain/v1/413").json["validationMethod"] == "DNSTXT_RANDOM_VALUE"


def test_validation_by_email_of_several_domains(scm: Scm) -> None:
    start = scm.post(f"{DCV}/start/domain/email", {"domains": ["example.com", "example.net"]}).json
    assert "admin@example.net" in start["emails"]
    assert [row["domainName"] for row in start["dcvEmails"]] == ["example.com", "example.net"]
    body = {"domain": "unvalidated-example.com", "email": "hostmaster@unvalidated-example.com"}
    assert scm.post(f"{DCV}/submit-bulk/domain/email", {**body, "email": "me@example.com"}).refusal == (400, -1601)
    answer = scm.post("/api/dcv/v1/validation/submit/domain/email", body).json
    assert (answer["orderStatus"], answer["emailValidationReferenceNumber"]) == ("SUBMITTED", 1)
    scm.advance(minutes=5)
    assert scm.post(f"{DCV}/status", body).json["status"] == "VALIDATED"


def test_a_validation_can_be_cleared_and_deleted(scm: Scm) -> None:
    domain = {"domain": "example.com"}
    scm.post(f"{DCV}/start/domain/cname", domain)
    cleared = scm.post(f"{DCV}/clear", domain).json
    assert (cleared["status"], cleared["orderStatus"]) == ("VALIDATED", "NOT_INITIATED")
    answer = scm.post(f"{DCV}/delete", domain)
    assert (answer.status, answer.body) == (200, b"")
    assert scm.post(f"{DCV}/status", domain).json == {"status": "NOT_VALIDATED", "orderStatus": "NOT_INITIATED"}


def test_a_cleared_validation_is_not_checked_any_more(scm: Scm) -> None:
    domain = {"domain": "unvalidated-example.com"}
    scm.post(f"{DCV}/submit/domain/txt", domain)
    scm.post(f"{DCV}/clear", domain)
    scm.advance(hours=1)
    assert scm.post(f"{DCV}/status", domain).json["status"] == "NOT_VALIDATED"


@pytest.mark.parametrize(
    ("path", "body", "refusal"),
    [
        ("/status", {"domain": "www.example.com"}, (400, -723)),
        ("/status", {"domain": "example.edu"}, (404, -727)),
        ("/status", {}, (400, -1001)),
        ("/status", {"domain": "a"}, (400, -1601)),
        ("/start/domain/pigeon", {"domain": "example.com"}, (400, -1601)),
        ("/submit/domain/cname", {"domain": "example.com"}, (400, -724)),
    ],
)
def test_a_wrong_validation_is_refused(scm: Scm, path: str, body: object, refusal: tuple[int, int]) -> None:
    assert scm.post(f"{DCV}{path}", body).refusal == refusal


def test_a_submission_has_to_fit_its_start(scm: Scm) -> None:
    domain = {"domain": "example.com"}
    scm.post(f"{DCV}/start/domain/http", domain)
    assert scm.post(f"{DCV}/submit/domain/cname", domain).refusal == (400, -724)


def test_statuses_can_be_spelt_as_on_the_admin_host(scm: Scm) -> None:
    scm.options.validation_spelling = "admin"
    assert scm.get(DCV).json[4]["dcvStatus"] == "Not validated"
    assert scm.get(DCV).json[0]["dcvOrderStatus"] == "Not initiated"
    assert scm.get("/api/domain/v1/409").json["validationStatus"] == "Validated"


def test_a_validation_ends_by_the_clock_or_by_hand(scm: Scm) -> None:
    scm.portal.expire_domain("example.net")
    assert scm.post(f"{DCV}/status", {"domain": "example.net"}).json["status"] == "EXPIRED"
    scm.portal.expire_domain("unvalidated-example.com")
    assert scm.post(f"{DCV}/status", {"domain": "unvalidated-example.com"}).json["status"] == "NOT_VALIDATED"
    scm.clock.advance_to(scm.clock.now() + timedelta(days=200))
    assert scm.post(f"{DCV}/status", {"domain": "example.com"}).json["status"] == "EXPIRED"
