"""The durable journal: what is written when, how often, and what it can say of older intents."""

from datetime import datetime, timedelta

import pytest

from reconciler.errors import JournalError
from reconciler.execution.durable import MOST_INTENTS, DurableJournal, history
from reconciler.execution.lease import Lease
from reconciler.model.certificate import EnrollmentId
from reconciler.model.entry import IntentId, OutcomeKind
from reconciler.model.journal_entries import CommitApplied, EpochTaken, IntentWritten, JournalMade, OutcomeWritten
from reconciler.model.order import SslId
from tests.support.locks import NOW, FakeTime, FlakyStore, intent, outcome, take


class FakeClock:
    def __init__(self) -> None:
        self.slept: list[timedelta] = []
        self.time = NOW

    def now(self) -> datetime:
        return self.time

    def sleep(self, duration: timedelta) -> None:
        self.slept.append(duration)
        self.time += duration


def journal(lease: Lease, clock: FakeClock | None = None, real: FakeTime | None = None) -> DurableJournal:
    return DurableJournal(lease, clock or FakeClock(), real=real or FakeTime())


def test_intents_are_durable_with_the_epoch_of_the_lock() -> None:
    store = FlakyStore()
    take(store, real=FakeTime()).release()
    written = journal(take(store, real=FakeTime()))
    written.intend((intent(1), intent(2)))
    assert [one.epoch for one in written.intents()] == [2, 2]
    kinds = [type(entry) for entry in history(store)]
    assert kinds == [JournalMade, EpochTaken, EpochTaken, IntentWritten, IntentWritten]


def test_an_append_holds_up_to_fifty_intents() -> None:
    store = FlakyStore()
    written = journal(take(store, real=FakeTime()))
    written.intend(tuple(intent(number) for number in range(MOST_INTENTS + 1)))
    assert written.state.sequence == 3
    assert len(written.state.open) == MOST_INTENTS + 1


def test_no_more_than_six_appends_are_made_in_a_minute_of_service_time() -> None:
    clock = FakeClock()
    written = journal(take(FlakyStore(), real=FakeTime()), clock)
    for number in range(6):
        written.intend((intent(number),))
        clock.time += timedelta(seconds=5)
    assert clock.slept == []
    written.note([CommitApplied(commit="1a", at=NOW)])
    assert clock.slept == [timedelta(seconds=30)]
    written.record((outcome(OutcomeKind.NOT_SENT),))
    assert clock.slept == [timedelta(seconds=30), timedelta(seconds=5)]


def test_nothing_to_write_is_no_append() -> None:
    store = FlakyStore()
    written = journal(take(store, real=FakeTime()))
    written.intend(())
    written.record(())
    written.note(())
    assert written.state.sequence == 1


def test_the_next_run_sees_what_was_left_open_and_what_was_learnt() -> None:
    store = FlakyStore()
    with take(store, real=FakeTime()) as lease:
        first = journal(lease)
        first.intend((intent(1), intent(2, operation="create enrollment", key=None, key_type=None)))
        first.record((outcome(OutcomeKind.DONE, 1, ssl_id=SslId(501)),))
    second = journal(take(store, real=FakeTime()))
    assert [one.id for one in second.carried_over()] == ["2"]
    assert [one.id for one in second.intents()] == ["2"]
    assert second.outcomes() == ()
    assert second.state.orders["c0ffee"].ssl_id == 501
    second.record((outcome(OutcomeKind.DONE, 2, enrollment_id=EnrollmentId(7)),))
    assert second.carried_over() == ()
    assert list(second.state.enrollments.values()) == [7]
    assert [type(entry) for entry in history(store)][-1] is OutcomeWritten


def test_the_real_age_of_ones_own_intent_counts_from_before_its_append() -> None:
    store, real = FlakyStore(), FakeTime()
    written = DurableJournal(take(store, real=real), FakeClock(), real=real)

    def slow() -> None:
        real.now_s += 4

    store.before_swap = slow
    written.intend((intent(1),))
    real.now_s += 10
    assert written.real_age(IntentId("1")) == timedelta(seconds=14)


def test_the_real_age_of_an_earlier_intent_is_never_more_than_the_lock_proves() -> None:
    store, real = FlakyStore(), FakeTime()
    with take(store, real=real) as lease:
        DurableJournal(lease, FakeClock(), real=real).intend((intent(1),))
    real.now_s += 30
    second = DurableJournal(take(store, real=real), FakeClock(), real=real)
    assert second.real_age(IntentId("1")) == timedelta(seconds=30)
    real.now_s += 86_400
    assert second.real_age(IntentId("1")) == timedelta(seconds=86_430)

    class Jumped(FakeTime):
        def wall(self) -> datetime:
            return super().wall() + timedelta(days=400)

    third = DurableJournal(second._lease, FakeClock(), real=Jumped())
    assert third.real_age(IntentId("1")) == timedelta(seconds=86_400 + 720)


def test_an_intent_that_is_not_open_has_no_age() -> None:
    with pytest.raises(JournalError):
        journal(take(FlakyStore(), real=FakeTime())).real_age(IntentId("nobody's"))
