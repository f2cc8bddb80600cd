"""The directory: one owner, whole snapshots, and clear words about what can't be read."""

import stat
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from reconciler.sandbox.store import DirectoryLock, Store, StoreError, write_private


@dataclass(kw_only=True)
class World:
    name: str
    orders: dict[int, str] = field(default_factory=dict)


def test_what_was_saved_is_loaded(tmp_path: Path) -> None:
    store = Store(tmp_path, World)
    store.save(World(name="acme", orders={7: "Issued"}))
    assert Store(tmp_path, World).load() == World(name="acme", orders={7: "Issued"})


def test_nothing_saved_is_none(tmp_path: Path) -> None:
    assert Store(tmp_path, World).load() is None


def test_snapshots_are_private_and_leave_no_other_file(tmp_path: Path) -> None:
    Store(tmp_path, World).save(World(name="acme"))
    assert [path.name for path in tmp_path.iterdir()] == ["state.msgpack"]
    assert stat.S_IMODE((tmp_path / "state.msgpack").stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "not a snapshot"),
        (b"{}", "not a snapshot"),
        (b"certrecon-sandbox-state 2\n\x80", "another version"),
        (b"certrecon-sandbox-state 1\n", "damaged"),
        (b"certrecon-sandbox-state 1\n\x81\xa4name", "damaged"),
        (b"certrecon-sandbox-state 1\n\x81\xa4name\x07", "damaged"),
    ],
)
def test_an_unreadable_snapshot_is_refused_with_a_remedy(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "state.msgpack").write_bytes(content)
    with pytest.raises(StoreError, match=message) as caught:
        Store(tmp_path, World).load()
    assert "to start a fresh world" in str(caught.value)


def test_a_truncated_snapshot_is_refused(tmp_path: Path) -> None:
    store = Store(tmp_path, World)
    store.save(World(name="acme", orders={7: "Issued"}))
    store.path.write_bytes(store.path.read_bytes()[:-3])
    with pytest.raises(StoreError, match="damaged"):
        store.load()


def test_a_directory_has_one_owner(tmp_path: Path) -> None:
    refused = pytest.raises(StoreError, match=r"runs here already \(process \d+\)")
    with DirectoryLock(tmp_path), refused, DirectoryLock(tmp_path):
        pass
    with DirectoryLock(tmp_path):
        pass


def test_write_private_replaces_a_readable_file(tmp_path: Path) -> None:
    path = tmp_path / "edgerc"
    path.write_text("old")
    path.chmod(0o644)
    write_private(path, b"new")
    assert path.read_bytes() == b"new"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
