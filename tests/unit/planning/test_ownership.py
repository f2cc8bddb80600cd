"""Whose a pending change is, after a call of ours whose answer was lost (the change rule of safety 2)."""

import dataclasses
from datetime import datetime, timedelta
from typing import Any

import pytest

from reconciler.model.certificate import CertificateName, DesiredCertificate, EnrollmentId
from reconciler.model.digest import desired_digest
from reconciler.model.enrollment import ChangeRecord, ChangeState, Enrollment, InputKind, PendingChange
from reconciler.model.entry import CauseId, Intent, OutcomeKind
from reconciler.model.journal import OpenIntent, OpenState, OwnChange
from reconciler.model.journal_entries import AuthorSeen, Entry, OutcomeWritten
from reconciler.planning.housekeeping import gives_up, lessons
from reconciler.planning.indexes import OrderBook
from reconciler.planning.observed import ChangeView
from reconciler.planning.ownership import AUTO_RENEWAL, Owner, owner_of
from reconciler.planning.plan import plan_for
from reconciler.planning.settle import SETTLE
from tests.support import locks
from tests.support.certs import desired
from tests.support.live import ISSUED, WANTED, enrollment, look
from tests.support.looks import ACCOUNT, CHANGE, ENROLLMENT, change

NOW = ISSUED + timedelta(days=3)
TWO = desired("www.example.com", "img.example.com")
PENDING = (PendingChange(id=CHANGE, change_type="san"),)


def intent(wanted: DesiredCertificate = TWO, **fields: Any) -> Intent:
    """Return an intent to update the enrollment to what is wanted."""
    update: dict[str, Any] = {
        "certificate": wanted.name,
        "operation": "update enrollment",
        "enrollment_id": ENROLLMENT,
        "change_id": None,
        "key_type": None,
        "key": None,
        "desired_digest": desired_digest(wanted),
        "at": NOW,
    }
    return locks.intent(**(update | fields))


def record(created_by: str = "api-user", at: datetime = NOW + timedelta(seconds=1)) -> ChangeRecord:
    return ChangeRecord(action="modify-san", status="incomplete", created_by=created_by, created_at=at, csrs=())


def owner(
    change: ChangeRecord | None,
    *,
    began: Intent | None = None,
    wanted: DesiredCertificate = TWO,
    live: Enrollment | None = None,
    **journal: Any,
) -> Owner | None:
    return owner_of(
        live or enrollment(wanted, pending=PENDING),
        CHANGE,
        wanted,
        record=change,
        deployed=True,
        book=OrderBook.of(()),
        journal=state(began or intent(), **journal),
    )


def state(*open_ones: Intent, **fields: Any) -> OpenState:
    opened = tuple(OpenIntent(intent=one, written_at=NOW) for one in open_ones)
    return OpenState(journal_id="j", installation="0a1b2c3d", open=opened, **fields)


def test_a_change_that_fits_an_open_intent_is_ours() -> None:
    assert owner(record()) is Owner.OURS
    assert owner(record(), authors=frozenset({"api-user"})) is Owner.OURS


@pytest.mark.parametrize(("before", "whose"), [(119, Owner.OURS), (121, Owner.FOREIGN)])
def test_it_is_not_older_than_the_intent_by_more_than_two_minutes(before: int, whose: Owner) -> None:
    assert owner(record(at=NOW - timedelta(seconds=before))) is whose


def test_one_of_another_author_than_our_earlier_changes_is_foreign() -> None:
    assert owner(record("ada"), authors=frozenset({"api-user"})) is Owner.FOREIGN
    assert owner(record(AUTO_RENEWAL)) is Owner.CPS


def test_one_with_other_names_than_the_intent_wanted_is_foreign() -> None:
    assert owner(record(), live=enrollment(WANTED, pending=PENDING)) is Owner.FOREIGN
    assert owner(record(), live=enrollment(WANTED, pending=PENDING), authors=frozenset({"api-user"})) is Owner.FOREIGN


def test_where_the_file_has_changed_since_only_the_author_tells() -> None:
    before = intent(WANTED)
    old = enrollment(WANTED, pending=PENDING)
    assert owner(record(), began=before, live=old) is Owner.FOREIGN
    assert owner(record(), began=before, live=old, authors=frozenset({"api-user"})) is Owner.OURS


def test_a_create_of_a_file_that_has_changed_since_is_ours_without_a_known_author() -> None:
    created = intent(WANTED, operation="create enrollment", enrollment_id=None)
    assert owner(record(), began=created, live=enrollment(WANTED, pending=PENDING)) is Owner.OURS
    other = dataclasses.replace(created, certificate=CertificateName("other"))
    assert owner(record(), began=other, live=enrollment(WANTED, pending=PENDING)) is Owner.FOREIGN


@pytest.mark.parametrize(
    "other",
    [{"operation": "upload certificate"}, {"enrollment_id": EnrollmentId(7)}],
    ids=["of another kind", "of another enrollment"],
)
def test_an_intent_that_opens_no_change_of_this_enrollment_makes_none_ours(other: dict[str, Any]) -> None:
    assert owner(record(), began=intent(**other)) is Owner.FOREIGN


# What a look teaches the journal


def taught(journal: OpenState, created_by: str = "api-user", *, now: datetime = NOW) -> tuple[Entry, ...]:
    waiting = change(ChangeState.AWAITING_INPUT, "wait-upload-third-party", InputKind.CERTIFICATE)
    seen = look(
        now=now,
        enrollments=[enrollment(TWO, pending=PENDING)],
        view=ChangeView(change=waiting, record=record(created_by)),
        journal=journal,
    )
    return lessons(plan_for([TWO], seen), seen)[ACCOUNT]


def own(*, seen: bool = False) -> OpenState:
    opened = OwnChange(enrollment_id=ENROLLMENT, cause=CauseId("ab12"), opened_at=NOW, seen=seen)
    return state(changes={CHANGE: opened})


def test_the_author_of_a_change_whose_id_cps_told_us_is_learned_once() -> None:
    (learned,) = [one for one in taught(own()) if isinstance(one, AuthorSeen)]
    assert learned.author == "api-user"
    knowing = own().after([learned])
    assert knowing.authors == {"api-user"}
    assert not [one for one in taught(knowing) if isinstance(one, AuthorSeen)]


@pytest.mark.parametrize("created_by", ["", AUTO_RENEWAL])
def test_no_author_is_learned_of_a_change_that_a_look_found_or_that_has_none(created_by: str) -> None:
    assert not [one for one in taught(own(seen=True)) if isinstance(one, AuthorSeen)]
    assert not [one for one in taught(own(), created_by) if isinstance(one, AuthorSeen)]


def test_what_a_look_finds_to_have_been_opened_is_remembered_as_found_by_a_look() -> None:
    journal = state(intent())
    (outcome,) = [one for one in taught(journal) if isinstance(one, OutcomeWritten)]
    assert outcome.outcome.kind is OutcomeKind.DONE
    assert journal.after([outcome]).changes[CHANGE].seen


def test_a_call_is_given_up_only_by_what_no_look_has_shown() -> None:
    foreign = taught(state(intent(), authors=frozenset({"api-user"})), "ada", now=NOW + SETTLE)
    assert gives_up({ACCOUNT: foreign})
    assert not gives_up({ACCOUNT: taught(state(intent()), now=NOW + SETTLE)})
