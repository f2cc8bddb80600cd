"""`make demo`: from YAML to verified TLS handshakes with the edge, on a sandbox, in a temporary copy.

Nothing outlives it: the copy, the sandbox's state and every process go when it ends, also when it is interrupted.
"""

import contextlib
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from reconciler.desired.load import load
from reconciler.desired.project import load_project
from reconciler.model.certificate import DesiredCertificate
from tools import local_sandbox
from tools.handshake import HandshakeError, Shown, openssl, verified
from tools.processes import Children, Signals, Stopped

_ROOT = Path(__file__).resolve().parent.parent
_COPIED = ("certrecon.yaml", "certificates", "schemas")
_NETWORKS = ("staging", "production")
_WIDTH = 120  # where there is no terminal to ask


class DemoFailedError(Exception):
    """Something was not as the demo promises."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """Where the demo plays: a clone of the example repository, the sandbox beside it, and who talks to it."""

    console: Console
    children: Children
    repository: Path
    sandbox: dict[str, Any]  # what sandbox.json says
    env: dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """What the edge showed for all names of one certificate with one kind of key."""

    certificate: DesiredCertificate
    shown: Shown
    handshakes: int


def main() -> int:
    """Play the demo and return its exit code; 128 + n after signal n."""
    console = Console(highlight=False, width=None if sys.stdout.isatty() else _WIDTH)
    signals = Signals()
    cleanup = contextlib.ExitStack()
    try:
        try:
            return _play(console, signals, cleanup)
        finally:
            signals.ignore()
    except Stopped as stopped:
        console.print(f"\ndemo: {stopped}: cleaning up")
        return stopped.exit_code
    except (DemoFailedError, local_sandbox.SandboxFailedError, subprocess.SubprocessError, OSError) as error:
        console.print(f"\ndemo failed: {error}", markup=False)
        return 1
    finally:
        cleanup.close()


def _play(console: Console, signals: Signals, cleanup: contextlib.ExitStack) -> int:
    began = time.monotonic()
    stage = _set_stage(console, signals, cleanup)
    certificates = _certificates(stage)
    _heading(stage, f"What is wanted: {len(certificates)} certificates, as YAML in git")
    _show_files(stage)
    _certrecon(stage, "validate")
    _heading(stage, "What would be done (exit code 2: there is something to do)")
    _certrecon(stage, "plan", "--detailed-exitcode", expected=2)
    _heading(stage, "Do it; the sandbox's clock makes hours pass in seconds")
    _certrecon(stage, "apply", "--auto-approve", "--wait", "48h")
    _heading(stage, "Look again")
    _certrecon(stage, "plan", "--detailed-exitcode")
    _heading(stage, f"What the edge serves, verified by {'openssl s_client' if openssl() else 'Python'} in real time")
    handshakes = _verify(stage, certificates)
    _half_a_year_later(stage)
    console.print(f"\ndemo: all {handshakes} handshakes verified ({time.monotonic() - began:.0f} s)")
    return 0


def _half_a_year_later(stage: Stage) -> None:
    """Let time and people do what they do; the plan tells each with its reason, and apply cures what is its to cure."""
    _heading(stage, "Half a year later: renewals are due, and people were at work")
    _certrecon(stage, "sandbox", "advance", "130d")
    world = local_sandbox.ask(stage.sandbox, "GET", "/state")
    enrollments = {one["common_name"]: one["id"] for one in world["enrollments"]}
    orders = {one["common_name"]: one["ssl_id"] for one in world["orders"]}
    stage.console.print("Somebody opens a change of blog.example.org in the portal.")
    local_sandbox.ask(stage.sandbox, "POST", "/cps/open_renewal", {"enrollment_id": enrollments["blog.example.org"]})
    stage.console.print("The certificate of api.example.com is revoked.")
    local_sandbox.ask(stage.sandbox, "POST", "/scm/revoke", {"ssl_id": orders["api.example.com"]})
    stage.console.print("www.example.com gets a new name in its file.")
    _rename(stage.repository / "certificates" / "web" / "www.example.com.yaml")
    _certrecon(stage, "sandbox", "advance", "40d")
    stage.console.print("Domain validations of before 2027-03-15 are dead: somebody validates again.")
    for domain in ("example.com", "example.net", "example.org", "example.co.uk"):
        local_sandbox.ask(stage.sandbox, "POST", "/scm/validate_domain", {"name": domain})
    _certrecon(stage, "plan", "--detailed-exitcode", expected=2)
    _certrecon(stage, "apply", "--auto-approve", "--wait", "48h")
    _heading(stage, "What is left waits for a person")
    _certrecon(stage, "plan", "--detailed-exitcode")


def _rename(path: Path) -> None:
    text = path.read_text()
    changed = text.replace("img.example.com", "media.example.com, img.example.com")
    if changed == text:
        raise DemoFailedError(f"{path.name} is not as the demo knows it")
    path.write_text(changed)


def _set_stage(console: Console, signals: Signals, cleanup: contextlib.ExitStack) -> Stage:
    with signals.held():
        scene = Path(tempfile.mkdtemp(prefix="certrecon-demo-")).resolve()
        cleanup.callback(shutil.rmtree, scene, ignore_errors=True)
        children = Children(signals)
        cleanup.callback(children.end)
    console.print("Starting a sandbox: Akamai CPS, Sectigo SCM and the edge, on loopback.")
    sandbox = local_sandbox.start(scene / "sandbox", children)
    env = local_sandbox.environment(scene / "sandbox")
    stage = Stage(console=console, children=children, repository=scene / "example", sandbox=sandbox, env=env)
    _make_repository(stage, remote=scene / "remote.git")
    return stage


def _make_repository(stage: Stage, *, remote: Path) -> None:
    """Copy the example files as they stand in this tree, committed or not, into a repository with a remote."""
    stage.repository.mkdir()
    for name in _COPIED:
        source = _ROOT / name
        copy = shutil.copytree if source.is_dir() else shutil.copyfile
        copy(source, stage.repository / name)
    author = ("-c", "user.name=Demo", "-c", "user.email=demo@example.com", "-c", "commit.gpgsign=false")
    for arguments in (
        ("init", "--quiet", "--bare", "--initial-branch=main", str(remote)),
        ("init", "--quiet", "--initial-branch=main"),
        ("add", "--all"),
        (*author, "commit", "--quiet", "--message=Certificates of the example"),
        ("remote", "add", "origin", str(remote)),
        ("push", "--quiet", "--set-upstream", "origin", "main"),
    ):
        if stage.children.run(["git", *arguments], env=stage.env, cwd=stage.repository) != 0:
            raise DemoFailedError(f"git {shlex.join(arguments)} failed")


def _certificates(stage: Stage) -> tuple[DesiredCertificate, ...]:
    project = load_project(stage.repository, environment=stage.env)
    desired = load(project, today=datetime.now(UTC).date())
    if desired.problems and not desired.certificates:
        raise DemoFailedError("\n".join(map(str, desired.problems)))
    return desired.certificates


def _show_files(stage: Stage) -> None:
    folder = stage.repository / "certificates"
    for path in sorted(folder.rglob("*.yaml")):
        if path.name.startswith("_"):
            continue
        stage.console.print(f"\n[bold]{path.relative_to(stage.repository)}[/bold]")
        stage.console.print(path.read_text().rstrip(), markup=False, soft_wrap=True)


def _certrecon(stage: Stage, *arguments: str, expected: int = 0) -> None:
    """Run a command as the user would type it; its output is the demo's."""
    stage.console.print(f"\n[bold]$ certrecon {shlex.join(arguments)}[/bold]")
    code = stage.children.run([local_sandbox.CERTRECON, *arguments], env=stage.env, cwd=stage.repository)
    if code != expected:
        raise DemoFailedError(f"certrecon {shlex.join(arguments)} ended with {code}, not {expected}")


def _verify(stage: Stage, certificates: Sequence[DesiredCertificate]) -> int:
    ca_file = Path(stage.sandbox["ca_file"])
    served = [_shake_all(stage, certificate, kind, ca_file) for certificate, kind in _kinds(certificates)]
    stage.console.print(_table(served))
    return sum(each.handshakes for each in served)


def _kinds(certificates: Sequence[DesiredCertificate]) -> Iterator[tuple[DesiredCertificate, str]]:
    for certificate in certificates:
        for key_type in sorted(certificate.wanted_key_types, reverse=True):
            yield certificate, str(key_type)


def _shake_all(stage: Stage, certificate: DesiredCertificate, algorithm: str, ca_file: Path) -> Served:
    """Shake hands for every name on both networks."""
    shown = []
    for network in _NETWORKS:
        endpoint = stage.sandbox["edge"][network]
        for name in sorted(certificate.sans):
            try:
                shown.append(verified(endpoint, name.replace("*", "demo", 1), algorithm=algorithm, ca_file=ca_file))
            except HandshakeError as error:
                raise DemoFailedError(f"{network}, {algorithm}: {error}") from None
    return Served(certificate=certificate, shown=shown[-1], handshakes=len(shown))


def _table(served: Sequence[Served]) -> Table:
    table = Table(box=None, pad_edge=False)
    for heading in ("certificate", "key", "issuer", "until", "staging and production"):
        table.add_column(heading, overflow="fold")
    for each in served:
        until = f"{each.shown.not_after:%Y-%m-%d}"
        verdict = f"✓ {each.handshakes} verified"
        table.add_row(each.certificate.common_name, each.shown.algorithm, each.shown.issuer, until, verdict)
    return table


def _heading(stage: Stage, text: str) -> None:
    stage.console.print()
    stage.console.rule(f"[bold]{text}[/bold]", align="left")


if __name__ == "__main__":
    sys.exit(main())
