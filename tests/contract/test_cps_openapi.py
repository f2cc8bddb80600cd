"""What the sandbox's CPS answers, and what certrecon's client asks, against Akamai's OpenAPI definition of CPS.

The definition is no part of this repository: `CERTRECON_CPS_OPENAPI` names its file. It is of the v11 media types.
"""

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from akamai.edgegrid import EdgeGridAuth

from reconciler.cli.main import main
from reconciler.errors import ExitCode
from reconciler.sandbox.ca import IssuedCertificate, IssueRequest, SubjectFields
from reconciler.sandbox.server import BackgroundSandbox
from tests.support.enrollments import enrollment_body
from tests.support.openapi import Definition, Deviation, Finding, unexplained
from tests.support.recording import Exchange, recorded

ROOT = Path(__file__).parents[2]
DEVIATIONS = (
    Deviation(
        name="integer enrollment ids",
        reason="defined as a string; recordings and all known clients have an integer on the wire",
        operation="(get|put)-enrollments?",
        where=r"(/enrollments/\d+)?/id",
        rule="type",
    ),
    Deviation(
        name="null in nullable enumerations",
        reason="defined as nullable, but null is not among the values, as OpenAPI 3.0.3 asks; recordings have null",
        operation="(get|put)-enrollments?",
        where=r"(/enrollments/\d+)?/(signatureAlgorithm|pendingChanges/0/changeType)",
        rule="enum",
        text="None is .*",
    ),
    Deviation(
        name="booleans as texts in change management",
        reason="defined as booleans; the definition's own examples and Akamai's Go client have texts",
        operation="get-change-allowed-input-param",
        where=r"/pendingState/.*/(ocspStapled|quicEnabled|sniOnly)",
        rule="type",
        text="'(true|false)' is .*",
    ),
    Deviation(
        name="no validation result",
        reason="defined as an object; clients take null, which the service sends when there is nothing to say",
        operation="get-change-allowed-input-param",
        where="/validationResult",
        text="None .*",
    ),
    Deviation(
        name="nothing deployed yet",
        reason="defined as an object; an enrollment that was never deployed has null there",
        operation="get-deployments",
        where="/(production|staging)",
        text="None .*",
    ),
    Deviation(
        name="geography in the certificate history",
        reason="defined with values that nothing else has; example and recording say core",
        operation="get-history-certificates",
        where=r"/certificates/\d+/geography",
        rule="enum",
        text="'core' is .*",
    ),
)
CLIENT_DEVIATIONS = (
    Deviation(
        name="version 12 of the enrollment",
        reason="the definition is of v11; v12 is the same with fipsMode, which a PUT in v11 would reset",
        operation="(get-enrollments|post-enrollment)",
        rule="media type",
        text=r"application/vnd\.akamai\.cps\.enrollments?\.v12\+json is not defined",
    ),
    Deviation(
        name="fipsMode",
        reason="the member that v12 adds",
        operation="get-enrollments",
        where=r"/enrollments/\d+/networkConfiguration",
        rule="additionalProperties",
        text=r".*\('fipsMode' was unexpected\)",
    ),
    Deviation(
        name="the list of contracts",
        reason="an operation of another API, Contracts",
        operation="GET /contract-api/v1/contracts/identifiers",
        rule="operation",
    ),
    Deviation(
        name="the question for one's own rights",
        reason="an operation of the gateway, which every client may make",
        operation="GET /-/client-api/active-grants/implicit",
        rule="operation",
    ),
    Deviation(
        name="the list of active certificates",
        reason="an operation of CPS that is newer than the definition",
        operation="GET /cps/v2/active-certificates",
        rule="operation",
    ),
    Deviation(
        name="the whole history",
        reason="a parameter that is newer than the definition; without it a list may be cut",
        operation="get-history-changes",
        rule="query",
        text="includeAll is not defined",
    ),
)
EXAMPLE = SubjectFields(organization="Example Ltd", locality="Manchester", state="Greater Manchester", country="GB")


@pytest.fixture(scope="module")
def definition() -> Definition:
    path = os.environ.get("CERTRECON_CPS_OPENAPI")
    if path is None:
        pytest.skip("Akamai's OpenAPI definition: CERTRECON_CPS_OPENAPI names no file")
    return Definition.load(Path(path))


def media_type(name: str) -> str:
    return f"application/vnd.akamai.cps.{name}+json"


class CpsCaller:
    """Calls CPS as its reference documents say, with the media types of the definition."""

    def __init__(self, sandbox: BackgroundSandbox) -> None:
        self._sandbox = sandbox
        self.session = requests.Session()
        self._verify: str = sandbox.urls["ca_file"]
        self.session.auth = EdgeGridAuth.from_edgerc(sandbox.urls["edgerc"], "default")

    def __call__(
        self,
        method: str,
        path: str,
        accept: str,
        *,
        content_type: str | None = None,
        body: object = None,
        status: int = 200,
    ) -> Any:
        """Make one call and return the JSON of its answer, which must have `status`."""
        headers = {"Accept": media_type(accept)}
        data = None
        if content_type is not None:
            headers["Content-Type"] = media_type(content_type)
            data = json.dumps(body)
        url = self._sandbox.urls["cps"] + path
        answer = self.session.request(method, url, headers=headers, data=data, verify=self._verify, timeout=30)
        assert answer.status_code == status, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json()

    def input_type(self, change: str) -> str | None:
        """Return the input that the change waits for."""
        allowed = self("GET", change, "change.v2")["allowedInput"]
        return allowed[0]["type"] if allowed else None


@pytest.fixture
def call(sandbox: BackgroundSandbox) -> Iterator[CpsCaller]:
    caller = CpsCaller(sandbox)
    yield caller
    caller.session.close()


def issue(sandbox: BackgroundSandbox, csr_pem: str, *names: str) -> IssuedCertificate:
    request = IssueRequest(
        csr_pem=csr_pem,
        kind="OV",
        common_name=names[0],
        sans=names,
        subject=EXAMPLE,
        term_days=199,
        now=sandbox.clock.now(),
    )
    return sandbox.run(lambda: sandbox.sandbox.authority.issue(request))


class Walk:
    """One enrollment from its creation to its removal, with a look at every resource of the definition."""

    def __init__(self, sandbox: BackgroundSandbox, call: CpsCaller) -> None:
        self._sandbox = sandbox
        self._call = call
        body = enrollment_body("www.example.com", "shop.example.com")
        created = call(
            "POST",
            "/cps/v2/enrollments?contractId=C-1ABCDEF&deploy-not-after=2027-01-31",
            "enrollment-status.v1",
            content_type="enrollment.v11",
            body=body,
            status=202,
        )
        self.enrollment: str = created["enrollment"]
        self.change: str = created["changes"][0]

    def look(self) -> None:
        """Read all that can be read at any time."""
        for path, accept in (
            ("", "enrollment.v11"),
            ("/deployments", "deployments.v7"),
            ("/history/changes", "change-history.v5"),
            ("/history/certificates", "certificate-history.v2"),
            ("/dv-history", "dv-history.v1"),
        ):
            self._call("GET", self.enrollment + path, accept)
        self._call("GET", "/cps/v2/enrollments?contractId=C-1ABCDEF", "enrollments.v11")
        self._call("GET", self.change, "change.v2")
        self._sandbox.advance(minutes=1)  # the limit is 35 calls a minute

    def schedule(self) -> None:
        path = f"{self.change}/deployment-schedule"
        self._call("GET", path, "deployment-schedule.v1")
        body = {"notBefore": "2026-11-17T00:00:00Z", "notAfter": None}
        self._call("PUT", path, "change-id.v1", content_type="deployment-schedule.v1", body=body)

    def upload(self) -> None:
        self._call("GET", f"{self.change}/input/info/third-party-csr", "csr.v1")
        csrs = self._call("GET", f"{self.change}/input/info/third-party-csr", "csr.v2")["csrs"]
        assert {csr["keyAlgorithm"] for csr in csrs} == {"RSA", "ECDSA"}
        body = {"certificatesAndTrustChains": [self._certificate(csr) for csr in csrs]}
        self._answer("third-party-cert-and-trust-chain", "certificate-and-trust-chain.v2", body)
        self._sandbox.advance(minutes=5)

    def _certificate(self, csr: dict[str, str]) -> dict[str, str]:
        issued = issue(self._sandbox, csr["csr"], "www.example.com", "api.example.com", "shop.example.com")
        chain = "".join(issued.chain.intermediates)  # with the cross-certificate, so that there is a warning
        return {"certificate": issued.leaf_pem, "trustChain": chain, "keyAlgorithm": csr["keyAlgorithm"]}

    def acknowledge_warnings(self) -> None:
        warnings = self._call("GET", f"{self.change}/input/info/post-verification-warnings", "warnings.v1")
        assert "api.example.com" in warnings["warnings"]
        self._answer("post-verification-warnings-ack", "acknowledgement.v1", {"acknowledgement": "acknowledge"})
        self._sandbox.advance(hours=1)

    def promote(self) -> None:
        path = f"{self.change}/input/info/change-management-info"
        for accept in ("deployment.v7", "deployment.v6", "change-management-info.v4"):
            self._call("GET", path, accept)
        info = self._call("GET", path, "change-management-info.v5")
        body = {"acknowledgement": "acknowledge", "hash": info["validationResultHash"]}
        self._answer("change-management-ack", "acknowledgement-with-hash.v1", body)
        self._sandbox.advance(days=2)
        assert self._call("GET", self.change, "change.v2")["statusInfo"]["state"] == "completed"
        for network in ("staging", "production"):
            self._call("GET", f"{self.enrollment}/deployments/{network}", "deployment.v7")

    def renew_and_cancel(self) -> None:
        body = self._call("GET", self.enrollment, "enrollment.v11")
        renewal = self._put("?force-renewal=true", body, status=202)
        self._sandbox.advance(minutes=10)
        self.change = renewal["changes"][0]
        self.look()
        self._call("DELETE", self.change, "change-id.v1")
        body["adminContact"]["phone"] = "+44 161 4960001"
        self._put("", body, status=200)

    def remove(self) -> None:
        self._call("DELETE", self.enrollment, "enrollment-status.v1", status=202)

    def _put(self, query: str, body: object, *, status: int) -> Any:
        path = self.enrollment + query
        return self._call("PUT", path, "enrollment-status.v1", content_type="enrollment.v11", body=body, status=status)

    def _answer(self, name: str, content_type: str, body: object) -> None:
        path = f"{self.change}/input/update/{name}"
        self._call("POST", path, "change-id.v1", content_type=content_type, body=body)


@pytest.fixture
def walked(sandbox: BackgroundSandbox, call: CpsCaller) -> list[Exchange]:
    """Return all exchanges of a walk through a whole life."""
    with recorded(sandbox.urls["cps"]) as exchanges:
        walk = Walk(sandbox, call)
        walk.look()
        sandbox.advance(minutes=10)
        assert call.input_type(walk.change) == "third-party-certificate"
        walk.schedule()
        walk.upload()
        assert call.input_type(walk.change) == "post-verification-warnings-acknowledgement"
        walk.acknowledge_warnings()
        assert call.input_type(walk.change) == "change-management"
        walk.look()
        walk.promote()
        walk.look()
        walk.renew_and_cancel()
        walk.remove()
        walk.look()
    return exchanges


def all_findings(definition: Definition, exchanges: list[Exchange]) -> list[Finding]:
    return [finding for exchange in exchanges for finding in definition.findings(exchange)]


def test_answers_of_the_sandbox_are_as_akamai_defines_them(definition: Definition, walked: list[Exchange]) -> None:
    assert unexplained(all_findings(definition, walked), DEVIATIONS) == []


def test_every_listed_deviation_is_one(definition: Definition, walked: list[Exchange]) -> None:
    assert idle(DEVIATIONS, all_findings(definition, walked)) == []


def idle(deviations: tuple[Deviation, ...], findings: list[Finding]) -> list[str]:
    """Return the names of deviations that cover nothing."""
    return [known.name for known in deviations if not any(known.covers(finding) for finding in findings)]


def test_walk_sees_every_operation_of_the_definition(definition: Definition, walked: list[Exchange]) -> None:
    assert {definition.operation_of(exchange) for exchange in walked} == definition.operations


@pytest.fixture
def applied(sandbox: BackgroundSandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Exchange]:
    """Return all exchanges of certrecon with CPS while it brings the example certificates to production."""
    for name, value in sandbox.environment.items():
        monkeypatch.setenv(name, value)
    project = tmp_path / "project"
    slow = shutil.ignore_patterns("pay.*", "wildcard.*")  # they wait for days, or for a person, and ask nothing else
    shutil.copytree(ROOT / "certificates", project / "certificates", ignore=slow)
    shutil.copy(ROOT / "certrecon.yaml", project)
    with recorded(sandbox.urls["cps"]) as exchanges:
        assert main(["apply", "--auto-approve", "--wait", "96h", "-C", str(project)]) == ExitCode.DONE
        assert main(["plan", "--detailed-exitcode", "-C", str(project)]) == ExitCode.DONE
    return exchanges


def test_exchanges_of_certrecon_are_as_akamai_defines_them(definition: Definition, applied: list[Exchange]) -> None:
    findings = all_findings(definition, applied)
    assert unexplained(findings, (*CLIENT_DEVIATIONS, *DEVIATIONS)) == []
    assert idle(CLIENT_DEVIATIONS, findings) == []


def test_definition_sees_a_wrong_answer(definition: Definition) -> None:
    body = {"enrollments": [{"id": "1", "ra": "nobody", "surprise": True}]}
    exchange = Exchange(
        method="GET",
        path="/cps/v2/enrollments",
        query=(("contract", "C-1ABCDEF"),),
        request_type=None,
        request_body=b"",
        status=200,
        answer_type=media_type("enrollments.v11"),
        answer_body=json.dumps(body).encode(),
    )
    rules = {(finding.side, finding.rule) for finding in definition.findings(exchange)}
    assert rules == {
        ("request", "query"),
        ("answer", "enum"),
        ("answer", "required"),
        ("answer", "additionalProperties"),
    }
