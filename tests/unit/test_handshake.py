"""`tools.handshake`: it verifies for real, with OpenSSL's program and without it."""

import shutil
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tools import handshake
from tools.handshake import HandshakeError, verified

Key = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
NOT_BEFORE = datetime(2020, 1, 1, tzinfo=UTC)
SIGNING = x509.KeyUsage(
    key_cert_sign=True,
    crl_sign=True,
    digital_signature=False,
    content_commitment=False,
    key_encipherment=False,
    data_encipherment=False,
    key_agreement=False,
    encipher_only=False,
    decipher_only=False,
)


def certificate(name: str, key: Key, *, issuer: str, issuer_key: Key, ca: bool = False) -> x509.Certificate:
    def named(text: str) -> x509.Name:
        return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, text)])

    key_id = x509.SubjectKeyIdentifier.from_public_key
    authority = x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key())
    builder = (
        x509.CertificateBuilder(named(issuer), named(name), key.public_key(), x509.random_serial_number())
        .not_valid_before(NOT_BEFORE)
        .not_valid_after(NOT_BEFORE + timedelta(days=36500))
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(key_id(key.public_key()), critical=False)
        .add_extension(authority, critical=False)
    )
    if ca:  # Python 3.13 asks for it
        builder = builder.add_extension(SIGNING, critical=True)
    return builder.sign(issuer_key, hashes.SHA256())


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write a CA's certificate, one of another CA, and a leaf for each kind of key."""
    folder = tmp_path_factory.mktemp("tls")
    keys: dict[str, Key] = {
        "RSA": rsa.generate_private_key(65537, 2048),
        "ECDSA": ec.generate_private_key(ec.SECP256R1()),
    }
    root_key = ec.generate_private_key(ec.SECP256R1())
    root = certificate("Test Root", root_key, issuer="Test Root", issuer_key=root_key, ca=True)
    other = certificate("Other Root", keys["ECDSA"], issuer="Other Root", issuer_key=keys["ECDSA"], ca=True)
    (folder / "ca.pem").write_bytes(root.public_bytes(Encoding.PEM))
    (folder / "other.pem").write_bytes(other.public_bytes(Encoding.PEM))
    for kind, key in keys.items():
        leaf = certificate("www.example.com", key, issuer="Test Root", issuer_key=root_key)
        private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        (folder / f"{kind}.pem").write_bytes(leaf.public_bytes(Encoding.PEM) + private)
    return folder


@contextmanager
def serving(folder: Path, *kinds: str) -> Iterator[str]:
    """Serve the leaves of `kinds` on loopback; yield host:port."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    for kind in kinds:
        context.load_cert_chain(folder / f"{kind}.pem")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, args=(listener, context))
        thread.start()
        try:
            yield f"127.0.0.1:{listener.getsockname()[1]}"
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()


def serve(listener: socket.socket, context: ssl.SSLContext) -> None:
    while True:
        try:
            plain, _ = listener.accept()
        except OSError:
            return
        plain.settimeout(5)
        with plain, suppress(OSError), context.wrap_socket(plain, server_side=True) as secured:
            secured.recv(1)


@pytest.fixture(params=["openssl", "python"])
def _with(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "python":
        monkeypatch.setattr(handshake, "openssl", lambda: None)
    elif shutil.which("openssl") is None or handshake.openssl() is None:
        pytest.skip("the program openssl (not LibreSSL) is not on PATH")


@pytest.mark.usefixtures("_with")
class TestVerified:
    @pytest.mark.parametrize("algorithm", ["RSA", "ECDSA"])
    def test_leaf_of_the_asked_kind_is_shown(self, folder: Path, algorithm: str) -> None:
        with serving(folder, "RSA", "ECDSA") as endpoint:
            shown = verified(endpoint, "www.example.com", algorithm=algorithm, ca_file=folder / "ca.pem")
        assert shown.algorithm == algorithm
        assert shown.issuer == "Test Root"
        assert shown.not_after == NOT_BEFORE + timedelta(days=36500)

    @pytest.mark.parametrize(("served", "asked"), [("RSA", "ECDSA"), ("ECDSA", "RSA")])
    def test_missing_kind_is_an_error(self, folder: Path, served: str, asked: str) -> None:
        with serving(folder, served) as endpoint, pytest.raises(HandshakeError, match=r"^www\.example\.com: "):
            verified(endpoint, "www.example.com", algorithm=asked, ca_file=folder / "ca.pem")

    def test_chain_to_another_root_is_an_error(self, folder: Path) -> None:
        with serving(folder, "RSA") as endpoint, pytest.raises(HandshakeError):
            verified(endpoint, "www.example.com", algorithm="RSA", ca_file=folder / "other.pem")

    def test_name_that_the_leaf_does_not_have_is_an_error(self, folder: Path) -> None:
        with serving(folder, "RSA") as endpoint, pytest.raises(HandshakeError):
            verified(endpoint, "shop.example.com", algorithm="RSA", ca_file=folder / "ca.pem")

    def test_nobody_listening_is_an_error(self, folder: Path) -> None:
        with serving(folder, "RSA") as endpoint:
            pass
        with pytest.raises(HandshakeError):
            verified(endpoint, "www.example.com", algorithm="RSA", ca_file=folder / "ca.pem")
