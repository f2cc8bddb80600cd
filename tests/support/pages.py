"""Pages of the documentation, as tests read them: their code blocks, the commands in these, and what is shown of each.

A ```console block is what a person types and sees. A line with "$ " is typed, one with "> " goes on with it, and the
rest is shown: each line of it must come, in that order; "..." stands for any lines, or for the rest of one. `$ echo $?`
with its answer is about the command before; one without it must exit with 0. What an HTML comment that begins with
"setup" holds is run as well: it brings about what the page takes for granted.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from markdown_it import MarkdownIt

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
_ASKED = "echo $?"
_SETUP = re.compile(r"\s*<!-- setup\n(.*?)-->\s*", re.DOTALL)
_VARYING = [
    (re.compile(r"\b20\d\d-\d\d-\d\d[T ]\d\d:\d\d(:\d\d)?\b"), "<instant>"),
    (re.compile(r"\b20\d\d-\d\d-\d\d\b"), "<day>"),
    (re.compile(r"\b[0-9A-Fa-f]{16,}\b"), "<hex>"),
    (re.compile(r"\blocalhost:\d+\b"), "<address>"),
    (re.compile(r"\b[\w.-]+@[\w.-]+(?= since|, epoch|$)"), "<who>"),
]


@dataclass(frozen=True, kw_only=True)
class Block:
    """A fenced block, or the hidden part of a page (language "setup")."""

    path: Path
    line: int
    language: str
    text: str


@dataclass(frozen=True, kw_only=True)
class Command:
    """What is typed, what is shown of its output, and its exit code."""

    place: str
    text: str
    shown: tuple[str, ...] = ()
    exit_code: int = 0


def pages(folder: Path = DOCS) -> list[Path]:
    return sorted(folder.rglob("*.md"))


def blocks(path: Path) -> Iterator[Block]:
    for token in MarkdownIt().parse(path.read_text()):
        line = token.map[0] + 1 if token.map else 0
        if token.type == "fence":
            yield Block(path=path, line=line, language=token.info, text=token.content)
        elif token.type == "html_block" and (hidden := _SETUP.fullmatch(token.content)):
            yield Block(path=path, line=line, language="setup", text=hidden[1])


def code_spans(path: Path) -> Iterator[str]:
    """Yield what stands between backticks in a page's prose."""
    for token in MarkdownIt("commonmark").enable("table").parse(path.read_text()):
        for child in token.children or ():
            if child.type == "code_inline":
                yield " ".join(child.content.split())


def commands(block: Block) -> Iterator[Command]:
    """Yield the commands of a ```console block or of a setup."""
    if block.language == "setup":
        yield Command(place=_place(block, 0), text=f"set -e\n{block.text}\nset +e")
        return
    last: Command | None = None
    for one in _typed(block):
        if one.text == _ASKED:
            assert last is not None, one.place
            last = replace(last, exit_code=int(one.shown[0]))
        else:
            if last is not None:
                yield last
            last = one
    if last is not None:
        yield last


def _typed(block: Block) -> Iterator[Command]:
    typed, shown, place = "", list[str](), ""
    for number, line in enumerate(block.text.splitlines(), 1):
        if line.startswith("$ "):
            if typed:
                yield Command(place=place, text=typed, shown=tuple(shown))
            typed, shown, place = line[2:], [], _place(block, number)
        elif line.startswith("> ") or line == ">":
            typed += f"\n{line[2:]}"
        else:
            assert typed, f"{_place(block, number)}: a block begins with a command"
            shown.append(line)
    if typed:
        yield Command(place=place, text=typed, shown=tuple(shown))


def _place(block: Block, number: int) -> str:
    return f"{block.path.relative_to(ROOT)}:{block.line + number}"


def missing(shown: Sequence[str], output: str) -> str | None:
    """Return the first line that is shown and does not come where it should; None where all do.

    A line after another follows at once, unless "..." stands between them; what comes before the first and after the
    last shown line does not count. Empty lines, dates, digests, addresses and persons are not compared.
    """
    came = [said for line in output.splitlines() if (said := steady(line))]
    at, free = 0, True
    for line in shown:
        wanted = steady(line)
        if wanted == "...":
            free = True
        elif wanted:
            found = next((place for place in range(at, len(came)) if _is(came[place], wanted)), None)
            if found is None or (found != at and not free):
                return line
            at, free = found + 1, False
    return None


def _is(came: str, wanted: str) -> bool:
    return came.startswith(wanted[:-3]) if wanted.endswith("...") else came == wanted


def steady(line: str) -> str:
    for pattern, word in _VARYING:
        line = pattern.sub(word, line)
    return " ".join(line.split())
