"""Approved plan files, from the artifacts of the pull requests that were merged."""

import io
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.app.approved import Approved, artifact_name, fetch_approved
from reconciler.desired.commits import commits_since
from reconciler.errors import ServiceError, UnexpectedAnswerError, UsageError
from reconciler.model.forge import MergedRequest
from reconciler.services.forge.connect import connect, forge_access
from reconciler.services.forge.github import GitHub
from tests.support.forge import Fault, ForgeStandIn, Kept, Pull, serving
from tests.support.locks import git
from tests.support.scripted import HandClock

HEAD, OTHER = "a" * 40, "b" * 40
MERGED = "1" * 40
WHO = ("-c", "user.name=Ada", "-c", "user.email=ada@example.com")


@pytest.fixture
def forge() -> Iterator[ForgeStandIn]:
    """Return a forge where pull request 3 was merged by the commit MERGED."""
    with serving() as stand_in:
        stand_in.pulls[3] = Pull(head=HEAD, merged=True)
        stand_in.brought[MERGED] = 3
        yield stand_in


def kept(content: bytes = b"{}", *, head: str = HEAD, fork: bool = False, expired: bool = False) -> Kept:
    name = artifact_name("web", HEAD)
    return Kept(name=name, head=head, files={"plan.json": content}, fork=fork, expired=expired)


def fetched(forge: ForgeStandIn, folder: Path, *commits: str) -> Approved:
    client = connect(forge_access(forge.github), HandClock())
    assert isinstance(client, GitHub)
    try:
        return fetch_approved(client, commits or (MERGED,), branch="main", project="web", to=folder)
    finally:
        client.close()


def test_the_newest_plan_of_the_head_is_fetched(forge: ForgeStandIn, tmp_path: Path) -> None:
    forge.artifacts += [kept(b"old"), kept(b"new")]
    (file,) = fetched(forge, tmp_path).files
    assert file == tmp_path / f"3-{HEAD}.json"
    assert file.read_bytes() == b"new"


def test_commits_of_one_pull_request_bring_its_plan_once(forge: ForgeStandIn, tmp_path: Path) -> None:
    forge.artifacts.append(kept())
    forge.brought["2" * 40] = 3  # merged by rebase
    assert len(fetched(forge, tmp_path, MERGED, "2" * 40, "3" * 40).files) == 1


@pytest.mark.parametrize(
    "other", [kept(fork=True), kept(head=OTHER), kept(expired=True)], ids=["fork", "other head", "expired"]
)
def test_what_is_not_the_plan_that_was_reviewed_is_missing(forge: ForgeStandIn, tmp_path: Path, other: Kept) -> None:
    forge.artifacts.append(other)
    assert fetched(forge, tmp_path) == Approved(files=(), missing=(MergedRequest(number=3, head=HEAD),))


def test_only_what_was_merged_into_the_branch_counts(forge: ForgeStandIn, tmp_path: Path) -> None:
    forge.artifacts.append(kept())
    forge.pulls[3].base = "stable"
    assert fetched(forge, tmp_path) == Approved(files=(), missing=())
    forge.pulls[3] = Pull(head=HEAD, merged=False)
    assert fetched(forge, tmp_path) == Approved(files=(), missing=())


@pytest.mark.parametrize("match", ["/commits/", "/actions/artifacts$", "/zip$"])
def test_what_cannot_be_asked_is_an_error_and_not_nothing(forge: ForgeStandIn, tmp_path: Path, match: str) -> None:
    forge.artifacts.append(kept())
    forge.faults.append(Fault(match=match, status=500, times=999))
    with pytest.raises(ServiceError):
        fetched(forge, tmp_path)


def test_an_archive_without_a_plan_is_an_error(forge: ForgeStandIn, tmp_path: Path) -> None:
    forge.artifacts.append(Kept(name=artifact_name("web", HEAD), head=HEAD, files={"../plan.json": b"{}"}))
    with pytest.raises(UnexpectedAnswerError, match=r"holds no plan\.json"):
        fetched(forge, tmp_path)
    assert not (tmp_path.parent / "plan.json").exists()


def test_an_archive_that_is_none_is_an_error(
    forge: ForgeStandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    forge.artifacts.append(kept())
    monkeypatch.setattr(Kept, "archive", lambda _: b"no archive")
    with pytest.raises(UnexpectedAnswerError):
        fetched(forge, tmp_path)


def test_the_stand_in_packs_what_a_runner_packs() -> None:
    with zipfile.ZipFile(io.BytesIO(kept(b"x").archive())) as archive:
        assert archive.namelist() == ["plan.json"]


# Which commits


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    folder = tmp_path / "clone"
    folder.mkdir()
    git(folder, "init", "--quiet", "--initial-branch=main")
    for subject in ("one", "two"):
        commit(folder, subject)
    return folder


def commit(folder: Path, subject: str) -> str:
    git(folder, *WHO, "commit", "--quiet", "--allow-empty", "-m", subject)
    return git(folder, "rev-parse", "HEAD").strip()


def test_commits_since_the_applied_one_oldest_first(clone: Path) -> None:
    applied = git(clone, "rev-parse", "HEAD").strip()
    three, four = commit(clone, "three"), commit(clone, "four")
    assert commits_since(clone, [applied]) == (three, four)
    assert commits_since(clone, [four]) == ()


def test_the_account_that_is_behind_counts(clone: Path) -> None:
    behind = git(clone, "rev-parse", "HEAD").strip()
    three, four = commit(clone, "three"), commit(clone, "four")
    assert commits_since(clone, [three, behind]) == (three, four)


@pytest.mark.parametrize("applied", [None, "f" * 40])
def test_where_nobody_knows_all_commits_count(clone: Path, applied: str | None) -> None:
    assert len(commits_since(clone, [applied])) == 2


def test_of_a_merge_only_the_branch_s_own_line_counts(clone: Path) -> None:
    applied = git(clone, "rev-parse", "HEAD").strip()
    git(clone, "switch", "--quiet", "--create", "topic")
    commit(clone, "topic")
    git(clone, "switch", "--quiet", "main")
    git(clone, *WHO, "merge", "--quiet", "--no-ff", "-m", "merge", "topic")
    assert commits_since(clone, [applied]) == (git(clone, "rev-parse", "HEAD").strip(),)


def test_a_shallow_clone_cannot_tell(clone: Path, tmp_path: Path) -> None:
    shallow = tmp_path / "shallow"
    git(tmp_path, "clone", "--quiet", "--depth=1", clone.as_uri(), str(shallow))
    with pytest.raises(UsageError, match="fetch-depth: 0"):
        commits_since(shallow, [None])
