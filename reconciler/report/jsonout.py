"""Plan and result as JSON values, `format_version` major.minor: a minor adds, a reader refuses a higher major."""

import dataclasses
from datetime import datetime
from typing import Any

from reconciler.model.certificate import DesiredCertificate, KeyType
from reconciler.planning.compared import Compared
from reconciler.planning.diff import Difference, FieldDiffers, SansDiffer
from reconciler.planning.needs import Serving
from reconciler.planning.plan import Action, Plan, Standing
from reconciler.planning.selectors import Selectors
from reconciler.planning.steps import Act, ActionKind, Blocked, Done, Unread, Wait
from reconciler.report.campaigns import campaign_json
from reconciler.report.outcome import ApplyReport
from reconciler.report.problem import problem_json

FORMAT_VERSION = "1.2"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Tree:
    """The commit that a plan's files are of, and those that differ from it."""

    revision: str
    differing: tuple[str, ...] = ()


def plan_json(plan: Plan, *, tool_version: str, tree: Tree | None = None) -> dict[str, Any]:
    """Return the plan as `schemas/plan.schema.json` describes it. `tree`: what its files are, where git knows."""
    return {
        "format_version": FORMAT_VERSION,
        "kind": "plan",
        "tool_version": tool_version,
        "at": _time(plan.at),
        "seen_at": _optional(plan.seen_at),
        "digest": plan.digest,
        "partial": plan.partial,
        "head": {"revision": tree.revision, "differing": list(tree.differing)} if tree is not None else None,
        "base": _base(plan.compared) if plan.compared is not None else None,
        "selectors": selectors_json(plan.selectors),
        "summary": {
            "certificates": len(plan.standings),
            "actions": len(plan.actions),
            "orders": plan.orders,
            "waiting": _number(plan, Wait),
            "blocked": _number(plan, Blocked),
            "unread": _number(plan, Unread),
            "unchanged": _number(plan, Done),
            "held": sum(standing.held is not None for standing in plan.standings),
        },
        "guards": [
            {"guard": state.guard.value, "limit": state.limit, "used": state.used, "text": state.text}
            for state in plan.guards
        ],
        "shared": list(plan.shared),
        "campaigns": [campaign_json(state, plan.at) for state in plan.campaigns],
        "problems": [problem_json(problem) for problem in plan.problems],
        "unread": list(plan.unread),
        "certificates": [_standing(standing, plan.compared) for standing in plan.standings],
    }


def result_json(report: ApplyReport, *, tool_version: str, exit_code: int) -> dict[str, Any]:
    """Return the result of an apply as `schemas/result.schema.json` describes it."""
    return {
        "format_version": FORMAT_VERSION,
        "kind": "result",
        "tool_version": tool_version,
        "at": _time(report.plan.at),
        "exit_code": exit_code,
        "summary": report.summary,
        "certificates": [
            {"name": row.name, "ending": row.ending.value, "phase": row.phase, "text": row.text} for row in report.rows
        ],
        "steps": [dataclasses.asdict(step) for step in report.steps],
        "campaigns": [campaign_json(state, report.plan.at) for state in report.plan.campaigns],
        "problems": [problem_json(problem) for problem in report.plan.problems],
        "unread": list(report.plan.unread),
    }


def selectors_json(selectors: Selectors) -> dict[str, Any] | None:
    """Return what a run was narrowed to; None where it was not."""
    if selectors.text is None:
        return None
    return {
        "targets": list(selectors.targets),
        "excluded": list(selectors.excluded),
        "labels": [f"{key}={value}" for key, value in sorted(selectors.labels)],
        "accounts": sorted(selectors.accounts),
        "only": [kind.value for kind in ActionKind if kind in selectors.only],
    }


def _number(plan: Plan, kind: type[Wait | Blocked | Unread | Done]) -> int:
    return sum(isinstance(standing.decision, kind) for standing in plan.standings)


def _base(compared: Compared) -> dict[str, Any]:
    return {
        "revision": compared.revision,
        "reference": compared.reference,
        "note": compared.note or None,
        "released": [
            {
                "name": one.desired.name,
                "file": one.desired.location.path,
                "common_name": one.desired.common_name,
                "account": one.desired.enrollment.account,
                "enrollment_id": one.enrollment_id,
                "expires": _optional(one.expires_at),
                "pending": one.pending,
                "looked_at": one.looked_at,
            }
            for one in compared.released
        ],
    }


def _standing(standing: Standing, compared: Compared | None) -> dict[str, Any]:
    desired = standing.desired
    origin = compared.origins.get(standing.name) if compared is not None else None
    return {
        "name": standing.name,
        "file": desired.location.path,
        "line": desired.location.line,
        "column": desired.location.column,
        "common_name": desired.common_name,
        "names": sorted(desired.sans),
        "account": desired.enrollment.account,
        "enrollment_id": standing.enrollment.id if standing.enrollment is not None else None,
        "enrollment": _wanted(desired),
        "serving": _serving(standing.serving),
        "work": _work(standing),
        "action": _action(standing.action),
        "attention": list(standing.attention),
        "failure": standing.failure,
        "refused": {
            "guard": standing.refused.guard.value,
            "text": standing.refused.text,
            "remedy": standing.refused.remedy,
        }
        if standing.refused is not None
        else None,
        "throttled": standing.throttled,
        "held": standing.held,
        "origin": origin.value if origin is not None else None,
    }


def _wanted(desired: DesiredCertificate) -> dict[str, Any]:
    wanted = desired.enrollment
    return {
        "contract": wanted.contract,
        "secure_network": wanted.secure_network,
        "sni_only": wanted.sni_only,
        "promote": wanted.promote.value if wanted.change_management is not False else None,
    }


def _serving(serving: Serving | None) -> dict[str, Any] | None:
    if serving is None:
        return None
    return {
        "expires": _time(serving.expires_at),
        "due": _time(serving.due_at) if serving.due_at is not None else None,
        "below_warn": serving.below_warn,
        "key_types": [one.value for one in KeyType if one in serving.key_types],
        "serials": sorted(f"{serial:X}" for serial in serving.serials),
    }


def _work(standing: Standing) -> dict[str, Any]:
    work: dict[str, Any] = {"phase": standing.phase.value}
    match standing.decision:
        case Act(text=text, reason=reason):
            work |= {"state": "action", "reason": reason, "text": text}
        case Wait(actor=actor, text=text, since=since, until=until, remedy=remedy, notes=notes):
            work |= {"state": "waiting", "actor": actor.value, "text": text, "remedy": remedy or None}
            work["notes"] = list(notes)
            work |= {"since": _optional(since), "until": _optional(until)}
        case Blocked(actor=actor, text=text, remedy=remedy, reason=reason):
            work |= {"state": "blocked", "reason": reason, "actor": actor.value, "text": text, "remedy": remedy}
        case Unread(text=text):
            work |= {"state": "unread", "text": text}
        case Done(notes=notes):
            work |= {"state": "unchanged", "notes": list(notes)}
    return work


def _action(action: Action | None) -> dict[str, Any] | None:
    if action is None:
        return None
    orders = action.orders
    return {
        "kind": action.kind.value,
        "cause": action.cause,
        "reason": action.reason,
        "text": action.text,
        "differences": [difference_json(one) for one in action.differences],
        "notes": list(action.notes),
        "desired_digest": action.desired_digest,
        "precondition": action.precondition,
        "orders": None
        if orders is None
        else {
            "count": orders.count,
            "key_types": [key_type.spelt for key_type in orders.key_types],
            "instance": orders.instance,
            "organization": orders.organization,
            "profile": orders.profile,
            "term_days": orders.term_days,
        },
    }


def difference_json(difference: Difference) -> dict[str, Any]:
    """Return one difference: sets as added and removed, settings as before and after."""
    if isinstance(difference, FieldDiffers):
        return {
            "field": difference.pointer,
            "before": difference.before,
            "after": difference.after,
            "effect": difference.effect.value,
        }
    return {
        "field": "names" if isinstance(difference, SansDiffer) else "keyTypes",
        "added": sorted(difference.added),
        "removed": sorted(difference.removed),
        "effect": difference.effect.value,
    }


def _time(instant: datetime) -> str:
    return instant.isoformat().replace("+00:00", "Z")


def _optional(instant: datetime | None) -> str | None:
    return _time(instant) if instant is not None else None
