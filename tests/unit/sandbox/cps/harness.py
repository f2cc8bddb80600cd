"""CPS without sockets: calls signed by Akamai's own signer, handed to the service's application."""

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import requests
from akamai.edgegrid import EdgeGridAuth
from cryptography import x509
from starlette.applications import Starlette

from reconciler.sandbox.app import Sandbox
from reconciler.sandbox.ca import IssueRequest, SubjectFields
from reconciler.sandbox.cps.options import CpsOptions
from reconciler.sandbox.cps.service import CpsService
from reconciler.sandbox.cps.state import Change, Enrollment
from reconciler.sandbox.hierarchy import Kind
from tests.support.enrollments import enrollment_body

HOST = "localhost:8443"
CONTRACT = "C-1ABCDEF"
SUBJECT = SubjectFields(organization="Example Ltd", locality="Manchester", state="Greater Manchester", country="GB")


def media(name: str, version: int) -> str:
    return f"application/vnd.akamai.cps.{name}.v{version}+json"


@dataclass(frozen=True, kw_only=True)
class Reply:
    status: int
    headers: Mapping[str, str]
    text: str

    @property
    def body(self) -> Any:
        return json.loads(self.text)


@dataclass(frozen=True, kw_only=True)
class Issued:
    """An issued certificate as it is uploaded."""

    algorithm: str
    leaf_pem: str
    chain_pem: str

    def item(self, **changes: Any) -> dict[str, Any]:
        return {"certificate": self.leaf_pem, "keyAlgorithm": self.algorithm, "trustChain": self.chain_pem} | changes


class Cps:
    """A client of the service, and the hand on its clock."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.service: CpsService = sandbox.cps
        self.portal = sandbox.cps.portal
        self._application: Starlette = sandbox.cps.application()

    @property
    def options(self) -> CpsOptions:
        return self.service.options

    def advance(self, **by: float) -> None:
        self.sandbox.advance(**by)

    def call(
        self,
        method: str,
        path: str,
        *,
        accept: str | None = None,
        content: str | None = None,
        body: object = None,
        client: str = "default",
        alter: Callable[[dict[str, str]], None] | None = None,
    ) -> Reply:
        """Sign and make one call. `alter` may change the headers after signing."""
        headers = {"Host": HOST}
        headers |= {} if accept is None else {"Accept": accept}
        headers |= {} if content is None else {"Content-Type": content}
        data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        request = requests.Request(method, f"https://{HOST}{path}", headers=headers, data=data).prepare()
        known = next(each for each in self.service.state.clients if each.section == client)
        EdgeGridAuth(known.client_token, known.client_secret, known.access_token)(request)
        sent = {name.lower(): str(value) for name, value in request.headers.items()}
        if alter is not None:
            alter(sent)
        return self.send(method, path, sent, data or b"")

    def send(self, method: str, path: str, headers: Mapping[str, str], data: bytes) -> Reply:
        return asyncio.run(_asgi(self._application, method, path, headers, data))

    # The calls of a client, in their current versions; each asserts that it was taken.

    def get(self, path: str, name: str, version: int) -> Any:
        reply = self.call("GET", f"/cps/v2{path}", accept=media(name, version))
        assert reply.status == 200, reply.text
        assert reply.headers["content-type"] == media(name, version)
        return reply.body

    def try_create(self, body: Mapping[str, Any], query: str = f"contractId={CONTRACT}", version: int = 11) -> Reply:
        return self.call(
            "POST",
            f"/cps/v2/enrollments?{query}",
            accept=media("enrollment-status", 1),
            content=media("enrollment", version),
            body=body,
        )

    def create(self, common_name: str = "www.example.com", *sans: str, **changes: Any) -> Enrollment:
        reply = self.try_create(enrollment_body(common_name, *sans, **changes))
        assert reply.status == 202, reply.text
        return self.enrollment(int(reply.body["enrollment"].rsplit("/", 1)[1]))

    def try_update(self, enrollment: Enrollment, body: Mapping[str, Any], query: str = "", version: int = 11) -> Reply:
        return self.call(
            "PUT",
            f"/cps/v2/enrollments/{enrollment.id}{query}",
            accept=media("enrollment-status", 1),
            content=media("enrollment", version),
            body=body,
        )

    def document(self, enrollment: Enrollment, version: int = 11) -> dict[str, Any]:
        document: dict[str, Any] = self.get(f"/enrollments/{enrollment.id}", "enrollment", version)
        return document

    def enrollment(self, enrollment_id: int) -> Enrollment:
        return self.service.state.enrollments[enrollment_id]

    def pending(self, enrollment: Enrollment) -> Change:
        assert enrollment.pending is not None
        return self.service.state.changes[enrollment.pending]

    def change_path(self, enrollment: Enrollment) -> str:
        return f"/enrollments/{enrollment.id}/changes/{self.pending(enrollment).id}"

    def status(self, enrollment: Enrollment, change_id: int | None = None) -> str:
        """Return status and state of a change: by default the pending one."""
        wanted = self.pending(enrollment).id if change_id is None else change_id
        info = self.get(f"/enrollments/{enrollment.id}/changes/{wanted}", "change", 2)["statusInfo"]
        return f"{info['status']} {info['state']}"

    def post(self, enrollment: Enrollment, segment: str, content: str, body: object) -> Reply:
        return self.call(
            "POST",
            f"/cps/v2{self.change_path(enrollment)}/input/update/{segment}",
            accept=media("change-id", 1),
            content=content,
            body=body,
        )

    def acknowledge(self, enrollment: Enrollment, what: str, answer: str = "acknowledge") -> Reply:
        return self.post(enrollment, f"{what}-ack", media("acknowledgement", 1), {"acknowledgement": answer})

    def upload(self, enrollment: Enrollment, *items: Mapping[str, Any]) -> Reply:
        return self.post(
            enrollment,
            "third-party-cert-and-trust-chain",
            media("certificate-and-trust-chain", 2),
            {"certificatesAndTrustChains": list(items)},
        )

    def csrs(self, enrollment: Enrollment) -> dict[str, str]:
        body = self.get(f"{self.change_path(enrollment)}/input/info/third-party-csr", "csr", 2)
        return {each["keyAlgorithm"]: each["csr"] for each in body["csrs"]}

    def warnings(self, enrollment: Enrollment, which: str = "post") -> str:
        path = f"{self.change_path(enrollment)}/input/info/{which}-verification-warnings"
        text: str = self.get(path, "warnings", 1)["warnings"]
        return text

    # What a certificate authority and a whole life cycle do.

    def to_csr(self, enrollment: Enrollment) -> None:
        self.advance(seconds=self.options.checks_s + self.options.csr_s)
        assert self.status(enrollment) == "wait-upload-third-party awaiting-input"

    def issue(self, enrollment: Enrollment, algorithm: str = "RSA", *, kind: Kind = "OV", **changes: Any) -> Issued:
        """Have the authority issue for the pending CSR. `changes` replace fields of the order, or name its `chain`."""
        chain = changes.pop("chain", "short")
        wanted = enrollment.wanted.csr
        order = IssueRequest(
            csr_pem=self.csrs(enrollment)[algorithm],
            kind=kind,
            common_name=wanted.cn,
            sans=wanted.names,
            subject=SUBJECT,
            term_days=199,
            now=self.sandbox.clock.now(),
        )
        issued = self.sandbox.authority.issue(replace(order, **changes))
        above = issued.chain
        pems = {
            "short": (above.issuing,),
            "cross": above.intermediates,
            "root": (above.issuing, self.root(issued.leaf_pem)),
            "none": (),
        }[chain]
        return Issued(algorithm=algorithm, leaf_pem=issued.leaf_pem, chain_pem="".join(pems))

    def root(self, leaf_pem: str) -> str:
        """Return the self-signed root above a leaf of the authority."""
        leaf = x509.load_pem_x509_certificate(leaf_pem.encode())
        key_type: Any = "RSA" if "RSA" in str(type(leaf.public_key())) else "EC"
        return self.sandbox.authority.chain("OV", key_type, cross=False).root

    def deploy(self, enrollment: Enrollment, *algorithms: str, **changes: Any) -> None:
        """Take a pending change from the beginning to production, answering what it asks."""
        self.to_csr(enrollment)
        issued = [self.issue(enrollment, algorithm, **changes) for algorithm in algorithms or ("RSA",)]
        assert self.upload(enrollment, *[each.item() for each in issued]).status == 200
        self.to_staging(enrollment)
        if enrollment.wanted.change_management:
            assert self.acknowledge(enrollment, "change-management").status == 200
        self.advance(seconds=self.options.production_s)
        assert enrollment.pending is None

    def to_staging(self, enrollment: Enrollment) -> None:
        """Wait from an upload, or from an acknowledgement of its warnings, until staging is done."""
        self.advance(seconds=self.options.verify_s)
        if self.status(enrollment).startswith("wait-review-third-party-cert"):
            assert self.acknowledge(enrollment, "post-verification-warnings").status == 200
        rest = self.options.slot_files_s + self.options.live_check_s + self.options.staging_s
        self.sandbox.clock.advance_to(self.sandbox.clock.now() + timedelta(seconds=rest))


def verified(cps: Cps, enrollment: Enrollment, *items: Mapping[str, Any]) -> str:
    """Upload, let the checks run, and return the status."""
    reply = cps.upload(enrollment, *items)
    assert reply.status == 200, reply.text
    cps.advance(seconds=cps.options.verify_s)
    return cps.status(enrollment)


def lines(cps: Cps, enrollment: Enrollment) -> list[str]:
    """Return the post-verification warnings, line by line."""
    header, *texts = cps.warnings(enrollment).split("\n")
    assert header == "[WARNINGS]"
    return texts


def colons(certificate: x509.Certificate) -> str:
    """Return a serial number as CPS writes it."""
    text = f"{certificate.serial_number:x}"
    text = text.zfill(len(text) + len(text) % 2)
    return ":".join(text[place : place + 2] for place in range(0, len(text), 2))


async def _asgi(application: Starlette, method: str, target: str, headers: Mapping[str, str], data: bytes) -> Reply:
    path, _, query = target.partition("?")
    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        "scheme": "https",
        "server": ("localhost", 8443),
        "state": {},
    }
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": data, "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    await application(scope, receive, send)
    start = sent[0]
    return Reply(
        status=start["status"],
        headers={name.decode().lower(): value.decode() for name, value in start["headers"]},
        text=b"".join(message.get("body", b"") for message in sent[1:]).decode(),
    )
