"""The sandbox's clock: what happens when, in which order, and what a restart keeps."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from reconciler.sandbox import clock as clock_module
from reconciler.sandbox.clock import ClockState, Payload, VirtualClock

START = datetime(2026, 11, 16, tzinfo=UTC)
HOUR = timedelta(hours=1)


class Journal:
    """Notes each event with the instant that its handler saw."""

    def __init__(self, clock: VirtualClock) -> None:
        self.lines: list[tuple[str, datetime]] = []
        self._clock = clock
        clock.on("note", self)

    def __call__(self, payload: Payload) -> None:
        self.lines.append((str(payload["what"]), self._clock.now()))


class MachineTime:
    """Stands in for the machine's monotonic clock."""

    def __init__(self) -> None:
        self.s = 1000.0

    def monotonic(self) -> float:
        return self.s


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> MachineTime:
    machine = MachineTime()
    monkeypatch.setattr(clock_module, "time", machine)
    return machine


def test_the_clock_stands_until_advanced() -> None:
    clock = VirtualClock(ClockState(now=START))
    clock.tick()
    assert clock.now() == START


def test_events_run_in_order_of_time_and_see_their_own_instant() -> None:
    clock = VirtualClock(ClockState(now=START))
    journal = Journal(clock)
    clock.after(2 * HOUR, "note", what="second")
    clock.after(HOUR, "note", what="first")
    clock.advance_to(START + 3 * HOUR)
    assert journal.lines == [("first", START + HOUR), ("second", START + 2 * HOUR)]
    assert clock.now() == START + 3 * HOUR


def test_events_of_one_instant_run_in_the_order_of_their_making() -> None:
    clock = VirtualClock(ClockState(now=START))
    journal = Journal(clock)
    for what in "abc":
        clock.after(HOUR, "note", what=what)
    clock.advance_to(START + HOUR)
    assert [what for what, _ in journal.lines] == ["a", "b", "c"]


def test_an_event_that_an_event_makes_runs_in_the_same_advance() -> None:
    clock = VirtualClock(ClockState(now=START))
    journal = Journal(clock)
    clock.on("chain", lambda _: clock.after(HOUR, "note", what="link"))
    clock.after(HOUR, "chain")
    clock.advance_to(START + 5 * HOUR)
    assert journal.lines == [("link", START + 2 * HOUR)]


def test_what_is_not_due_yet_waits() -> None:
    clock = VirtualClock(ClockState(now=START))
    journal = Journal(clock)
    clock.after(HOUR, "note", what="later")
    clock.advance_to(START + HOUR - timedelta(microseconds=1))
    assert journal.lines == []


def test_advancing_to_the_past_leaves_the_clock() -> None:
    clock = VirtualClock(ClockState(now=START))
    clock.advance_to(START - HOUR)
    assert clock.now() == START


def test_what_is_scheduled_for_the_past_happens_at_the_next_tick() -> None:
    clock = VirtualClock(ClockState(now=START))
    journal = Journal(clock)
    clock.schedule(START - HOUR, "note", what="overdue")
    assert journal.lines == []
    clock.tick()
    assert journal.lines == [("overdue", START)]


def test_an_event_without_a_handler_is_an_error() -> None:
    clock = VirtualClock(ClockState(now=START))
    clock.after(HOUR, "nobody")
    with pytest.raises(KeyError, match="nobody"):
        clock.advance_to(START + HOUR)


def test_a_running_clock_follows_the_machine_at_its_speed(machine: MachineTime) -> None:
    clock = VirtualClock(ClockState(now=START), speed=60.0)
    machine.s += 90
    clock.tick()
    assert clock.now() == START + timedelta(minutes=90)


def test_limits_move_with_the_machine_and_with_advances_but_not_with_speed(machine: MachineTime) -> None:
    clock = VirtualClock(ClockState(now=START), speed=60.0)
    before = clock.limiter_s()
    machine.s += 10
    clock.tick()
    assert clock.limiter_s() - before == pytest.approx(10)
    clock.advance_to(clock.now() + HOUR)
    assert clock.limiter_s() - before == pytest.approx(3610)


def test_a_restart_keeps_the_instant_and_the_future() -> None:
    state = ClockState(now=START)
    first = VirtualClock(state)
    first.after(2 * HOUR, "note", what="second")
    first.after(HOUR, "note", what="first")
    restored = msgspec.msgpack.decode(msgspec.msgpack.encode(state), type=ClockState)
    second = VirtualClock(restored)
    journal = Journal(second)
    second.after(HOUR, "note", what="made after the restart")
    second.advance_to(START + 2 * HOUR)
    assert [what for what, _ in journal.lines] == ["first", "made after the restart", "second"]
