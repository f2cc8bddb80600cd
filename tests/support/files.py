"""A project of one's own in a temporary folder."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path

from reconciler.desired.load import Desired, load
from reconciler.desired.project import load_project
from reconciler.errors import Problem
from reconciler.model.certificate import DesiredCertificate
from reconciler.model.policy import Project

TODAY = date(2026, 11, 23)

CONFIGURATION = """\
apiVersion: certrecon/v1
akamai:
  main: {accountId: A-1XYZ}
sectigo:
  enterprise:
    baseUrl: https://cert-manager.com/api
    auth: {type: password, login: SECTIGO_LOGIN, password: SECTIGO_PASSWORD, customerUri: acme}
"""
DEFAULTS = """\
apiVersion: certrecon/v1
sectigo: {organization: Example Ltd, profile: OV Multi-Domain}
akamai: {contract: C-1ABCDEF, secureNetwork: enhanced-tls}
"""
CERTIFICATE = """\
apiVersion: certrecon/v1
commonName: www.example.com
"""


@dataclass(frozen=True, slots=True)
class Files:
    """A project with a configuration and defaults; certificates are added."""

    root: Path

    def write(self, path: str, content: str | bytes) -> None:
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content.encode() if isinstance(content, str) else content)

    def project(self) -> Project:
        return load_project(self.root, environment={})

    def desired(self, today: date = TODAY) -> Desired:
        return load(self.project(), today=today)


def files(root: Path, certificates: dict[str, str | bytes] | None = None) -> Files:
    made = Files(root)
    made.write("certrecon.yaml", CONFIGURATION)
    made.write("certificates/_defaults.yaml", DEFAULTS)
    for name, content in (certificates or {}).items():
        made.write(f"certificates/{name}", content)
    return made


def loaded(root: Path, more: str = "", *, today: date = TODAY) -> DesiredCertificate:
    """Return the certificate of one file with `more` in it; every problem fails the test."""
    desired = files(root, {"www.yaml": CERTIFICATE + more}).desired(today)
    assert not desired.problems, [str(problem) for problem in desired.problems]
    (certificate,) = desired.certificates
    return certificate


def problems(root: Path, more: str = "", *, today: date = TODAY) -> tuple[Problem, ...]:
    """Return what is wrong with one file with `more` in it."""
    return files(root, {"www.yaml": CERTIFICATE + more}).desired(today).problems
