"""The comment on a pull request around a plan: its marker, whose it is, and what stands there when a run failed.

Pure text. The plan itself is rendered elsewhere; here it is put into its frame, and cut where a forge refuses more.
"""

import re
from dataclasses import dataclass

from reconciler.model.forge import MOST_CHARACTERS, MOST_OF_SUMMARY
from reconciler.report.escape import visible

_LAST_LINES = 60  # of a log: the error stands at its end
_MEANING = {
    1: "an error, or something could not be read completely",
    4: "a guard refused something, or a certificate is blocked and too close to its end",
    5: "a plan file was stale in part",
    6: "another run has the lock",
    64: "the command line is wrong",
    130: "it was interrupted",
    143: "it was ended",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What a comment is about."""

    project: str  # tells the comments of several projects of one repository apart
    head: str
    run_url: str = ""
    digest: str = ""

    @property
    def marker(self) -> str:
        return f"<!-- certrecon:plan:{self.project} -->"


def comment_text(markdown: str, about: About) -> str:
    """Return the comment around a rendered plan."""
    return _framed(markdown.removeprefix(about.marker).strip("\n"), about)


def plain_text(text: str, about: About) -> str:
    """Return the comment around text that is shown as it is. None of it can be markup, a mention or a marker."""
    return _framed(f"### certrecon: {about.project}\n\n{fenced(text)}", about)


def failure_text(exit_code: int, log: str, about: About) -> str:
    """Return the comment of a run that ended without a plan, and takes the place of whatever plan stood there."""
    meaning = _MEANING.get(exit_code, "an unexpected end")
    tail = "\n".join(log.splitlines()[-_LAST_LINES:])
    shown = f"\n\n{fenced(tail)}" if tail.strip() else ""
    head = f"### certrecon: {about.project}: no plan\n\n**This run failed (exit {exit_code}: {meaning}).**"
    return _framed(f"{head} An earlier plan here does not count any more.{shown}", about)


def summary_text(text: str, log: str, exit_code: int, project: str) -> str:
    """Return what a job's page shows: what the run printed, and what it said where it ended with an error."""
    meaning = _MEANING.get(exit_code)
    title = f"### certrecon: {project}" + (f": exit {exit_code}, {meaning}" if meaning else "")
    said = text if text.strip() or not meaning else log
    shown = fenced(said)
    if len(shown.encode()) > MOST_OF_SUMMARY:
        shown = _shortened(shown)
    return f"{title}\n\n{shown}\n"


def _shortened(block: str) -> str:
    """Return as many lines of a block of code as a job's page takes; what is said first is that there are more."""
    lines, room, kept = block.split("\n"), MOST_OF_SUMMARY - 1000, 0
    while room > 0 and kept < len(lines):
        room -= len(lines[kept].encode()) + 1
        kept += 1
    kept -= 1  # the last one did not fit
    note = f"> **Cut: {len(lines) - kept - 1} more lines do not fit here. The run's log has all of it.**"
    return "\n".join([note, "", *lines[:kept], lines[-1]])


def fenced(text: str) -> str:
    """Return `text` as a block of code that it cannot end, with what would act on a screen made visible."""
    lines = [visible(line) for line in text.strip("\n").split("\n")]
    longest = max((len(run) for line in lines for run in re.findall(r"`+", line)), default=0)
    fence = "`" * max(3, longest + 1)
    return "\n".join([f"{fence}text", *lines, fence])


def _framed(body: str, about: About) -> str:
    facts = [f"Head `{about.head}`"]
    if about.digest:
        facts.append(f"plan `{about.digest}`")
    if about.run_url:
        facts.append(f"[run]({about.run_url})")
    top, foot = f"{about.marker}\n", f"\n\n<sub>{' · '.join(facts)}</sub>\n"
    return top + _fitted(body, MOST_CHARACTERS - _length(top) - _length(foot), about) + foot


def _length(text: str) -> int:
    """Return the length as the strictest reader counts it: UTF-16 code units, two for an emoji."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def _fitted(body: str, most: int, about: About) -> str:
    """Return `body`, cut between two lines where it is too long; the first line says so and where the whole is."""
    if _length(body) <= most:
        return body
    where = f" [The run]({about.run_url}) has all of it." if about.run_url else " The run's log has all of it."
    lines = body.split("\n")
    room = most - 400  # for the sentence about the cut, and for what closes what is open
    kept: list[str] = []
    for line in lines:
        room -= _length(line) + 1
        if room < 0:
            break
        kept.append(line)
    left = len(lines) - len(kept)
    return "\n".join([f"> **Cut: {left} more lines do not fit into a comment.**{where}\n", *kept, *_closing(kept)])


def _closing(lines: list[str]) -> list[str]:
    """Return what ends a block of code and folded sections that the cut has left open."""
    fence, depth = "", 0
    for line in lines:
        mark = re.match(r"`{3,}", line)
        if fence:
            fence = "" if line.strip() == fence else fence
        elif mark:
            fence = mark[0]
        else:
            depth += line.count("<details") - line.count("</details>")
    return [*([fence] if fence else []), *["\n</details>"] * max(depth, 0)]
