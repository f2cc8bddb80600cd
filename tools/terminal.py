"""A terminal without a window: runs a command on it, keeps what it shows, and draws that as HTML."""

import codecs
import contextlib
import fcntl
import io
import os
import pty
import re
import struct
import subprocess
import termios
from collections.abc import Callable, Iterator, Mapping, Sequence
from html import escape
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import TerminalTheme
from rich.text import Text

COLUMNS, ROWS = 160, 40
_PARTS = re.compile(r"\x1b\[([?0-9;]*)([A-Za-z])|(\r\n|\r|\n)|\x1b[^\[]|[^\x1b\r\n]+")
_THEME = TerminalTheme(
    (14, 18, 23),
    (250, 252, 255),
    [
        (92, 102, 115),
        (255, 148, 136),
        (99, 215, 123),
        (232, 184, 74),
        (138, 184, 255),
        (200, 170, 255),
        (110, 215, 225),
        (230, 234, 239),
    ],
)
_PAGE = """<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>{title}</title><style>
body { margin: 0; background: #0e1217; color: #e6eaef; display: inline-block; min-width: 0 }
header { background: #1d242d; color: #a3adb9; padding: 9px 18px; font: 13px "Liberation Sans", sans-serif }
pre { margin: 0; padding: 14px 18px 18px; width: {columns}ch; white-space: pre-wrap; overflow-wrap: anywhere;
 font: 13px/1.5 "DejaVu Sans Mono", "Liberation Mono", monospace }
</style></head><body><header>{title}</header><pre>{code}</pre></body></html>"""


class Screen:
    """What has been written: lines with their colours, and the row that is written next."""

    def __init__(self) -> None:
        self.lines: list[str] = [""]
        self._row = 0
        self._at_start = False

    def feed(self, text: str) -> None:
        for part in _PARTS.finditer(text):
            numbers, command, newline = part.groups()
            if newline is not None:
                self._newline(newline)
            elif command is None:
                self._write(part[0] if not part[0].startswith("\x1b") else "")
            elif command == "m":
                self.lines[self._row] += part[0]
            elif command == "K":
                self.lines[self._row] = ""
            elif command == "A":
                self._row = max(self._row - int(numbers or 1), 0)

    def _newline(self, end: str) -> None:
        self._at_start = True
        if "\n" in end:
            self._row += 1
            self.lines += [""] * (self._row + 1 - len(self.lines))

    def _write(self, text: str) -> None:
        if self._at_start and text:
            self._at_start = False
            self.lines[self._row] = "" if Text.from_ansi(self.lines[self._row]).plain else self.lines[self._row]
        self.lines[self._row] += text

    @property
    def plain(self) -> str:
        return "\n".join(Text.from_ansi(line).plain for line in self.lines)


def run_on_terminal(
    command: Sequence[str],
    *,
    env: Mapping[str, str],
    cwd: Path,
    keep: Callable[[Screen], bool] = lambda _: False,
) -> tuple[list[str], int]:
    """Return the lines that stood there when `keep` last said so, or in the end; and the exit code."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
    kept: list[str] | None = None
    with subprocess.Popen(
        command,
        env={**env, "TERM": "xterm-256color", "COLORTERM": "truecolor", "LC_ALL": "C.UTF-8"},
        cwd=cwd,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    ) as process:
        os.close(theirs)
        screen = Screen()
        for text in _read(ours):
            screen.feed(text)
            if keep(screen):
                kept = list(screen.lines)
        code = process.wait()
    return kept if kept is not None else screen.lines, code


def _read(reads: int) -> Iterator[str]:
    """Yield what comes, piece by piece, until the other side is gone."""
    decode = codecs.getincrementaldecoder("utf-8")(errors="replace").decode
    # Linux says so with an error, others with an end of file.
    with contextlib.suppress(OSError), os.fdopen(reads, "rb", buffering=0) as stream:
        while piece := stream.read(1 << 16):
            yield decode(piece)


def drawn(title: str, lines: Sequence[str]) -> str:
    """Return the lines as a page of HTML, as a terminal of `COLUMNS` would show them."""
    console = Console(record=True, file=io.StringIO(), width=1000, force_terminal=True, color_system="truecolor")
    for line in _trimmed(lines):
        console.print(Text.from_ansi(line), soft_wrap=True, highlight=False)
    code = console.export_html(theme=_THEME, inline_styles=True, code_format="{code}")
    return _PAGE.replace("{title}", escape(title)).replace("{columns}", str(COLUMNS)).replace("{code}", code.rstrip())


def _trimmed(lines: Sequence[str]) -> list[str]:
    kept = list(lines)
    while kept and not Text.from_ansi(kept[-1]).plain.strip():
        kept.pop()
    return kept
