"""Digests of a desired certificate and of live settings: what plans and preconditions compare."""

import dataclasses
import enum
import hashlib
import json
from collections.abc import Mapping, Set
from datetime import date
from typing import TYPE_CHECKING

from reconciler.model.certificate import DesiredCertificate
from reconciler.model.enrollment import Enrollment

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

_FORMAT = "certrecon/v1"
# Where a certificate is written says nothing of what it is: renaming a file changes nothing.
_NOT_COMPARED = frozenset({"name", "location", "sources"})
# What tells which enrollment it is, what is under way, when, and where it is deployed.
_NO_SETTINGS = frozenset({"id", "account", "contract", "pending", "auto_renewal_starts_at", "production_slots"})


def desired_digest(certificate: DesiredCertificate) -> str:
    """Return the SHA-256 of the effective normalised certificate, in hex; equal exactly when the certificates are.

    Fields at their default are left out, so that a later version's new optional field moves no digest.
    """
    compared = {name: value for name, value in _fields(certificate).items() if name not in _NOT_COMPARED}
    return _digest({"format": _FORMAT, "certificate": compared})


def settings_digest(enrollment: Enrollment) -> str:
    """Return the SHA-256 of an enrollment's normalised settings, in hex, also of those that no file names."""
    return _digest({name: value for name, value in _fields(enrollment).items() if name not in _NO_SETTINGS})


def _digest(value: Mapping[str, object]) -> str:
    canonical = json.dumps(value, sort_keys=True, ensure_ascii=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode("ascii")).hexdigest()


def _canonical(value: object) -> object:
    match value:
        case enum.Enum():
            return value.value
        case date():
            return value.isoformat()
        case str() | int() | float() | bool() | None:
            return value
        case Mapping():
            return {str(key): _canonical(item) for key, item in value.items()}
        case Set():
            return sorted((_canonical(item) for item in value), key=json.dumps)
        case tuple():
            return [_canonical(item) for item in value]
        case _ if dataclasses.is_dataclass(value) and not isinstance(value, type):
            return _fields(value)
        case _:
            raise TypeError(f"no canonical form: {type(value).__name__}")


def _fields(value: "DataclassInstance") -> dict[str, object]:
    return {
        field.name: _canonical(getattr(value, field.name))
        for field in dataclasses.fields(value)
        if getattr(value, field.name) != _default(field)
    }


def _default(field: "dataclasses.Field[object]") -> object:
    if field.default_factory is not dataclasses.MISSING:
        return field.default_factory()
    return field.default
