"""The TLS of the sandbox's own listeners: a small CA that is valid in real time, whatever the sandbox's clock says."""

import ipaddress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from reconciler.sandbox.hierarchy import CaRecord, certificate_pem, key_usage
from reconciler.sandbox.ids import Ids
from reconciler.sandbox.keys import KeyMaker, PrivateKey, load_private_key

CA_NAME = "loopback"
_CA_DATES = (datetime(2021, 1, 1, tzinfo=UTC), datetime(2120, 1, 1, tzinfo=UTC))
_LEAF_LIFE = timedelta(days=397)  # some platforms refuse server certificates of more than 398 days
_CLOCK_SKEW = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Credential:
    """A certificate with its private key, both PEM."""

    certificate_pem: str
    key_pem: str


def create_loopback_ca(*, ids: Ids, keys: KeyMaker) -> CaRecord:
    key = keys.ec()
    name = _name("Sandbox loopback TLS CA")
    certificate = (
        _start(name, name, key, _CA_DATES, ids)
        .add_extension(key_usage(key_cert_sign=True, crl_sign=True), critical=True)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    return CaRecord(certificate_pem=certificate_pem(certificate), key_pem=keys.private_pem(key))


def issue_server(ca: CaRecord, *, ids: Ids, keys: KeyMaker, now: datetime) -> Credential:
    """Return a server certificate for localhost, 127.0.0.1 and ::1. `now` is real time."""
    names = x509.SubjectAlternativeName(
        [
            x509.DNSName("localhost"),
            x509.IPAddress(ipaddress.ip_address("127.0.0.1")),
            x509.IPAddress(ipaddress.ip_address("::1")),
        ]
    )
    return _issue(ca, "localhost", ExtendedKeyUsageOID.SERVER_AUTH, names, ids=ids, keys=keys, now=now)


def issue_client(ca: CaRecord, common_name: str, *, ids: Ids, keys: KeyMaker, now: datetime) -> Credential:
    """Return a client certificate. `now` is real time."""
    return _issue(ca, common_name, ExtendedKeyUsageOID.CLIENT_AUTH, None, ids=ids, keys=keys, now=now)


def _issue(
    ca: CaRecord,
    common_name: str,
    usage: x509.ObjectIdentifier,
    names: x509.SubjectAlternativeName | None,
    *,
    ids: Ids,
    keys: KeyMaker,
    now: datetime,
) -> Credential:
    key = keys.ec()
    issuer = x509.load_pem_x509_certificate(ca.certificate_pem.encode())
    issuer_key = load_private_key(ca.key_pem)
    builder = (
        _start(_name(common_name), issuer.subject, key, (now - _CLOCK_SKEW, now + _LEAF_LIFE - _CLOCK_SKEW), ids)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False)
        .add_extension(key_usage(digital_signature=True), critical=True)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
    )
    if names is not None:
        builder = builder.add_extension(names, critical=False)
    return Credential(
        certificate_pem=certificate_pem(builder.sign(issuer_key, hashes.SHA256())), key_pem=keys.private_pem(key)
    )


def _start(
    subject: x509.Name, issuer: x509.Name, key: PrivateKey, dates: tuple[datetime, datetime], ids: Ids
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(ids.bits("loopback-serial", 128))
        .not_valid_before(dates[0])
        .not_valid_after(dates[1])
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
