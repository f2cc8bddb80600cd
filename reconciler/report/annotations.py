"""GitHub's workflow commands: what a person has to see at the lines of a change, as annotations.

GitHub shows ten of a kind in a step and drops the rest without a word: nine are told here, and how many more there are.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from reconciler.errors import Location, Problem, Severity
from reconciler.report.document import PlanDocument, ResultDocument
from reconciler.report.escape import visible
from reconciler.report.lines import blocked_lines, refusal_lines
from reconciler.report.outcome import Ending

_MOST = 9
_COMMANDS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "notice"}
_BAD = (Ending.FAILED, Ending.BLOCKED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Annotation:
    title: str
    text: str
    severity: Severity = Severity.ERROR
    location: Location | None = None


def problem_annotations(problems: Iterable[Problem]) -> str:
    """Return the commands for problems in files."""
    return _commands(list(_problems(problems)))


def plan_annotations(plan: PlanDocument) -> str:
    """Return the commands for a plan: problems, what could not be read, failed, refused, blocked."""
    found = [*_problems(plan.problems), *_unread(plan.unread)]
    for row in plan.certificates:
        if row.failure is not None:
            found.append(Annotation(title=f"{row.name}: failed", text=row.failure, location=row.location))
        if row.refused is not None:
            text = " ".join(refusal_lines(row, row.refused))
            found.append(Annotation(title=f"{row.name}: refused by a guard", text=text, location=row.location))
        if row.work.state == "blocked":
            text = " ".join(blocked_lines(row))
            found.append(Annotation(title=f"{row.name}: blocked", text=text, location=row.location))
    return _commands(found)


def result_annotations(result: ResultDocument) -> str:
    """Return the commands for the result of an apply: problems, what could not be read, failed, blocked."""
    found = [*_problems(result.problems), *_unread(result.unread)]
    for ending in _BAD:
        rows = [row for row in result.certificates if row.ending == ending]
        found += [Annotation(title=f"{row.name}: {ending}", text=row.text) for row in rows]
    return _commands(found)


def _problems(problems: Iterable[Problem]) -> Iterator[Annotation]:
    for one in problems:
        field = f"{one.pointer}: " if one.pointer else ""
        yield Annotation(
            title=one.rule or "certrecon",
            text=f"{field}{one.text} {one.remedy}".rstrip(),
            severity=one.severity,
            location=one.location,
        )


def _unread(texts: Iterable[str]) -> Iterator[Annotation]:
    yield from (Annotation(title="could not be read completely", text=text) for text in texts)


def _commands(found: Sequence[Annotation]) -> str:
    """Return a command a line, errors first; nothing for nothing."""
    order = list(_COMMANDS)
    worst = sorted(found, key=lambda one: order.index(one.severity))
    lines = [_command(one) for one in worst[:_MOST]]
    if rest := worst[_MOST:]:
        counts = ", ".join(
            f"{count} {_COMMANDS[severity]}s" if count > 1 else f"1 {_COMMANDS[severity]}"
            for severity in order
            if (count := sum(one.severity is severity for one in rest))
        )
        more = Annotation(title="certrecon", text=f"and {len(rest)} more: {counts}", severity=rest[0].severity)
        lines.append(_command(more))
    return "".join(f"{line}\n" for line in lines)


def _command(one: Annotation) -> str:
    place = one.location
    properties = {
        "file": place.path if place is not None else "",
        "line": str(place.line) if place is not None and place.line else "",
        "col": str(place.column) if place is not None and place.column else "",
        "title": one.title,
    }
    said = ",".join(f"{name}={_property(value)}" for name, value in properties.items() if value)
    return f"::{_COMMANDS[one.severity]} {said}::{_data(one.text)}"


def _data(text: str) -> str:
    # actions/toolkit, command.ts: escapeData. Line ends are visible by now.
    return visible(text).replace("%", "%25")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
