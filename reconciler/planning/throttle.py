"""Orders cost certificates: a run and a day have only so many, the most urgent first (design: safety 5)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from reconciler.model.policy import Budgets
from reconciler.planning.guards import Guard, Guarded, GuardKey, GuardState, counted

_STARTING = frozenset({"create", "adopt", "reissue", "renew", "update"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Throttled:
    """What may run now, most urgent first, and why the rest waits (exit 3)."""

    runs: tuple[Guarded, ...]
    waits: Mapping[GuardKey, str]
    states: tuple[GuardState, ...]


def throttle(
    actions: Iterable[Guarded], budgets: Budgets, *, placed_in_run: int = 0, placed_today: int = 0
) -> Throttled:
    """Let the most urgent actions have the orders that the budgets leave; an action without orders never waits.

    The order is by remaining time; then what is begun before what is not, then as given; what serves nothing is last.
    Once an action waits for its orders, none that is less urgent gets any: small ones would starve it. Only what needs
    more orders than a whole run or day has is passed over, since it can never run.

    Args:
        actions: those that no guard refuses.
        budgets: orders of a run and of a day.
        placed_in_run: orders that this run has placed already, and those to come: that changes already begun still
            need, and that are not among `actions`.
        placed_today: orders placed on this day (see `on_day`) by any run, this one included, and those to come.
    """
    most = min(budgets.orders, budgets.orders_per_day)
    left = max(min(budgets.orders - placed_in_run, budgets.orders_per_day - placed_today), 0)
    runs: list[Guarded] = []
    waits: dict[GuardKey, str] = {}
    wanted, waiting = 0, False
    for action in sorted(actions, key=_urgency):
        wanted += action.orders
        if action.orders == 0:
            runs.append(action)
        elif action.orders > most:
            waits[action.key] = _never(action, budgets)
        elif waiting or action.orders > left:
            waiting = True
            waits[action.key] = _later(budgets, placed_in_run, placed_today)
        else:
            left -= action.orders
            runs.append(action)
    states = _order_states(budgets, placed_in_run + wanted, placed_today + wanted)
    return Throttled(runs=tuple(runs), waits=waits, states=states)


def on_day(instants: Iterable[datetime], now: datetime) -> int:
    """Count the instants on the day, by UTC, of `now`: the day of `ordersPerDay`."""
    today = now.astimezone(UTC).date()
    return sum(one.astimezone(UTC).date() == today for one in instants)


def _urgency(action: Guarded) -> tuple[bool, timedelta, bool]:
    nothing_served = action.remaining is None
    return (nothing_served, action.remaining or timedelta(), action.kind in _STARTING)


def _never(action: Guarded, budgets: Budgets) -> str:
    guard = _tighter(budgets.orders, budgets.orders_per_day)
    limit = min(budgets.orders, budgets.orders_per_day)
    return (
        f"it needs {counted(action.orders, 'order')}, and policy.budgets.{guard} allows {limit}:"
        f" it waits until that is {action.orders} or more"
    )


def _later(budgets: Budgets, placed_in_run: int, placed_today: int) -> str:
    guard = _tighter(budgets.orders - placed_in_run, budgets.orders_per_day - placed_today)
    if guard is Guard.ORDERS:
        return f"more urgent ones take the {budgets.orders} orders of this run (policy.budgets.orders)"
    return f"the {budgets.orders_per_day} orders of this day are taken (policy.budgets.ordersPerDay)"


def _tighter(in_run: int, in_day: int) -> Guard:
    return Guard.ORDERS if in_run <= in_day else Guard.ORDERS_PER_DAY


def _order_states(budgets: Budgets, in_run: int, in_day: int) -> tuple[GuardState, ...]:
    limits = ((Guard.ORDERS, budgets.orders, in_run), (Guard.ORDERS_PER_DAY, budgets.orders_per_day, in_day))
    return tuple(
        GuardState(guard=guard, limit=limit, used=used, text=f"{guard}: {used} wanted, at most {limit}")
        for guard, limit, used in limits
    )
