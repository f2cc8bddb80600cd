"""SIGINT and SIGTERM: the step in hand is finished, a sleep ends at once; a second signal leaves at once."""

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import FrameType
from typing import TYPE_CHECKING

from reconciler.errors import ExitCode

if TYPE_CHECKING:
    from reconciler.ports import Clock

_SLICE = timedelta(seconds=1)
_CODES = {signal.SIGINT: ExitCode.INTERRUPTED, signal.SIGTERM: ExitCode.TERMINATED}


class _WokenError(Exception):
    """Ends a sleep."""


@dataclass
class Stopper:
    """Knows whether a person or the machine asked the run to end. It is a clock, so that it can end a sleep."""

    clock: "Clock"
    requested: ExitCode | None = None
    _sleeping: bool = False

    def now(self) -> datetime:
        return self.clock.now()

    def sleep(self, duration: timedelta) -> None:
        """Sleep unless the run is to end."""
        if threading.current_thread() is not threading.main_thread():
            self._sleep_beside(duration)
        elif self.requested is None:
            self._sleep(duration)

    def _sleep_beside(self, duration: timedelta) -> None:
        """Sleep in slices: signals come to the main thread, and wake no other."""
        until = self.clock.now() + duration
        while self.requested is None and (rest := until - self.clock.now()) > timedelta():
            self.clock.sleep(min(rest, _SLICE))

    def _sleep(self, duration: timedelta) -> None:
        try:
            self._sleeping = True
            self.clock.sleep(duration)
        except _WokenError:
            pass
        finally:
            self._sleeping = False

    def stop(self) -> bool:
        return self.requested is not None

    def _on_signal(self, number: int, _frame: FrameType | None) -> None:
        code = _CODES[signal.Signals(number)]
        if self.requested is not None:
            os._exit(code)
        self.requested = code
        if self._sleeping:
            raise _WokenError

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Handle both signals inside; restore what was there before."""
        before = {number: signal.signal(number, self._on_signal) for number in _CODES}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
