"""The sandbox's control API, as far as certrecon itself uses it: its clock."""

from datetime import datetime
from pathlib import Path

import msgspec

from reconciler.errors import ServiceError, ServiceUnavailableError
from reconciler.services import refusals
from reconciler.services.decode import BodyError, decode, encode, instant
from reconciler.services.http import Answer, Request, Transport

SERVICE = "sandbox"
_REMEDY = "Start it: certrecon sandbox serve --dir DIR; or leave it: unset CERTRECON_SANDBOX."


class _Now(msgspec.Struct, frozen=True):
    now: str


class SandboxControl:
    """Asks the sandbox for its time, and moves it. Moving to an instant twice is moving once."""

    def __init__(self, control_url: str, ca_file: Path | None) -> None:
        self.url = control_url
        self._transport = Transport(SERVICE, control_url, ca_file=ca_file)

    def now(self) -> datetime:
        return self._instant(Request(operation="read the clock", method="GET", path="/clock"))

    def advance_to(self, moment: datetime) -> datetime:
        """Move the clock, unless it is past `moment`; return what it says then."""
        return self._instant(
            Request(
                operation="advance the clock",
                method="POST",
                path="/advance",
                headers={"Content-Type": "application/json"},
                body=encode({"to": moment.isoformat()}),
            )
        )

    def _instant(self, request: Request) -> datetime:
        try:
            answer = self._transport.send(request)
        except ServiceUnavailableError as error:
            raise ServiceUnavailableError(SERVICE, request.operation, error.detail, remedy=_REMEDY) from error
        if answer.status != 200:
            raise refusals.other(SERVICE, request, answer)
        try:
            return instant(decode(answer.body, _Now).now)
        except BodyError as error:
            raise _no_sandbox(request, answer, error) from error

    def close(self) -> None:
        self._transport.close()


def _no_sandbox(request: Request, answer: Answer, error: BodyError) -> ServiceError:
    return refusals.not_understood(SERVICE, request, f"HTTP {answer.status}: {error}")
