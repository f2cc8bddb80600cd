"""The JSON Schemas of the files that people write, and of plans."""

import functools
import importlib.resources
import json
from collections.abc import Iterator, Mapping
from typing import Any, Literal

from jsonschema import Draft7Validator

from reconciler.desired.yamlfile import join

Kind = Literal["certificate", "defaults", "configuration", "plan"]

# What _defaults.yaml may not hold: it would make many certificates one, or act on many by one line.
FORBIDDEN_IN_DEFAULTS = frozenset(
    {"name", "commonName", "dnsNames", "state", "revoke"}
    | {"akamai.enrollmentId", "akamai.adoptChange", "akamai.cancelChange"}
)


@functools.cache
def validator(kind: Kind) -> Draft7Validator:
    return Draft7Validator(_schema_of(kind))


@functools.cache
def all_fields(kind: Kind) -> frozenset[tuple[str, str]]:
    """Return (parent, name) of every field outside of lists and maps of the user's own names."""
    return frozenset(_fields(_schema_of(kind), ""))


def built_in(kind: Kind) -> Iterator[tuple[str, Any]]:
    """Yield (pointer, default) of every field outside of lists and maps of the user's own names."""
    yield from _defaults(_schema_of(kind), "")


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
def _schema_of(kind: Kind) -> Mapping[str, Any]:
    file = importlib.resources.files("reconciler") / "schemas" / f"{kind}.schema.json"
    schema: Mapping[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return schema
