"""A saved plan as text, from its JSON, which its schema has judged: header, what needs a person, actions, waits."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from rich.text import Text

from reconciler.report.escape import visible

_Row = Mapping[str, Any]


def saved_plan_text(plan: _Row) -> list[Text]:
    """Return the plan as it was; nothing is looked up, and nothing of it holds any longer than its preconditions."""
    rows: list[_Row] = plan["certificates"]
    return [
        Text.assemble(("certrecon plan", "bold"), f"  saved {visible(plan['at'])} by {visible(plan['tool_version'])}"),
        *([Text(f"PARTIAL: {visible(plan['partial'])}", style="bold yellow")] if plan["partial"] else []),
        *_as_of(plan),
        Text(),
        *_section("Problems in files", [_problem(one) for one in plan["problems"]]),
        *_section("Could not be read completely", [f"  {text}" for text in plan["unread"]]),
        *_section("Failed", _blocks(rows, lambda row: row["failure"] is not None, lambda row: [row["failure"]])),
        *_section("Refused by a guard", _blocks(rows, lambda row: row["refused"] is not None, _refused)),
        *_section("Blocked", _blocks(rows, lambda row: row["work"]["state"] == "blocked", _blocked)),
        *_section("Actions", _blocks(rows, lambda row: row["action"] is not None and not row.get("held"), _action)),
        *_section("Held back", _blocks(rows, lambda row: row["action"] is not None and row.get("held"), _action)),
        *_section("Waiting", _blocks(rows, lambda row: row["work"]["state"] == "waiting", _waiting)),
        *_section("Attention", _blocks(rows, lambda row: row["attention"], lambda row: row["attention"])),
        *_section("Shared by several certificates", [f"  {text}" for text in plan["shared"]]),
        *_section("Replacement campaigns", _campaigns(plan.get("campaigns", ()))),
        *_summary(plan),
    ]


def _as_of(plan: _Row) -> list[Text]:
    if plan.get("seen_at") is None:
        return []
    text = f"AS OF {visible(plan['at'])}, as everything was seen at {visible(plan['seen_at'])}"
    return [Text(text, style="bold yellow")]


def _section(title: str, lines: Iterable[str]) -> list[Text]:
    shown = [Text(visible(line)) for line in lines]
    return [Text(title, style="bold"), *shown, Text()] if shown else []


def _blocks(
    rows: Iterable[_Row], belongs: Callable[[_Row], object], tell: Callable[[_Row], Iterable[str | None]]
) -> Iterator[str]:
    for row in rows:
        if belongs(row):
            kind = f"{row['action']['kind']} " if row["action"] is not None else ""
            yield f"  {kind}{row['name']}  {row['file']}"
            yield from (f"    {line}" for line in tell(row) if line)


def _problem(problem: _Row) -> str:
    rule = f" {problem['rule']}" if problem["rule"] else ""
    place = f"{problem['path']}:{problem['line']}:{problem['column']}"
    return f"  {place}: {problem['severity']}{rule}: {problem['text']} {problem['remedy'] or ''}".rstrip()


def _refused(row: _Row) -> list[str]:
    return [f"{row['refused']['guard']}: {row['refused']['text']}", row["refused"]["remedy"]]


def _blocked(row: _Row) -> list[str]:
    work = row["work"]
    return [f"{work['phase']}: {work.get('text', '')}", f"{work.get('actor', '')}: {work.get('remedy') or ''}"]


def _waiting(row: _Row) -> list[str]:
    work = row["work"]
    span = "".join(f", {word} {work[word]}" for word in ("since", "until") if work.get(word))
    return [
        f"{work['phase']}: waits for {work.get('actor', '')}: {work.get('text', '')}{span}",
        work.get("remedy") or "",
    ]


def _action(row: _Row) -> Iterator[str]:
    action = row["action"]
    yield f"because {action['text']}"
    if action["kind"] == "create":
        yield f"names: {', '.join(row['names'])}"
    yield from (_difference(one) for one in action["differences"])
    if (orders := action["orders"]) is not None:
        noun = "order" if orders["count"] == 1 else "orders"
        yield (
            f"{orders['count']} {noun}: {' + '.join(orders['key_types'])} of {orders['profile']!r} for"
            f" {orders['organization']}, {orders['term_days']} days"
        )
    yield from action["notes"]
    if row["throttled"] is not None:
        yield f"waits: {row['throttled']}"
    if row.get("held") is not None:
        yield row["held"]
    if (serving := row["serving"]) is not None:
        yield f"serves {' + '.join(serving['key_types'])} until {serving['expires']}"
    yield f"cause {action['cause']}, precondition {action['precondition']}"


def _difference(one: _Row) -> str:
    if "added" in one or "removed" in one:
        parts = [f"+ {name}" for name in one.get("added", ())] + [f"- {name}" for name in one.get("removed", ())]
        return f"{one['field']}: {', '.join(parts)} ({one['effect']})"
    return f"{one['field']}: {one.get('before', '')} -> {one.get('after', '')} ({one['effect']})"


def _campaigns(campaigns: Iterable[_Row]) -> Iterator[str]:
    for one in campaigns:
        deadline = f", deadline {one['deadline']}" if one["deadline"] is not None else ""
        yield f"  {one['name']}: {one['done']} of {one['total']} done{deadline}"
        estimate = one["estimate"]
        takes = f"{estimate['orders']} orders and {estimate['calls']} calls to go"
        yield f"    {takes}, until {estimate['finishes'] or '-'}"
        yield from (f"    stuck: {stuck['name']}: {stuck['cause']}" for stuck in one["stuck"])


def _summary(plan: _Row) -> list[Text]:
    said = ", ".join(f"{count} {word}" for word, count in plan["summary"].items())
    return [Text(f"Plan: {visible(said)}.", style="bold"), Text(f"Digest {visible(plan['digest'])}", style="dim")]
