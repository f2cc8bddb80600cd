"""The file of events: a line for each, written at once. A file that fails is given up, and the run goes on."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

from reconciler.cli.options import say

Emit = Callable[[Mapping[str, Any]], None]


@contextmanager
def events(files: Sequence[tuple[str, Path]]) -> Iterator[Emit]:
    """Give what writes an event to each file of the format "events"."""
    writers = [_Writer(path) for name, path in files if name == "events"]

    def emit(event: Mapping[str, Any]) -> None:
        for writer in writers:
            writer.write(event)

    try:
        yield emit
    finally:
        for writer in writers:
            writer.close()


class _Writer:
    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: TextIO | None = None
        try:
            self._file = path.open("w", encoding="utf-8")
        except OSError as error:
            self._give_up(error)

    def write(self, event: Mapping[str, Any]) -> None:
        if self._file is None:
            return
        try:
            self._file.write(json.dumps(event, ensure_ascii=True) + "\n")
            self._file.flush()
        except OSError as error:
            self._give_up(error)

    def close(self) -> None:
        if self._file is None:
            return
        try:
            self._file.close()
        except OSError as error:
            self._give_up(error)

    def _give_up(self, error: OSError) -> None:
        self._file = None
        say(f"certrecon: events are not written to {self._path} any more: {error.strerror}.")
