"""What the sandbox writes into its directory when it is ready: where it is, whom to trust, how to log in."""

import json
import os
import secrets
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reconciler.sandbox.app import Sandbox
from reconciler.sandbox.clock import real_now
from reconciler.sandbox.cps.state import ApiClient
from reconciler.sandbox.store import write_private

FACTS_FILE = "sandbox.json"
_TOKEN_PATH = "/auth/realms/apiclients/protocol/openid-connect/token"  # noqa: S105 - a path


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """Where the listeners are, all on loopback."""

    cps: int
    scm: int
    scm_admin: int
    control: int
    edge_staging: int
    edge_production: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """The content of `sandbox.json`, and of `env` as a mapping."""

    facts: dict[str, Any]
    environment: dict[str, str]


def write_files(sandbox: Sandbox, directory: Path, ports: Ports) -> Written:
    """Write all files, `sandbox.json` last: who finds it finds a sandbox that answers."""
    directory = directory.resolve()
    authority = sandbox.authority
    trusted = authority.loopback_ca_pem() + authority.public_roots_pem() + authority.private_root_pem()
    write_private(directory / "ca.pem", trusted.encode())
    write_private(directory / "private-ca.pem", authority.private_root_pem().encode())
    client = authority.issue_loopback_client("api-admin", real_now=real_now())
    write_private(directory / "scm-client.pem", client.certificate_pem.encode())
    write_private(directory / "scm-client.key", client.key_pem.encode())
    write_private(directory / "edgerc", _edgerc(sandbox, ports).encode())
    facts = _facts(sandbox, directory, ports)
    environment = _environment(sandbox, facts, directory)
    write_private(directory / "env", _exports(environment).encode())
    write_private(directory / FACTS_FILE, (json.dumps(facts, indent=2) + "\n").encode())
    return Written(facts=facts, environment=environment)


def remove_facts(directory: Path) -> None:
    """Remove `sandbox.json`: nothing answers there any more."""
    (directory / FACTS_FILE).unlink(missing_ok=True)


def _edgerc(sandbox: Sandbox, ports: Ports) -> str:
    sections = [
        f"[{name}]\nhost = localhost:{ports.cps}\nclient_token = {client.client_token}\n"
        f"client_secret = {client.client_secret}\naccess_token = {client.access_token}\n"
        for name, client in _clients(sandbox).items()
    ]
    return "\n".join(sections)


def _facts(sandbox: Sandbox, directory: Path, ports: Ports) -> dict[str, Any]:
    scm = sandbox.scm.state
    oauth = next(iter(scm.oauth_clients.values()))
    return {
        "cps": _url(ports.cps),
        "scm": _url(ports.scm),
        "oauth_token_url": _url(ports.scm_admin) + _TOKEN_PATH,
        "edge": {
            "staging": f"localhost:{ports.edge_staging}",
            "production": f"localhost:{ports.edge_production}",
        },
        "control": _url(ports.control),
        "ca_file": os.fspath(directory / "ca.pem"),
        "edgerc": os.fspath(directory / "edgerc"),
        "scm_admin": _url(ports.scm_admin),
        "private_ca_file": os.fspath(directory / "private-ca.pem"),
        "scm_credentials": _scm_credentials(sandbox, "api-admin"),
        "scm_readonly_credentials": _scm_credentials(sandbox, "api-reader"),
        "scm_client_certificate": {
            "cert_file": os.fspath(directory / "scm-client.pem"),
            "key_file": os.fspath(directory / "scm-client.key"),
        },
        "oauth_credentials": {"client_id": oauth.client_id, "client_secret": oauth.client_secret},
        "pid": os.getpid(),
    }


def _environment(sandbox: Sandbox, facts: Mapping[str, Any], directory: Path) -> dict[str, str]:
    client = _clients(sandbox)["default"]
    scm = facts["scm_credentials"]
    ca_file = facts["ca_file"]
    ours = {
        "CERTRECON_SANDBOX": facts["control"],  # certrecon takes the sandbox's clock as its own
        "CERTRECON_CA_FILE": ca_file,
        "CERTRECON_PRIVATE_ROOTS": sandbox.authority.private_root_fingerprint().lower(),
        "CERTRECON_SCM_URL": f"{facts['scm']}/api",
        "CERTRECON_SCM_PRIVATE_URL": f"{facts['scm']}/private/api",
        "CERTRECON_SCM_ADMIN_URL": f"{facts['scm_admin']}/api",
        "CERTRECON_SCM_TOKEN_URL": facts["oauth_token_url"],
        "CERTRECON_SCM_CUSTOMER_URI": scm["customer_uri"],
        "CERTRECON_SANDBOX_WORLD": _world(directory),  # its lock and journal are no other world's
        # Lock and journal of backend "file" live and die with this world: another one knows nothing of its enrollments.
        "CERTRECON_STATE_DIR": str(directory / "certrecon-state"),
        "CERTRECON_EDGE_STAGING": facts["edge"]["staging"],
        "CERTRECON_EDGE_PRODUCTION": facts["edge"]["production"],
    }
    credentials = {
        "AKAMAI_EDGERC": facts["edgerc"],
        "AKAMAI_EDGERC_SECTION": "default",
        "AKAMAI_HOST": facts["cps"].removeprefix("https://"),
        "AKAMAI_CLIENT_TOKEN": client.client_token,
        "AKAMAI_CLIENT_SECRET": client.client_secret,
        "AKAMAI_ACCESS_TOKEN": client.access_token,
        "SECTIGO_LOGIN": scm["login"],
        "SECTIGO_PASSWORD": scm["password"],
        "SECTIGO_CUSTOMER_URI": scm["customer_uri"],
        "SECTIGO_CLIENT_ID": facts["oauth_credentials"]["client_id"],
        "SECTIGO_CLIENT_SECRET": facts["oauth_credentials"]["client_secret"],
        "SECTIGO_CERT_FILE": facts["scm_client_certificate"]["cert_file"],
        "SECTIGO_KEY_FILE": facts["scm_client_certificate"]["key_file"],
    }
    others = ("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS", "CURL_CA_BUNDLE")
    return ours | credentials | dict.fromkeys(others, ca_file)


def _world(directory: Path) -> str:
    """Return what names this world, the same after a restart."""
    place = directory / "world"
    if not place.exists():
        write_private(place, secrets.token_hex(8).encode())
    return place.read_text()


def _exports(environment: Mapping[str, str]) -> str:
    return "".join(f"export {name}={shlex.quote(value)}\n" for name, value in environment.items())


def _clients(sandbox: Sandbox) -> Mapping[str, ApiClient]:
    return {client.section: client for client in sandbox.cps.state.clients}


def _scm_credentials(sandbox: Sandbox, login: str) -> dict[str, str]:
    scm = sandbox.scm.state
    return {"login": login, "password": scm.admins[login].password, "customer_uri": scm.customer_uri}


def _url(port: int) -> str:
    return f"https://localhost:{port}"
