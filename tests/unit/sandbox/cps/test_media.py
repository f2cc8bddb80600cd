"""Media types: which versions are served, and how they differ."""

from typing import Any

import pytest

from tests.support.enrollments import enrollment_body
from tests.unit.sandbox.cps.harness import Cps, media


@pytest.mark.parametrize("version", [4, 7, 9, 10, 11, 12])
def test_enrollment_has_the_members_of_its_version(cps: Cps, version: int) -> None:
    document = cps.document(cps.create(), version)
    network = document["networkConfiguration"]
    since = {
        "maxAllowedSanNames": (document, 7),
        "maxAllowedWildcardSanNames": (document, 7),
        "autoRenewalStartTime": (document, 9),
        "id": (document, 11),
        "orgId": (document, 11),
        "assignedSlots": (document, 11),
        "stagingSlots": (document, 11),
        "productionSlots": (document, 11),
        "preferredTrustChain": (document["csr"], 10),
        "dnsNameSettings": (network, 7),
        "sniOnly": (network, 7),
        "quicEnabled": (network, 7),
        "ocspStapling": (network, 7),
        "clientMutualAuthentication": (network, 9),
        "fipsMode": (network, 12),
    }
    assert {name for name, (holder, _) in since.items() if name in holder} == {
        name for name, (_, first) in since.items() if version >= first
    }
    assert ("sni" in network) is (version == 4)
    assert isinstance(document["pendingChanges"][0], dict if version >= 10 else str)


def test_old_body_says_sni_in_its_own_way(cps: Cps) -> None:
    body = enrollment_body("www.example.com")
    network = body["networkConfiguration"]
    for name in ("sniOnly", "quicEnabled", "ocspStapling", "dnsNameSettings"):
        del network[name]
    network["sni"] = {"cloneDnsNames": True, "dnsNames": None}
    assert cps.try_create(body, version=4).status == 202
    network["sniOnly"] = True
    body["csr"]["cn"] = "other.example.com"
    reply = cps.try_create(body, version=4)
    assert (reply.status, reply.body["detail"]) == (
        400,
        "Object contains unknown field `sniOnly` - at `$.networkConfiguration`",
    )


def test_fips_mode_belongs_to_version_12_and_needs_modern_tls(cps: Cps) -> None:
    body = enrollment_body("www.example.com")
    body["networkConfiguration"]["fipsMode"] = True
    body["networkConfiguration"]["disallowedTlsVersions"] = ["TLSv1_3"]
    assert cps.try_create(body, version=12).body["detail"] == "FIPS mode needs TLS 1.2 and TLS 1.3."
    body["networkConfiguration"]["disallowedTlsVersions"] = []
    assert cps.try_create(body, version=12).status == 202


@pytest.mark.parametrize(
    "accept",
    [
        None,
        "application/json",
        "*/*",
        media("enrollments", 99),
        media("enrollments", 5),
        media("enrollment", 11),
    ],
)
def test_other_accept_is_not_acceptable(cps: Cps, accept: str | None) -> None:
    reply = cps.call("GET", "/cps/v2/enrollments", accept=accept)
    assert (reply.status, reply.headers["content-type"]) == (406, "application/problem+json")


@pytest.mark.parametrize("content", [None, "application/json", media("enrollment", 5), media("enrollments", 11)])
def test_other_content_type_is_not_supported(cps: Cps, content: str | None) -> None:
    reply = cps.call(
        "POST",
        "/cps/v2/enrollments?contractId=C-1ABCDEF",
        accept=media("enrollment-status", 1),
        content=content,
        body=enrollment_body("www.example.com"),
    )
    assert reply.status == 415


@pytest.mark.parametrize(
    "accept",
    [
        f"{media('enrollments', 11)}; charset=utf-8",
        media("enrollments", 11).upper(),
        f"application/json, {media('enrollments', 11)}",
    ],
)
def test_accept_may_have_a_charset_a_company_and_another_case(cps: Cps, accept: str) -> None:
    reply = cps.call("GET", "/cps/v2/enrollments", accept=accept)
    assert (reply.status, reply.headers["content-type"]) == (200, media("enrollments", 11))


def test_answer_to_a_wrong_media_type_is_an_option(cps: Cps) -> None:
    cps.options.media_type_mismatch = "404"
    assert cps.call("GET", "/cps/v2/enrollments", accept="*/*").status == 404
    cps.options.media_type_mismatch = "lenient"
    reply = cps.call("GET", "/cps/v2/enrollments", accept="*/*")
    assert (reply.status, reply.headers["content-type"]) == (200, media("enrollments", 12))


def test_version_12_of_the_list_and_9_of_deployments_are_options(cps: Cps) -> None:
    enrollment = cps.create()
    path = f"/cps/v2/enrollments/{enrollment.id}/deployments"
    assert cps.call("GET", path, accept=media("deployments", 9)).status == 200
    cps.options.deployment_v9 = "refused"
    assert cps.call("GET", path, accept=media("deployments", 9)).status == 406
    assert cps.call("GET", "/cps/v2/enrollments", accept=media("enrollments", 12)).status == 200
    cps.options.list_version_12 = "refused"
    assert cps.call("GET", "/cps/v2/enrollments", accept=media("enrollments", 12)).status == 406


def test_csr_of_the_old_form_is_the_rsa_one(cps: Cps) -> None:
    enrollment = cps.create()
    cps.to_csr(enrollment)
    path = f"{cps.change_path(enrollment)}/input/info/third-party-csr"
    assert cps.get(path, "csr", 1) == {"csr": cps.csrs(enrollment)["RSA"]}


@pytest.mark.parametrize("version", [1, 2, 3, 4, 5, 6])
def test_change_management_info_of_each_version(cps: Cps, version: int) -> None:
    enrollment = _staged(cps)
    path = f"{cps.change_path(enrollment)}/input/info/change-management-info"
    info: dict[str, Any] = cps.get(path, "change-management-info", version)
    leaf = cps.pending(enrollment).uploads[0].certificate_pem
    state = info["pendingState"]
    network = state["pendingNetworkConfiguration"]
    assert info["validationResultHash"] == "da39a3ee5e6b4b0d3255bfef95601890afd80709"
    assert (info["acknowledgementDeadline"], info["validationResult"]) == (None, None)
    if version >= 5:
        assert state["pendingCertificates"] == [
            {
                "certificateType": "third-party",
                "fullCertificate": leaf,
                "signatureAlgorithm": "SHA-256",
                "ocspStapled": "false",
                "ocspUris": None,
                "keyAlgorithm": "RSA",
            }
        ]
    else:
        assert state["pendingCertificate"]["fullCertificate"] == leaf
    assert ("sni" in network) is (version < 4)
    assert ("disallowedTlsVersions" in network) is (version >= 2)
    assert ("fipsMode" in network) is (version >= 6)
    if version >= 4:
        assert (network["sniOnly"], network["quicEnabled"]) == ("true", "false")


def test_change_management_may_have_true_booleans(cps: Cps) -> None:
    cps.options.change_management_booleans = "booleans"
    enrollment = _staged(cps)
    path = f"{cps.change_path(enrollment)}/input/info/change-management-info"
    network = cps.get(path, "change-management-info", 5)["pendingState"]["pendingNetworkConfiguration"]
    assert (network["sniOnly"], network["quicEnabled"]) == (True, False)


def test_change_management_shows_the_staged_deployment_too(cps: Cps) -> None:
    enrollment = _staged(cps)
    path = f"{cps.change_path(enrollment)}/input/info/change-management-info"
    staged = cps.get(f"/enrollments/{enrollment.id}/deployments/staging", "deployment", 8)
    assert cps.get(path, "deployment", 8) == staged


def test_acknowledgement_may_carry_the_hash(cps: Cps) -> None:
    enrollment = _staged(cps)
    content = media("acknowledgement-with-hash", 1)
    wrong = {"acknowledgement": "acknowledge", "hash": "0" * 40}
    right = wrong | {"hash": "da39a3ee5e6b4b0d3255bfef95601890afd80709"}
    assert cps.post(enrollment, "change-management-ack", content, wrong).status == 409
    assert cps.post(enrollment, "change-management-ack", content, right).status == 200
    assert cps.post(enrollment, "change-management-ack", content, right).status == 409


@pytest.mark.parametrize("body", [{}, {"acknowledgement": "yes"}, {"acknowledgement": "deny", "note": "x"}])
def test_acknowledgement_of_another_form_is_refused(cps: Cps, body: object) -> None:
    enrollment = _staged(cps)
    reply = cps.post(enrollment, "change-management-ack", media("acknowledgement", 1), body)
    assert reply.status == 400


def _staged(cps: Cps) -> Any:
    enrollment = cps.create()
    cps.to_csr(enrollment)
    cps.upload(enrollment, cps.issue(enrollment).item())
    cps.to_staging(enrollment)
    return enrollment
