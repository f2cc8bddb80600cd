"""The documents between a look and what people read of it: the published JSON, read back into values.

Every rendering takes these and nothing else, so that a saved plan is shown exactly as the run that made it showed it.
Words of a newer minor (a kind, a phase, an origin) stay as they are: what is not known is shown, not refused.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any, TypeVar

from reconciler.errors import Location, Problem, Severity

Json = Mapping[str, Any]
_T = TypeVar("_T")

CHANGE = "change"  # the origin of what a pull request causes


@dataclass(frozen=True, slots=True, kw_only=True)
class ServingRow:
    """What production serves."""

    expires: datetime  # the earlier of a pair
    remaining: timedelta  # at the time of the plan
    due: datetime | None
    below_warn: bool
    key_types: tuple[str, ...]
    serials: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkRow:
    """Where the work is. `state`: action, waiting, blocked, unread or unchanged."""

    state: str
    phase: str
    reason: str
    actor: str
    text: str
    remedy: str
    since: datetime | None
    until: datetime | None
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DifferenceRow:
    """One difference: of a set what is added and removed, else the value before and after."""

    field: str
    effect: str
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    before: str | None = None
    after: str | None = None

    @property
    def of_set(self) -> bool:
        return bool(self.added or self.removed)


@dataclass(frozen=True, slots=True, kw_only=True)
class OrdersRow:
    count: int
    key_types: tuple[str, ...]
    instance: str
    organization: str
    profile: str
    term_days: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionRow:
    kind: str
    cause: str
    reason: str
    text: str
    differences: tuple[DifferenceRow, ...]
    notes: tuple[str, ...]
    precondition: str
    orders: OrdersRow | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusalRow:
    guard: str
    text: str
    remedy: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EnrollmentRow:
    """What a create asks CPS for."""

    contract: str
    secure_network: str
    sni_only: bool
    promote: str | None  # None: nothing stops at staging


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateRow:
    """One certificate of a plan."""

    name: str
    location: Location
    common_name: str
    names: tuple[str, ...]
    account: str
    enrollment_id: int | None
    enrollment: EnrollmentRow | None
    serving: ServingRow | None
    work: WorkRow
    action: ActionRow | None
    attention: tuple[str, ...]
    failure: str | None
    refused: RefusalRow | None
    throttled: str | None
    held: str | None
    origin: str | None  # change, drift, renewal, in flight; None where no base was given


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleasedRow:
    """A certificate whose file is gone in what is compared."""

    name: str
    file: str
    account: str
    enrollment_id: int | None
    expires: datetime | None
    pending: bool
    looked_at: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardRow:
    guard: str
    limit: int | None
    used: int
    text: str

    @property
    def exceeded(self) -> bool:
        return self.limit is not None and self.used > self.limit


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanDocument:
    """A plan. `certificates` are in the order in which work is done."""

    tool_version: str
    at: datetime
    seen_at: datetime | None
    digest: str
    partial: str | None
    head: str  # the commit that the files are of; empty where nobody knows
    differing: tuple[str, ...]  # files that differ from it
    base: str | None  # the revision that the plan is compared with
    base_reference: str  # what the command line called it; empty where nobody knows
    base_note: str  # why all counts as changed; empty where it does not
    released: tuple[ReleasedRow, ...]
    guards: tuple[GuardRow, ...]
    shared: tuple[str, ...]
    campaigns: tuple[str, ...]  # lines for people
    problems: tuple[Problem, ...]
    unread: tuple[str, ...]
    certificates: tuple[CertificateRow, ...]

    @property
    def actions(self) -> tuple[CertificateRow, ...]:
        """The certificates with an action of what the run is about: what `--only` holds back is none of them."""
        return tuple(row for row in self.certificates if row.action is not None and row.held is None)

    @property
    def held(self) -> tuple[CertificateRow, ...]:
        return tuple(row for row in self.certificates if row.action is not None and row.held is not None)

    @property
    def orders(self) -> int:
        return orders_of(self.actions)

    def caused(self, rows: Iterable[CertificateRow]) -> tuple[CertificateRow, ...]:
        """Return those of `rows` that the change causes; without a base all of them."""
        return tuple(row for row in rows if self.base is None or row.origin == CHANGE)

    def not_caused(self, rows: Iterable[CertificateRow]) -> tuple[CertificateRow, ...]:
        return tuple(row for row in rows if self.base is not None and row.origin != CHANGE)

    def working(self, state: str) -> tuple[CertificateRow, ...]:
        return tuple(row for row in self.certificates if row.work.state == state)


def orders_of(rows: Iterable[CertificateRow]) -> int:
    """Return how many orders the actions of `rows` place that nothing holds back."""
    return sum(row.action.orders.count for row in rows if row.action and row.action.orders and row.held is None)


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultRow:
    name: str
    ending: str
    phase: str
    text: str
    worked_on: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultDocument:
    """What came of an apply."""

    tool_version: str
    at: datetime
    exit_code: int
    summary: str
    problems: tuple[Problem, ...]
    unread: tuple[str, ...]
    campaigns: tuple[str, ...]  # lines for people
    certificates: tuple[ResultRow, ...]


def plan_document(data: Json) -> PlanDocument:
    """Read a plan's JSON, which its schema has judged, or which `jsonout.plan_json` has just made."""
    base, at = data.get("base"), _instant(data["at"])
    return PlanDocument(
        tool_version=data["tool_version"],
        at=at,
        seen_at=_optional(data.get("seen_at"), _instant),
        digest=data["digest"],
        partial=data["partial"],
        head=(data.get("head") or {}).get("revision", ""),
        differing=tuple((data.get("head") or {}).get("differing", ())),
        base=base["revision"] if base is not None else None,
        base_reference=(base or {}).get("reference") or "",
        base_note=(base or {}).get("note") or "",
        released=tuple(map(_released, (base or {}).get("released", ()))),
        guards=tuple(
            GuardRow(guard=one["guard"], limit=one["limit"], used=one["used"], text=one["text"])
            for one in data["guards"]
        ),
        shared=tuple(data["shared"]),
        campaigns=campaign_lines_of(data),
        problems=problem_rows(data["problems"]),
        unread=tuple(data["unread"]),
        certificates=tuple(_certificate(row, at) for row in data["certificates"]),
    )


def result_document(data: Json) -> ResultDocument:
    """Read the JSON that `jsonout.result_json` has made."""
    worked_on = {step["certificate"] for step in data["steps"]}
    return ResultDocument(
        tool_version=data["tool_version"],
        at=_instant(data["at"]),
        exit_code=data["exit_code"],
        summary=data["summary"],
        problems=problem_rows(data["problems"]),
        unread=tuple(data["unread"]),
        campaigns=campaign_lines_of(data),
        certificates=tuple(
            ResultRow(
                name=row["name"],
                ending=row["ending"],
                phase=row["phase"],
                text=row["text"],
                worked_on=row["name"] in worked_on,
            )
            for row in data["certificates"]
        ),
    )


def difference_row(one: Json) -> DifferenceRow:
    return DifferenceRow(
        field=one["field"],
        effect=one["effect"],
        added=tuple(one.get("added", ())),
        removed=tuple(one.get("removed", ())),
        before=one.get("before"),
        after=one.get("after"),
    )


def _certificate(row: Json, at: datetime) -> CertificateRow:
    return CertificateRow(
        name=row["name"],
        location=Location(row["file"], row.get("line") or 0, row.get("column") or 0),
        common_name=row["common_name"],
        names=tuple(row["names"]),
        account=row["account"],
        enrollment_id=row["enrollment_id"],
        enrollment=_optional(row.get("enrollment"), _enrollment),
        serving=_optional(row["serving"], partial(_serving, at=at)),
        work=_work(row["work"]),
        action=_optional(row["action"], _action),
        attention=tuple(row["attention"]),
        failure=row["failure"],
        refused=_optional(row["refused"], _refusal),
        throttled=row["throttled"],
        held=row.get("held"),
        origin=row.get("origin"),
    )


def _released(one: Json) -> ReleasedRow:
    return ReleasedRow(
        name=one["name"],
        file=one["file"],
        account=one["account"],
        enrollment_id=one["enrollment_id"],
        expires=_optional(one["expires"], _instant),
        pending=one["pending"],
        looked_at=one["looked_at"],
    )


def _enrollment(one: Json) -> EnrollmentRow:
    return EnrollmentRow(
        contract=one["contract"],
        secure_network=one["secure_network"],
        sni_only=one["sni_only"],
        promote=one["promote"],
    )


def _serving(one: Json, *, at: datetime) -> ServingRow:
    expires = _instant(one["expires"])
    return ServingRow(
        expires=expires,
        remaining=expires - at,
        due=_optional(one["due"], _instant),
        below_warn=one["below_warn"],
        key_types=tuple(one["key_types"]),
        serials=tuple(one["serials"]),
    )


def _work(one: Json) -> WorkRow:
    return WorkRow(
        state=one["state"],
        phase=one["phase"],
        reason=one.get("reason") or "",
        actor=one.get("actor") or "",
        text=one.get("text") or "",
        remedy=one.get("remedy") or "",
        since=_optional(one.get("since"), _instant),
        until=_optional(one.get("until"), _instant),
        notes=tuple(one.get("notes", ())),
    )


def _action(one: Json) -> ActionRow:
    return ActionRow(
        kind=one["kind"],
        cause=one["cause"],
        reason=one["reason"],
        text=one["text"],
        differences=tuple(map(difference_row, one["differences"])),
        notes=tuple(one["notes"]),
        precondition=one["precondition"],
        orders=_optional(one["orders"], _orders),
    )


def _orders(one: Json) -> OrdersRow:
    return OrdersRow(
        count=one["count"],
        key_types=tuple(one["key_types"]),
        instance=one["instance"],
        organization=one["organization"],
        profile=one["profile"],
        term_days=one["term_days"],
    )


def _refusal(one: Json) -> RefusalRow:
    return RefusalRow(guard=one["guard"], text=one["text"], remedy=one["remedy"])


def campaign_lines_of(data: Json) -> tuple[str, ...]:
    """Return what a document says of its campaigns, as lines for people."""
    return tuple(line for one in data.get("campaigns", ()) for line in one.get("text", ()))


def problem_rows(rows: Iterable[Json]) -> tuple[Problem, ...]:
    """Read what `jsonout.problem_json` has made."""
    return tuple(
        Problem(
            location=Location(row["path"], row["line"], row["column"]),
            text=row["text"],
            remedy=row["remedy"] or "",
            rule=row["rule"] or "",
            severity=_severity(row["severity"]),
            pointer=row["field"] or "",
        )
        for row in rows
    )


def _severity(word: str) -> Severity:
    """Read the word; one of a newer minor counts as an error, so that it is not overlooked."""
    return Severity(word) if word in set(Severity) else Severity.ERROR


def _optional(value: Any, read: Callable[[Any], _T]) -> _T | None:
    return None if value is None else read(value)


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text)
