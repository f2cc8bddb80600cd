"""Faults that a test or a person arms: what goes wrong, at which call, how often."""

import enum
from dataclasses import dataclass, field
from fnmatch import fnmatchcase


class FaultKind(enum.StrEnum):
    """What happens to a call; whether the service does its work first stands beside each kind."""

    LOSE_ANSWER = "lose-answer"  # acts, then closes the connection without a byte
    REFUSE = "refuse"  # closes the connection before acting
    DELAY = "delay"  # acts after `seconds` of real time
    STATUS = "status"  # answers `status` (with `body`, `content_type`, `headers`) and does not act
    STATUS_AFTER = "status-after"  # acts, then answers `status` instead of the truth
    HALF_BODY = "half-body"  # acts, sends half of the answer's body, closes
    WRONG_TYPES = "wrong-types"  # acts; in the JSON answer numbers become texts, lists become objects
    DROP_ITEM = "drop-item"  # acts; the first list in the JSON answer loses its last item
    EMPTY_BODY = "empty-body"  # acts; the true status with no body


@dataclass(kw_only=True)
class Fault:
    """One armed fault. `operation` is a glob over `service.name`, as `cps.create_enrollment` or `scm.*`."""

    kind: FaultKind
    operation: str
    nth: int = 1  # the first matching call that is hit, counted from when it was armed
    times: int = 1  # how many matching calls in a row; 0 means for ever
    status: int = 503
    body: str | None = None
    content_type: str = "application/problem+json"
    headers: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0
    seen: int = 0


class Faults:
    """The armed faults, asked once for each call."""

    def __init__(self) -> None:
        self.armed: list[Fault] = []

    def arm(self, fault: Fault) -> None:
        self.armed.append(fault)

    def clear(self) -> None:
        self.armed.clear()

    def strike(self, operation: str) -> Fault | None:
        """Count the call for each matching fault and return the first one that hits it."""
        hit: Fault | None = None
        for fault in self.armed:
            if fnmatchcase(operation, fault.operation):
                fault.seen += 1
                if (
                    hit is None
                    and fault.seen >= fault.nth
                    and (fault.times == 0 or fault.seen < fault.nth + fault.times)
                ):
                    hit = fault
        return hit
