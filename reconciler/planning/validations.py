"""Until when validations can be used: the second clock that every public certificate hangs on (pki-rules 2.4)."""

import enum
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from reconciler.model.certificate import CertificateName, InstanceName
from reconciler.model.domain import DcvStatus, Domain, ValidationLevel, ValidationStatus, covering_domain
from reconciler.model.limits import PUBLIC_LIMITS
from reconciler.model.names import DnsName
from reconciler.model.order import OrganizationId
from reconciler.planning.domain_checks import usable_until
from reconciler.planning.prospects import Prospect, ScmFacts

_DAY = timedelta(days=1)


class Subject(enum.StrEnum):
    """What was validated."""

    DOMAIN = "domain"
    ORGANIZATION = "organization"


@dataclass(frozen=True, slots=True, kw_only=True)
class ValidationEnd:
    """One validation, and which certificates depend on it."""

    subject: Subject
    name: str
    level: ValidationLevel | None  # of an organization
    instance: InstanceName
    until: date | None  # the last day on which an order can count on it; None: SCM tells none, or it is not valid
    state: str  # SCM's, in a word
    certificates: tuple[CertificateName, ...]


def last_usable_day(domain: Domain, today: date) -> date | None:
    """Return the last day on which a validation can be counted on; None where SCM tells no date.

    At a cut the reuse limit falls for validations that were done before it too: one may end on the day before.
    """
    until = usable_until(domain, today)
    for limit in PUBLIC_LIMITS:
        if until is None or not today < limit.since <= until:
            continue
        then = usable_until(domain, limit.since)
        if then is None or then < limit.since:
            return limit.since - _DAY
        until = then
    return until


def validation_ends(
    prospects: Iterable[Prospect], facts: Mapping[InstanceName, ScmFacts], today: date
) -> tuple[ValidationEnd, ...]:
    """Return the validations that the public certificates of `prospects` depend on, the first to end first."""
    public = [one for one in prospects if one.public and one.desired.order.instance in facts]
    found = [*_domains(public, facts, today), *_organizations(public, facts)]
    return tuple(sorted(found, key=lambda one: (one.until or date.min, one.subject, one.name)))


def _domains(
    prospects: Iterable[Prospect], facts: Mapping[InstanceName, ScmFacts], today: date
) -> Iterator[ValidationEnd]:
    known = {instance: {one.name: one for one in fact.domains.values} for instance, fact in facts.items()}
    users: defaultdict[tuple[InstanceName, DnsName], set[CertificateName]] = defaultdict(set)
    for one in prospects:
        instance = one.desired.order.instance
        for name in one.desired.sans:
            if (covering := covering_domain(name, known[instance])) is not None:
                users[instance, covering].add(one.desired.name)
    for (instance, name), certificates in users.items():
        domain = known[instance][name]
        valid = domain.dcv_status is DcvStatus.VALIDATED
        yield ValidationEnd(
            subject=Subject.DOMAIN,
            name=name,
            level=None,
            instance=instance,
            until=last_usable_day(domain, today) if valid else None,
            state=domain.dcv_status.value if domain.dcv_status is not None else "not shown",
            certificates=tuple(sorted(certificates)),
        )


def _organizations(prospects: Iterable[Prospect], facts: Mapping[InstanceName, ScmFacts]) -> Iterator[ValidationEnd]:
    users: defaultdict[tuple[InstanceName, OrganizationId, ValidationLevel], set[CertificateName]] = defaultdict(set)
    names: dict[OrganizationId, str] = {}
    for one in prospects:
        if one.level is not None:
            names[one.entity.id] = one.entity.name
            users[one.desired.order.instance, one.entity.id, one.level].add(one.desired.name)
    for (instance, entity, level), certificates in users.items():
        reading = facts[instance].validations.get(entity)
        of_level = [one for one in reading.values if one.level is level] if reading is not None else []
        ends = [
            one.expires_at.date() for one in of_level if one.status is ValidationStatus.VALIDATED and one.expires_at
        ]
        yield ValidationEnd(
            subject=Subject.ORGANIZATION,
            name=names[entity],
            level=level,
            instance=instance,
            until=max(ends, default=None),
            state=", ".join(sorted({one.status.value for one in of_level})) or "not shown",
            certificates=tuple(sorted(certificates)),
        )
