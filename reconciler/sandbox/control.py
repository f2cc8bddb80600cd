"""The control API: what a person or a test does to the sandbox's world. JSON over HTTPS on loopback, no login.

| route | body | answer |
|---|---|---|
| GET /clock | | `{"now": ISO}` |
| POST /advance | `{"to": ISO}` or `{"by": seconds or "36h"}` | `{"now": ISO}`; the past leaves the clock |
| GET, POST, DELETE /faults | POST: the fields of `faults.Fault` | `{"faults": [...]}` |
| GET, DELETE /calls | | `{"calls": {operation: n}, "mutating": {...}, "total": n, "mutating_total": n}` |
| GET, POST /options | `{name: value}`, all or none | `{"options": [{name, value, ...}]}` |
| POST /seed | the fields of `seed.SeedRequest` | `{"seeded": n, "seconds": s, "files": {name: text}}` |
| GET /state | | the enrollments and orders in short |
| GET /cps, GET /scm | | what a person can do in that portal: `{deed: {parameter: type}}` |
| POST /cps/DEED, POST /scm/DEED | the deed's parameters | `{"result": ...}` |

What is wrong with a request is said in `{"error": text}` with 400, 404 or 409.
"""

import dataclasses
import inspect
import logging
import time
import typing
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from reconciler.sandbox import seed, summary
from reconciler.sandbox.app import Sandbox
from reconciler.sandbox.cps.problems import Refused
from reconciler.sandbox.faults import Fault
from reconciler.sandbox.options import OptionError, seconds
from reconciler.sandbox.scm.errors import RefusedError

log = logging.getLogger(__name__)

_LAST_YEAR = 2999


class ControlError(Exception):
    """The request can't be done as it stands."""

    def __init__(self, text: str, status: int = 400) -> None:
        super().__init__(text)
        self.status = status


Handler = Callable[[Mapping[str, Any]], Any]


class Control:
    """The routes over one sandbox. Each is a function of the body; `seed` alone lets other calls in between."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self._portals: dict[str, object] = {"cps": sandbox.cps.portal, "scm": sandbox.scm.portal}

    def application(self) -> Starlette:
        handlers: list[tuple[str, str, Handler]] = [
            ("GET", "/clock", self._clock),
            ("POST", "/advance", self._advance),
            ("GET", "/faults", self._faults),
            ("POST", "/faults", self._arm),
            ("DELETE", "/faults", self._disarm),
            ("GET", "/calls", self._calls),
            ("DELETE", "/calls", self._reset_calls),
            ("GET", "/options", self._options),
            ("POST", "/options", self._set_options),
            ("GET", "/state", self._state),
        ]
        routes = [self._route(method, path, handler) for method, path, handler in handlers]
        for service, portal in self._portals.items():
            routes.append(self._route("GET", f"/{service}", partial(_listed, portal)))
            routes.extend(self._route("POST", f"/{service}/{name}", _deed(portal, name)) for name in _deeds(portal))
        routes.append(Route("/seed", self._answering(self._seed), methods=["POST"]))
        return Starlette(routes=routes, exception_handlers={404: _unknown, 405: _unknown})

    def _route(self, method: str, path: str, handler: Handler) -> Route:
        async def at_once(body: Mapping[str, Any]) -> Any:
            return handler(body)

        return Route(path, self._answering(at_once), methods=[method])

    def _answering(
        self, handler: Callable[[Mapping[str, Any]], Awaitable[Any]]
    ) -> Callable[[Request], Awaitable[Response]]:
        async def endpoint(request: Request) -> Response:
            try:
                body = _body(await request.body())
                self._sandbox.clock.tick()
                answer = _json(await handler(body))
            except ControlError as error:
                return _json({"error": str(error)}, error.status)
            except (OptionError, msgspec.ValidationError) as error:
                return _json({"error": str(error)}, 400)
            if request.method != "GET":
                self._sandbox.touch()
            return answer

        return endpoint

    def _clock(self, _: Mapping[str, Any]) -> Any:
        return {"now": self._sandbox.clock.now()}

    def _advance(self, body: Mapping[str, Any]) -> Any:
        _only(body, {"to", "by"})
        match body:
            case {"to": str(instant)}:
                target = msgspec.convert(instant, datetime)
                if target.tzinfo is None:
                    raise ControlError(f"{instant} names no time zone")
            case {"by": str() | int() | float() as duration}:
                target = self._sandbox.clock.now() + timedelta(seconds=seconds(str(duration)))
            case _:
                raise ControlError('say {"to": ISO} or {"by": seconds or "36h"}')
        if target.year > _LAST_YEAR:
            raise ControlError(f"the clock goes to the end of {_LAST_YEAR}: certificates end some years after it")
        return {"now": self._sandbox.advance_to(target)}

    def _faults(self, _: Mapping[str, Any]) -> Any:
        return {"faults": self._sandbox.faults.armed}

    def _arm(self, body: Mapping[str, Any]) -> Any:
        _only(body, {field.name for field in dataclasses.fields(Fault)} - {"seen"})
        fault = msgspec.convert(body, Fault)
        if not self._sandbox.gate.knows(fault.operation):
            known = ", ".join(sorted(self._sandbox.gate.operations))
            raise ControlError(f"no operation fits {fault.operation!r}; there are: {known}")
        self._sandbox.faults.arm(fault)
        return self._faults(body)

    def _disarm(self, body: Mapping[str, Any]) -> Any:
        self._sandbox.faults.clear()
        return self._faults(body)

    def _calls(self, _: Mapping[str, Any]) -> Any:
        gate = self._sandbox.gate
        return {
            "calls": gate.calls,
            "mutating": gate.mutating_calls,
            "total": gate.calls.total(),
            "mutating_total": gate.mutating_calls.total(),
        }

    def _reset_calls(self, body: Mapping[str, Any]) -> Any:
        self._sandbox.gate.calls.clear()
        self._sandbox.gate.mutating_calls.clear()
        return self._calls(body)

    def _options(self, _: Mapping[str, Any]) -> Any:
        return {"options": list(self._sandbox.options)}

    def _set_options(self, body: Mapping[str, Any]) -> Any:
        self._sandbox.options.set_all(body)
        return self._options(body)

    def _state(self, _: Mapping[str, Any]) -> Any:
        return summary.of(self._sandbox)

    async def _seed(self, body: Mapping[str, Any]) -> Any:
        _only(body, {field.name for field in dataclasses.fields(seed.SeedRequest)})
        began = time.monotonic()
        try:
            request = msgspec.convert(body, seed.SeedRequest)
            plants = await seed.sow(self._sandbox, request)
        except seed.SeedError as error:
            raise ControlError(str(error)) from error
        files = seed.certificate_files(plants) if request.files else {}
        return {"seeded": len(plants), "seconds": time.monotonic() - began, "files": files}


def _listed(portal: object, _: Mapping[str, Any]) -> Any:
    return _deeds(portal)


def _deeds(portal: object) -> dict[str, dict[str, str]]:
    """Return what can be done in a portal: its public methods whose parameters JSON can say."""
    methods = inspect.getmembers(portal, inspect.ismethod)
    return {
        name: {parameter: inspect.formatannotation(hint) for parameter, hint in _parameters(method).items()}
        for name, method in methods
        if not name.startswith("_") and name != "install"  # needs a certificate and its order: `seed` does that
    }


def _parameters(method: Callable[..., Any]) -> dict[str, Any]:
    return {name: hint for name, hint in typing.get_type_hints(method).items() if name != "return"}


def _deed(portal: object, name: str) -> Handler:
    method: Callable[..., Any] = getattr(portal, name)
    hints = _parameters(method)

    def handler(body: Mapping[str, Any]) -> Any:
        _only(body, set(hints))
        arguments = {parameter: msgspec.convert(value, hints[parameter]) for parameter, value in body.items()}
        try:
            inspect.signature(method).bind(**arguments)
        except TypeError as error:
            raise ControlError(f"{name}: {error}") from error
        try:
            return {"result": method(**arguments)}
        except LookupError as error:
            raise ControlError(f"{name}: not found: {error}", 404) from error
        except RefusedError as error:
            raise ControlError(f"{name}: {error.code} {error.description}", 409) from error
        except Refused as error:
            raise ControlError(f"{name}: {error}", 404 if error.status == 404 else 409) from error

    return handler


def _only(body: Mapping[str, Any], known: set[str]) -> None:
    unknown = sorted(set(body) - known)
    if unknown:
        raise ControlError(f"not known: {', '.join(unknown)}; there are: {', '.join(sorted(known))}")


def _body(content: bytes) -> Mapping[str, Any]:
    if not content:
        return {}
    try:
        return msgspec.json.decode(content, type=dict[str, Any])
    except msgspec.DecodeError as error:
        raise ControlError(f"the body is no JSON object: {error}") from error


def _json(document: Any, status: int = 200) -> Response:
    return Response(msgspec.json.encode(document), status, media_type="application/json")


async def _unknown(request: Request, _: Exception) -> Response:
    log.error("control: %s %s is not part of the sandbox", request.method, request.url.path)
    return _json({"error": f"{request.method} {request.url.path} is not part of the control API"}, 404)
