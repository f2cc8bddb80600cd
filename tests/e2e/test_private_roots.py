"""A private root that SCM does not send: looked for in a second format, in the bundle, and in the repository."""

from pathlib import Path

import pytest

from reconciler.sandbox.server import BackgroundSandbox
from tests.support.control import Control
from tests.support.program import Program

HEAD = "apiVersion: certrecon/v1\nsectigo: {profile: Private TLS, issuer: private, term: 30}\n"


@pytest.fixture
def bare(program: Program, sandbox: BackgroundSandbox, tmp_path: Path) -> Program:
    """Return the program with a private certificate, and a bundle of roots without the private one."""
    bundle, private = Path(program.environment["CERTRECON_CA_FILE"]), private_root(sandbox)
    assert private in bundle.read_text()
    (tmp_path / "public.pem").write_text(bundle.read_text().replace(private, ""))
    program.environment["CERTRECON_CA_FILE"] = str(tmp_path / "public.pem")
    program.write("certificates/www.example.com.yaml", f"{HEAD}commonName: www.example.com\n")
    return program


def private_root(sandbox: BackgroundSandbox) -> str:
    return (Path(sandbox.urls["ca_file"]).parent / "private-ca.pem").read_text()


def test_a_private_root_is_found_wherever_it_can_be_had(
    bare: Program, control: Control, sandbox: BackgroundSandbox
) -> None:
    control.post("/options", {"chain_root_formats": "chain-alone"})
    finished = bare.apply()
    assert finished.exit_code == 0, finished.stdout + finished.stderr
    control.post("/options", {"chain_root": False})
    bare.write("certificates/b.yaml", f"{HEAD}commonName: b.example.com\n")
    blocked = bare.apply()
    assert blocked.exit_code == 1
    assert "add its root's PEM file to sectigo.enterprise.privateRoots" in blocked.stdout
    bare.write("roots/ours.pem", private_root(sandbox))
    configuration = (bare.repository / "certrecon.yaml").read_text()
    instance = "  enterprise:\n"
    assert instance in configuration
    bare.write("certrecon.yaml", configuration.replace(instance, f"{instance}    privateRoots: [roots/ours.pem]\n"))
    mended = bare.apply()
    assert mended.exit_code == 0, mended.stdout + mended.stderr
