"""What the journal and CPS say of one certificate, merged by time."""

import dataclasses
from datetime import datetime, timedelta
from typing import Any

from reconciler.model.certificate import CertificateName, ChangeId, EnrollmentId
from reconciler.model.enrollment import ChangeRecord
from reconciler.model.entry import CauseId, Intent, IntentId, Outcome, OutcomeKind
from reconciler.model.journal_entries import (
    AttemptRaised,
    CauseEnded,
    ChangesGone,
    EnrollmentManaged,
    EnrollmentReleased,
    Entry,
    EpochTaken,
    IntentWritten,
    LevelReported,
    OutcomeWritten,
)
from reconciler.model.order import SslId
from reconciler.report.history import History, cps_events, history_json, history_text, journal_events, merged
from tests.support.certs import desired
from tests.support.live import ISSUED, WANTED

NUMBER = EnrollmentId(10002)


def at(minutes: int) -> datetime:
    return ISSUED.replace(second=0) + timedelta(minutes=minutes)


def intent(name: str = "i1", **fields: Any) -> Intent:
    made = Intent(
        id=IntentId(name),
        certificate=WANTED.name,
        cause=CauseId("c1"),
        attempt=1,
        operation="create enrollment",
        enrollment_id=None,
        change_id=None,
        key_type=None,
        body_digest="b",
        desired_digest="d",
        at=at(0),
        identity=WANTED.identity,
        approval="merge",
        epoch=4,
    )
    return dataclasses.replace(made, **fields)


def written(one: Intent) -> IntentWritten:
    return IntentWritten(intent=one, written_at=one.at)


def outcome(name: str = "i1", kind: OutcomeKind = OutcomeKind.DONE, **fields: Any) -> OutcomeWritten:
    return OutcomeWritten(outcome=Outcome(intent=IntentId(name), kind=kind, **{"at": at(1), **fields}))


def texts(*entries: Entry, number: EnrollmentId | None = NUMBER) -> list[str]:
    return [event.text for event in journal_events(entries, WANTED, number)]


TAKEN = EpochTaken(epoch=4, owner="ada@build", run_url="https://ci.example.com/7", at=at(-1))


def test_an_intent_says_what_why_and_who() -> None:
    ordered = intent(
        operation="submit order", key_type="RSA", enrollment_id=NUMBER, change_id=ChangeId(5), attempt=2, commit="abc1"
    )
    assert texts(TAKEN, written(ordered)) == [
        "intent: submit order (RSA) on enrollment 10002 for change 5; cause c1; attempt 2; approved by merge;"
        " commit abc1; run by ada@build; https://ci.example.com/7"
    ]


def test_an_outcome_says_what_came_of_it() -> None:
    assert texts(
        written(intent()),
        outcome(enrollment_id=NUMBER, change_id=ChangeId(5)),
        written(intent("i2", operation="submit order")),
        outcome("i2", OutcomeKind.REFUSED, detail="no such profile"),
        outcome("i2", ssl_id=SslId(501)),
    )[1::2] == ["done: create enrollment: enrollment 10002, change 5", "refused: submit order: no such profile"]


def test_other_certificates_entries_are_left_out() -> None:
    other = desired("img.example.com")
    strange = intent("i9", certificate=other.name, identity=other.identity, cause=CauseId("c9"))
    entries: list[Entry] = [
        TAKEN,
        written(strange),
        outcome("i9"),
        CauseEnded(cause=CauseId("c9"), at=at(2)),
        AttemptRaised(cause=CauseId("c9"), at=at(2)),
        EnrollmentManaged(identity=other.identity, enrollment_id=EnrollmentId(3), at=at(2)),
        EnrollmentReleased(enrollment_id=EnrollmentId(3), at=at(2)),
        LevelReported(certificate=other.name, level="warn", at=at(2)),
        ChangesGone(change_ids=frozenset({ChangeId(8)}), at=at(2)),
    ]
    assert texts(*entries) == []


def test_causes_levels_and_claims_of_its_own_are_told() -> None:
    assert texts(
        written(intent()),
        AttemptRaised(cause=CauseId("c1"), at=at(1)),
        CauseEnded(cause=CauseId("c1"), at=at(2)),
        EnrollmentManaged(identity=WANTED.identity, enrollment_id=NUMBER, at=at(3)),
        LevelReported(certificate=WANTED.name, level="warn", at=at(4)),
        EnrollmentReleased(enrollment_id=NUMBER, at=at(5)),
    )[1:] == [
        "cause c1 begins again: a person asked for it, or changed the file",
        "cause c1 ended: a look showed its effect",
        "enrollment 10002 is managed from here on",
        "people were told: warn",
        "enrollment 10002 is released",
    ]


def test_work_done_under_another_file_name_is_found_by_the_enrollment() -> None:
    before = intent(certificate=CertificateName("old/www"), identity=None, enrollment_id=NUMBER)
    assert len(texts(written(before))) == 1
    assert texts(written(before), number=None) == []
    learned = intent(certificate=CertificateName("old/www"))  # by identity; the outcome tells the enrollment
    later = intent("i2", certificate=CertificateName("old/www"), identity=None, enrollment_id=NUMBER)
    assert len(texts(written(learned), outcome(enrollment_id=NUMBER), written(later), number=None)) == 3


def record(minutes: int, created_by: str = "<auto-renewal>") -> ChangeRecord:
    return ChangeRecord(action="renew", status="incomplete", created_by=created_by, created_at=at(minutes), csrs=())


def history(**fields: Any) -> History:
    entries = (written(intent()), outcome(enrollment_id=NUMBER))
    events = merged(journal_events(entries, WANTED, NUMBER), cps_events([record(30), record(0, "robot")]))
    return dataclasses.replace(History(name=WANTED.name, enrollment_id=NUMBER, events=events, problems=()), **fields)


def test_both_sources_are_merged_by_time() -> None:
    assert [line.plain for line in history_text(history())] == [
        "www.example.com  enrollment 10002",
        "",
        "2026-11-16 00:06:00 UTC  journal  intent: create enrollment; cause c1; approved by merge",
        "2026-11-16 00:06:00 UTC  CPS      renew opened by robot; incomplete",
        "2026-11-16 00:07:00 UTC  journal  done: create enrollment: enrollment 10002",
        "2026-11-16 00:36:00 UTC  CPS      renew opened by <auto-renewal>; incomplete",
    ]


def test_what_could_not_be_read_is_said_and_text_is_harmless() -> None:
    lines = [line.plain for line in history_text(history(events=(), problems=("cps: no\x1b[2J answer",)))]
    assert lines[1] == "  could not be read: cps: no\\u001b[2J answer"
    assert lines[-1] == "Nothing has happened yet."


def test_the_json_has_what_each_source_says() -> None:
    data = history_json(history(), tool_version="1.2.3")
    assert (data["format_version"], data["kind"], data["enrollment_id"]) == ("1.0", "history", NUMBER)
    first, opened, *_ = data["events"]
    assert (first["at"], first["source"]) == ("2026-11-16T00:06:00Z", "journal")
    assert first["data"]["intent"]["cause"] == "c1"
    assert (opened["source"], opened["data"]["created_by"]) == ("cps", "robot")
