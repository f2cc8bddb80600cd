"""The certificate authority behind the sandbox's SCM."""

from dataclasses import dataclass
from datetime import datetime

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding

from reconciler.sandbox import hierarchy, loopback
from reconciler.sandbox.hierarchy import CaState, KeyType, Kind
from reconciler.sandbox.ids import Ids
from reconciler.sandbox.keys import KeyMaker, PrivateKey, load_private_key
from reconciler.sandbox.leaf import IssueRequest, SubjectFields, key_type_of, leaf_builder
from reconciler.sandbox.loopback import Credential
from reconciler.sandbox.sct import sct_extension
from reconciler.sandbox.trust import TrustStore

__all__ = [
    "Authority",
    "CaState",
    "Chain",
    "Credential",
    "IssueRequest",
    "IssuedCertificate",
    "KeyType",
    "Kind",
    "SubjectFields",
    "TrustStore",
    "key_type_of",
]


_KEY_TYPES: tuple[KeyType, ...] = ("RSA", "EC")
_KINDS: tuple[Kind, ...] = ("DV", "OV", "EV", "PRIVATE")
_ISSUING_NAMES = frozenset(hierarchy.issuing_name(kind, key_type) for kind in _KINDS for key_type in _KEY_TYPES)


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """What lies above a leaf, PEM: `cross` is the root once more, as an older root signed it; `root` is self-signed."""

    issuing: str
    cross: str | None
    root: str

    @property
    def issuer_first(self) -> tuple[str, ...]:
        return (self.issuing, self.root) if self.cross is None else (self.issuing, self.cross, self.root)

    @property
    def intermediates(self) -> tuple[str, ...]:
        return self.issuer_first[:-1]


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuedCertificate:
    leaf_pem: str
    serial: int
    not_before: datetime
    not_after: datetime
    kind: Kind
    key_type: KeyType
    chain: Chain  # with the cross-certificate, if there is one


class Authority:
    """Issues leaves of each kind from RSA and ECC CAs. All it remembers is in its `state`."""

    def __init__(self, state: CaState, *, ids: Ids, keys: KeyMaker) -> None:
        self.state = state
        self._ids = ids
        self._keys = keys

    @classmethod
    def create(cls, *, ids: Ids, keys: KeyMaker) -> "Authority":
        """Return an authority with new CAs; about two seconds."""
        state = hierarchy.create_state(ids=ids, keys=keys)
        state.cas[loopback.CA_NAME] = loopback.create_loopback_ca(ids=ids, keys=keys)
        return cls(state, ids=ids, keys=keys)

    def issue(self, request: IssueRequest) -> IssuedCertificate:
        """Sign what is asked. It starts at 00:00 UTC of the day of `request.now`, as Sectigo's certificates do."""
        csr = x509.load_pem_x509_csr(request.csr_pem.encode())
        key_type = key_type_of(csr.public_key())
        issuer, issuer_key = self._issuer(request.kind, key_type)
        builder = leaf_builder(request, csr, issuer, serial=self._ids.bits("serial", 128))
        leaf = builder.sign(issuer_key, hashes.SHA256())
        if request.kind != "PRIVATE":
            scts = sct_extension(leaf.tbs_certificate_bytes, issuer.public_key(), self.state.log_key_pems, request.now)
            leaf = builder.add_extension(scts, critical=False).sign(issuer_key, hashes.SHA256())
        return IssuedCertificate(
            leaf_pem=hierarchy.certificate_pem(leaf),
            serial=leaf.serial_number,
            not_before=leaf.not_valid_before_utc,
            not_after=leaf.not_valid_after_utc,
            kind=request.kind,
            key_type=key_type,
            chain=self.chain(request.kind, key_type, cross=True),
        )

    def chain(self, kind: Kind, key_type: KeyType, *, cross: bool) -> Chain:
        """Return what lies above a leaf. Private CAs have no cross-certificate."""
        crossed = cross and kind != "PRIVATE"
        root = hierarchy.old_root_name(key_type) if crossed else hierarchy.root_name(kind, key_type)
        return Chain(
            issuing=self._pem(hierarchy.issuing_name(kind, key_type)),
            cross=self.state.cross_pems[key_type] if crossed else None,
            root=self._pem(root),
        )

    def intermediates(self) -> tuple[str, ...]:
        """Return all issuing CAs and cross-certificates."""
        issuing = [record.certificate_pem for name, record in self.state.cas.items() if name in _ISSUING_NAMES]
        return (*issuing, *self.state.cross_pems.values())

    def public_roots_pem(self) -> str:
        """Return the roots that a browser would know: the current and the old ones."""
        names = (
            name(key_type) for name in (hierarchy.public_root_name, hierarchy.old_root_name) for key_type in _KEY_TYPES
        )
        return "".join(self._pem(name) for name in names)

    def private_root_pem(self) -> str:
        return self._pem(hierarchy.PRIVATE_ROOT)

    def private_root_fingerprint(self) -> str:
        """Return the SHA-256 of the private root's DER, upper-case hexadecimal without colons."""
        return _certificate(self.private_root_pem()).fingerprint(hashes.SHA256()).hex().upper()

    def loopback_ca_pem(self) -> str:
        return self._pem(loopback.CA_NAME)

    def issue_loopback_server(self, *, real_now: datetime) -> Credential:
        """Return a certificate for the sandbox's own listeners, valid for 396 days from `real_now`."""
        return loopback.issue_server(self.state.cas[loopback.CA_NAME], ids=self._ids, keys=self._keys, now=real_now)

    def issue_loopback_client(self, common_name: str, *, real_now: datetime) -> Credential:
        """Return a client certificate that the sandbox's own listeners accept, valid for 396 days from `real_now`."""
        ca = self.state.cas[loopback.CA_NAME]
        return loopback.issue_client(ca, common_name, ids=self._ids, keys=self._keys, now=real_now)

    def trust_store(self) -> TrustStore:
        """Return the store of somebody who knows the public roots only."""
        roots = x509.load_pem_x509_certificates(self.public_roots_pem().encode())
        return TrustStore(standard_roots=frozenset(root.public_bytes(Encoding.DER) for root in roots))

    def _issuer(self, kind: Kind, key_type: KeyType) -> tuple[x509.Certificate, PrivateKey]:
        record = self.state.cas[hierarchy.issuing_name(kind, key_type)]
        return _certificate(record.certificate_pem), load_private_key(record.key_pem)

    def _pem(self, name: str) -> str:
        return self.state.cas[name].certificate_pem


def _certificate(pem: str) -> x509.Certificate:
    return x509.load_pem_x509_certificate(pem.encode())
