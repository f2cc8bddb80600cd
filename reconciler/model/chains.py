"""Chains: the leaf among what a CA sent, its issuers in order, and whether they lead to a root."""

from collections.abc import Collection, Iterable
from datetime import datetime

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.x509.verification import Criticality, ExtensionPolicy, PolicyBuilder, Store, VerificationError

from reconciler.errors import CertreconError
from reconciler.model.x509 import PARSE_ERRORS, Certificate, load

# The library insists on these two; a private CA need not have anything else.
_PRIVATE_CA = ExtensionPolicy.permit_all().require_present(x509.BasicConstraints, Criticality.AGNOSTIC, None)
_PRIVATE_LEAF = ExtensionPolicy.permit_all().require_present(x509.SubjectAlternativeName, Criticality.AGNOSTIC, None)


class BrokenChainError(CertreconError):
    """No path leads from a leaf to a root, or more than one does."""


def find_leaf(certificates: Iterable[Certificate], spki_sha256: str) -> Certificate | None:
    """Return the certificate, not a CA's, that holds a public key: the answer to the CSR of that key."""
    fitting = (one for one in certificates if one.spki_sha256 == spki_sha256 and not one.is_ca)
    return max(fitting, key=lambda one: (one.not_before, one.serial), default=None)


def issued_by(below: Certificate, above: Certificate) -> bool:
    """Tell whether `above` signed `below`: names byte for byte, key identifiers where both have one, signature."""
    if below.issuer_der != above.subject_der:
        return False
    wanted, held = below.authority_key_id, above.subject_key_id
    if wanted is not None and held is not None and wanted != held:
        return False
    try:
        load(below.der).verify_directly_issued_by(load(above.der))
    except (*PARSE_ERRORS, InvalidSignature):
        return False
    return True


def order_chain(
    leaf: Certificate, extra: Iterable[Certificate], *, roots: Iterable[Certificate] = (), cross: bool = False
) -> tuple[Certificate, ...]:
    """Return the chain of `leaf`: its issuer first, up to but without the root.

    Roots are `roots` and what is self-signed in `extra`. The chain ends below the first root on the way; with `cross`,
    the same root signed by an older one is kept if it is there. Names are compared byte for byte (RFC 5280 7.1 allows
    more); certificates of no use are left out.

    Raises:
        BrokenChainError: two issuers fit, or none does before a root.
    """
    given = {one.der: one for one in extra}.values()
    anchors = {one.der: one for one in (*roots, *(one for one in given if one.self_signed))}.values()
    pool = [one for one in given if one.is_ca and not one.self_signed and one.der != leaf.der]
    chain: list[Certificate] = []
    crossed = False
    below = leaf
    while True:
        anchored = any(issued_by(below, root) for root in anchors)
        if anchored and (crossed or not cross):
            return tuple(chain)
        issuers = [one for one in pool if one not in chain and issued_by(below, one)]
        if anchored and not issuers:
            return tuple(chain)
        below = _only(issuers, below)
        chain.append(below)
        crossed = anchored


def _only(issuers: Collection[Certificate], below: Certificate) -> Certificate:
    if not issuers:
        raise BrokenChainError(f"nothing that was given issued {below.label}; its issuer is {below.issuer}")
    if len(issuers) > 1:
        serials = ", ".join(sorted(f"{one.serial:x}" for one in issuers))
        raise BrokenChainError(f"{len(issuers)} certificates could be the issuer of {below.label}: serials {serials}")
    (issuer,) = issuers
    return issuer


def verify_chain(
    leaf: Certificate, chain: tuple[Certificate, ...], roots: Iterable[Certificate], at: datetime, *, private: bool
) -> str | None:
    """Return why `leaf` with exactly `chain` does not lead to one of `roots` at `at`; None where it does.

    `chain` must be in order, each the issuer of the one before. A public path must keep to the web PKI's profile; of a
    private one only the signatures, dates, names and CA flags count, since no rule binds such a CA to more.
    """
    for below, above in zip((leaf, *chain), chain, strict=False):
        if not issued_by(below, above):
            return f"the chain is not in order: {above.label} did not issue {below.label}"
    top = chain[-1] if chain else leaf
    issuers = [root for root in roots if issued_by(top, root)]
    if not issuers:
        return f"the path ends at {top.label}, whose issuer is no allowed root: {top.issuer}"
    name = min(leaf.sans, default=None)
    if name is None:
        return "the certificate has no DNS name"
    builder = PolicyBuilder().store(Store([load(root.der) for root in issuers])).time(at)
    if private:
        builder = builder.extension_policies(ca_policy=_PRIVATE_CA, ee_policy=_PRIVATE_LEAF)
    try:
        # A wildcard is no subject to look for: any name that it covers is.
        verifier = builder.build_server_verifier(x509.DNSName(name.replace("*", "any", 1)))
        verifier.verify(load(leaf.der), [load(one.der) for one in chain])
    except (*PARSE_ERRORS, VerificationError) as error:
        return str(error)
    return None
