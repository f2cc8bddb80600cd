"""pkilint in process: the oracle for every certificate that the sandbox makes."""

from functools import cache

from pkilint import finding_filter, loader
from pkilint.cabf import serverauth
from pkilint.cabf.serverauth import serverauth_constants
from pkilint.pkix import certificate, extension, name
from pkilint.validation import ValidationFindingSeverity, ValidationResult, ValidatorContainer

_LOADER = loader.RFC5280CertificateDocumentLoader()
_WILDCARD = 'pkix.invalid_domain_name_syntax: Invalid domain name syntax: "*.'


def lint_errors(certificate_pem: str, *, private: bool = False) -> list[str]:
    """Return the errors of a certificate, as `code: message`; empty is well.

    A public one is linted by the baseline requirements for its kind, which its policies tell; a private one by RFC
    5280, which leaves wildcards to applications (4.2.1.6); its linter calls them bad host names.
    """
    document = _LOADER.load_pem_document(certificate_pem, "certificate")
    if private:
        errors = _errors(_validator(None).validate(document.root))
        return [error for error in errors if not error.startswith(_WILDCARD)]
    kind = serverauth.determine_certificate_type(document)
    results = _validator(kind).validate(document.root)
    filters = serverauth.create_serverauth_finding_filters(kind)
    kept, _superseded = finding_filter.filter_results(filters, results)
    return _errors(kept)


@cache
def _validator(
    kind: serverauth_constants.CertificateType | None,
) -> ValidatorContainer:
    if kind is not None:
        return certificate.create_pkix_certificate_validator_container(
            serverauth.create_decoding_validators(), serverauth.create_validators(kind)
        )
    return certificate.create_pkix_certificate_validator_container(
        certificate.create_decoding_validators(name.ATTRIBUTE_TYPE_MAPPINGS, extension.EXTENSION_MAPPINGS),
        [
            certificate.create_issuer_validator_container([]),
            certificate.create_validity_validator_container(),
            certificate.create_subject_validator_container([]),
            certificate.create_extensions_validator_container([]),
            certificate.create_spki_validator_container([]),
        ],
    )


def _errors(results: list[ValidationResult]) -> list[str]:
    findings = (found for result in results for found in result.finding_descriptions)
    return [
        f"{found.finding.code}: {found.message}"
        for found in findings
        if found.finding.severity <= ValidationFindingSeverity.ERROR  # the gravest is 0
    ]
