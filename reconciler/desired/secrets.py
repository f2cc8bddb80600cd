"""Finds what looks like a secret in a file: git remembers it for ever. Messages never show the value."""

import re
from collections.abc import Iterator

from reconciler.desired.yamlfile import Document, Json, join
from reconciler.errors import Problem

_REMEDY = (
    "Take it out, revoke it if it was ever pushed, and put it into the environment; files hold names of variables only."
)
_VARIABLE = re.compile(r"[A-Z][A-Z0-9_]*\Z")
_SECRET_KEY = re.compile(r"pass(word|wd|phrase)?|secret|token|api_?key|private_?key|credentials?", re.IGNORECASE)
_SECRET_VALUES = (
    re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----"),
    re.compile(r"\bakab-[a-z0-9]{16}-[a-z0-9]{16}\b"),  # EdgeGrid's client and access tokens
    re.compile(r"\b(gh[pousr]|github_pat|glpat)[_-][A-Za-z0-9_-]{20,}"),
    re.compile(r"://[^/\s:@]+:[^/\s@]+@"),  # a URL with a password
    re.compile(r"\bey[A-Za-z0-9_-]{10,}\.ey[A-Za-z0-9_-]{10,}\."),  # a JSON Web Token
)
_OPAQUE = re.compile(r"(?=.*[a-z])(?=.*[A-Z])(?=.*[0-9])[A-Za-z0-9+/_-]{32,}={0,2}\Z")
_HEX = re.compile(r"[0-9A-Fa-f-]+\Z")  # serial numbers, fingerprints, UUIDs: public things


def secret_problems(document: Document) -> Iterator[Problem]:
    """Find the fields whose name or value is that of a secret."""
    for pointer, value in _texts(document.data, ""):
        if looks_secret(value) or _is_secret_field(pointer, value):
            yield Problem(
                location=document.value(pointer),
                text="This looks like a secret, and files may not hold one.",
                remedy=_REMEDY,
                pointer=pointer,
            )


def looks_secret(value: str) -> bool:
    """Tell whether a text has the form of a key, a token, a URL with a password, or is long and opaque."""
    if any(pattern.search(value) for pattern in _SECRET_VALUES):
        return True
    return bool(_OPAQUE.match(value)) and not _HEX.match(value)


def _is_secret_field(pointer: str, value: str) -> bool:
    key = pointer.rpartition(".")[2]
    return bool(_SECRET_KEY.search(key)) and not _VARIABLE.match(value)


def _texts(value: Json, pointer: str) -> Iterator[tuple[str, str]]:
    match value:
        case str():
            yield pointer, value
        case dict():
            for key, item in value.items():
                yield from _texts(item, join(pointer, key))
        case list():
            for index, item in enumerate(value):
                yield from _texts(item, join(pointer, index))
        case _:
            pass
