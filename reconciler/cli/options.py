"""Options that several commands share, and how their results are printed."""

import json
import re
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from reconciler.errors import UsageError
from reconciler.model import times

if TYPE_CHECKING:
    from rich.text import Text

    from reconciler.report.markdown import Frame

Directory = Annotated[
    Path,
    typer.Option(
        "--directory",
        "-C",
        metavar="DIR",
        envvar="CERTRECON_DIRECTORY",
        help="The folder to start from; certrecon.yaml is looked for here and upwards to the git root.",
    ),
]
Format = Annotated[
    str,
    typer.Option(
        "--format",
        metavar="text|json|markdown|...",
        envvar="CERTRECON_FORMAT",
        help="What to print on stdout: text, json, markdown (60,000 characters at most, for a comment), summary "
        "(Markdown of 900 KiB at most); plan, apply, status and report also have html (a page), plan, apply and "
        "validate annotations, validate sarif.",
    ),
]
Output = Annotated[
    list[str] | None,
    typer.Option(
        "--output",
        metavar="FORMAT=PATH",
        envvar="CERTRECON_OUTPUT",
        help="Also write this format to a file, or to stdout where PATH is -. plan and apply also write events: a "
        "line of JSON for each, as it happens. status and apply also write metrics, for Prometheus' textfile "
        "collector. Repeatable.",
    ),
]
About = Annotated[
    list[str] | None,
    typer.Option(
        "--about",
        metavar="KEY=VALUE",
        envvar="CERTRECON_ABOUT",
        help="What Markdown and HTML say of themselves: project=NAME (also a hidden marker), head=SHA, whole=URL "
        "(where to find what does not fit). Repeatable.",
    ),
]
AskDns = Annotated[
    bool,
    typer.Option(
        "--dns",
        envvar="CERTRECON_DNS",
        help="Also ask DNS: CAA records of names that are ordered, and where names point that go.",
    ),
]

Rev = Annotated[
    str | None,
    typer.Option("--rev", metavar="REF", envvar="CERTRECON_REV", help="Read the files of this commit, not the tree's."),
]

BASIC = ("text", "json", "markdown", "summary")
PAGED = (*BASIC, "html")
ANNOTATED = (*BASIC, "annotations")
RENDERED = (*ANNOTATED, "html")
LOGGED = (*RENDERED, "events")  # these and the next are of --output alone
MEASURED = (*PAGED, "metrics")
_READABLE = 0o644  # who collects metrics is another user
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


def duration(text: str) -> timedelta:
    """Read "48h", "20m", "1h30m".

    Raises:
        UsageError: it is none.
    """
    if (read := times.span(text)) is None:
        raise UsageError(
            f'"{text}" is not a duration of at most {times.LONGEST_SPAN_DAYS}d. '
            "Write a number with s, m, h or d, as 20m or 48h."
        )
    return read


def instant(text: str) -> datetime:
    """Read "2027-03-15", which is its 00:00 UTC, or "2027-03-15T12:00Z".

    Raises:
        UsageError: it is none, or leaves its offset from UTC open.
    """
    if (read := times.instant(text)) is None:
        raise UsageError(
            f'"{text}" is neither a date nor an instant of the years {times.YEARS.start} to {times.YEARS.stop - 1}, '
            "as 2027-03-15 or 2027-03-15T12:00Z."
        )
    if read.tzinfo is not None:
        return read.astimezone(UTC)
    if not _DATE.fullmatch(text):
        raise UsageError(f'"{text}" leaves its time zone open. Write {text}Z for UTC.')
    return read.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendering:
    """One result in every format that it has. `others` are made only when they are asked for."""

    text: "Sequence[Text]"
    data: dict[str, Any]
    title: str = "certrecon"  # of its Markdown
    frame: "Frame | None" = None
    others: Mapping[str, Callable[[], str]] = field(default_factory=dict)
    metrics: Callable[[str], str] | None = None  # given what the file held before

    def plain(self, chosen: str) -> str:
        if chosen in self.others:
            return self.others[chosen]()
        if chosen == "json":
            return json.dumps(self.data, indent=2, ensure_ascii=False) + "\n"
        if chosen in ("markdown", "summary"):
            return self._markdown(chosen)
        return "".join(f"{line.plain}\n" for line in self.text)

    def _markdown(self, chosen: str) -> str:
        from reconciler.report.markdown import COMMENT, SUMMARY, Frame, text_markdown

        limit = COMMENT if chosen == "markdown" else SUMMARY
        lines = [line.plain for line in self.text]
        return text_markdown(lines, title=self.title, limit=limit, frame=self.frame or Frame())


def chosen_format(name: str, formats: Sequence[str] = BASIC) -> str:
    if name not in formats:
        raise UsageError(f'There is no format "{name}". Choose one of: {", ".join(formats)}.')
    return name


def outputs(wanted: Sequence[str] | None, formats: Sequence[str] = BASIC) -> list[tuple[str, Path]]:
    """Read each FORMAT=PATH, before any work is done.

    Raises:
        UsageError: one is not of that form, or its folder does not exist.
    """
    found = []
    for one in wanted or ():
        name, equals, path = one.partition("=")
        if not equals or not path:
            raise UsageError(f'"{one}" is not FORMAT=PATH, as json=plan.json.')
        if not Path(path).resolve().parent.is_dir():
            raise UsageError(f'The folder of "{path}" does not exist. Create it first.')
        found.append((chosen_format(name, formats), Path(path)))
    return found


def frame(about: Sequence[str] | None) -> "Frame":
    """Read each KEY=VALUE of `--about`.

    Raises:
        UsageError: one is not of that form, or there is no such key.
    """
    from reconciler.report.markdown import Frame

    given = dict(one.partition("=")[::2] for one in about or ())
    if unknown := sorted(given.keys() - {"project", "head", "whole"}):
        raise UsageError(f'--about has no "{unknown[0]}". Write project=NAME, head=SHA or whole=URL.')
    return Frame(**given)


def emit(rendering: Rendering, chosen: str, files: Sequence[tuple[str, Path]]) -> None:
    """Print the result on stdout and write it to the files. Nothing is cut: not at a width, not in a pipe."""
    for name, path in files:
        if name == "events":
            continue  # written while the run went on
        if name == "metrics" and rendering.metrics is not None:
            _write_metrics(path, rendering.metrics)
            continue
        if str(path) == "-":
            sys.stdout.write(rendering.plain(name))
        else:
            path.write_text(rendering.plain(name), encoding="utf-8")
    if chosen == "text" and sys.stdout.isatty():
        _print_styled(rendering.text)
    else:
        sys.stdout.write(rendering.plain(chosen))


def _write_metrics(path: Path, metrics: Callable[[str], str]) -> None:
    """Replace the file at once: whoever collects it reads the old one or the new one."""
    if str(path) == "-":
        sys.stdout.write(metrics(""))
        return
    before = path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""
    # The collector takes *.prom, and the temporary file is none.
    with tempfile.NamedTemporaryFile(
        "w", encoding="utf-8", dir=path.parent, prefix=f".{path.name}.", delete=False
    ) as new:
        new.write(metrics(before))
    file = Path(new.name)
    file.chmod(_READABLE)
    file.replace(path)


def say(text: str) -> None:
    """Talk: a line on stderr."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def show(text: "Sequence[Text]") -> None:
    """Talk: on stderr, with colours where that is a terminal."""
    if sys.stderr.isatty():
        _print_styled(text, stderr=True)
    else:
        say("\n".join(line.plain for line in text))


def _print_styled(text: "Sequence[Text]", *, stderr: bool = False) -> None:
    from rich.console import Console

    console = Console(stderr=stderr, highlight=False)
    for line in text:
        console.print(line, soft_wrap=True)
