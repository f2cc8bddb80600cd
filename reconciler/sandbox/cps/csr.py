"""Keys and certification requests in the form that Akamai makes them (decoded from a recorded one)."""

from collections.abc import Sequence
from functools import lru_cache

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509.oid import NameOID

from reconciler.sandbox.cps.body import EnrollmentBody
from reconciler.sandbox.cps.state import Algorithm
from reconciler.sandbox.keys import KeyMaker, PrivateKey

_EXTENSION_REQUEST = bytes.fromhex("2a864886f70d01090e")  # 1.2.840.113549.1.9.14
_ECDSA_WITH_SHA256 = bytes.fromhex("300a06082a8648ce3d040302")
_SHA256_WITH_RSA = bytes.fromhex("300d06092a864886f70d01010b0500")


def make_key(algorithm: Algorithm, keys: KeyMaker) -> PrivateKey:
    return keys.rsa(2048) if algorithm == "RSA" else keys.ec("P-256")


def make_csr(body: EnrollmentBody, key: PrivateKey) -> str:
    """Return a CSR, PEM: subject C, ST, L, O, OU, CN; the names as SAN, or an empty extension request without them."""
    if body.exclude_sans:
        return _without_extensions(_subject(body), key)
    san = x509.SubjectAlternativeName([x509.DNSName(name) for name in body.csr.names])
    builder = x509.CertificateSigningRequestBuilder().subject_name(_subject(body)).add_extension(san, critical=False)
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode()


@lru_cache(maxsize=4096)
def load_csr(pem: str) -> x509.CertificateSigningRequest:
    return x509.load_pem_x509_csr(pem.encode())


def _subject(body: EnrollmentBody) -> x509.Name:
    csr = body.csr
    pairs = (
        (NameOID.COUNTRY_NAME, csr.c),  # a PrintableString; the others are UTF8Strings
        (NameOID.STATE_OR_PROVINCE_NAME, csr.st),
        (NameOID.LOCALITY_NAME, csr.l),
        (NameOID.ORGANIZATION_NAME, csr.o),
        (NameOID.ORGANIZATIONAL_UNIT_NAME, csr.ou),
        (NameOID.COMMON_NAME, csr.cn),
    )
    return x509.Name([x509.NameAttribute(oid, value) for oid, value in pairs if value])


def _without_extensions(subject: x509.Name, key: PrivateKey) -> str:
    """Return a CSR whose extension request is there and empty, which the library's builder does not write."""
    spki = key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    attribute = _der(0x30, [_der(0x06, [_EXTENSION_REQUEST]), _der(0x31, [_der(0x30, [])])])
    info = _der(0x30, [_der(0x02, [b"\x00"]), subject.public_bytes(), spki, _der(0xA0, [attribute])])
    if isinstance(key, rsa.RSAPrivateKey):
        algorithm, signature = _SHA256_WITH_RSA, key.sign(info, padding.PKCS1v15(), hashes.SHA256())
    else:
        algorithm, signature = _ECDSA_WITH_SHA256, key.sign(info, ec.ECDSA(hashes.SHA256()))
    der = _der(0x30, [info, algorithm, _der(0x03, [b"\x00", signature])])
    return x509.load_der_x509_csr(der).public_bytes(serialization.Encoding.PEM).decode()


def _der(tag: int, parts: Sequence[bytes]) -> bytes:
    content = b"".join(parts)
    size = len(content)
    if size < 0x80:
        return bytes([tag, size]) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(length)]) + length + content
