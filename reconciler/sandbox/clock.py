"""Service time: stands still until advanced, or runs at a multiple of real time; it carries the services' future."""

import heapq
import itertools
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

Payload = Mapping[str, str | int]


@dataclass(order=True)
class Event:
    """Something that will happen: plain data, so that it survives a restart."""

    at: datetime
    sequence: int
    kind: str = field(compare=False)
    payload: dict[str, str | int] = field(compare=False)


@dataclass(kw_only=True)
class ClockState:
    now: datetime
    events: list[Event] = field(default_factory=list)
    next_sequence: int = 1


class VirtualClock:
    """The sandbox's clock. Handlers of due events run in order of time, each seeing `now()` as its own instant."""

    def __init__(self, state: ClockState, *, speed: float = 0.0) -> None:
        self.state = state
        self._speed = speed
        self._handlers: dict[str, Callable[[Payload], None]] = {}
        self._advanced_s = 0.0
        self._anchor = time.monotonic()
        heapq.heapify(state.events)
        self._sequence = itertools.count(state.next_sequence)

    def now(self) -> datetime:
        return self.state.now

    def on(self, kind: str, handler: Callable[[Payload], None]) -> None:
        """Name the handler of a kind of event. Call it for all kinds before the first `advance_to`."""
        self._handlers[kind] = handler

    def schedule(self, at: datetime, kind: str, /, **payload: str | int) -> None:
        """Have `kind`'s handler called with `payload` at `at`, or at the next tick, if that is past."""
        sequence = next(self._sequence)
        self.state.next_sequence = sequence + 1
        heapq.heappush(self.state.events, Event(max(at, self.now()), sequence, kind, payload))

    def after(self, delay: timedelta, kind: str, /, **payload: str | int) -> None:
        self.schedule(self.now() + delay, kind, **payload)

    def advance_to(self, instant: datetime) -> None:
        """Move to `instant` and run what falls due on the way. An instant in the past runs only what is due now."""
        self._advanced_s += max((instant - self.now()).total_seconds(), 0.0)
        self._run_to(instant)

    def _run_to(self, instant: datetime) -> None:
        target = max(instant, self.now()).astimezone(UTC)
        while self.state.events and self.state.events[0].at <= target:
            event = heapq.heappop(self.state.events)
            self.state.now = max(event.at, self.now())
            self._handlers[event.kind](event.payload)
        self.state.now = target

    def tick(self) -> None:
        """Catch up with real time when the clock runs; run what is due."""
        real_s = time.monotonic() - self._anchor
        self._anchor += real_s
        self._run_to(self.now() + timedelta(seconds=real_s * self._speed))

    def limiter_s(self) -> float:
        """Return seconds on the scale of rate limits: real time plus every advance. Starts anew with the process."""
        return time.monotonic() + self._advanced_s


def real_now() -> datetime:
    """Return real time, which signatures, tokens and TLS follow."""
    return datetime.fromtimestamp(time.time(), tz=UTC)
