"""SCM of a sandbox, called over ASGI without a socket."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast
from urllib.parse import parse_qsl, urlencode, urlsplit

from starlette.types import Message, Scope

from reconciler.sandbox.ca import Authority, CaState
from reconciler.sandbox.clock import ClockState, VirtualClock
from reconciler.sandbox.faults import Faults
from reconciler.sandbox.gate import Gate
from reconciler.sandbox.ids import Ids, IdState
from reconciler.sandbox.keys import KeyMaker
from reconciler.sandbox.scm.defaults import default_state
from reconciler.sandbox.scm.options import ScmOptions
from reconciler.sandbox.scm.service import ScmService
from reconciler.sandbox.scm.state import Order, ScmState
from tests.support.csrs import make_csr

JsonObject = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def refusal(self) -> tuple[int, int]:
        """Return HTTP status and SCM's code."""
        return self.status, self.json["code"]


class Scm:
    """One SCM with its clock. Calls carry the login of `api-admin` unless told otherwise."""

    def __init__(self, ca: CaState, *, start: datetime, state: ScmState | None = None) -> None:
        self.ids = Ids(IdState(seed=1))
        self.clock = VirtualClock(ClockState(now=start))
        self.options = ScmOptions()
        self.state = state or default_state(self.ids, start)
        self.gate = Gate(clock=self.clock, faults=Faults())
        self.authority = Authority(ca, ids=self.ids, keys=KeyMaker("pooled"))
        self.service = ScmService(
            self.state,
            options=self.options,
            clock=self.clock,
            ids=self.ids,
            gate=self.gate,
            authority=self.authority,
        )
        self.portal = self.service.portal
        self._header = self.service.header_application()
        self._admin = self.service.admin_application()

    def advance(self, **span: float) -> None:
        self.clock.advance_to(self.clock.now() + timedelta(**span))

    def login(self, name: str = "api-admin") -> dict[str, str]:
        admin = self.state.admins[name]
        return {"login": name, "password": admin.password, "customerUri": self.state.customer_uri}

    def call(
        self,
        method: str,
        target: str,
        body: object = None,
        *,
        headers: Mapping[str, str] | None = None,
        login: str = "api-admin",
        admin_host: bool = False,
        peer: bytes | None = None,
    ) -> Answer:
        """Send one request. `body` is bytes as they are, or anything as JSON."""
        content = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        sent = self.login(login) if headers is None else headers
        application = self._admin if admin_host else self._header
        return asyncio.run(_ask(application, method, target, content, sent, peer))

    def get(self, target: str, **options: Any) -> Answer:
        return self.call("GET", target, **options)

    def post(self, target: str, body: object = None, **options: Any) -> Answer:
        return self.call("POST", target, body, **options)

    def put(self, target: str, body: object = None, **options: Any) -> Answer:
        return self.call("PUT", target, body, **options)

    def delete(self, target: str, body: object = None, **options: Any) -> Answer:
        return self.call("DELETE", target, body, **options)

    def form(self, name: str = "www.example.com", **members: object) -> JsonObject:
        """Return the body of an order for one name: Example Ltd, DV Multi-Domain, 199 days."""
        body: JsonObject = {"orgId": 1101, "certType": 2002, "term": 199, "csr": make_csr(name), **members}
        return {member: value for member, value in body.items() if value is not None}

    def enroll(self, name: str = "www.example.com", **members: object) -> int:
        """Place an order and return its id."""
        answer = self.post("/api/ssl/v1/enroll", self.form(name, **members))
        assert answer.status == 200, answer
        return cast("int", answer.json["sslId"])

    def issued(self, name: str = "www.example.com", **members: object) -> int:
        """Place an order, let the time of its issue come, and return its id."""
        ssl_id = self.enroll(name, **members)
        self.advance(minutes=10)
        assert self.order(ssl_id).status == "Issued"
        return ssl_id

    def order(self, ssl_id: int) -> Order:
        return self.state.orders[ssl_id]

    def details(self, ssl_id: int) -> JsonObject:
        answer = self.get(f"/api/ssl/v1/{ssl_id}")
        assert answer.status == 200, answer
        return cast("JsonObject", answer.json)

    def token(self, client: int = 0) -> str:
        """Return a fresh access token of one of the OAuth clients: 0 may write, 1 may read."""
        known = list(self.state.oauth_clients.values())[client]
        answer = self.ask_token(
            grant_type="client_credentials", client_id=known.client_id, client_secret=known.client_secret
        )
        return cast("str", answer.json["access_token"])

    def ask_token(self, *, headers: Mapping[str, str] | None = None, **form: str) -> Answer:
        path = "/auth/realms/apiclients/protocol/openid-connect/token"
        return self.post(path, urlencode(form).encode(), headers=headers or {}, admin_host=True)


async def _ask(
    application: Any, method: str, target: str, body: bytes, headers: Mapping[str, str], peer: bytes | None
) -> Answer:
    parts = urlsplit(target)
    scope: Scope = {
        "type": "http",
        "http_version": "1.1",
        "method": method,
        "scheme": "https",
        "path": parts.path,
        "raw_path": parts.path.encode(),
        "query_string": urlencode(parse_qsl(parts.query, keep_blank_values=True)).encode(),
        "headers": [
            (b"host", b"cert-manager.test"),
            *((name.lower().encode(), value.encode()) for name, value in headers.items()),
        ],
        "state": {"peer_certificate_der": peer},
    }
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    await application(scope, receive, send)
    start, *rest = sent
    names = {name.decode().lower(): value.decode() for name, value in start["headers"]}
    return Answer(status=start["status"], headers=names, body=b"".join(part.get("body", b"") for part in rest))
