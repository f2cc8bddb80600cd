"""The checks of an uploaded certificate against the CSR and the enrollment that it was made for."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import TypeVar

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

from reconciler.sandbox.cps.body import EnrollmentBody
from reconciler.sandbox.cps.chains import (
    check_chain,
    colons,
    common_name,
    load_certificate,
    load_chain,
    validity_problem,
)
from reconciler.sandbox.cps.csr import load_csr
from reconciler.sandbox.cps.findings import Findings
from reconciler.sandbox.cps.options import CpsOptions
from reconciler.sandbox.cps.state import Algorithm, KeyPair, Upload
from reconciler.sandbox.trust import TrustStore

Loaded = TypeVar("Loaded")

_MAX_DAYS = 397
_SUBJECT_FIELDS = {
    "C": NameOID.COUNTRY_NAME,
    "ST": NameOID.STATE_OR_PROVINCE_NAME,
    "L": NameOID.LOCALITY_NAME,
    "O": NameOID.ORGANIZATION_NAME,
    "OU": NameOID.ORGANIZATIONAL_UNIT_NAME,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """One upload with all that it is checked against."""

    upload: Upload
    key: KeyPair
    wanted: EnrollmentBody
    live_names: frozenset[str]  # of the certificate in production, lower case
    at: datetime


def check_form(upload: Upload, findings: Findings) -> None:
    """Add what can be said without knowing what was asked: whether the texts are PEM and can be parsed."""
    certificate = upload.certificate_pem
    if not certificate.strip():
        findings.add("CERTIFICATE_DATA_BLANK_OR_MISSING")
    elif "-----BEGIN CERTIFICATE-----" not in certificate:
        findings.add("CERTIFICATE_NOT_PEM_FORMAT")
    else:
        error = _error_of(load_certificate, certificate)
        if error is not None:
            findings.add("CERTIFICATE_PARSING_ERROR", certificateText=certificate.strip(), exceptionMessage=error)
    chain = upload.trust_chain_pem
    if chain.strip() and "-----BEGIN CERTIFICATE-----" not in chain:
        findings.add("TRUST_CHAIN_NOT_PEM_FORMAT")
    elif chain.strip() and _error_of(load_chain, chain) is not None:
        findings.add("TRUST_CHAIN_PARSING_ERROR")


def algorithm_of(certificate: x509.Certificate) -> Algorithm | None:
    match certificate.public_key():
        case rsa.RSAPublicKey():
            return "RSA"
        case ec.EllipticCurvePublicKey():
            return "ECDSA"
        case _:
            return None


def check_upload(checked: Checked, *, trust: TrustStore, options: CpsOptions, findings: Findings) -> None:
    """Add what CPS has to say about an upload that can be parsed."""
    leaf = load_certificate(checked.upload.certificate_pem)
    _check_key(leaf, checked, options, findings)
    _check_validity(leaf, checked, options, findings)
    _check_names(leaf, checked, findings)
    _check_common_name(leaf, checked, findings)
    _check_subject(leaf, checked, findings)
    _check_signature(leaf, checked, findings)
    chain = load_chain(checked.upload.trust_chain_pem) if checked.upload.trust_chain_pem.strip() else ()
    check_chain(leaf, chain, trust=trust, at=checked.at, options=options, findings=findings)
    for name in sorted(checked.live_names - {name.lower() for name in san_names(leaf)}):
        findings.add("CERTIFICATE_VS_NETWORK_SAN_REMOVED_FROM_CERT_LIVE_ON_NETWORK", sanValue=name)


@lru_cache(maxsize=8192)
def san_names(certificate: x509.Certificate) -> tuple[str, ...]:
    """Return a certificate's DNS names in their order."""
    try:
        extension = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound:
        return ()
    return tuple(extension.value.get_values_for_type(x509.DNSName))


def _error_of(load: Callable[[str], Loaded], pem: str) -> str | None:
    try:
        load(pem)
    except ValueError as error:
        return str(error)
    return None


def _check_key(leaf: x509.Certificate, checked: Checked, options: CpsOptions, findings: Findings) -> None:
    if leaf.public_key() != load_csr(checked.key.csr_pem).public_key():
        findings.add("CSR_VS_CERTIFICATE_KEY_MISMATCH", keyAlgorithm=checked.upload.algorithm)
    age = checked.at - checked.key.made_at
    if options.csr_max_age_days and age > timedelta(days=options.csr_max_age_days):
        findings.add("CSR_EXPIRED", keyAlgorithm=checked.upload.algorithm)


def _check_validity(leaf: x509.Certificate, checked: Checked, options: CpsOptions, findings: Findings) -> None:
    algorithm = checked.upload.algorithm
    left = leaf.not_valid_after_utc - checked.at
    if leaf.not_valid_before_utc > checked.at:
        findings.add(
            "CERTIFICATE_NOT_YET_VALID",
            issuer=leaf.issuer.rfc4514_string(),
            serialNumber=colons(leaf.serial_number),
            exceptionMessage=validity_problem(leaf, checked.at),
        )
    elif left < timedelta(0):
        findings.add("CERTIFICATE_EXPIRED")
    elif left < timedelta(days=options.near_future_days):
        findings.add("CERTIFICATE_EXPIRATION_DATE_IN_NEAR_FUTURE", keyAlgorithm=algorithm)
    elif left < timedelta(days=options.short_lifetime_days):
        findings.add("CERTIFICATE_EXPIRATION_TOO_SHORT", keyAlgorithm=algorithm, certificateExpirationDays=left.days)
    # Both ends belong to the validity period (RFC 5280, 4.1.2.5).
    lifetime = leaf.not_valid_after_utc - leaf.not_valid_before_utc + timedelta(seconds=1)
    if lifetime > timedelta(days=_MAX_DAYS):
        years, days = divmod(left.days, 365)
        findings.add(
            "CERTIFICATE_EXPIRATION_DATE_BEYOND_MAX_DAYS",
            keyAlgorithm=algorithm,
            certificateExpirationYears=years,
            certificateExpirationMonths=days // 30,
        )


def _check_names(leaf: x509.Certificate, checked: Checked, findings: Findings) -> None:
    wanted = {name.lower(): name for name in checked.wanted.csr.names}
    found = {name.lower(): name for name in san_names(leaf)}
    for name in sorted(wanted.keys() - found.keys()):
        findings.add("CSR_VS_CERTIFICATE_MISSING_SAN_FROM_SAN_LIST_IN_CERTIFICATE", sanValue=wanted[name])
    for name in sorted(found.keys() - wanted.keys()):
        findings.add("CSR_VS_CERTIFICATE_ADDITIONAL_SAN_IN_SAN_LIST_IN_CERTIFICATE", sanValue=found[name])
    for name in sorted(wanted.keys() & found.keys()):
        if wanted[name] != found[name]:
            findings.add(
                "CSR_VS_CERTIFICATE_SAN_CASE_MISMATCH",
                certificateValue=found[name],
                csrValue=wanted[name],
                keyAlgorithm=checked.upload.algorithm,
            )
    cn = common_name(leaf).lower()
    if cn and cn not in found:
        findings.add("CERTIFICATE_MISSING_CN_FROM_SAN_LIST", keyAlgorithm=checked.upload.algorithm)


def _check_common_name(leaf: x509.Certificate, checked: Checked, findings: Findings) -> None:
    wanted, found = checked.wanted.csr.cn, common_name(leaf)
    if wanted == found:
        return
    if not found:
        code = "CSR_VS_CERTIFICATE_CN_MISSING"
    elif wanted.lower() == found.lower():
        code = "CSR_VS_CERTIFICATE_CN_CASE_MISMATCH"
    else:
        code = "CSR_VS_CERTIFICATE_CN_MISMATCH"
    findings.add(code, keyAlgorithm=checked.upload.algorithm, certificateValue=found, csrValue=wanted)


def _check_subject(leaf: x509.Certificate, checked: Checked, findings: Findings) -> None:
    requested = load_csr(checked.key.csr_pem).subject
    for field, oid in _SUBJECT_FIELDS.items():
        wanted, found = _value(requested, oid), _value(leaf.subject, oid)
        values = {"csrSubjectValue": wanted, "certificateSubjectValue": found}
        if wanted == found:
            continue
        if not found:
            findings.add(f"CSR_VS_CERTIFICATE_{field}_FIELD_MISSING_IN_CERTIFICATE", **values)
        elif not wanted:
            findings.add(f"CSR_VS_CERTIFICATE_{field}_FIELD_ADDITIONAL_IN_CERTIFICATE", **values)
        elif wanted.lower() == found.lower():
            code = "CSR_VS_CERTIFICATE_SUBJECT_FIELD_CASE_MISMATCH"
            findings.add(code, subjectfield=field, keyAlgorithm=checked.upload.algorithm, **values)
        else:
            findings.add(f"CSR_VS_CERTIFICATE_{field}_FIELD_MISMATCH", **values)


def _value(name: x509.Name, oid: x509.ObjectIdentifier) -> str:
    return ", ".join(str(attribute.value) for attribute in name.get_attributes_for_oid(oid))


def _check_signature(leaf: x509.Certificate, checked: Checked, findings: Findings) -> None:
    if leaf.issuer == leaf.subject:
        findings.add("CERTIFICATE_SELF_SIGNED")
    wanted = checked.wanted.signature_algorithm
    found = signature_algorithm(leaf)
    if wanted is not None and wanted != found:
        findings.add(
            "CERTIFICATE_SIGNATURE_MISMATCH",
            requestedSignatureAlgorithm=wanted,
            cpsActualSignatureAlgorithm=found,
            actualSignatureAlgorithm=_JAVA_NAMES.get((found, algorithm_of(leaf)), found),
        )


_JAVA_NAMES: dict[tuple[str | None, Algorithm | None], str] = {
    (hash_name, algorithm): f"{hash_name.replace('-', '')}with{algorithm}"
    for hash_name in ("SHA-1", "SHA-256", "SHA-384", "SHA-512")
    for algorithm in ("RSA", "ECDSA")
}


def signature_algorithm(certificate: x509.Certificate) -> str | None:
    """Return CPS's name of the hash under a certificate's signature, such as SHA-256."""
    used = certificate.signature_hash_algorithm
    return None if used is None else used.name.upper().replace("SHA", "SHA-").replace("SHA--", "SHA-")
