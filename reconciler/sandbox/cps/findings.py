"""The texts of CPS's warnings, by code, from the table in Akamai's Terraform provider (MPL-2.0).

The API shows the texts only.
"""

from collections.abc import Iterable

from reconciler.sandbox.cps.options import CpsOptions
from reconciler.sandbox.cps.state import Finding

TEXTS = {
    "CERTIFICATE_DATA_BLANK_OR_MISSING": "Certificate data is blank or missing.",
    "CERTIFICATE_EXPIRATION_DATE_BEYOND_MAX_DAYS": (
        "The '{keyAlgorithm}' certificate is set to expire in [{certificateExpirationYears}] years, "
        "[{certificateExpirationMonths}] months. The certificate has a validity period of greater than 397 days. "
        "This certificate will not be accepted by all major browsers for SSL/TLS connections. Please work with your "
        "Certificate Authority to reissue the certificate with an acceptable lifetime."
    ),
    "CERTIFICATE_EXPIRATION_DATE_IN_NEAR_FUTURE": "The '{keyAlgorithm}' certificate will expire in the near future.",
    "CERTIFICATE_EXPIRATION_TOO_SHORT": (
        "The '{keyAlgorithm}' certificate has a short lifetime and will expire within the next "
        "{certificateExpirationDays} days."
    ),
    "CERTIFICATE_EXPIRED": "This certificate has already expired.",
    "CERTIFICATE_MISSING_CN_FROM_SAN_LIST": (
        "The Common Name (CN) is missing from the SAN list for '{keyAlgorithm}' certificate."
    ),
    "CERTIFICATE_NOT_PEM_FORMAT": (
        "This certificate format is not supported. "
        "The supported format for certificates and trust chains is PEM (base64)."
    ),
    "CERTIFICATE_NOT_YET_VALID": (
        "Certificate not yet valid; issuer [{issuer}] serial number [{serialNumber}]: [{exceptionMessage}]."
    ),
    "CERTIFICATE_PARSING_ERROR": "Error parsing certificate: [{certificateText}]. Cause: [{exceptionMessage}].",
    "CERTIFICATE_SELF_SIGNED": (
        "The Issuer and Subject of the end-entity certificate are identical. This is not allowed."
    ),
    "CERTIFICATE_SIGNATURE_MISMATCH": (
        "Requested certificate signed with {requestedSignatureAlgorithm} signature algorithm, but got "
        "{cpsActualSignatureAlgorithm} ({actualSignatureAlgorithm})."
    ),
    "CERTIFICATE_VS_NETWORK_SAN_REMOVED_FROM_CERT_LIVE_ON_NETWORK": (
        "SAN name [{sanValue}] removed from certificate is still live on the network."
    ),
    "CROSS_SIGNED_ROOT_IN_TRUST_CHAIN": "Crossed signed roots found in the trust chain.\n{trustChainData}",
    "CSR_EXPIRED": (
        "The key for '{keyAlgorithm}' certificate has expired. You need to create and submit a new certificate."
    ),
    "CSR_VS_CERTIFICATE_ADDITIONAL_SAN_IN_SAN_LIST_IN_CERTIFICATE": (
        "SAN name [{sanValue}] was added to the certificate."
    ),
    "CSR_VS_CERTIFICATE_CN_CASE_MISMATCH": (
        "The case of the Common Name (CN) on the '{keyAlgorithm}' certificate [{certificateValue}] does not match the "
        "CN on the CSR [{csrValue}]."
    ),
    "CSR_VS_CERTIFICATE_CN_MISMATCH": (
        "The Common Name (CN) on '{keyAlgorithm}' certificate [{certificateValue}] does not match the CSR [{csrValue}]."
    ),
    "CSR_VS_CERTIFICATE_CN_MISSING": (
        "The Common Names (CN) for '{keyAlgorithm}' certificate and CSR must be non-null and non-empty. "
        "Certificate CN: [{certificateValue}], CSR CN: [{csrValue}]."
    ),
    "CSR_VS_CERTIFICATE_KEY_MISMATCH": (
        "'{keyAlgorithm}' certificate was not generated from the CSR that Akamai generated."
    ),
    "CSR_VS_CERTIFICATE_MISSING_SAN_FROM_SAN_LIST_IN_CERTIFICATE": (
        "SAN name [{sanValue}] is missing from the certificate."
    ),
    "CSR_VS_CERTIFICATE_SAN_CASE_MISMATCH": (
        "{certificateValue} [{csrValue}] differs in case on the '{keyAlgorithm}' certificate."
    ),
    "CSR_VS_CERTIFICATE_SUBJECT_FIELD_CASE_MISMATCH": (
        "Case mismatch for {subjectfield}. Expected(in CSR): {csrSubjectValue}, "
        "found(in '{keyAlgorithm}' certificate): {certificateSubjectValue}"
    ),
    "END_ENTITY_CERT_IN_TRUST_CHAIN": (
        "The end-entity certificate appears in the trust chain. This is not allowed. It is being automatically removed "
        "from the trust chain."
    ),
    "EXTRA_CERT_IN_TRUST_CHAIN": "Extra certificates were found in the chain and are being removed.\n{trustChainData}",
    "MULTIPLE_TRUST_CHAINS": "There are multiple trust chains in\n{trustChainData}",
    "OVERLAPPING_TRAFFIC_CLASS": "The following domain(s) overlap domains on another certificate: {sanString}.",
    "SANS_REMOVED_REQUIRE_ACKNOWLEDGEMENT": (
        "The SANs [{sanString}] are scheduled to be removed with this operation. Removing SANs from this enrollment "
        "may result in a disruption of your service for TLS connections."
    ),
    "SNI_DNS_OVERLAP": "Name [{dnsName}] is overlapping DNS name of one or more enrollments.",
    "TRUST_CHAIN_EMPTY_AND_CERTIFICATE_SIGNED_BY_NON_STANDARD_ROOT": (
        "The trust chain is empty and the end-entity certificate may have been signed by a non-standard root "
        "certificate."
    ),
    "TRUST_CHAIN_EXPIRED_BEFORE_EE": (
        "End entity certificate [{endEntityCn}] with expiration [{endEntityNotAfter}] expires after the trust chain "
        "certificate #[{chainEntityCn}] that expires [{chainEntityNotAfter}]."
    ),
    "TRUST_CHAIN_EXPIRED_OR_NOT_YET_VALID": (
        "Trust chain certificate #[{trustChainOrderNumber}] issuer [{issuer}] serial number [{serialNumber}]: "
        "[{exceptionMessage}]."
    ),
    "TRUST_CHAIN_INCLUDES_STANDARD_ROOT_CERTIFICATE": (
        "The trust chain includes a standard root certificate. This is not a typical practice."
    ),
    "TRUST_CHAIN_INCLUDES_STANDARD_ROOT_CERTIFICATE_DETAILED": (
        "The trust chain includes a standard root certificate. This is not a typical practice.\n{trustChainData}"
    ),
    "TRUST_CHAIN_NOT_PEM_FORMAT": (
        "This trust chain format is not supported. "
        "The supported format for certificates and trust chains is PEM (base64)."
    ),
    "TRUST_CHAIN_NULL_OR_EMPTY": "Trust chain is empty.",
    "TRUST_CHAIN_PARSING_ERROR": "Failed to parse trust chain.",
    "TRUST_CHAIN_TERMINATES_WITH_NON_STANDARD_CERTIFICATE": (
        "The trust chain terminates with a non-standard root certificate."
    ),
    "TRUST_CHAIN_TERMINATES_WITH_NON_STANDARD_CERTIFICATE_DETAILED": (
        "The trust chain terminates with a non-standard root certificate.\n{trustChainData}"
    ),
    "TRUST_CHAIN_VERIFY_FAILED": (
        "The trust chain [{trustChainCn}] and the end entity [{endEntityCn}] failed to verify."
    ),
    "UNSORTED_TRUST_CHAIN": "Unsorted trust chain downloaded, using\n{trustChainData}",
}

for _field in ("C", "ST", "L", "O", "OU"):
    _differs = f"Value for {_field} differs between the CSR and the certificate: "
    TEXTS[f"CSR_VS_CERTIFICATE_{_field}_FIELD_MISMATCH"] = (
        _differs + "[{csrSubjectValue}] vs [{certificateSubjectValue}]."
    )
    TEXTS[f"CSR_VS_CERTIFICATE_{_field}_FIELD_MISSING_IN_CERTIFICATE"] = _differs + "[{csrSubjectValue}] vs missing."
    TEXTS[f"CSR_VS_CERTIFICATE_{_field}_FIELD_ADDITIONAL_IN_CERTIFICATE"] = (
        _differs + "missing vs [{certificateSubjectValue}]."
    )


class Findings:
    """Collects what a check finds, each text once, in the order found."""

    def __init__(self, options: CpsOptions) -> None:
        self._blocking = frozenset(code.strip() for code in options.blocking_checks.split(","))
        self._found: dict[str, Finding] = {}

    def add(self, code: str, **values: object) -> None:
        text = TEXTS[code].format(**values)
        self._found.setdefault(text, Finding(code=code, text=text, blocking=code in self._blocking))

    def all(self) -> list[Finding]:
        return list(self._found.values())


def warnings_text(findings: Iterable[Finding], options: CpsOptions) -> str:
    """Return the one string in which CPS shows warnings: a line each, some of several lines."""
    lines = [finding.text for finding in findings]
    return "\n".join(["[WARNINGS]", *lines] if options.warnings_header else lines)
