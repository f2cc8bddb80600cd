"""Events of a run as JSON values, one a line: what `--output events=PATH` writes while it goes on."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

VERSION = 1


def event(kind: str, at: datetime, **fields: object) -> dict[str, Any]:
    """Return an event as `schemas/event.schema.json` describes it. `at` is service time."""
    return {"v": VERSION, "at": _time(at), "kind": kind, **fields}


def run_started(at: datetime, *, command: str, tool_version: str) -> dict[str, Any]:
    return event("run-started", at, command=command, tool_version=tool_version)


def looked(at: datetime, phases: Mapping[str, int], next_look: datetime | None) -> dict[str, Any]:
    """Return that everything was read: how many certificates are at each phase, and when it is read again."""
    again = _time(next_look) if next_look is not None else None
    return event("look", at, phases=dict(phases), next_look=again)


def waiting(at: datetime, until: datetime) -> dict[str, Any]:
    return event("wait", at, until=_time(until))


def step_begun(at: datetime, *, certificate: str, operation: str) -> dict[str, Any]:
    return event("step-begun", at, certificate=certificate, operation=operation)


def step_ended(at: datetime, *, certificate: str, operation: str, outcome: str, detail: str) -> dict[str, Any]:
    return event("step-ended", at, certificate=certificate, operation=operation, outcome=outcome, detail=detail)


def certificate_ended(at: datetime, *, certificate: str, ending: str, text: str) -> dict[str, Any]:
    return event("certificate-ended", at, certificate=certificate, ending=ending, text=text)


def run_ended(at: datetime, *, exit_code: int, summary: str) -> dict[str, Any]:
    return event("run-ended", at, exit_code=exit_code, summary=summary)


def _time(instant: datetime) -> str:
    return instant.isoformat().replace("+00:00", "Z")
