"""The cells of the crash matrix, from what was recorded: each call and each push struck at each moment, and each call
by each fault."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.faults.crash.scenarios import BY_NAME, CALLS, PUSHES, recorded
from tests.support.crash import Moment


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One mutating call of an undisturbed run."""

    scenario: str
    operation: str
    nth: int  # of all mutating calls of the scenario, from 1
    time: int  # of this operation's, from 1

    def __str__(self) -> str:
        return f"{self.scenario}: {self.nth}. {self.operation}"


def calls() -> Iterator[Call]:
    for scenario, operations in recorded(CALLS).items():
        seen: Counter[str] = Counter()
        for nth, operation in enumerate(operations, 1):
            seen[operation] += 1
            if scenario in BY_NAME:
                yield Call(scenario=scenario, operation=operation, nth=nth, time=seen[operation])


@dataclass(frozen=True, slots=True, kw_only=True)
class Kill:
    call: Call
    moment: Moment

    def __str__(self) -> str:
        return f"{self.call}: {self.moment}"


def kills() -> Iterator[Kill]:
    for call in calls():
        for moment in Moment:
            yield Kill(call=call, moment=moment)


@dataclass(frozen=True, slots=True, kw_only=True)
class PushKill:
    """A push of lock and journal that is struck: one of the recorded, or a heartbeat while a call is made."""

    scenario: str
    push: str
    nth: int  # of the scenario's pushes; of its mutating calls, for a heartbeat
    heartbeat: bool
    moment: Moment

    def __str__(self) -> str:
        return f"{self.scenario}: {self.nth}. {self.push}: {self.moment}"


def push_kills() -> Iterator[PushKill]:
    """Yield every push with every moment. Heartbeats come when time has passed: here, one during every call."""
    for scenario, pushes in recorded(PUSHES).items():
        beats = [f"heartbeat during {operation}" for operation in recorded(CALLS)[scenario]]
        for names in (pushes, beats):
            for nth, name in enumerate(names, 1):
                for moment in Moment:
                    yield PushKill(scenario=scenario, push=name, nth=nth, heartbeat=names is beats, moment=moment)


# Those that `make test` plays: each kind of push once, each moment twice.
QUICK_PUSH_KILLS = frozenset(
    {
        f"create DV: 1. take: {Moment.LOST}",
        f"create DV: 2. note: {Moment.BEFORE}",
        f"create DV: 6. intent submit order: {Moment.AFTER}",
        f"create DV: 7. outcome submit order: {Moment.BEFORE}",
        f"create DV: 2. heartbeat during scm.enroll: {Moment.AFTER}",
        f"create DV: 15. release: {Moment.LOST}",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """What goes wrong at a call: a fault of the sandbox, or `disturb`, which `test_faults` knows how to do, or both."""

    name: str
    moment: str = ""  # of an answer that is not the service's: "before" it has acted, or "after"
    armed: Mapping[str, Any] = field(default_factory=dict)
    disturb: str = ""
    service: str | None = None  # None: it may happen to calls of each
    login: str | None = None

    def __str__(self) -> str:
        return f"{self.name} {self.moment} acting" if self.moment else self.name


_HTML = {"status": 502, "body": "<html>bad gateway</html>", "content_type": "text/html"}
_PLAIN = {"status": 503, "body": "upstream connect error", "content_type": "text/plain"}
_THROTTLED = {"kind": "status", "status": 429, "headers": {"Retry-After": "5"}}

# Those of SCM's codes that say nothing of what was done (sectigo-scm, section 6: "transient").
TRANSIENT_CODES = (-1, -2, -14, -43, -65, -129, -140, -195, -196, -1603, -3114, -3115)


def _transient(code: int) -> dict[str, Any]:
    body = json.dumps({"code": code, "description": "Please try again later."})
    return {"status": 400, "body": body, "content_type": "application/json"}


def _answers() -> Iterator[Fault]:
    """Yield answers that tell nothing of what was done: they come before the service has acted, or after."""
    said: dict[str, tuple[dict[str, Any], str | None]] = {
        "500": ({"status": 500}, None),
        "502 in HTML": (_HTML, None),
        "503 in plain text": (_PLAIN, None),
        **{f"400 with {code}": (_transient(code), "scm") for code in TRANSIENT_CODES},
    }
    for name, (answer, service) in said.items():
        yield Fault(name=name, moment="before", armed={"kind": "status", **answer}, service=service)
        yield Fault(name=name, moment="after", armed={"kind": "status-after", **answer}, service=service)


FAULTS: tuple[Fault, ...] = (
    Fault(name="429", armed=_THROTTLED),
    *_answers(),
    Fault(name="half a body", armed={"kind": "half-body"}),
    Fault(name="no body", armed={"kind": "empty-body"}),
    Fault(name="wrong types", armed={"kind": "wrong-types"}),
    Fault(name="connection closed before acting", armed={"kind": "refuse"}),
    Fault(name="timeout, acts later", armed={"kind": "delay", "seconds": 0.4}, disturb="timeout"),
    Fault(name="expired token", disturb="expired token", service="scm", login="oauth"),
    Fault(name="clock 45 s ahead", disturb="clock ahead", service="cps"),
    Fault(name="clock 45 s behind", disturb="clock behind", service="cps"),
)
LOGINS = {
    "password": "{type: password, login: SECTIGO_LOGIN, password: SECTIGO_PASSWORD, customerUri: acme}",
    "oauth": "{type: oauth, clientId: SECTIGO_CLIENT_ID, clientSecret: SECTIGO_CLIENT_SECRET}",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Struck:
    """A call that meets a fault, in a run that logs in to SCM in one of its ways."""

    call: Call
    fault: Fault
    login: str

    def __str__(self) -> str:
        return f"{self.call}: {self.fault}: {self.login}"


def struck() -> list[Struck]:
    """Return every call with every fault that may happen to it, with every login."""
    return [
        Struck(call=call, fault=fault, login=login)
        for call in calls()
        for fault in FAULTS
        if fault.service in (None, call.operation.partition(".")[0])
        for login in LOGINS
        if fault.login in (None, login)
    ]


def chosen(cells: Iterable[Struck]) -> frozenset[str]:
    """Return the names of those that `make test` plays: each fault at each of its moments, and each operation, once.

    `make test-long` plays them all; how each answer is read has its own tests in `test_error_mapping`.
    """
    seen: set[tuple[str, ...]] = set()
    names: list[str] = []
    for cell in cells:
        new = {("fault", cell.fault.name, cell.fault.moment), ("operation", cell.call.operation)} - seen
        if new and not (cell.fault.name.startswith("400 with ") and str(TRANSIENT_CODES[0]) not in cell.fault.name):
            seen |= new
            names.append(str(cell))
    return frozenset(names)
