"""The choices that a person may set while the sandbox runs: the fields of the services' options, by name."""

import dataclasses
import difflib
import re
import types
import typing
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import msgspec

_UNITS_S = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}
_DURATION = re.compile(r"(?:\d+(?:\.\d+)?(?:ms|[smhdw]))+")
_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|[smhdw])")
_LONGEST_S = 1000 * 366 * 86400.0
_SWITCH = {"on": True, "yes": True, "true": True, "1": True, "off": False, "no": False, "false": False, "0": False}


class OptionError(ValueError):
    """No such option, or no such value of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """One choice as it stands: what `certrecon sandbox set` lists."""

    name: str
    value: object
    takes: str
    point: int | None  # of the closing section of the service's reference document
    help: str


def seconds(text: str) -> float:
    """Return the seconds of `90`, `1.5h`, `2d12h`. Units: ms, s, m, h, d, w.

    Raises:
        OptionError: it is no duration, or one of over a thousand years.
    """
    try:
        read = _of_parts(text) if _DURATION.fullmatch(text) else float(text)
    except ValueError:
        raise OptionError(f"{text!r} is no duration: write seconds, or 90s, 15m, 36h, 2d12h") from None
    if not abs(read) <= _LONGEST_S:  # nor what is no number
        raise OptionError(f"{text!r} is longer than a thousand years")
    return read


def _of_parts(text: str) -> float:
    return sum(float(number) * _UNITS_S[unit] for number, unit in _PART.findall(text))


class Options:
    """All options dataclasses of one sandbox under their field names, which are unique over all of them."""

    def __init__(self, *holders: Any) -> None:
        self._holders: dict[str, Any] = {}
        for holder in holders:
            for field in dataclasses.fields(holder):
                if field.name in self._holders:
                    raise ValueError(f"two options are called {field.name}")
                self._holders[field.name] = holder

    def __iter__(self) -> Iterator[Option]:
        for name in sorted(self._holders):
            field = self._field(name)
            yield Option(
                name=name,
                value=self.get(name),
                takes=_choices(self._hint(name)),
                point=field.metadata.get("point"),
                help=field.metadata.get("help", ""),
            )

    def get(self, name: str) -> object:
        return getattr(self._holder(name), name)

    def set(self, name: str, value: object) -> object:
        """Set one option from its text, or its value, and return what it is now.

        Raises:
            OptionError: no such option, or it does not take this value.
        """
        holder = self._holder(name)
        parsed = self._parsed(name, value)
        setattr(holder, name, parsed)
        return parsed

    def set_all(self, values: Mapping[str, object]) -> None:
        """Set all of them or, if one is wrong, none."""
        parsed = {name: self._parsed(name, value) for name, value in values.items()}
        for name, value in parsed.items():
            setattr(self._holders[name], name, value)

    def _parsed(self, name: str, value: object) -> object:
        self._holder(name)
        hint = self._hint(name)
        try:
            return msgspec.convert(_plain(name, value, hint), hint, strict=False)
        except msgspec.ValidationError:
            raise OptionError(f"{name} takes {_choices(hint)}, not {value!r}") from None

    def _holder(self, name: str) -> Any:
        holder = self._holders.get(name)
        if holder is None:
            near = difflib.get_close_matches(name, self._holders, n=3, cutoff=0.5)
            hint = f"did you mean {' or '.join(near)}?" if near else f"there are: {', '.join(sorted(self._holders))}"
            raise OptionError(f"no option is called {name!r}; {hint}")
        return holder

    def _field(self, name: str) -> "dataclasses.Field[Any]":
        return next(field for field in dataclasses.fields(self._holder(name)) if field.name == name)

    def _hint(self, name: str) -> Any:
        return typing.get_type_hints(type(self._holder(name)))[name]


def _plain(name: str, value: object, hint: Any) -> object:
    """Return the value with the words that people write for on, off and none in place of JSON's."""
    if not isinstance(value, str):
        return value
    if hint is bool:
        return _SWITCH.get(value.lower(), value)
    if value.lower() == "none" and types.NoneType in typing.get_args(hint):
        return None
    return seconds(value) if name.endswith("_s") else value


def _choices(hint: Any) -> str:
    if typing.get_origin(hint) is Literal:
        return "|".join(str(value) for value in typing.get_args(hint))
    if typing.get_origin(hint) in (types.UnionType, typing.Union):
        return "|".join(_choices(part) for part in typing.get_args(hint))
    names = {bool: "on|off", int: "a whole number", float: "a number", str: "a text", types.NoneType: "none"}
    return names.get(hint, str(hint))
