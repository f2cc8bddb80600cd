"""Validate: everything that is wrong with configuration and certificate files, found without a network."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from reconciler.desired.examined import Known
from reconciler.desired.load import Desired, load, load_folder
from reconciler.desired.project import find_project, load_project
from reconciler.desired.revision import checked_out, commit_of
from reconciler.desired.serials import read_replacements
from reconciler.errors import ConfigurationError, ExitCode, Problem, Severity


@dataclass(frozen=True, slots=True, kw_only=True)
class Validation:
    """What was found: `valid` certificates can be planned, `broken` ones cannot; problems in the order of the files."""

    valid: int
    broken: int
    problems: tuple[Problem, ...]

    @property
    def exit_code(self) -> ExitCode:
        return ExitCode.ERROR if self.count(Severity.ERROR) else ExitCode.DONE

    def count(self, severity: Severity) -> int:
        return sum(problem.severity is severity for problem in self.problems)


def validate(directory: Path, *, environment: Mapping[str, str], now: datetime, rev: str | None = None) -> Validation:
    """Judge all files of the project that `directory` lies in, also where its configuration is wrong.

    `rev`: as a commit has them.

    Raises:
        ConfigurationError: there is no project.
        RevisionError: the commit cannot be read.
    """
    if rev is not None:
        with checked_out(directory, commit_of(directory, rev)) as revision:
            return _validated(revision.folder, environment, now, git=False)
    return _validated(directory, environment, now, git=True)


def _validated(directory: Path, environment: Mapping[str, str], now: datetime, *, git: bool) -> Validation:
    root = find_project(directory).parent
    wrong: tuple[Problem, ...] = ()
    try:
        project = load_project(directory, environment=environment)
        desired, wrong = load(project, today=now.date(), git=git), read_replacements(project, now=now).problems
    except ConfigurationError as error:
        wrong = error.problems
        desired = load_folder(root, Known(accounts=None, instances=None, today=now.date()), git=git)
    return _validation(desired, wrong)


def _validation(desired: Desired, wrong: tuple[Problem, ...]) -> Validation:
    return Validation(
        valid=len(desired.certificates),
        broken=len(desired.broken),
        problems=tuple(sorted((*wrong, *desired.problems), key=lambda problem: problem.location)),
    )
