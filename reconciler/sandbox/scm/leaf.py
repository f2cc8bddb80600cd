"""What SCM shows of an issued certificate, read from the certificate itself."""

from dataclasses import dataclass
from functools import lru_cache

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID

_CURVES = {"secp256r1": "P-256", "secp384r1": "P-384", "secp521r1": "P-521"}
_KEY_USAGES = (
    "digital_signature",
    "content_commitment",
    "key_encipherment",
    "data_encipherment",
    "key_agreement",
    "key_cert_sign",
    "crl_sign",
)
_EXTENDED = {ExtendedKeyUsageOID.SERVER_AUTH: "serverAuth", ExtendedKeyUsageOID.CLIENT_AUTH: "clientAuth"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaf:
    serial: str  # upper-case hex of whole bytes
    issuer: str
    subject: str
    sans: tuple[str, ...]
    md5: str
    sha1: str
    sha256: str
    signature_algorithm: str  # SHA256WITHRSA
    key_algorithm: str  # RSA, EC
    key_bits: int
    key_param: str  # 2048, P-256
    key_usages: tuple[str, ...]
    extended_key_usages: tuple[str, ...]


@lru_cache(maxsize=8192)
def read_leaf(pem: str) -> Leaf:
    certificate = x509.load_pem_x509_certificate(pem.encode())
    algorithm, bits, param = _key(certificate)
    return Leaf(
        serial=serial_hex(certificate.serial_number),
        issuer=certificate.issuer.rfc4514_string(),
        subject=certificate.subject.rfc4514_string(),
        sans=_sans(certificate),
        md5=certificate.fingerprint(hashes.MD5()).hex().upper(),  # noqa: S303 - SCM shows it
        sha1=certificate.fingerprint(hashes.SHA1()).hex().upper(),  # noqa: S303 - SCM shows it
        sha256=certificate.fingerprint(hashes.SHA256()).hex().upper(),
        signature_algorithm=_signature_algorithm(certificate),
        key_algorithm=algorithm,
        key_bits=bits,
        key_param=param,
        key_usages=_usages(certificate),
        extended_key_usages=_extended_usages(certificate),
    )


def serial_hex(serial: int) -> str:
    """Return a serial number as upper-case hex of whole bytes."""
    return serial.to_bytes((serial.bit_length() + 7) // 8, "big").hex().upper()


def colons(serial: str) -> str:
    """Return `A93E` as `A9:3E`."""
    return ":".join(serial[place : place + 2] for place in range(0, len(serial), 2))


def normal_serial(text: str) -> str:
    """Return a serial number without colons, blanks and leading zeros, upper case: the form to compare."""
    return text.replace(":", "").replace(" ", "").upper().lstrip("0")


def _key(certificate: x509.Certificate) -> tuple[str, int, str]:
    match certificate.public_key():
        case rsa.RSAPublicKey() as key:
            return "RSA", key.key_size, str(key.key_size)
        case ec.EllipticCurvePublicKey() as key:
            return "EC", key.key_size, _CURVES.get(key.curve.name, key.curve.name)
        case other:
            return type(other).__name__, 0, ""


def _signature_algorithm(certificate: x509.Certificate) -> str:
    signer = "ECDSA" if "ecdsa" in certificate.signature_algorithm_oid._name else "RSA"  # noqa: SLF001 - its only name
    algorithm = certificate.signature_hash_algorithm
    return f"{algorithm.name.upper() if algorithm else ''}WITH{signer}"


def _sans(certificate: x509.Certificate) -> tuple[str, ...]:
    try:
        extension = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound:
        return ()
    return tuple(extension.value.get_values_for_type(x509.DNSName))


def _usages(certificate: x509.Certificate) -> tuple[str, ...]:
    try:
        usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    except x509.ExtensionNotFound:
        return ()
    return tuple(_camel(name) for name in _KEY_USAGES if getattr(usage, name))


def _extended_usages(certificate: x509.Certificate) -> tuple[str, ...]:
    try:
        usage = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        return ()
    return tuple(_EXTENDED.get(oid, oid.dotted_string) for oid in usage)


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)
