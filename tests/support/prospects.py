"""Orders about to be placed, and what SCM says of their domains and organizations; for tests of the preflight."""

import dataclasses
from datetime import UTC, date, datetime
from typing import Any

from reconciler.model.certificate import Subject
from reconciler.model.domain import (
    DcvMethod,
    DcvStatus,
    Delegation,
    Domain,
    OrganizationDetails,
    OrganizationValidation,
    Privilege,
    ValidationLevel,
    ValidationStatus,
)
from reconciler.model.names import DnsName
from reconciler.model.order import Organization, OrganizationId
from reconciler.model.reading import Reading
from reconciler.planning.profiles import Kind
from reconciler.planning.prospects import Prospect, ScmFacts
from tests.support import certs

ISSUE_AT = datetime(2026, 11, 20, 12, tzinfo=UTC)
COMPANY = Organization(id=OrganizationId(1101), name="Example Ltd")
WEB = Organization(id=OrganizationId(1102), name="Web", parent="Example Ltd")


def prospect(*names: str, kind: Kind | None = Kind.OV, subject: Subject | None = None, **fields: Any) -> Prospect:
    """Return an order for `names` by Example Ltd, expected on 2026-11-20."""
    own = {field: fields.pop(field) for field in ("organization", "entity", "issue_at", "due_at") if field in fields}
    dcv_mode = fields.pop("dcv_mode", None)
    desired = certs.desired(*(names or ("www.example.com",)), **fields)
    desired = dataclasses.replace(
        desired,
        order=dataclasses.replace(desired.order, dcv_mode=dcv_mode),
        enrollment=dataclasses.replace(desired.enrollment, subject=subject),
    )
    given = {"organization": COMPANY, "entity": COMPANY, "issue_at": ISSUE_AT, **own}
    return Prospect(desired=desired, kind=kind, **given)


def delegation(*privileges: Privilege, **fields: Any) -> Delegation:
    made = Delegation(organization_id=COMPANY.id, active=True, ssl=True, privileges=frozenset(privileges or Privilege))
    return dataclasses.replace(made, **fields)


def domain(name: str = "example.com", *delegations: Delegation, **fields: Any) -> Domain:
    """Return a domain in order: validated on 2026-11-06 by CNAME."""
    made = Domain(
        name=DnsName(name),
        active=True,
        delegations=delegations or (delegation(),),
        dcv_status=DcvStatus.VALIDATED,
        dcv_method=DcvMethod.CNAME,
        dcv_done_on=date(2026, 11, 6),
        dcv_until=date(2027, 5, 23),
    )
    return dataclasses.replace(made, **fields)


def validation(**fields: Any) -> OrganizationValidation:
    made = OrganizationValidation(
        level=ValidationLevel.OV, status=ValidationStatus.VALIDATED, expires_at=datetime(2027, 12, 9, tzinfo=UTC)
    )
    return dataclasses.replace(made, **fields)


def details(**fields: Any) -> OrganizationDetails:
    made = OrganizationDetails(
        id=COMPANY.id, name="Example Ltd", city="Manchester", state_or_province="Greater Manchester", country="GB"
    )
    return dataclasses.replace(made, **fields)


def facts(
    *domains: Domain,
    validations: tuple[OrganizationValidation, ...] | None = None,
    identity: OrganizationDetails | None = None,
) -> ScmFacts:
    """Return what SCM says where all is in order, but for what is given."""
    return ScmFacts(
        domains=Reading(values=domains or (domain(),)),
        validations={COMPANY.id: Reading(values=(validation(),) if validations is None else validations)},
        details={COMPANY.id: Reading(values=identity or details())},
    )
