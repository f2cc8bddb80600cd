"""What SCM reads from a CSR, and what it refuses there."""

import base64
import binascii
import re
from dataclasses import dataclass
from functools import lru_cache

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

from reconciler.sandbox.scm.errors import RefusedError
from reconciler.sandbox.scm.options import ScmOptions
from reconciler.sandbox.scm.state import Profile

_LONGEST = 32767
_LONGEST_NAME = 64
_CHARACTERS = re.compile(r"[a-zA-Z0-9\-+=/\s]+")
_ARMOUR = re.compile(r"-----(?:BEGIN|END) (?:NEW )?CERTIFICATE REQUEST-----")
_MIN_RSA_BITS = 2048
_CURVES = {"secp256r1": "P-256", "secp384r1": "P-384", "secp521r1": "P-521"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Csr:
    pem: str
    common_name: str
    sans: tuple[str, ...]


def check_text(text: str) -> str:
    """Return the text of a CSR member, or refuse one that has other characters than PEM and base64."""
    if not 1 <= len(text) <= _LONGEST or not _CHARACTERS.fullmatch(text):
        raise RefusedError(-1601, "csr")
    return text


def read_csr(text: str, profile: Profile, options: ScmOptions) -> Csr:
    """Return what a CSR asks, PEM or bare base64.

    Raises:
        RefusedError: -9 no base64, -10 no CSR, -138 not signed by its own key or without a usable common name;
            -11, -13, -141, -170 a key that the CA, the profile or the customer does not take.
    """
    request = _decode(text)
    try:
        signed = request.is_signature_valid
    except (UnsupportedAlgorithm, ValueError):
        raise RefusedError(-11) from None
    if not signed:
        raise RefusedError(-138)
    _check_key(request, profile, options)
    names = request.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    if not names or not 1 <= len(names[0].value) <= _LONGEST_NAME:
        raise RefusedError(-138)
    return Csr(
        pem=request.public_bytes(serialization.Encoding.PEM).decode(),
        common_name=str(names[0].value).lower(),
        sans=_sans(request),
    )


def _decode(text: str) -> x509.CertificateSigningRequest:
    try:
        der = base64.b64decode("".join(_ARMOUR.sub("", text).split()), validate=True)
    except binascii.Error:
        raise RefusedError(-9) from None
    try:
        request = x509.load_der_x509_csr(der)
        _ = request.public_key(), request.subject, request.extensions  # parsed only when they are asked for
    except UnsupportedAlgorithm:
        raise RefusedError(-11) from None
    except (ValueError, x509.DuplicateExtension):
        raise RefusedError(-10) from None
    return request


def _check_key(request: x509.CertificateSigningRequest, profile: Profile, options: ScmOptions) -> None:
    match request.public_key():
        case rsa.RSAPublicKey() as key:
            algorithm, size = "RSA", str(key.key_size)
            if key.key_size < _MIN_RSA_BITS:
                raise RefusedError(-141, _MIN_RSA_BITS)
        case ec.EllipticCurvePublicKey() as key:
            algorithm, size = "EC", _CURVES.get(key.curve.name, key.curve.name)
            if not options.ecc_allowed:
                raise RefusedError(-170)
        case _:
            raise RefusedError(-11)
    if algorithm not in profile.key_types:
        raise RefusedError(-11)
    if size not in profile.key_types[algorithm]:
        raise RefusedError(-13)


@lru_cache(maxsize=4096)
def key_algorithm(csr_pem: str) -> str:
    """Return RSA or EC; RSA too for what has no CSR, as SCM shows it."""
    if csr_pem and isinstance(x509.load_pem_x509_csr(csr_pem.encode()).public_key(), ec.EllipticCurvePublicKey):
        return "EC"
    return "RSA"


def _sans(request: x509.CertificateSigningRequest) -> tuple[str, ...]:
    try:
        extension = request.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound:
        return ()
    return tuple(name.lower() for name in extension.value.get_values_for_type(x509.DNSName))
