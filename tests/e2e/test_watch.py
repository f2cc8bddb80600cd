"""`status --watch`: on a terminal until Ctrl-C; without one it is wrong usage."""

import os
import pty
import select
import signal
import subprocess
import sys
import time

from tests.support.control import Control
from tests.support.program import Program

LIMIT_S = 60.0


def test_it_shows_the_status_anew_and_ends_with_ctrl_c(program: Program, control: Control) -> None:
    before = control.get("/clock")["now"]
    ours, theirs = pty.openpty()
    watching = subprocess.Popen(
        [sys.executable, "-m", "reconciler.cli.main", "status", "--watch", "--interval", "1s"],
        cwd=program.repository,
        env={**os.environ, **program.environment, "TERM": "xterm", "COLUMNS": "120", "LINES": "30"},
        stdin=theirs,
        stdout=theirs,
        stderr=subprocess.PIPE,
    )
    os.close(theirs)
    try:
        seen = read_until(ours, b"Ctrl-C ends", times=2)
        watching.send_signal(signal.SIGINT)
        _, said = watching.communicate(timeout=LIMIT_S)
    finally:
        watching.kill()
        watching.wait()
        os.close(ours)
    assert seen.count(b"www.example.com") >= 2
    assert (watching.returncode, said) == (130, b"")
    assert control.get("/calls")["mutating_total"] == 0
    assert control.get("/clock")["now"] == before


def read_until(terminal: int, wanted: bytes, *, times: int) -> bytes:
    seen, ends = b"", time.monotonic() + LIMIT_S
    while seen.count(wanted) < times:
        assert time.monotonic() < ends, seen.decode(errors="replace")
        if select.select([terminal], [], [], 1.0)[0]:
            seen += os.read(terminal, 65536)
    return seen


def test_without_a_terminal_it_is_wrong_usage(program: Program) -> None:
    finished = program.run("status", "--watch")
    assert finished.exit_code == 64
    assert "terminal" in finished.stderr
    assert finished.stdout == ""
