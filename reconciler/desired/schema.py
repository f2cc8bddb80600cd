"""The JSON Schemas of the files that people write, and of plans."""

import functools
import importlib.resources
import json
from collections.abc import Iterator, Mapping
from importlib.resources.abc import Traversable
from typing import TYPE_CHECKING, Any, Literal

from reconciler.desired.yamlfile import join

if TYPE_CHECKING:
    from jsonschema import Draft7Validator

Kind = Literal["certificate", "defaults", "configuration", "plan"]

SUFFIX = ".schema.json"

# What _defaults.yaml may not hold: it would make many certificates one, or act on many by one line.
FORBIDDEN_IN_DEFAULTS = frozenset(
    {"name", "commonName", "dnsNames", "state", "revoke"}
    | {"akamai.enrollmentId", "akamai.adoptChange", "akamai.cancelChange"}
)


@functools.cache
def validator(kind: Kind) -> "Draft7Validator":
    from jsonschema import Draft7Validator  # only for what does not fit: see `desired.fits`

    return Draft7Validator(schema_of(kind))


@functools.cache
def all_fields(kind: Kind) -> frozenset[tuple[str, str]]:
    """Return (parent, name) of every field outside of lists and maps of the user's own names."""
    return frozenset(_fields(schema_of(kind), ""))


def built_in(kind: Kind) -> Iterator[tuple[str, Any]]:
    """Yield (pointer, default) of every field outside of lists and maps of the user's own names."""
    yield from _defaults(schema_of(kind), "")


def _defaults(schema: Mapping[str, Any], parent: str) -> Iterator[tuple[str, Any]]:
    for name, field in schema["properties"].items():
        pointer = join(parent, name)
        if "properties" in field:
            yield from _defaults(field, pointer)
        else:
            yield pointer, field.get("default")


def _fields(schema: Mapping[str, Any], parent: str) -> Iterator[tuple[str, str]]:
    for name, field in schema.get("properties", {}).items():
        yield parent, name
        yield from _fields(field, join(parent, name))


@functools.cache
def schema_of(kind: Kind) -> Mapping[str, Any]:
    schema: Mapping[str, Any] = json.loads(schema_text(kind))
    return schema


def schema_text(name: str) -> str:
    """Return the schema of that name, as it is packaged."""
    return (_folder() / f"{name}{SUFFIX}").read_text(encoding="utf-8")


def schema_names() -> tuple[str, ...]:
    """Return the names of all schemas."""
    names = (file.name for file in _folder().iterdir())
    return tuple(sorted(name.removesuffix(SUFFIX) for name in names if name.endswith(SUFFIX)))


def _folder() -> Traversable:
    return importlib.resources.files("reconciler") / "schemas"
