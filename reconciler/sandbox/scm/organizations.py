"""Organizations, departments and the validations of their identity."""

from starlette.responses import Response

from reconciler.sandbox.scm.answers import json_answer
from reconciler.sandbox.scm.dates import iso_instant
from reconciler.sandbox.scm.errors import RefusedError
from reconciler.sandbox.scm.state import Organization, Validation
from reconciler.sandbox.scm.world import Visit, World, sees

ROLES = ("MRAO", "RAO_SSL", "DRAO_SSL", "RAO_SMIME", "DRAO_SMIME", "RAO_CS", "DRAO_CS", "RAO_DEVICE", "DRAO_DEVICE")
REPORT_TYPES = ("SSL", "Client", "Device", "CodeSign")


def list_organizations(world: World, visit: Visit) -> Response:
    return json_answer(_tree(world, visit))


def list_managed_organizations(world: World, visit: Visit) -> Response:
    """Answer the organizations that an admin of a role may manage; departments alone for the department roles."""
    role = str(visit.call.path["role"]).upper()
    if role not in ROLES:
        raise RefusedError(-1601, "role")
    if role not in ("MRAO", "RAO_SSL", "DRAO_SSL"):
        return json_answer([])
    return json_answer(_tree(world, visit))


def list_report_organizations(world: World, visit: Visit) -> Response:
    if visit.call.path["kind"] not in REPORT_TYPES:
        raise RefusedError(-1601, "reportType")
    return json_answer(_tree(world, visit) if visit.call.path["kind"] == "SSL" else [])


def get_organization(world: World, visit: Visit) -> Response:
    organization = _named(world, visit)
    return json_answer(
        {
            "id": organization.id,
            "name": organization.name,
            "parentName": _parent_name(world, organization),
            "address1": organization.address or None,
            "city": organization.city or None,
            "stateOrProvince": organization.state_or_province or None,
            "postalCode": organization.postal_code or None,
            "country": organization.country or None,
            "certTypes": ["SSL"],
            "sslCertsApiEnabled": organization.api_enabled,
            "clientCertsApiEnabled": False,
            "departments": _departments(world, organization) if organization.parent is None else None,
        }
    )


def list_organization_validations(world: World, visit: Visit) -> Response:
    organization = world.identity(_named(world, visit).id)
    member = world.options.validation_level_member
    return json_answer([_validation_row(world, validation, member) for validation in organization.validations])


def validation_now(world: World, org_id: int, level: str) -> str:
    """Return the status of an organization's validation as it stands at this moment."""
    validations = [v for v in world.identity(org_id).validations if v.level == level]
    return _status(world, validations[0]) if validations else "NOT_VALIDATED"


def _status(world: World, validation: Validation) -> str:
    expired = validation.expires is not None and validation.expires <= world.now
    return "EXPIRED" if validation.status == "VALIDATED" and expired else validation.status


def _named(world: World, visit: Visit) -> Organization:
    org_id = int(visit.call.path["org_id"])
    organization = world.state.organizations.get(org_id)
    if organization is None or not sees(visit.admin, org_id):
        raise RefusedError(-1023, org_id, status=404)
    return organization


def _tree(world: World, visit: Visit) -> list[dict[str, object]]:
    return [
        {"id": organization.id, "name": organization.name, "departments": _departments(world, organization)}
        for organization in world.state.organizations.values()
        if organization.parent is None and sees(visit.admin, organization.id)
    ]


def _departments(world: World, organization: Organization) -> list[dict[str, object]]:
    return [
        {"id": department.id, "parentName": organization.name, "name": department.name}
        for department in world.state.organizations.values()
        if department.parent == organization.id
    ]


def _parent_name(world: World, organization: Organization) -> str | None:
    return None if organization.parent is None else world.state.organizations[organization.parent].name


def _validation_row(world: World, validation: Validation, member: str) -> dict[str, object]:
    level = validation.level
    return {
        "id": validation.id,
        member: level if member == "validationLevel" else level.removesuffix("_SSL"),
        "status": _status(world, validation),
        "backgroundStatus": validation.background_status,
        "submitted": iso_instant(validation.submitted),
        "expires": iso_instant(validation.expires),
        "alternative": False,
        "backendId": 1000 + validation.id,
        "backendType": "SASP",
    }
