"""What may run: what stands on the branch, or what approved plan files say (design: safety 4)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from reconciler.desired.planfile import read_saved_plan
from reconciler.errors import UsageError
from reconciler.planning.plan import Action, Standing
from reconciler.planning.steps import ActionKind, Unread

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

    What `--only` held back in it was shown as not to run, so that nobody has approved it.

    Raises:
        ConfigurationError: it is none, or of a version that is not known here.
        UsageError: it shows what will be due at an instant to come, which is nothing to carry out now.
    """
    data = read_saved_plan(path)
    if data.get("seen_at") is not None:
        raise UsageError(f"{path} was made with --at: it shows what will be due on {data['at']}. Plan without it.")
    rows = [row for row in data["certificates"] if row["action"] is not None and row.get("held") is None]
    return PlanFile(
        path=path,
        at=datetime.fromisoformat(data["at"]),
        actions=tuple(_action(row["name"], row["action"]) for row in rows),
    )


def _action(name: str, action: Mapping[str, Any]) -> ApprovedAction:
    return ApprovedAction(
        certificate=name,
        kind=action["kind"],
        cause=action["cause"],
        desired_digest=action["desired_digest"],
        precondition=action["precondition"],
    )


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

    def outstanding(self, standings: Sequence[Standing], *, now: datetime) -> tuple[Standing, ...]:
        """Return what a plan file approves and no run has begun or been refused yet: it still needs its file.

        What has begun goes on by policy, without the file; what is stale is reported, and then given up. Of what could
        not be read nobody knows.
        """
        return tuple(one for one in standings if isinstance(one.decision, Unread) or self._is_left(one, now))

    def _is_left(self, standing: Standing, now: datetime) -> bool:
        action = standing.action
        if action is None or standing.refused is not None or action.kind in BY_POLICY:
            return False
        return self.approves(action, now=now)

    def stale(self, standings: Sequence[Standing], *, now: datetime) -> tuple[str, ...]:
        """Return what was approved and does not run: too old, or moved. What is already true counts as done."""
        present = {str(standing.name): standing.action for standing in standings}
        found = []
        for file in self.files:
            for one in file.actions:
                action = present.get(one.certificate)
                if action is None or one.kind in BY_POLICY:
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
