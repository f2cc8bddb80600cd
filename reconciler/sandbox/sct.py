"""Certificate transparency: the logs of the sandbox and the timestamps that they sign (RFC 6962, 3.2 and 3.3)."""

import hashlib
from collections.abc import Iterable
from datetime import datetime

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes

from reconciler.sandbox.keys import load_private_key

SCT_LIST_OID = x509.ObjectIdentifier("1.3.6.1.4.1.11129.2.4.2")

_V1_CERTIFICATE_TIMESTAMP = b"\x00\x00"
_PRECERT_ENTRY = b"\x00\x01"
_NO_EXTENSIONS = b"\x00\x00"
_SHA256_ECDSA = b"\x04\x03"


def make_log_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def sct_extension(
    tbs: bytes, issuer_key: PublicKeyTypes, log_key_pems: Iterable[str], at: datetime
) -> x509.UnrecognizedExtension:
    """Return the extension that embeds one timestamp of each log.

    `tbs` is the to-be-signed part without this extension and without the poison: what a log gets to see of the
    precertificate. `cryptography` reads such an extension, but builds it only from its bytes.
    """
    issuer_key_hash = hashlib.sha256(_spki(issuer_key)).digest()
    scts = b"".join(_vector(_sct(_log_key(pem), issuer_key_hash, tbs, at), 2) for pem in log_key_pems)
    return x509.UnrecognizedExtension(SCT_LIST_OID, _octet_string(_vector(scts, 2)))


def log_id(key: ec.EllipticCurvePublicKey) -> bytes:
    return hashlib.sha256(_spki(key)).digest()


def signed_data(issuer_key_hash: bytes, tbs: bytes, timestamp_ms: int) -> bytes:
    """Return what a log signs for a precertificate."""
    entry = _PRECERT_ENTRY + issuer_key_hash + _vector(tbs, 3)
    return _V1_CERTIFICATE_TIMESTAMP + timestamp_ms.to_bytes(8, "big") + entry + _NO_EXTENSIONS


def _sct(log: ec.EllipticCurvePrivateKey, issuer_key_hash: bytes, tbs: bytes, at: datetime) -> bytes:
    timestamp_ms = int(at.timestamp() * 1000)
    signature = log.sign(signed_data(issuer_key_hash, tbs, timestamp_ms), ec.ECDSA(hashes.SHA256()))
    head = b"\x00" + log_id(log.public_key()) + timestamp_ms.to_bytes(8, "big") + _NO_EXTENSIONS
    return head + _SHA256_ECDSA + _vector(signature, 2)


def _log_key(pem: str) -> ec.EllipticCurvePrivateKey:
    key = load_private_key(pem)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    return key


def _spki(key: PublicKeyTypes) -> bytes:
    return key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def _vector(content: bytes, length_bytes: int) -> bytes:
    """Return `content` with its length in front, as TLS writes a vector (RFC 8446, 3.4)."""
    return len(content).to_bytes(length_bytes, "big") + content


def _octet_string(content: bytes) -> bytes:
    """Return the DER of an OCTET STRING of 128 to 65,535 bytes."""
    return b"\x04\x82" + len(content).to_bytes(2, "big") + content
