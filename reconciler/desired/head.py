"""What the working tree stands on: the commit that a run carries out, and whether the files differ from it."""

from dataclasses import dataclass
from pathlib import Path

from reconciler.desired.worktree import FOLDER

_CONFIGURATION = "certrecon.yaml"


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """The commit at HEAD, and the project's files that differ from it."""

    commit: str
    differing: tuple[str, ...]  # paths below the repository's root


def head(root: Path) -> Head | None:
    """Return what a project's tree stands on; None where there is no repository, no commit, or no git."""
    try:
        import git
    except ImportError:  # GitPython refuses to be imported where there is no git
        return None
    try:
        with git.Repo(root, search_parent_directories=True) as repository:
            if not repository.head.is_valid():
                return None
            shown = repository.git.status(
                "--porcelain", "--untracked-files=all", "-z", "--", str(root / _CONFIGURATION), str(root / FOLDER)
            )
            differing = tuple(sorted(entry[3:] for entry in shown.split("\0") if entry))
            return Head(commit=repository.head.commit.hexsha, differing=differing)
    except git.InvalidGitRepositoryError:
        return None
