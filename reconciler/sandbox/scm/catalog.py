"""What can be ordered: profiles and custom fields."""

from starlette.responses import Response

from reconciler.sandbox.scm.answers import json_answer
from reconciler.sandbox.scm.fields import query_integer
from reconciler.sandbox.scm.state import Profile
from reconciler.sandbox.scm.terms import terms_of
from reconciler.sandbox.scm.world import Visit, World, sees

_CERT_TYPES = ("SSL", "SMIME", "CodeSign", "Device")


def list_profiles(world: World, visit: Visit) -> Response:
    org_id = query_integer(visit.call.query, "organizationId", lowest=1)
    if org_id is not None:
        world.organization(org_id, visit.admin)
    profiles = [profile for profile in world.state.profiles.values() if _offered(profile, visit, org_id)]
    return json_answer([profile_row(world, profile) for profile in profiles])


def _offered(profile: Profile, visit: Visit, org_id: int | None) -> bool:
    if not profile.organizations:
        return True
    if org_id is not None:
        return org_id in profile.organizations
    return any(sees(visit.admin, organization) for organization in profile.organizations)


def profile_row(world: World, profile: Profile) -> dict[str, object]:
    """Return a profile as the catalogue and an order's details show it."""
    return {
        "id": profile.id,
        "name": profile.name,
        "description": profile.description,
        "terms": terms_of(profile, world.options, world.now),
        "keyTypes": profile.key_types,
        "useSecondaryOrgName": False,
    }


def list_custom_fields(world: World, _visit: Visit) -> Response:
    rows = [{"id": field.id, "name": field.name, "mandatory": field.mandatory} for field in world.state.custom_fields]
    return json_answer(rows)


def list_typed_custom_fields(world: World, visit: Visit) -> Response:
    """Answer `customField/v2`: the same fields with their inputs."""
    if visit.call.query.get("certType", "SSL") not in _CERT_TYPES:
        return json_answer([])
    rows = [
        {
            "id": field.id,
            "name": field.name,
            "certType": "SSL",
            "state": field.state,
            "input": {"type": "TEXT_SINGLE_LINE"},
            "mandatories": ["REST_API"] if field.mandatory else [],
        }
        for field in world.state.custom_fields
    ]
    return json_answer(rows if visit.call.query.get("certType", "SSL") == "SSL" else [])
