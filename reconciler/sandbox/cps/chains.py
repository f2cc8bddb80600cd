"""What CPS says about an uploaded trust chain, and the chain it will use: sorted, without leaf and strangers."""

from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.x509.oid import NameOID

from reconciler.sandbox.cps.findings import Findings
from reconciler.sandbox.cps.options import CpsOptions
from reconciler.sandbox.trust import TrustStore

Chain = Sequence[x509.Certificate]


def check_chain(
    leaf: x509.Certificate, chain: Chain, *, trust: TrustStore, at: datetime, options: CpsOptions, findings: Findings
) -> None:
    """Add to `findings` what is to be said about `chain`, which was sent with `leaf`."""
    if not chain:
        findings.add("TRUST_CHAIN_NULL_OR_EMPTY")
        if not _ends_at_standard_root(leaf, trust):
            findings.add("TRUST_CHAIN_EMPTY_AND_CERTIFICATE_SIGNED_BY_NON_STANDARD_ROOT")
        return
    if leaf in chain:
        findings.add("END_ENTITY_CERT_IN_TRUST_CHAIN")
    path = _path(leaf, [certificate for certificate in chain if certificate != leaf], findings)
    if not path:
        _add_verify_failed(leaf, chain, findings)
        return
    _check_order(leaf, chain, path, findings)
    _check_validity(leaf, path, at, findings)
    _check_end(leaf, path, trust, options, findings)


def used_chain(leaf_pem: str, chain_pem: str) -> str:
    """Return the chain that is deployed with a leaf: the uploaded one, sorted and cleaned. Empty if there is none."""
    leaf = load_certificate(leaf_pem)
    chain = load_chain(chain_pem) if chain_pem.strip() else ()
    path = _path(leaf, [certificate for certificate in chain if certificate != leaf], None)
    return "".join(certificate.public_bytes(serialization.Encoding.PEM).decode() for certificate in path)


@lru_cache(maxsize=8192)
def load_certificate(pem: str) -> x509.Certificate:
    return x509.load_pem_x509_certificate(pem.encode())


@lru_cache(maxsize=4096)
def load_chain(pem: str) -> tuple[x509.Certificate, ...]:
    return tuple(x509.load_pem_x509_certificates(pem.encode()))


def common_name(certificate: x509.Certificate) -> str:
    values = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(values[0].value) if values else ""


def colons(number: int) -> str:
    """Return a serial number as lower-case hexadecimal bytes with colons between."""
    size = max(1, (number.bit_length() + 7) // 8)
    return number.to_bytes(size, "big").hex(":")


def validity_problem(certificate: x509.Certificate, at: datetime) -> str | None:
    """Return why a certificate is not valid then, in the words of Java's exception, or None."""
    form = "%a %b %d %H:%M:%S UTC %Y"
    if at < certificate.not_valid_before_utc:
        return f"NotBefore: {certificate.not_valid_before_utc.strftime(form)}"
    if at > certificate.not_valid_after_utc:
        return f"NotAfter: {certificate.not_valid_after_utc.strftime(form)}"
    return None


def _path(leaf: x509.Certificate, others: list[x509.Certificate], findings: Findings | None) -> list[x509.Certificate]:
    """Return the issuers of `leaf` found in `others`, its own first, up to a root or to the last one known."""
    path: list[x509.Certificate] = []
    current = leaf
    while current.subject != current.issuer:
        named = [other for other in dict.fromkeys(others) if other.subject == current.issuer and other not in path]
        issuers = [other for other in named if _signed(current, other)]
        if len(issuers) > 1 and findings is not None:
            findings.add("MULTIPLE_TRUST_CHAINS", trustChainData=_chain_data(leaf, others))
        if not issuers:
            if named and path and findings is not None:
                _add_verify_failed(leaf, others, findings)
            break
        current = issuers[0]
        path.append(current)
    return path


def _signed(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def _add_verify_failed(leaf: x509.Certificate, chain: Chain, findings: Findings) -> None:
    names = ", ".join(common_name(certificate) for certificate in chain)
    findings.add("TRUST_CHAIN_VERIFY_FAILED", trustChainCn=names, endEntityCn=common_name(leaf))


def _check_order(leaf: x509.Certificate, chain: Chain, path: Chain, findings: Findings) -> None:
    without_leaf = [certificate for certificate in chain if certificate != leaf]
    if len(without_leaf) > len(path):
        findings.add("EXTRA_CERT_IN_TRUST_CHAIN", trustChainData=_chain_data(leaf, path))
    if [certificate for certificate in dict.fromkeys(without_leaf) if certificate in path] != list(path):
        findings.add("UNSORTED_TRUST_CHAIN", trustChainData=_chain_data(leaf, path))


def _check_validity(leaf: x509.Certificate, path: Chain, at: datetime, findings: Findings) -> None:
    for number, certificate in enumerate(path, 1):
        problem = validity_problem(certificate, at)
        if problem is not None:
            findings.add(
                "TRUST_CHAIN_EXPIRED_OR_NOT_YET_VALID",
                trustChainOrderNumber=number,
                issuer=certificate.issuer.rfc4514_string(),
                serialNumber=colons(certificate.serial_number),
                exceptionMessage=problem,
            )
        if certificate.not_valid_after_utc < leaf.not_valid_after_utc:
            findings.add(
                "TRUST_CHAIN_EXPIRED_BEFORE_EE",
                endEntityCn=common_name(leaf),
                endEntityNotAfter=f"{leaf.not_valid_after_utc:%Y-%m-%dT%H:%M:%SZ}",
                chainEntityCn=common_name(certificate),
                chainEntityNotAfter=f"{certificate.not_valid_after_utc:%Y-%m-%dT%H:%M:%SZ}",
            )


def _check_end(leaf: x509.Certificate, path: Chain, trust: TrustStore, options: CpsOptions, findings: Findings) -> None:
    suffix = "_DETAILED" if options.detailed_chain_warnings else ""
    data = _chain_data(leaf, path)
    if any(trust.is_standard_root(certificate) for certificate in path):
        findings.add(f"TRUST_CHAIN_INCLUDES_STANDARD_ROOT_CERTIFICATE{suffix}", trustChainData=data)
    elif not _ends_at_standard_root(path[-1], trust):
        findings.add(f"TRUST_CHAIN_TERMINATES_WITH_NON_STANDARD_CERTIFICATE{suffix}", trustChainData=data)
    if any(trust.is_cross_signed_root(certificate) for certificate in path):
        findings.add("CROSS_SIGNED_ROOT_IN_TRUST_CHAIN", trustChainData=data)


def _ends_at_standard_root(last: x509.Certificate, trust: TrustStore) -> bool:
    if trust.is_cross_signed_root(last):
        return True  # whoever signed it: its key is a standard root's
    return any(_signed(last, root) for root in _roots(trust.standard_roots))


@lru_cache(maxsize=16)
def _roots(ders: frozenset[bytes]) -> tuple[x509.Certificate, ...]:
    return tuple(x509.load_der_x509_certificate(der) for der in sorted(ders))


def _chain_data(leaf: x509.Certificate, path: Chain) -> str:
    """Return the block that a recorded warning shows: the leaf, and the chain that will be used."""
    lines = ["Trust Chain", f"Certificate: {_described(leaf)}", "The chain that will be used is:"]
    lines += [f"{number}.  {_described(certificate)}" for number, certificate in enumerate(path, 1)]
    return "\n".join(lines)


def _described(certificate: x509.Certificate) -> str:
    issuer = ",".join(part.rfc4514_string() for part in certificate.issuer.rdns)
    return (
        f"Subject: {certificate.subject.rfc4514_string()}\n"
        f"  Issuer: {issuer}\n"
        f"  Serial Number: {colons(certificate.serial_number)}:"
    )
