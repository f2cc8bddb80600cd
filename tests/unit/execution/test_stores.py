"""What every store promises; each test runs on a git remote, a folder, and memory."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from reconciler.execution.filestore import FileStore
from reconciler.execution.store import JournalWrite, MemoryStore, Store, SwapRejectedError, Versions
from tests.support.locks import bare_remote, git_store

ABSENT = Versions(lock=None, journal=None)
OpenStore = Callable[[], Store]


@pytest.fixture(params=["git", "file", "memory"])
def open_store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[OpenStore]:
    """Return a function that opens the same place once more."""
    memory = MemoryStore()
    remote = bare_remote(tmp_path / "remote.git")
    with ExitStack() as stack:

        def make() -> Store:
            store: Store
            match request.param:
                case "git":
                    store = git_store(remote, tmp_path / "cache")
                case "file":
                    store = FileStore(tmp_path / "state")
                case _:
                    store = memory
            stack.callback(store.close)
            return store

        yield make


def write(state: str, **lines: str) -> JournalWrite:
    return JournalWrite(state=state, lines={f"2026-{month[1:]}": text for month, text in lines.items()}, message="m")


def test_a_place_that_nobody_wrote_is_empty(open_store: OpenStore) -> None:
    store = open_store()
    assert store.read().versions == ABSENT
    assert store.months() == ()


def test_what_one_writes_another_reads(open_store: OpenStore) -> None:
    written = open_store().swap(ABSENT, "lock 1\n", write("state 1\n", m10="a\n", m11="b\n"))
    other = open_store()
    seen = other.read()
    assert seen.versions == written
    assert seen.lock is not None
    assert seen.journal is not None
    assert (seen.lock.text, seen.journal.text) == ("lock 1\n", "state 1\n")
    assert other.months() == ("2026-10", "2026-11")
    assert (other.month("2026-11"), other.month("2026-12")) == ("b\n", "")


def test_lines_go_to_the_end_of_their_month_and_others_stay(open_store: OpenStore) -> None:
    store = open_store()
    first = store.swap(ABSENT, "lock 1\n", write("state 1\n", m10="a\n", m11="b\n"))
    store.swap(first, "lock 2\n", write("state 2\n", m11="c\n"))
    other = open_store()
    other.read()
    assert (other.month("2026-10"), other.month("2026-11")) == ("a\n", "b\nc\n")


def test_the_lock_moves_alone_and_the_journal_never_does(open_store: OpenStore) -> None:
    store = open_store()
    first = store.swap(ABSENT, "lock 1\n", write("state 1\n"))
    second = store.swap(first, "lock 2\n", None)
    assert second.journal == first.journal
    assert second.lock != first.lock
    assert open_store().read().versions == second


@pytest.mark.parametrize("stale", ["lock", "journal", "both absent"])
def test_a_swap_from_what_is_no_longer_there_changes_nothing(open_store: OpenStore, stale: str) -> None:
    store, late = open_store(), open_store()
    first = store.swap(ABSENT, "lock 1\n", write("state 1\n"))
    late.read()
    second = store.swap(first, "lock 2\n", write("state 2\n"))
    late.read()
    expected = {
        "lock": Versions(lock=first.lock, journal=second.journal),
        "journal": Versions(lock=second.lock, journal=first.journal),
        "both absent": ABSENT,
    }[stale]
    with pytest.raises(SwapRejectedError):
        late.swap(expected, "lock 3\n", write("state 3\n"))
    assert open_store().read().versions == second


def test_a_journal_begun_anew_has_nothing_of_the_one_before(open_store: OpenStore) -> None:
    store = open_store()
    first = store.swap(ABSENT, "lock 1\n", write("state 1\n", m10="a\n"))
    anew = JournalWrite(state="state 2\n", lines={"2026-11": "b\n"}, message="m", anew=True)
    store.swap(first, "lock 2\n", anew)
    other = open_store()
    other.read()
    assert other.months() == ("2026-11",)


def test_a_folder_knows_at_once_that_a_holder_has_ended(tmp_path: Path) -> None:
    holder, other = FileStore(tmp_path), FileStore(tmp_path)
    assert holder.hold(3)
    assert not other.hold(3)
    assert other.holder_gone(3) is False
    holder.close()
    assert other.holder_gone(3) is True
    assert other.hold(4)
    other.close()


def test_a_folder_written_half_is_as_before(tmp_path: Path) -> None:
    """Killed between the journal's file and the lock's: the journal is ahead of the lock, and nothing is torn."""
    store = FileStore(tmp_path)
    store.swap(ABSENT, "lock 1\n", write("state 1\n"))
    (tmp_path / "open.json.new").write_text("sta")
    seen = store.read()
    assert seen.journal is not None
    assert seen.journal.text == "state 1\n"
