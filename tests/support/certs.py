"""Certificates, CSRs and desired certificates for unit tests: small, quick, and wrong wherever a test wants it."""

import functools
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID, NameOID

from reconciler.errors import Location
from reconciler.model.certificate import (
    AcceptedWarning,
    AccountName,
    CertificateName,
    ContractId,
    DesiredCertificate,
    DesiredEnrollment,
    DesiredOrder,
    InstanceName,
    IssuerClass,
    KeyType,
)
from reconciler.model.names import DnsName
from reconciler.model.x509 import Certificate, CsrInfo, parse_certificates, parse_csr

Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey

START = datetime(2026, 11, 20, tzinfo=UTC)
CA_START = datetime(2021, 3, 22, tzinfo=UTC)
CA_END = datetime(2046, 3, 21, 23, 59, 59, tzinfo=UTC)
OV_POLICY = "2.23.140.1.2.2"

_OIDS = {
    "C": NameOID.COUNTRY_NAME,
    "ST": NameOID.STATE_OR_PROVINCE_NAME,
    "L": NameOID.LOCALITY_NAME,
    "O": NameOID.ORGANIZATION_NAME,
    "OU": NameOID.ORGANIZATIONAL_UNIT_NAME,
    "CN": NameOID.COMMON_NAME,
}


def ec_key(curve: ec.EllipticCurve | None = None) -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(curve or ec.SECP256R1())


@functools.cache
def rsa_key(bits: int = 2048) -> rsa.RSAPrivateKey:
    """Return an RSA key, the same one for the whole run: making them is slow."""
    return rsa.generate_private_key(public_exponent=65537, key_size=bits)


def x500(**parts: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(_OIDS[letters], value) for letters, value in parts.items()])


@dataclass(frozen=True)
class Ca:
    """A CA that can sign: its certificate as the library has it, and its key."""

    certificate: x509.Certificate
    key: Key

    @property
    def value(self) -> Certificate:
        return value_of(self.certificate)

    @property
    def name(self) -> x509.Name:
        return self.certificate.subject


def value_of(certificate: x509.Certificate) -> Certificate:
    return parse_certificates(pem_of(certificate))[0]


def pem_of(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(Encoding.PEM).decode()


def root_ca(cn: str = "Test Root", *, key: Key | None = None) -> Ca:
    key = key or ec_key()
    name = x500(O="Test CA", CN=cn)
    return Ca(_sign(_ca_builder(name, key), issuer=name, issuer_key=key), key)


def sub_ca(
    issuer: Ca,
    cn: str = "Test Issuing CA",
    *,
    key: Key | None = None,
    name: x509.Name | None = None,
    not_after: datetime = CA_END,
    usages: Iterable[x509.ObjectIdentifier] | None = (ExtendedKeyUsageOID.SERVER_AUTH,),
) -> Ca:
    """Return a CA below `issuer`; with `key` and `name` of a root, that root cross-signed."""
    key = key or ec_key()
    builder = _ca_builder(name or x500(O="Test CA", CN=cn), key, not_after=not_after).add_extension(
        x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.key.public_key()), critical=False
    )
    if usages is not None:
        builder = builder.add_extension(x509.ExtendedKeyUsage(usages), critical=False)
    return Ca(_sign(builder, issuer=issuer.name, issuer_key=issuer.key), key)


def leaf(
    issuer: Ca,
    *sans: str,
    cn: str | None = None,
    key: Key | None = None,
    subject: x509.Name | None = None,
    not_before: datetime = START,
    not_after: datetime | None = None,
    days: int = 199,
    usages: Iterable[x509.ObjectIdentifier] | None = (ExtendedKeyUsageOID.SERVER_AUTH,),
    policies: Iterable[str] = (OV_POLICY,),
    ocsp: bool = True,
    crl: bool = True,
    must_staple: bool = False,
    ca: bool = False,
    other_names: Iterable[x509.GeneralName] = (),
    serial: int | None = None,
    authority_key: Key | None = None,
) -> Certificate:
    """Return a leaf that starts at `not_before` and ends `days` later, less a second."""
    key = key or ec_key()
    names = sans or ("www.example.com",)
    signer = (authority_key or issuer.key).public_key()  # as the leaf has it
    builder = (
        _builder(subject or x500(C="GB", O="Example Ltd", CN=cn or names[0]), key, serial=serial)
        .not_valid_before(not_before)
        .not_valid_after(not_after or not_before + timedelta(days=days) - timedelta(seconds=1))
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer), critical=False)
        .add_extension(x509.SubjectAlternativeName([*map(x509.DNSName, names), *other_names]), critical=False)
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
    )
    for extension in _leaf_extensions(usages, policies, ocsp=ocsp, crl=crl, must_staple=must_staple):
        builder = builder.add_extension(extension, critical=False)
    return value_of(_sign(builder, issuer=issuer.name, issuer_key=issuer.key))


def _leaf_extensions(
    usages: Iterable[x509.ObjectIdentifier] | None,
    policies: Iterable[str],
    *,
    ocsp: bool,
    crl: bool,
    must_staple: bool,
) -> Iterable[x509.ExtensionType]:
    if usages is not None:
        yield x509.ExtendedKeyUsage(usages)
    if identifiers := [x509.PolicyInformation(x509.ObjectIdentifier(one), None) for one in policies]:
        yield x509.CertificatePolicies(identifiers)
    if ocsp:
        url = x509.UniformResourceIdentifier("http://ocsp.example.com")
        yield x509.AuthorityInformationAccess([x509.AccessDescription(AuthorityInformationAccessOID.OCSP, url)])
    if crl:
        url = x509.UniformResourceIdentifier("http://crl.example.com/ca.crl")
        yield x509.CRLDistributionPoints([x509.DistributionPoint([url], None, None, None)])
    if must_staple:
        yield x509.TLSFeature([x509.TLSFeatureType.status_request])


def csr_pem(*sans: str, cn: str = "www.example.com", key: Key | None = None, **subject: str) -> str:
    """Return a CSR with `cn`, further subject fields by their letters, and a SAN extension if there are `sans`."""
    builder = x509.CertificateSigningRequestBuilder().subject_name(x500(**subject, CN=cn))
    if sans:
        names = x509.SubjectAlternativeName([x509.DNSName(name) for name in sans])
        builder = builder.add_extension(names, critical=False)
    return builder.sign(key or ec_key(), hashes.SHA256()).public_bytes(Encoding.PEM).decode()


def csr(*sans: str, cn: str = "www.example.com", key: Key | None = None, **subject: str) -> CsrInfo:
    return parse_csr(csr_pem(*sans, cn=cn, key=key, **subject))


def desired(
    common_name: str = "www.example.com",
    *sans: str,
    issuer: IssuerClass = IssuerClass.PUBLIC,
    profile: str = "OV Multi-Domain",
    accept_warnings: tuple[AcceptedWarning, ...] = (),
    **fields: Any,
) -> DesiredCertificate:
    """Return a desired certificate for `common_name` and `sans`."""
    return DesiredCertificate(
        name=CertificateName(common_name),
        location=Location(f"certificates/{common_name}.yaml"),
        common_name=DnsName(common_name),
        sans=frozenset({DnsName(common_name), *map(DnsName, sans)}),
        key_types=frozenset({KeyType.ECDSA}),
        order=DesiredOrder(
            instance=InstanceName("enterprise"),
            organization="Example Ltd",
            profile=profile,
            issuer=issuer,
            term_days=None,
        ),
        enrollment=DesiredEnrollment(
            account=AccountName("main"), contract=ContractId("C-1"), secure_network="enhanced-tls", sni_only=True
        ),
        accept_warnings=accept_warnings,
        **fields,
    )


def _builder(name: x509.Name, key: Key, *, serial: int | None = None) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .public_key(key.public_key())
        .serial_number(serial or x509.random_serial_number())
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _ca_builder(name: x509.Name, key: Key, *, not_after: datetime = CA_END) -> x509.CertificateBuilder:
    signing = x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=True,
        crl_sign=True,
        encipher_only=False,
        decipher_only=False,
    )
    return (
        _builder(name, key)
        .not_valid_before(CA_START)
        .not_valid_after(not_after)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(signing, critical=True)
    )


def _sign(builder: x509.CertificateBuilder, *, issuer: x509.Name, issuer_key: Key) -> x509.Certificate:
    return builder.issuer_name(issuer).sign(issuer_key, hashes.SHA256())
