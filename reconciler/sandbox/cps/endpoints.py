"""What an operation is: media types agreed on, a function from what is asked to what is answered."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

import msgspec

from reconciler.sandbox.cps.media import MediaType
from reconciler.sandbox.cps.problems import invalid_request
from reconciler.sandbox.cps.state import ApiClient
from reconciler.sandbox.gate import Call, Operation

Body = TypeVar("Body")

SERVICE = "cps"
ENROLLMENTS = "/cps/v2/enrollments"
ENROLLMENT = f"{ENROLLMENTS}/{{enrollment:int}}"
CHANGE = f"{ENROLLMENT}/changes/{{change:int}}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A call whose media types are agreed on."""

    call: Call
    client: ApiClient
    accept: MediaType
    content: MediaType | None

    def decode(self, kind: type[Body]) -> Body:
        """Return the body.

        Raises:
            Refused: 400: it is not of that form.
        """
        try:
            return msgspec.json.decode(self.call.body, type=kind)
        except msgspec.DecodeError as error:
            raise invalid_request(str(error)) from error

    def flag(self, name: str) -> bool:
        return self.call.query.get(name, "").lower() == "true"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    body: Any
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """One row of the table of operations. `gives` and `takes` name media types, the usual one first."""

    name: str
    method: str
    path: str
    act: Callable[[Asked], Answered]
    gives: tuple[str, ...]
    takes: tuple[str, ...] = ()

    @property
    def operation(self) -> Operation:
        return Operation(
            service=SERVICE, name=self.name, method=self.method, path=self.path, mutates=self.method != "GET"
        )


def get(name: str, path: str, act: Callable[[Asked], Answered], *gives: str) -> Endpoint:
    return Endpoint(name=name, method="GET", path=path, act=act, gives=gives)
