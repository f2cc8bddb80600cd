"""Orders that a plan leads to, what has to be read before they are placed, and what was."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from reconciler.errors import Severity
from reconciler.model.certificate import DesiredCertificate, InstanceName, IssuerClass
from reconciler.model.domain import Domain, OrganizationDetails, OrganizationValidation, ValidationLevel
from reconciler.model.names import DnsName
from reconciler.model.order import Organization, OrganizationId
from reconciler.model.reading import Reading
from reconciler.planning.findings import Finding
from reconciler.planning.ordering import OrderTerms
from reconciler.planning.profiles import Kind, kind_of

_LEVELS = {Kind.OV: ValidationLevel.OV, Kind.EV: ValidationLevel.EV}


@dataclass(frozen=True, slots=True, kw_only=True)
class Prospect:
    """An order that a plan leads to."""

    desired: DesiredCertificate
    organization: Organization  # that orders: a department, maybe
    entity: Organization  # whose identity is validated: a department's parent, else the same
    kind: Kind | None  # None: the profile's name does not tell
    issue_at: datetime  # when it is expected
    due_at: datetime | None = None  # when an order is due by age; None, or earlier than the issue: the issue counts

    @property
    def public(self) -> bool:
        return self.desired.order.issuer is IssuerClass.PUBLIC

    @property
    def level(self) -> ValidationLevel | None:
        """The level at which the entity must be validated, as far as the profile tells."""
        return _LEVELS.get(self.kind) if self.kind is not None else None

    @property
    def subject(self) -> Mapping[str, str]:
        """The fields of the subject that the file names, by their letters."""
        subject = self.desired.enrollment.subject
        if subject is None:
            return {}
        named = {"O": subject.organization, "L": subject.locality, "ST": subject.state, "C": subject.country}
        return {letter: value for letter, value in named.items() if value is not None}

    @property
    def planned_on(self) -> date:
        return max(self.issue_at, self.due_at or self.issue_at).date()


@dataclass(frozen=True, slots=True, kw_only=True)
class Needs:
    """What has to be read of one instance for the checks of its prospects."""

    names: frozenset[DnsName] = frozenset()
    validations: frozenset[OrganizationId] = frozenset()
    details: frozenset[OrganizationId] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class ScmFacts:
    """What one instance said. What is missing in the maps was not asked."""

    domains: Reading[tuple[Domain, ...]]
    validations: Mapping[OrganizationId, Reading[tuple[OrganizationValidation, ...]]] = field(default_factory=dict)
    details: Mapping[OrganizationId, Reading[OrganizationDetails | None]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Caused:
    """A finding, and its cause in words that are equal for all certificates that depend on it; none: it is theirs."""

    finding: Finding
    cause: str = ""

    @property
    def blocks(self) -> bool:
        return self.finding.severity is Severity.ERROR


def prospect(
    desired: DesiredCertificate,
    terms: OrderTerms,
    organizations: Iterable[Organization],
    *,
    issue_at: datetime,
    due_at: datetime | None = None,
) -> Prospect:
    """Return the prospect of a certificate whose plan has an order. `organizations`: all of its instance."""
    known = {one.id: one for one in organizations}
    ordering = known[terms.organization_id]
    parents = (one for one in known.values() if one.parent is None and one.name == ordering.parent)
    return Prospect(
        desired=desired,
        organization=ordering,
        entity=next(parents, ordering),
        kind=kind_of(terms.profile.name, desired.order.issuer),
        issue_at=issue_at,
        due_at=due_at,
    )


def needs(prospects: Iterable[Prospect]) -> Mapping[InstanceName, Needs]:
    """Return what to read, by instance; nothing for private issuers, and no identity for DV."""
    public: defaultdict[InstanceName, list[Prospect]] = defaultdict(list)
    for one in prospects:
        if one.public:
            public[one.desired.order.instance].append(one)
    return {
        instance: Needs(
            names=frozenset[DnsName]().union(*(one.desired.sans for one in group)),
            validations=frozenset(one.entity.id for one in group if one.level is not None),
            details=frozenset(one.entity.id for one in group if one.kind is not Kind.DV and one.subject),
        )
        for instance, group in public.items()
    }
