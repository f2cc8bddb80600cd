"""A project as a commit has it: what `--rev` reads, and what `--base` compares with. The clone itself is not touched.

The files are written into a folder of their own as the commit holds them. `git archive` and `git worktree` would be
shorter; but the one leaves out what .gitattributes calls `export-ignore`, and a certificate that is left out looks
released, and the other writes into the user's clone.
"""

import io
import os
import posixpath
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from reconciler.desired.fields import Fields
from reconciler.desired.project import FILE
from reconciler.desired.verdicts import document_problems
from reconciler.desired.worktree import FOLDER
from reconciler.desired.yamlfile import read
from reconciler.errors import ConfigurationError, DesiredStateError, Location, Problem, RevisionError

if TYPE_CHECKING:
    from git import Repo

FULL_CLONE = "Fetch the whole history; for actions/checkout that is fetch-depth: 0."
_LINK = "120000"  # git's mode of a symbolic link


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """A commit's files, for as long as they lie there."""

    commit: str
    folder: Path  # with the project's files as they were
    root: Path  # the same folder in the working tree, or the tree's top where it is gone


def commit_of(directory: Path, reference: str) -> str:
    """Return the commit that a branch, tag or id names.

    Raises:
        RevisionError: it is not in this clone, or there is no clone.
    """
    with _repository(directory) as repository:
        return _commit(repository, reference)


def merge_base(directory: Path, reference: str, head: str) -> str:
    """Return the commit that `head` left the history of `reference` at.

    Raises:
        RevisionError: one of the two is not in this clone, or they have nothing in common, as far as it goes.
    """
    with _repository(directory) as repository:
        base, tip = _commit(repository, reference), _commit(repository, head)
        found = _asked(repository, "merge-base", base, tip)
    if not found:
        raise RevisionError(f'"{reference}" and "{head}" have no commit in common in this clone. {FULL_CLONE}')
    return found.split()[0]


@contextmanager
def checked_out(directory: Path, commit: str) -> Iterator[Revision]:
    """Write the project of `directory` as `commit` has it into a folder, which is removed at the end.

    Raises:
        ConfigurationError: there was no project then.
        RevisionError: the commit cannot be read.
    """
    with _repository(directory) as repository, tempfile.TemporaryDirectory(prefix="certrecon-") as written:
        top, target = Path(repository.working_dir).resolve(), Path(written).resolve()
        below = _project_folder(repository, top, directory, commit)
        _write(repository, commit, [below / FILE, below / FOLDER], target)
        _write(repository, commit, list(_named_files(target / below, below)), target)
        root = top / below
        yield Revision(commit=commit, folder=target / below, root=root if root.is_dir() else top)


@contextmanager
def _repository(directory: Path) -> "Iterator[Repo]":
    try:
        import git
    except ImportError as error:  # GitPython refuses to be imported where there is no git
        raise RevisionError("There is no git here, which reads commits. Install git.") from error
    try:
        repository = git.Repo(directory, search_parent_directories=True)
    except (git.InvalidGitRepositoryError, git.NoSuchPathError) as error:
        raise RevisionError(f"{directory} lies in no git repository, so it has no commits.") from error
    with repository:
        yield repository


def _commit(repository: "Repo", reference: str) -> str:
    found = _asked(repository, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{reference}^{{commit}}")
    if not found:
        raise RevisionError(f'"{reference}" is no commit in this clone. Correct it, or: {FULL_CLONE}')
    return found.strip()


def _asked(repository: "Repo", *words: str) -> str:
    """Return what git says; nothing where it finds nothing, or fails."""
    status, said, _ = repository.git.execute(["git", *words], with_extended_output=True, with_exceptions=False)
    return str(said) if status == 0 else ""


def _project_folder(repository: "Repo", top: Path, directory: Path, commit: str) -> PurePosixPath:
    """Return the folder of certrecon.yaml, nearest upwards from `directory`, as the commit has it."""
    start = PurePosixPath(directory.resolve().relative_to(top).as_posix())
    for folder in (start, *start.parents):
        if _listed(repository, commit, [folder / FILE]):
            return folder
    problem = Problem(
        location=Location(str(directory / FILE)),
        text=f"There is no {FILE} here, nor above it, in {commit[:12]}.",
        remedy="Name a commit that has one.",
    )
    raise ConfigurationError([problem])


def _named_files(folder: Path, below: PurePosixPath) -> Iterator[PurePosixPath]:
    """Yield the files that the configuration names: lists of serials, private roots. One that is wrong names none."""
    try:
        document = read(folder / FILE, FILE)
    except DesiredStateError:
        return
    if document_problems(document, "configuration"):
        return
    fields = Fields(document.data)
    lists = [one.section("select").text("serialsFile") for one in fields.section("policy").sections("replace")]
    instances = fields.section("sectigo").named_sections()
    roots = [entry for _, one in instances for entry in one.texts("privateRoots") or ()]
    for path in (posixpath.normpath(below / name) for name in (*lists, *roots) if name):
        if path.partition("/")[0] not in ("", ".."):  # nothing outside of the repository is in the commit
            yield PurePosixPath(path)


def _listed(repository: "Repo", commit: str, paths: list[PurePosixPath]) -> Mapping[str, tuple[str, str]]:
    """Return mode and id of each file of a commit below `paths`; submodules are none."""
    asked = ["git", "ls-tree", "-r", "-z", "--full-tree", commit, "--", *map(str, paths)]
    status, said, _ = repository.git.execute(asked, with_extended_output=True, with_exceptions=False)
    if status != 0:  # to take it for empty would release every certificate
        raise RevisionError(f"The files of commit {commit[:12]} are not all in this clone. {FULL_CLONE}")
    found = {}
    for entry in str(said).split("\0"):
        about, tab, path = entry.partition("\t")
        if tab and about.split()[1] == "blob":
            mode, _, ident = about.split()
            found[path] = (mode, ident)
    return found


def _write(repository: "Repo", commit: str, paths: list[PurePosixPath], target: Path) -> None:
    listed = _listed(repository, commit, paths) if paths else {}
    contents = _contents(repository, commit, list(dict.fromkeys(ident for _, ident in listed.values())))
    for folder in {(target / path).parent for path in listed}:
        folder.mkdir(parents=True, exist_ok=True)
    for path, (mode, ident) in listed.items():
        if mode == _LINK:
            (target / path).symlink_to(os.fsdecode(contents[ident]))
        else:
            (target / path).write_bytes(contents[ident])


def _contents(repository: "Repo", commit: str, idents: Sequence[str]) -> Mapping[str, bytes]:
    """Return the content of each blob, all by one call of git.

    Raises:
        RevisionError: one is not in this clone.
    """
    with tempfile.TemporaryFile() as asked:
        asked.write("".join(f"{ident}\n" for ident in idents).encode())
        asked.seek(0)
        said = io.BytesIO(
            repository.git.execute(
                ["git", "cat-file", "--batch"],
                istream=asked,
                stdout_as_string=False,
                strip_newline_in_stdout=False,
                with_exceptions=False,
            )
        )
    found = {}
    for ident in idents:
        about = said.readline().split()  # "<id> blob <size>", or "<id> missing"
        if len(about) != 3:
            raise RevisionError(f"The files of commit {commit[:12]} are not all in this clone. {FULL_CLONE}")
        found[ident] = said.read(int(about[2]))
        said.read(1)  # the end of its line
    return found
