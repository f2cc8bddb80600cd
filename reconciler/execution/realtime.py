"""Real time: what leases are measured in. Service time (`ports.Clock`) may stand still or jump; this does not."""

import threading
import time
from datetime import UTC, datetime

# Where the machine sleeps, Linux's CLOCK_MONOTONIC stands still (and macOS's runs on): a lease does not.
_CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


class RealTime:
    """The machine's clocks, and its way to wait."""

    def seconds(self) -> float:
        """Return seconds since some instant in the past; never goes back."""
        return time.clock_gettime(_CLOCK)

    def wall(self) -> datetime:
        """Return the time of day, for people to read."""
        return datetime.now(UTC)  # noqa: TID251 - locks follow real time

    def wait(self, seconds: float, woken: threading.Event | None = None) -> bool:
        """Wait so long, or until `woken` is set; tell whether it is."""
        return (woken or threading.Event()).wait(max(seconds, 0.0))
