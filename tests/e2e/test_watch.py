"""`status --watch`: on a terminal until Ctrl-C; without one it is wrong usage."""

import signal

from tests.support.control import Control
from tests.support.program import Program
from tests.support.terminals import LIMIT_S, on_terminal


def test_it_shows_the_status_anew_and_ends_with_ctrl_c(program: Program, control: Control) -> None:
    before = control.get("/clock")["now"]
    with on_terminal(program, "status", "--watch", "--interval", "1s") as terminal:
        terminal.read_until(b"Ctrl-C ends", times=2)
        terminal.process.send_signal(signal.SIGINT)
        code = terminal.process.wait(LIMIT_S)
    assert terminal.seen.count(b"www.example.com") >= 2
    assert b"Traceback" not in terminal.seen
    assert code == 130
    assert control.get("/calls")["mutating_total"] == 0
    assert control.get("/clock")["now"] == before


def test_without_a_terminal_it_is_wrong_usage(program: Program) -> None:
    finished = program.run("status", "--watch")
    assert finished.exit_code == 64
    assert "terminal" in finished.stderr
    assert finished.stdout == ""
