"""The CSRs in the form of Akamai's."""

import subprocess

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

from tests.support.enrollments import enrollment_body
from tests.unit.sandbox.cps.harness import Cps


@pytest.fixture(params=[False, True], ids=["with names", "without names"])
def csrs(cps: Cps, request: pytest.FixtureRequest) -> dict[str, str]:
    """Return both CSRs of one change."""
    body = enrollment_body("www.example.com", "shop.example.com", thirdParty={"excludeSans": request.param})
    body["csr"]["ou"] = "Web"
    body["csr"]["st"] = ""
    reply = cps.try_create(body)
    enrollment = cps.enrollment(int(reply.body["enrollment"].rsplit("/", 1)[1]))
    cps.to_csr(enrollment)
    return cps.csrs(enrollment)


def test_each_verifies_and_openssl_agrees(csrs: dict[str, str]) -> None:
    for pem in csrs.values():
        assert x509.load_pem_x509_csr(pem.encode()).is_signature_valid
        command = ["openssl", "req", "-verify", "-noout"]
        heard = subprocess.run(command, input=pem, capture_output=True, text=True, check=True)
        assert "verify OK" in heard.stdout + heard.stderr


def test_extension_request_is_there_even_if_empty(csrs: dict[str, str]) -> None:
    for pem in csrs.values():
        command = ["openssl", "asn1parse"]
        parsed = subprocess.run(command, input=pem, capture_output=True, text=True, check=True).stdout
        assert ":Extension Request" in parsed


def test_keys_are_rsa_2048_and_p_256(csrs: dict[str, str]) -> None:
    keys = {name: x509.load_pem_x509_csr(pem.encode()).public_key() for name, pem in csrs.items()}
    assert list(keys) == ["RSA", "ECDSA"]
    assert isinstance(keys["RSA"], rsa.RSAPublicKey)
    assert keys["RSA"].key_size == 2048
    assert isinstance(keys["ECDSA"], ec.EllipticCurvePublicKey)
    assert keys["ECDSA"].curve.name == "secp256r1"


def test_subject_has_akamais_order_and_types_and_no_empty_part(csrs: dict[str, str]) -> None:
    command = ["openssl", "asn1parse"]
    for pem in csrs.values():
        subject = x509.load_pem_x509_csr(pem.encode()).subject
        assert [attribute.oid for attribute in subject] == [
            NameOID.COUNTRY_NAME,
            NameOID.LOCALITY_NAME,
            NameOID.ORGANIZATION_NAME,
            NameOID.ORGANIZATIONAL_UNIT_NAME,
            NameOID.COMMON_NAME,
        ]
        parsed = subprocess.run(command, input=pem, capture_output=True, text=True, check=True).stdout
        texts = [line.split("prim: ")[1].split() for line in parsed.splitlines() if "STRING" in line and " :" in line]
        assert [text[0] for text in texts[:5]] == ["PRINTABLESTRING", *["UTF8STRING"] * 4]


def test_names_are_in_it_unless_left_out(csrs: dict[str, str], request: pytest.FixtureRequest) -> None:
    for pem in csrs.values():
        extensions = list(x509.load_pem_x509_csr(pem.encode()).extensions)
        if "without names" in request.node.name:
            assert extensions == []
        else:
            (extension,) = extensions
            assert isinstance(extension.value, x509.SubjectAlternativeName)
            assert extension.value.get_values_for_type(x509.DNSName) == ["www.example.com", "shop.example.com"]


def test_pem_lines_have_64_columns(csrs: dict[str, str]) -> None:
    first, *middle, last = csrs["RSA"].splitlines()
    assert (first, last) == ("-----BEGIN CERTIFICATE REQUEST-----", "-----END CERTIFICATE REQUEST-----")
    assert {len(line) for line in middle[:-1]} == {64}


def test_which_csrs_appear_and_in_which_order_are_options(cps: Cps) -> None:
    cps.options.csr_order = "ecdsa-first"
    enrollment = cps.create("a.example.com", enableMultiStackedCertificates=False)
    cps.to_csr(enrollment)
    assert list(cps.csrs(enrollment)) == ["ECDSA", "RSA"]
    cps.options.csrs = "by-enrollment"
    enrollment = cps.create("b.example.com", enableMultiStackedCertificates=False)
    cps.to_csr(enrollment)
    assert list(cps.csrs(enrollment)) == ["RSA"]


def test_upload_without_a_csr_of_its_algorithm_is_refused(cps: Cps) -> None:
    cps.options.csrs = "by-enrollment"
    enrollment = cps.create(enableMultiStackedCertificates=False)
    cps.to_csr(enrollment)
    reply = cps.upload(enrollment, cps.issue(enrollment).item(keyAlgorithm="ECDSA"))
    assert (reply.status, reply.body["detail"]) == (400, "The change has no CSR with key algorithm ECDSA.")
