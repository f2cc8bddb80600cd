"""The certificate authorities of the sandbox: roots, cross-certificates and issuing CAs in the shape of Sectigo's.

Public: `{DV,OV,EV} R36` (RSA) below root R46 and `{DV,OV,EV} E36` (ECC) below root E46; both roots exist also as
cross-certificates of an older pair of roots. Private: one root, an RSA and an ECC issuing CA. The names say that it is
a sandbox; the dates are those of the originals, but for the older roots, which may not live as long today (25 years,
Baseline Requirements 7.1.2.1.1).
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID, NameOID

from reconciler.sandbox.ids import Ids
from reconciler.sandbox.keys import KeyMaker, PrivateKey
from reconciler.sandbox.sct import make_log_key

Kind = Literal["DV", "OV", "EV", "PRIVATE"]
KeyType = Literal["RSA", "EC"]

PRIVATE_ROOT = "private root"
ORGANIZATION = "Sandbox CA Limited"
ANY_POLICY = x509.ObjectIdentifier("2.5.29.32.0")
# CA/Browser Forum, Baseline Requirements 7.1.6.1 and EV Guidelines 7.1.6.1.
RESERVED_POLICIES: dict[Kind, x509.ObjectIdentifier] = {
    "DV": x509.ObjectIdentifier("2.23.140.1.2.1"),
    "OV": x509.ObjectIdentifier("2.23.140.1.2.2"),
    "EV": x509.ObjectIdentifier("2.23.140.1.1"),
}
# The enterprise number for documentation (RFC 5612); 2.999, the arc for examples, is more than pkilint's parser takes.
OWN_POLICIES: dict[Kind, x509.ObjectIdentifier] = {
    "DV": x509.ObjectIdentifier("1.3.6.1.4.1.32473.1.1"),
    "OV": x509.ObjectIdentifier("1.3.6.1.4.1.32473.1.2"),
    "EV": x509.ObjectIdentifier("1.3.6.1.4.1.32473.1.3"),
    "PRIVATE": x509.ObjectIdentifier("1.3.6.1.4.1.32473.1.4"),
}

_PUBLIC_KINDS: tuple[Kind, ...] = ("DV", "OV", "EV")
_LOGS = 3
_OLD_ROOT_DATES = (datetime(2014, 2, 1, tzinfo=UTC), datetime(2038, 1, 18, 23, 59, 59, tzinfo=UTC))
_ROOT_DATES = (datetime(2021, 3, 22, tzinfo=UTC), datetime(2046, 3, 21, 23, 59, 59, tzinfo=UTC))
_CROSS_DATES = (datetime(2021, 3, 22, tzinfo=UTC), datetime(2038, 1, 18, 23, 59, 59, tzinfo=UTC))
_ISSUING_DATES = (datetime(2021, 3, 22, tzinfo=UTC), datetime(2036, 3, 21, 23, 59, 59, tzinfo=UTC))


@dataclass(kw_only=True)
class CaRecord:
    """One CA: its certificate and its key, both PEM."""

    certificate_pem: str
    key_pem: str


@dataclass(kw_only=True)
class CaState:
    """All that the authority must keep: CAs and cross-certificates by name, and the keys of its CT logs."""

    cas: dict[str, CaRecord] = field(default_factory=dict)
    cross_pems: dict[KeyType, str] = field(default_factory=dict)
    log_key_pems: list[str] = field(default_factory=list)


def issuing_name(kind: Kind, key_type: KeyType) -> str:
    return f"{kind} {key_type}"


def root_name(kind: Kind, key_type: KeyType) -> str:
    return PRIVATE_ROOT if kind == "PRIVATE" else public_root_name(key_type)


def public_root_name(key_type: KeyType) -> str:
    return f"root {key_type}"


def old_root_name(key_type: KeyType) -> str:
    return f"old root {key_type}"


def create_state(*, ids: Ids, keys: KeyMaker) -> CaState:
    """Make all CAs and log keys; about two seconds, for the RSA roots have 4096 bits."""
    builder = _Builder(ids, keys)
    for key_type in ("RSA", "EC"):
        builder.public_tree(key_type)
    builder.private_tree()
    builder.state.log_key_pems = [keys.private_pem(make_log_key()) for _ in range(_LOGS)]
    return builder.state


def ca_urls(issuer_cn: str, *, ocsp: bool) -> tuple[x509.AuthorityInformationAccess, x509.CRLDistributionPoints]:
    """Return where an issuer's certificate, OCSP responder and CRL would be: below example.com, so nowhere.

    Not below `.example` or `.test`: linters take these for internal names.
    """
    file_name = issuer_cn.replace(" ", "")
    access = [(AuthorityInformationAccessOID.CA_ISSUERS, f"http://crt.sandbox-ca.example.com/{file_name}.crt")]
    if ocsp:
        access.append((AuthorityInformationAccessOID.OCSP, "http://ocsp.sandbox-ca.example.com"))
    crl = x509.UniformResourceIdentifier(f"http://crl.sandbox-ca.example.com/{file_name}.crl")
    return (
        x509.AuthorityInformationAccess(
            [x509.AccessDescription(method, x509.UniformResourceIdentifier(url)) for method, url in access]
        ),
        x509.CRLDistributionPoints([x509.DistributionPoint([crl], None, None, None)]),
    )


def _policies(*oids: x509.ObjectIdentifier) -> x509.CertificatePolicies:
    return x509.CertificatePolicies([x509.PolicyInformation(oid, None) for oid in oids])


def leaf_policies(kind: Kind) -> x509.CertificatePolicies:
    """Return the policies of a kind: the reserved one first, then the CA's own. Issuing CAs carry the same."""
    if kind == "PRIVATE":
        return _policies(OWN_POLICIES[kind])
    return _policies(RESERVED_POLICIES[kind], OWN_POLICIES[kind])


def key_usage(**used: bool) -> x509.KeyUsage:
    names = ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement")
    signing = ("key_cert_sign", "crl_sign", "encipher_only", "decipher_only")
    return x509.KeyUsage(**{name: used.get(name, False) for name in (*names, *signing)})


def common_name(name: x509.Name) -> str:
    return str(name.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value)


def certificate_pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


@dataclass(frozen=True, slots=True)
class _Ca:
    certificate: x509.Certificate
    key: PrivateKey


class _Builder:
    """Signs one CA after the other into a state."""

    def __init__(self, ids: Ids, keys: KeyMaker) -> None:
        self.state = CaState()
        self._ids = ids
        self._keys = keys

    def public_tree(self, key_type: KeyType) -> None:
        letter, algorithm = ("R", "RSA") if key_type == "RSA" else ("E", "ECC")
        old_cn = f"Sandbox Old {algorithm} Certification Authority"
        old_root = self._root(old_root_name(key_type), old_cn, self._strong_key(key_type), _OLD_ROOT_DATES)
        root_cn = f"Sandbox Public Server Authentication Root {letter}46"
        root = self._root(public_root_name(key_type), root_cn, self._strong_key(key_type), _ROOT_DATES)
        self.state.cross_pems[key_type] = certificate_pem(self._cross(root, old_root))
        for kind in _PUBLIC_KINDS:
            key = self._keys.rsa(3072) if key_type == "RSA" else self._keys.ec("P-256")
            issuing_cn = f"Sandbox Public Server Authentication CA {kind} {letter}36"
            self._issuing(kind, key_type, issuing_cn, key, root)

    def private_tree(self) -> None:
        root = self._root(PRIVATE_ROOT, "Sandbox Private Root", self._keys.rsa(3072), _ROOT_DATES)
        self._issuing("PRIVATE", "RSA", "Sandbox Private TLS CA R1", self._keys.rsa(3072), root)
        self._issuing("PRIVATE", "EC", "Sandbox Private TLS CA E1", self._keys.ec("P-256"), root)

    def _strong_key(self, key_type: KeyType) -> PrivateKey:
        return self._keys.rsa(4096) if key_type == "RSA" else self._keys.ec("P-384")

    def _root(self, name: str, cn: str, key: PrivateKey, dates: tuple[datetime, datetime]) -> _Ca:
        subject = _ca_name(cn)
        certificate = self._start(subject, subject, key, dates, path_length=None).sign(key, hashes.SHA384())
        return self._keep(name, certificate, key)

    def _issuing(self, kind: Kind, key_type: KeyType, cn: str, key: PrivateKey, root: _Ca) -> None:
        builder = self._start(_ca_name(cn), root.certificate.subject, key, _ISSUING_DATES, path_length=0)
        builder = _below(builder, root, leaf_policies(kind), ocsp=kind != "PRIVATE")
        self._keep(issuing_name(kind, key_type), builder.sign(root.key, _hash(root.key)), key)

    def _cross(self, root: _Ca, old_root: _Ca) -> x509.Certificate:
        builder = self._start(
            root.certificate.subject, old_root.certificate.subject, root.key, _CROSS_DATES, path_length=None
        )
        return _below(builder, old_root, _policies(ANY_POLICY), ocsp=True).sign(old_root.key, _hash(old_root.key))

    def _start(
        self,
        subject: x509.Name,
        issuer: x509.Name,
        key: PrivateKey,
        dates: tuple[datetime, datetime],
        *,
        path_length: int | None,
    ) -> x509.CertificateBuilder:
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(issuer)
            .public_key(key.public_key())
            .serial_number(self._ids.bits("ca-serial", 128))
            .not_valid_before(dates[0])
            .not_valid_after(dates[1])
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(key_usage(digital_signature=True, key_cert_sign=True, crl_sign=True), critical=True)
            .add_extension(x509.BasicConstraints(ca=True, path_length=path_length), critical=True)
        )

    def _keep(self, name: str, certificate: x509.Certificate, key: PrivateKey) -> _Ca:
        self.state.cas[name] = CaRecord(
            certificate_pem=certificate_pem(certificate), key_pem=self._keys.private_pem(key)
        )
        return _Ca(certificate, key)


def _below(
    builder: x509.CertificateBuilder, issuer: _Ca, policy: x509.CertificatePolicies, *, ocsp: bool
) -> x509.CertificateBuilder:
    access, crl = ca_urls(common_name(issuer.certificate.subject), ocsp=ocsp)
    return (
        builder.add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.key.public_key()), critical=False
        )
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(policy, critical=False)
        .add_extension(crl, critical=False)
        .add_extension(access, critical=False)
    )


def _hash(key: PrivateKey) -> hashes.SHA256 | hashes.SHA384:
    """Return the hash that goes with a signer: SHA-384 for the roots' 4096 bits and P-384, else SHA-256."""
    strong = key.key_size == (4096 if isinstance(key, rsa.RSAPrivateKey) else 384)
    return hashes.SHA384() if strong else hashes.SHA256()


def _ca_name(cn: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "GB"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, ORGANIZATION),
            x509.NameAttribute(NameOID.COMMON_NAME, cn),
        ]
    )
