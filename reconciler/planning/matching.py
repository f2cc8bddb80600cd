"""Which enrollment is whose: the desired certificate's own, someone else's of the same name, or none."""

from dataclasses import dataclass

from reconciler.model.certificate import ContractId, DesiredCertificate, EnrollmentId
from reconciler.model.enrollment import Enrollment
from reconciler.planning.indexes import EnrollmentIndex


@dataclass(frozen=True, slots=True, kw_only=True)
class Absent:
    """No enrollment has this identity, and none stands in the way of creating it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    enrollment: Enrollment


@dataclass(frozen=True, slots=True, kw_only=True)
class InTheWay:
    """Creating would be a second enrollment of the name, or it is not clear which of several is meant."""

    why: str
    remedy: str


Match = Absent | Found | InTheWay


def match_enrollment(
    desired: DesiredCertificate, enrollments: EnrollmentIndex, *, claimed: frozenset[EnrollmentId] = frozenset()
) -> Match:
    """Find `desired`'s enrollment among all of its account. `claimed`: ids that belong to other files."""
    if desired.enrollment.enrollment_id is not None:
        return _pinned(desired, enrollments.by_id.get(desired.enrollment.enrollment_id))
    of_name = enrollments.by_name.get(desired.common_name, ())
    same = [one for one in of_name if one.id not in claimed and _same_identity(desired, one)]
    if len(same) > 1:
        return _ambiguous(desired, same)
    if same:
        return _usable(same[0])
    others = [one for one in of_name if one.id not in claimed]
    if others and not desired.enrollment.allow_duplicate_cn:
        return _second_of_name(desired, others)
    return Absent()


def _same_identity(desired: DesiredCertificate, enrollment: Enrollment) -> bool:
    wanted = desired.enrollment
    return (
        enrollment.third_party
        and enrollment.contract == wanted.contract
        and enrollment.secure_network == wanted.secure_network
        and enrollment.sni_only == wanted.sni_only
    )


def _pinned(desired: DesiredCertificate, enrollment: Enrollment | None) -> Match:
    wanted = desired.enrollment.enrollment_id
    if enrollment is None:
        return InTheWay(
            why=f"no enrollment of the account has the id {wanted}",
            remedy="Correct `akamai.enrollmentId`, or remove it to have an enrollment created.",
        )
    if enrollment.common_name != desired.common_name:
        return InTheWay(
            why=f"enrollment {wanted} is of {enrollment.common_name}, not of {desired.common_name}",
            remedy="Correct `akamai.enrollmentId` or `commonName`: CPS never changes a common name.",
        )
    if immutable := _immutable_differences(desired, enrollment):
        return InTheWay(
            why=f"enrollment {wanted} differs in {immutable}, which CPS never changes",
            remedy="Write the enrollment's own values, or plan a new enrollment without `enrollmentId`.",
        )
    return _usable(enrollment)


def _immutable_differences(desired: DesiredCertificate, enrollment: Enrollment) -> str:
    wanted = desired.enrollment
    pairs: tuple[tuple[str, ContractId | str | bool | None, ContractId | str | bool], ...] = (
        ("contract", enrollment.contract, wanted.contract),
        ("secureNetwork", enrollment.secure_network, wanted.secure_network),
        ("sniOnly", enrollment.sni_only, wanted.sni_only),
    )
    return ", ".join(f"{name} ({live} there, {asked} here)" for name, live, asked in pairs if live != asked)


def _usable(enrollment: Enrollment) -> Match:
    if enrollment.third_party:
        return Found(enrollment=enrollment)
    return InTheWay(
        why=f"enrollment {enrollment.id} is not third-party: Akamai's own CA issues for it",
        remedy="Move the name to a third-party enrollment in the portal, or take the file away.",
    )


def _ambiguous(desired: DesiredCertificate, same: list[Enrollment]) -> InTheWay:
    ids = ", ".join(str(one.id) for one in sorted(same, key=lambda one: one.id))
    return InTheWay(
        why=f"{len(same)} enrollments are of {desired.common_name}: {ids}",
        remedy="Name one of them in `akamai.enrollmentId`.",
    )


def _second_of_name(desired: DesiredCertificate, others: list[Enrollment]) -> InTheWay:
    described = "; ".join(
        f"{one.id} ({one.contract or 'contract unknown'}, {one.secure_network},"
        f" {'SNI only' if one.sni_only else 'not SNI only'}{'' if one.third_party else ', not third-party'})"
        for one in sorted(others, key=lambda one: one.id)
    )
    return InTheWay(
        why=f"the account already has {desired.common_name}: enrollment {described}",
        remedy="Write that enrollment's contract, secureNetwork and sniOnly, or set `akamai.allowDuplicateCn: true`.",
    )
