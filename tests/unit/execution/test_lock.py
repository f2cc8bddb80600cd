"""Taking, keeping and losing the lock: on a store in memory that fails as told, with a clock that stands still."""

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from reconciler.errors import ExitCode, JournalError, LockHeldError, LockLostError
from reconciler.execution.filestore import FileStore
from reconciler.execution.lease import Lease, Timing, journal_write
from reconciler.execution.lock import held_text
from reconciler.execution.store import JournalWrite, MemoryStore, Store, SwapRejectedError, Versions
from reconciler.model.journal import decode_state
from reconciler.model.journal_entries import CommitApplied
from reconciler.model.lock import LockRecord, decode_lock, encode_lock
from tests.support.locks import NOW, FakeTime, FlakyStore, error_of, locker, take

COMMIT = CommitApplied(commit="1a2b", at=NOW)


def record(store: Store) -> LockRecord:
    seen = store.read().lock
    assert seen is not None
    return decode_lock(seen.text)


def sequence(store: Store) -> int:
    seen = store.read().journal
    assert seen is not None
    return decode_state(seen.text).sequence


def beat(store: Store) -> None:
    """Do what a holder's heartbeat does."""
    held = replace(record(store), nonce=f"{record(store).nonce}+")
    store.swap(store.read().versions, encode_lock(held), None)


def remove_lock(store: MemoryStore) -> None:
    store._lock = None


def remove_journal(store: MemoryStore) -> None:
    store._journal = None


def test_a_lock_that_is_free_is_taken_and_released() -> None:
    store, real = FlakyStore(), FakeTime()
    with take(store, real=real) as lease:
        assert (lease.epoch, lease.sequence, record(store).free) == (1, 1, False)
        assert record(store).journal_id == lease.journal_id == lease.state.journal_id
    assert record(store).free
    assert not record(store).broken
    with take(store, "bob@build8", real=real) as lease:
        assert (lease.epoch, lease.sequence) == (2, 2)


def test_a_lock_that_is_held_says_who_has_it_and_how_it_can_be_had() -> None:
    store, real = FlakyStore(), FakeTime()
    with take(store, real=real):
        error = error_of(lambda: take(store, "bob@build8", real=real))
    assert isinstance(error, LockHeldError)
    assert error.exit_code is ExitCode.LOCKED
    for word in ("alice@build7", "2026-11-20 12:00:00", "https://ci.example/alice@build7", "12 min", "lock break"):
        assert word in str(error)


def test_a_lock_whose_holder_the_kernel_knows_speaks_of_no_silence(tmp_path: Path) -> None:
    store, other = FileStore(tmp_path), FileStore(tmp_path)
    take(store, real=FakeTime())
    alive = error_of(lambda: take(other, "bob@build8", real=FakeTime()))
    assert "alive on this machine" in str(alive)
    assert "silence" not in str(alive)
    store.close()  # what the kernel does when its process ends
    assert "has ended" in held_text("main", record(other), gone=other.holder_gone(record(other).epoch))
    other.close()


class Watched(FakeTime):
    """Time in which something happens `after` so many seconds of waiting."""

    def __init__(self, after: float, happens: Callable[[], object]) -> None:
        super().__init__()
        self.end_s = self.now_s + after
        self.happens = happens

    def wait(self, seconds: float, woken: threading.Event | None = None) -> bool:
        before = self.now_s
        waited = super().wait(seconds, woken)
        if before < self.end_s <= self.now_s:
            self.happens()
        return waited


def test_a_lock_is_waited_for() -> None:
    store = FlakyStore()
    lease = take(store, real=FakeTime())
    real = Watched(50, lease.release)
    with take(store, "bob@build8", real=real, timeout=timedelta(minutes=5)) as other:
        assert other.epoch == 2
        assert real.seconds() == 1060  # the look after its release


@pytest.mark.parametrize(("stopped_after_s", "ends_s"), [(10_000, 300), (100, 100)])
def test_a_lock_is_waited_for_no_longer_than_asked_or_than_the_run_goes_on(
    stopped_after_s: float, ends_s: float
) -> None:
    store = FlakyStore()
    take(store, real=FakeTime())
    stopped = threading.Event()
    real = Watched(stopped_after_s, stopped.set)
    began = real.seconds()
    with pytest.raises(LockHeldError):
        take(store, "bob@build8", real=real, timeout=timedelta(minutes=5), stop=stopped.is_set)
    assert real.seconds() - began == pytest.approx(ends_s, abs=0.1)


def test_a_silent_holder_is_replaced_after_one_and_a_fifth_of_its_lifetime_by_our_own_clock() -> None:
    store, real = FlakyStore(), FakeTime()
    take(store, real=FakeTime())
    began = real.seconds()
    with take(store, "bob@build8", real=real, timeout=timedelta(hours=1)) as other:
        assert other.epoch == 2
        assert 720 <= real.seconds() - began <= 740


def test_a_holder_that_gave_a_sign_of_life_is_watched_anew() -> None:
    store = FlakyStore()
    take(store, real=FakeTime())
    real = Watched(700, lambda: beat(store))
    began = real.seconds()
    with take(store, "bob@build8", real=real, timeout=timedelta(hours=1)):
        assert 1420 <= real.seconds() - began <= 1440


def test_a_silent_holder_is_not_replaced_by_one_who_looks_once() -> None:
    store, real = FlakyStore(), FakeTime()
    take(store, real=FakeTime())
    real.now_s += 10_000
    with pytest.raises(LockHeldError):
        take(store, "bob@build8", real=real)


def test_who_was_overtaken_can_neither_confirm_nor_write() -> None:
    store, real = FlakyStore(), FakeTime()
    old = take(store, real=real)
    with take(store, "bob@build8", real=FakeTime(), timeout=timedelta(hours=1)):
        before = store.read()
        real.now_s += 1000
        assert isinstance(error_of(lambda: old.append([COMMIT])), LockLostError)
        error = error_of(old.confirm)
        assert isinstance(error, LockLostError)
        assert error.exit_code is ExitCode.LOCKED
        assert "bob@build8" in str(error)
        old.release()
        assert store.read() == before


def test_a_write_without_any_confirmation_before_it_is_refused_as_well() -> None:
    """The first thing that a paused process does when it wakes may be to write its intents."""
    store = FlakyStore()
    old = take(store, real=FakeTime())
    with take(store, "bob@build8", real=FakeTime(), timeout=timedelta(hours=1)):
        end = sequence(store)
        with pytest.raises(LockLostError):
            old.append([COMMIT])
        assert sequence(store) == end


@pytest.mark.parametrize("what", ["broken", "removed"])
def test_a_lock_that_a_person_took_away_is_lost(what: str) -> None:
    store, real = FlakyStore(), FakeTime()
    lease = take(store, real=real)
    if what == "broken":
        freed = record(store).freed(nonce="b", broken=True, at=NOW)
        store.swap(store.read().versions, encode_lock(freed), None)
    else:
        remove_lock(store)
    with pytest.raises(LockLostError, match="a person broke it" if what == "broken" else "removed"):
        lease.append([COMMIT])
    assert sequence(store) == 1


def test_a_confirmation_is_a_push_only_when_the_last_one_is_old() -> None:
    store, real = FlakyStore(), FakeTime()
    lease = take(store, real=real)
    swaps = store.swaps
    real.now_s += 30
    lease.confirm()
    assert store.swaps == swaps
    real.now_s += 0.1
    lease.confirm()
    assert store.swaps == swaps + 1
    real.now_s += 20
    lease.append([COMMIT])  # counts as one
    real.now_s += 20
    lease.confirm()
    assert store.swaps == swaps + 2


def test_the_age_of_a_confirmation_counts_from_before_its_push() -> None:
    store, real = FlakyStore(), FakeTime()
    lease = take(store, real=real)

    def slow() -> None:
        real.now_s += 40

    real.now_s += 31
    store.before_swap = slow
    lease.confirm()
    swaps = store.swaps
    lease.confirm()
    assert store.swaps == swaps + 1


def test_nothing_is_sent_while_the_store_does_not_answer() -> None:
    store, real = FlakyStore(), FakeTime()
    lease = take(store, real=real)
    real.now_s += 31
    store.plan = ["lost before"] * 100
    store.unreadable = 100
    error = error_of(lease.confirm)
    assert isinstance(error, LockLostError)
    assert "could not be confirmed" in str(error)


def test_seeing_ones_own_record_confirms_nothing() -> None:
    """Another run may have watched that very record for almost as long as it must."""
    store, real = FlakyStore(), FakeTime()
    lease = take(store, real=real)
    real.now_s += 31
    store.plan = ["lost before"] * 1000
    for _ in range(2):
        with pytest.raises(LockLostError):
            lease.confirm()


def test_a_push_that_is_found_done_later_counts_from_when_it_began() -> None:
    store, real = FlakyStore(), FakeTime()
    lease = take(store, real=real)
    store.plan = ["lost after"]
    store.unreadable = 8
    lease.append([COMMIT])
    swaps = store.swaps
    lease.confirm()
    assert store.swaps == swaps + 1


@pytest.mark.parametrize("fault", ["lost before", "lost after"])
def test_an_append_without_an_answer_is_looked_for_and_written_once(fault: str) -> None:
    store, real = FlakyStore(), FakeTime()
    lease = take(store, real=real)
    store.plan = [fault]
    store.unreadable = 2
    lease.append([COMMIT])
    assert lease.sequence == sequence(store) == 2
    assert store.month("2026-11").count("commit applied") == 1
    lease.append([COMMIT])
    assert sequence(store) == 3


def test_a_run_that_is_interrupted_within_a_push_still_frees_its_lock() -> None:
    store = FlakyStore()
    lease = take(store, real=FakeTime())
    swap = store.swap

    def interrupted(before: Versions, lock: str, journal: JournalWrite | None) -> Versions:
        swap(before, lock, journal)
        store.swap = swap  # type: ignore[method-assign]
        raise KeyboardInterrupt

    store.swap = interrupted  # type: ignore[method-assign]
    with pytest.raises(KeyboardInterrupt), lease:
        lease.append([COMMIT])
    assert record(store).free
    assert store.month("2026-11").count("commit applied") == 1


def test_an_append_that_arrives_late_is_not_written_twice() -> None:
    """The push was given up, and the remote makes it true just before the next one."""
    store, real = FlakyStore(), FakeTime()
    lease = take(store, real=real)
    late: list[tuple[Versions, str, JournalWrite | None]] = []
    swap = store.swap

    def held_back(before: Versions, lock: str, journal: JournalWrite | None) -> Versions:
        if not late:
            late.append((before, lock, journal))
            store.plan = ["lost before"]
        elif len(late) == 1:
            late.append(late[0])
            MemoryStore.swap(store, *late[0])
        return swap(before, lock, journal)

    store.swap = held_back  # type: ignore[method-assign]
    lease.append([COMMIT])
    assert store.month("2026-11").count("commit applied") == 1
    assert lease.sequence == sequence(store) == 2


def test_a_store_that_refuses_is_no_lost_lock() -> None:
    class Refusing(FlakyStore):
        refuses = False

        def swap(self, before: Versions, lock: str, journal: JournalWrite | None) -> Versions:
            return super().swap(Versions(lock=None, journal=None) if self.refuses else before, lock, journal)

    store = Refusing()
    lease = take(store, real=FakeTime())
    store.refuses = True
    error = error_of(lambda: lease.append([COMMIT]))
    assert isinstance(error, JournalError)
    assert "refPrefix" in str(error)
    store.refuses = False
    lease.append([COMMIT])
    assert sequence(store) == 2


def test_a_journal_that_somebody_wrote_without_the_lock_stops_the_run() -> None:
    store = FlakyStore()
    lease = take(store, real=FakeTime())
    store._write(journal_write(lease.state, (COMMIT,), "x"))
    with pytest.raises(JournalError, match="without the lock"):
        lease.append([COMMIT])


def test_neither_lock_nor_journal_is_begun_without_leave() -> None:
    store = FlakyStore()
    with pytest.raises(JournalError, match="lock repair"):
        take(store, real=FakeTime(), create=False)
    assert store.read().versions == Versions(lock=None, journal=None)


def test_a_journal_that_is_gone_is_not_begun_anew_beside_its_lock() -> None:
    store = FlakyStore()
    take(store, real=FakeTime()).release()
    remove_journal(store)
    with pytest.raises(JournalError, match="lock repair"):
        take(store, real=FakeTime(), create=True)


def test_a_lock_that_is_gone_is_made_again_above_the_journals_epoch() -> None:
    store, real = FlakyStore(), FakeTime()
    take(store, real=real).release()
    take(store, real=real).release()
    remove_lock(store)
    with take(store, real=real, create=False) as lease:
        assert lease.epoch == 3


@pytest.mark.parametrize("change", ["another journal", "a lost end"])
def test_a_journal_that_the_lock_does_not_know_is_refused(change: str) -> None:
    store, real = FlakyStore(), FakeTime()
    lease = take(store, real=real)
    old = lease.state
    lease.append([COMMIT])
    lease.release()
    restored = replace(old, journal_id="other", sequence=9) if change == "another journal" else old
    store._write(journal_write(restored, (), "x"))
    error = error_of(lambda: take(store, real=real))
    assert isinstance(error, JournalError)
    assert "lock repair" in str(error)
    assert error.exit_code is ExitCode.ERROR


def test_a_lock_of_a_newer_version_is_not_touched() -> None:
    store = FlakyStore()
    take(store, real=FakeTime()).release()
    newer = encode_lock(record(store)).replace('"v": 1', '"v": 2')
    store.swap(store.read().versions, newer, None)
    with pytest.raises(JournalError, match="Update certrecon"):
        take(store, real=FakeTime())


@pytest.mark.parametrize("fault", ["lost before", "lost after"])
def test_taking_without_an_answer_looks_who_has_it(fault: str) -> None:
    store, real = FlakyStore(), FakeTime()
    store.plan = [fault]
    if fault == "lost after":
        assert take(store, real=real).epoch == 1
    else:
        with pytest.raises(JournalError):
            take(store, real=real)


def test_runs_before_count_as_quiet_unless_their_lock_was_taken_from_them() -> None:
    store, real = FlakyStore(), FakeTime()
    take(store, real=real).release()
    lease = take(store, real=real)
    assert lease.quiet_before == timedelta(minutes=12)
    freed = record(store).freed(nonce="b", broken=True, at=NOW)
    store.swap(store.read().versions, encode_lock(freed), None)
    after_break = take(store, real=real)
    assert after_break.quiet_before == timedelta()
    real.now_s += 60
    assert after_break.quiet_before == timedelta(minutes=1)


@pytest.mark.parametrize(
    ("ttl", "beat_s", "confirmation_s"),
    [
        (timedelta(minutes=10), 20, 30),
        (timedelta(hours=1), 120, 30),
        (timedelta(minutes=1), 2, 3),
        (timedelta(seconds=2), 0.5, 1),
    ],
)
def test_heartbeat_and_confirmation_follow_from_the_lifetime(
    ttl: timedelta, beat_s: float, confirmation_s: float
) -> None:
    timing = Timing(ttl=ttl)
    assert (timing.beat_s, timing.confirmation_s) == (beat_s, confirmation_s)


def test_a_heartbeat_keeps_the_lock_and_moves_no_journal() -> None:
    store = FlakyStore()
    lease: Lease = locker(store, ttl=timedelta(seconds=1)).take(at=NOW, create=True)
    with lease:
        first = store.read().versions
        lease._real.wait(1.3)
        later = store.read().versions
        assert later.lock != first.lock
        assert later.journal == first.journal


def test_in_a_folder_a_dead_holder_is_replaced_at_once_and_a_living_one_never(tmp_path: Path) -> None:
    alive, other = FileStore(tmp_path), FileStore(tmp_path)
    take(alive, real=FakeTime())
    with pytest.raises(LockHeldError):
        take(other, "bob@build8", real=FakeTime(), timeout=timedelta(days=1))
    alive.close()  # what the kernel does when its process ends
    with take(other, "bob@build8", real=FakeTime()) as lease:
        assert lease.epoch == 2
        assert lease.quiet_before == timedelta(minutes=12)
    other.close()


def test_in_a_folder_a_broken_lock_can_be_taken_while_its_holder_still_lives(tmp_path: Path) -> None:
    stuck, other, third = (FileStore(tmp_path) for _ in range(3))
    take(stuck, real=FakeTime())
    freed = record(other).freed(nonce="b", broken=True, at=NOW)
    other.swap(other.read().versions, encode_lock(freed), None)
    with take(other, "bob@build8", real=FakeTime()):
        stuck.close()
        with pytest.raises(LockHeldError, match="bob@build8"):
            take(third, "carol@build9", real=FakeTime())
    for store in (stuck, other, third):
        store.close()


def short(store: Store) -> Lease:
    """Take the lock with heartbeats of half a second, in real time."""
    return locker(store, ttl=timedelta(seconds=1)).take(at=NOW, create=True)


def test_a_heartbeat_that_is_refused_is_loss(caplog: pytest.LogCaptureFixture) -> None:
    store = FlakyStore()
    with short(store) as lease:
        remove_lock(store)
        lease._thread.join(timeout=10)
        assert not lease._thread.is_alive()
        with pytest.raises(LockLostError, match="removed"):
            lease.confirm()
    assert store.read().lock is None
    assert "removed" in caplog.text


def test_a_heartbeat_that_is_not_answered_is_repeated(caplog: pytest.LogCaptureFixture) -> None:
    store = FlakyStore()
    with short(store) as lease:
        first = store.read().versions.lock
        store.plan = ["lost before"]
        for _ in range(100):
            if store.read().versions.lock != first:
                break
            lease._real.wait(0.1)
        else:
            raise AssertionError("no heartbeat came")
        lease.confirm()
    assert "not answered" in caplog.text


def test_a_release_without_an_answer_is_no_error(caplog: pytest.LogCaptureFixture) -> None:
    store = FlakyStore()
    with take(store, real=FakeTime()):
        store.plan = ["lost before"] * 100
        store.unreadable = 100
    assert "expires by itself" in caplog.text


def test_a_store_that_refuses_the_taking_says_so() -> None:
    class Refusing(FlakyStore):
        def swap(self, before: Versions, lock: str, journal: JournalWrite | None) -> Versions:
            raise SwapRejectedError("pre-receive hook declined.")

    with pytest.raises(JournalError, match="pre-receive hook declined"):
        take(Refusing(), real=FakeTime())


def test_a_store_that_does_not_answer_is_waited_for_like_a_lock() -> None:
    store = FlakyStore()
    store.unreadable = 3
    with pytest.raises(JournalError, match="no answer"):
        take(store, real=FakeTime())
    with take(store, real=FakeTime(), timeout=timedelta(minutes=5)) as lease:
        assert lease.epoch == 1
