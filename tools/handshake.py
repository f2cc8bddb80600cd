"""A TLS handshake that accepts one kind of certificate and verifies its chain and name in real time."""

import contextlib
import functools
import shutil
import socket
import ssl
import subprocess
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa

_TIMEOUT_S = 10.0
_SIGNATURES = {
    "RSA": "rsa_pss_rsae_sha256:rsa_pss_rsae_sha384:rsa_pkcs1_sha256:rsa_pkcs1_sha384",
    "ECDSA": "ecdsa_secp256r1_sha256:ecdsa_secp384r1_sha384",
}
# Up to TLS 1.2 the cipher suite names the kind of certificate: what Python's ssl module can choose by.
_CIPHERS = {"RSA": "ECDHE+aRSA", "ECDSA": "ECDHE+aECDSA"}


class HandshakeError(Exception):
    """No verified handshake; says why, in the words of the library."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """The leaf that the edge showed in a verified handshake."""

    algorithm: str  # RSA or ECDSA
    not_after: datetime
    issuer: str


def verified(endpoint: str, server_name: str, *, algorithm: str, ca_file: Path) -> Shown:
    """Shake hands with `endpoint` (host:port), accepting only `algorithm`; return the leaf.

    Raises:
        HandshakeError: none was made, the chain or the name does not verify, or the leaf has another kind of key.
    """
    shake = _with_openssl if openssl() else _with_python
    leaf = x509.load_pem_x509_certificate(shake(endpoint, server_name, algorithm, ca_file).encode())
    shown = "RSA" if isinstance(leaf.public_key(), rsa.RSAPublicKey) else "ECDSA"
    if shown != algorithm:
        raise HandshakeError(f"{server_name}: asked for {algorithm}, the edge showed {shown}")
    name = leaf.issuer.get_attributes_for_oid(x509.NameOID.COMMON_NAME)[0].value
    return Shown(algorithm=shown, not_after=leaf.not_valid_after_utc, issuer=str(name))


@functools.cache
def openssl() -> str | None:
    """Return the path of `openssl`; None where there is none, or LibreSSL (macOS), which lacks our options."""
    path = shutil.which("openssl")
    if path is None:
        return None
    version = subprocess.run([path, "version"], capture_output=True, text=True, check=False, timeout=_TIMEOUT_S)
    return path if version.stdout.startswith("OpenSSL ") else None


def _with_openssl(endpoint: str, server_name: str, algorithm: str, ca_file: Path) -> str:
    command = [
        openssl() or "openssl", "s_client", "-connect", endpoint, "-servername", server_name, "-CAfile", str(ca_file),
        "-no-CApath", "-verify_hostname", server_name, "-verify_return_error", "-sigalgs", _SIGNATURES[algorithm],
    ]  # fmt: skip
    try:
        answer = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=_TIMEOUT_S
        )
    except subprocess.TimeoutExpired:
        raise HandshakeError(f"{server_name}: no handshake after {_TIMEOUT_S:.0f} s") from None
    if answer.returncode != 0 or "Verify return code: 0 (ok)" not in answer.stdout:
        raise HandshakeError(f"{server_name}: {_reason(answer.stderr)}")
    begin, end = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"
    return begin + answer.stdout.split(begin, 1)[1].split(end, 1)[0] + end


def _reason(stderr: str) -> str:
    lines = [line for line in stderr.splitlines() if "error" in line.lower() or "alert" in line.lower()]
    return lines[0] if lines else "the handshake failed"


def _with_python(endpoint: str, server_name: str, algorithm: str, ca_file: Path) -> str:
    host, _, port = endpoint.rpartition(":")
    context = ssl.create_default_context(cafile=str(ca_file))
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(_CIPHERS[algorithm])
    try:
        with (
            contextlib.closing(socket.create_connection((host, int(port)), timeout=_TIMEOUT_S)) as plain,
            context.wrap_socket(plain, server_hostname=server_name) as secured,
        ):
            der = secured.getpeercert(binary_form=True)
    except OSError as error:  # ssl.SSLError is one
        raise HandshakeError(f"{server_name}: {error}") from None
    assert der is not None
    return ssl.DER_cert_to_PEM_cert(der)
