"""The edge: each name's own certificates, both key types, and a fatal alert for a name it does not know."""

import socket
import ssl
from dataclasses import dataclass

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding

from reconciler.sandbox.ca import IssueRequest
from reconciler.sandbox.cps.state import DeployedCertificate
from reconciler.sandbox.server import BackgroundSandbox
from tests.conftest import START
from tests.support.control import Control

RSA_ONLY = "ECDHE-RSA-AES128-GCM-SHA256"
ECDSA_ONLY = "ECDHE-ECDSA-AES128-GCM-SHA256"


@dataclass(frozen=True, kw_only=True)
class Handshake:
    leaf: x509.Certificate
    answer: str


def handshake(address: str, name: str | None, *, ciphers: str | None = None, ca_file: str | None = None) -> Handshake:
    context = ssl.create_default_context(cafile=ca_file)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    if ciphers is not None:
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        context.set_ciphers(ciphers)
    host, _, port = address.partition(":")
    with (
        socket.create_connection((host, int(port)), timeout=10) as plain,
        context.wrap_socket(plain, server_hostname=name) as connection,
    ):
        leaf = x509.load_der_x509_certificate(connection.getpeercert(binary_form=True) or b"")
        connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        answer = b"".join(iter(lambda: connection.recv(4096), b""))
    return Handshake(leaf=leaf, answer=answer.decode())


@pytest.fixture
def seeded(sandbox: BackgroundSandbox, control: Control) -> BackgroundSandbox:
    control.post("/seed", {"count": 2})
    return sandbox


@pytest.fixture
def two_keys(seeded: BackgroundSandbox) -> str:
    """Return a name that has an ECDSA certificate beside its RSA one."""
    production = next(iter(seeded.cps.state.enrollments.values())).production
    assert production is not None
    key = seeded.sandbox.keys.ec()
    request = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([])).sign(key, hashes.SHA256())
    issued = seeded.sandbox.authority.issue(
        IssueRequest(
            csr_pem=request.public_bytes(Encoding.PEM).decode(),
            kind="DV",
            common_name="s0001.example.com",
            sans=("s0001.example.com",),
            term_days=100,
            now=START,
        )
    )
    production.certificates.append(
        DeployedCertificate(
            algorithm="ECDSA",
            certificate_pem=issued.leaf_pem,
            trust_chain_pem="".join(issued.chain.intermediates),
            private_key_pem=seeded.sandbox.keys.private_pem(key),
        )
    )
    return "s0001.example.com"


@pytest.mark.parametrize("network", ["staging", "production"])
def test_a_name_gets_its_deployed_certificate(seeded: BackgroundSandbox, network: str) -> None:
    served = handshake(seeded.urls["edge"][network], "s0002.example.com")
    names = served.leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["s0002.example.com", "s0002-static.example.com"]
    assert isinstance(served.leaf.public_key(), rsa.RSAPublicKey)
    assert served.answer.startswith("HTTP/1.1 200 OK\r\n")
    assert f"network={network} serial={served.leaf.serial_number:x}" in served.answer


def test_every_name_of_the_certificate_is_served(seeded: BackgroundSandbox) -> None:
    first = handshake(seeded.urls["edge"]["production"], "s0001.example.com")
    other = handshake(seeded.urls["edge"]["production"], "S0001-Static.example.com")
    assert first.leaf == other.leaf


@pytest.mark.parametrize("name", ["www.unknown.example", "example.com", None])
def test_a_name_that_is_not_deployed_is_refused_by_alert(seeded: BackgroundSandbox, name: str | None) -> None:
    with pytest.raises(ssl.SSLError, match="UNRECOGNIZED_NAME"):
        handshake(seeded.urls["edge"]["production"], name)


def test_the_chain_is_sent_and_verifies_with_the_sandboxs_roots(seeded: BackgroundSandbox) -> None:
    context = ssl.create_default_context(cafile=seeded.urls["ca_file"])
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    host, _, port = seeded.urls["edge"]["production"].partition(":")
    with (
        socket.create_connection((host, int(port)), timeout=10) as plain,
        context.wrap_socket(plain, server_hostname="s0001.example.com") as connection,
    ):
        assert connection.version() == "TLSv1.3"


@pytest.mark.nonconforming("the ECDSA certificate is younger than the deployment that it is put into")
def test_a_name_with_both_key_types_serves_what_the_client_can(seeded: BackgroundSandbox, two_keys: str) -> None:
    address = seeded.urls["edge"]["production"]
    assert isinstance(handshake(address, two_keys, ciphers=RSA_ONLY).leaf.public_key(), rsa.RSAPublicKey)
    assert isinstance(handshake(address, two_keys, ciphers=ECDSA_ONLY).leaf.public_key(), ec.EllipticCurvePublicKey)
    assert handshake(address, two_keys).answer.count(",") == 1  # the serials of both


def test_no_session_is_resumed_so_that_a_new_certificate_shows_at_once(seeded: BackgroundSandbox) -> None:
    context = ssl.create_default_context(cafile=seeded.urls["ca_file"])
    host, _, port = seeded.urls["edge"]["production"].partition(":")
    session: ssl.SSLSession | None = None
    for _ in range(2):
        with (
            socket.create_connection((host, int(port)), timeout=10) as plain,
            context.wrap_socket(plain, server_hostname="s0001.example.com", session=session) as connection,
        ):
            connection.sendall(b"GET / HTTP/1.1\r\n\r\n")
            connection.recv(4096)
            assert not connection.session_reused
            session = connection.session
