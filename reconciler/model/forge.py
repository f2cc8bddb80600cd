"""What stands around a change of files on GitHub or GitLab: the request to merge it, comments, saved plans."""

from dataclasses import dataclass
from pathlib import Path

from reconciler.model.access import Secret

MOST_OF_SUMMARY = 900 * 1024  # bytes that a step adds to its job's page; GitHub drops a summary of more than 1 MiB
MOST_CHARACTERS = 65_536  # of a comment on GitHub, which refuses a longer one whole; GitLab takes a million


@dataclass(frozen=True, slots=True, kw_only=True)
class ForgeAccess:
    """Where a repository lives, and who speaks there."""

    kind: str  # "github" or "gitlab"
    api_url: str
    repository: str  # GitHub: owner/name; GitLab: the project's number
    token: Secret
    author: str = ""  # GitHub: whose comments are ours; its job token cannot ask who it is. GitLab is asked
    ca_file: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Comment:
    """A comment that we have written."""

    id: int
    body: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MergedRequest:
    """A pull request that was merged, and the last commit of its branch: what its reviewers saw a plan of."""

    number: int
    head: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Artifact:
    """A file that a workflow run kept."""

    id: int
    name: str
    head: str  # the commit that the run was of
    own: bool  # made by a run of this very repository, and of no fork
    created_at: str  # ISO 8601: texts of it sort
