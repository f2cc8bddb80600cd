"""Facts for people and programs: what is known, with the reason or the place that it comes from."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from rich.text import Text

from reconciler.report.escape import visible

_DAY = timedelta(days=1)

Value = str | int | float | bool | datetime | timedelta | None | Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """One thing that is known. `why` is the rule it follows from; `source` a place in a file, or a service."""

    key: str  # unique in its section: "renew_before" for programs; people read it with spaces
    value: Value
    why: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """Facts of one subject, in the order in which they are read."""

    key: str
    facts: tuple[Fact, ...]


def facts_text(sections: Iterable[Section]) -> list[Text]:
    """Return the sections with their facts, one a line; further items of a list have lines of their own."""
    lines: list[Text] = []
    for section in sections:
        if section.facts:
            width = max(len(_label(fact.key)) for fact in section.facts)
            lines += [Text(_title(section.key), style="bold")]
            lines += [line for fact in section.facts for line in _lines(fact, width)]
            lines.append(Text())
    return lines


def _lines(fact: Fact, width: int) -> list[Text]:
    first, *further = _shown(fact.value)
    line = Text.assemble(f"  {_label(fact.key):<{width}}  ", visible(first))
    place = f"  ({'; '.join(part for part in (fact.why, fact.source) if part)})" if fact.why or fact.source else ""
    if not further:
        return [line.append(visible(place), style="dim")]
    rest = [Text(f"  {'':<{width}}  {visible(one)}") for one in further]
    rest[-1].append(visible(place), style="dim")
    return [line, *rest]


def _label(key: str) -> str:
    return key.replace("_", " ")


def _title(key: str) -> str:
    label = _label(key)
    return label[:1].upper() + label[1:]


def _shown(value: Value) -> list[str]:
    match value:
        case None:
            return ["-"]
        case bool():
            return ["yes" if value else "no"]
        case datetime():
            return [f"{value:%Y-%m-%d %H:%M:%S} UTC"]
        case timedelta():
            return [f"{value / _DAY:.4g} days"]
        case str() | int() | float():
            return [str(value)]
        case _:
            return list(value) or ["-"]


def facts_json(sections: Iterable[Section]) -> dict[str, Any]:
    """Return the sections by key, each fact with its value, reason and source; times as ISO 8601, spans in seconds."""
    return {section.key: {fact.key: _fact_json(fact) for fact in section.facts} for section in sections}


def _fact_json(fact: Fact) -> dict[str, Any]:
    return {"value": json_value(fact.value), "why": fact.why or None, "source": fact.source or None}


def json_value(value: Value) -> Any:
    match value:
        case datetime():
            return value.isoformat().replace("+00:00", "Z")
        case timedelta():
            return value.total_seconds()
        case str() | int() | float() | None:
            return value
        case _:
            return list(value)
