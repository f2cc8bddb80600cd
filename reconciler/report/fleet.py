"""The fleet as a page shows it, read from the JSON of `status`, or from a plan: one row a certificate."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from reconciler.report.document import CertificateRow, PlanDocument, campaign_lines_of, difference_row, problem_rows
from reconciler.report.lines import difference_text, time_text

Json = Mapping[str, Any]
_DAY = timedelta(days=1)
_TONES = {"critical": "bad", "expired": "bad", "warn": "warn", "below warn": "warn", "ok": "ok"}
_SYMBOLS = {"bad": "!", "warn": "!", "ok": "=", "": "·"}


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetRow:
    """One certificate: what it serves, and where its work is."""

    name: str
    place: str  # account and enrollment
    level: str  # in words; empty: nothing is wrong, as far as the document tells
    expires: datetime | None
    due: datetime | None
    left: timedelta | None
    key_types: tuple[str, ...]
    marks: tuple[str, ...]  # what is wrong with what is served
    work: str
    under_way: bool
    since: datetime | None
    until: datetime | None  # when the wait will end, where that is known

    @property
    def tone(self) -> str:
        return _TONES.get(self.level, "")

    @property
    def symbol(self) -> str:
        return _SYMBOLS[self.tone]

    @property
    def days_left(self) -> str:
        if self.left is None:
            return ""
        if self.left <= timedelta():
            return "EXPIRED"
        days = self.left // _DAY
        return f"{days} day left" if days == 1 else f"{days} days left"


@dataclass(frozen=True, slots=True, kw_only=True)
class Needed:
    """A certificate that needs a person, with the reasons and the remedy."""

    name: str
    file: str
    level: str
    word: str  # what it is called: the level, or that it is blocked
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetDocument:
    """A status, as far as a page shows it. `rows` are worst first."""

    at: datetime
    partial: str | None
    counts: tuple[tuple[str, int], ...]
    problems: tuple[str, ...]
    unread: tuple[str, ...]
    rows: tuple[FleetRow, ...]
    needed: tuple[Needed, ...]
    drift: tuple[Needed, ...]
    unclaimed: tuple[tuple[str, ...], ...] | None  # None: a broken file may claim them
    strays: tuple[tuple[str, ...], ...]
    superseded: int  # orders alive that a later certificate stands in for
    campaigns: tuple[str, ...]


def fleet_of_plan(plan: PlanDocument) -> tuple[FleetRow, ...]:
    """Return the rows of a plan, the first to end first. A plan knows whether `warn` is reached, and no more."""
    rows = (_plan_row(row, plan.at) for row in plan.certificates)
    return tuple(sorted(rows, key=lambda row: (row.expires is None, row.expires or plan.at, row.name)))


def fleet_document(data: Json) -> FleetDocument:
    """Read the JSON that `statusjson.status_json` has made."""
    certificates = data["certificates"]
    strays = data["stray_orders"]
    unclaimed = data["unclaimed_enrollments"]
    return FleetDocument(
        at=datetime.fromisoformat(data["at"]),
        partial=data["partial"],
        counts=tuple((word.replace("_", " "), count) for word, count in data["summary"].items()),
        problems=tuple(map(str, problem_rows(data["problems"]))),
        unread=tuple(data["unread"]),
        rows=tuple(map(_status_row, certificates)),
        needed=tuple(one for row in certificates if (one := _needed(row)).lines),
        drift=tuple(_drift(row) for row in certificates if row["drift"]),
        unclaimed=tuple(map(_unclaimed, unclaimed)) if unclaimed is not None else None,
        strays=tuple(_stray(one) for one in strays if not one["superseded"]),
        superseded=sum(one["superseded"] for one in strays),
        campaigns=campaign_lines_of(data),
    )


def _plan_row(row: CertificateRow, at: datetime) -> FleetRow:
    serving, work = row.serving, row.work
    level = ""
    if serving is not None:
        level = "expired" if serving.expires <= at else "below warn" if serving.below_warn else "ok"
    return FleetRow(
        name=row.name,
        place=_place(row.account, row.enrollment_id),
        level=level,
        expires=serving.expires if serving is not None else None,
        due=serving.due if serving is not None else None,
        left=serving.remaining if serving is not None else None,
        key_types=serving.key_types if serving is not None else (),
        marks=(),
        work=_plan_work(row),
        under_way=work.state == "waiting",
        since=work.since,
        until=work.until,
    )


def _plan_work(row: CertificateRow) -> str:
    work = row.work
    if row.action is not None:
        held = "refused: " if row.refused else "held: " if row.throttled or row.held else ""
        return f"{held}{row.action.kind}: {row.action.text}"
    match work.state:
        case "waiting":
            return f"{work.phase}: waits for {work.actor}: {work.text}"
        case "blocked":
            return f"blocked at {work.phase}: {work.text} {work.actor}: {work.remedy}"
        case "unread":
            return f"not read: {work.text}"
        case "unchanged":
            return "none"
        case _:
            return f"{work.phase}: {work.text}"


def _status_row(row: Json) -> FleetRow:
    serving, work = row["serving"], row["work"]
    return FleetRow(
        name=row["name"],
        place=_place(row["account"], row["enrollment_id"]),
        level=row["level"],
        expires=_instant(serving["expires"]) if serving is not None else None,
        due=_instant(serving["due"]) if serving is not None else None,
        left=timedelta(seconds=serving["remaining_s"]) if serving is not None else None,
        key_types=tuple(sorted(serving["key_types"], reverse=True)) if serving is not None else (),
        marks=_marks(serving) if serving is not None else (),
        work=_status_work(work),
        under_way=work["state"] == "waiting",
        since=_instant(work.get("since")),
        until=_instant(work.get("until")),
    )


def _marks(serving: Json) -> tuple[str, ...]:
    marks = ["REVOKED"] if serving["revoked"] else []
    if serving["wanted"] is False:
        marks.append("not as wanted")
    return tuple(marks)


def _status_work(work: Json) -> str:
    match work["state"]:
        case "none":
            return "none"
        case "not read":
            return f"not read: {work['text']}"
        case "blocked":
            return f"blocked at {work['phase']}: {work['text']}"
        case "waiting":
            return f"{work['phase']}: waits for {work['actor']}: {work['text']}"
        case "held":
            return f"held: {work['kind']}: {work['held'] or work['text']}"
        case _:
            return f"{work['phase']}: {work['kind']} at the next apply: {work['text']}"


def _needed(row: Json) -> Needed:
    """Return why a certificate needs a person, who that is, and what helps; without lines where it needs none."""
    work = row["work"]
    lines = list(row["reasons"])
    if work["state"] == "blocked":
        lines += [work["text"], f"{work['actor']}: {work['remedy']}"]
    level = row["level"]
    word = "blocked" if level == "ok" else level
    return Needed(name=row["name"], file=row["file"], level=level, word=word, lines=tuple(filter(None, lines)))


def _drift(row: Json) -> Needed:
    lines = tuple(difference_text(difference_row(one)) for one in row["drift"])
    return Needed(name=row["name"], file=row["file"], level="", word="", lines=lines)


def _unclaimed(one: Json) -> tuple[str, ...]:
    expires = _instant(one["expires"])
    end = time_text(expires) if expires is not None else "serves nothing"
    changes = ", ".join(str(change) for change in one["pending_changes"]) or "none"
    return (one["common_name"], str(one["enrollment_id"]), one["account"], one["claim"], end, changes)


def _stray(one: Json) -> tuple[str, ...]:
    expires = _instant(one["expires"])
    end = time_text(expires) if expires is not None else "-"
    return (one["common_name"], str(one["ssl_id"]), one["instance"], one["status"], end)


def _place(account: str, enrollment_id: int | None) -> str:
    return f"{account}, enrollment {enrollment_id}" if enrollment_id is not None else f"{account}, no enrollment"


def _instant(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text is not None else None
