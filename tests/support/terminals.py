"""certrecon on a terminal of a person: what it shows there is read, what a person types is written."""

import os
import pty
import select
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from tests.support.program import Program

LIMIT_S = 60.0


@dataclass
class Terminal:
    """A process with its terminal; `seen` grows as it is read."""

    process: subprocess.Popen[bytes]
    ours: int
    seen: bytes = b""

    def read_until(self, wanted: bytes, *, times: int = 1) -> None:
        ends = time.monotonic() + LIMIT_S
        while self.seen.count(wanted) < times:
            assert time.monotonic() < ends, self.seen.decode(errors="replace")
            if select.select([self.ours], [], [], 1.0)[0]:
                self.seen += os.read(self.ours, 65536)

    def type(self, text: str) -> None:
        os.write(self.ours, text.encode())


@contextmanager
def on_terminal(program: Program, *arguments: str) -> Iterator[Terminal]:
    """Run a command whose three streams are a terminal; it is dead afterwards."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "reconciler.cli.main", *arguments],
        cwd=program.repository,
        env={**os.environ, **program.environment, "TERM": "xterm-256color", "COLUMNS": "120", "LINES": "30"},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    try:
        yield Terminal(process, ours)
    finally:
        process.kill()
        process.wait()
        os.close(ours)
