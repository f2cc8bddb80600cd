"""Values <-> JSON, for what certrecon keeps: dataclasses by their fields' names, members at their default left out.

Reading is strict: a member that the class does not have is an error, since writing it back would lose it.
"""

import dataclasses
import enum
import types
import typing
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any, TypeVar

T = TypeVar("T")


class CodecError(ValueError):
    """The JSON is not of the class that was asked for."""


def to_json(value: object) -> Any:
    """Return `value` as JSON has it. Times become ISO 8601 in UTC, sets sorted lists, keys of maps texts."""
    match value:
        case enum.Enum():
            return value.value
        case None | bool() | int() | float() | str():
            return value
        case datetime():
            return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
        case Mapping():
            return {str(key): to_json(item) for key, item in value.items()}
        case frozenset():
            return sorted(to_json(item) for item in value)
        case tuple():
            return [to_json(item) for item in value]
        case _ if dataclasses.is_dataclass(value) and not isinstance(value, type):
            return {
                field.name: to_json(getattr(value, field.name))
                for field in dataclasses.fields(value)
                if getattr(value, field.name) != _default(field)
            }
        case _:
            raise TypeError(f"not for the journal: {type(value).__name__}")


def from_json(kind: type[T], data: object) -> T:
    """Return the dataclass `kind` that `to_json` wrote as `data`.

    Raises:
        CodecError: `data` is something else; the message says where.
    """
    value = _read(kind, data, kind.__name__)
    assert isinstance(value, kind)
    return value


def _read(kind: Any, data: object, where: str) -> object:
    kind = getattr(kind, "__supertype__", kind)
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin in (typing.Union, types.UnionType):
        return _read_optional(arguments, data, where)
    if origin in (tuple, frozenset):
        return origin(_read(arguments[0], item, where) for item in _checked(list, data, where))
    if origin is Mapping:
        found = _checked(dict, data, where)
        return {
            _key(arguments[0], key, where): _read(arguments[1], item, f"{where}.{key}") for key, item in found.items()
        }
    if dataclasses.is_dataclass(kind):
        return _read_fields(kind, _checked(dict, data, where), where)
    return _read_plain(kind, data, where)


def _read_optional(kinds: tuple[Any, ...], data: object, where: str) -> object:
    (kind,) = (one for one in kinds if one is not types.NoneType)
    return None if data is None else _read(kind, data, where)


def _read_fields(kind: Any, data: dict[str, object], where: str) -> object:
    hints = _hints(kind)
    unknown = sorted(set(data) - set(hints))
    if unknown:
        raise CodecError(f"{where}: unknown member {unknown[0]}")
    try:
        return kind(**{name: _read(hints[name], item, f"{where}.{name}") for name, item in data.items()})
    except TypeError as error:
        raise CodecError(f"{where}: a member is missing") from error


def _read_plain(kind: Any, data: object, where: str) -> object:
    try:
        if kind is datetime:
            return datetime.fromisoformat(_checked(str, data, where))
        if issubclass(kind, enum.Enum):
            return kind(data)
    except ValueError as error:
        raise CodecError(f"{where}: {data!r} is none of its values") from error
    if kind is float and type(data) is int:
        return float(data)
    return _checked(kind, data, where)


def _key(kind: Any, key: str, where: str) -> object:
    kind = getattr(kind, "__supertype__", kind)
    try:
        return kind(key)
    except ValueError as error:
        raise CodecError(f"{where}: {key!r} is no key") from error


def _checked(kind: type[T], data: object, where: str) -> T:
    if not isinstance(data, kind) or (isinstance(data, bool) and kind is not bool):
        raise CodecError(f"{where}: not a {kind.__name__}")
    return data


@cache
def _hints(kind: type) -> Mapping[str, Any]:
    return typing.get_type_hints(kind)


def _default(field: "dataclasses.Field[Any]") -> object:
    if field.default_factory is not dataclasses.MISSING:
        return field.default_factory()
    return field.default
