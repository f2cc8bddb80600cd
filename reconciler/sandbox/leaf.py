"""What the sandbox's CA is asked for, and the leaf it makes of it."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from reconciler.sandbox.hierarchy import KeyType, Kind, ca_urls, common_name, key_usage, leaf_policies


@dataclass(frozen=True, slots=True, kw_only=True)
class SubjectFields:
    """What an organization's record gives to a subject. A DV certificate uses none of it."""

    organization: str | None = None
    locality: str | None = None
    state: str | None = None
    country: str | None = None
    business_category: str | None = None  # EV from here on
    registration_number: str | None = None
    jurisdiction_country: str | None = None
    jurisdiction_state: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class IssueRequest:
    """An order as the CA gets it: checked and approved."""

    csr_pem: str
    kind: Kind
    common_name: str
    sans: tuple[str, ...]
    subject: SubjectFields = field(default_factory=SubjectFields)
    term_days: int
    now: datetime


def key_type_of(key: object) -> KeyType:
    """Return SCM's word for the kind of a public key.

    Raises:
        ValueError: neither RSA nor EC.
    """
    if isinstance(key, rsa.RSAPublicKey):
        return "RSA"
    if isinstance(key, ec.EllipticCurvePublicKey):
        return "EC"
    raise ValueError(f"no issuing CA for keys of type {type(key).__name__}")


def leaf_builder(
    request: IssueRequest, csr: x509.CertificateSigningRequest, issuer: x509.Certificate, *, serial: int
) -> x509.CertificateBuilder:
    """Return the leaf of the baseline requirements' subscriber profile (7.1.2.7), in the order Sectigo writes it."""
    start = request.now.replace(hour=0, minute=0, second=0, microsecond=0)
    access, crl = ca_urls(common_name(issuer.subject), ocsp=request.kind != "PRIVATE")
    issuer_key_id = issuer.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    is_rsa = isinstance(csr.public_key(), rsa.RSAPublicKey)
    return (
        x509.CertificateBuilder()
        .subject_name(_subject(request))
        .issuer_name(issuer.subject)
        .public_key(csr.public_key())
        .serial_number(serial)
        .not_valid_before(start)
        .not_valid_after(start + timedelta(days=request.term_days, seconds=-1))
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(issuer_key_id), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(csr.public_key()), critical=False)
        .add_extension(key_usage(digital_signature=True, key_encipherment=is_rsa), critical=True)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(leaf_policies(request.kind), critical=False)
        .add_extension(crl, critical=False)
        .add_extension(access, critical=False)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name) for name in request.sans]), critical=False)
    )


def _subject(request: IssueRequest) -> x509.Name:
    """Return the subject: the common name alone for DV, the organization too for OV and private, all of it for EV."""
    fields = request.subject
    organization = [
        (NameOID.COUNTRY_NAME, fields.country),
        (NameOID.STATE_OR_PROVINCE_NAME, fields.state),
        (NameOID.LOCALITY_NAME, fields.locality),
        (NameOID.ORGANIZATION_NAME, fields.organization),
    ]
    extended = [
        (NameOID.SERIAL_NUMBER, fields.registration_number),
        (NameOID.JURISDICTION_COUNTRY_NAME, fields.jurisdiction_country),
        (NameOID.JURISDICTION_STATE_OR_PROVINCE_NAME, fields.jurisdiction_state),
        (NameOID.BUSINESS_CATEGORY, fields.business_category),
    ]
    used = {"DV": [], "OV": organization, "PRIVATE": organization, "EV": [*extended, *organization]}[request.kind]
    pairs = [*used, (NameOID.COMMON_NAME, request.common_name)]
    return x509.Name([x509.NameAttribute(oid, value) for oid, value in pairs if value is not None])
