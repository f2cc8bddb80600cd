"""Runs against each other on one remote: real processes, real pushes, kill -9 and SIGSTOP."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from unittest import mock

import pytest

from reconciler.errors import ExitCode, LockHeldError
from reconciler.execution.durable import history
from reconciler.execution.gitrefs import GitStore
from reconciler.execution.lease import Lease
from reconciler.execution.lock import Locker
from reconciler.execution.store import JournalWrite, Versions
from reconciler.model.journal import OpenState, decode_state
from reconciler.model.journal_entries import EpochTaken, IntentWritten
from reconciler.model.lock import Owner, decode_lock
from tests.support.locks import NOW, FakeTime, bare_remote, git, git_store, ref, take

pytestmark = pytest.mark.usefixtures("no_cover")

ROOT = Path(__file__).parents[2]
TTL_S = 2.0
Driver = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def remote(tmp_path: Path) -> Path:
    return bare_remote(tmp_path / "remote.git")


@pytest.fixture
def driver(remote: Path, tmp_path: Path) -> Iterator[Driver]:
    """Return a function that starts a run: `driver("alice", steps=3)`; what is left of them is ended."""
    started: list[subprocess.Popen[str]] = []

    def start(name: str, **options: float | Path) -> "subprocess.Popen[str]":
        flags = [text for key, value in options.items() for text in (f"--{key}", str(value))]
        command: list[str | Path] = [
            sys.executable,
            "-m",
            "tests.support.lock_driver",
            remote,
            tmp_path / "cache",
            name,
        ]
        process = subprocess.Popen(
            [*command, "--ttl", str(TTL_S), "--sent", tmp_path / "sent", *flags],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        if process.poll() is None:
            process.kill()
        process.communicate()


def line(process: "subprocess.Popen[str]") -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def sent(folder: Path) -> list[str]:
    file = folder / "sent"
    return file.read_text().split() if file.exists() else []


def journal(remote: Path, folder: Path) -> tuple[OpenState, list[object]]:
    store = git_store(remote, folder / "reader")
    seen = store.read()
    assert seen.journal is not None
    entries: list[object] = list(history(store))
    store.close()
    return decode_state(seen.journal.text), entries


@pytest.mark.parametrize("count", [2, 10])
def test_of_runs_started_together_one_works_and_the_others_exit_6(
    driver: Driver, remote: Path, tmp_path: Path, count: int
) -> None:
    end = tmp_path / "end"
    running = [driver(f"run{number}", until=end) for number in range(count)]
    codes: list[int] = []
    deadline = time.monotonic() + 60
    while len(running) > 1 and time.monotonic() < deadline:
        codes += [run.returncode for run in running if run.poll() is not None]
        running = [run for run in running if run.returncode is None]
        time.sleep(0.05)  # noqa: TID251 - processes run in real time
    assert codes == [ExitCode.LOCKED] * (count - 1)
    end.touch()
    assert running[0].wait(timeout=30) == ExitCode.DONE
    assert len(sent(tmp_path)) == 1
    state, entries = journal(remote, tmp_path)
    assert [entry.epoch for entry in entries if isinstance(entry, EpochTaken)] == [1]
    assert state.open == ()


def test_a_killed_holder_is_replaced_after_its_lock_has_expired(driver: Driver, remote: Path, tmp_path: Path) -> None:
    holder = driver("holder", steps=5, pace=60)
    assert (line(holder), line(holder)) == ("taken 1", "intent holder-0")
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    assert driver("impatient").wait(timeout=30) == ExitCode.LOCKED
    began = time.monotonic()
    successor = driver("successor", timeout=60)
    assert successor.wait(timeout=60) == ExitCode.DONE
    assert time.monotonic() - began >= 1.2 * TTL_S
    assert sent(tmp_path) == ["successor-0"]
    state, _ = journal(remote, tmp_path)
    assert [(one.intent.id, one.intent.epoch) for one in state.open] == [("holder-0", 1)]
    assert state.epoch == 2


def test_a_paused_holder_that_wakes_late_writes_no_intent_and_sends_nothing(
    driver: Driver, remote: Path, tmp_path: Path
) -> None:
    holder = driver("holder", steps=50, pace=0.6)
    assert (line(holder), line(holder)) == ("taken 1", "intent holder-0")
    holder.send_signal(signal.SIGSTOP)
    sent_before = sent(tmp_path)
    assert driver("successor", timeout=60).wait(timeout=60) == ExitCode.DONE
    end = git(remote, "for-each-ref")
    holder.send_signal(signal.SIGCONT)
    _, said = holder.communicate(timeout=60)
    assert holder.returncode == ExitCode.LOCKED, said
    assert "successor" in said
    assert sent(tmp_path) == [*sent_before, "successor-0"]
    assert git(remote, "for-each-ref") == end
    state, entries = journal(remote, tmp_path)
    assert {entry.intent.id for entry in entries if isinstance(entry, IntentWritten)} == {"holder-0", "successor-0"}
    assert [one.intent.id for one in state.open] == ["holder-0"]


def test_a_lock_ref_that_is_deleted_under_its_holder_stops_it(driver: Driver, remote: Path, tmp_path: Path) -> None:
    holder = driver("holder", steps=50, pace=0.3)
    assert line(holder) == "taken 1"
    git(remote, "update-ref", "-d", ref("lock"))
    _, said = holder.communicate(timeout=60)
    assert (holder.returncode, "removed" in said) == (ExitCode.LOCKED, True), said
    assert driver("successor").wait(timeout=30) == ExitCode.DONE
    state, _ = journal(remote, tmp_path)
    assert state.epoch == 2


def test_a_journal_of_another_repository_is_not_taken_for_ours(driver: Driver, remote: Path, tmp_path: Path) -> None:
    assert driver("first").wait(timeout=30) == ExitCode.DONE
    other = bare_remote(tmp_path / "other.git")
    store = git_store(other, tmp_path / "reader")
    take(store).release()
    store.close()
    git(remote, "fetch", "--quiet", str(other), f"+{ref('journal')}:{ref('journal')}")
    late = driver("second")
    _, said = late.communicate(timeout=30)
    assert late.returncode == ExitCode.ERROR
    assert "lock repair" in said


class Contenders:
    """Runs in threads, each with a repository of its own, that go for one lock round after round."""

    def __init__(self, remote: Path, cache: Path, count: int) -> None:
        self._stores = [git_store(remote, cache) for _ in range(count)]

    def __enter__(self) -> "Contenders":
        return self

    def __exit__(self, *_: object) -> None:
        for store in self._stores:
            store.close()

    def round(self) -> list[Lease]:
        """Let all go at once and return the winners' leases, still held."""
        start = threading.Barrier(len(self._stores))

        def go(store: GitStore, name: str) -> Lease | None:
            locker = Locker(store, account="main", owner=Owner(name=name), ttl=timedelta(minutes=10))
            start.wait()
            try:
                return locker.take(at=NOW, create=True)
            except LockHeldError:
                return None

        with ThreadPoolExecutor(len(self._stores)) as pool:
            found = pool.map(go, self._stores, (f"run{number}" for number in range(len(self._stores))))
            return [lease for lease in found if lease is not None]


def contend(remote: Path, cache: Path, *, rounds: int, count: int) -> None:
    with Contenders(remote, cache, count) as contenders:
        for epoch in range(1, rounds + 1):
            winners = contenders.round()
            assert [(lease.epoch, lease.sequence) for lease in winners] == [(epoch, epoch)]
            winners[0].release()


def test_ten_rounds_of_eight_contenders_have_one_winner_each(remote: Path, tmp_path: Path) -> None:
    contend(remote, tmp_path / "cache", rounds=10, count=8)
    _, entries = journal(remote, tmp_path)
    assert [entry.epoch for entry in entries if isinstance(entry, EpochTaken)] == list(range(1, 11))


@pytest.mark.long
def test_a_hundred_rounds_of_twenty_contenders_have_one_winner_each(remote: Path, tmp_path: Path) -> None:
    contend(remote, tmp_path / "cache", rounds=100, count=20)


def test_heartbeats_keep_a_short_lock_for_longer_than_its_lifetime(remote: Path, tmp_path: Path) -> None:
    holder = git_store(remote, tmp_path / "cache")
    ttl = timedelta(seconds=3)  # a machine that stands still for longer would lose it rightly
    with Locker(holder, account="main", owner=Owner(name="holder"), ttl=ttl).take(at=NOW, create=True) as lease:
        other = git_store(remote, tmp_path / "cache")
        with pytest.raises(LockHeldError):
            Locker(other, account="main", owner=Owner(name="other"), ttl=ttl).take(at=NOW, timeout=1.5 * ttl)
        lease.confirm()
        other.close()
    holder.close()


def test_a_killed_push_leaves_a_cache_that_the_next_run_uses(driver: Driver, tmp_path: Path) -> None:
    """Its slot is free as soon as it is dead, whatever it left there."""
    holder = driver("holder", steps=50)
    assert line(holder) == "taken 1"
    os.kill(holder.pid, signal.SIGKILL)
    holder.wait()
    successor = driver("successor", timeout=60)
    assert successor.wait(timeout=60) == ExitCode.DONE
    assert len(list((tmp_path / "cache").glob("*/*.git"))) == 1


@pytest.fixture
def same_instant(monkeypatch: pytest.MonkeyPatch) -> FakeTime:
    """Return a real time that stands still, git's included."""
    for role in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{role}_DATE", "2026-11-20T12:00:00Z")
    return FakeTime()


def take_in_one_instant(remote: Path, cache: Path, real: FakeTime) -> list[str]:
    """Let two equal runs see one free lock and go for it; return the locks that they pushed, the winner's first."""
    first, second = git_store(remote, cache), git_store(remote, cache)
    take(first, "same", real=real).release()
    swap, pushed = GitStore.swap, []

    def let_the_first_go_first(store: GitStore, before: Versions, lock: str, journal: JournalWrite | None) -> Versions:
        pushed.append(lock)
        if len(pushed) == 1:
            held.append(take(first, "same", real=real))
        return swap(store, before, lock, journal)

    held: list[Lease] = []
    with mock.patch.object(GitStore, "swap", let_the_first_go_first), pytest.raises(LockHeldError):
        take(second, "same", real=real)
    held[0].confirm()
    held[0].release()
    first.close()
    second.close()
    return pushed[1::-1]


def test_equal_runs_that_take_a_lock_in_one_instant_push_unequal_objects(
    remote: Path, tmp_path: Path, same_instant: FakeTime
) -> None:
    one, other = take_in_one_instant(remote, tmp_path / "cache", same_instant)
    assert one != other
    assert decode_lock(one) == replace(decode_lock(other), nonce=decode_lock(one).nonce)


def test_even_equal_objects_have_one_winner(
    remote: Path, tmp_path: Path, same_instant: FakeTime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The equal-object trap: git calls the second push up to date, and a success."""
    for module in ("lease", "lock"):
        monkeypatch.setattr(f"reconciler.execution.{module}.new_nonce", lambda: "the same")
    one, other = take_in_one_instant(remote, tmp_path / "cache", same_instant)
    assert one == other
    _, entries = journal(remote, tmp_path)
    assert [entry.epoch for entry in entries if isinstance(entry, EpochTaken)] == [1, 2]
