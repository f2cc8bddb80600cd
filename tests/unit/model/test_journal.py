"""The journal's values: what an entry changes in open.json; nothing is lost or guessed on the way to the disk."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.errors import JournalError
from reconciler.model.certificate import AccountName, CertificateName, ChangeId, ContractId, EnrollmentId, KeyType
from reconciler.model.entry import CauseId, Intent, OrderLink, OutcomeKind
from reconciler.model.journal import (
    Answer,
    LinkRecord,
    OpenState,
    OwnOrder,
    Refusal,
    decode_state,
    encode_state,
    identity_key,
)
from reconciler.model.journal_entries import (
    _KINDS,
    AttemptRaised,
    AuthorSeen,
    CauseEnded,
    ChangesGone,
    CommitApplied,
    ContractsSeen,
    EnrollmentManaged,
    EnrollmentReleased,
    Entry,
    EpochTaken,
    IntentWritten,
    JournalMade,
    LevelReported,
    OutcomeWritten,
    RefusalsForgotten,
    decode_entry,
    encode_entry,
)
from reconciler.model.lock import LockRecord, NewerFormatError, Owner, account_digest, decode_lock, encode_lock
from reconciler.model.order import SslId
from reconciler.model.replacement import Replacing
from tests.support.locks import IDENTITY, NOW, intent, outcome

CAUSE = CauseId("ab12")
WWW = CertificateName("www.example.com")
LINK = OrderLink(old=SslId(400), new=SslId(501), until=NOW + timedelta(days=20))
ENTRIES: tuple[Entry, ...] = (
    JournalMade(at=NOW, lost=("something",)),
    EpochTaken(epoch=3, owner="alice@build7", run_url="https://ci.example/1", at=NOW),
    IntentWritten(intent=intent(1), written_at=NOW),
    OutcomeWritten(outcome=outcome(OutcomeKind.DONE, 1, ssl_id=SslId(501), change_id=ChangeId(20004))),
    CauseEnded(cause=CAUSE, at=NOW),
    AttemptRaised(cause=CauseId("cd34"), at=NOW),
    EnrollmentManaged(identity=IDENTITY, enrollment_id=EnrollmentId(10002), at=NOW),
    EnrollmentReleased(enrollment_id=EnrollmentId(9), at=NOW),
    ChangesGone(change_ids=frozenset({ChangeId(1)}), at=NOW),
    AuthorSeen(author="api-user", at=NOW),
    ContractsSeen(contracts=frozenset({ContractId("C-1"), ContractId("C-2")}), at=NOW),
    RefusalsForgotten(certificate=CertificateName("img"), at=NOW),
    LevelReported(certificate=WWW, level="warn", at=NOW),
    CommitApplied(commit="1a2b", at=NOW),
    IntentWritten(intent=intent(2, operation="upload certificate", key=None, key_type=None), written_at=NOW),
    OutcomeWritten(outcome=outcome(OutcomeKind.REFUSED, 2, detail="no")),
    IntentWritten(intent=intent(3), written_at=NOW),
    OutcomeWritten(outcome=outcome(OutcomeKind.UNKNOWN, 3, detail="no answer")),
    IntentWritten(intent=intent(4, operation="promote to production", key=None, key_type=None), written_at=NOW),
    OutcomeWritten(outcome=outcome(OutcomeKind.DONE, 4)),
    IntentWritten(intent=intent(5, operation="link orders", key=None, link=LINK), written_at=NOW),
    OutcomeWritten(outcome=outcome(OutcomeKind.DONE, 5)),
)


def begun(*entries: Entry) -> OpenState:
    return OpenState(journal_id="j1", installation="0a1b2c3d").after(entries)


def with_intent(one: Intent, *outcomes: OutcomeKind, **fields: object) -> OpenState:
    entries: list[Entry] = [IntentWritten(intent=one, written_at=NOW)]
    entries += [OutcomeWritten(outcome=outcome(kind, one.id, **fields)) for kind in outcomes]
    return begun(*entries)


def test_the_state_survives_the_disk() -> None:
    state = begun(*ENTRIES)
    assert decode_state(encode_state(state)) == state
    parts = (
        "open",
        "causes",
        "enrollments",
        "changes",
        "orders",
        "answers",
        "links",
        "contracts",
        "refusals",
        "levels",
    )
    for part in parts:
        assert getattr(state, part), part


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: type(entry).__name__)
def test_an_entry_survives_the_disk_as_one_line(entry: Entry) -> None:
    line = encode_entry(entry)
    assert line.endswith("\n")
    assert line.count("\n") == 1
    assert decode_entry(line) == entry


def test_each_kind_of_entry_is_tried() -> None:
    assert {type(entry) for entry in ENTRIES} == set(_KINDS.values())


@given(st.text(), st.text())
def test_no_text_breaks_a_line(detail: str, owner: str) -> None:
    for entry in (
        OutcomeWritten(outcome=outcome(OutcomeKind.REFUSED, 1, detail=detail)),
        EpochTaken(epoch=1, owner=owner, run_url="", at=NOW),
    ):
        line = encode_entry(entry)
        assert len(line.splitlines()) == 1
        assert decode_entry(line) == entry


def test_the_lock_survives_the_disk() -> None:
    record = LockRecord(
        nonce="n",
        free=False,
        owner=Owner(name="alice", run_url="https://ci.example/1", commit="1a"),
        epoch=3,
        ttl_s=600.0,
        since=NOW,
        beat_at=NOW,
        journal_id="j1",
        sequence=4,
    )
    assert decode_lock(encode_lock(record)) == record
    assert decode_lock(encode_lock(replace(record, ttl_s=600))).ttl_s == 600


@pytest.mark.parametrize(
    ("kinds", "unclear", "closed"),
    [
        ([OutcomeKind.DONE], 0, True),
        ([OutcomeKind.REFUSED], 0, True),
        ([OutcomeKind.NOT_SENT], 0, False),
        ([OutcomeKind.UNKNOWN, OutcomeKind.DONE], 0, True),
        ([OutcomeKind.UNKNOWN, OutcomeKind.NOT_SENT], 1, False),
    ],
)
def test_a_link_is_remembered_until_the_older_certificate_ends(
    kinds: list[OutcomeKind], unclear: int, closed: bool
) -> None:
    state = with_intent(intent(operation="link orders", key=None, link=LINK), *kinds)
    assert state.links == {400: LinkRecord(link=LINK, unclear=unclear, closed=closed)}
    assert (state.causes, state.refusals, state.open) == ({}, {}, ())
    later = EpochTaken(epoch=2, owner="a", run_url="", at=LINK.until)
    assert state.after([replace(later, at=NOW)]).links == state.links
    assert state.after([later]).links == {}


def test_a_link_whose_answers_say_nothing_is_given_up_after_two() -> None:
    entries: list[Entry] = []
    for number in (1, 2):
        entries.append(IntentWritten(intent=intent(number, operation="link orders", link=LINK), written_at=NOW))
        entries += [
            OutcomeWritten(outcome=outcome(kind, number)) for kind in (OutcomeKind.UNKNOWN, OutcomeKind.NOT_SENT)
        ]
    assert [begun(*entries[: 3 * tries]).links[LINK.old].closed for tries in (1, 2)] == [False, True]


def test_an_order_remembers_what_it_is_to_replace() -> None:
    state = with_intent(intent(succeeds=frozenset({SslId(400)})), OutcomeKind.DONE, ssl_id=SslId(501))
    assert [own.succeeds for own in state.orders.values()] == [{400}]


def test_what_a_newer_version_wrote_is_refused_with_the_remedy() -> None:
    for read, text in (
        (decode_state, encode_state(begun())),
        (decode_entry, encode_entry(ENTRIES[0])),
        (decode_lock, '{"v": 1}'),
    ):
        with pytest.raises(NewerFormatError, match="Update certrecon"):
            read(text.replace('"v": 1', '"v": 2'))


@pytest.mark.parametrize(
    "damage",
    [
        ("", ""),
        ('"journal_id"', '"other_id"'),
        ('"sequence": 1', '"sequence": "1"'),
        ('"sequence": 1', '"sequence": true'),
        ('"sequence": 1', '"sequence": 1, "unheard_of": 1'),
        ('"v": 1', '"v": "1"'),
        ('"v": 1', '"w": 1'),
    ],
)
def test_what_is_damaged_is_refused_and_never_half_read(damage: tuple[str, str]) -> None:
    text = encode_state(begun())
    broken = text[:-9] if damage == ("", "") else text.replace(*damage)
    assert broken != text
    with pytest.raises(JournalError, match="lock repair"):
        decode_state(broken)


def test_an_entry_of_an_unknown_kind_is_refused() -> None:
    with pytest.raises(JournalError):
        decode_entry('{"v": 1, "kind": "rumour", "at": "2026-11-20T12:00:00Z"}\n')


def test_each_append_counts_once() -> None:
    assert begun(*ENTRIES).sequence == 1
    assert begun().after(()).sequence == 2


@pytest.mark.parametrize("kind", list(OutcomeKind))
def test_an_intent_stays_open_exactly_while_its_outcome_is_unknown(kind: OutcomeKind) -> None:
    state = with_intent(intent(1), kind)
    assert (len(state.open) == 1) is (kind is OutcomeKind.UNKNOWN)


def test_an_unknown_outcome_is_closed_by_what_a_later_look_shows() -> None:
    state = with_intent(intent(1), OutcomeKind.UNKNOWN)
    (left,) = state.open
    assert left.unknown is not None
    state = state.after([OutcomeWritten(outcome=outcome(OutcomeKind.DONE, 1, ssl_id=SslId(501)))])
    assert state.open == ()
    assert state.orders["c0ffee"].ssl_id == 501


def test_the_first_word_on_an_intent_stands() -> None:
    state = with_intent(intent(1), OutcomeKind.DONE, OutcomeKind.REFUSED)
    assert state.refusals == {}


def test_an_order_that_was_placed_holds_its_key() -> None:
    state = with_intent(intent(1), OutcomeKind.DONE, ssl_id=SslId(501))
    assert state.orders == {
        "c0ffee": OwnOrder(
            ssl_id=SslId(501),
            enrollment_id=EnrollmentId(10002),
            change_id=ChangeId(20003),
            key_type=KeyType.RSA,
            cause=CAUSE,
            requested_at=NOW,
        )
    }


def test_what_a_change_was_last_given_is_remembered_for_a_day() -> None:
    upload, promotion = (
        intent(number, operation=operation, change_id=ChangeId(change), key=None, key_type=None)
        for number, (operation, change) in enumerate([("upload certificate", 1), ("promote to production", 2)], 1)
    )
    state = with_intent(upload, OutcomeKind.DONE)
    assert state.answers == {ChangeId(1): Answer(operation="upload certificate", at=NOW)}
    later = outcome(OutcomeKind.DONE, 2, at=NOW + timedelta(days=1))
    state = state.after([IntentWritten(intent=promotion, written_at=NOW), OutcomeWritten(outcome=later)])
    assert state.answers == {ChangeId(2): Answer(operation="promote to production", at=later.at)}


@pytest.mark.parametrize("kind", [OutcomeKind.REFUSED, OutcomeKind.NOT_SENT, OutcomeKind.UNKNOWN])
def test_what_cps_did_not_take_is_no_answer(kind: OutcomeKind) -> None:
    assert with_intent(intent(operation="upload certificate", key=None), kind).answers == {}


def test_a_created_enrollment_is_remembered_by_its_identity_and_its_change_is_ours() -> None:
    create = intent(1, operation="create enrollment", enrollment_id=None, change_id=None, key=None, key_type=None)
    state = with_intent(create, OutcomeKind.DONE, enrollment_id=EnrollmentId(7), change_id=ChangeId(8))
    assert state.enrollments == {"C-1/www.example.com/enhanced-tls/sni": 7}
    assert state.changes[ChangeId(8)].enrollment_id == 7
    assert state.changes[ChangeId(8)].cause == CAUSE


def test_two_names_of_one_account_are_one_identity() -> None:
    assert identity_key(IDENTITY) == identity_key(replace(IDENTITY, account=AccountName("other")))
    assert identity_key(IDENTITY) != identity_key(replace(IDENTITY, sni_only=False))


def test_the_first_intent_of_a_cause_is_kept_until_the_next_attempt() -> None:
    later = NOW + timedelta(hours=1)
    state = begun(
        IntentWritten(intent=intent(1), written_at=NOW), IntentWritten(intent=intent(2, at=later), written_at=NOW)
    )
    assert state.causes[CAUSE].first_intent_at == NOW
    state = state.after([CauseEnded(cause=CAUSE, at=later)])
    assert state.causes[CAUSE].ended_at == later
    state = state.after([IntentWritten(intent=intent(3, attempt=2, at=later), written_at=NOW)])
    assert (state.causes[CAUSE].attempt, state.causes[CAUSE].first_intent_at) == (2, later)
    assert state.causes[CAUSE].ended_at is None


def test_dead_work_is_begun_anew_as_the_next_attempt() -> None:
    later = NOW + timedelta(hours=1)
    state = with_intent(intent(1)).after([AttemptRaised(cause=CAUSE, at=later)])
    assert (state.causes[CAUSE].attempt, state.causes[CAUSE].first_intent_at) == (2, later)


def test_what_a_campaign_first_replaced_for_a_cause_is_kept_and_read_again() -> None:
    first = Replacing(campaign="distrust", reason="superseded", serials=("A1", "B2"))
    other = replace(first, campaign="later")
    state = with_intent(intent(1)).after(
        [
            IntentWritten(intent=intent(number + 2, replacing=one), written_at=NOW)
            for number, one in enumerate((first, other))
        ]
    )
    raised = state.after([CauseEnded(cause=CAUSE, at=NOW), AttemptRaised(cause=CAUSE, at=NOW)])
    for one in (state, raised, decode_state(encode_state(raised))):
        assert (one.causes[CAUSE].replacing, one.causes[CAUSE].enrollment_id) == (first, intent(1).enrollment_id)
    assert raised.causes[CAUSE].ended_at is None


def test_causes_that_ended_long_ago_are_forgotten_when_a_run_begins() -> None:
    state = with_intent(intent(1)).after([CauseEnded(cause=CAUSE, at=NOW)])
    for days, kept in ((399, True), (400, False)):
        epoch = EpochTaken(epoch=2, owner="a", run_url="", at=NOW + timedelta(days=days))
        assert (CAUSE in state.after([epoch]).causes) is kept
    still_open = with_intent(intent(1)).after(
        [EpochTaken(epoch=2, owner="a", run_url="", at=NOW + timedelta(days=999))]
    )
    assert CAUSE in still_open.causes


@pytest.mark.parametrize(("count", "hours"), [(1, 1), (2, 2), (3, 4), (4, 8), (5, 16), (6, 24), (60, 24)])
def test_refusals_back_off_from_one_hour_to_a_day(count: int, hours: int) -> None:
    refusal = Refusal(desired_digest="0d", count=count, last_at=NOW)
    assert refusal.not_before == NOW + timedelta(hours=hours)


def test_refusals_are_counted_for_one_file_and_one_operation() -> None:
    state = with_intent(intent(1), OutcomeKind.REFUSED, detail="no")
    again = state.after(
        [IntentWritten(intent=intent(2), written_at=NOW), OutcomeWritten(outcome=outcome(OutcomeKind.REFUSED, 2))]
    )
    found = again.refusal(WWW, "submit order", "0d")
    assert found is not None
    assert found.count == 2
    assert again.refusal(WWW, "submit order", "a changed file") is None
    assert again.refusal(WWW, "upload certificate", "0d") is None
    changed = again.after(
        [
            IntentWritten(intent=intent(3, desired_digest="1d"), written_at=NOW),
            OutcomeWritten(outcome=outcome(OutcomeKind.REFUSED, 3)),
        ]
    )
    anew = changed.refusal(WWW, "submit order", "1d")
    assert anew is not None
    assert anew.count == 1


def test_a_success_or_a_word_of_people_ends_the_back_off() -> None:
    state = with_intent(intent(1), OutcomeKind.REFUSED)
    done = state.after(
        [IntentWritten(intent=intent(2), written_at=NOW), OutcomeWritten(outcome=outcome(OutcomeKind.DONE, 2))]
    )
    assert done.refusals == {}
    assert state.after([RefusalsForgotten(certificate=WWW, at=NOW)]).refusals == {}
    assert state.after([RefusalsForgotten(certificate=CertificateName("www.example"), at=NOW)]).refusals != {}


def test_changes_that_are_gone_take_their_orders_along_but_for_the_latest_of_each_half() -> None:
    entries: list[Entry] = []
    for number, (change, key_type) in enumerate([(1, "RSA"), (2, "RSA"), (2, "ECDSA"), (3, "RSA")]):
        one = intent(
            number,
            change_id=ChangeId(change),
            key=f"k{number}",
            key_type=key_type,
            at=NOW + timedelta(days=number),
        )
        entries += [
            IntentWritten(intent=one, written_at=NOW),
            OutcomeWritten(outcome=outcome(OutcomeKind.DONE, number, ssl_id=SslId(500 + number))),
        ]
    state = begun(*entries, ChangesGone(change_ids=frozenset({ChangeId(1), ChangeId(2)}), at=NOW))
    assert set(state.orders) == {"k2", "k3"}  # the latest ECDSA order, and that of the pending change
    everything = state.after([ChangesGone(change_ids=frozenset({ChangeId(3)}), at=NOW)])
    assert set(everything.orders) == {"k2", "k3"}


def test_an_order_that_was_the_latest_is_forgotten_with_the_change_of_the_next() -> None:
    state = begun()
    for number in (1, 2, 3):
        one = intent(
            number, change_id=ChangeId(number), key=f"k{number}", key_type="RSA", at=NOW + timedelta(days=number)
        )
        state = state.after(
            [
                IntentWritten(intent=one, written_at=NOW),
                OutcomeWritten(outcome=outcome(OutcomeKind.DONE, number, ssl_id=SslId(500 + number))),
            ]
        )
        state = state.after([ChangesGone(change_ids=frozenset({ChangeId(number)}), at=NOW)])
        assert set(state.orders) == {f"k{number}"}


def test_a_released_enrollment_is_not_managed_any_more() -> None:
    state = begun(EnrollmentManaged(identity=IDENTITY, enrollment_id=EnrollmentId(7), at=NOW))
    assert state.after([EnrollmentReleased(enrollment_id=EnrollmentId(7), at=NOW)]).enrollments == {}
    assert state.after([EnrollmentReleased(enrollment_id=EnrollmentId(8), at=NOW)]).enrollments == state.enrollments


def test_the_account_is_named_by_the_first_digits_of_a_hash() -> None:
    assert account_digest("A-1XYZ") == "af27d2b41935739f"
