"""Say quickly that data fits a schema. What does not, or not surely, is jsonschema's to judge and to name.

Nearly every file fits, and to import jsonschema takes longer than to judge a file. It is the same schema that is read
here, and a keyword that is not known here is never passed over: then nothing surely fits.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

Schema = Mapping[str, Any]

_TYPES: Mapping[str, tuple[type, ...]] = {
    "array": (list,),
    "boolean": (bool,),
    "integer": (int,),
    "null": (type(None),),
    "number": (int, float),
    "object": (dict,),
    "string": (str,),
}
_NOTES = frozenset({"$id", "$schema", "default", "description", "examples", "title"})


def fits(data: object, schema: Schema) -> bool:
    """Tell whether `data` surely fits a schema of draft 7."""
    return all(keyword in _NOTES or _holds(keyword, data, schema) for keyword in schema)


def _holds(keyword: str, data: object, schema: Schema) -> bool:
    check = _CHECKS.get((type(data), keyword)) or _CHECKS.get((None, keyword))
    return check(data, schema[keyword], schema) if check else keyword in _OF_ONE_TYPE


def _type(data: object, wanted: str | list[str], _: Schema) -> bool:
    names = [wanted] if isinstance(wanted, str) else wanted
    return any(type(data) in _TYPES[name] for name in names)  # a bool is an int to Python, and not to a schema


def _same(data: object, wanted: object) -> bool:
    return type(data) is type(wanted) and data == wanted


def _properties(data: dict[str, object], properties: Mapping[str, Schema], _: Schema) -> bool:
    return all(fits(value, properties[name]) for name, value in data.items() if name in properties)


def _additional(data: dict[str, object], wanted: bool | Schema, schema: Schema) -> bool:
    others = [value for name, value in data.items() if name not in schema.get("properties", {})]
    return not others if wanted is False else wanted is True or all(fits(value, wanted) for value in others)


def _unique(data: list[object], wanted: bool, _: Schema) -> bool:
    return not wanted or (all(isinstance(one, str) for one in data) and len(set(data)) == len(data))


_CHECKS: Mapping[tuple[type | None, str], Callable[[Any, Any, Schema], bool]] = {
    (None, "type"): _type,
    (None, "const"): lambda data, wanted, _: _same(data, wanted),
    (None, "enum"): lambda data, wanted, _: any(_same(data, one) for one in wanted),
    (str, "pattern"): lambda data, wanted, _: re.search(wanted, data) is not None,
    (str, "minLength"): lambda data, wanted, _: len(data) >= wanted,
    (str, "maxLength"): lambda data, wanted, _: len(data) <= wanted,
    (int, "minimum"): lambda data, wanted, _: data >= wanted,
    (int, "maximum"): lambda data, wanted, _: data <= wanted,
    (float, "minimum"): lambda data, wanted, _: data >= wanted,
    (float, "maximum"): lambda data, wanted, _: data <= wanted,
    (list, "items"): lambda data, wanted, _: isinstance(wanted, dict) and all(fits(one, wanted) for one in data),
    (list, "minItems"): lambda data, wanted, _: len(data) >= wanted,
    (list, "uniqueItems"): _unique,
    (dict, "properties"): _properties,
    (dict, "required"): lambda data, wanted, _: all(name in data for name in wanted),
    (dict, "additionalProperties"): _additional,
    (dict, "propertyNames"): lambda data, wanted, _: all(fits(name, wanted) for name in data),
    (dict, "minProperties"): lambda data, wanted, _: len(data) >= wanted,
}
_OF_ONE_TYPE = frozenset(keyword for kind, keyword in _CHECKS if kind is not None)  # of another type, they say nothing
