"""The report as JSON: plan and status of one look, the validations, and the orders to come."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from reconciler.planning.load import Forecast
from reconciler.planning.validations import ValidationEnd
from reconciler.report.jsonout import plan_json
from reconciler.report.status import Status
from reconciler.report.statusjson import status_json

FORMAT_VERSION = "1.0"


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Everything that `report` tells."""

    status: Status  # with the plan of the look
    forecast: Forecast
    validations: tuple[ValidationEnd, ...]
    unread: tuple[str, ...]  # of the validations alone


def report_json(report: Report, *, tool_version: str, exit_code: int) -> dict[str, Any]:
    """Return the report as `schemas/report.schema.json` describes it.

    Plan and status in it are as their own commands write them.
    """
    status = status_json(report.status, tool_version=tool_version, exit_code=exit_code)
    return {
        "format_version": FORMAT_VERSION,
        "kind": "report",
        "tool_version": tool_version,
        "at": status["at"],
        "exit_code": exit_code,
        "plan": plan_json(report.status.plan, tool_version=tool_version),
        "status": status,
        "validations": _validations_json(report.validations),
        "validations_unread": list(report.unread),
        "load": _load_json(report.forecast),
    }


def _validations_json(validations: Iterable[ValidationEnd]) -> list[dict[str, Any]]:
    return [
        {
            "subject": one.subject.value,
            "name": one.name,
            "level": one.level.value if one.level is not None else None,
            "instance": one.instance,
            "until": one.until.isoformat() if one.until is not None else None,
            "state": one.state,
            "certificates": list(one.certificates),
        }
        for one in validations
    ]


def _load_json(forecast: Forecast) -> dict[str, Any]:
    return {
        "certificates": forecast.certificates,
        "year_orders": forecast.year_orders,
        "months": [
            {"first": one.first.isoformat(), "orders": one.orders, "max_days": one.max_days} for one in forecast.months
        ],
        "limits": [
            {"since": one.since.isoformat(), "max_days": one.max_days, "orders_a_year": one.orders_a_year}
            for one in forecast.limits
        ],
    }
