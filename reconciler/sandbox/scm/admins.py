"""Admins: who they are and what they may do; the password of one's own. As the vendor's OpenAPI document has them."""

import hmac
from datetime import timedelta

from starlette.responses import Response

from reconciler.sandbox.scm.answers import json_answer, no_content
from reconciler.sandbox.scm.dates import iso_day
from reconciler.sandbox.scm.defaults import ALL_PRIVILEGES
from reconciler.sandbox.scm.errors import RefusedError
from reconciler.sandbox.scm.fields import Members
from reconciler.sandbox.scm.state import Admin
from reconciler.sandbox.scm.world import Visit, World

_ROLES = ("MRAO", "RAO_SSL", "DRAO_SSL")
_SHORTEST, _LONGEST = 8, 32
_LIFETIME = timedelta(days=90)


def list_admins(world: World, visit: Visit) -> Response:
    """List the admins; `login` is matched anywhere, as SCM's filters are."""
    wanted = visit.call.query.get("login", "").lower()
    found = [admin for admin in world.state.admins.values() if wanted in admin.login.lower()]
    return json_answer([_identity(admin) for admin in found], headers={"X-Total-Count": str(len(found))})


def get_admin(world: World, visit: Visit) -> Response:
    for admin in world.state.admins.values():
        if admin.id == visit.call.path["admin_id"]:
            credentials = [{"role": role} for role in admin.roles]
            return json_answer({**_identity(admin), "credentials": credentials, "privileges": admin.privileges})
    raise RefusedError(-5101, visit.call.path["admin_id"], status=404)


def list_privileges(_world: World, visit: Visit) -> Response:
    """List the privileges that an admin of this role can have."""
    if visit.call.query.get("role") not in _ROLES:
        raise RefusedError(-1601, "role")
    return json_answer([{"name": name, "description": name} for name in ALL_PRIVILEGES])


def _identity(admin: Admin) -> dict[str, object]:
    forename, _, surname = admin.full_name.partition(" ")
    return {
        "id": admin.id,
        "type": "STANDARD",
        "login": admin.login,
        "email": admin.email,
        "forename": forename,
        "surname": surname,
        "activeState": "ACTIVE",
    }


def get_password_state(world: World, visit: Visit) -> Response:
    expires = visit.admin.password_expires
    if expires is None:
        return json_answer({"state": "NEVER_EXPIRE"})
    return json_answer({"expirationDate": iso_day(expires), "state": "ALIVE" if expires > world.now else "EXPIRED"})


def change_password(world: World, visit: Visit) -> Response:
    """Take a new password; the header has to carry the present one, whatever the login."""
    admin = visit.admin
    if not hmac.compare_digest((visit.call.header("password") or "").encode(), admin.password.encode()):
        raise RefusedError(-213)
    password = Members.parse(visit.call.body).required_text("newPassword", longest=255)
    if not _SHORTEST <= len(password) <= _LONGEST:
        raise RefusedError(-976, _SHORTEST)
    if password == admin.password:
        raise RefusedError(-220)
    if admin.login.lower() in password.lower():
        raise RefusedError(-982)
    admin.password = password
    if admin.password_expires is not None:
        admin.password_expires = world.now + _LIFETIME
    return no_content()
