"""What `doctor` found: a line a check, with the remedy below each that is not ok."""

import enum
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rich.text import Text

from reconciler.report.escape import visible

FORMAT_VERSION = "1.0"


class State(enum.StrEnum):
    """How a check came out, worst first."""

    FAIL = "fail"
    WARN = "warn"
    SKIPPED = "skipped"
    OK = "ok"


_MARKS = {
    State.FAIL: ("!", "bold red"),
    State.WARN: ("!", "yellow"),
    State.SKIPPED: ("?", "cyan"),
    State.OK: ("=", "green"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One thing that was looked at."""

    topic: str  # "clock"
    subject: str = ""  # "account main"; empty where there is one only
    state: State
    text: str  # one sentence, without a full stop
    remedy: str = ""  # one sentence in the imperative

    @property
    def title(self) -> str:
        return f"{self.topic} of {self.subject}" if self.subject else self.topic


def doctor_text(checks: Sequence[Check]) -> list[Text]:
    """Return all checks in the order in which they were made, and their count."""
    width = max((len(visible(one.title)) for one in checks), default=0)
    return [*(line for one in checks for line in _lines(one, width)), Text(), _summary(checks)]


def _lines(check: Check, width: int) -> list[Text]:
    symbol, style = _MARKS[check.state]
    head = Text.assemble(
        (f"  {symbol} {check.state:<8}", style),
        (f"{visible(check.title):<{width}}", "bold"),
        f"  {visible(check.text)}",
    )
    remedy = [Text(f"{'':<{width + 14}}{visible(check.remedy)}")] if check.remedy else []
    return [head, *remedy]


def _summary(checks: Sequence[Check]) -> Text:
    counts = [(sum(one.state is state for one in checks), state) for state in State]
    return Text(f"Doctor: {', '.join(f'{count} {state}' for count, state in counts if count)}.", style="bold")


def doctor_json(checks: Sequence[Check], *, tool_version: str) -> dict[str, Any]:
    return {
        "format_version": FORMAT_VERSION,
        "kind": "doctor",
        "tool_version": tool_version,
        "checks": [
            {
                "topic": one.topic,
                "subject": one.subject or None,
                "state": str(one.state),
                "text": one.text,
                "remedy": one.remedy or None,
            }
            for one in checks
        ],
    }
