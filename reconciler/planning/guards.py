"""Guards: what a plan may not do, although its files ask for it, and how much it may do at once (design: safety 5).

A guard refuses only the actions that it concerns, and the rest runs. A budget that is exceeded refuses all of its
actions: which of them were meant is for a person to say. Counts are those of the plan, whatever else refuses.
"""

import enum
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from reconciler.model.certificate import CertificateName
from reconciler.model.names import DnsName
from reconciler.model.policy import Budgets, Policy
from reconciler.planning.findings import listed
from reconciler.planning.freezes import frozen, ignores_freeze

KINDS = frozenset(
    "create adopt reissue renew upload acknowledge promote update resume cancel delete revoke".split()  # noqa: SIM905
)
_CHANGING = frozenset({"reissue", "update", "delete", "cancel", "revoke"})
_PROTECTED = {"delete": "deleted", "cancel": "cancelled", "revoke": "revoked"}

# Of less, every change is a large share (design: safety 5; octoDNS has the same number).
_LEAST_CERTIFICATES = 10

GuardKey = tuple[CertificateName, str, str]


class Guard(enum.StrEnum):
    """The guards, in the order in which they are named; budgets as the configuration spells them."""

    PROTECT = "protect"
    DELETES = "deletes"
    REVOKES = "revokes"
    CANCELS = "cancels"
    CHANGED_PERCENT = "changedPercent"
    FREEZE = "freeze"
    ORDERS = "orders"
    ORDERS_PER_DAY = "ordersPerDay"


@dataclass(frozen=True, slots=True, kw_only=True)
class Guarded:
    """One action of a plan, as guards see it."""

    name: CertificateName
    kind: str  # one of KINDS
    object: str = ""  # a serial or change id, where a certificate has several actions of a kind
    orders: int = 0  # that it will place, now or later
    removed: frozenset[DnsName] = frozenset()  # served names that the file no longer has
    protect: bool = False
    remaining: timedelta | None = None  # until its certificate must be replaced; None: nothing is served
    ignores_freeze: bool = False  # see `freezes.ignores_freeze`

    def __post_init__(self) -> None:
        if self.kind not in KINDS:  # to guard less than all would be silent
            raise ValueError(f"no kind of action: {self.kind!r}")

    @property
    def key(self) -> GuardKey:
        return (self.name, self.kind, self.object)


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Why an action does not run. Where several guards refuse it, `guard` is the first; the texts are of all."""

    guard: Guard
    text: str
    remedy: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardState:
    """One guard as it is printed with the plan."""

    guard: Guard
    limit: int | None  # None: it has no number
    used: int  # percent, rounded up, for changedPercent; else a count
    text: str

    @property
    def exceeded(self) -> bool:
        return self.limit is not None and self.used > self.limit


def refusals(
    actions: Iterable[Guarded], policy: Policy, *, certificates: int, now: datetime
) -> Mapping[GuardKey, Refusal]:
    """Return what does not run, and why. What has to wait for its orders is found by `throttle`.

    Args:
        actions: all of the plan.
        policy: budgets already raised by what the command line says.
        certificates: how many all files of the accounts ask for, selected or not.
        now: service time.
    """
    planned = [*actions]
    found: dict[GuardKey, list[Refusal]] = {}
    for guard in (_protect, _budgets, _changed, _freeze):
        for action, refusal in guard(planned, _Surroundings(policy, certificates, now)):
            found.setdefault(action.key, []).append(refusal)
    return {key: _joined(several) for key, several in found.items()}


def guard_states(
    actions: Iterable[Guarded], policy: Policy, *, certificates: int, now: datetime
) -> tuple[GuardState, ...]:
    """Return every guard with its limit and what the plan would use of it; arguments as for `refusals`."""
    planned, around = [*actions], _Surroundings(policy, certificates, now)
    protected = len({action.key for action, _ in _protect(planned, around)})
    states = [
        GuardState(
            guard=Guard.PROTECT, limit=None, used=protected, text=f"protect refuses {counted(protected, 'action')}"
        )
    ]
    for guard, kind, limit in _kind_budgets(policy.budgets):
        used = sum(action.kind == kind for action in planned)
        states.append(GuardState(guard=guard, limit=limit, used=used, text=f"{guard}: {used} of at most {limit}"))
    states.append(_changed_state(planned, around))
    if (freeze := frozen(policy.freezes, now)) is not None:
        held = sum(not action.ignores_freeze for action in planned)
        text = f"frozen until {freeze.last} ({freeze.reason}): holds {counted(held, 'action')}"
        states.append(GuardState(guard=Guard.FREEZE, limit=None, used=held, text=text))
    return tuple(states)


@dataclass(frozen=True, slots=True)
class _Surroundings:
    policy: Policy
    certificates: int
    now: datetime


_Refused = Iterable[tuple[Guarded, Refusal]]
_Check = Callable[[Sequence[Guarded], _Surroundings], _Refused]


def _joined(several: Sequence[Refusal]) -> Refusal:
    return Refusal(
        guard=several[0].guard,
        text="; ".join(one.text for one in several),
        remedy=" ".join(dict.fromkeys(one.remedy for one in several)),
    )


def _protect(actions: Sequence[Guarded], _: _Surroundings) -> _Refused:
    remedy = "If it is meant, take protect out of its file first, in a change of its own."
    for action in actions:
        if not action.protect or action.kind == "renew":  # never a renewal: it would end as an expiry
            continue
        if (done := _PROTECTED.get(action.kind)) is not None:
            text = f"{action.name} is protected: nothing of it is {done}"
        elif action.removed:
            text = f"{action.name} is protected: it would lose {listed(action.removed)}"
        else:
            continue
        yield action, Refusal(guard=Guard.PROTECT, text=text, remedy=remedy)


def _kind_budgets(budgets: Budgets) -> tuple[tuple[Guard, str, int], ...]:
    return (
        (Guard.DELETES, "delete", budgets.deletes),
        (Guard.REVOKES, "revoke", budgets.revokes),
        (Guard.CANCELS, "cancel", budgets.cancels),
    )


def _budgets(actions: Sequence[Guarded], around: _Surroundings) -> _Refused:
    for guard, kind, limit in _kind_budgets(around.policy.budgets):
        of_kind = [action for action in actions if action.kind == kind]
        if len(of_kind) <= limit:
            continue
        refusal = Refusal(
            guard=guard,
            text=f"the plan has {counted(len(of_kind), kind)}, and policy.budgets.{guard} allows {limit}",
            remedy=f"Check each of them; if all are meant, set policy.budgets.{guard} to {len(of_kind)}.",
        )
        yield from ((action, refusal) for action in of_kind)


def _changed(actions: Sequence[Guarded], around: _Surroundings) -> _Refused:
    state = _changed_state(actions, around)
    if not state.exceeded:
        return
    refusal = Refusal(
        guard=Guard.CHANGED_PERCENT,
        text=f"{state.text}, and policy.budgets.changedPercent allows {state.limit} %",
        remedy=f"Check what made so many change; if all are meant, set policy.budgets.changedPercent to {state.used}.",
    )
    yield from ((action, refusal) for action in actions if action.kind in _CHANGING)


def _changed_state(actions: Sequence[Guarded], around: _Surroundings) -> GuardState:
    """Count certificates, not actions: one that is updated and has a change cancelled is one."""
    changed = len({action.name for action in actions if action.kind in _CHANGING})
    text = f"{changed} of {counted(around.certificates, 'certificate')} changed"
    if around.certificates < _LEAST_CERTIFICATES:
        text = f"{text} (no share of fewer than {_LEAST_CERTIFICATES} is refused)"
        return GuardState(guard=Guard.CHANGED_PERCENT, limit=None, used=0, text=text)
    return GuardState(
        guard=Guard.CHANGED_PERCENT,
        limit=around.policy.budgets.changed_percent,
        used=-(-100 * changed // around.certificates),
        text=f"{text} ({100 * changed / around.certificates:.4g} %)",
    )


def _freeze(actions: Sequence[Guarded], around: _Surroundings) -> _Refused:
    freeze = frozen(around.policy.freezes, around.now)
    if freeze is None:
        return
    text = f"nothing is changed from {freeze.first} to {freeze.last} ({freeze.reason})"
    for action in actions:
        if not action.ignores_freeze:
            sooner = (
                ", or once its certificate is below warn, expired or revoked"
                if ignores_freeze(action.kind, urgent=True)
                else ""
            )
            remedy = f"It runs after {freeze.last}{sooner}; to end the freeze, change policy.renewal.freeze."
            yield action, Refusal(guard=Guard.FREEZE, text=text, remedy=remedy)


def counted(count: int, thing: str) -> str:
    return f"{count} {thing}" if count == 1 else f"{count} {thing}s"
