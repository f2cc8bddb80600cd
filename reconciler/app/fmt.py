"""Fmt: every file of a project as it should be written, and which of them are not."""

from collections.abc import Iterator
from dataclasses import dataclass
from os.path import relpath
from pathlib import Path, PurePosixPath

from reconciler.desired import worktree
from reconciler.desired.project import FILE, find_project
from reconciler.desired.schema import SUFFIX, schema_names, schema_text
from reconciler.desired.write import Written, formatted, replace_file
from reconciler.desired.yamlfile import content
from reconciler.errors import DesiredStateError, ExitCode, Location, Problem

SCHEMAS = "schemas"


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """One file that is written otherwise than it should be."""

    path: str  # below the project's folder
    before: bytes
    after: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Formatting:
    """What was found in all files; `written` tells whether the changes were made."""

    root: Path
    files: int
    changed: tuple[Changed, ...]
    problems: tuple[Problem, ...]
    written: bool

    @property
    def exit_code(self) -> ExitCode:
        wrong = self.problems or (self.changed and not self.written)
        return ExitCode.ERROR if wrong else ExitCode.DONE


def fmt(directory: Path, *, check: bool, upgrade: bool) -> Formatting:
    """Judge all files of the project that `directory` lies in; unless `check`, write those that need it.

    `upgrade` also brings the project's copies of the schemas to those of this version.

    Raises:
        ConfigurationError: there is no project.
        DesiredStateError: a file cannot be written.
    """
    root = find_project(directory).parent
    listed = worktree.files(root)
    problems = list(listed.problems)
    paths: list[tuple[PurePosixPath, Written]] = [(PurePosixPath(FILE), "configuration")]
    paths += [(path, "defaults") for path in listed.defaults]
    paths += [(path, "certificate") for path in listed.certificates]
    changed = list(_schemas(root)) if upgrade else []
    for path, kind in paths:
        try:
            changed += _changes(root, path, kind)
        except DesiredStateError as error:
            problems += error.problems
    if not check:
        for one in changed:
            replace_file(root / one.path, one.after)
    return Formatting(
        root=root,
        files=len(paths),
        changed=tuple(changed),
        problems=tuple(sorted(problems, key=lambda problem: problem.location)),
        written=not check,
    )


def _changes(root: Path, path: PurePosixPath, kind: Written) -> Iterator[Changed]:
    if (root / path).is_symlink():
        raise DesiredStateError(
            [Problem(location=Location(str(path), 1, 1), text="Links are not followed.", remedy="Put the file here.")]
        )
    before = content(root / path, str(path))
    after = formatted(before, str(path), kind, _schema_path(root, path, kind))
    if after != before:
        yield Changed(path=str(path), before=before, after=after)


def _schema_path(root: Path, path: PurePosixPath, kind: Written) -> str | None:
    """Return the way from a file to its schema; None where the project has no copy of it."""
    schema = PurePosixPath(SCHEMAS, f"{kind}{SUFFIX}")
    return PurePosixPath(relpath(schema, path.parent)).as_posix() if (root / schema).is_file() else None


def _schemas(root: Path) -> Iterator[Changed]:
    for name in schema_names():
        path = Path(SCHEMAS, f"{name}{SUFFIX}")
        after = schema_text(name).encode()
        if (root / path).is_file() and not (root / path).is_symlink() and (root / path).read_bytes() != after:
            yield Changed(path=path.as_posix(), before=(root / path).read_bytes(), after=after)
