"""What an apply came to, one row a certificate: the input of every rendering of a result."""

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from reconciler.model.certificate import CertificateName
from reconciler.planning.plan import Plan, Standing
from reconciler.planning.steps import Act, Blocked, Done, Unread, Wait


class Ending(enum.StrEnum):
    """How one certificate stands at the end of a run, worst first."""

    FAILED = "failed"
    BLOCKED = "blocked"
    UNDER_WAY = "under way"
    HELD = "held back"  # by `--only`: not lost, and not this run's
    DONE = "done"


@dataclass(frozen=True, slots=True, kw_only=True)
class StepMade:
    """One call that was made for a certificate."""

    certificate: CertificateName
    operation: str
    outcome: str
    detail: str
    at: str  # ISO 8601, service time


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    name: CertificateName
    ending: Ending
    phase: str
    text: str
    worked_on: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplyReport:
    plan: Plan  # of the last look
    rows: tuple[Row, ...]
    steps: tuple[StepMade, ...]
    summary: str


def apply_report(
    plan: Plan,
    steps: Sequence[StepMade],
    failures: Mapping[CertificateName, str],
    *,
    under_way: frozenset[CertificateName],
) -> ApplyReport:
    """Join the last look with what was done on the way to it."""
    worked_on = {step.certificate for step in steps}
    rows = tuple(
        _row(standing, failures.get(standing.name), standing.name in worked_on, approved=standing.name in under_way)
        for standing in plan.standings
    )
    counts = [(ending, sum(row.ending is ending for row in rows)) for ending in Ending]
    said = ", ".join(f"{count} {ending}" for ending, count in counts if count) or "nothing to do"
    made = "1 step" if len(steps) == 1 else f"{len(steps)} steps"
    return ApplyReport(plan=plan, rows=rows, steps=tuple(steps), summary=f"Apply: {said}; {made} made.")


def _row(standing: Standing, failure: str | None, worked_on: bool, *, approved: bool) -> Row:
    failure = failure or standing.failure
    ending, text = (Ending.FAILED, failure) if failure is not None else _ending(standing, approved=approved)
    return Row(name=standing.name, ending=ending, phase=standing.phase, text=text, worked_on=worked_on)


def _ending(standing: Standing, *, approved: bool) -> tuple[Ending, str]:
    match standing.decision:
        case Unread(text=text):
            return Ending.FAILED, text
        case Blocked(text=text, actor=actor, remedy=remedy):
            return Ending.BLOCKED, f"{_sentence(text)} {actor}: {remedy}"
        case Act(phase=phase, text=text) | Wait(phase=phase, text=text) if standing.held is not None:
            return Ending.HELD, f"{phase}: {_sentence(text)} {standing.held}"
        case Wait(phase=phase, actor=actor, text=text, remedy=remedy):
            return Ending.UNDER_WAY, f"{phase}: waits for {actor}: {_sentence(text)} {remedy}".rstrip()
        case Act() if standing.refused is not None:
            return (
                Ending.BLOCKED,
                f"guard {standing.refused.guard}: {_sentence(standing.refused.text)} {standing.refused.remedy}",
            )
        case Act(phase=phase) if standing.throttled is not None:
            return Ending.UNDER_WAY, f"{phase}: waits: {standing.throttled}"
        case Act(text=text, kind=kind) if not approved:
            return Ending.BLOCKED, f"{kind} is not approved: {_sentence(text)}"
        case Act(phase=phase, text=text):
            return Ending.UNDER_WAY, f"{phase}: {text}"
        case Done():
            expires = standing.serving.expires_at if standing.serving is not None else None
            return Ending.DONE, f"serves the wanted certificate until {expires:%Y-%m-%d %H:%M} UTC" if expires else ""


def _sentence(text: str) -> str:
    """Return `text` with one full stop; the services end theirs with none, one, or two."""
    return f"{text.rstrip('.')}."
