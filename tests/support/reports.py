"""A report as a document: of any size, with every kind of row, and with text that means harm."""

from datetime import timedelta
from typing import Any

from tests.support.documents import AT, HOSTILE, plan_of

_STATES = ("none", "waiting", "blocked", "action", "held", "not read")


def report_of(count: int, *, text: str = "of a reason") -> dict[str, Any]:
    """Return a report of `count` certificates; `text` stands wherever files and services are quoted."""
    plan = plan_of(count, deletes=min(count, 2))
    return {
        "format_version": "1.0",
        "kind": "report",
        "tool_version": "1.2.3",
        "at": _time(0),
        "exit_code": 0,
        "plan": plan,
        "status": status_of(count, text=text),
        "validations": [
            {
                "subject": "domain",
                "name": text,
                "level": None,
                "instance": "enterprise",
                "until": "2027-03-14",
                "state": "validated",
                "certificates": ["a", "b"],
            },
            {
                "subject": "organization",
                "name": text,
                "level": "OV",
                "instance": "enterprise",
                "until": None,
                "state": text,
                "certificates": ["a"],
            },
        ],
        "validations_unread": [text] if text == HOSTILE else [],
        "load": {
            "certificates": count,
            "year_orders": 3 * count,
            "months": [
                {"first": f"2027-{month:02}-01", "orders": month * count, "max_days": 199 if month < 3 else 100}
                for month in range(3, 13)
            ],
            "limits": [
                {"since": "2026-03-12", "max_days": 199, "orders_a_year": 2 * count},
                {"since": "2027-03-15", "max_days": 100, "orders_a_year": 5 * count},
                {"since": "2029-03-15", "max_days": 47, "orders_a_year": 12 * count},
            ],
        },
    }


def status_of(count: int, *, text: str = "of a reason") -> dict[str, Any]:
    rows = [_row(number, text) for number in range(count)]
    return {
        "format_version": "1.0",
        "kind": "status",
        "tool_version": "1.2.3",
        "at": _time(0),
        "exit_code": 0,
        "partial": None,
        "selectors": None,
        "summary": {
            **{level: sum(row["level"] == level for row in rows) for level in ("critical", "warn", "ok")},
            "waiting": sum(row["work"]["state"] == "waiting" for row in rows),
        },
        "problems": [],
        "unread": [],
        "certificates": rows,
        "unclaimed_enrollments": [
            {
                "enrollment_id": 7,
                "account": "main",
                "common_name": text,
                "claim": "unmanaged",
                "expires": _time(40),
                "pending_changes": [],
            }
        ],
        "campaigns": [],
        "stray_orders": [
            {
                "instance": "enterprise",
                "ssl_id": 9,
                "common_name": text,
                "status": text,
                "issued": None,
                "expires": None,
                "superseded": superseded,
            }
            for superseded in (False, True)
        ],
    }


def _row(number: int, text: str) -> dict[str, Any]:
    left = -3 if number == 0 else 5 if number == 1 else number % 190
    level = "critical" if left < 10 else "warn" if left < 21 else "ok"
    name = text if text == HOSTILE else f"shop/service-{number:05}.example.com"
    return {
        "name": name,
        "file": f"certificates/{name}.yaml",
        "common_name": name,
        "account": "main",
        "enrollment_id": 10_000 + number if number != 3 else None,
        "level": level,
        "reasons": [text] if level != "ok" else [],
        "serving": None
        if number == 3
        else {
            "expires": _time(left),
            "remaining_s": left * 86_400,
            "due": _time(left - 30) if number != 4 else None,
            "key_types": ["RSA", "ECDSA"],
            "serials": ["A1"],
            "revoked": number == 5,
            "wanted": number != 6,
        },
        "work": {
            "state": _STATES[number % len(_STATES)],
            "phase": "validating",
            "kind": "renew",
            "actor": "Sectigo",
            "text": text,
            "remedy": text,
            "held": text,
            "since": _time(-2),
            "until": _time(1) if number % 12 == 1 else None,
        },
        "drift": [{"field": "names", "added": [text], "removed": [], "effect": "forces a new order"}]
        if number == 2
        else [],
    }


def _time(days: int) -> str:
    return (AT + timedelta(days=days)).isoformat().replace("+00:00", "Z")
