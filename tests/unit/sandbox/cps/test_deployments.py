"""Deployments, active certificates and the two histories."""

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes

from reconciler.sandbox.cps.state import Enrollment
from tests.unit.sandbox.cps.harness import Cps, colons, media


@pytest.fixture
def dual(cps: Cps) -> Enrollment:
    """Return an enrollment with both certificates in production."""
    enrollment = cps.create("www.example.com", "shop.example.com")
    cps.deploy(enrollment, "RSA", "ECDSA")
    return enrollment


def leaf(enrollment: Enrollment, place: int) -> x509.Certificate:
    assert enrollment.production is not None
    return x509.load_pem_x509_certificate(enrollment.production.certificates[place].certificate_pem.encode())


@pytest.mark.parametrize("version", [6, 7, 8, 9])
def test_deployments_show_both_networks_the_ecdsa_certificate_first(cps: Cps, dual: Enrollment, version: int) -> None:
    assert dual.production is not None
    ecdsa, rsa = dual.production.certificates
    body = cps.get(f"/enrollments/{dual.id}/deployments", "deployments", version)
    assert body["staging"] == body["production"]
    production = body["production"]
    expected = {
        "certificate": ecdsa.certificate_pem,
        "trustChain": ecdsa.trust_chain_pem,
        "expiry": "2027-06-02T23:59:59Z",
        "signatureAlgorithm": "SHA-256",
    }
    assert production["primaryCertificate"] == expected | ({"keyAlgorithm": "ECDSA"} if version >= 7 else {})
    (other,) = production["multiStackedCertificates"]
    assert (other["certificate"], other.get("keyAlgorithm", "RSA")) == (rsa.certificate_pem, "RSA")
    assert ("fipsMode" in production["networkConfiguration"]) is (version >= 8)
    assert production["networkConfiguration"]["dnsNames"] == ["www.example.com", "shop.example.com"]
    assert (production["ocspStapled"], production["ocspUris"]) == (False, [])


@pytest.mark.parametrize(
    ("version", "members"), [(1, {"networkType", "sni"}), (3, {"geography", "secureNetwork", "sni"})]
)
def test_old_deployments_have_one_certificate(cps: Cps, dual: Enrollment, version: int, members: set[str]) -> None:
    body = cps.get(f"/enrollments/{dual.id}/deployments/production", "deployment", version)
    assert set(body) == {"certificate", "trustChain", "signatureAlgorithm", "networkConfiguration"}
    assert members <= set(body["networkConfiguration"])


def test_single_certificate_is_primary(cps: Cps) -> None:
    enrollment = cps.create()
    cps.deploy(enrollment)
    body = cps.get(f"/enrollments/{enrollment.id}/deployments/staging", "deployment", 8)
    assert body["primaryCertificate"]["keyAlgorithm"] == "RSA"
    assert body["multiStackedCertificates"] == []


def test_nothing_deployed_is_two_nulls(cps: Cps) -> None:
    enrollment = cps.create()
    path = f"/enrollments/{enrollment.id}/deployments"
    assert cps.get(path, "deployments", 8) == {"production": None, "staging": None}
    assert cps.call("GET", f"/cps/v2{path}/production", accept=media("deployment", 8)).status == 404
    cps.options.never_deployed = "empty-objects"
    body = cps.get(path, "deployments", 8)
    assert (body["production"]["primaryCertificate"], body["production"]["multiStackedCertificates"]) == (None, [])
    cps.options.never_deployed = "404"
    assert cps.call("GET", f"/cps/v2{path}", accept=media("deployments", 8)).status == 404


def test_production_may_be_wrapped(cps: Cps, dual: Enrollment) -> None:
    cps.options.production_shape = "wrapped"
    both = cps.get(f"/enrollments/{dual.id}/deployments", "deployments", 8)
    assert cps.get(f"/enrollments/{dual.id}/deployments/production", "deployment", 8) == both


def test_slots_follow_the_deployment(cps: Cps) -> None:
    enrollment = cps.create()
    cps.to_csr(enrollment)
    cps.upload(enrollment, cps.issue(enrollment).item())
    cps.to_staging(enrollment)
    document = cps.document(enrollment)
    assert (document["assignedSlots"], document["stagingSlots"], document["productionSlots"]) == ([45013], [45013], [])
    cps.acknowledge(enrollment, "change-management")
    cps.advance(hours=1)
    assert cps.document(enrollment)["productionSlots"] == [45013]


@pytest.mark.parametrize("version", [1, 2])
def test_active_certificates_have_serials_and_fingerprints(cps: Cps, dual: Enrollment, version: int) -> None:
    cps.create("new.example.com")
    (row,) = cps.get("/active-certificates", "active-certificates", version)["enrollments"]
    ecdsa = leaf(dual, 0)
    assert row["production"]["primaryCertificate"] == {
        "serial": colons(ecdsa),
        "sha256Fingerprint": ":".join(f"{byte:02X}" for byte in ecdsa.fingerprint(hashes.SHA256())),
        "expiry": "2027-06-02T23:59:59Z",
        "issuer": ecdsa.issuer.rfc4514_string(),
        "keyAlgorithm": "ECDSA",
        "signatureAlgorithm": "SHA-256",
    }
    assert row["production"]["location"] == f"/cps/v2/enrollments/{dual.id}/deployments/production"
    assert [each["keyAlgorithm"] for each in row["staging"]["multiStackedCertificates"]] == ["RSA"]
    assert row["csr"] == {"cn": "www.example.com", "sans": ["www.example.com", "shop.example.com"]}
    assert (row["id"], row["productionSlots"], row["pendingChanges"]) == (dual.id, [45013], [])
    assert ("fipsMode" in row["production"]["networkConfiguration"]) is (version == 2)


def test_staged_first_certificate_is_active_without_production(cps: Cps) -> None:
    enrollment = cps.create()
    cps.to_csr(enrollment)
    cps.upload(enrollment, cps.issue(enrollment).item())
    cps.to_staging(enrollment)
    (row,) = cps.get("/active-certificates?contractId=C-1ABCDEF", "active-certificates", 2)["enrollments"]
    assert row["production"] is None
    assert row["staging"]["primaryCertificate"]["keyAlgorithm"] == "RSA"


@pytest.mark.parametrize("version", [3, 5])
def test_change_history_shows_what_was_uploaded(cps: Cps, version: int) -> None:
    enrollment = cps.create()
    cps.to_csr(enrollment)
    path = f"/enrollments/{enrollment.id}/history/changes"
    (waiting,) = cps.get(path, "change-history", version)["changes"]
    csrs = cps.csrs(enrollment)
    assert waiting["primaryCertificate"]["csr"] == csrs["ECDSA"]
    assert [each["csr"] for each in waiting["multiStackedCertificates"]] == [csrs["RSA"]]
    assert waiting["primaryCertificate"]["certificate"] is None
    issued = cps.issue(enrollment)
    cps.upload(enrollment, issued.item())
    cps.to_staging(enrollment)
    cps.acknowledge(enrollment, "change-management")
    cps.advance(hours=1)
    (row,) = cps.get(path, "change-history", version)["changes"]
    assert (row["action"], row["actionDescription"], row["status"], row["createdBy"], row["ra"]) == (
        "new-certificate",
        "Create New Certificate",
        "completed",
        "certrecon",
        "third-party",
    )
    assert (row["createdOn"], row["lastUpdated"]) == ("2026-11-16T00:00:00Z", "2026-11-16T01:34:30Z")
    expected = {"csr": csrs["RSA"], "certificate": issued.leaf_pem, "trustChain": issued.chain_pem}
    assert row["primaryCertificate"] == expected | ({"keyAlgorithm": "RSA"} if version == 5 else {})
    assert row["multiStackedCertificates"] == []


def test_change_history_is_newest_first_and_may_be_cut(cps: Cps, dual: Enrollment) -> None:
    for _ in range(2):
        cps.portal.open_renewal(dual.id, cancel_pending=True)
    path = f"/enrollments/{dual.id}/history/changes"
    rows = cps.get(path, "change-history", 5)["changes"]
    assert [(row["action"], row["status"]) for row in rows] == [
        ("renew", "incomplete"),
        ("renew", "cancelled"),
        ("new-certificate", "completed"),
    ]
    cps.options.change_history_cut = 1
    assert len(cps.get(path, "change-history", 5)["changes"]) == 1
    assert len(cps.get(f"{path}?includeAll=true", "change-history", 5)["changes"]) == 3


def test_certificate_history_says_what_is_active_where(cps: Cps, dual: Enrollment) -> None:
    cps.portal.open_renewal(dual.id)
    cps.to_csr(dual)
    cps.upload(dual, cps.issue(dual).item())
    cps.to_staging(dual)
    rows = cps.get(f"/enrollments/{dual.id}/history/certificates", "certificate-history", 2)["certificates"]
    assert [(row["stagingStatus"], row["deploymentStatus"]) for row in rows] == [
        ("active", "inactive"),
        ("inactive", "active"),
    ]
    assert [row["primaryCertificate"]["keyAlgorithm"] for row in rows] == ["RSA", "ECDSA"]
    assert (rows[0]["type"], rows[0]["ra"], rows[0]["slots"], rows[0]["geography"]) == (
        "third-party",
        "third-party",
        [45013],
        "core",
    )


def test_certificate_history_is_cut_at_six(cps: Cps) -> None:
    enrollment = cps.create(changeManagement=False)
    cps.deploy(enrollment)
    for _ in range(6):
        cps.portal.open_renewal(enrollment.id)
        cps.deploy(enrollment)
    path = f"/enrollments/{enrollment.id}/history/certificates"
    assert len(cps.get(path, "certificate-history", 2)["certificates"]) == 6
    assert len(cps.get(f"{path}?includeAll=true", "certificate-history", 2)["certificates"]) == 7


@pytest.mark.nonconforming(reason="a leaf without its chain can't be verified; CPS deploys it all the same")
@pytest.mark.parametrize(
    ("option", "shown"), [("empty-text", {"trustChain": ""}), ("as-null", {"trustChain": None}), ("absent", {})]
)
def test_form_of_a_missing_chain_is_an_option(cps: Cps, option: str, shown: dict[str, object]) -> None:
    cps.sandbox.options.set("empty_chain_in_certificate_history", option)
    cps.sandbox.options.set("empty_chain_in_change_history", option)
    enrollment = cps.create()
    cps.deploy(enrollment, chain="none")
    (row,) = cps.get(f"/enrollments/{enrollment.id}/history/certificates", "certificate-history", 2)["certificates"]
    (change,) = cps.get(f"/enrollments/{enrollment.id}/history/changes", "change-history", 5)["changes"]
    for certificate in (row["primaryCertificate"], change["primaryCertificate"]):
        assert {name: value for name, value in certificate.items() if name == "trustChain"} == shown


def test_history_of_dv_certificates_is_empty(cps: Cps, dual: Enrollment) -> None:
    assert cps.get(f"/enrollments/{dual.id}/dv-history", "dv-history", 1) == {"results": []}


@pytest.mark.parametrize("path", ["", "/deployments", "/history/changes", "/history/certificates", "/dv-history"])
def test_unknown_enrollment_is_not_found_without_detail(cps: Cps, path: str) -> None:
    names = {
        "": media("enrollment", 11),
        "/deployments": media("deployments", 8),
        "/history/changes": media("change-history", 5),
        "/history/certificates": media("certificate-history", 2),
        "/dv-history": media("dv-history", 1),
    }
    reply = cps.call("GET", f"/cps/v2/enrollments/1{path}", accept=names[path])
    assert reply.status == 404
    kind = "https://localhost:8443/cps/v2/error-types/not-found"
    assert (reply.body["type"], reply.body["title"]) == (kind, "Not Found")
    assert set(reply.body) == {"type", "title", "instance"}
    instance, _, number = reply.body["instance"].partition("?id=")
    assert instance == kind
    assert len(number) == 32
