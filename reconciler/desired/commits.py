"""Which commits came to a branch since some others, read from the clone."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.errors import UsageError

if TYPE_CHECKING:
    from git import Repo

MOST = 200  # pull requests between two applies; also how far back to look where no apply has finished yet


def commits_since(root: Path, applied: Sequence[str | None]) -> tuple[str, ...]:
    """Return the commits of HEAD's own line, oldest first, that one of `applied` does not have yet.

    None, and a commit that is not in the clone's history any more, stand for "nobody knows": the last 200 then.

    Raises:
        UsageError: this is no clone, or a shallow one, whose history ends too early to tell.
    """
    try:
        import git
    except ImportError as error:  # GitPython refuses to be imported where there is no git
        raise UsageError("There is no git here, which tells what was merged. Install git.") from error
    try:
        with git.Repo(root, search_parent_directories=True) as repository:
            if repository.git.rev_parse("--is-shallow-repository") == "true":
                raise UsageError("This clone is shallow: what was merged cannot be told. Set fetch-depth: 0.")
            ranges = [_range(repository, commit) for commit in applied or [None]]
            # The oldest line holds the others: all start from HEAD and follow first parents.
            return max(ranges, key=len)
    except git.InvalidGitRepositoryError as error:
        raise UsageError("This is no git repository, so nothing was merged into it.") from error


def _range(repository: "Repo", applied: str | None) -> tuple[str, ...]:
    wanted = ["--first-parent", f"--max-count={MOST}", "HEAD"]
    if applied is not None and _has(repository, applied):
        wanted.append(f"^{applied}")
    return tuple(reversed(repository.git.rev_list(*wanted).split()))


def _has(repository: "Repo", commit: str) -> bool:
    asked = ("merge-base", "--is-ancestor", commit, "HEAD")
    status, _, _ = repository.git.execute(["git", *asked], with_extended_output=True, with_exceptions=False)
    return status == 0
