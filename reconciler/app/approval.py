"""What may run: what stands on the branch, or what approved plan files say (design: safety 4)."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from reconciler.errors import ConfigurationError, Location, Problem
from reconciler.planning.plan import Action, Standing
from reconciler.planning.steps import ActionKind

# Approved by policy in both modes: what a file at HEAD says already, and what goes on by itself.
BY_POLICY = frozenset(
    {
        ActionKind.RENEW,
        ActionKind.RESUME,
        ActionKind.UPLOAD,
        ActionKind.ACKNOWLEDGE,
        ActionKind.PROMOTE,
    }
)
_MAJOR = "1"


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovedAction:
    """One action of a plan file: ids and digests only, since nothing else is trusted from it."""

    certificate: str
    kind: str
    cause: str
    desired_digest: str
    precondition: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanFile:
    """An approved plan."""

    path: Path
    at: datetime
    actions: tuple[ApprovedAction, ...]


def read_plan(path: Path) -> PlanFile:
    """Read a plan that `certrecon plan --output json=PATH` wrote.

    Raises:
        ConfigurationError: it is none, or of a version that is not known here.
    """
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        if data["kind"] != "plan" or data["format_version"].split(".")[0] != _MAJOR:
            raise _refusal(path, f"format {data['format_version']} of {data['kind']!r} is not known here")
        rows = [(row["name"], row["action"]) for row in data["certificates"] if row["action"] is not None]
        return PlanFile(
            path=path,
            at=datetime.fromisoformat(data["at"]),
            actions=tuple(_action(name, action) for name, action in rows),
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise _refusal(path, f"it is no plan that can be read ({error})") from error


def _action(name: str, action: dict[str, Any]) -> ApprovedAction:
    return ApprovedAction(
        certificate=str(name),
        kind=str(action["kind"]),
        cause=str(action["cause"]),
        desired_digest=str(action["desired_digest"]),
        precondition=str(action["precondition"]),
    )


def _refusal(path: Path, text: str) -> ConfigurationError:
    remedy = "Make a new one: certrecon plan --output json=PATH."
    return ConfigurationError([Problem(location=Location(str(path)), text=f"{text}.", remedy=remedy)])


@dataclass(frozen=True, slots=True, kw_only=True)
class Approvals:
    """The approved plan files of a run. What they do not name never runs; what has moved since is stale."""

    files: tuple[PlanFile, ...]
    max_age: timedelta

    def approves(self, action: Action, *, now: datetime) -> bool:
        """Tell whether an action is in a plan that is young enough, and still starts from what that plan saw."""
        if action.kind in BY_POLICY:
            return True
        wanted = _approved(action)
        return any(now - file.at <= self.max_age and wanted in file.actions for file in self.files)

    def stale(self, standings: Sequence[Standing], *, now: datetime) -> tuple[str, ...]:
        """Return what was approved and does not run: too old, or moved. What is already true counts as done."""
        present = {str(standing.name): standing.action for standing in standings}
        found = []
        for file in self.files:
            for one in file.actions:
                action = present.get(one.certificate)
                if action is None or ActionKind(one.kind) in BY_POLICY:
                    continue
                if now - file.at > self.max_age:
                    found.append(f"{one.certificate}: {one.kind}: the plan is older than {self.max_age.days} days")
                elif _approved(action) != one and action.kind == one.kind:
                    found.append(f"{one.certificate}: {one.kind}: the file or the live objects have moved since")
        return tuple(found)


def _approved(action: Action) -> ApprovedAction:
    return ApprovedAction(
        certificate=action.certificate,
        kind=action.kind.value,
        cause=action.cause,
        desired_digest=action.desired_digest,
        precondition=action.precondition,
    )
