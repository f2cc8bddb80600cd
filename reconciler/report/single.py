"""One certificate's facts in a frame: when they were seen, and what could not be read."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from rich.text import Text

from reconciler.errors import Problem
from reconciler.report.escape import visible
from reconciler.report.facts import Section, facts_json, facts_text, json_value
from reconciler.report.problem import problem_json

FORMAT_VERSION = "1.0"


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """When the facts were seen, and what makes them less than whole."""

    at: datetime
    problems: tuple[Problem, ...]
    unread: tuple[str, ...]


def single_text(sections: Sequence[Section], seen: Seen) -> list[Text]:
    """Return the facts, behind what makes them less than whole."""
    wrong = [*(str(problem) for problem in seen.problems), *seen.unread]
    head = [Text(f"As of {seen.at:%Y-%m-%d %H:%M:%S} UTC", style="dim"), Text()]
    lines = [Text(f"  {visible(text)}", style="red") for text in wrong]
    return [*head, *([Text("Problems", style="bold"), *lines, Text()] if wrong else []), *facts_text(sections)]


def single_json(kind: str, sections: Sequence[Section], seen: Seen, *, tool_version: str) -> dict[str, Any]:
    """Return the facts as an object a section; keys are those of the facts."""
    return {
        "format_version": FORMAT_VERSION,
        "kind": kind,
        "tool_version": tool_version,
        "at": json_value(seen.at),
        "problems": [problem_json(problem) for problem in seen.problems],
        "unread": list(seen.unread),
        "facts": facts_json(sections),
    }
