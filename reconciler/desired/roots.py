"""Private roots as the configuration names them: by fingerprint, or by the PEM file of the root itself.

A fingerprint is enough where SCM sends the root with each certificate. Where it does not, the root must be had here.
"""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from reconciler.desired.fields import Fields
from reconciler.desired.yamlfile import Document
from reconciler.errors import Problem

_FINGERPRINT = re.compile(r"[0-9A-F]{64}")


def root_problems(folder: Path, document: Document) -> Iterator[Problem]:
    """Find the files of private roots that cannot be used. `folder`: what their paths are relative to."""
    for name, instance in Fields(document.data).section("sectigo").named_sections():
        for entry in instance.texts("privateRoots") or ():
            if _fingerprint(entry) is None and (why := _unusable(folder / entry)) is not None:
                pointer = f"sectigo.{name}.privateRoots"
                yield Problem(
                    location=document.value(pointer),
                    pointer=pointer,
                    text=f'"{entry}" {why}.',
                    remedy="Name the root's PEM file, from the folder of certrecon.yaml on, or its SHA-256.",
                )


def private_roots(folder: Path, entries: Iterable[str]) -> tuple[frozenset[str], tuple[str, ...]]:
    """Return the fingerprints (SHA-256, upper-case hex) of the roots, and as PEM those that are given as files."""
    fingerprints: set[str] = set()
    pems: list[str] = []
    for entry in entries:
        if (fingerprint := _fingerprint(entry)) is not None:
            fingerprints.add(fingerprint)
            continue
        text = (folder / entry).read_text(encoding="utf-8")
        pems.append(text)
        fingerprints.update(_sha256(text))
    return frozenset(fingerprints), tuple(pems)


def _fingerprint(entry: str) -> str | None:
    text = entry.replace(":", "").upper()
    return text if _FINGERPRINT.fullmatch(text) else None


def _unusable(path: Path) -> str | None:
    from reconciler.model.x509 import MalformedCertificateError, parse_certificates  # slow, and files are seldom named

    try:
        found = parse_certificates(path.read_text(encoding="utf-8"))
    except OSError as error:
        return f"cannot be read ({error.strerror})"
    except (MalformedCertificateError, UnicodeDecodeError):
        return "holds no certificate in PEM form"
    others = [one.label for one in found if not one.self_signed]
    return f"holds {others[0]}, which is no root" if others else None


def _sha256(pem: str) -> Iterator[str]:
    from reconciler.model.x509 import parse_certificates  # as above

    yield from (one.sha256 for one in parse_certificates(pem))
