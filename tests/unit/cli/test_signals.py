"""A sleep beside the main thread ends when the run is to end: no signal wakes it."""

import threading
from datetime import UTC, datetime, timedelta

from reconciler.cli.signals import Stopper
from reconciler.errors import ExitCode


class CountingClock:
    """Moves only when somebody sleeps; at the third sleep the run is told to end."""

    def __init__(self) -> None:
        self.at = datetime(2026, 11, 16, tzinfo=UTC)
        self.sleeps: list[timedelta] = []
        self.stopper: Stopper | None = None

    def now(self) -> datetime:
        return self.at

    def sleep(self, duration: timedelta) -> None:
        self.sleeps.append(duration)
        self.at += duration
        if len(self.sleeps) == 3 and self.stopper is not None:
            self.stopper.requested = ExitCode.TERMINATED


def slept_beside(clock: CountingClock, duration: timedelta) -> None:
    stopper = Stopper(clock)
    clock.stopper = stopper
    thread = threading.Thread(target=stopper.sleep, args=(duration,))
    thread.start()
    thread.join()


def test_it_ends_within_a_second() -> None:
    clock = CountingClock()
    slept_beside(clock, timedelta(minutes=1))
    assert clock.sleeps == [timedelta(seconds=1)] * 3


def test_it_ends_in_time() -> None:
    clock = CountingClock()
    slept_beside(clock, timedelta(seconds=1.5))
    assert clock.sleeps == [timedelta(seconds=1), timedelta(seconds=0.5)]
