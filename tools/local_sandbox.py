"""A sandbox in a directory of its own, and the environment that points certrecon at it."""

import json
import os
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tools.processes import Children

CERTRECON = str(Path(sys.executable).with_name("certrecon"))
_READY_S = 60.0
_LOOK_S = 0.05
# Prints the environment as JSON after sourcing a file: shell quoting stays the shell's business.
_SOURCE = '. "$1" && exec "$2" -c "import json, os; print(json.dumps(dict(os.environ)))"'


class SandboxFailedError(Exception):
    """The sandbox did not start; says what it logged."""


def start(directory: Path, children: Children, *options: str) -> dict[str, Any]:
    """Start `certrecon sandbox serve` in `directory`; return what its sandbox.json says once it is ready."""
    directory.mkdir(parents=True, exist_ok=True)
    log, ready = directory / "serve.log", directory / "sandbox.json"
    command = [CERTRECON, "sandbox", "serve", "--dir", str(directory), *options]
    child = children.start(command, env=clean_environment(directory), cwd=directory, log=log)
    _await(child, ready, log)
    urls: dict[str, Any] = json.loads(ready.read_text())
    return urls


def _await(child: "subprocess.Popen[bytes]", ready: Path, log: Path) -> None:
    deadline = time.monotonic() + _READY_S
    while not ready.exists():
        if child.poll() is not None:
            raise SandboxFailedError(f"the sandbox ended with {child.returncode}:\n{log.read_text()}")
        if time.monotonic() > deadline:
            raise SandboxFailedError(f"the sandbox was not ready after {_READY_S:.0f} s:\n{log.read_text()}")
        time.sleep(_LOOK_S)


def environment(directory: Path) -> dict[str, str]:
    """Return our environment with the sandbox's exports (its file `env`) on top."""
    sourced = subprocess.run(
        ["/bin/sh", "-c", _SOURCE, "sh", str(directory / "env"), sys.executable],
        env=clean_environment(directory),
        check=True,
        capture_output=True,
        text=True,
    )
    values: dict[str, str] = json.loads(sourced.stdout)
    return values


def clean_environment(home: Path) -> dict[str, str]:
    """Return our environment without what points certrecon or git elsewhere; user files go under `home`."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("CERTRECON_", "AKAMAI_", "SECTIGO_", "NOTIFY_", "GIT_", "XDG_"))
    }
    bin_first = os.pathsep.join([str(Path(sys.executable).parent), kept.get("PATH", os.defpath)])
    return kept | {"HOME": str(home), "PATH": bin_first, "GIT_CONFIG_NOSYSTEM": "1"}


def ask(sandbox: Mapping[str, Any], method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
    """Call the control API: what a person does in a portal, or what the world looks like."""
    context = ssl.create_default_context(cafile=sandbox["ca_file"])
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(sandbox["control"] + path, data, method=method)  # noqa: S310 - our own sandbox
    try:
        with urllib.request.urlopen(request, timeout=60, context=context) as answer:  # noqa: S310
            return json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            raise SandboxFailedError(f"{method} {path}: {error.read().decode()}") from None
