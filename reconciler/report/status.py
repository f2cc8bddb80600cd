"""Status as text: serving health and work progress as two columns a certificate, worst first."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from rich.text import Text

from reconciler.model.certificate import KeyType
from reconciler.planning.health import Health, Level, Work
from reconciler.planning.plan import Plan
from reconciler.planning.steps import Act, Blocked, Done, Unread, Wait
from reconciler.planning.strays import Claim, StrayOrder, UnclaimedEnrollment
from reconciler.report.campaigns import campaign_lines
from reconciler.report.document import difference_row
from reconciler.report.escape import visible
from reconciler.report.jsonout import difference_json
from reconciler.report.lines import difference_text

_DAY = timedelta(days=1)
_LEVELS = {Level.CRITICAL: ("!", "bold red"), Level.WARN: ("!", "yellow"), Level.OK: ("=", "green")}
_CLAIMS = {
    Claim.RELEASED: "Released: managed before, and no file of this project claims it; nobody renews it",
    Claim.FORMERLY_MANAGED: "Formerly managed, as the tags of its orders tell; nobody renews it",
    Claim.UNMANAGED: "Unmanaged: no file claims it",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """Everything that `status` tells. `healths` are sorted, worst first."""

    plan: Plan  # of the look
    healths: tuple[Health, ...]
    unclaimed: tuple[UnclaimedEnrollment, ...]
    strays: tuple[StrayOrder, ...]
    broken: int  # files that cannot be used: what they claim is not known

    def count(self, level: Level) -> int:
        return sum(one.level is level for one in self.healths)

    def working(self, work: Work) -> int:
        return sum(one.work is work for one in self.healths)


def status_text(status: Status) -> list[Text]:
    """Return the status: what could not be read, the two columns, who acts, what differs, what nobody claims."""
    plan = status.plan
    return [
        *_header(status),
        *_section("Problems in files", [f"  {problem}" for problem in plan.problems], style="red"),
        *_section("Could not be read completely", [f"  {text}" for text in plan.unread], style="red"),
        *_table(status.healths),
        *_section("Needs a person", list(_needed(status.healths))),
        *_section("Waiting", list(_waiting(status.healths))),
        *_section("File and CPS differ: not applied yet, or changed by hand", list(_drift(status.healths))),
        *_section("Shared by several certificates", [f"  {text}" for text in plan.shared]),
        *_section("Replacement campaigns", list(campaign_lines(plan.campaigns, plan.at))),
        *_unclaimed(status),
        *_section("Orders alive at SCM, on no network", list(_strays(status.strays))),
        _summary(status),
    ]


def _header(status: Status) -> list[Text]:
    count = len(status.healths)
    noun = "certificate" if count == 1 else "certificates"
    lines = [Text.assemble(("certrecon status", "bold"), f"  {count} {noun}, {_time(status.plan.at)}")]
    if status.plan.partial:
        lines.append(Text(f"PARTIAL: {visible(status.plan.partial)}", style="bold yellow"))
    return [*lines, Text()]


def _section(title: str, lines: Sequence[str], *, style: str = "") -> list[Text]:
    if not lines:
        return []
    return [Text(title, style="bold"), *(Text(visible(line), style=style) for line in lines), Text()]


def _table(healths: Sequence[Health]) -> list[Text]:
    """Return the two columns, each as wide as its widest cell: nothing is cut."""
    if not healths:
        return []
    rows = [(visible(one.name), visible(_serving(one)), visible(_work(one))) for one in healths]
    heads = ("CERTIFICATE", "SERVING", "WORK")
    name_width, serving_width = (max(len(row[place]) for row in (heads, *rows)) for place in (0, 1))
    lines = [Text(f"{'':<13}{heads[0]:<{name_width}}  {heads[1]:<{serving_width}}  {heads[2]}", style="dim")]
    for one, (name, serving, work) in zip(healths, rows, strict=True):
        symbol, style = _LEVELS[one.level]
        lines.append(
            Text.assemble(
                (f"  {symbol} {one.level:<9}", style),
                (f"{name:<{name_width}}", "bold"),
                f"  {serving:<{serving_width}}  {work}",
            )
        )
    return [*lines, Text()]


def _serving(health: Health) -> str:
    serving = health.standing.serving
    if serving is None:
        return "nothing"
    kinds = " + ".join(one for one in KeyType if one in serving.key_types)
    left = f"{serving.remaining // _DAY} d left" if serving.remaining > timedelta() else "EXPIRED"
    marks = ["REVOKED"] if serving.revoked else []
    marks += {True: [], False: ["not as wanted"], None: ["names not known to SCM"]}[health.wanted]
    return ", ".join([f"{kinds} until {serving.expires_at:%Y-%m-%d}", left, *marks])


def _work(health: Health) -> str:
    standing = health.standing
    match standing.decision:
        case Act(phase=phase, kind=kind, reason=reason):
            if standing.refused is not None:
                return f"held: {kind} ({reason}), by guard {standing.refused.guard}"
            if standing.throttled is not None:
                return f"held: {kind} ({reason}), {standing.throttled}"
            if standing.held is not None:
                return f"held: {kind} ({reason}), {standing.held}"
            return f"{phase}: {kind} ({reason}) at the next apply"
        case Wait(phase=phase, actor=actor, since=since, until=until):
            return f"{phase}: waits for {actor}{_span(since, until)}"
        case Blocked(phase=phase, actor=actor, reason=reason):
            return f"blocked at {phase} ({reason}): {actor} acts"
        case Unread():
            return "not read"
        case Done():
            return "none"


def _span(since: datetime | None, until: datetime | None) -> str:
    after = f" since {_time(since)}" if since is not None else ""
    return after + (f" until {_time(until)}" if until is not None else "")


def _needed(healths: Iterable[Health]) -> Iterator[str]:
    """Say, of each certificate that is not ok or is held up, why, who acts, and how."""
    for one in healths:
        standing = one.standing
        lines = list(one.reasons)
        if isinstance(decision := standing.decision, Blocked):
            lines += [decision.text, f"{decision.actor}: {decision.remedy}"]
        if (refused := standing.refused) is not None:
            lines += [f"guard {refused.guard}: {refused.text}", refused.remedy]
        if lines:
            yield f"  {one.name}  {standing.desired.location}"
            yield from (f"    {line}" for line in dict.fromkeys(lines) if line)


def _waiting(healths: Iterable[Health]) -> Iterator[str]:
    for one in healths:
        decision = one.standing.decision
        if isinstance(decision, Wait):
            yield f"  {one.name}: {decision.actor}: {decision.text}{_span(decision.since, decision.until)}"
            yield from (f"    {line}" for line in (decision.remedy, *decision.notes) if line)


def _drift(healths: Iterable[Health]) -> Iterator[str]:
    for one in healths:
        if one.drift:
            yield f"  {one.name}"
            yield from (
                f"    {difference_text(difference_row(difference_json(difference)))}" for difference in one.drift
            )


def _unclaimed(status: Status) -> list[Text]:
    if status.broken:
        files = "file" if status.broken == 1 else "files"
        text = f"  not listed: {status.broken} {files} cannot be read, and may claim them"
        return _section("Enrollments that no file claims", [text])
    lines: list[Text] = []
    for claim, title in _CLAIMS.items():
        of_claim = [one for one in status.unclaimed if one.claim is claim]
        lines += _section(title, [_enrollment(one, status.plan.at) for one in of_claim])
    return lines


def _enrollment(one: UnclaimedEnrollment, now: datetime) -> str:
    end = "serves nothing"
    if one.expires_at is not None:
        word = "serves until" if one.expires_at > now else "EXPIRED"
        end = f"{word} {_time(one.expires_at)}"
    pending = f", change {one.enrollment.pending[-1].id} pending" if one.enrollment.pending else ""
    return f"  enrollment {one.enrollment.id}  {one.enrollment.common_name}: {end}{pending}"


def _strays(strays: Sequence[StrayOrder]) -> Iterator[str]:
    """List them, the superseded ones as a count: each renewal leaves one until its end."""
    for one in strays:
        if not one.superseded:
            order = one.order
            end = f", until {_time(order.expires_at)}" if order.expires_at is not None else ""
            yield f"  order {order.ssl_id} at {one.instance}  {order.common_name}: {order.status_text}{end}"
    if count := sum(one.superseded for one in strays):
        yield f"  {count} superseded: a later certificate is served in {'its' if count == 1 else 'their'} place"


def _summary(status: Status) -> Text:
    levels = ", ".join(f"{count} {level}" for level in Level if (count := status.count(level)))
    works = ", ".join(f"{count} {_WORDS[work]}" for work in Work if (count := status.working(work)) and work in _WORDS)
    return Text(f"Status: {levels or 'no certificates'}{f'; {works}' if works else ''}.", style="bold")


_WORDS: Mapping[Work, str] = {
    Work.UNREAD: "not read",
    Work.BLOCKED: "blocked",
    Work.HELD: "held",
    Work.ACTION: "to act on",
    Work.WAITING: "waiting",
}


def _time(instant: datetime) -> str:
    return f"{instant:%Y-%m-%d %H:%M} UTC"
