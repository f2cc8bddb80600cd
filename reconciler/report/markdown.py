"""Plan and result as Markdown, for the comment of a pull request and for the summary of a step.

Whatever comes from files and services stands in fenced code (or, outside of it, in a code span): there a forge reads
no markup, no mention and no HTML. Each line of a fence begins with a mark or four blanks, so that none can end it.

Lengths are counted in bytes of UTF-8. GitHub takes 65,536 "characters" and nobody knows which: bytes are never fewer
than UTF-16 code units, and these never fewer than characters.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
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
)
from reconciler.report.escape import visible
from reconciler.report.fitting import Entry, Fitted, Section, fitted
from reconciler.report.lines import (
    blocked_lines,
    by_risk,
    consequence_lines,
    create_lines,
    difference_text,
    elsewhere,
    exceeded_text,
    field_text,
    headline,
    is_known,
    refusal_lines,
    released_lines,
    restrictions,
    serving_text,
    time_text,
    waiting_lines,
)
from reconciler.report.outcome import Ending

COMMENT = 60_000  # of the 65,536 that GitHub takes: room for the frame that a workflow puts around it
SUMMARY = 900 * 1024  # of the 1,024 KiB of a step's summary: beyond, the whole of it is dropped

_PLAIN = re.compile(r"[A-Za-z0-9 ,.:;()%-]*")
_URL = re.compile(r"https?://[A-Za-z0-9.:/_%?=&#-]+")
_MARKER = re.compile(r"[^A-Za-z0-9._/-]|--+")
_REMOVING = (ActionKind.DELETE, ActionKind.REVOKE, ActionKind.CANCEL)
_MARKS = {**dict.fromkeys(_REMOVING, "-"), ActionKind.CREATE: "+"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """What a comment says of itself. `whole`: where everything is, a URL or words; empty where nobody said."""

    project: str = ""
    head: str = ""
    whole: str = ""


def plan_markdown(plan: PlanDocument, *, limit: int, frame: Frame) -> str:
    """Return the plan in at most `limit` bytes.

    What deletes, what a guard refuses and what failed is cut last; what is left out is counted, by kind.
    """
    notes = [f"**{safe(line)}**" for line in (*restrictions(plan), exceeded_text(plan)) if line]
    facts = [f"plan {code(plan.digest)}", f"at {time_text(plan.at)}"]
    if plan.base is not None:
        facts.append(f"compared with {code(plan.base)}")
    title = f"certrecon plan: {headline(plan).removeprefix('Plan: ')}"
    return _page(title, notes, facts, list(_plan_sections(plan)), limit, frame)


def result_markdown(result: ResultDocument, *, limit: int, frame: Frame) -> str:
    """Return what came of an apply in at most `limit` bytes."""
    sections = [
        Section(title="Problems in files", entries=_lines("problem", map(str, result.problems))),
        Section(title="Could not be read completely", entries=_lines("not read", result.unread)),
    ]
    for ending in Ending:
        bad = ending in (Ending.FAILED, Ending.BLOCKED)
        rows = [row for row in result.certificates if row.ending == ending and (row.worked_on or ending != Ending.DONE)]
        entries = [_entry("-" if bad else " ", ending.value, row.name, "", [row.text], kept=bad) for row in rows]
        sections.append(Section(title=ending.value.capitalize(), entries=tuple(entries)))
    sections.append(Section(title="Replacement campaigns", entries=_lines("line", result.campaigns)))
    facts = [f"exit {result.exit_code}", f"at {time_text(result.at)}"]
    return _page(f"certrecon: {result.summary}", [], facts, sections, limit, frame)


def text_markdown(lines: Sequence[str], *, title: str, limit: int, frame: Frame) -> str:
    """Return lines that were made for a terminal, and are escaped already, as one block."""
    entries = tuple(Entry(kind="line", full=(f"    {line}",), short=f"    {line}") for line in lines if line)
    return _page(title, [], [], [Section(title="", entries=entries)], limit, frame)


# Sections


def _plan_sections(plan: PlanDocument) -> Iterator[Section]:
    """Yield the sections in their order; what a pull request causes before what it does not."""
    rows, mixed = plan.certificates, plan.base is None
    yield Section(title="Problems in files", entries=_lines("problem", map(str, plan.problems)))
    yield Section(title="Could not be read completely", entries=_lines("not read", plan.unread))
    yield Section(title="Failed", entries=tuple(_failed(row, row.failure) for row in rows if row.failure))
    yield Section(title="Refused by a guard", entries=tuple(_refused(row) for row in by_risk(rows) if row.refused))
    blocked, waiting = plan.working("blocked"), plan.working("waiting")
    yield Section(title="Blocked", entries=tuple(map(_blocked, plan.caused(blocked))))
    open_actions = [row for row in by_risk(plan.actions) if row.refused is None]
    caused = plan.caused(open_actions)
    yield Section(title="Actions" if mixed else "Caused by this change", entries=tuple(map(_action, caused)))
    released = tuple(_released(row, plan.at) for row in plan.released)
    yield Section(title="Released by this change", entries=released)
    yield Section(title="Waiting", entries=tuple(map(_waiting, plan.caused(waiting))))
    for title, others in elsewhere(plan):
        yield Section(title=title, entries=tuple(map(_any, by_risk(others))), folded=True)
    yield Section(title="Held back", entries=tuple(map(_action, by_risk(plan.held))), folded=True)
    yield Section(title="Attention", entries=tuple(_attention(row) for row in rows if row.attention), folded=not mixed)
    yield Section(title="Shared by several certificates", entries=_lines("finding", plan.shared))
    yield Section(title="Replacement campaigns", entries=_lines("line", plan.campaigns))


# Entries


def _lines(kind: str, lines: Iterable[str]) -> tuple[Entry, ...]:
    return tuple(Entry(kind=kind, full=(f"    {visible(line)}",), short=f"    {visible(line)}") for line in lines)


def _entry(mark: str, word: str, name: str, place: str, lines: Iterable[str], *, kept: bool = False) -> Entry:
    short = f"{mark} {visible(word).upper():<11} {visible(name)}"
    first = f"{short}  {visible(place)}" if place else short
    return Entry(kind=word, full=(first, *(f"    {visible(line)}" for line in lines if line)), short=short, kept=kept)


def _failed(row: CertificateRow, failure: str) -> Entry:
    return _entry("-", "failed", row.name, str(row.location), [failure], kept=True)


def _refused(row: CertificateRow) -> Entry:
    said = refusal_lines(row, row.refused) if row.refused is not None else []
    entry = _entry("-", "refused", row.name, str(row.location), said, kept=True)
    more = _action_lines(row, row.action) if row.action is not None else ()
    return Entry(kind=entry.kind, full=(*entry.full, *more), short=entry.short, kept=True)


def _blocked(row: CertificateRow) -> Entry:
    return _entry("!", "blocked", row.name, str(row.location), [*blocked_lines(row), *_served(row)])


def _any(row: CertificateRow) -> Entry:
    if row.action is not None:
        return _action(row)
    return _blocked(row) if row.work.state == "blocked" else _waiting(row)


def _released(row: ReleasedRow, at: datetime) -> Entry:
    return _entry("-", "released", row.name, row.file, released_lines(row, at), kept=True)


def _waiting(row: CertificateRow) -> Entry:
    return _entry(" ", "waiting", row.name, str(row.location), [*waiting_lines(row), *_served(row)])


def _attention(row: CertificateRow) -> Entry:
    return _entry("!", "attention", row.name, str(row.location), [*row.attention, *_served(row)])


def _served(row: CertificateRow) -> list[str]:
    return [serving_text(row.serving)] if row.serving is not None else []


def _action(row: CertificateRow) -> Entry:
    if row.action is None:
        raise TypeError(row.name)
    kind, kept = row.action.kind, row.action.kind in _REMOVING or not is_known(row.action.kind)
    entry = _entry(_mark(kind), kind, row.name, str(row.location), [], kept=kept)
    full = (*entry.full, *_action_lines(row, row.action))
    return Entry(kind=f"to {visible(kind)}", full=full, short=entry.short, kept=kept)


def _mark(kind: str) -> str:
    return next((mark for one, mark in _MARKS.items() if one == kind), "!")


def _action_lines(row: CertificateRow, action: ActionRow) -> Iterator[str]:
    yield f"    because {visible(action.text)}"
    yield from (f"    {visible(line)}" for line in create_lines(row, action))
    for difference in action.differences:
        yield from _difference(difference)
    yield from (f"    {visible(line)}" for line in consequence_lines(row, action) if not line.startswith("REFUSED"))


def _difference(difference: DifferenceRow) -> Iterator[str]:
    """Yield a set's members on lines of their own, with the marks that a forge colours."""
    if not difference.of_set:
        yield f"!   {visible(difference_text(difference))}"
        return
    yield f"!   {visible(field_text(difference))} ({visible(difference.effect)})"
    yield from (f"+     {visible(one)}" for one in difference.added)
    yield from (f"-     {visible(one)}" for one in difference.removed)


# The page


def _page(
    title: str, notes: Sequence[str], facts: Sequence[str], sections: Sequence[Section], limit: int, frame: Frame
) -> str:
    """Return the page: marker, what is missing, headline, whose it is, and as much of the sections as has room."""
    marker = [f"<!-- certrecon:plan:{_MARKER.sub('_', frame.project)} -->"] if frame.project else []
    about = [f"head {code(frame.head)}"] if frame.head else []
    named = f"{safe(frame.project)}: " if frame.project else ""
    top = [f"### {named}{safe(title)}", "", " · ".join([*about, *facts]), "", *(f"{note}\n" for note in notes)]
    room = limit - sum(size(line) + 1 for line in (*marker, *top)) - size(_missing({"to delete": limit}, frame)) - 400
    made = fitted([one for one in sections if one.entries], room, frame_of=_frame_size)
    body = [line for section in made for line in _section(section, frame)]
    lost = sum((section.lost for section in made), Counter[str]())
    first = [_missing(lost, frame), ""] if lost else []
    return "\n".join([*marker, *first, *top, *body]).rstrip("\n") + "\n"


def _frame_size(section: Section) -> int:
    """Return what a section takes beside its entries, the line of what is left out included."""
    return size(section.title) + 300


def _section(section: Fitted, frame: Frame) -> Iterator[str]:
    title = f"{section.title}: {section.total}" if section.title else ""
    fence = "`" * max(3, 1 + max((len(run) for line in section.lines for run in re.findall("`+", line)), default=0))
    if section.folded:
        yield from (f"<details><summary>{title}</summary>", "")
    elif title:
        yield from (f"#### {title}", "")
    if section.lines:
        yield from (f"{fence}diff", *section.lines, fence, "")
    if section.left_out:
        yield from (f"{_counted(section.left_out)}{_where(frame)}", "")
    if section.folded:
        yield from ("</details>", "")


def _counted(left_out: Counter[str]) -> str:
    """Return "240 more: 200 to renew, 40 to create"; of kinds that nobody knows some, so that the line stays short."""
    parts = [f"{count} {safe(kind[:40])}" for kind, count in left_out.most_common(12)]
    return f"{left_out.total()} more: {', '.join(parts)}."


def _missing(lost: "Counter[str] | dict[str, int]", frame: Frame) -> str:
    counted = Counter(lost)
    parts = ", ".join(f"{count} {safe(kind[:40])}" for kind, count in counted.most_common(6))
    where = _where(frame) or " The log and the saved plan of the run have all of it."
    return f"> **CUT: {counted.total()} of what must not be overlooked do not fit here: {parts}.**{where}"


def _where(frame: Frame) -> str:
    if not frame.whole:
        return ""
    return f" The whole list: {frame.whole if _URL.fullmatch(frame.whole) else code(frame.whole[:200])}."


def safe(text: str) -> str:
    """Return `text` where it holds nothing but words, else as a code span."""
    return text if _PLAIN.fullmatch(text) else code(text)


def code(text: str) -> str:
    """Return `text` as a code span that it cannot end."""
    shown = visible(text)
    fence = "`" * (1 + max((len(run) for run in re.findall("`+", shown)), default=0))
    blank = " " if shown.startswith("`") or shown.endswith("`") or not shown.strip() else ""
    return f"{fence}{blank}{shown}{blank}{fence}"


def size(text: str) -> int:
    """Return the length in bytes of UTF-8."""
    return len(text.encode("utf-8"))
