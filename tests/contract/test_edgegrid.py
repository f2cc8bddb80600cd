"""Akamai's own signers, for Python and for Node, are understood by the sandbox's CPS as they come."""

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from akamai.edgegrid import EdgeGridAuth, EdgeRc

from reconciler.sandbox.server import BackgroundSandbox
from tests.support.enrollments import enrollment_body

ENROLLMENTS = "application/vnd.akamai.cps.enrollments.v11+json"
ENROLLMENT = "application/vnd.akamai.cps.enrollment.v11+json"
ENROLLMENT_STATUS = "application/vnd.akamai.cps.enrollment-status.v1+json"
SCHEDULE = "application/vnd.akamai.cps.deployment-schedule.v1+json"
CHANGE_ID = "application/vnd.akamai.cps.change-id.v1+json"
NODE_PACKAGE = "akamai-edgegrid@4.0.4"
UNREACHABLE = ("ENOTFOUND", "EAI_AGAIN", "ECONNREFUSED", "ECONNRESET", "ETIMEDOUT", "ENETUNREACH", "E403", "ENOTCACHED")

Request = tuple[str, str, dict[str, str], Any]
Answer = tuple[int, Any]
Send = Callable[..., Answer]


class PythonClient:
    """edgegrid-python with requests."""

    def __init__(self, sandbox: BackgroundSandbox, section: str = "default") -> None:
        edgerc = EdgeRc(sandbox.urls["edgerc"])
        self._base = f"https://{edgerc.get(section, 'host')}"
        self.session = requests.Session()
        self._verify: str = sandbox.urls["ca_file"]  # a session's own `verify` loses to the environment
        self.session.auth = EdgeGridAuth.from_edgerc(edgerc, section)

    def __call__(self, method: str, path: str, headers: dict[str, str], body: Any = None) -> Answer:
        data = None if body is None else json.dumps(body)
        answer = self.session.request(
            method, self._base + path, headers=headers, data=data, verify=self._verify, timeout=30
        )
        return answer.status_code, answer.json()


class NodeClient:
    """akamai-edgegrid with axios, in a process of its own for each request."""

    def __init__(self, sandbox: BackgroundSandbox, modules: Path, section: str = "default") -> None:
        script = Path(__file__).with_name("edgegrid_client.cjs")
        self._command = ["node", str(script), sandbox.urls["edgerc"], section]
        ca_file = sandbox.urls["ca_file"]
        self._environment = os.environ | {"NODE_PATH": str(modules), "NODE_EXTRA_CA_CERTS": ca_file}

    def __call__(self, method: str, path: str, headers: dict[str, str], body: Any = None) -> Answer:
        said = json.dumps([[method, path, headers, body]])
        heard = subprocess.run(
            self._command, input=said, env=self._environment, capture_output=True, text=True, timeout=60, check=False
        )
        assert heard.returncode == 0, heard.stderr
        (answer,) = json.loads(heard.stdout)
        return answer[0], answer[1]


@pytest.fixture(scope="session")
def node_modules(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install npm's signer into a directory of this run; skip where that can't be done."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        pytest.skip("npm's akamai-edgegrid: node and npm are not installed")
    directory = tmp_path_factory.mktemp("npm")
    quiet = ["--no-audit", "--no-fund", "--ignore-scripts", "--fetch-retries=0"]
    command = ["npm", "install", "--prefix", str(directory), *quiet, NODE_PACKAGE]
    installed = subprocess.run(command, cwd=directory, capture_output=True, text=True, timeout=120, check=False)
    if installed.returncode != 0 and any(code in installed.stderr for code in UNREACHABLE):
        pytest.skip("npm's akamai-edgegrid: the npm registry can't be reached")
    assert installed.returncode == 0, installed.stderr
    return directory / "node_modules"


@pytest.fixture(params=["python", "node"])
def connect(request: pytest.FixtureRequest, sandbox: BackgroundSandbox) -> Iterator[Callable[[str], Send]]:
    """Return a function that makes a client of the signer under test for a section of the .edgerc file."""
    opened: list[requests.Session] = []

    def connect(section: str) -> Send:
        if request.param == "node":
            return NodeClient(sandbox, request.getfixturevalue("node_modules"), section)
        client = PythonClient(sandbox, section)
        opened.append(client.session)
        return client

    yield connect
    for session in opened:
        session.close()


@pytest.fixture
def send(connect: Callable[[str], Send]) -> Send:
    return connect("default")


def create(send: Send) -> Answer:
    headers = {"Accept": ENROLLMENT_STATUS, "Content-Type": ENROLLMENT}
    return send("POST", "/cps/v2/enrollments?contractId=C-1ABCDEF", headers, enrollment_body("www.example.com"))


def test_signed_get_is_answered(send: Send) -> None:
    assert send("GET", "/cps/v2/enrollments", {"Accept": ENROLLMENTS}) == (200, {"enrollments": []})


def test_query_is_signed_as_it_stands_on_the_request_line(send: Send) -> None:
    path = "/cps/v2/enrollments?contractId=C-1ABCDEF&accountSwitchKey=A-1XYZ%3A1-2RBL"
    status, _body = send("GET", path, {"Accept": ENROLLMENTS})
    assert status in {200, 403}  # authenticated either way: a wrong signature is a 401


def test_signed_post_creates_an_enrollment(sandbox: BackgroundSandbox, send: Send) -> None:
    status, body = create(send)
    assert status == 202
    assert sandbox.calls["cps.create_enrollment"] == 1
    _status, listed = send("GET", "/cps/v2/enrollments", {"Accept": ENROLLMENTS})
    assert [enrollment["location"] for enrollment in listed["enrollments"]] == [body["enrollment"]]


def test_put_is_signed_without_its_body(sandbox: BackgroundSandbox, send: Send) -> None:
    _status, created = create(send)
    sandbox.advance(minutes=10)
    headers = {"Accept": CHANGE_ID, "Content-Type": SCHEDULE}
    schedule = {"notBefore": "2026-11-30T00:00:00Z", "notAfter": None}
    status, body = send("PUT", f"{created['changes'][0]}/deployment-schedule", headers, schedule)
    assert (status, body) == (200, {"change": created["changes"][0]})


def test_delete_is_understood(sandbox: BackgroundSandbox, send: Send) -> None:
    _status, created = create(send)
    sandbox.advance(minutes=10)
    status, body = send("DELETE", created["changes"][0], {"Accept": CHANGE_ID})
    assert (status, body) == (200, {"change": created["changes"][0]})


def test_read_only_client_may_read_but_not_write(sandbox: BackgroundSandbox, connect: Callable[[str], Send]) -> None:
    reader = connect("readonly")
    assert reader("GET", "/cps/v2/enrollments", {"Accept": ENROLLMENTS})[0] == 200
    status, problem = create(reader)
    assert (status, problem["type"].rpartition("/-/")[2]) == (403, "pep-authz/deny")
    assert connect("default")("GET", "/cps/v2/enrollments", {"Accept": ENROLLMENTS})[1] == {"enrollments": []}


def test_contracts_are_listed(send: Send) -> None:
    status, body = send("GET", "/contract-api/v1/contracts/identifiers?depth=TOP", {"Accept": "application/json"})
    assert (status, body) == (200, ["C-1ABCDEF", "C-2GHIJKL"])


def test_wrong_secret_is_refused(sandbox: BackgroundSandbox, connect: Callable[[str], Send]) -> None:
    edgerc = Path(sandbox.urls["edgerc"])
    secret = EdgeRc(str(edgerc)).get("default", "client_secret")
    edgerc.write_text(edgerc.read_text().replace(secret, "x" * len(secret)))
    status, problem = connect("default")("GET", "/cps/v2/enrollments", {"Accept": ENROLLMENTS})
    assert (status, problem["detail"]) == (401, "The signature does not match")


def test_request_without_signature_is_refused(sandbox: BackgroundSandbox) -> None:
    answer = requests.get(
        f"{sandbox.urls['cps']}/cps/v2/enrollments",
        headers={"Accept": ENROLLMENTS},
        verify=sandbox.urls["ca_file"],
        timeout=30,
    )
    assert (answer.status_code, answer.json()["detail"]) == (400, "Authorization header missing")
