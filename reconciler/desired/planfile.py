"""Saved plans: JSON that `plan --output json=PATH` wrote, judged by its schema before anybody reads a field of it."""

import json
from datetime import datetime
from pathlib import Path
from typing import Any

from jsonschema import Draft7Validator, FormatChecker, ValidationError

from reconciler.desired.schema import schema_of
from reconciler.errors import ConfigurationError, Location, Problem

MAJOR = 1


def read_saved_plan(path: Path) -> dict[str, Any]:
    """Return a plan file's content. A newer minor may have further fields, and further words in those we know.

    Raises:
        ConfigurationError: it cannot be read, is no plan, or is of a newer major version.
    """
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise _refusal(path, f"The file cannot be read: {error.strerror}.") from error
    except ValueError as error:
        raise _refusal(path, f"This is not JSON: {error}.") from error
    if not isinstance(data, dict) or data.get("kind") != "plan":
        raise _refusal(path, "This is not a plan of certrecon.")
    _check_version(path, data.get("format_version"))
    for found in _judge().iter_errors(data):
        if found.validator != "enum":
            raise _refusal(path, _violation(found))
    return data


def _judge() -> Draft7Validator:
    """Return what judges a plan, its times too: jsonschema alone takes any text for one."""
    times = FormatChecker(formats=())
    times.checks("date-time")(_is_instant)
    return Draft7Validator(schema_of("plan"), format_checker=times)


def _is_instant(text: object) -> bool:
    if not isinstance(text, str):
        return True  # of another type, or null: the schema says which may be
    try:
        return datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        return False


def _check_version(path: Path, version: object) -> None:
    major = str(version).partition(".")[0]
    if not major.isdecimal():
        raise _refusal(path, "It has no format_version.")
    if int(major) != MAJOR:
        raise _refusal(
            path, f"Its format_version is {version}; this certrecon reads {MAJOR}.x.", "Read it with a newer certrecon."
        )


def _violation(error: ValidationError) -> str:
    place = ".".join(str(part) for part in error.absolute_path)
    if error.validator == "format":
        return f"It is damaged at {place}: {str(error.instance)[:40]!r} is no instant."
    return f"It is damaged at {place or 'its top'}: {error.validator} does not hold."


def _refusal(
    path: Path, text: str, remedy: str = "Save it anew with 'certrecon plan --output json=PATH'."
) -> ConfigurationError:
    return ConfigurationError([Problem(location=Location(str(path)), text=text, remedy=remedy)])
