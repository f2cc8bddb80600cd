"""Orders are throttled: never more than the budgets, the most urgent first."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.model.certificate import CertificateName
from reconciler.model.policy import Budgets
from reconciler.planning.guards import KINDS, Guard, Guarded
from reconciler.planning.throttle import Throttled, on_day, throttle

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
DAY = timedelta(days=1)


def order(name: str, days: float | None, orders: int = 1, kind: str = "renew") -> Guarded:
    remaining = None if days is None else days * DAY
    return Guarded(name=CertificateName(name), kind=kind, orders=orders, remaining=remaining)


def names(throttled: Throttled) -> list[str]:
    return [one.name for one in throttled.runs]


def test_the_most_urgent_get_the_orders_of_the_run() -> None:
    actions = [order("c", 20), order("a", -1), order("d", None, kind="create"), order("b", 3)]
    found = throttle(actions, Budgets(orders=2))
    assert names(found) == ["a", "b"]
    assert {key[0]: text for key, text in found.waits.items()} == {
        "c": "more urgent ones take the 2 orders of this run (policy.budgets.orders)",
        "d": "more urgent ones take the 2 orders of this run (policy.budgets.orders)",
    }


def test_the_orders_of_the_day_count_over_all_its_runs() -> None:
    found = throttle([order("a", 1), order("b", 2)], Budgets(orders=50, orders_per_day=200), placed_today=199)
    assert names(found) == ["a"]
    assert [*found.waits.values()] == ["the 200 orders of this day are taken (policy.budgets.ordersPerDay)"]


def test_orders_that_the_run_has_placed_count() -> None:
    assert names(throttle([order("a", 1), order("b", 2)], Budgets(orders=50), placed_in_run=49)) == ["a"]


@pytest.mark.parametrize(("in_run", "today"), [(50, 50), (60, 60), (0, 200), (0, 250)])
def test_a_budget_that_is_used_up_or_was_lowered_lets_nothing_through(in_run: int, today: int) -> None:
    assert names(throttle([order("a", 1)], Budgets(), placed_in_run=in_run, placed_today=today)) == []


def test_actions_without_orders_never_wait() -> None:
    actions = [order("a", 1), order("u", 5, 0, kind="upload"), order("d", None, 0, kind="delete")]
    assert names(throttle(actions, Budgets(orders=0))) == ["u", "d"]


def test_a_small_action_does_not_starve_a_more_urgent_large_one() -> None:
    found = throttle([order("both", 1, orders=2), order("one", 2)], Budgets(orders=3), placed_in_run=2)
    assert names(found) == []
    assert len(found.waits) == 2


def test_an_action_larger_than_any_run_does_not_stop_the_others_and_says_why_it_waits() -> None:
    found = throttle([order("both", 1, orders=2), order("one", 2)], Budgets(orders=1))
    assert names(found) == ["one"]
    assert [*found.waits.values()] == [
        "it needs 2 orders, and policy.budgets.orders allows 1: it waits until that is 2 or more"
    ]
    (text,) = throttle([order("both", 1, orders=2)], Budgets(orders_per_day=1)).waits.values()
    assert "policy.budgets.ordersPerDay allows 1" in text


def test_of_equally_urgent_ones_the_begun_come_first_then_the_order_given() -> None:
    actions = [order("new b", 5), order("new a", 5), order("begun", 5, kind="resume")]
    assert names(throttle(actions, Budgets())) == ["begun", "new b", "new a"]


def test_four_hundred_due_on_one_day_take_two_days_of_four_runs_under_the_default_budgets() -> None:
    waiting, placed, runs = [order(f"c{number:03}", 30) for number in range(400)], [], []
    for day in (1, 2, 3):
        today = 0
        while runs_now := throttle(waiting, Budgets(), placed_today=today).runs:
            today += len(runs_now)
            runs.append((day, len(runs_now)))
            placed += [one.name for one in runs_now]
            waiting = [one for one in waiting if one not in runs_now]
    assert runs == [(1, 50)] * 4 + [(2, 50)] * 4
    assert sorted(placed) == [f"c{number:03}" for number in range(400)]


def test_throttled_budgets_are_printed_as_exceeded() -> None:
    states = throttle([order(f"c{number}", 30) for number in range(51)], Budgets(), placed_today=10).states
    assert [(one.guard, one.limit, one.used, one.exceeded) for one in states] == [
        (Guard.ORDERS, 50, 51, True),
        (Guard.ORDERS_PER_DAY, 200, 61, False),
    ]


@pytest.mark.parametrize(
    ("at", "counted"),
    [
        ("2026-11-19T23:59:59+00:00", 0),
        ("2026-11-20T00:00:00+00:00", 1),
        ("2026-11-20T23:59:59+00:00", 1),
        ("2026-11-21T00:00:00+00:00", 0),
        ("2026-11-21T00:30:00+01:00", 1),
    ],
)
def test_the_day_of_the_order_budget_is_that_of_utc(at: str, counted: int) -> None:
    assert on_day([datetime.fromisoformat(at)], NOW) == counted


# Properties

guarded = st.builds(
    Guarded,
    name=st.integers(0, 10_000).map(lambda number: CertificateName(f"c{number}")),
    kind=st.sampled_from(sorted(KINDS)),
    orders=st.integers(0, 4),
    remaining=st.none() | st.integers(-10, 200).map(lambda days: days * DAY),
)
plans = st.lists(guarded, max_size=40, unique_by=lambda action: action.key)
budgets = st.builds(Budgets, orders=st.integers(0, 30), orders_per_day=st.integers(0, 60))


@given(actions=plans, limits=budgets, in_run=st.integers(0, 40), today=st.integers(0, 80))
def test_throttled_orders_never_exceed_a_budget_and_nothing_is_lost(
    actions: list[Guarded], limits: Budgets, in_run: int, today: int
) -> None:
    found = throttle(actions, limits, placed_in_run=in_run, placed_today=today)
    placed = sum(one.orders for one in found.runs)
    assert placed == 0 or (in_run + placed <= limits.orders and today + placed <= limits.orders_per_day)
    assert {one.key for one in found.runs} | found.waits.keys() == {one.key for one in actions}
    assert not {one.key for one in found.runs} & found.waits.keys()


@given(actions=plans, limits=budgets)
def test_nothing_gets_an_order_before_something_more_urgent_that_could_have_it(
    actions: list[Guarded], limits: Budgets
) -> None:
    found = throttle(actions, limits)
    most = min(limits.orders, limits.orders_per_day)
    possible = [one for one in actions if one.key in found.waits and one.orders <= most and one.remaining is not None]
    if possible:
        urgent = min(one.remaining for one in possible if one.remaining is not None)
        ordering = [one for one in found.runs if one.orders]
        assert all(one.remaining is not None and one.remaining <= urgent for one in ordering)
