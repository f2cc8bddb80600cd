"""SIGINT and SIGTERM: the step in hand is finished, a sleep ends at once; a second signal leaves at once."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import FrameType

from reconciler.errors import ExitCode
from reconciler.ports import Clock

_CODES = {signal.SIGINT: ExitCode.INTERRUPTED, signal.SIGTERM: ExitCode.TERMINATED}


class _WokenError(Exception):
    """Ends a sleep."""


@dataclass
class Stopper:
    """Knows whether a person or the machine asked the run to end. It is a clock, so that it can end a sleep."""

    clock: Clock
    requested: ExitCode | None = None
    _sleeping: bool = False

    def now(self) -> datetime:
        return self.clock.now()

    def sleep(self, duration: timedelta) -> None:
        """Sleep unless the run is to end."""
        if self.requested is not None:
            return
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
