"""Effective values as text and JSON: what holds for a certificate, and where it is written."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rich.text import Text

from reconciler.errors import Location
from reconciler.report.escape import visible


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """One effective value. `place` is None where it is built in."""

    pointer: str
    value: Any  # as JSON has it
    place: Location | None
    note: str


def effective_text(values: Sequence[Shown]) -> list[Text]:
    """Return one value a line: the field, what holds, and the file and line that say so."""
    rows = [(visible(one.pointer), visible(_value(one.value)), one) for one in values]
    pointers = max((len(pointer) for pointer, _, _ in rows), default=0)
    texts = max((len(value) for _, value, _ in rows), default=0)
    return [
        Text.assemble(f"{pointer:<{pointers}}  {value:<{texts}}  ", (visible(_place(one)), "dim"))
        for pointer, value, one in rows
    ]


def _value(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _place(one: Shown) -> str:
    if one.place is None:
        return f"built in{one.note}"
    return f"{one.place.path}:{one.place.line}"


def effective_json(name: str, values: Sequence[Shown], *, tool_version: str) -> dict[str, Any]:
    return {
        "format_version": "1.0",
        "kind": "effective",
        "tool_version": tool_version,
        "name": name,
        "values": [
            {
                "field": one.pointer,
                "value": one.value,
                "path": one.place.path if one.place is not None else None,
                "line": one.place.line if one.place is not None else None,
            }
            for one in values
        ],
    }
