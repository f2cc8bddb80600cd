"""Plan, result, status and report as one page that needs nothing but itself: no network, no fonts, one small script.

The page can be read without its script; what that adds is a filter. Whatever comes from files and services is escaped
by Jinja2, and shown on one line by `visible`. A policy in the page forbids every other script and style.
"""

import base64
import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from reconciler.model.limits import PUBLIC_LIMITS
from reconciler.report.charts import (
    NARROW,
    WIDE,
    Axis,
    Columns,
    Cut,
    Events,
    Lanes,
    axis,
    columns,
    lanes,
)
from reconciler.report.document import PlanDocument, ResultDocument, plan_document
from reconciler.report.entries import Group, plan_groups, result_groups
from reconciler.report.escape import visible
from reconciler.report.fleet import FleetDocument, FleetRow, Needed, fleet_document, fleet_of_plan
from reconciler.report.lines import count_of, exceeded_text, field_text, headline, restrictions, time_text
from reconciler.report.markdown import Frame

Json = Mapping[str, Any]
_CHUNK = 100  # rows of one table: what is not on the screen is not laid out
_SHOWN = timedelta(weeks=53)  # ahead, on the time line
_TILES = {"critical": "bad", "warn": "warn", "ok": "ok", "blocked": "bad", "unread": "bad"}
_TILE_WORDS = {"unread": "not read", "action": "to act on"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Tile:
    label: str
    value: int
    tone: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    tone: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A section that is a list of sentences."""

    title: str
    tone: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    first: int
    rows: tuple[FleetRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fleet:
    total: int
    chunks: tuple[Chunk, ...]
    axis: Axis


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    wide: Lanes
    narrow: Lanes
    table: Table
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    wide: Columns
    narrow: Columns
    text: str
    limits: Table
    months: Table


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Everything that the template shows; what is empty or None is left out."""

    title: str
    summary: str
    facts: tuple[tuple[str, str], ...]
    notices: tuple[Notice, ...] = ()
    tiles: tuple[Tile, ...] = ()
    lists: tuple[Listed, ...] = ()
    difference: str = ""  # the title of the groups; empty: the page is not about one
    difference_summary: str = ""
    groups: tuple[Group, ...] = ()
    needed: tuple[Needed, ...] = ()
    drift: tuple[Needed, ...] = ()
    timeline: Timeline | None = None
    load: Load | None = None
    validations: Table | None = None
    fleet: Fleet | None = None
    unclaimed: Table | None = None
    strays: Table | None = None
    superseded: int = 0


def plan_html(plan: PlanDocument, *, frame: Frame) -> str:
    """Return a plan as a page: the difference, and the certificates that it is of on a time line."""
    rows = fleet_of_plan(plan)
    page = Page(
        title="certrecon plan",
        summary=headline(plan),
        facts=(*_facts(plan.at, plan.tool_version, frame), *_plan_facts(plan)),
        notices=_plan_notices(plan),
        lists=_lists(map(str, plan.problems), plan.unread, plan.shared, plan.campaigns),
        difference="What would be done",
        difference_summary=headline(plan),
        groups=plan_groups(plan),
        timeline=_timeline(rows, (), plan.at) if rows else None,
        fleet=_fleet(rows, plan.at),
    )
    return _rendered(page)


def result_html(result: ResultDocument, *, frame: Frame) -> str:
    """Return what came of an apply as a page."""
    page = Page(
        title="certrecon apply",
        summary=result.summary,
        facts=(*_facts(result.at, result.tool_version, frame), ("Exit code", str(result.exit_code))),
        lists=_lists(map(str, result.problems), result.unread, (), result.campaigns),
        difference="What came of it",
        difference_summary=result.summary,
        groups=result_groups(result),
    )
    return _rendered(page)


def status_html(data: Json, *, frame: Frame) -> str:
    """Return a status as a page, from its JSON."""
    return _rendered(_status_page(data, frame, title="certrecon status"))


def report_html(data: Json, *, frame: Frame) -> str:
    """Return the report as a page, from its JSON."""
    plan, status = plan_document(data["plan"]), fleet_document(data["status"])
    page = _status_page(data["status"], frame, title="certrecon report")
    ends = [(one["name"], date.fromisoformat(one["until"])) for one in data["validations"] if one["until"]]
    page = replace(
        page,
        summary=headline(plan),
        facts=(*page.facts, *_plan_facts(plan)),
        notices=_plan_notices(plan),
        tiles=(*page.tiles, Tile(label="orders in a year", value=data["load"]["year_orders"])),
        lists=_lists(status.problems, (*status.unread, *data["validations_unread"]), plan.shared, status.campaigns),
        difference="What would be done",
        difference_summary=headline(plan),
        groups=plan_groups(plan),
        needed=tuple(one for one in page.needed if one.level != "ok"),  # of what is blocked the plan says more
        drift=(),  # so it does of this
        timeline=_timeline(status.rows, [end for _, end in ends], plan.at),
        load=_load(data["load"], plan.at),
        validations=_validations(data["validations"], plan.at.date()),
    )
    return _rendered(page)


def _status_page(data: Json, frame: Frame, *, title: str) -> Page:
    status = fleet_document(data)
    counts = dict(status.counts)
    levels = [f"{counts[level]} {level}" for level in ("critical", "warn", "ok") if counts.get(level)]
    return Page(
        title=title,
        summary=f"{count_of(len(status.rows), 'certificate')}: {', '.join(levels)}." if levels else "No certificates.",
        facts=_facts(status.at, data["tool_version"], frame),
        notices=_partial(status.partial),
        tiles=_tiles(status),
        lists=_lists(status.problems, status.unread, (), status.campaigns),
        needed=status.needed,
        drift=status.drift,
        timeline=_timeline(status.rows, (), status.at) if status.rows else None,
        fleet=_fleet(status.rows, status.at),
        unclaimed=_unclaimed(status),
        strays=_table(("Common name", "Order", "Instance", "Status", "Until"), status.strays),
        superseded=status.superseded,
    )


def _facts(at: datetime, tool_version: str, frame: Frame) -> tuple[tuple[str, str], ...]:
    facts = [("Project", frame.project), ("Commit", frame.head), ("Seen at", time_text(at))]
    return tuple((label, value) for label, value in (*facts, ("certrecon", tool_version)) if value)


def _plan_facts(plan: PlanDocument) -> tuple[tuple[str, str], ...]:
    base = [("Compared with", plan.base)] if plan.base is not None else []
    return (("Plan", plan.digest), *base)


def _plan_notices(plan: PlanDocument) -> tuple[Notice, ...]:
    exceeded = exceeded_text(plan)
    notices = [Notice(tone="warn", text=line) for line in restrictions(plan)]
    return (*notices, *([Notice(tone="bad", text=exceeded)] if exceeded else ()))


def _partial(partial: str | None) -> tuple[Notice, ...]:
    return (Notice(tone="warn", text=f"PARTIAL: {partial}"),) if partial else ()


def _tiles(status: FleetDocument) -> tuple[Tile, ...]:
    return tuple(
        Tile(label=_TILE_WORDS.get(word, word), value=count, tone=_TILES.get(word, "") if count else "")
        for word, count in status.counts
        if count or word in ("critical", "warn", "ok")
        if word != "none"
    )


def _lists(
    problems: Iterable[str], unread: Iterable[str], shared: Iterable[str], campaigns: Iterable[str]
) -> tuple[Listed, ...]:
    made = (
        Listed(title="Problems in files", tone="bad", lines=tuple(problems)),
        Listed(title="Could not be read completely", tone="bad", lines=tuple(dict.fromkeys(unread))),
        Listed(title="Shared by several certificates", tone="warn", lines=tuple(shared)),
        Listed(title="Replacement campaigns", tone="info", lines=tuple(line for line in campaigns if line.strip())),
    )
    return tuple(one for one in made if one.lines)


def _table(heads: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Table | None:
    found = tuple(rows)
    return Table(heads=heads, rows=found) if found else None


def _unclaimed(status: FleetDocument) -> Table | None:
    if status.unclaimed is None:
        return None
    heads = ("Common name", "Enrollment", "Account", "Claim", "Serves until", "Pending changes")
    return _table(heads, status.unclaimed)


# Pictures


def _cuts(at: datetime) -> list[Cut]:
    return [Cut(since=one.since, max_days=one.max_days) for one in PUBLIC_LIMITS if one.since > at.date()]


def _timeline(rows: Sequence[FleetRow], validations: Iterable[date], at: datetime) -> Timeline:
    until = tuple(datetime.combine(day, time(), tzinfo=UTC) for day in validations)
    events = [
        Events(
            title="Waits, by the week they began",
            noun="waiting since",
            kind="work",
            instants=tuple(row.since or at for row in rows if row.under_way),
        ),
        Events(
            title="Renewal windows that open",
            noun="due",
            kind="due",
            instants=tuple(row.due for row in rows if row.due is not None and row.due > at),
        ),
        Events(
            title="Certificates that end",
            noun="end",
            kind="end",
            instants=tuple(row.expires for row in rows if row.expires is not None and row.expires > at),
        ),
        Events(title="Validations that end", noun="end", kind="validation", instants=until),
    ]
    shown = [one for one in events if one.instants or one.kind in ("due", "end")]
    return Timeline(
        wide=lanes(shown, _cuts(at), at=at, width=WIDE),
        narrow=lanes(shown, _cuts(at), at=at, width=NARROW),
        table=_month_table(shown),
        notes=tuple(_timeline_notes(rows, at)),
    )


def _timeline_notes(rows: Sequence[FleetRow], at: datetime) -> Iterator[str]:
    """Yield what no bar shows."""
    ends = [row.expires for row in rows]
    said = (
        ("has expired", "have expired", sum(end is not None and end <= at for end in ends)),
        ("is due already", "are due already", sum(row.due is not None and row.due <= at for row in rows)),
        ("serves nothing", "serve nothing", ends.count(None)),
        ("lives on after that", "live on after that", sum(end is not None and end > at + _SHOWN for end in ends)),
    )
    yield from (
        f"{count_of(count, 'certificate')} {one if count == 1 else many}." for one, many, count in said if count
    )


def _month_table(events: Sequence[Events]) -> Table:
    counted = [Counter(f"{one:%Y-%m}" for one in event.instants) for event in events]
    months = sorted({month for counter in counted for month in counter})
    return Table(
        heads=("Month", *(event.title for event in events)),
        rows=tuple((month, *(f"{counter[month]:,}" for counter in counted)) for month in months),
    )


def _load(data: Json, at: datetime) -> Load:
    months = [(date.fromisoformat(one["first"]), one["orders"]) for one in data["months"]]
    limits = [(date.fromisoformat(one["since"]), one["max_days"], one["orders_a_year"]) for one in data["limits"]]
    today, cuts = at.date(), _cuts(at)
    now = limits[0][2]
    return Load(
        wide=columns(months, cuts, width=WIDE),
        narrow=columns(months, cuts, width=NARROW),
        text=f"{count_of(data['year_orders'], 'order')} in the next 365 days, for"
        f" {count_of(data['certificates'], 'certificate')}.",
        limits=Table(
            heads=("From", "Longest life", "Orders a year", "Times as many as now"),
            rows=tuple(
                (
                    "now" if since <= today else f"{since}",
                    f"{days} days",
                    f"{orders:,}",
                    f"{orders / now:.1f}" if now else "-",
                )
                for since, days, orders in limits
            ),
        ),
        months=Table(
            heads=("Month", "Orders", "Longest life"),
            rows=tuple(
                (f"{date.fromisoformat(one['first']):%Y-%m}", f"{one['orders']:,}", f"{one['max_days']} days")
                for one in data["months"]
            ),
        ),
    )


def _validations(rows: Sequence[Json], today: date) -> Table | None:
    return _table(
        ("What", "Name", "Instance", "State", "Can be used until", "Certificates"),
        (
            (
                f"{one['subject']} ({one['level']})" if one["level"] else one["subject"],
                one["name"],
                one["instance"],
                one["state"],
                _until(one["until"], today),
                f"{len(one['certificates']):,}",
            )
            for one in rows
        ),
    )


def _until(until: str | None, today: date) -> str:
    if until is None:
        return "-"
    left = (date.fromisoformat(until) - today).days
    return f"{until}, {left} days left" if left >= 0 else f"{until}, past"


# The fleet


def _fleet(rows: Sequence[FleetRow], at: datetime) -> Fleet:
    return Fleet(
        total=len(rows),
        chunks=tuple(
            Chunk(first=place + 1, rows=tuple(rows[place : place + _CHUNK])) for place in range(0, len(rows), _CHUNK)
        ),
        axis=axis((row.expires for row in rows if row.expires is not None), at=at),
    )


def _paths(row: FleetRow, line: Axis) -> Markup:
    """Return the marks of one certificate's line: what it serves, its renewal window, the wait that is under way."""
    made = Markup()
    if row.expires is not None and row.expires > line.at:
        due = min(max(row.due or row.expires, line.at), row.expires)
        if due > line.at:
            made += Markup('<path class="v" d="M100 6H{}"/>').format(line.x(due))
        if row.due is not None:
            made += Markup('<path class="w" d="M{} 6H{}"/>').format(line.x(due), line.x(row.expires))
    if row.under_way:
        since, until = row.since or line.at, row.until or line.at
        made += Markup('<path class="o" d="M{} 14H{}"/>').format(line.x(since), max(line.x(until), line.x(since) + 12))
    return made


# The page


def _rendered(page: Page) -> str:
    environment = _environment()
    style, script = (environment.get_template(name).render() for name in ("page.css", "page.js"))
    return environment.get_template("page.html").render(page=page, style_hash=_hash(style), script_hash=_hash(script))


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("reconciler.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_shown,
    )
    environment.globals |= {"paths": _paths}
    environment.filters |= {"field": field_text, "time": time_text}
    return environment


def _shown(value: object) -> object:
    """Return what a template prints: text as it can do no harm, what is none yet as nothing."""
    if isinstance(value, str) and not isinstance(value, Markup):
        return visible(value)
    return value


def _hash(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
