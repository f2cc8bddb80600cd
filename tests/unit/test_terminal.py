"""The terminal that pictures are made of, and what `make pictures` says where it can make none."""

import sys
from pathlib import Path

import pytest

from tools import pictures
from tools.terminal import COLUMNS, ROWS, Screen, drawn, run_on_terminal


def shown(*pieces: str) -> list[str]:
    screen = Screen()
    for piece in pieces:
        screen.feed(piece)
    return screen.plain.split("\n")


def test_lines_follow_each_other_and_colours_are_no_text() -> None:
    assert shown("\x1b[1;31mred\x1b[0m a\r\nb") == ["red a", "b"]


def test_a_live_line_is_replaced_and_what_is_written_meanwhile_goes_above() -> None:
    assert shown("begin\r\n", "live 1", "\r\x1b[2K", "step done\r\n", "live 2") == ["begin", "step done", "live 2"]
    assert shown("one\r\ntwo\r\n", "\x1b[1A\x1b[2Kthree") == ["one", "three", ""]


def test_what_is_written_from_the_beginning_of_a_line_replaces_it() -> None:
    assert shown("10 %\r20 %") == ["20 %"]


def test_a_command_has_a_terminal_of_that_size(tmp_path: Path) -> None:
    script = "import os, sys; print(os.get_terminal_size(1), sys.stdin.isatty()); sys.exit(3)"
    lines, code = run_on_terminal([sys.executable, "-c", script], env={}, cwd=tmp_path)
    assert lines[0] == f"os.terminal_size(columns={COLUMNS}, lines={ROWS}) True"
    assert code == 3


def test_the_screen_is_kept_as_it_last_was_when_it_was_wanted(tmp_path: Path) -> None:
    script = "import time\nfor one in 'abc': print(one, flush=True); time.sleep(0.1)"
    lines, _ = run_on_terminal(
        [sys.executable, "-c", script], env={}, cwd=tmp_path, keep=lambda screen: screen.plain.rstrip().endswith("b")
    )
    assert [line for line in lines if line] == ["a", "b"]


def test_what_is_drawn_is_escaped_and_coloured() -> None:
    page = drawn("$ <x>", ["\x1b[31m<b>\x1b[0m & more", "", ""])
    assert "<header>$ &lt;x&gt;</header>" in page
    assert "&lt;b&gt;</span> &amp; more</pre>" in page
    assert "#ff9488" in page


def test_without_chromium_it_says_so_and_changes_nothing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(pictures, "chromium", lambda: None)
    assert pictures.main() == 0
    assert capsys.readouterr().out.startswith("pictures: there is no Chromium on this machine")
