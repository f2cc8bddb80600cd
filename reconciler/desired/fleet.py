"""What is wrong between certificates: one name, one identity or one enrollment twice; one DNS name in two."""

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator
from dataclasses import dataclass

from reconciler.errors import Problem, Severity
from reconciler.model.certificate import CertificateName, DesiredCertificate, State
from reconciler.model.names import DnsName


@dataclass(frozen=True, slots=True)
class Clash:
    """One problem between certificates, and the names of those that cannot be used for it."""

    problem: Problem
    broken: frozenset[CertificateName] = frozenset()


def fleet_problems(certificates: Iterable[DesiredCertificate]) -> Iterator[Clash]:
    """Find what is wrong between certificates, told at the later file and naming the earlier one."""
    fleet = sorted(certificates, key=lambda certificate: certificate.location)
    yield from _shared_names(fleet)
    yield from _shared_enrollments(fleet)
    yield from _shared_identities(fleet)
    yield from _shared_dns_names(fleet)


def _grouped(
    certificates: Iterable[DesiredCertificate], key: Callable[[DesiredCertificate], Hashable]
) -> Iterator[list[DesiredCertificate]]:
    """Yield the groups of more than one that share a key; None is none."""
    groups: defaultdict[Hashable, list[DesiredCertificate]] = defaultdict(list)
    for certificate in certificates:
        if (shared := key(certificate)) is not None:
            groups[shared].append(certificate)
    return (group for group in groups.values() if len(group) > 1)


def _clash(group: list[DesiredCertificate], pointer: str, text: str, remedy: str) -> Clash:
    problem = Problem(location=group[-1].source(pointer), text=text, remedy=remedy, pointer=pointer)
    return Clash(problem, frozenset(certificate.name for certificate in group))


def _shared_names(fleet: list[DesiredCertificate]) -> Iterator[Clash]:
    for first, *others in _grouped(fleet, lambda one: one.name):
        for other in others:
            text = f'"{other.name}" is the name of {first.location.path} too.'
            yield _clash([first, other], "name", text, "Give each file a name of its own.")


def _shared_enrollments(fleet: list[DesiredCertificate]) -> Iterator[Clash]:
    for first, *others in _grouped(fleet, lambda one: one.enrollment.enrollment_id):
        for other in others:
            text = f"Enrollment {other.enrollment.enrollment_id} is claimed by {first.location.path} too."
            yield _clash([first, other], "akamai.enrollmentId", text, "Let one file have it.")


def _shared_identities(fleet: list[DesiredCertificate]) -> Iterator[Clash]:
    for group in _grouped(fleet, lambda one: one.identity):
        unpinned = [one for one in group if one.enrollment.enrollment_id is None]
        meant = len(unpinned) == 1 and unpinned[0].enrollment.allow_duplicate_cn
        if unpinned and not meant:
            first = group[0].location.path
            text = (
                f'"{group[0].common_name}" is asked for by {first} too, with the same account, contract, secureNetwork '
                "and sniOnly."
            )
            yield _clash(group, "commonName", text, "Take one file out, or pin each to its own akamai.enrollmentId.")


def _shared_dns_names(fleet: list[DesiredCertificate]) -> Iterator[Clash]:
    """Find DNS names in more than one certificate: NAME-12, a warning, since a move looks like that for a while."""
    first_of: dict[DnsName, DesiredCertificate] = {}
    for certificate in fleet:
        if certificate.state is State.ABSENT:
            continue
        shared = sorted(name for name in certificate.sans if name in first_of)
        if shared and not any(first_of[name].identity == certificate.identity for name in shared):
            paths = sorted({first_of[name].location.path for name in shared})
            yield _overlap(certificate, shared, paths)
        first_of.update({name: certificate for name in certificate.sans if name not in first_of})


def _overlap(certificate: DesiredCertificate, shared: list[DnsName], paths: list[str]) -> Clash:
    named = ", ".join(f'"{name}"' for name in shared[:5]) + (f" and {len(shared) - 5} more" if len(shared) > 5 else "")
    problem = Problem(
        location=certificate.source("dnsNames"),
        text=f"{named}: also in {', '.join(paths)}; the edge serves one of the two.",
        remedy="Keep each name in one certificate.",
        rule="NAME-12",
        severity=Severity.WARNING,
        pointer="dnsNames",
    )
    return Clash(problem)
