"""Breaking and repairing, where others are at work at the same time or the journal is in a state of its own."""

from dataclasses import replace

import pytest

from reconciler.app.lock import Found, break_lock, repair, show
from reconciler.errors import JournalError, LockLostError
from reconciler.execution.lease import journal_write
from reconciler.execution.store import JournalWrite, MemoryStore, Versions
from reconciler.model.lock import NewerFormatError, Owner, encode_lock
from tests.support.locks import NOW, FakeTime, FlakyStore, take

NOTHING = Found(orders=(), enrollments=(), served={})
ME = Owner(name="me")


def mended(store: MemoryStore) -> bool:
    return repair(store, "main", NOTHING, owner=ME, at=NOW).repaired


def test_a_holder_that_moves_its_lock_meanwhile_is_broken_nevertheless() -> None:
    store = FlakyStore()
    lease = take(store, real=FakeTime())
    standing = show(store, "main")
    beats = 0

    def beat() -> None:
        nonlocal beats
        if beats < 2:
            beats += 1
            held = replace(lease._held.record, nonce=f"beat {beats}")
            MemoryStore.swap(store, store.read().versions, encode_lock(held), None)

    store.before_swap = beat
    break_lock(store, standing)
    assert not show(store, "main").held
    assert beats == 2


def test_a_lock_that_has_changed_hands_is_not_broken() -> None:
    store = FlakyStore()
    first = take(store, real=FakeTime())
    standing = show(store, "main")
    first.release()
    with take(store, "bob@build8", real=FakeTime()), pytest.raises(JournalError, match="bob@build8"):
        break_lock(store, standing)


def test_a_lock_that_was_released_meanwhile_needs_no_breaking() -> None:
    store = FlakyStore()
    lease = take(store, real=FakeTime())
    standing = show(store, "main")
    lease.release()
    before = store.read()
    break_lock(store, standing)
    assert store.read() == before


def test_a_lock_that_never_stands_still_is_given_up() -> None:
    class Refusing(FlakyStore):
        def swap(self, before: Versions, lock: str, journal: JournalWrite | None) -> Versions:
            return super().swap(before if journal else Versions(lock=None, journal=None), lock, journal)

    store = Refusing()
    take(store, real=FakeTime())
    with pytest.raises(JournalError, match="Try again"):
        break_lock(store, show(store, "main"))


def test_a_journal_that_cannot_be_read_is_shown_and_rebuilt() -> None:
    store = FlakyStore()
    lease = take(store, real=FakeTime())
    lease.release()
    store._write(JournalWrite(state="{"))
    standing = show(store, "main")
    assert standing.state is None
    assert standing.problem is not None
    assert mended(store)
    assert show(store, "main").problem is None
    with take(store, real=FakeTime(), create=False) as after:
        assert after.journal_id != lease.journal_id
        assert after.epoch > lease.epoch
        assert after.sequence > lease.sequence


def test_a_journal_of_a_newer_version_is_shown_and_not_replaced() -> None:
    store = FlakyStore()
    with take(store, real=FakeTime()) as lease:
        newer = journal_write(lease.state, (), "x").state.replace('"v": 1', '"v": 2')
    store._write(JournalWrite(state=newer))
    assert "newer certrecon" in (show(store, "main").problem or "")
    before = store.read()
    with pytest.raises(NewerFormatError):
        mended(store)
    assert store.read() == before


def test_a_repair_begins_a_journal_where_nothing_was() -> None:
    store = MemoryStore()
    assert show(store, "main").problem is None
    assert mended(store)
    assert not mended(store)
    with take(store, real=FakeTime(), create=False) as lease:
        assert lease.epoch == 2


def test_a_repair_that_another_run_outpaces_changes_nothing() -> None:
    store = FlakyStore()

    def outpace() -> None:
        store.before_swap = lambda: None
        take(store, "bob@build8", real=FakeTime())

    store.before_swap = outpace
    with pytest.raises(JournalError, match="meanwhile"):
        mended(store)
    assert show(store, "main").held


def test_a_holder_of_a_lock_that_was_repaired_under_it_has_lost_it() -> None:
    store = FlakyStore()
    lease = take(store, real=FakeTime())
    store._lock = store._journal = None
    assert mended(store)
    with pytest.raises(LockLostError):
        lease.append([])
