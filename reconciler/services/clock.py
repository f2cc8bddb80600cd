"""The two clocks: the machine's, and the sandbox's."""

import time
from datetime import UTC, datetime, timedelta

from reconciler.services.sandbox_control import SandboxControl

_SLICE_S = 1.0


class RealClock:
    """The machine's clock. Sleeping sleeps."""

    def now(self) -> datetime:
        return datetime.now(UTC)  # noqa: TID251 - here is where the machine is asked

    def sleep(self, duration: timedelta) -> None:
        # In slices: Python acts on a signal that comes just before a system call only when that has ended.
        ends = time.monotonic() + duration.total_seconds()
        while (rest_s := ends - time.monotonic()) > 0:
            time.sleep(min(rest_s, _SLICE_S))  # noqa: TID251 - here is where we sleep

    def close(self) -> None:
        """Nothing is held."""


class SandboxClock:
    """The sandbox's clock. Sleeping moves it *to* the instant of waking, so that two sleepers do not add up."""

    def __init__(self, control: SandboxControl) -> None:
        self._control = control

    def now(self) -> datetime:
        return self._control.now()

    def sleep(self, duration: timedelta) -> None:
        if duration > timedelta(0):
            self._control.advance_to(self._control.now() + duration)

    def close(self) -> None:
        self._control.close()
