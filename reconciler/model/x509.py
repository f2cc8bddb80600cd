"""Certificates and CSRs as values. Garbage in is one error, never a traceback."""

import contextlib
import hashlib
import re
import warnings
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import TypeVar

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.utils import CryptographyDeprecationWarning
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID, NameOID

from reconciler.errors import CertreconError
from reconciler.model.certificate import KeyType, Subject
from reconciler.model.names import DnsName
from reconciler.model.times import within_reach

SERVER_AUTH = ExtendedKeyUsageOID.SERVER_AUTH.dotted_string
CLIENT_AUTH = ExtendedKeyUsageOID.CLIENT_AUTH.dotted_string
ANY_USAGE = ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE.dotted_string

_DAY = timedelta(days=1)
_NIST_NAMES = {"secp256r1": "P-256", "secp384r1": "P-384", "secp521r1": "P-521"}
_PEM_MARKER = re.compile(r"-----(BEGIN|END) (?:X509 |TRUSTED )?CERTIFICATE-----")
_PEM_BLOCK = re.compile(r"-----BEGIN [A-Z0-9 ]*CERTIFICATE-----.*?-----END [A-Z0-9 ]*CERTIFICATE-----", re.DOTALL)
PARSE_ERRORS = (  # what the library raises on what it cannot read, wherever it first looks at it
    ValueError,
    TypeError,
    UnsupportedAlgorithm,
    x509.DuplicateExtension,
    x509.InvalidVersion,
    x509.UnsupportedGeneralNameType,
)

_Extension = TypeVar("_Extension", bound=x509.ExtensionType)


class MalformedCertificateError(CertreconError):
    """Not a certificate, not a CSR, or one that breaks its own format."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicKey:
    algorithm: str  # "RSA", "EC", else the library's name of it
    size: int  # bits; 0 where the algorithm has one size only
    curve: str | None  # "P-256"
    spki_sha256: str  # of the DER of the SubjectPublicKeyInfo, lower-case hex

    @property
    def key_type(self) -> KeyType | None:
        """The kind of key, whatever its size; None for what CPS never makes."""
        return {"RSA": KeyType.RSA, "EC": KeyType.ECDSA}.get(self.algorithm)

    @property
    def spelt(self) -> str:
        """The key as users write key types: "RSA-2048", "ECDSA-P256"."""
        if self.curve is not None:
            return f"ECDSA-{self.curve.replace('-', '')}"
        return f"{self.algorithm}-{self.size}" if self.size else self.algorithm


@dataclass(frozen=True, slots=True, kw_only=True)
class CsrInfo:
    """What a CSR asks for. Names are lower-case."""

    pem: str
    signature_valid: bool  # by its own key
    common_name: str | None
    subject: Subject
    sans: frozenset[DnsName]
    other_names: frozenset[str]  # SANs that are no DNS names, as "IPAddress: 192.0.2.1"
    key: PublicKey

    @property
    def spki_sha256(self) -> str:
        return self.key.spki_sha256


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """One certificate. Names are lower-case; X.500 names are the bytes that a chain is compared by."""

    der: bytes
    pem: str
    sha256: str  # of `der`, upper-case hex without colons
    serial: int
    not_before: datetime
    not_after: datetime
    common_name: str | None
    subject: Subject
    subject_der: bytes
    issuer_der: bytes
    issuer: str  # for people (RFC 4514)
    sans: frozenset[DnsName]
    other_names: frozenset[str]
    key: PublicKey
    is_ca: bool
    self_signed: bool
    usages: frozenset[str] | None  # extended key usages, dotted; None: no such extension, all are allowed
    policies: frozenset[str]  # dotted
    has_ocsp: bool
    has_crl: bool
    must_staple: bool
    sct_count: int
    authority_key_id: bytes | None
    subject_key_id: bytes | None

    @property
    def spki_sha256(self) -> str:
        return self.key.spki_sha256

    @property
    def lifetime(self) -> timedelta:
        return lifetime(self.not_before, self.not_after)

    @property
    def label(self) -> str:
        """The certificate for messages: its name and its serial number."""
        return f"{self.common_name or self.issuer} (serial {self.serial:x})"


def lifetime(not_before: datetime, not_after: datetime) -> timedelta:
    """Return how long a certificate is valid; its last second counts (BR 1.6.1, "Validity Period")."""
    return not_after - not_before + timedelta(seconds=1)


def lifetime_days(not_before: datetime, not_after: datetime) -> int:
    """Return the validity in days; each fraction of a day is a whole one (BR 6.3.2)."""
    return -(-lifetime(not_before, not_after) // _DAY)


def parse_certificates(pem: str | bytes) -> tuple[Certificate, ...]:
    """Return all certificates of a PEM text, in its order; what stands between them is ignored.

    Raises:
        MalformedCertificateError: one of them cannot be read, one is cut off, or there is none.
    """
    text = _text(pem)
    markers = [found[1] for found in _PEM_MARKER.finditer(text)]
    if not markers or markers != ["BEGIN", "END"] * (len(markers) // 2):
        raise MalformedCertificateError("no complete PEM certificate in what was given")
    return tuple(_parsed(block) for block in _PEM_BLOCK.findall(text))


def parse_roots(pem: str | bytes) -> tuple[Certificate, ...]:
    """Return the certificates of a bundle of roots, without those that cannot be read: they can vouch for nothing."""
    found: list[Certificate] = []
    for block in _PEM_BLOCK.findall(_text(pem)):
        with contextlib.suppress(MalformedCertificateError):
            found.append(_parsed(block))
    return tuple(found)


def load(der: bytes) -> x509.Certificate:
    """Return the library's certificate. Old roots have the serial 0, of which it warns each time it sees them."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", CryptographyDeprecationWarning)
        return x509.load_der_x509_certificate(der)


@lru_cache(maxsize=1024)  # a run meets the CSRs of its changes at each look
def parse_csr(pem: str | bytes) -> CsrInfo:
    """Return what a PEM CSR says; whether its own signature fits is one of the values.

    Raises:
        MalformedCertificateError: it is not a CSR.
    """
    try:
        return _csr(x509.load_pem_x509_csr(_text(pem).encode()))
    except PARSE_ERRORS as error:
        raise MalformedCertificateError(f"a CSR that cannot be read: {error}") from error


def spki_hash(pem: str | bytes) -> str:
    """Return the SHA-256 of the public key in a PEM certificate (the first one) or CSR, in lower-case hex.

    Raises:
        MalformedCertificateError: it is neither.
    """
    if "CERTIFICATE REQUEST-----" in _text(pem):
        return parse_csr(pem).spki_sha256
    return parse_certificates(pem)[0].spki_sha256


def _text(pem: str | bytes) -> str:
    return pem if isinstance(pem, str) else pem.decode("utf-8", errors="replace")


def _parsed(block: str) -> Certificate:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", CryptographyDeprecationWarning)
            return _certificate(x509.load_pem_x509_certificate(block.encode()))
    except PARSE_ERRORS as error:
        raise MalformedCertificateError(f"a certificate that cannot be read: {error}") from error


def _certificate(parsed: x509.Certificate) -> Certificate:
    extensions = parsed.extensions
    der = parsed.public_bytes(Encoding.DER)
    constraints = _extension(extensions, x509.BasicConstraints)
    usages = _extension(extensions, x509.ExtendedKeyUsage)
    access = _extension(extensions, x509.AuthorityInformationAccess) or ()
    features = _extension(extensions, x509.TLSFeature) or ()
    authority = _extension(extensions, x509.AuthorityKeyIdentifier)
    key_id = _extension(extensions, x509.SubjectKeyIdentifier)
    dns_names, other_names = _names(extensions)
    return Certificate(
        der=der,
        pem=parsed.public_bytes(Encoding.PEM).decode(),
        sha256=hashlib.sha256(der).hexdigest().upper(),
        serial=parsed.serial_number,
        not_before=within_reach(parsed.not_valid_before_utc.astimezone(UTC)),
        not_after=within_reach(parsed.not_valid_after_utc.astimezone(UTC)),
        common_name=_common_name(parsed.subject),
        subject=_subject(parsed.subject),
        subject_der=parsed.subject.public_bytes(),
        issuer_der=parsed.issuer.public_bytes(),
        issuer=parsed.issuer.rfc4514_string(),
        sans=dns_names,
        other_names=other_names,
        key=_public_key(parsed.public_key()),
        is_ca=constraints is not None and constraints.ca,
        self_signed=_self_signed(parsed),
        usages=None if usages is None else frozenset(usage.dotted_string for usage in usages),
        policies=frozenset(
            one.policy_identifier.dotted_string for one in _extension(extensions, x509.CertificatePolicies) or ()
        ),
        has_ocsp=any(one.access_method == AuthorityInformationAccessOID.OCSP for one in access),
        has_crl=_extension(extensions, x509.CRLDistributionPoints) is not None,
        must_staple=x509.TLSFeatureType.status_request in features,
        sct_count=len(tuple(_extension(extensions, x509.PrecertificateSignedCertificateTimestamps) or ())),
        authority_key_id=None if authority is None else authority.key_identifier,
        subject_key_id=None if key_id is None else key_id.digest,
    )


def _csr(parsed: x509.CertificateSigningRequest) -> CsrInfo:
    dns_names, other_names = _names(parsed.extensions)
    return CsrInfo(
        pem=parsed.public_bytes(Encoding.PEM).decode(),
        signature_valid=parsed.is_signature_valid,
        common_name=_common_name(parsed.subject),
        subject=_subject(parsed.subject),
        sans=dns_names,
        other_names=other_names,
        key=_public_key(parsed.public_key()),
    )


def _extension(extensions: x509.Extensions, kind: type[_Extension]) -> _Extension | None:
    try:
        return extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None


def _names(extensions: x509.Extensions) -> tuple[frozenset[DnsName], frozenset[str]]:
    names = tuple(_extension(extensions, x509.SubjectAlternativeName) or ())
    return (
        frozenset(DnsName(name.value.lower()) for name in names if isinstance(name, x509.DNSName)),
        frozenset(f"{type(name).__name__}: {name.value}" for name in names if not isinstance(name, x509.DNSName)),
    )


def _subject(name: x509.Name) -> Subject:
    return Subject(
        country=_attribute(name, NameOID.COUNTRY_NAME),
        state=_attribute(name, NameOID.STATE_OR_PROVINCE_NAME),
        locality=_attribute(name, NameOID.LOCALITY_NAME),
        organization=_attribute(name, NameOID.ORGANIZATION_NAME),
        organizational_unit=_attribute(name, NameOID.ORGANIZATIONAL_UNIT_NAME),
    )


def _common_name(name: x509.Name) -> str | None:
    common_name = _attribute(name, NameOID.COMMON_NAME)
    return None if common_name is None else common_name.lower()


def _attribute(name: x509.Name, oid: x509.ObjectIdentifier) -> str | None:
    """Return an attribute's values, joined where there are several: one of them alone would hide the others."""
    values = [str(attribute.value) for attribute in name.get_attributes_for_oid(oid)]
    return " + ".join(values) or None


def _public_key(key: CertificatePublicKeyTypes) -> PublicKey:
    spki = hashlib.sha256(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).hexdigest()
    match key:
        case rsa.RSAPublicKey():
            return PublicKey(algorithm="RSA", size=key.key_size, curve=None, spki_sha256=spki)
        case ec.EllipticCurvePublicKey():
            curve = _NIST_NAMES.get(key.curve.name, key.curve.name)
            return PublicKey(algorithm="EC", size=key.key_size, curve=curve, spki_sha256=spki)
        case _:
            return PublicKey(
                algorithm=type(key).__name__.removesuffix("PublicKey"), size=0, curve=None, spki_sha256=spki
            )


def _self_signed(parsed: x509.Certificate) -> bool:
    if parsed.issuer != parsed.subject:
        return False
    try:
        parsed.verify_directly_issued_by(parsed)
    except (*PARSE_ERRORS, InvalidSignature):
        return False
    return True
