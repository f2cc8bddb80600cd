"""Progress of a run: a live line on a terminal; elsewhere, of a run that waits, a line a minute at most."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.live import Live
from rich.text import Text

from reconciler.cli.options import say

Show = Callable[[str], None]
_QUIET_S = 60.0  # of real time


@contextmanager
def progress(*, waits: bool, seconds: Callable[[], float] = time.monotonic) -> Iterator[Show]:
    """Give what shows a line of progress, on stderr. `seconds` is real time; a log is not filled by a run on a sandbox.

    A run that does not wait ends soon, and tells nothing where there is no terminal.
    """
    console = Console(stderr=True, highlight=False)
    if console.is_terminal and not console.is_dumb_terminal:
        with _live(console) as show:
            yield show
    else:
        yield _Lines(seconds) if waits else _nothing


@contextmanager
def _live(console: Console) -> Iterator[Show]:
    """One line that is always the last: what is written to stderr meanwhile goes above it."""
    with Live(console=console, auto_refresh=False, transient=True, redirect_stdout=False) as live:
        console.show_cursor(True)  # a second signal leaves at once, and nobody would show it again
        yield lambda text: live.update(Text(text, style="dim", no_wrap=True, overflow="ellipsis"), refresh=True)


class _Lines:
    """Lines of a log: the first after a minute, then one a minute at most."""

    def __init__(self, seconds: Callable[[], float]) -> None:
        self._seconds = seconds
        self._last_s = seconds()

    def __call__(self, text: str) -> None:
        if self._seconds() - self._last_s >= _QUIET_S:
            self._last_s = self._seconds()
            say(text)


def _nothing(_: str) -> None:
    """Say nothing."""
