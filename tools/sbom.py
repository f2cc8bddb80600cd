"""Print what certrecon installs with, as a CycloneDX 1.6 bill of materials: the package's lock, with its hashes."""

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
_PIN = re.compile(r"([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==([^\s;]+)")


def bill(lock: str, version: str) -> dict[str, Any]:
    """Return the bill of a lock with hashes. The hash of each file that an index may serve is an external reference."""
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": {"type": "application", "bom-ref": "certrecon", **_named("certrecon", version)}},
        "components": list(_components(lock)),
    }


def _components(lock: str) -> Iterator[dict[str, Any]]:
    for line in lock.replace("\\\n", " ").splitlines():
        pinned = _PIN.match(line.strip())
        if pinned is None:
            continue
        named = _named(pinned[1], pinned[2])
        files = [
            {"type": "distribution", "url": named["purl"], "hashes": [{"alg": "SHA-256", "content": digest}]}
            for digest in re.findall(r"--hash=sha256:([0-9a-f]{64})", line)
        ]
        yield {"type": "library", "bom-ref": named["purl"], **named, "externalReferences": files}


def _named(name: str, version: str) -> dict[str, str]:
    return {"name": name, "version": version, "purl": f"pkg:pypi/{name.lower().replace('_', '-')}@{version}"}


def main() -> None:
    """Print the bill of this tree. It needs no installed package, so that a release can make it before anything."""
    found = re.search(r'__version__ = "([^"]+)"', (ROOT / "reconciler" / "__init__.py").read_text())
    assert found is not None
    json.dump(bill((ROOT / "requirements.txt").read_text(), found[1]), sys.stdout, indent=2)
    sys.stdout.write("\n")


if __name__ == "__main__":
    main()
