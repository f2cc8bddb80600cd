"""Progress: a live line on a terminal, a line a minute of real time in a log, nothing otherwise."""

import io
import sys
from datetime import UTC, datetime

import pytest
from rich.console import Console

from reconciler.cli import progress as module
from reconciler.cli.options import say
from reconciler.cli.progress import progress
from reconciler.planning.steps import Phase
from reconciler.report.progress import progress_text

AT = datetime(2026, 11, 16, 0, 43, 30, tzinfo=UTC)


class Seconds:
    """Real time, moved by hand."""

    now_s = 5000.0

    def __call__(self) -> float:
        return self.now_s


def test_a_log_has_a_line_a_minute_at_most(capsys: pytest.CaptureFixture[str]) -> None:
    seconds = Seconds()
    with progress(waits=True, seconds=seconds) as show:
        for number in range(100):
            show(f"look {number}")
            seconds.now_s += 7
    assert capsys.readouterr().err.split("\n")[:3] == ["look 9", "look 18", "look 27"]


def test_a_run_that_is_over_within_a_minute_or_does_not_wait_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    for waits, step_s in ((True, 0.5), (False, 90.0)):
        seconds = Seconds()
        with progress(waits=waits, seconds=seconds) as show:
            for _ in range(100):
                show("look")
                seconds.now_s += step_s
    assert capsys.readouterr().err == ""


def test_on_a_terminal_one_line_stays_the_last_and_is_gone_at_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.StringIO()
    console = Console(file=stream, force_terminal=True, width=60, color_system=None, legacy_windows=False)
    monkeypatch.setattr(module, "Console", lambda **_: console)
    monkeypatch.setattr(sys, "stderr", stream)
    with progress(waits=False) as show:
        show("under way: 1 csr")
        say("www.example.com: submit order: done")
        show("under way: 1 issued")
    written = stream.getvalue()
    assert written.index("under way: 1 csr") < written.index("submit order: done") < written.index("1 issued")
    assert written.rindex("\x1b[2K") > written.rindex("1 issued")  # the line is erased


def test_the_line_counts_by_phase_and_says_when_the_next_look_is() -> None:
    phases = {Phase.CSR: 1, Phase.STAGING: 3, Phase.ISSUED: 1}
    soon, later = AT.replace(minute=48), AT.replace(day=17)
    assert progress_text(AT, phases, soon) == (
        "2026-11-16 00:43:30  under way: 3 staging, 1 csr, 1 issued; next look 00:48:30"
    )
    assert progress_text(AT, phases, later).endswith("; next look 2026-11-17 00:43:30")
    assert progress_text(AT, {}, None) == "2026-11-16 00:43:30  under way: nothing; at work"
