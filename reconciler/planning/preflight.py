"""What would keep orders from being issued, or soon will, found before they are placed.

Rules of pki-rules 7: DCV-01, DCV-02, ORG-01, SUBJ-02, NAME-12, DEP-01; and DOM-01 (`domain_checks`). Only public
issuers validate. What could not be read is skipped, and says so.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from reconciler.model.certificate import CertificateName, DesiredCertificate, EnrollmentId, InstanceName
from reconciler.model.domain import PasswordState, PasswordStatus
from reconciler.model.enrollment import Enrollment
from reconciler.model.reading import Reading
from reconciler.planning.domain_checks import domain_findings
from reconciler.planning.findings import Finding, listed, skipped, warning
from reconciler.planning.identity_checks import identity_findings, subject_findings
from reconciler.planning.prospects import Caused, Prospect, ScmFacts

_PASSWORD_AHEAD = timedelta(days=14)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shared:
    """One finding about something that several certificates depend on, and which they are."""

    finding: Finding
    certificates: tuple[CertificateName, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Preflight:
    """What was found for a plan. What several certificates share is told once; errors stand at each one too."""

    by_certificate: Mapping[CertificateName, tuple[Finding, ...]]
    shared: tuple[Shared, ...]


def preflight(prospect: Prospect, facts: ScmFacts) -> tuple[Finding, ...]:
    """Return what stands in the way of one order, or soon will. Errors block it."""
    return tuple(found.finding for found in _checked(prospect, facts))


def preflight_fleet(prospects: Iterable[Prospect], facts: Mapping[InstanceName, ScmFacts]) -> Preflight:
    """Check all orders of a plan. `facts`: of each instance that `needs` names."""
    found = {
        one.desired.name: list(_checked(one, facts[one.desired.order.instance])) for one in prospects if one.public
    }
    users: defaultdict[str, list[CertificateName]] = defaultdict(list)
    for name, findings in sorted(found.items()):
        for cause in dict.fromkeys(one.cause for one in findings if one.cause):
            users[cause].append(name)
    common = {cause: names for cause, names in users.items() if len(names) > 1}
    return Preflight(
        by_certificate={
            name: tuple(one.finding for one in findings if one.cause not in common or one.blocks)
            for name, findings in found.items()
        },
        shared=tuple(
            Shared(
                finding=warning("DEP-01", f"{cause}; {len(names)} certificates depend on it"), certificates=tuple(names)
            )
            for cause, names in sorted(common.items())
        ),
    )


def password_finding(
    instance: InstanceName,
    reading: Reading[PasswordState | None],
    certificates: Iterable[CertificateName],
    *,
    today: date,
) -> Shared | None:
    """Return what is wrong with the password of an instance's login: DEP-01. `certificates`: all that it serves."""
    finding = _password(instance, reading, today)
    return None if finding is None else Shared(finding=finding, certificates=tuple(sorted(certificates)))


def repeated_names(
    desired: DesiredCertificate,
    enrollments: Iterable[Enrollment],
    *,
    own: EnrollmentId | None,
    claimed: frozenset[EnrollmentId],
) -> tuple[Finding, ...]:
    """Return the names that other enrollments hold too: NAME-12. Between two files `validate` has told it already.

    `own` is the certificate's enrollment, `claimed` those of other files.
    """
    return tuple(
        warning(
            "NAME-12",
            f"enrollment {other.id} ({other.common_name}), of no file, holds {listed(shared)} too: the edge serves one "
            "of the two",
        )
        for other in sorted(enrollments, key=lambda one: one.id)
        if other.id != own and other.id not in claimed and (shared := desired.sans & other.sans)
    )


def _password(instance: InstanceName, reading: Reading[PasswordState | None], today: date) -> Finding | None:
    what = f"the password of the login to SCM instance {instance}"
    if not reading.complete:
        return skipped("DEP-01", f"the state of {what} could not be read: {'; '.join(reading.problems)}")
    state = reading.values
    if state is None or state.status is PasswordStatus.NEVER_EXPIRES:
        return None
    if state.status is PasswordStatus.EXPIRED:
        return warning("DEP-01", f"{what} has expired: change it")
    if state.expires_on is None:
        return skipped("DEP-01", f"SCM does not say when {what} expires")
    left = state.expires_on - today
    if left > _PASSWORD_AHEAD:
        return None
    return warning("DEP-01", f"{what} expires on {state.expires_on}, in {left.days} days: change it before")


def _checked(prospect: Prospect, facts: ScmFacts) -> Iterator[Caused]:
    if prospect.public:
        yield from domain_findings(prospect, facts.domains)
        yield from identity_findings(prospect, facts)
        yield from subject_findings(prospect, facts)
