"""Replacement campaigns in plan and status: burn-down, what the rest takes, and what is stuck. Text and JSON."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from reconciler.planning.campaign_progress import BurnDown, CampaignState, Estimate

_SHOWN = 10  # of the names that are late; all of those that are stuck are shown


def campaign_lines(states: Sequence[CampaignState], now: datetime) -> Iterator[str]:
    """Yield what people read of each campaign, some lines each."""
    for state in states:
        yield f"  {_title(state.burn_down, now)}"
        yield from (f"    {line}" for line in _lines(state))


def unfinished(states: Sequence[CampaignState]) -> tuple[CampaignState, ...]:
    return tuple(one for one in states if one.burn_down.left)


def _title(burn_down: BurnDown, now: datetime) -> str:
    done = f"{burn_down.campaign}: {burn_down.done} of {burn_down.total} done"
    if burn_down.deadline is None:
        return done
    return f"{done}, deadline {_time(burn_down.deadline)}{': it has PASSED' if burn_down.late(now) else ''}"


def _lines(state: CampaignState) -> Iterator[str]:
    burn_down = state.burn_down
    counts = (
        (len(burn_down.in_flight), "in flight"),
        (len(burn_down.waiting), "waiting"),
        (len(burn_down.stuck), "stuck"),
    )
    if burn_down.left:
        yield ", ".join(f"{count} {word}" for count, word in counts if count)
    if state.estimate.certificates:
        yield from _estimate(state.estimate, burn_down.deadline)
    yield from (f"stuck: {one.name}: {one.cause}" for one in burn_down.stuck)
    if burn_down.serials_not_served:
        yield f"{_count(burn_down.serials_not_served, 'serial')} of its file in production of no certificate here"


def _estimate(estimate: Estimate, deadline: datetime | None) -> Iterator[str]:
    takes = (
        f"what waits takes {_count(estimate.orders, 'order')} and about {_count(estimate.calls, 'call')} of CPS:"
        " at the rate of its accounts"
    )
    if estimate.finishes_at is None:
        yield f"{takes} it never ends, as policy.budgets.ordersPerDay allows none"
    else:
        yield f"{takes} the last is in production about {_time(estimate.finishes_at)}"
    if deadline is not None:
        yield f"{estimate.in_time} of {estimate.certificates} make the deadline, the most exposed first"
    if estimate.late:
        more = len(estimate.late) - _SHOWN
        yield f"late: {', '.join(estimate.late[:_SHOWN])}{f' and {more} more' if more > 0 else ''}"


def campaign_json(state: CampaignState, now: datetime) -> dict[str, Any]:
    """Return one campaign as the schema of a plan describes it."""
    burn_down, estimate = state.burn_down, state.estimate
    return {
        "name": burn_down.campaign,
        "text": list(campaign_lines(unfinished([state]), now)),
        "deadline": _optional(burn_down.deadline),
        "late": burn_down.late(now),
        "total": burn_down.total,
        "done": burn_down.done,
        "in_flight": list(burn_down.in_flight),
        "waiting": list(burn_down.waiting),
        "stuck": [{"name": one.name, "cause": one.cause} for one in burn_down.stuck],
        "serials_not_served": burn_down.serials_not_served,
        "estimate": {
            "certificates": estimate.certificates,
            "orders": estimate.orders,
            "calls": estimate.calls,
            "finishes": _optional(estimate.finishes_at),
            "in_time": estimate.in_time,
            "late": list(estimate.late),
        },
    }


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _time(instant: datetime) -> str:
    return f"{instant:%Y-%m-%d %H:%M} UTC"


def _optional(instant: datetime | None) -> str | None:
    return instant.isoformat().replace("+00:00", "Z") if instant is not None else None
