"""EdgeGrid signatures (EG1-HMAC-SHA256), as the gateway checks them."""

import base64
import hashlib
import hmac
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from reconciler.sandbox.cps.options import CpsOptions
from reconciler.sandbox.cps.problems import GatewayRefused
from reconciler.sandbox.cps.state import ApiClient
from reconciler.sandbox.gate import Call

SCHEME = "EG1-HMAC-SHA256"
MAX_BODY = 131_072  # what of a POST body is hashed
_HEADER = re.compile(rf"(?P<unsigned>{SCHEME} +(?P<fields>.*;))signature=(?P<signature>[^;]+);?", re.IGNORECASE)
_TIMESTAMP_FORM = "%Y%m%dT%H:%M:%S%z"


@dataclass(frozen=True, slots=True, kw_only=True)
class Authorization:
    """The parsed header. `unsigned` is its text up to the signature, byte for byte."""

    unsigned: str
    client_token: str
    access_token: str
    timestamp: str
    nonce: str
    signature: str


class EdgeGridVerifier:
    """Says who signed a call. Follows real time, and remembers nonces for as long as a timestamp can be replayed."""

    def __init__(self, clients: Iterable[ApiClient], options: CpsOptions, *, real_now: Callable[[], datetime]) -> None:
        self._clients = clients
        self._options = options
        self._real_now = real_now
        self._nonces: dict[tuple[str, str], float] = {}

    def verify(self, call: Call) -> ApiClient:
        """Return the client that signed the call.

        Raises:
            GatewayRefused: as the gateway answers: 400 or 403 for form and time, 401 for who and what.
        """
        authorization = _parse(call.header("authorization"))
        self._check_time(authorization.timestamp)
        client = self._client(authorization)
        expected = signature(call, authorization, client.client_secret)
        if not hmac.compare_digest(expected.encode(), authorization.signature.encode()):
            raise _deny("The signature does not match")
        if call.method == "PUT" and len(call.body) > MAX_BODY and self._options.large_put == "401":
            raise _deny("The signature does not match")
        self._check_nonce(authorization)
        return client

    def _check_time(self, timestamp: str) -> None:
        try:
            signed_at = datetime.strptime(timestamp, _TIMESTAMP_FORM).astimezone(UTC)
        except ValueError:
            raise _bad_request("Invalid timestamp") from None
        if abs((self._real_now() - signed_at).total_seconds()) > self._options.clock_window_s:
            raise _bad_request("Invalid timestamp", int(self._options.clock_window_status))

    def _client(self, authorization: Authorization) -> ApiClient:
        for client in self._clients:
            tokens = (client.client_token, client.access_token)
            if client.enabled and tokens == (authorization.client_token, authorization.access_token):
                return client
        raise _deny("Inactive client token")

    def _check_nonce(self, authorization: Authorization) -> None:
        now = self._real_now().timestamp()
        for known, forgotten_at in list(self._nonces.items()):
            if forgotten_at < now:
                del self._nonces[known]
        key = (authorization.client_token, authorization.nonce)
        if key in self._nonces and self._options.nonce_replay != "accepted":
            if self._options.nonce_replay == "401":
                raise _deny("Duplicate nonce")
            raise _bad_request("Duplicate nonce")
        self._nonces[key] = now + 2 * self._options.clock_window_s + 1


def client_token_of(call: Call) -> str:
    """Return the client token of a call that was verified."""
    return _parse(call.header("authorization")).client_token


def signature(call: Call, authorization: Authorization, client_secret: str) -> str:
    """Return the signature that the header of this call must have."""
    data = "\t".join(
        (
            call.method.upper(),
            "https",
            call.header("host") or "",
            call.target,
            "",  # canonical headers: CPS signs none
            content_hash(call.method, call.body),
            authorization.unsigned,
        )
    )
    # The secret and the signing key are used as text: what looks like base64 is not decoded.
    signing_key = _hmac(client_secret, authorization.timestamp)
    return _hmac(signing_key, data)


def content_hash(method: str, body: bytes) -> str:
    """Return the hash of a POST's body; of all else the empty text, also of a PUT with a body."""
    if method.upper() != "POST" or not body:
        return ""
    return base64.b64encode(hashlib.sha256(body[:MAX_BODY]).digest()).decode()


def _hmac(key: str, text: str) -> str:
    return base64.b64encode(hmac.digest(key.encode(), text.encode(), "sha256")).decode()


def _parse(header: str | None) -> Authorization:
    if header is None:
        raise _bad_request("Authorization header missing")
    match = _HEADER.fullmatch(header.strip())
    fields = dict(item.partition("=")[::2] for item in match["fields"].split(";") if item) if match else {}
    try:
        assert match is not None
        return Authorization(
            unsigned=match["unsigned"],
            client_token=fields["client_token"],
            access_token=fields["access_token"],
            timestamp=fields["timestamp"],
            nonce=fields["nonce"],
            signature=match["signature"],
        )
    except (AssertionError, KeyError):
        raise _bad_request("Invalid authorization header") from None


def _bad_request(detail: str, status: int = 400) -> GatewayRefused:
    return GatewayRefused(status, "pep-authn/request-error", "Bad request", detail)


def _deny(detail: str) -> GatewayRefused:
    return GatewayRefused(401, "pep-authn/deny", "Not authorized", detail)
