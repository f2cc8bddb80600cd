"""Who is calling: header logins, client certificates under /private, bearer tokens, and what each admin may do."""

import base64
import binascii
import hmac
import json
from collections import deque
from collections.abc import Mapping
from datetime import timedelta
from urllib.parse import parse_qs

from cryptography import x509
from cryptography.x509.oid import NameOID
from starlette.responses import Response

from reconciler.sandbox.clock import real_now
from reconciler.sandbox.gate import Call, Guard, Operation
from reconciler.sandbox.scm.errors import RefusedError
from reconciler.sandbox.scm.state import Admin, OAuthClient, Token
from reconciler.sandbox.scm.world import Host, World

TOKEN_PATH = "/auth/realms/apiclients/protocol/openid-connect/token"  # noqa: S105 - a path
_PRIVATE = "/private/"
_WINDOW_S = 60.0
# The privilege of each operation that needs one, with the words of its refusal.
_PRIVILEGES: Mapping[str, tuple[str, str]] = {
    **dict.fromkeys(("enroll",), ("sslRequest", "SSL certificate request")),
    **dict.fromkeys(("renew_by_id", "renew", "mark_renewed"), ("sslRenew", "SSL certificate renewal")),
    **dict.fromkeys(("replace",), ("sslReplace", "SSL certificate replacement")),
    **dict.fromkeys(("revoke", "revoke_by_serial", "mark_revoked"), ("sslRevoke", "SSL certificate revocation")),
    **dict.fromkeys(("approve", "decline"), ("sslApprove", "SSL certificate approval")),
    **dict.fromkeys(
        (
            "update_order",
            "delete_order",
            "add_location",
            "update_location",
            "delete_location",
            "import_certificates",
            "recheck_order_dcv",
        ),
        ("sslManage", "SSL certificate management"),
    ),
    **dict.fromkeys(
        (
            "start_dcv",
            "start_email_dcv",
            "submit_dcv",
            "submit_email_dcv",
            "submit_txt_dcv",
            "clear_dcv",
            "delete_dcv",
            "sync_dcv",
        ),
        ("allowDCV", "DCV validation"),
    ),
    **dict.fromkeys(
        (
            "create_domain",
            "delete_domain",
            "activate_domain",
            "suspend_domain",
            "delegate_domain",
            "delegate_domains",
            "remove_delegation",
        ),
        ("allowManageDomains", "domain management"),
    ),
    **dict.fromkeys(
        ("approve_delegation", "reject_delegation"), ("approveDomainDelegation", "domain delegation approval")
    ),
}


class Logins:
    """Knows the admin behind a call, or refuses it."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._calls: deque[float] = deque()

    def guard(self, host: Host) -> Guard:
        """Return what stands before each operation of one host: login, rate, privilege."""

        def refuse(operation: Operation, call: Call) -> Response | None:
            if operation.service == "oauth":
                return None
            try:
                admin = self.admin(call, host)
                _permit(admin, operation)
            except RefusedError as refusal:
                return refusal.answer()
            except BearerRefusedError as refusal:
                return refusal.answer()
            return self._limit()

        return refuse

    def admin(self, call: Call, host: Host) -> Admin:
        """Return who calls.

        Raises:
            RefusedError: 401 -16, wrong or missing header login.
            BearerRefusedError: wrong, expired or missing token, or a token where none is taken.
        """
        bearer = (call.header("authorization") or "").lower().startswith("bearer ")
        if bearer and call.header("login") is not None and self._world.options.both_logins == "headers":
            bearer = False
        by_host = self._world.options.logins == "by_host"
        if bearer or (host == "admin" and by_host):
            if not bearer or (host == "header" and by_host):
                raise BearerRefusedError(call)
            return self._bearer(call)
        return self._header_login(call)

    def _bearer(self, call: Call) -> Admin:
        token = self._world.state.tokens.get((call.header("authorization") or "")[len("Bearer ") :].strip())
        if token is None or token.expires_at <= real_now():
            raise BearerRefusedError(call)
        client = self._world.state.oauth_clients.get(token.client_id)
        if client is None:
            raise BearerRefusedError(call)
        return self._world.state.admins[client.login]

    def _header_login(self, call: Call) -> Admin:
        state = self._world.state
        admin = state.admins.get(call.header("login") or "")
        if admin is None or call.header("customerUri") != state.customer_uri:
            raise RefusedError(-16, status=401)
        limit = self._world.options.lock_out_after
        if (limit and admin.failed_logins >= limit) or not self._proven(admin, call):
            admin.failed_logins += 1
            raise RefusedError(-16, status=401)
        admin.failed_logins = 0
        return admin

    def _proven(self, admin: Admin, call: Call) -> bool:
        if call.target.startswith(_PRIVATE):
            return call.peer_certificate_der is not None and _common_name(call.peer_certificate_der) == admin.login
        if admin.password_expires is not None and admin.password_expires <= self._world.now:
            return False
        return hmac.compare_digest((call.header("password") or "").encode(), admin.password.encode())

    def _limit(self) -> Response | None:
        limit = self._world.options.scm_calls_per_minute
        if not limit:
            return None
        at = self._world.clock.limiter_s()
        while self._calls and self._calls[0] <= at - _WINDOW_S:
            self._calls.popleft()
        if len(self._calls) < limit:
            self._calls.append(at)
            return None
        wait_s = int(self._calls[0] + _WINDOW_S - at) + 1
        return Response("Too Many Requests", 429, headers={"Retry-After": str(wait_s)}, media_type="text/plain")

    def token(self, call: Call) -> Response:
        """Answer the token endpoint in Keycloak's form."""
        form = {name: values[-1] for name, values in parse_qs(call.body.decode("latin-1")).items()}
        if form.get("grant_type") != "client_credentials":
            return _oauth_refusal(400, "unsupported_grant_type", "Unsupported grant_type")
        client = self._client(call, form)
        if client is None:
            return _oauth_refusal(401, "invalid_client", "Invalid client or Invalid client credentials")
        lifetime_s = self._world.options.token_lifetime_s
        access_token = f"eyJ{self._world.ids.text('scm.token', 200)}"
        self._forget_expired()
        self._world.state.tokens[access_token] = Token(
            client_id=client.client_id, expires_at=real_now() + timedelta(seconds=lifetime_s)
        )
        return _oauth_answer(
            200,
            {
                "access_token": access_token,
                "expires_in": int(lifetime_s),
                "refresh_expires_in": 0,
                "token_type": "Bearer",
                "not-before-policy": 0,
                "scope": "profile email",
            },
        )

    def _client(self, call: Call, form: Mapping[str, str]) -> OAuthClient | None:
        client_id, secret = _basic(call) or (form.get("client_id", ""), form.get("client_secret", ""))
        client = self._world.state.oauth_clients.get(client_id)
        if client is None or not hmac.compare_digest(secret.encode(), client.client_secret.encode()):
            return None
        return client

    def _forget_expired(self) -> None:
        tokens = self._world.state.tokens
        for text in [text for text, token in tokens.items() if token.expires_at <= real_now()]:
            del tokens[text]


class BearerRefusedError(Exception):
    """A token problem: 401 without a body, naming the authorization server."""

    def __init__(self, call: Call) -> None:
        super().__init__()
        self._token_url = f"https://{call.header('host')}{TOKEN_PATH}"

    def answer(self) -> Response:
        return Response(status_code=401, headers={"WWW-Authenticate": f'Bearer authorization_uri="{self._token_url}"'})


def _permit(admin: Admin, operation: Operation) -> None:
    needed = _PRIVILEGES.get(operation.name)
    if needed is not None and needed[0] not in admin.privileges:
        raise RefusedError(-3, needed[1])


def _common_name(certificate_der: bytes) -> str | None:
    """Return the name that a client certificate speaks for; the TLS layer has verified it."""
    subject = x509.load_der_x509_certificate(certificate_der).subject
    names = subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(names[0].value) if names else None


def _basic(call: Call) -> tuple[str, str] | None:
    scheme, _, encoded = (call.header("authorization") or "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        client_id, _, secret = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return "", ""
    return client_id, secret


def _oauth_answer(status: int, members: Mapping[str, object]) -> Response:
    return Response(json.dumps(members), status, headers={"Cache-Control": "no-store"}, media_type="application/json")


def _oauth_refusal(status: int, error: str, description: str) -> Response:
    return _oauth_answer(status, {"error": error, "error_description": description})
