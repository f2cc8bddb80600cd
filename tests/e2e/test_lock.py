"""`certrecon lock`: what people see of lock and journal, and what they can do about them."""

from pathlib import Path

import pytest

from reconciler.errors import ExitCode, LockLostError
from reconciler.execution.durable import history
from reconciler.execution.lease import Lease
from reconciler.model.journal_entries import JournalMade
from reconciler.sandbox.server import BackgroundSandbox
from tests.support.control import Control
from tests.support.locks import NOW, bare_remote, git, git_store, locker, ref, take
from tests.support.program import Program, small_repository


@pytest.fixture
def remote(tmp_path: Path) -> Path:
    return bare_remote(tmp_path / "remote.git")


@pytest.fixture
def offline(remote: Path, tmp_path: Path) -> Program:
    """Return certrecon in a repository whose remote is on disk, without any service."""
    return on_remote(remote, tmp_path, {})


def on_remote(remote: Path, folder: Path, environment: dict[str, str]) -> Program:
    repository = small_repository(folder / "project", "www.example.com")
    configuration = repository / "certrecon.yaml"
    configuration.write_text(
        configuration.read_text().replace("{backend: file, ttl: 2s}", "{backend: git, remote: origin}")
    )
    git(repository, "init", "--quiet")
    git(repository, "remote", "add", "origin", str(remote))
    named = {name: value for name, value in environment.items() if name != "CERTRECON_SANDBOX_WORLD"}
    return Program(repository=repository, environment={**named, "CERTRECON_CACHE_DIR": str(folder / "user-cache")})


def held(remote: Path, folder: Path) -> Lease:
    return take(git_store(remote, folder / "cache"))


def released(remote: Path, folder: Path) -> None:
    store = git_store(remote, folder / "cache")
    take(store).release()
    store.close()


def test_show_before_the_first_run(offline: Program) -> None:
    shown = offline.run("lock", "show")
    assert shown.exit_code == 0, shown.stderr
    assert "account main is free" in shown.stdout
    assert "none yet" in shown.stdout


def test_show_says_who_has_the_lock_and_takes_nothing(offline: Program, remote: Path, tmp_path: Path) -> None:
    lease = held(remote, tmp_path)
    before = git(remote, "for-each-ref", ref("journal"))
    shown = offline.run("lock", "show")
    assert shown.exit_code == 0
    for word in ("alice@build7", "https://ci.example/alice@build7", "lock break", "1 appends", str(remote)):
        assert word in shown.stdout
    data = offline.run("lock", "show", "--format", "json").json
    (account,) = data["accounts"]
    assert data["format_version"] == "1.0"
    assert (account["held"], account["lock"]["owner"], account["lock"]["epoch"]) == (True, "alice@build7", 1)
    assert account["journal"]["id"] == lease.journal_id
    assert git(remote, "for-each-ref", ref("journal")) == before
    lease.confirm()
    lease.release()
    lease.store.close()


def test_break_frees_the_lock_of_a_run_which_then_writes_nothing_more(
    offline: Program, remote: Path, tmp_path: Path
) -> None:
    lease = held(remote, tmp_path)
    broken = offline.run("lock", "break", "--yes")
    assert broken.exit_code == 0, broken.stderr
    assert "alice@build7" in broken.stderr
    assert "broken" in offline.run("lock", "show").stdout
    with pytest.raises(LockLostError, match="a person broke it"):
        lease.append([JournalMade(at=NOW)])
    lease.release()
    with take(lease.store, "bob@build8") as other:
        assert other.epoch == 2
    lease.store.close()


def test_break_asks_and_a_no_changes_nothing(
    offline: Program, remote: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lease = held(remote, tmp_path)
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("typer.confirm", lambda *_, **__: False)
    assert offline.run("lock", "break").exit_code == 1
    lease.append([JournalMade(at=NOW)])
    lease.release()
    lease.store.close()


def test_break_without_a_terminal_needs_yes(offline: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin.isatty", lambda: False, raising=False)
    finished = offline.run("lock", "break")
    assert finished.exit_code == 64
    assert "--yes" in finished.stderr


def test_break_of_a_free_lock_says_so(offline: Program) -> None:
    finished = offline.run("lock", "break", "--yes")
    assert (finished.exit_code, "not locked" in finished.stderr) == (0, True)


def test_an_account_that_is_not_there_is_wrong_usage(offline: Program) -> None:
    finished = offline.run("lock", "show", "--account", "other")
    assert finished.exit_code == 64
    assert "main" in finished.stderr


def test_a_remote_that_is_gone_is_one_clear_message(offline: Program, remote: Path) -> None:
    remote.rename(remote.with_suffix(".away"))
    finished = offline.run("lock", "show")
    assert finished.exit_code == 1
    assert str(remote) in finished.stderr


@pytest.fixture
def online(sandbox: BackgroundSandbox, remote: Path, tmp_path: Path) -> Program:
    return on_remote(remote, tmp_path, sandbox.environment)


def test_repair_leaves_alone_what_is_in_order(online: Program, remote: Path, tmp_path: Path) -> None:
    released(remote, tmp_path)
    before = git(remote, "for-each-ref")
    finished = online.run("lock", "repair")
    assert (finished.exit_code, "in order" in finished.stderr) == (0, True), finished.stderr
    assert git(remote, "for-each-ref") == before


def test_repair_rebuilds_a_journal_that_is_gone_from_the_tags_of_orders(
    online: Program, control: Control, remote: Path, tmp_path: Path
) -> None:
    assert online.apply().exit_code == 0
    released(remote, tmp_path)
    git(remote, "update-ref", "-d", ref("journal"))
    assert "lock repair" in online.run("lock", "show").stdout
    control.delete("/calls")
    finished = online.run("lock", "repair")
    assert finished.exit_code == 0, finished.stderr
    assert "1 enrollments" in finished.stderr
    assert "lost: Intents that were open" in finished.stderr
    assert control.get("/calls")["mutating_total"] == 0
    (account,) = online.run("lock", "show", "--format", "json").json["accounts"]
    assert (account["problem"], account["held"]) == (None, False)
    store = git_store(remote, tmp_path / "cache")
    with locker(store).take(at=NOW) as lease:
        (order,) = lease.state.orders.values()
        assert order.ssl_id == control.get("/state")["orders"][0]["ssl_id"]
        assert lease.state.installation
        assert any(isinstance(entry, JournalMade) and entry.lost for entry in history(store))
    store.close()


def test_repair_does_not_touch_a_lock_that_is_held(online: Program, remote: Path, tmp_path: Path) -> None:
    lease = held(remote, tmp_path)
    finished = online.run("lock", "repair")
    assert finished.exit_code == ExitCode.LOCKED
    assert "alice@build7" in finished.stderr
    lease.confirm()
    lease.release()
    lease.store.close()


def test_repair_takes_what_is_left_of_a_journal_that_was_set_back(
    online: Program, remote: Path, tmp_path: Path
) -> None:
    store = git_store(remote, tmp_path / "cache")
    with take(store) as lease:
        known, end = lease.journal_id, git(remote, "rev-parse", ref("journal")).strip()
        lease.append([JournalMade(at=NOW)])
    git(remote, "update-ref", ref("journal"), end)
    assert online.run("lock", "show").exit_code == 1
    assert online.run("lock", "repair").exit_code == 0
    with locker(store).take(at=NOW) as lease:
        assert lease.journal_id == known
        assert lease.sequence > 2
    store.close()


def test_repair_begins_anew_where_the_journal_is_of_another_repository(
    online: Program, remote: Path, tmp_path: Path
) -> None:
    released(remote, tmp_path)
    other = bare_remote(tmp_path / "other.git")
    released(other, tmp_path)
    git(remote, "fetch", "--quiet", str(other), f"+{ref('journal')}:{ref('journal')}")
    foreign = git(remote, "rev-parse", ref("journal")).strip()
    assert online.run("lock", "repair").exit_code == 0
    assert git(remote, "rev-list", ref("journal")).split() != [foreign]
    assert len(git(remote, "rev-list", ref("journal")).split()) == 1
    assert online.run("lock", "show").exit_code == 0


def test_repair_needs_complete_readings(online: Program, control: Control, remote: Path) -> None:
    for operation in ("scm.report", "scm.list_orders"):
        control.post("/faults", {"operation": operation, "times": 0, "kind": "status", "status": 500})
    finished = online.run("lock", "repair")
    assert finished.exit_code == 1
    assert git(remote, "for-each-ref") == ""
