"""The refs on a remote: what git says is not believed blindly, and the user's repository is left alone."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.errors import ConfigurationError, JournalError
from reconciler.execution.gitrefs import AtomicPushMissingError, GitStore, Remote, resolve_remote
from reconciler.execution.porcelain import Move, judge, pushed_rows
from reconciler.execution.store import JournalWrite, StoreUnreachableError, SwapRejectedError, Versions
from tests.support.locks import bare_remote, git, git_store, ref

ABSENT = Versions(lock=None, journal=None)
JOURNAL = JournalWrite(state="{}\n", lines={"2026-11": "x\n"}, message="one")


@pytest.fixture
def remote(tmp_path: Path) -> Path:
    return bare_remote(tmp_path / "remote.git")


@pytest.fixture
def store(remote: Path, tmp_path: Path) -> Iterator[GitStore]:
    store = git_store(remote, tmp_path / "cache")
    yield store
    store.close()


def test_of_two_that_push_the_same_object_only_one_has_the_lock(
    store: GitStore, remote: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The equal-object trap: git tells the second one "up to date" and exits 0."""
    monkeypatch.setenv("GIT_AUTHOR_DATE", "2026-11-20T12:00:00Z")
    monkeypatch.setenv("GIT_COMMITTER_DATE", "2026-11-20T12:00:00Z")
    other = git_store(remote, tmp_path / "cache")
    assert store.read().versions == other.read().versions == ABSENT
    first = store.swap(ABSENT, "the same record\n", None)
    with pytest.raises(SwapRejectedError, match="up to date"):
        other.swap(ABSENT, "the same record\n", None)
    assert store.read().versions == first
    other.close()


def test_an_equal_object_over_the_one_that_was_expected_is_no_success_either(
    store: GitStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_AUTHOR_DATE", "2026-11-20T12:00:00Z")
    monkeypatch.setenv("GIT_COMMITTER_DATE", "2026-11-20T12:00:00Z")
    first = store.swap(ABSENT, "a record\n", None)
    with pytest.raises(SwapRejectedError):
        store.swap(first, "a record\n", None)


@pytest.mark.parametrize(
    ("flag", "summary", "before", "error"),
    [
        ("*", "[new reference]", None, None),
        (" ", "1111..2222", "1", None),
        ("+", "1111...2222 (forced update)", "1", None),
        ("=", "[up to date]", None, SwapRejectedError),
        ("=", "[up to date]", "1", SwapRejectedError),
        (" ", "1111..2222", None, SwapRejectedError),
        ("!", "[rejected] (stale info)", "1", SwapRejectedError),
        ("!", "[remote rejected] (failed to update ref)", None, SwapRejectedError),
        ("!", "[remote rejected] (pre-receive hook declined)", "1", SwapRejectedError),
        ("!", "[remote failure] (remote failed to report status)", "1", StoreUnreachableError),
    ],
)
def test_a_push_counts_when_each_ref_is_said_to_have_moved(
    flag: str, summary: str, before: str | None, error: type[Exception] | None
) -> None:
    rows = pushed_rows(f"To /somewhere\n{flag}\t2222:refs/x/lock/y\t{summary}\nDone\n")
    moves = [Move("refs/x/lock/y", before, "2222")]
    if error is None:
        judge(rows, moves, 0, "")
    else:
        with pytest.raises(error):
            judge(rows, moves, 0 if flag == "=" else 1, "said")


def test_a_push_that_says_nothing_of_a_ref_is_of_unknown_outcome() -> None:
    rows = pushed_rows("To /somewhere\n*\t2222:refs/x/lock/y\t[new reference]\n")
    moves = [Move("refs/x/lock/y", None, "2222"), Move("refs/x/journal/y", None, "3333")]
    with pytest.raises(StoreUnreachableError, match="hung up"):
        judge(rows, moves, 1, "the remote end hung up")


def test_a_remote_without_atomic_pushes_is_refused(store: GitStore, remote: Path) -> None:
    git(remote, "config", "receive.advertiseAtomic", "false")
    with pytest.raises(AtomicPushMissingError, match=r"lock\.remote"):
        store.swap(ABSENT, "a\n", JOURNAL)
    assert git(remote, "for-each-ref") == ""


def test_a_remote_that_declines_one_ref_has_moved_none(store: GitStore, remote: Path) -> None:
    hook = remote / "hooks" / "update"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text('#!/bin/sh\ncase "$1" in *journal*) exit 1;; esac\n')
    hook.chmod(0o755)
    with pytest.raises(SwapRejectedError):
        store.swap(ABSENT, "a\n", JOURNAL)
    assert git(remote, "for-each-ref") == ""


def test_a_remote_that_is_not_there_is_unreachable(tmp_path: Path) -> None:
    store = git_store(tmp_path / "nowhere.git", tmp_path / "cache")
    with pytest.raises(StoreUnreachableError, match=r"nowhere\.git"):
        store.read()
    store.close()


def test_a_remote_that_hangs_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sleeper = tmp_path / "ssh"
    sleeper.write_text("#!/bin/sh\nexec sleep 60\n")
    sleeper.chmod(0o755)
    monkeypatch.setenv("GIT_SSH_COMMAND", str(sleeper))
    store = git_store("ssh://localhost/remote.git", tmp_path / "cache", timeout_s=5)
    store._timeout_s = 0.3
    with pytest.raises(StoreUnreachableError, match="no answer"):
        store.read()
    store.close()


def test_readers_fetch_one_commit_and_writers_go_on_from_it(store: GitStore, remote: Path, tmp_path: Path) -> None:
    versions = ABSENT
    for number in range(4):
        write = JournalWrite(state=f"{number}\n", lines={"2026-11": f"{number}\n"}, message=str(number))
        versions = store.swap(versions, f"lock {number}\n", write)
    reader = git_store(f"file://{remote}", tmp_path / "elsewhere")
    assert reader.read().versions == versions
    (slot,) = (tmp_path / "elsewhere").glob("*/0.git")
    assert git(slot, "rev-list", "--count", "refs/seen/journal").strip() == "1"
    reader.swap(versions, "lock 4\n", JournalWrite(state="4\n", lines={"2026-12": "4\n"}, message="4"))
    assert git(remote, "rev-list", "--count", ref("journal")).strip() == "5"
    assert git(remote, "show", f"{ref('journal')}:2026-11.jsonl") == "0\n1\n2\n3\n"
    reader.close()


def test_nothing_of_the_users_settings_or_machine_gets_into_the_commits(
    remote: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / "hooks").mkdir()
    for hook in ("pre-push", "reference-transaction", "post-commit"):
        (home / "hooks" / hook).write_text("#!/bin/sh\nexit 1\n")
        (home / "hooks" / hook).chmod(0o755)
    (home / ".gitconfig").write_text(
        f"[commit]\n gpgsign = true\n[push]\n gpgSign = true\n[core]\n hooksPath = {home / 'hooks'}\n"
        "[user]\n name = Alice\n email = alice@example.com\n[push]\n followTags = true\n"
    )
    monkeypatch.setenv("HOME", str(home))
    for name in ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "elsewhere"))  # as within a git hook
    store = git_store(remote, tmp_path / "cache")
    store.swap(ABSENT, "a\n", JOURNAL)
    store.close()
    for name in ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"):
        monkeypatch.delenv(name)
    people = git(remote, "log", "--format=%an %ae %cn %ce", ref("journal"), ref("lock")).splitlines()
    assert set(people) == {"certrecon certrecon@localhost certrecon certrecon@localhost"}


def clone_of(remote: Path, folder: Path) -> Path:
    subprocess.run(["git", "clone", "--quiet", remote, folder], check=True, capture_output=True)
    return folder


def test_the_users_clone_is_asked_and_never_written(remote: Path, tmp_path: Path) -> None:
    clone = clone_of(remote, tmp_path / "clone")
    before = {path: path.stat().st_mtime_ns for path in clone.rglob("*")}
    found = resolve_remote(clone, "origin")
    store = GitStore(found, prefix="refs/certrecon", account="0a", cache=tmp_path / "cache")
    store.swap(store.read().versions, "a\n", JOURNAL)
    store.close()
    assert found.url == str(remote)
    assert {path: path.stat().st_mtime_ns for path in clone.rglob("*")} == before
    assert "refs/certrecon/lock/0a" in git(remote, "for-each-ref")


def test_a_remotes_push_address_and_login_come_from_the_users_git(remote: Path, tmp_path: Path) -> None:
    clone = clone_of(remote, tmp_path / "clone")
    git(clone, "remote", "set-url", "origin", "short:web.git")
    git(clone, "config", "url.https://git.example/.pushInsteadOf", "short:")
    git(clone, "config", "http.https://git.example/.extraheader", "AUTHORIZATION: basic c2VjcmV0")
    git(clone, "config", "commit.gpgsign", "true")
    found = resolve_remote(clone, "origin")
    assert found.url == "https://git.example/web.git"
    assert ("http.https://git.example/.extraheader", "AUTHORIZATION: basic c2VjcmV0") in found.access
    assert not any(key.startswith("commit.") for key, _ in found.access)
    assert "secret" not in repr(found)
    assert "c2VjcmV0" not in repr(found)


@pytest.mark.parametrize(
    ("named", "url"),
    [
        ("https://robot:secret@git.example/web.git", "https://robot:secret@git.example/web.git"),
        ("git@git.example:web.git", "git@git.example:web.git"),
        ("./locks.git", "{root}/locks.git"),
    ],
)
def test_a_remote_may_be_an_address_or_a_path_outside_any_repository(tmp_path: Path, named: str, url: str) -> None:
    root = tmp_path.resolve()
    assert resolve_remote(root, named).url == url.format(root=root)


def test_a_relative_path_of_a_clones_remote_starts_at_the_clone(remote: Path, tmp_path: Path) -> None:
    clone = clone_of(remote, tmp_path / "clone")
    git(clone, "remote", "set-url", "origin", "../remote.git")
    (clone / "deep").mkdir()
    assert resolve_remote(clone / "deep", "origin").url == str(remote.resolve())


def test_a_remote_that_nobody_knows_is_a_wrong_configuration(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"lock\.remote"):
        resolve_remote(tmp_path, "upstream")


@pytest.mark.parametrize(
    ("url", "local"),
    [
        ("/srv/locks.git", True),
        ("file:///srv/locks.git", True),
        ("https://localhost:8443/locks.git", True),
        ("https://git.example/locks.git", False),
        ("git@git.example:locks.git", False),
    ],
)
def test_what_is_on_this_machine(url: str, local: bool) -> None:
    assert Remote(url=url).is_local is local


def test_passwords_of_addresses_are_not_shown(tmp_path: Path) -> None:
    remote = Remote(url="https://robot:secret@127.0.0.1:1/web.git")
    store = GitStore(remote, prefix="refs/certrecon", account="0a", cache=tmp_path)
    with pytest.raises(JournalError) as caught:
        store.read()
    store.close()
    assert "secret" not in str(caught.value) + store.place


def test_runs_on_one_machine_do_not_share_a_repository_and_the_next_run_uses_it_again(
    remote: Path, tmp_path: Path
) -> None:
    cache = tmp_path / "slots"
    first, second = git_store(remote, cache), git_store(remote, cache)
    first.swap(ABSENT, "a\n", JOURNAL)
    first.close()
    (slot,) = cache.glob("*/0.git")
    (slot / "shallow.lock").touch()  # what a killed git leaves
    third = git_store(remote, cache)
    third.read()
    assert sorted(path.name for path in cache.glob("*/*.git")) == ["0.git", "1.git"]
    assert not (slot / "shallow.lock").exists()
    second.close()
    third.close()


def test_a_git_that_cannot_be_isolated_is_refused(
    remote: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("git.Git.version_info", (2, 30, 2))
    with pytest.raises(JournalError, match=r"git 2\.32 or later"):
        git_store(remote, tmp_path / "old")
