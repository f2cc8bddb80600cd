"""Who is told what after an apply: when a level changes, then daily. What was told is in the journal (safety 7).

A level is a set of words for one certificate: critical or warn for what it serves, blocked for its work, failed for
what this apply tried. The run as a whole has one too: failed, where it could not do what it is for.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from reconciler.errors import ExitCode
from reconciler.model.certificate import CertificateName
from reconciler.model.journal import Level as Told
from reconciler.model.policy import Policy
from reconciler.planning.health import Level, level_of
from reconciler.planning.plan import Standing
from reconciler.planning.steps import Blocked
from reconciler.report.escape import visible
from reconciler.report.outcome import ApplyReport, Ending

WORDS = ("failed", "critical", "blocked", "warn")  # worst first
FINE = "ok"
RUN = CertificateName("(apply)")  # no file's name has parentheses

# A run each day is never exactly a day after the last one.
_AGAIN_AFTER = timedelta(hours=23)
_MOST_LINES = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """How a certificate is, or the run."""

    name: CertificateName
    words: frozenset[str]  # of WORDS; empty where all is well
    text: str  # why


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """A condition that people are told of, and what they were told last."""

    condition: Condition
    before: frozenset[str]

    @property
    def level(self) -> str:
        """What the journal keeps."""
        return ", ".join(word for word in WORDS if word in self.condition.words) or FINE


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What one receiver gets."""

    title: str
    body: str
    urgent: bool  # something is wrong; else it is well again


def conditions(report: ApplyReport, policy: Policy, code: ExitCode) -> tuple[Condition, ...]:
    """Return how each certificate is after an apply, and at the end how the run itself went."""
    endings = {row.name: row.ending for row in report.rows}
    texts = {row.name: row.text for row in report.rows}
    found = [
        _condition(one, policy, report.plan.at, failed=endings[one.name] is Ending.FAILED, text=texts[one.name])
        for one in report.plan.standings
    ]
    wrong = code is ExitCode.ERROR and not any("failed" in one.words for one in found)
    said = [*map(str, report.plan.problems), *report.plan.unread] if wrong else []
    return (*found, run_condition(said[0] if said else "it ended with exit code 1", failed=wrong))


def run_condition(text: str, *, failed: bool) -> Condition:
    return Condition(name=RUN, words=frozenset({"failed"} if failed else ()), text=text if failed else "")


def _condition(standing: Standing, policy: Policy, now: datetime, *, failed: bool, text: str) -> Condition:
    level, reasons = level_of(standing, policy, now)
    blocked = isinstance(standing.decision, Blocked) or standing.refused is not None
    words = {level.value} - {Level.OK.value}
    words |= {"blocked"} if blocked else set()
    words |= {"failed"} if failed else set()
    told = [*reasons, *([text] if blocked or failed else [])]
    return Condition(name=standing.name, words=frozenset(words), text="; ".join(dict.fromkeys(told)))


def notices(
    found: Iterable[Condition], told: Mapping[CertificateName, Told], wanted: frozenset[str], *, now: datetime
) -> tuple[Notice, ...]:
    """Return what people are to be told: what has changed since they were told last, and once a day what is wrong.

    Words that no receiver wants are not looked at. A change is told to all who want any of the words, so that it does
    not put off what somebody is told daily.
    """
    return tuple(notice for one in found if (notice := _notice(one, told.get(one.name), wanted, now)) is not None)


def _notice(one: Condition, told: Told | None, wanted: frozenset[str], now: datetime) -> Notice | None:
    words, before = one.words & wanted, _words(told)
    again = bool(words) and told is not None and now - told.at >= _AGAIN_AFTER
    if words == before and not again:
        return None
    return Notice(condition=Condition(name=one.name, words=words, text=one.text), before=before)


def _words(told: Told | None) -> frozenset[str]:
    return frozenset(told.level.split(", ")) & frozenset(WORDS) if told is not None else frozenset()


def wants(on: Iterable[str]) -> frozenset[str]:
    """Return the words that a receiver's `on` asks for: who wants warnings, wants what is worse too."""
    words = frozenset(on)
    return words | {"critical"} if "warn" in words else words


def message(project: str | None, told: Sequence[Notice], on: frozenset[str]) -> Message | None:
    """Return what one receiver gets; None where nothing is for it."""
    here = sorted((one for one in told if (one.condition.words | one.before) & on), key=lambda one: _order(one, on))
    if not here:
        return None
    counts = Counter(word for one in here for word in one.condition.words & on)
    well = sum(not one.condition.words & on for one in here)
    parts = [f"{counts[word]} {word}" for word in WORDS if counts[word]] + ([f"{well} well again"] if well else [])
    lines = [line for one in here[:_MOST_LINES] for line in _lines(one, on)]
    if (more := len(here) - _MOST_LINES) > 0:
        lines.append(f"and {more} more: certrecon status")
    named = f" {project}" if project else ""
    return Message(title=_harmless(f"certrecon{named}: {', '.join(parts)}"), body="\n".join(lines), urgent=bool(counts))


def _order(one: Notice, on: frozenset[str]) -> tuple[int, str]:
    ranks = [WORDS.index(word) for word in one.condition.words & on]
    return min(ranks, default=len(WORDS)), one.condition.name


def _lines(one: Notice, on: frozenset[str]) -> Iterator[str]:
    words = [word for word in WORDS if word in one.condition.words & on]
    subject = "apply" if one.condition.name == RUN else one.condition.name
    if not words:
        before = ", ".join(word for word in WORDS if word in one.before & on)
        yield _harmless(f"{FINE}: {subject} (was {before})")
        return
    yield _harmless(f"{', '.join(words)}: {subject}: {one.condition.text}")


def _harmless(text: str) -> str:
    """Return text that a chat neither takes for a mention nor for markup: a blank of no width keeps the marks apart."""
    shown = visible(text)
    for mark in "@<`":
        shown = shown.replace(mark, f"{mark}\u200b")
    return shown
