"""Every leaf, CSR and deployed chain that a test brings about gets a second opinion when the test is over."""

from collections.abc import Iterator
from typing import Any

import pytest

_MARKER = "nonconforming(reason): this test breaks the rules of the web PKI on purpose; nothing of it is judged"


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", _MARKER)


@pytest.fixture(autouse=True)
def conforming(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Lint what the sandbox's CA issues, and verify CSRs and chains of all sandboxes, unless marked `nonconforming`.

    Of a fleet a part is judged, evenly spread: its certificates are all made in one way.

    Every sandbox comes from `ca_state`; tests without it are left alone, and start without a server's imports.
    """
    if "ca_state" not in request.fixturenames or request.node.get_closest_marker("nonconforming") is not None:
        yield
        return
    from reconciler.sandbox.app import Sandbox
    from reconciler.sandbox.ca import Authority, IssuedCertificate, IssueRequest
    from tests.support.conformance import MOST_JUDGED, evenly, leaf_problems, world_problems

    issued: list[IssuedCertificate] = []
    worlds: list[Sandbox] = []
    issue, begin = Authority.issue, Sandbox.__init__

    def issue_and_note(self: Authority, request: IssueRequest) -> IssuedCertificate:
        issued.append(issue(self, request))
        return issued[-1]

    def begin_and_note(self: Sandbox, *arguments: Any, **options: Any) -> None:
        begin(self, *arguments, **options)
        worlds.append(self)

    monkeypatch.setattr(Authority, "issue", issue_and_note)
    monkeypatch.setattr(Sandbox, "__init__", begin_and_note)
    yield
    problems = [problem for certificate in evenly(issued, MOST_JUDGED) for problem in leaf_problems(certificate)]
    problems += [problem for world in worlds for problem in world_problems(world)]
    if problems:
        pytest.fail("\n".join(problems), pytrace=False)
