"""The certificate files of a working tree: tracked, and untracked but not ignored. Without git, all there are."""

import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from reconciler.errors import ConfigurationError, Location, Problem

FOLDER = "certificates"
DEFAULTS = "_defaults.yaml"

_LIST = ("git", "ls-files", "--cached", "--others", "--exclude-standard", "-z", "--", FOLDER)


@dataclass(frozen=True, slots=True, kw_only=True)
class Files:
    """The files by their paths below the project's folder, with slashes; both in the order of their paths."""

    certificates: tuple[PurePosixPath, ...]
    defaults: tuple[PurePosixPath, ...]
    problems: tuple[Problem, ...]


def files(root: Path, *, git: bool = True) -> Files:
    """Return the certificate files of a project, and what lies among them that would be overlooked silently.

    Without `git` all that lies there counts, whatever repository is around it.
    """
    certificates, defaults, problems = [], [], []
    for path in sorted(_paths(root) if git else _walked_paths(root)):
        problem = _problem(root, path)
        if problem is not None:
            problems.append(problem)
        elif path.name == DEFAULTS:
            defaults.append(path)
        elif path.suffix == ".yaml":
            certificates.append(path)
    return Files(certificates=tuple(certificates), defaults=tuple(defaults), problems=tuple(problems))


def _problem(root: Path, path: PurePosixPath) -> Problem | None:
    file = root / path
    if file.is_symlink():
        return _refused(path, "Links are not followed.", "Put the file itself here.")
    if file.is_dir():  # git lists a folder only where another repository begins
        return _refused(path, "Another git repository lies here.", "Move its files here, or take it out.")
    if path.name != DEFAULTS and any(part.startswith("_") for part in path.relative_to(FOLDER).parts):
        return _refused(path, f'Only "{DEFAULTS}" may begin with an underscore.', "Rename it, or move it away.")
    if path.suffix != ".yaml" and path.suffix.lower() in (".yml", ".yaml"):
        return _refused(path, f'The suffix "{path.suffix}" is not read.', f"Rename it to {path.stem}.yaml.")
    return None


def _refused(path: PurePosixPath, text: str, remedy: str) -> Problem:
    return Problem(location=Location(str(path), 1, 1), text=text, remedy=remedy)


def _paths(root: Path) -> Iterator[PurePosixPath]:
    listed = _git_paths(root)
    return _walked_paths(root) if listed is None else listed


def _git_paths(root: Path) -> Iterator[PurePosixPath] | None:
    """Return what git lists; None where there is no repository, or no git to ask.

    Raises:
        ConfigurationError: git refuses to list them.
    """
    if not any((folder / ".git").exists() for folder in (root, *root.parents)):
        return None
    try:
        # Without GitPython, which takes longer to import than all else that `validate` does.
        listing = subprocess.run(_LIST, cwd=root, stdin=subprocess.DEVNULL, capture_output=True, check=False)  # noqa: S603 - of ours
    except FileNotFoundError:
        return None
    if listing.returncode != 0:  # to take all files instead would take ignored ones too
        problem = Problem(
            location=Location(str(root)),
            text=f"git could not list the files of this repository: {' '.join(os.fsdecode(listing.stderr).split())}",
            remedy="Run 'git status' there, and do what it says.",
        )
        raise ConfigurationError([problem])
    found = (PurePosixPath(os.fsdecode(name)) for name in dict.fromkeys(listing.stdout.split(b"\0")) if name)
    return (path for path in found if os.path.lexists(root / path))


def _walked_paths(root: Path) -> Iterator[PurePosixPath]:
    if (root / FOLDER).is_symlink():  # as git lists it
        yield PurePosixPath(FOLDER)
        return
    for folder, folders, names in os.walk(root / FOLDER):
        links = [name for name in folders if Path(folder, name).is_symlink()]
        for name in (*names, *links):
            yield PurePosixPath(Path(folder, name).relative_to(root).as_posix())
