"""PyPI's `cert_manager`, a client that nobody here wrote, works against the sandbox's SCM as it comes."""

from collections.abc import Callable, Iterator
from typing import Any, Literal

import cert_manager
import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives.serialization import pkcs7
from cryptography.x509.oid import NameOID

from reconciler.sandbox.server import BackgroundSandbox
from tests.support.csrs import make_csr
from tests.support.lint import lint_errors

Login = Literal["headers", "client certificate", "oauth"]
LOGINS: tuple[Login, ...] = ("headers", "client certificate", "oauth")
EXAMPLE_LTD = 1101
ISSUING_OV = "Sandbox Public Server Authentication CA OV R36"
ROOT = "Sandbox Public Server Authentication Root R46"
CROSS_SIGNER = "Sandbox Old RSA Certification Authority"

Enroll = Callable[..., int]


@pytest.fixture(params=LOGINS)
def client(
    request: pytest.FixtureRequest, sandbox: BackgroundSandbox, monkeypatch: pytest.MonkeyPatch
) -> Iterator[cert_manager.Client]:
    """Return a client for each way to log in. It finds the CA where any client of requests does."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", sandbox.urls["ca_file"])
    client = cert_manager.Client(**login_arguments(request.param, sandbox.urls))
    yield client
    client.session.close()


def login_arguments(login: Login, urls: dict[str, Any]) -> dict[str, Any]:
    scm = urls["scm_credentials"]
    who = {"login_uri": scm["customer_uri"], "username": scm["login"]}
    match login:
        case "headers":
            return {"base_url": f"{urls['scm']}/api", "password": scm["password"]} | who
        case "client certificate":
            files = urls["scm_client_certificate"]
            certificate = {"user_crt_file": files["cert_file"], "user_key_file": files["key_file"]}
            return {"base_url": f"{urls['scm']}/private/api", "cert_auth": True} | certificate | who
        case "oauth":
            where = {"base_url": f"{urls['scm_admin']}/api", "auth_url": urls["oauth_token_url"]}
            return {**where, **urls["oauth_credentials"]}


@pytest.fixture
def ssl(client: cert_manager.Client) -> cert_manager.SSL:
    return cert_manager.SSL(client=client)


@pytest.fixture
def enroll(ssl: cert_manager.SSL) -> Enroll:
    """Return a function that orders a certificate and returns its id."""

    def enroll(common_name: str = "www.example.com", *sans: str, profile: str = "OV Multi-Domain") -> int:
        answer = ssl.enroll(
            cert_type_name=profile,
            csr=make_csr(common_name),
            term=199,
            org_id=EXAMPLE_LTD,
            subject_alt_names=[common_name, *sans],
            external_requester="web@example.com",
        )
        return int(answer["sslId"])

    return enroll


@pytest.fixture
def issued(sandbox: BackgroundSandbox, enroll: Enroll) -> int:
    """Return the id of an issued certificate."""
    ssl_id = enroll("www.example.com", "shop.example.com")
    sandbox.advance(hours=1)
    return ssl_id


def common_name(certificate: x509.Certificate) -> str:
    return str(certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value)


def common_names(pem: str) -> list[str]:
    return [common_name(certificate) for certificate in x509.load_pem_x509_certificates(pem.encode())]


def test_organizations_are_found_by_name(client: cert_manager.Client) -> None:
    organizations = cert_manager.Organization(client=client)
    assert [found["name"] for found in organizations.all()] == ["Example Ltd", "Example GmbH"]
    assert [found["id"] for found in organizations.find(org_name="Example Ltd")] == [EXAMPLE_LTD]
    assert [found["id"] for found in organizations.find(dept_name="Web")] == [1102]
    assert organizations.find(org_name="Example GmbH", dept_name="Web") == []


def test_types_are_the_profiles_with_their_terms(ssl: cert_manager.SSL) -> None:
    assert ssl.types["OV Multi-Domain"] == {"id": 2012, "terms": [199]}
    assert ssl.types["Private TLS"] == {"id": 2031, "terms": [30, 365]}
    assert len(ssl.types) == 9
    assert [custom["name"] for custom in ssl.custom_fields] == ["CostCenter"]


def test_enrolled_certificate_is_pending_until_the_ca_has_issued_it(
    sandbox: BackgroundSandbox, ssl: cert_manager.SSL, enroll: Enroll
) -> None:
    ssl_id = enroll()
    with pytest.raises(cert_manager.PendingError):
        ssl.collect(ssl_id, "x509CO")
    sandbox.advance(hours=1)
    leaf = ssl.collect(ssl_id, "x509CO")
    assert common_names(leaf) == ["www.example.com"]
    assert lint_errors(leaf) == []


@pytest.mark.parametrize(
    ("cert_format", "names"),
    [
        ("x509", [ROOT, ISSUING_OV, "www.example.com"]),
        ("pem", [ROOT, ISSUING_OV, "www.example.com"]),
        ("x509CO", ["www.example.com"]),
        ("pemco", ["www.example.com"]),
        ("x509IO", [ROOT, ISSUING_OV]),
        ("x509IOR", [ISSUING_OV, ROOT]),
        ("pemia", ["www.example.com", ISSUING_OV]),
    ],
)
def test_collect_in_pem_formats(ssl: cert_manager.SSL, issued: int, cert_format: str, names: list[str]) -> None:
    assert common_names(ssl.collect(issued, cert_format)) == names


def test_collect_as_pkcs7(ssl: cert_manager.SSL, issued: int) -> None:
    text = ssl.collect(issued, "base64")
    assert text.startswith("-----BEGIN PKCS7-----")
    certificates = pkcs7.load_pem_pkcs7_certificates(text.encode())
    assert {common_name(certificate) for certificate in certificates} == {"www.example.com", ISSUING_OV, ROOT}


def test_collect_as_der_fails_in_the_client_which_decodes_it_as_text(
    client: cert_manager.Client, ssl: cert_manager.SSL, issued: int
) -> None:
    with pytest.raises(UnicodeDecodeError):
        ssl.collect(issued, "bin")
    answer = client.get(f"{ssl.api_url}/collect/{issued}/bin")
    assert len(pkcs7.load_der_pkcs7_certificates(answer.content)) == 3


def test_all_formats_of_the_client_are_covered_here() -> None:
    known = {"x509", "x509CO", "x509IO", "x509IOR", "base64", "bin", "pem", "pemco", "pemia"}
    assert set(cert_manager.SSL.valid_formats) == known


def test_collect_over_the_cross_certificate(sandbox: BackgroundSandbox, ssl: cert_manager.SSL, issued: int) -> None:
    sandbox.set(chain_cross=True)
    assert common_names(ssl.collect(issued, "x509")) == [CROSS_SIGNER, ROOT, ISSUING_OV, "www.example.com"]


def test_list_reads_all_pages_and_count_agrees(ssl: cert_manager.SSL, enroll: Enroll) -> None:
    ids = [enroll(f"p{number}.example.com") for number in range(5)]
    assert [row["sslId"] for row in ssl.list(size=2)] == ids
    assert [row["commonName"] for row in ssl.list(commonName="p3.example.com")] == ["p3.example.com"]
    assert ssl.count() == 5
    assert ssl.count(commonName="p3.example.com") == 1


def test_details_tell_what_was_ordered(ssl: cert_manager.SSL, issued: int) -> None:
    details = ssl.get(issued)
    assert details["id"] == issued
    assert details["status"] == "Issued"
    assert details["commonName"] == "www.example.com"
    assert set(details["subjectAlternativeNames"]) == {"www.example.com", "shop.example.com"}
    assert details["orgId"] == EXAMPLE_LTD
    assert details["term"] == 199
    assert details["externalRequester"] == "web@example.com"
    assert details["comments"].startswith("Enrolled by cert_manager/4.0.0")
    leaf = x509.load_pem_x509_certificate(ssl.collect(issued, "x509CO").encode())
    assert int(details["serialNumber"].replace(":", ""), 16) == leaf.serial_number


def test_renew_makes_a_second_order_of_the_same_names(
    sandbox: BackgroundSandbox, ssl: cert_manager.SSL, issued: int
) -> None:
    sandbox.set(renew_text_body="accept")
    renewed = ssl.renew(issued)["sslId"]
    assert renewed != issued
    sandbox.advance(hours=1)
    names = {row["sslId"]: row["commonName"] for row in ssl.list()}
    assert names == {issued: "www.example.com", renewed: "www.example.com"}
    assert ssl.get(renewed)["status"] == "Issued"


def test_renew_is_refused_by_a_strict_service_for_the_text_that_the_client_sends(
    sandbox: BackgroundSandbox, ssl: cert_manager.SSL, issued: int
) -> None:
    sandbox.set(renew_text_body="refuse")
    with pytest.raises(requests.HTTPError) as refusal:
        ssl.renew(issued)
    assert refusal.value.response.status_code == 400
    assert refusal.value.response.json()["code"] == -1002
    assert ssl.count() == 1


def test_replace_keeps_the_id_and_changes_certificate_and_key(
    sandbox: BackgroundSandbox, ssl: cert_manager.SSL, issued: int
) -> None:
    before = x509.load_pem_x509_certificate(ssl.collect(issued, "x509CO").encode())
    csr = make_csr("www.example.com")
    names = ["www.example.com", "shop.example.com"]
    answer = ssl.replace(
        cert_id=issued, csr=csr, common_name="www.example.com", reason="new key", subject_alt_names=names
    )
    assert answer == {}
    sandbox.advance(hours=1)
    after = x509.load_pem_x509_certificate(ssl.collect(issued, "x509CO").encode())
    assert after.public_key() == x509.load_pem_x509_csr(csr.encode()).public_key()
    assert after.serial_number != before.serial_number
    assert ssl.count() == 1


def test_revoked_certificate_is_not_given_out_any_more(ssl: cert_manager.SSL, issued: int) -> None:
    assert ssl.revoke(issued, reason="key compromise") == {}
    assert ssl.get(issued)["status"] == "Revoked"
    with pytest.raises(cert_manager.PendingError):  # the client's word for every refusal
        ssl.collect(issued, "x509CO")


def test_reports_show_the_order_its_events_and_the_domains(client: cert_manager.Client, issued: int) -> None:
    report = cert_manager.Report(client=client)
    rows = report.get_ssl_certs(certificateStatus=0)["reports"]
    assert [(row["id"], row["commonName"], row["status"]) for row in rows] == [(issued, "www.example.com", "Issued")]
    everything = {"from": "2026-01-01", "to": "2027-12-31"}
    assert report.get_ssl_certs(certificateStatus=3)["reports"] == []
    assert report.get_activity(**everything)["statusCode"] == 0
    assert "example.com" in str(report.get_domains()["reports"])


def test_report_refuses_what_it_does_not_know(client: cert_manager.Client) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        cert_manager.Report(client=client).get_ssl_certs(
            certificateStatus=0, **{"from": "2027-01-01", "to": "2026-01-01"}
        )


def test_domains_are_listed_found_and_counted(client: cert_manager.Client) -> None:
    domains = cert_manager.Domain(client=client)
    names = [found["name"] for found in domains.all()]
    assert names == ["example.com", "example.net", "example.org", "example.co.uk", "unvalidated-example.com"]
    assert domains.count() == {"count": 5}
    (found,) = domains.find(name="example.net")
    details = domains.get(found["id"])
    assert (details["name"], details["state"], details["validationStatus"]) == ("example.net", "ACTIVE", "VALIDATED")


def test_domain_is_created_suspended_activated_and_deleted(client: cert_manager.Client) -> None:
    domains = cert_manager.Domain(client=client)
    new = domains.create("new-example.com", EXAMPLE_LTD, ["SSL"])["id"]
    assert domains.get(new)["name"] == "new-example.com"
    assert domains.suspend(new)
    assert domains.get(new)["state"] == "SUSPENDED"
    assert domains.activate(new)
    assert domains.get(new)["state"] == "ACTIVE"
    assert domains.delete(new)
    with pytest.raises(requests.HTTPError):
        domains.get(new)


def test_domain_is_delegated_and_taken_back(client: cert_manager.Client) -> None:
    domains = cert_manager.Domain(client=client)
    new = domains.create("new-example.com", EXAMPLE_LTD, ["SSL"])["id"]
    assert domains.delegate(new, 1201, ["SSL"])
    assert delegated_to(domains.get(new)) == {EXAMPLE_LTD, 1201}
    assert domains.remove_delegation(new, 1201, ["SSL"])
    assert delegated_to(domains.get(new)) == {EXAMPLE_LTD}


def delegated_to(domain: dict[str, Any]) -> set[int]:
    return {delegation["orgId"] for delegation in domain["delegations"]}


def test_domain_is_validated_by_cname(sandbox: BackgroundSandbox, client: cert_manager.Client) -> None:
    dcv = cert_manager.DomainControlValidation(client=client, api_version="v2")
    assert dcv.get_validation_status("unvalidated-example.com")["status"] == "NOT_VALIDATED"
    record = dcv.start_validation_cname("unvalidated-example.com")
    assert record["host"].endswith(".unvalidated-example.com.")
    assert dcv.submit_validation_cname("unvalidated-example.com")["orderStatus"] == "SUBMITTED"
    sandbox.advance(hours=2)
    assert dcv.get_validation_status("unvalidated-example.com")["status"] == "VALIDATED"
    found = dcv.search(domain="unvalidated-example.com")
    assert [(row["domain"], row["dcvStatus"]) for row in found] == [("unvalidated-example.com", "VALIDATED")]


def test_wrong_password_is_refused(sandbox: BackgroundSandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", sandbox.urls["ca_file"])
    arguments = login_arguments("headers", sandbox.urls) | {"password": "wrong"}
    client = cert_manager.Client(**arguments)
    with pytest.raises(requests.HTTPError) as refusal:
        cert_manager.Organization(client=client)
    client.session.close()
    assert refusal.value.response.status_code == 401


def test_reader_may_look_but_not_order(sandbox: BackgroundSandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", sandbox.urls["ca_file"])
    reader = sandbox.urls["scm_readonly_credentials"]
    who = {"login_uri": reader["customer_uri"], "username": reader["login"], "password": reader["password"]}
    client = cert_manager.Client(base_url=f"{sandbox.urls['scm']}/api", **who)
    ssl = cert_manager.SSL(client=client)
    with pytest.raises(requests.HTTPError) as refusal:
        ssl.enroll(cert_type_name="OV Multi-Domain", csr=make_csr("www.example.com"), term=199, org_id=EXAMPLE_LTD)
    assert refusal.value.response.status_code in {400, 403}
    assert ssl.count() == 0
    client.session.close()
