"""Work side by side: as many at a time as allowed, results and errors in the given order."""

import threading

import pytest

from reconciler.execution.sidebyside import side_by_side


def test_results_come_in_the_given_order_though_the_last_is_ready_first() -> None:
    last_is_ready = threading.Event()

    def first() -> str:
        assert last_is_ready.wait(10)
        return "first"

    def last() -> str:
        last_is_ready.set()
        return "last"

    assert side_by_side([first, last], at_most=2) == ["first", "last"]


def test_no_more_than_allowed_are_at_work() -> None:
    at_work, most, guard = 0, 0, threading.Lock()
    pairs = threading.Barrier(2, timeout=10)  # two at a time, or this never ends

    def one() -> None:
        nonlocal at_work, most
        with guard:
            at_work += 1
            most = max(most, at_work)
        pairs.wait()
        with guard:
            at_work -= 1

    side_by_side([one] * 8, at_most=2)
    assert most == 2


def test_an_error_waits_for_the_others_and_the_first_in_order_is_raised() -> None:
    done: list[str] = []

    def wrong(text: str) -> None:
        raise ValueError(text)

    with pytest.raises(ValueError, match="one"):
        side_by_side([lambda: wrong("one"), lambda: wrong("two"), lambda: done.append("three")], at_most=3)
    assert done == ["three"]


def test_one_at_a_time_stays_in_this_thread_and_stops_at_an_error() -> None:
    threads: list[threading.Thread] = []

    def wrong() -> None:
        raise ValueError("wrong")

    with pytest.raises(ValueError, match="wrong"):
        side_by_side([lambda: threads.append(threading.current_thread()), wrong, threads.clear], at_most=1)
    assert threads == [threading.current_thread()]
