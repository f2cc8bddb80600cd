"""Refusals and how they look on the wire: CPS's own problems, and those of the gateway in front of it."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from http import HTTPStatus

from starlette.responses import Response

from reconciler.sandbox.gate import Call
from reconciler.sandbox.ids import Ids

PROBLEM_JSON = "application/problem+json"


class Refused(Exception):  # noqa: N818 - an answer, not an error of ours
    """CPS says no. `slug` is the last part of the problem's type."""

    def __init__(self, status: int, slug: str, title: str, detail: str | None = None) -> None:
        super().__init__(f"{status} {slug}: {detail or title}")
        self.status = status
        self.slug = slug
        self.title = title
        self.detail = detail


class GatewayRefused(Exception):  # noqa: N818 - an answer, not an error of ours
    """The gateway says no before CPS sees the call. `kind` is `pep-authn/deny` and the like."""

    def __init__(self, status: int, kind: str, title: str, detail: str) -> None:
        super().__init__(f"{status} {kind}: {detail}")
        self.status = status
        self.kind = kind
        self.title = title
        self.detail = detail


def not_found() -> Refused:
    return Refused(404, "not-found", "Not Found")


def invalid_enrollment(detail: str) -> Refused:
    # The slug is invented: no source shows a 400 for a body, except for certificateChainType.
    return Refused(400, "invalid-enrollment", "Invalid enrollment.", detail)


def invalid_request(detail: str) -> Refused:
    return Refused(400, "invalid-request", "Invalid request.", detail)


def invalid_state(detail: str) -> Refused:
    return Refused(409, "invalid-enrollment-state", "Invalid enrollment state.", detail)


def pending_change() -> Refused:
    return Refused(
        409,
        "cannot-cancel-pending-change",
        "Cannot cancel pending change.",
        "There is a pending change on the enrollment.",
    )


def problem(refusal: Refused, call: Call, ids: Ids) -> Response:
    """Return the problem that CPS answers; members without a value are left out, as the recorded ones do."""
    kind = f"https://{call.header('host')}/cps/v2/error-types/{refusal.slug}"
    body = {"type": kind, "title": refusal.title}
    if refusal.detail is not None:
        body["detail"] = refusal.detail
    body["instance"] = f"{kind}?id={ids.hex('cps.problem', 32)}"
    return json_response(body, refusal.status)


def gateway_problem(refusal: GatewayRefused, call: Call, ids: Ids, *, real_now: datetime) -> Response:
    body = {
        "type": f"https://problems.luna.akamaiapis.net/-/{refusal.kind}",
        "title": refusal.title,
        "status": refusal.status,
        "detail": refusal.detail,
        "instance": f"https://{call.header('host')}{call.target}",
        "method": call.method,
        "serverIp": "127.0.0.1",
        "clientIp": "127.0.0.1",
        "requestId": ids.hex("cps.request", 8),
        "requestTime": iso(real_now),
    }
    if refusal.kind.startswith("pep-authz/"):
        body["authzRealm"] = "sandbox"
    return json_response(body, refusal.status)


def not_in_the_sandbox(call: Call, ids: Ids, detail: str | None = None) -> Response:
    text = detail or f"{call.method} {call.target} is not part of the sandbox."
    status = HTTPStatus.NOT_IMPLEMENTED
    return problem(Refused(status, "not-in-the-sandbox", "Not Implemented", text), call, ids)


def json_response(body: object, status: int, headers: Mapping[str, str] | None = None) -> Response:
    return Response(json.dumps(body), status, headers=headers, media_type=PROBLEM_JSON)


def iso(instant: datetime) -> str:
    """Return Akamai's form of an instant: UTC, whole seconds, `Z`."""
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
