"""What a page lists of a plan or a result: groups of entries, worst first. Not yet escaped."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from reconciler.planning.steps import ActionKind
from reconciler.report.document import (
    ActionRow,
    CertificateRow,
    DifferenceRow,
    PlanDocument,
    ReleasedRow,
    ResultDocument,
    ServingRow,
)
from reconciler.report.lines import (
    blocked_lines,
    by_risk,
    consequence_lines,
    create_lines,
    elsewhere,
    is_known,
    refusal_lines,
    released_lines,
    serving_text,
    waiting_lines,
)
from reconciler.report.outcome import Ending
from reconciler.report.text import kind_symbol

_TONES = {
    ActionKind.DELETE.value: "bad",
    ActionKind.REVOKE.value: "bad",
    ActionKind.CANCEL.value: "bad",
    ActionKind.CREATE.value: "ok",
    ActionKind.RENEW.value: "ok",
    ActionKind.REISSUE.value: "warn",
    ActionKind.ADOPT.value: "warn",
    ActionKind.UPDATE.value: "warn",
}
_ENDINGS = {
    Ending.FAILED: ("!", "bad"),
    Ending.BLOCKED: ("!", "bad"),
    Ending.UNDER_WAY: ("~", "warn"),
    Ending.HELD: ("~", "info"),
    Ending.DONE: ("=", "ok"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One thing that is told of one certificate. `tone` is bad, warn, ok or info: the colour beside symbol and word."""

    symbol: str
    word: str
    tone: str
    name: str
    place: str = ""
    lines: tuple[str, ...] = ()
    differences: tuple[DifferenceRow, ...] = ()
    after: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    title: str
    entries: tuple[Entry, ...]


def plan_groups(plan: PlanDocument) -> tuple[Group, ...]:
    """Return what a plan is about; what a pull request causes before what it does not. Empty groups are left out."""
    return tuple(group for group in _plan_groups(plan) if group.entries)


def result_groups(result: ResultDocument) -> tuple[Group, ...]:
    """Return how the certificates ended; of those that are done, what was worked on."""
    groups = (
        Group(
            title=ending.value.capitalize(),
            entries=tuple(
                Entry(symbol=symbol, word=ending.value, tone=tone, name=row.name, lines=_told(row.text))
                for row in result.certificates
                if row.ending == ending and (row.worked_on or ending is not Ending.DONE)
            ),
        )
        for ending, (symbol, tone) in _ENDINGS.items()
    )
    return tuple(group for group in groups if group.entries)


def _plan_groups(plan: PlanDocument) -> Iterator[Group]:
    rows = plan.certificates
    yield Group(title="Failed", entries=tuple(_failed(row, row.failure) for row in rows if row.failure))
    yield Group(title="Refused by a guard", entries=tuple(map(_refused, (row for row in rows if row.refused))))
    yield Group(title="Blocked", entries=tuple(map(_blocked, plan.caused(plan.working("blocked")))))
    actions = [row for row in plan.actions if row.refused is None]
    yield Group(
        title="Actions" if plan.base is None else "Caused by this change", entries=_actions(plan.caused(actions))
    )
    released = tuple(_released(row, plan.at) for row in plan.released)
    yield Group(title="Released by this change", entries=released)
    yield Group(title="Waiting", entries=tuple(map(_waiting, plan.caused(plan.working("waiting")))))
    if plan.base is not None:
        for title, others in elsewhere(plan):
            yield Group(title=f"Not caused by this change: {title.lower()}", entries=_any(others))
    yield Group(title="Held back", entries=_actions(plan.held))
    yield Group(title="Attention", entries=tuple(_attention(row) for row in rows if row.attention))


def _any(rows: Iterable[CertificateRow]) -> tuple[Entry, ...]:
    """Return actions by their risk, then what is blocked or waits."""
    rows = tuple(rows)
    rest = (row for row in rows if row.action is None)
    return (*_actions(rows), *(_blocked(row) if row.work.state == "blocked" else _waiting(row) for row in rest))


def _released(row: ReleasedRow, at: datetime) -> Entry:
    lines = tuple(released_lines(row, at))
    return Entry(symbol="-", word="released", tone="bad", name=row.name, place=row.file, lines=lines)


def _told(*lines: str) -> tuple[str, ...]:
    return tuple(line for line in lines if line)


def _served(serving: ServingRow | None) -> tuple[str, ...]:
    return (serving_text(serving),) if serving is not None else ()


def _failed(row: CertificateRow, failure: str) -> Entry:
    return Entry(symbol="!", word="failed", tone="bad", name=row.name, place=str(row.location), lines=(failure,))


def _blocked(row: CertificateRow) -> Entry:
    lines = (*_told(*blocked_lines(row)), *_served(row.serving))
    return Entry(symbol="!", word="blocked", tone="bad", name=row.name, place=str(row.location), lines=lines)


def _waiting(row: CertificateRow) -> Entry:
    lines = (*waiting_lines(row), *_served(row.serving))
    return Entry(symbol="~", word="waiting", tone="info", name=row.name, place=str(row.location), lines=lines)


def _attention(row: CertificateRow) -> Entry:
    lines = (*row.attention, *_served(row.serving))
    return Entry(symbol="!", word="attention", tone="warn", name=row.name, place=str(row.location), lines=lines)


def _refused(row: CertificateRow) -> Entry:
    said = _told(*refusal_lines(row, row.refused)) if row.refused is not None else ()
    action = row.action
    return Entry(
        symbol="!",
        word="refused",
        tone="bad",
        name=row.name,
        place=str(row.location),
        lines=(*said, *(_reasons(row, action) if action is not None else ())),
        differences=action.differences if action is not None else (),
        after=_consequences(row, action) if action is not None else (),
    )


def _actions(rows: Iterable[CertificateRow]) -> tuple[Entry, ...]:
    return tuple(_action(row, row.action) for row in by_risk(rows) if row.action is not None)


def _action(row: CertificateRow, action: ActionRow) -> Entry:
    return Entry(
        symbol=kind_symbol(action.kind),
        word=action.kind,
        tone=_TONES.get(action.kind, "info" if is_known(action.kind) else "bad"),
        name=row.name,
        place=str(row.location),
        lines=_reasons(row, action),
        differences=action.differences,
        after=_consequences(row, action),
    )


def _reasons(row: CertificateRow, action: ActionRow) -> tuple[str, ...]:
    return (f"because {action.text}", *create_lines(row, action))


def _consequences(row: CertificateRow, action: ActionRow) -> tuple[str, ...]:
    return tuple(line for line in consequence_lines(row, action) if not line.startswith("REFUSED"))
