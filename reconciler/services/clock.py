"""The two clocks: the machine's, and the sandbox's."""

import time
from datetime import UTC, datetime, timedelta

from reconciler.services.sandbox_control import SandboxControl


class RealClock:
    """The machine's clock. Sleeping sleeps."""

    def now(self) -> datetime:
        return datetime.now(UTC)  # noqa: TID251 - here is where the machine is asked

    def sleep(self, duration: timedelta) -> None:
        time.sleep(max(duration.total_seconds(), 0.0))  # noqa: TID251 - here is where we sleep

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
