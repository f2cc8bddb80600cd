"""The three ways to log in to SCM. Each gives what a request needs, anew for every attempt."""

import time
from collections.abc import Callable
from urllib.parse import urlencode

import msgspec
import requests

from reconciler.errors import AuthenticationError, ServiceError
from reconciler.model.access import CertificateLogin, OAuthLogin, PasswordLogin
from reconciler.services import refusals
from reconciler.services.caller import Caller
from reconciler.services.decode import decode
from reconciler.services.http import Answer, Request
from reconciler.services.scm.refusals import SERVICE

_REFRESH_AT = 0.8  # of its life; or
_REFRESH_BEFORE_S = 30.0  # whichever is earlier (sectigo-scm 1.3)
_SHORTEST_S = 60.0  # where the service does not say how long a token lives


class HeaderLogin:
    """Three headers on every request; without a password where a TLS client certificate takes its place."""

    def __init__(self, login: PasswordLogin | CertificateLogin) -> None:
        self._login = login

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["login"] = self._login.login
        request.headers["customerUri"] = self._login.customer_uri
        if isinstance(self._login, PasswordLogin):
            request.headers["password"] = self._login.password.reveal()
        return request


class _Token(msgspec.Struct, frozen=True):
    access_token: str
    expires_in: float | None = None


class BearerLogin:
    """A token of the OAuth client credentials grant, kept while it is fresh. Its life is real time."""

    def __init__(
        self, login: OAuthLogin, token_caller: Caller, *, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._login = login
        self._caller = token_caller
        self._monotonic = monotonic
        self._token = ""
        self._fresh_until = 0.0

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        if not self._token or self._monotonic() >= self._fresh_until:
            self._ask()
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request

    def forget(self) -> bool:
        """Drop the token, which the service did not accept. True: the next request has a new one."""
        self._token = ""
        return True

    def _ask(self) -> None:
        asked_at = self._monotonic()
        token = self._caller.call(self._request(), lambda answer: decode(answer.body, _Token))
        life_s = token.expires_in or _SHORTEST_S
        self._token = token.access_token
        self._fresh_until = asked_at + max(min(life_s * _REFRESH_AT, life_s - _REFRESH_BEFORE_S), 0.0)

    def _request(self) -> Request:
        form = {
            "grant_type": "client_credentials",
            "client_id": self._login.client_id,
            "client_secret": self._login.client_secret.reveal(),
        }
        return Request(
            operation="log in",
            method="POST",
            path="",
            headers={"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"},
            body=urlencode(form).encode(),
        )

    def close(self) -> None:
        self._caller.close()


def token_refusal(request: Request, answer: Answer) -> ServiceError:
    """Return the error of the token endpoint, which is no part of SCM and has another form of errors."""
    if answer.status in {400, 401, 403}:
        return AuthenticationError(
            SERVICE,
            request.operation,
            refusals.excerpt(answer),
            remedy="Check client id and secret, and that the API key is active.",
        )
    return refusals.other(SERVICE, request, answer)
