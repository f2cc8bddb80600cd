"""The gate that every call to a service passes: count, fault, guard, handler, fault. The unknown is a loud 501."""

import asyncio
import json
import logging
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from http import HTTPStatus
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from reconciler.sandbox.clock import VirtualClock
from reconciler.sandbox.faults import Fault, FaultKind, Faults

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One operation of a service, as its documents list it."""

    service: str  # "cps", "scm", "oauth"
    name: str  # "list_enrollments"
    method: str
    path: str  # Starlette's pattern: "/cps/v2/enrollments/{enrollment:int}"
    mutates: bool  # a property of the operation: a POST may read

    @property
    def key(self) -> str:
        return f"{self.service}.{self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request, read completely. Handlers are plain functions of it, so each call acts as a whole or not at all."""

    method: str
    target: str  # path and query exactly as on the request line
    path: Mapping[str, Any]  # the path's parameters
    query: Mapping[str, str]
    headers: Mapping[str, str]  # names in lower case
    body: bytes
    peer_certificate_der: bytes | None  # the TLS client certificate, if one was presented

    def header(self, name: str) -> str | None:
        return self.headers.get(name.lower())


Handler = Callable[[Call], Response]
Guard = Callable[[Operation, Call], Response | None]


@dataclass(kw_only=True)
class Gate:
    """What all services of one sandbox share."""

    clock: VirtualClock
    faults: Faults
    calls: Counter[str] = field(default_factory=Counter)  # by Operation.key
    mutating_calls: Counter[str] = field(default_factory=Counter)
    operations: dict[str, Operation] = field(default_factory=dict)  # all that the services know, by key
    after_mutation: Callable[[], None] = lambda: None

    def application(
        self, service: str, operations: Iterable[tuple[Operation, Handler]], guard: Guard, not_known: Handler
    ) -> Starlette:
        """Return the service's ASGI application. `guard` authenticates and limits; it returns the refusal, or None."""
        routes: list[Route] = []
        for operation, handler in operations:
            self.operations[operation.key] = operation
            routes.append(_route(self, operation, guard, handler))
        unknown = Operation(service=service, name="unknown", method="*", path="/{rest:path}", mutates=False)

        async def refuse(request: Request) -> Response:
            call = await _read(request)
            self.calls[unknown.key] += 1
            log.error("%s: %s %s is not part of the sandbox: 501", service, call.method, call.target)
            return not_known(call)

        routes.append(Route("/{rest:path}", _every_method(refuse)))
        return Starlette(routes=routes)

    def knows(self, pattern: str) -> bool:
        """Tell whether a glob over operations, as a fault has it, fits any."""
        return any(fnmatchcase(key, pattern) for key in self.operations)

    async def pass_through(self, request: Request, operation: Operation, guard: Guard, handler: Handler) -> Response:
        call = await _read(request)
        self.clock.tick()
        self.calls[operation.key] += 1
        if operation.mutates:
            self.mutating_calls[operation.key] += 1
        fault = self.faults.strike(operation.key)
        if fault is not None:
            log.warning("fault %s strikes %s", fault.kind, operation.key)
            early = await _strike_before(fault)
            if early is not None:
                return early
        answer = guard(operation, call) or handler(call)
        if operation.mutates:
            self.after_mutation()
        self.clock.tick()
        return answer if fault is None else _strike_after(fault, answer)


def _route(gate: Gate, operation: Operation, guard: Guard, handler: Handler) -> Route:
    async def endpoint(request: Request) -> Response:
        return await gate.pass_through(request, operation, guard, handler)

    route = Route(operation.path, endpoint, methods=[operation.method], name=operation.key)
    if operation.method == "GET" and route.methods is not None:
        route.methods.discard("HEAD")  # Starlette adds it; a service answers HEAD only where it says so
    return route


def _every_method(endpoint: Callable[[Request], Any]) -> Any:
    class Everything:
        """An ASGI application, since Starlette limits the methods of function endpoints."""

        async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
            response = await endpoint(Request(scope, receive))
            await response(scope, receive, send)

    return Everything()


async def _read(request: Request) -> Call:
    scope = request.scope
    query = scope["query_string"].decode("latin-1")
    raw_path = scope.get("raw_path", scope["path"].encode()).decode("latin-1")
    state: Mapping[str, Any] = scope.get("state", {})
    return Call(
        method=request.method,
        target=f"{raw_path}?{query}" if query else raw_path,
        path=dict(request.path_params),
        query=dict(request.query_params),
        headers={name.lower(): value for name, value in request.headers.items()},
        body=await request.body(),
        peer_certificate_der=state.get("peer_certificate_der"),
    )


class Dropped(Response):
    """Sends nothing, or the first half of a true answer, and closes the connection."""

    def __init__(self, truth: Response | None) -> None:
        super().__init__()
        self._truth = truth

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - ASGI's signature
        if self._truth is not None:
            await _send_half(self._truth, send)
        transport: asyncio.Transport = scope["state"]["transport"]
        transport.abort()
        await asyncio.sleep(0.01)  # uvicorn learns of the loss before this call returns, and so does not report it


async def _send_half(answer: Response, send: Send) -> None:
    body = bytes(answer.body)
    await send({"type": "http.response.start", "status": answer.status_code, "headers": answer.raw_headers})
    await send({"type": "http.response.body", "body": body[: len(body) // 2], "more_body": True})
    await asyncio.sleep(0.05)  # the half leaves this process before the connection is cut


async def _strike_before(fault: Fault) -> Response | None:
    match fault.kind:
        case FaultKind.REFUSE:
            return Dropped(None)
        case FaultKind.DELAY:
            await asyncio.sleep(fault.seconds)
        case FaultKind.STATUS:
            return _armed_answer(fault)
        case _:
            pass
    return None


def _strike_after(fault: Fault, answer: Response) -> Response:
    match fault.kind:
        case FaultKind.LOSE_ANSWER:
            return Dropped(None)
        case FaultKind.STATUS_AFTER:
            return _armed_answer(fault)
        case FaultKind.HALF_BODY:
            return Dropped(answer)
        case FaultKind.EMPTY_BODY:
            return _with_body(answer, b"")
        case FaultKind.WRONG_TYPES:
            return _altered(answer, _wrong_types)
        case FaultKind.DROP_ITEM:
            return _altered(answer, _without_last_item)
        case _:
            return answer


def _armed_answer(fault: Fault) -> Response:
    phrase = HTTPStatus(fault.status).phrase
    body = (
        fault.body
        if fault.body is not None
        else json.dumps({"type": "about:blank", "title": phrase, "status": fault.status})
    )
    return Response(body, fault.status, headers=fault.headers, media_type=fault.content_type)


def _with_body(answer: Response, body: bytes) -> Response:
    headers = {name: value for name, value in answer.headers.items() if name.lower() != "content-length"}
    return Response(body, answer.status_code, headers=headers)


def _altered(answer: Response, change: Callable[[Any], Any]) -> Response:
    try:
        document = json.loads(bytes(answer.body))
    except ValueError:
        log.warning("the fault found no JSON to alter: the answer goes out as it is")
        return answer
    return _with_body(answer, json.dumps(change(document)).encode())


def _wrong_types(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _wrong_types(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return {str(place): _wrong_types(inner) for place, inner in enumerate(value)}
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    return value


def _without_last_item(value: Any) -> Any:
    if isinstance(value, list):
        return value[:-1]
    if isinstance(value, dict):
        for name, inner in value.items():
            shorter = _without_last_item(inner)
            if shorter != inner:
                return {**value, name: shorter}
    return value
