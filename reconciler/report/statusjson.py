"""Status as JSON, `format_version` major.minor: a minor adds, a reader refuses a higher major."""

from datetime import datetime
from typing import Any

from reconciler.planning.health import Health, Level, Work
from reconciler.planning.needs import Serving
from reconciler.planning.plan import Standing
from reconciler.planning.steps import Act, Blocked, Done, Unread, Wait
from reconciler.planning.strays import StrayOrder, UnclaimedEnrollment
from reconciler.report.campaigns import campaign_json
from reconciler.report.jsonout import difference_json, selectors_json
from reconciler.report.problem import problem_json
from reconciler.report.status import Status

FORMAT_VERSION = "1.0"


def status_json(status: Status, *, tool_version: str, exit_code: int) -> dict[str, Any]:
    """Return the status as `schemas/status.schema.json` describes it; all that the text counts is listed."""
    plan = status.plan
    return {
        "format_version": FORMAT_VERSION,
        "kind": "status",
        "tool_version": tool_version,
        "at": _iso(plan.at),
        "exit_code": exit_code,
        "partial": plan.partial,
        "selectors": selectors_json(plan.selectors),
        "summary": {
            **{level.value: status.count(level) for level in Level},
            **{work.name.lower(): status.working(work) for work in Work},
        },
        "problems": [problem_json(problem) for problem in plan.problems],
        "unread": list(plan.unread),
        "certificates": [_health_json(one) for one in status.healths],
        "unclaimed_enrollments": None if status.broken else [_unclaimed_json(one) for one in status.unclaimed],
        "campaigns": [campaign_json(state, plan.at) for state in plan.campaigns],
        "stray_orders": [_stray_json(one) for one in status.strays],
    }


def _health_json(health: Health) -> dict[str, Any]:
    standing = health.standing
    return {
        "name": health.name,
        "file": standing.desired.location.path,
        "common_name": standing.desired.common_name,
        "account": standing.desired.enrollment.account,
        "enrollment_id": standing.enrollment.id if standing.enrollment is not None else None,
        "level": health.level.value,
        "reasons": list(health.reasons),
        "serving": _serving_json(standing.serving, health.wanted),
        "work": {"state": health.work.value, "phase": standing.phase.value, **_work_json(standing)},
        "drift": [difference_json(one) for one in health.drift],
    }


def _serving_json(serving: Serving | None, wanted: bool | None) -> dict[str, Any] | None:
    if serving is None:
        return None
    return {
        "expires": _iso(serving.expires_at),
        "remaining_s": int(serving.remaining.total_seconds()),
        "due": _iso(serving.due_at),
        "key_types": sorted(serving.key_types),
        "serials": sorted(f"{serial:X}" for serial in serving.serials),
        "revoked": serving.revoked,
        "wanted": wanted,
    }


def _work_json(standing: Standing) -> dict[str, Any]:
    match standing.decision:
        case Act(kind=kind, reason=reason, text=text):
            held = (standing.throttled or standing.held) if standing.refused is None else standing.refused.text
            return {"kind": kind.value, "reason": reason, "text": text, "held": held}
        case Wait(actor=actor, text=text, since=since, until=until, remedy=remedy):
            times = {"since": _iso(since), "until": _iso(until)}
            return {"actor": actor.value, "text": text, "remedy": remedy or None, **times}
        case Blocked(actor=actor, text=text, remedy=remedy, reason=reason):
            return {"actor": actor.value, "reason": reason, "text": text, "remedy": remedy}
        case Unread(text=text):
            return {"text": text}
        case Done(notes=notes):
            return {"notes": list(notes)}


def _unclaimed_json(one: UnclaimedEnrollment) -> dict[str, Any]:
    return {
        "enrollment_id": one.enrollment.id,
        "account": one.enrollment.account,
        "common_name": one.enrollment.common_name,
        "claim": one.claim.value,
        "expires": _iso(one.expires_at),
        "pending_changes": [change.id for change in one.enrollment.pending],
    }


def _stray_json(one: StrayOrder) -> dict[str, Any]:
    return {
        "instance": one.instance,
        "ssl_id": one.order.ssl_id,
        "common_name": one.order.common_name,
        "status": one.order.status_text,
        "issued": _iso(one.order.issued_at),
        "expires": _iso(one.order.expires_at),
        "superseded": one.superseded,
    }


def _iso(instant: datetime | None) -> str | None:
    return instant.isoformat().replace("+00:00", "Z") if instant is not None else None
