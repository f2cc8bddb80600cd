"""Plan and result as text for a terminal, a log, or a file, from their documents. The caller prints the lines."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from rich.text import Text

from reconciler.errors import Problem
from reconciler.planning.steps import ActionKind
from reconciler.report.document import (
    ActionRow,
    CertificateRow,
    PlanDocument,
    RefusalRow,
    ReleasedRow,
    ResultDocument,
)
from reconciler.report.escape import visible
from reconciler.report.lines import (
    blocked_lines,
    by_risk,
    consequence_lines,
    count_of,
    counts_text,
    create_lines,
    difference_text,
    elsewhere,
    exceeded_text,
    headline,
    refusal_lines,
    released_lines,
    restrictions,
    serving_text,
    time_text,
    waiting_lines,
)
from reconciler.report.outcome import Ending

_INDENT = " " * 4
_NAMED = 5  # of what a change does not cause
_UNKNOWN_STYLE = ("?", "bold red")  # a kind of a newer version

_STYLES = {
    ActionKind.DELETE.value: ("-", "bold red"),
    ActionKind.REVOKE.value: ("-", "bold red"),
    ActionKind.CANCEL.value: ("-", "red"),
    ActionKind.REISSUE.value: ("±", "yellow"),
    ActionKind.CREATE.value: ("+", "green"),
    ActionKind.ADOPT.value: ("±", "yellow"),
    ActionKind.RENEW.value: ("±", "green"),
    ActionKind.UPDATE.value: ("±", "yellow"),
    ActionKind.UPLOAD.value: ("^", "cyan"),
    ActionKind.ACKNOWLEDGE.value: ("*", "cyan"),
    ActionKind.PROMOTE.value: (">", "cyan"),
    ActionKind.RESUME.value: ("~", "cyan"),
}
_ENDINGS = {
    Ending.FAILED: ("!", "bold red"),
    Ending.BLOCKED: ("!", "bold red"),
    Ending.UNDER_WAY: ("~", "yellow"),
    Ending.HELD: ("~", "dim"),
    Ending.DONE: ("=", "green"),
}


def plan_text(plan: PlanDocument) -> list[Text]:
    """Return the plan, worst first: problems, what could not be read, blocked, actions, waiting, attention, summary."""
    rows = plan.certificates
    return [
        *_header(plan),
        *_problems(plan.problems),
        *_unread(plan.unread),
        *_section("Failed", [_failed(row, row.failure) for row in rows if row.failure is not None]),
        *_section("Blocked", [_blocked(row) for row in plan.caused(plan.working("blocked"))]),
        *_section("Refused by a guard", [_refused(row, row.refused) for row in by_risk(rows) if row.refused]),
        *_actions(plan),
        *_section("Held back", [_action(row, row.action) for row in by_risk(plan.held) if row.action]),
        *_section("Waiting", [_waiting(row) for row in plan.caused(plan.working("waiting"))]),
        *_section("Attention", [_attention(row) for row in plan.caused(rows) if row.attention]),
        *_elsewhere(plan),
        *_section("Shared by several certificates", [_indented([text]) for text in plan.shared]),
        *_campaigns(plan.campaigns),
        *_summary(plan),
    ]


def apply_text(result: ResultDocument) -> list[Text]:
    """Return what came of an apply: each certificate that was worked on or is not done, then the counts."""
    lines = [*_problems(result.problems), *_unread(result.unread)]
    for ending in Ending:
        symbol, style = _ENDINGS[ending]
        blocks = [
            [_title(symbol, ending, row.name, style), *_indented([row.text])]
            for row in result.certificates
            if row.ending == ending and (ending is not Ending.DONE or row.worked_on)
        ]
        lines.extend(_section(ending.value.capitalize(), blocks))
    lines.extend(_campaigns(result.campaigns))
    lines.append(Text(visible(result.summary), style="bold"))
    return lines


def _header(plan: PlanDocument) -> list[Text]:
    title = Text.assemble(
        ("certrecon plan", "bold"), f"  {count_of(len(plan.certificates), 'certificate')}, {time_text(plan.at)}"
    )
    lines = [title]
    lines += [Text(visible(line), style="bold yellow") for line in restrictions(plan)]
    if plan.base is not None:
        named = f", which it has in common with {plan.base_reference}" if plan.base_reference else ""
        lines.append(Text(visible(f"Compared with {plan.base[:12]}{named}"), style="dim"))
    return [*lines, Text()]


def _problems(problems: Sequence[Problem]) -> list[Text]:
    return _section("Problems in files", [[Text(f"  {visible(str(problem))}", style="red")] for problem in problems])


def _campaigns(lines: Sequence[str]) -> list[Text]:
    return _section("Replacement campaigns", [[Text(visible(line))] for line in lines])


def _unread(unread: Sequence[str]) -> list[Text]:
    title = "Could not be read completely: no action on what it covers"
    return _section(title, [[Text(f"  {visible(text)}", style="red")] for text in unread])


def _section(title: str, blocks: Sequence[Iterable[Text]]) -> list[Text]:
    if not blocks:
        return []
    return [Text(title, style="bold"), *(line for block in blocks for line in block), Text()]


def _title(symbol: str, word: str, name: str, style: str, place: str = "") -> Text:
    line = Text.assemble((f"  {symbol} {visible(word):<11}", style), " ", (visible(name), "bold"))
    return line.append(f"  {visible(place)}", style="dim") if place else line


def _indented(texts: Iterable[str]) -> list[Text]:
    return [Text(f"{_INDENT}{visible(text)}") for text in texts if text]


def _blocked(row: CertificateRow) -> list[Text]:
    title = _title("!", "blocked", row.name, "bold red", str(row.location))
    return [title, *_indented([*blocked_lines(row), *_served(row)])]


def _failed(row: CertificateRow, failure: str) -> list[Text]:
    return [_title("!", "failed", row.name, "bold red", str(row.location)), *_indented([failure])]


def _refused(row: CertificateRow, refusal: RefusalRow) -> list[Text]:
    title = _title("!", "refused", row.name, "bold red", str(row.location))
    return [title, *_indented(refusal_lines(row, refusal))]


def _waiting(row: CertificateRow) -> list[Text]:
    title = _title("~", "waiting", row.name, "yellow", str(row.location))
    return [title, *_indented([*waiting_lines(row), *_served(row)])]


def _attention(row: CertificateRow) -> list[Text]:
    title = _title("!", "attention", row.name, "yellow", str(row.location))
    return [title, *_indented([*row.attention, *_served(row)])]


def _actions(plan: PlanDocument) -> list[Text]:
    title = "Actions" if plan.base is None else "Caused by this change"
    released = [_released(row, plan.at) for row in plan.released]
    return [
        *_section(title, list(_action_blocks(plan.caused(by_risk(plan.actions))))),
        *_section("Released by this change", released),
    ]


def _released(row: ReleasedRow, at: datetime) -> list[Text]:
    return [_title("-", "released", row.name, "bold yellow", row.file), *_indented(released_lines(row, at))]


def _elsewhere(plan: PlanDocument) -> list[Text]:
    """Return what the change does not cause, a line for each sort of it: the plan without a base has it in full."""
    attention = plan.not_caused([row for row in plan.certificates if row.attention])
    sorts = [*elsewhere(plan), ("Attention", attention)]
    lines = [_named(title, [row.name for row in rows]) for title, rows in sorts if rows]
    return _section("Not caused by this change", [[Text(visible(line))] for line in lines])


def _named(title: str, names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return f"  {len(names):>5} {title.lower()}: {', '.join(names[:_NAMED])}{more}"


def _action_blocks(rows: Iterable[CertificateRow]) -> Iterator[list[Text]]:
    yield from (_action(row, row.action) for row in rows if row.action is not None)


def _action(row: CertificateRow, action: ActionRow) -> list[Text]:
    symbol, style = _STYLES.get(action.kind, _UNKNOWN_STYLE)
    title = _title(symbol, action.kind, row.name, style, str(row.location))
    return [title, *_indented(_action_lines(row, action))]


def _action_lines(row: CertificateRow, action: ActionRow) -> Iterator[str]:
    yield f"because {action.text}"
    yield from create_lines(row, action)
    yield from (difference_text(one) for one in action.differences)
    yield from consequence_lines(row, action)


def _served(row: CertificateRow) -> list[str]:
    return [serving_text(row.serving)] if row.serving is not None else []


def _summary(plan: PlanDocument) -> list[Text]:
    if counts_text(plan) is None:
        return [Text(headline(plan), style="bold green")]
    exceeded = exceeded_text(plan)
    return [
        Text(visible(headline(plan)), style="bold"),
        *([Text(visible(exceeded), style="bold red")] if exceeded else []),
        Text(f"Digest {visible(plan.digest)}", style="dim"),
    ]


def kind_symbol(kind: str) -> str:
    """Return the mark that stands before an action of this kind."""
    return _STYLES.get(kind, _UNKNOWN_STYLE)[0]


def told_text(at: datetime, certificate: str | None, text: str) -> str:
    """Return what a running apply tells, in a line."""
    subject = f"{visible(certificate)}: " if certificate is not None else ""
    return f"{at:%Y-%m-%d %H:%M:%S}  {subject}{visible(text)}"
