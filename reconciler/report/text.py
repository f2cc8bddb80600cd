"""Plan and result as text for a terminal, a log, or a file. Pure: the caller prints the lines."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta

from rich.text import Text

from reconciler.errors import Problem
from reconciler.model.certificate import DesiredCertificate, KeyType
from reconciler.planning.diff import Difference, FieldDiffers, KeyTypesDiffer, SansDiffer
from reconciler.planning.guards import Refusal
from reconciler.planning.needs import Serving
from reconciler.planning.plan import Action, Plan, Standing
from reconciler.planning.steps import ActionKind, Blocked, Done, Unread, Wait
from reconciler.report.campaigns import campaign_lines, unfinished
from reconciler.report.escape import visible
from reconciler.report.outcome import ApplyReport, Ending

_INDENT = " " * 4
_SHOWN_NAMES = 8

_STYLES = {
    ActionKind.DELETE: ("-", "bold red"),
    ActionKind.REVOKE: ("-", "bold red"),
    ActionKind.CANCEL: ("-", "red"),
    ActionKind.REISSUE: ("±", "yellow"),
    ActionKind.CREATE: ("+", "green"),
    ActionKind.ADOPT: ("±", "yellow"),
    ActionKind.RENEW: ("±", "green"),
    ActionKind.UPDATE: ("±", "yellow"),
    ActionKind.UPLOAD: ("^", "cyan"),
    ActionKind.ACKNOWLEDGE: ("*", "cyan"),
    ActionKind.PROMOTE: (">", "cyan"),
    ActionKind.RESUME: ("~", "cyan"),
}
_ENDINGS = {
    Ending.FAILED: ("!", "bold red"),
    Ending.BLOCKED: ("!", "bold red"),
    Ending.UNDER_WAY: ("~", "yellow"),
    Ending.HELD: ("~", "dim"),
    Ending.DONE: ("=", "green"),
}


def plan_text(plan: Plan) -> list[Text]:
    """Return the plan, worst first: problems, what could not be read, blocked, actions, waiting, attention, summary."""
    return [
        *_header(plan),
        *_problems(plan.problems),
        *_unread(plan.unread),
        *_section("Failed", [_failed(one, one.failure) for one in plan.standings if one.failure is not None]),
        *_section("Blocked", [_blocked(one) for one in plan.standings if isinstance(one.decision, Blocked)]),
        *_section("Refused by a guard", [_refused(one, one.refused) for one in plan.standings if one.refused]),
        *_section("Actions", [_action(one, one.action) for one in plan.standings if one.action and not one.held]),
        *_section("Held back", [_action(one, one.action) for one in plan.standings if one.action and one.held]),
        *_section("Waiting", [_waiting(one) for one in plan.standings if isinstance(one.decision, Wait)]),
        *_section("Attention", [_attention(one) for one in plan.standings if one.attention]),
        *_section("Shared by several certificates", [_indented([text]) for text in plan.shared]),
        *_campaigns(plan),
        *_summary(plan),
    ]


def apply_text(report: ApplyReport) -> list[Text]:
    """Return what came of an apply: each certificate that was worked on or is not done, then the counts."""
    lines = [*_problems(report.plan.problems), *_unread(report.plan.unread)]
    for ending in Ending:
        rows = [row for row in report.rows if row.ending is ending]
        if ending is Ending.DONE:
            rows = [row for row in rows if row.worked_on]
        symbol, style = _ENDINGS[ending]
        blocks = [[_title(symbol, ending, row.name, style), *_indented([row.text])] for row in rows]
        lines.extend(_section(ending.value.capitalize(), blocks))
    lines.extend(_campaigns(report.plan))
    lines.append(Text(report.summary, style="bold"))
    return lines


def _header(plan: Plan) -> list[Text]:
    title = Text.assemble(
        ("certrecon plan", "bold"), f"  {_count(len(plan.standings), 'certificate')}, {_time(plan.at)}"
    )
    lines = [title]
    if plan.partial:
        lines.append(Text(f"PARTIAL: {visible(plan.partial)}", style="bold yellow"))
    if plan.seen_at is not None:
        text = f"AS OF {_time(plan.at)}, as everything was seen at {_time(plan.seen_at)}: apply does not take this plan"
        lines.append(Text(text, style="bold yellow"))
    return [*lines, Text()]


def _problems(problems: Sequence[Problem]) -> list[Text]:
    return _section("Problems in files", [[Text(f"  {visible(str(problem))}", style="red")] for problem in problems])


def _campaigns(plan: Plan) -> list[Text]:
    lines = campaign_lines(unfinished(plan.campaigns), plan.at)
    return _section("Replacement campaigns", [[Text(visible(line))] for line in lines])


def _unread(unread: Sequence[str]) -> list[Text]:
    title = "Could not be read completely: no action on what it covers"
    return _section(title, [[Text(f"  {visible(text)}", style="red")] for text in unread])


def _section(title: str, blocks: Sequence[Iterable[Text]]) -> list[Text]:
    if not blocks:
        return []
    return [Text(title, style="bold"), *(line for block in blocks for line in block), Text()]


def _title(symbol: str, word: str, name: str, style: str, place: str = "") -> Text:
    line = Text.assemble((f"  {symbol} {word:<11}", style), " ", (visible(name), "bold"))
    return line.append(f"  {visible(place)}", style="dim") if place else line


def _indented(texts: Iterable[str]) -> list[Text]:
    return [Text(f"{_INDENT}{visible(text)}") for text in texts if text]


def _blocked(standing: Standing) -> list[Text]:
    decision = standing.decision
    if not isinstance(decision, Blocked):
        raise TypeError(standing.name)
    title = _title("!", "blocked", standing.name, "bold red", str(standing.desired.location))
    return [
        title,
        *_indented([f"{decision.phase}: {decision.text}", f"{decision.actor}: {decision.remedy}", *_served(standing)]),
    ]


def _failed(standing: Standing, failure: str) -> list[Text]:
    return [_title("!", "failed", standing.name, "bold red", str(standing.desired.location)), *_indented([failure])]


def _refused(standing: Standing, refusal: Refusal) -> list[Text]:
    kind = standing.action.kind.value if standing.action is not None else ""
    title = _title("!", "refused", standing.name, "bold red", str(standing.desired.location))
    return [title, *_indented([f"{kind}: {refusal.guard}: {refusal.text}", refusal.remedy])]


def _waiting(standing: Standing) -> list[Text]:
    decision = standing.decision
    if not isinstance(decision, Wait):
        raise TypeError(standing.name)
    until = f", until {_time(decision.until)}" if decision.until is not None else ""
    since = f", since {_time(decision.since)}" if decision.since is not None else ""
    what = f"{decision.phase}: waits for {decision.actor}: {decision.text}{since}{until}"
    title = _title("~", "waiting", standing.name, "yellow", str(standing.desired.location))
    return [title, *_indented([what, decision.remedy, *decision.notes, standing.held or "", *_served(standing)])]


def _attention(standing: Standing) -> list[Text]:
    title = _title("!", "attention", standing.name, "yellow", str(standing.desired.location))
    return [title, *_indented([*standing.attention, *_served(standing)])]


def _action(standing: Standing, action: Action) -> list[Text]:
    symbol, style = _STYLES[action.kind]
    title = _title(symbol, action.kind, standing.name, style, str(standing.desired.location))
    return [title, *_indented(_action_lines(standing, action))]


def _action_lines(standing: Standing, action: Action) -> Iterator[str]:
    yield f"because {action.text}"
    desired = standing.desired
    if action.kind is ActionKind.CREATE:
        yield _enrollment_line(desired)
        yield f"names: {_names(desired)}"
    yield from (difference_text(one) for one in action.differences)
    if action.orders is not None:
        kinds = " + ".join(key_type.spelt for key_type in action.orders.key_types)
        yield (
            f"{_count(action.orders.count, 'order')}: {kinds} of {action.orders.profile!r} for"
            f" {action.orders.organization}, {action.orders.term_days} days"
        )
    yield from action.notes
    if standing.refused is not None:
        yield f"REFUSED by guard {standing.refused.guard}: see above"
    if standing.throttled is not None:
        yield f"waits: {standing.throttled}"
    if standing.held is not None:
        yield standing.held
    yield from _served(standing)


def _enrollment_line(desired: DesiredCertificate) -> str:
    wanted = desired.enrollment
    sni = "SNI only" if wanted.sni_only else "not SNI only"
    promote = f"promote {wanted.promote}" if wanted.change_management is not False else "no stop at staging"
    return (
        f"enrollment: account {wanted.account}, contract {wanted.contract}, {wanted.secure_network}, {sni}, {promote}"
    )


def _names(desired: DesiredCertificate) -> str:
    others = sorted(desired.sans - {desired.common_name})
    shown = ", ".join([desired.common_name, *others[:_SHOWN_NAMES]])
    more = len(others) - _SHOWN_NAMES
    return f"{shown} and {more} more" if more > 0 else shown


def difference_text(difference: Difference) -> str:
    """Return one difference in a line: names and key types as sets, settings before and after."""
    match difference:
        case SansDiffer(added=added, removed=removed) | KeyTypesDiffer(added=added, removed=removed):
            what = "names" if isinstance(difference, SansDiffer) else "key types"
            parts = [f"+ {one}" for one in sorted(added)] + [f"- {one}" for one in sorted(removed)]
            return f"{what}: {', '.join(parts)} ({difference.effect})"
        case FieldDiffers(pointer=pointer, before=before, after=after, effect=effect):
            return f"{pointer}: {before} -> {after} ({effect})"


def _served(standing: Standing) -> list[str]:
    return [serving_text(standing.serving)] if standing.serving is not None else []


def serving_text(serving: Serving) -> str:
    """Return what production serves, in a line."""
    kinds = " + ".join(key_type for key_type in sorted(serving.key_types, key=list(KeyType).index))
    left = f"{serving.remaining // timedelta(days=1)} days left" if serving.remaining > timedelta() else "EXPIRED"
    return f"serves {kinds} until {_time(serving.expires_at)} ({left})"


def _summary(plan: Plan) -> list[Text]:
    kinds = [(kind, sum(action.kind is kind for action in plan.actions)) for kind in ActionKind]
    parts = [f"{count} to {kind}" for kind, count in kinds if count]
    if count := sum(standing.action is not None and standing.held is not None for standing in plan.standings):
        parts.append(f"{count} held back")
    for word, kind in (("waiting", Wait), ("blocked", Blocked), ("not read", Unread)):
        if count := sum(isinstance(standing.decision, kind) for standing in plan.standings):
            parts.append(f"{count} {word}")
    unchanged = sum(isinstance(standing.decision, Done) for standing in plan.standings)
    if not plan.actions and unchanged == len(plan.standings) and not plan.problems and not plan.unread:
        return [Text(f"No changes. {_count(unchanged, 'certificate')} as wanted.", style="bold green")]
    parts.append(f"{unchanged} unchanged")
    held = [f"{state.guard} {state.used} of {state.limit}" for state in plan.guards if state.exceeded]
    guards = [Text(f"Guards exceeded: {', '.join(held)}", style="bold red")] if held else []
    orders = f" It places {_count(plan.orders, 'order')}." if plan.orders else ""
    nothing = "No changes can be made now. " if not plan.actions else ""
    return [
        Text(f"{nothing}Plan: {', '.join(parts)}.{orders}", style="bold"),
        *guards,
        Text(f"Digest {plan.digest}", style="dim"),
    ]


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _time(instant: datetime) -> str:
    return f"{instant:%Y-%m-%d %H:%M} UTC"


def told_text(at: datetime, certificate: str | None, text: str) -> str:
    """Return what a running apply tells, in a line."""
    subject = f"{visible(certificate)}: " if certificate is not None else ""
    return f"{at:%Y-%m-%d %H:%M:%S}  {subject}{visible(text)}"
