"""What the sandbox's CPS trusts."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustStore:
    """The roots that CPS calls standard, DER."""

    standard_roots: frozenset[bytes]

    def is_standard_root(self, certificate: x509.Certificate) -> bool:
        return _der(certificate) in self.standard_roots

    def is_cross_signed_root(self, certificate: x509.Certificate) -> bool:
        """Tell whether this is a standard root's name and key under another signature."""
        return not self.is_standard_root(certificate) and _identity(certificate) in _identities(self.standard_roots)

    def verify(self, leaf: x509.Certificate, chain: Sequence[x509.Certificate], at: datetime) -> str | None:
        """Return why no path leads from `leaf` through any of `chain` to a standard root at that time, or None.

        Names are not checked beyond the leaf's own first one.
        """
        try:
            names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
            name = names.get_values_for_type(x509.DNSName)[0].replace("*", "any")
            verifier = PolicyBuilder().store(_store(self.standard_roots)).time(at)
            verifier.build_server_verifier(x509.DNSName(name)).verify(leaf, list(chain))
        except (VerificationError, x509.ExtensionNotFound, IndexError, ValueError) as error:
            return str(error)
        return None


def _der(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.DER)


def _identity(certificate: x509.Certificate) -> tuple[bytes, bytes]:
    return certificate.subject.public_bytes(), certificate.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )


@lru_cache(maxsize=16)
def _store(roots: frozenset[bytes]) -> Store:
    return Store([x509.load_der_x509_certificate(root) for root in roots])


@lru_cache(maxsize=16)
def _identities(roots: frozenset[bytes]) -> frozenset[tuple[bytes, bytes]]:
    return frozenset(_identity(x509.load_der_x509_certificate(root)) for root in roots)
