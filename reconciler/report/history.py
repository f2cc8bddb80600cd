"""The history of one certificate: what the journal and CPS say, merged by time. Pure; text and JSON."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from rich.text import Text

from reconciler.model.certificate import CertificateName, DesiredCertificate, EnrollmentId
from reconciler.model.enrollment import ChangeRecord
from reconciler.model.entry import CauseId, Intent, IntentId, Outcome, OutcomeKind
from reconciler.model.journal_entries import (
    AttemptRaised,
    CauseEnded,
    EnrollmentManaged,
    EnrollmentReleased,
    Entry,
    EpochTaken,
    IntentWritten,
    LevelReported,
    OutcomeWritten,
    RefusalsForgotten,
    encode_entry,
    entry_time,
)
from reconciler.report.escape import visible

FORMAT_VERSION = "1.0"
JOURNAL, CPS = "journal", "CPS"


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One thing that happened, by one of the two sources."""

    at: datetime
    source: str
    text: str
    data: Mapping[str, Any]  # the same for programs


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    name: CertificateName
    enrollment_id: EnrollmentId | None
    events: tuple[Event, ...]  # oldest first
    problems: tuple[str, ...]  # what could not be read


def merged(*sources: Iterable[Event]) -> tuple[Event, ...]:
    """Return all events by time; at one time, what was meant comes before what came of it."""
    return tuple(sorted((event for source in sources for event in source), key=lambda event: event.at))


# CPS


def cps_events(records: Iterable[ChangeRecord]) -> Iterator[Event]:
    """Yield the changes of CPS's history, oldest first; it dates their beginning only."""
    for one in sorted(records, key=lambda record: record.created_at):
        by = one.created_by or "somebody"
        kinds = [csr.key_type.value for csr in one.csrs]
        yield Event(
            at=one.created_at,
            source=CPS,
            text=f"{one.action} opened by {by}; {one.status}",
            data={"action": one.action, "status": one.status, "created_by": one.created_by, "csrs": kinds},
        )


# The journal


def journal_events(
    entries: Iterable[Entry], desired: DesiredCertificate, enrollment_id: EnrollmentId | None
) -> Iterator[Event]:
    """Yield what the journal has on a certificate, under this name or another one that its enrollment had."""
    filtered = _Filter(desired, enrollment_id)
    for entry in entries:
        text = filtered.text(entry)
        if text is not None:
            yield Event(at=entry_time(entry), source=JOURNAL, text=text, data=json.loads(encode_entry(entry)))


class _Filter:
    """Tells which entries are of one certificate; it learns intents, causes and enrollments as they come."""

    def __init__(self, desired: DesiredCertificate, enrollment_id: EnrollmentId | None) -> None:
        self._desired = desired
        self._enrollments = {enrollment_id} - {None}
        self._intents: dict[IntentId, Intent] = {}
        self._causes: set[CauseId] = set()
        self._owners: dict[int, EpochTaken] = {}

    def text(self, entry: Entry) -> str | None:
        """Return the entry in words; None where it is of another certificate, or of none."""
        match entry:
            case EpochTaken(epoch=epoch):
                self._owners[epoch] = entry
            case IntentWritten(intent=intent):
                return self._intent(intent)
            case OutcomeWritten(outcome=outcome):
                return self._outcome(outcome)
            case CauseEnded(cause=cause) if cause in self._causes:
                return f"cause {cause} ended: a look showed its effect"
            case AttemptRaised(cause=cause) if cause in self._causes:
                return f"cause {cause} begins again: a person asked for it, or changed the file"
            case EnrollmentManaged(identity=identity, enrollment_id=number) if identity == self._desired.identity:
                self._enrollments.add(number)
                return f"enrollment {number} is managed from here on"
            case EnrollmentReleased(enrollment_id=number) if number in self._enrollments:
                return f"enrollment {number} is released"
            case LevelReported(certificate=name, level=level) if name == self._desired.name:
                return f"people were told: {level}"
            case RefusalsForgotten(certificate=name) if name == self._desired.name:
                return "refusals are forgotten: what was refused may be tried again"
            case _:
                return None  # another's, or bookkeeping, as changes that are gone: CPS's own rows tell of those
        return None

    def _intent(self, intent: Intent) -> str | None:
        known = intent.enrollment_id is not None and intent.enrollment_id in self._enrollments
        if not (known or intent.certificate == self._desired.name or intent.identity == self._desired.identity):
            return None
        self._intents[intent.id] = intent
        self._causes.add(intent.cause)
        return "; ".join([f"intent: {_operation(intent)}", *self._circumstances(intent)])

    def _circumstances(self, intent: Intent) -> Iterator[str]:
        if intent.reason:
            yield intent.reason
        yield f"cause {intent.cause}"
        if intent.attempt > 1:
            yield f"attempt {intent.attempt}"
        if intent.approval:
            yield f"approved by {intent.approval}"
        if intent.commit:
            yield f"commit {intent.commit}"
        owner = self._owners.get(intent.epoch)
        if owner is not None:
            yield f"run by {owner.owner}"
        if url := intent.run_url or (owner.run_url if owner is not None else ""):
            yield url

    def _outcome(self, outcome: Outcome) -> str | None:
        intent = self._intents.get(outcome.intent)
        if intent is None:
            return None
        if outcome.enrollment_id is not None and outcome.kind is OutcomeKind.DONE:
            self._enrollments.add(outcome.enrollment_id)
        ids = [
            f"{noun} {number}"
            for noun, number in (
                ("enrollment", outcome.enrollment_id),
                ("change", outcome.change_id),
                ("order", outcome.ssl_id),
            )
            if number is not None
        ]
        gained = f": {', '.join(ids)}" if ids else ""
        detail = f": {outcome.detail}" if outcome.detail else ""
        return f"{outcome.kind}: {intent.operation}{gained}{detail}"


def _operation(intent: Intent) -> str:
    parts = [intent.operation]
    if intent.key_type is not None:
        parts.append(f"({intent.key_type})")
    if intent.enrollment_id is not None:
        parts.append(f"on enrollment {intent.enrollment_id}")
    if intent.change_id is not None:
        parts.append(f"for change {intent.change_id}")
    return " ".join(parts)


# Text and JSON


def history_text(history: History) -> list[Text]:
    """Return one event a line, oldest first."""
    number = history.enrollment_id
    head = Text.assemble(
        (visible(history.name), "bold"), f"  enrollment {number}" if number is not None else "  no enrollment"
    )
    lines = [head, *(Text(f"  could not be read: {visible(one)}", style="red") for one in history.problems), Text()]
    if not history.events:
        return [*lines, Text("Nothing has happened yet.")]
    return [*lines, *map(_line, history.events)]


def _line(event: Event) -> Text:
    return Text.assemble((f"{event.at:%Y-%m-%d %H:%M:%S} UTC  ", "dim"), f"{event.source:<7}  {visible(event.text)}")


def history_json(history: History, *, tool_version: str) -> dict[str, Any]:
    """Return the events, oldest first; `data` is what the source itself says."""
    return {
        "format_version": FORMAT_VERSION,
        "kind": "history",
        "tool_version": tool_version,
        "name": history.name,
        "enrollment_id": history.enrollment_id,
        "problems": list(history.problems),
        "events": [_event_json(event) for event in history.events],
    }


def _event_json(event: Event) -> dict[str, Any]:
    at = event.at.isoformat().replace("+00:00", "Z")
    return {"at": at, "source": event.source.lower(), "text": event.text, "data": dict(event.data)}
