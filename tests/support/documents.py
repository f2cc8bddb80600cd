"""Plans as documents: of any size, of every kind of row, and with text that means harm."""

from datetime import UTC, datetime, timedelta
from typing import Any

AT = datetime(2027, 3, 1, 12, tzinfo=UTC)
HOSTILE = "a|b `c` ```\n</details> @team ::error::x [/red] <script>alert(1)</script> \x1b[2J\u202eb <!-- --> %0A"

_KINDS = ("renew", "create", "update", "reissue", "upload")
_ORIGINS = {"renew": "renewal", "update": "drift", "upload": "in flight"}


def plan_of(count: int, *, deletes: int = 0, refused: int = 0, base: bool = False) -> dict[str, Any]:
    """Return a plan of `count` certificates: first deletes and refused reissues, then a cycle of all states."""
    rows = [_row(number, deletes, refused, based=base) for number in range(count)]
    return {
        "format_version": "1.2",
        "kind": "plan",
        "tool_version": "1.2.3",
        "at": _time(AT),
        "seen_at": None,
        "digest": "0123456789abcdef",
        "partial": None,
        **({"base": _base()} if base else {}),
        "summary": {},
        "guards": [{"guard": "changedPercent", "limit": 25, "used": 40, "text": "40 of 25"}] if refused else [],
        "shared": ["The password of account main ends in 9 days."] if count > 1 else [],
        "campaigns": [],
        "problems": [],
        "unread": [],
        "certificates": rows,
    }


def _base() -> dict[str, Any]:
    gone = {"file": "certificates/old.yaml", "common_name": "old.example.com", "account": "main"}
    seen = gone | {"enrollment_id": 9_999, "pending": False, "looked_at": True}
    return {
        "revision": "8f4b2c1d9e8f7a6b5c4d3e2f1a0b9c8d7e6f5a4b",
        "reference": "origin/main",
        "note": None,
        "released": [
            seen | {"name": "old", "expires": _time(AT + timedelta(days=40)), "pending": True},
            seen | {"name": "new", "enrollment_id": None, "expires": None},
            seen | {"name": "far", "enrollment_id": None, "expires": None, "looked_at": False},
        ],
    }


def hostile_plan(*, base: bool = False) -> dict[str, Any]:
    """Return a plan in which all text that can come from outside is hostile."""
    plan = plan_of(12, deletes=1, refused=1, base=base)
    if base:
        plan["base"] = _hostile(plan["base"], key="") | {"note": HOSTILE}
    problem = {"path": HOSTILE, "line": 1, "column": 2, "severity": "error", "rule": HOSTILE, "field": HOSTILE}
    plan |= {
        "partial": HOSTILE,
        "shared": [HOSTILE],
        "unread": [HOSTILE],
        "problems": [problem | {"text": HOSTILE, "remedy": HOSTILE}],
        "campaigns": [{"name": "x", "text": [HOSTILE]}],
    }
    plan["certificates"] = [_hostile(row, key="") for row in plan["certificates"]]
    plan["certificates"][3]["action"] = plan["certificates"][0]["action"] | {"kind": HOSTILE}
    return plan


_OURS = {"state", "kind", "expires", "due", "since", "until", "effect"}


def _hostile(value: Any, *, key: str) -> Any:
    if isinstance(value, dict):
        return {name: _hostile(one, key=name) for name, one in value.items()}
    if isinstance(value, list):
        return [_hostile(one, key=key) for one in value]
    return HOSTILE if isinstance(value, str) and key not in _OURS else value


def _row(number: int, deletes: int, refused: int, *, based: bool) -> dict[str, Any]:
    name = f"shop/service-{number:05}.example.com"
    row: dict[str, Any] = {
        "name": name,
        "file": f"certificates/{name}.yaml",
        "line": 2,
        "column": 1,
        "common_name": f"service-{number:05}.example.com",
        "names": [f"service-{number:05}.example.com", f"www.service-{number:05}.example.com"],
        "account": "main",
        "enrollment_id": 10_000 + number,
        "enrollment": {"contract": "C-1", "secure_network": "enhanced-tls", "sni_only": True, "promote": "auto"},
        "serving": {
            "expires": _time(AT + timedelta(days=20, minutes=number)),
            "due": _time(AT),
            "below_warn": False,
            "key_types": ["RSA", "ECDSA"],
            "serials": [f"{number:X}"],
        },
        "work": {"state": "action", "phase": "production", "reason": "r", "text": "t"},
        "action": None,
        "attention": [],
        "failure": None,
        "refused": None,
        "throttled": None,
        "held": None,
    }
    kind = _KINDS[number % len(_KINDS)]
    if number < deletes:
        row["action"] = _action("delete", "its file says state: absent")
    elif number < deletes + refused:
        row["action"] = _action("reissue", "its names differ")
        row["refused"] = {"guard": "changedPercent", "text": "40 % would change", "remedy": "Raise the budget."}
    elif number % 9 == 7:
        row["work"] = _held_up("waiting", "Sectigo", "order 501 is Requested") | {"since": _time(AT), "until": None}
    elif number % 9 == 8:
        row["work"] = _held_up("blocked", "operator", "order 502 is Declined")
    else:
        row["action"] = _action(kind, "of a reason")
    if based:
        row["origin"] = _ORIGINS.get(kind, "change") if number >= deletes + refused else "change"
    return row


def _held_up(state: str, actor: str, text: str) -> dict[str, Any]:
    return {"state": state, "phase": "validating", "reason": "r", "actor": actor, "text": text, "remedy": "Do it."}


def _action(kind: str, text: str) -> dict[str, Any]:
    names = {"field": "names", "added": ["img.example.com"], "removed": ["old.example.com"]}
    stapling = {"field": "akamai.ocspStapling", "before": "on", "after": "off"}
    orders = {"count": 2, "key_types": ["RSA-2048", "ECDSA-P256"], "instance": "scm", "organization": "Example Ltd"}
    differs = kind in ("reissue", "update")
    return {
        "kind": kind,
        "cause": "c0ffee",
        "reason": "code",
        "text": text,
        "differences": [
            names | {"effect": "forces a new order"},
            stapling | {"effect": "redeploys, without a new order"},
        ]
        if differs
        else [],
        "notes": [],
        "desired_digest": "d",
        "precondition": "p",
        "orders": orders | {"profile": "OV", "term_days": 46} if kind in ("renew", "create", "reissue") else None,
    }


def _time(instant: datetime) -> str:
    return instant.isoformat().replace("+00:00", "Z")
