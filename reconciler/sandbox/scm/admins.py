"""An admin's own password: how long it lives, and changing it."""

import hmac
from datetime import timedelta

from starlette.responses import Response

from reconciler.sandbox.scm.answers import json_answer, no_content
from reconciler.sandbox.scm.dates import iso_day
from reconciler.sandbox.scm.errors import RefusedError
from reconciler.sandbox.scm.fields import Members
from reconciler.sandbox.scm.world import Visit, World

_SHORTEST, _LONGEST = 8, 32
_LIFETIME = timedelta(days=90)


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
