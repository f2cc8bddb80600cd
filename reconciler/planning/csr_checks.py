"""The checks of CSRs, before anything is ordered for them: CSR-01, CSR-02, CPS-02."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from reconciler.model.certificate import DesiredCertificate, KeyType, Subject
from reconciler.model.x509 import CsrInfo
from reconciler.planning.findings import Finding, error, listed, skipped

TOO_OLD = "CPS-02"

_DAY = timedelta(days=1)


def check_csr(
    csr: CsrInfo,
    desired: DesiredCertificate,
    key_type: KeyType,
    *,
    subject: Subject | None,
    exclude_sans: bool,
    previous_keys: frozenset[str] | None,
) -> tuple[Finding, ...]:
    """Return what is wrong with a CSR: CSR-01 and CSR-02.

    `subject` and `exclude_sans` are the enrollment's; `previous_keys` the `spki_sha256` of what it ever served. None is
    unknown.
    """
    findings = [*_csr_key_findings(csr, key_type), *_csr_name_findings(csr, desired, exclude_sans=exclude_sans)]
    findings.extend(_csr_subject_findings(csr, subject))
    if previous_keys is None:
        findings.append(skipped("CSR-02", "the keys of earlier certificates are not known"))
    elif csr.spki_sha256 in previous_keys:
        findings.append(error("CSR-02", "the CSR has the key of an earlier certificate: a renewal must make a new one"))
    return tuple(findings)


def check_csr_age(opened_at: datetime | None, *, max_age: timedelta, now: datetime) -> tuple[Finding, ...]:
    """Return whether the CSR of a change opened at this instant is too old to be ordered for: CPS-02."""
    if opened_at is None:
        return (skipped(TOO_OLD, "CPS does not say when the change was opened"),)
    age = now - opened_at
    if age <= max_age:
        return ()
    return (error(TOO_OLD, f"the CSR is {age / _DAY:.0f} days old; at most {max_age / _DAY:.0f} are allowed"),)


def _csr_key_findings(csr: CsrInfo, key_type: KeyType) -> Iterator[Finding]:
    if not csr.signature_valid:
        yield error("CSR-01", "the CSR's signature is not by its own key")
    if csr.key.spelt != key_type.spelt:
        yield error("CSR-01", f"the CSR has a {csr.key.spelt} key; {key_type.spelt} was asked for")


def _csr_name_findings(csr: CsrInfo, desired: DesiredCertificate, *, exclude_sans: bool) -> Iterator[Finding]:
    if csr.common_name != desired.common_name:
        yield error("CSR-01", f"the CSR is for {csr.common_name or 'no common name'}, not for {desired.common_name}")
    # CPS leaves the SANs out where the common name is the only one.
    names = csr.sans | {desired.common_name}
    if (missing := desired.sans - names) and not exclude_sans:
        yield error("CSR-01", f"names are missing in the CSR: {listed(missing)}")
    if extra := names - desired.sans:
        yield error("CSR-01", f"the CSR has names that the file has not: {listed(extra)}")
    if csr.other_names:
        yield error("CSR-01", f"the CSR has names that are no DNS names: {listed(csr.other_names)}")


def _csr_subject_findings(csr: CsrInfo, subject: Subject | None) -> Iterator[Finding]:
    if subject is None:
        yield skipped("CSR-01", "the enrollment's subject is not known")
        return
    for letters, found, wanted in (
        ("C", csr.subject.country, subject.country),
        ("ST", csr.subject.state, subject.state),
        ("L", csr.subject.locality, subject.locality),
        ("O", csr.subject.organization, subject.organization),
        ("OU", csr.subject.organizational_unit, subject.organizational_unit),
    ):
        if (found or None) != (wanted or None):
            yield error(
                "CSR-01", f"{letters} of the CSR is {found or 'missing'}; the enrollment has {wanted or 'none'}"
            )
