"""The files of a run: the working tree's or a commit's, and those of the commit that they are compared with."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path

from reconciler.app.compare import Base, compared_certificates
from reconciler.app.plan import Planner
from reconciler.desired.load import Desired, load
from reconciler.desired.project import load_project
from reconciler.desired.revision import checked_out, commit_of, merge_base
from reconciler.desired.serials import Replacements, read_replacements
from reconciler.errors import ConfigurationError
from reconciler.model.policy import Project
from reconciler.planning.case import Trust


@dataclass(frozen=True, slots=True, kw_only=True)
class Revisions:
    """Which files a run is of. `rev`: a commit's, else the working tree's; `base`: a commit's to compare them with."""

    rev: str | None = None
    base: str | None = None


WORKING_TREE = Revisions()


@dataclass(frozen=True, slots=True, kw_only=True)
class Files:
    """What the files of one revision say."""

    project: Project
    desired: Desired
    replacements: Replacements


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """Reads the files that `directory` lies in. `now` decides on campaigns, `today` on terms."""

    directory: Path
    environment: Mapping[str, str]
    now: datetime
    today: date

    def read(self, rev: str | None = None) -> Files:
        """Return what the files say: those of the working tree, or of the commit that `rev` names.

        Raises:
            ConfigurationError: the configuration cannot be used.
            RevisionError: the commit cannot be read.
        """
        if rev is None:
            return self._files(self.directory, git=True)
        with checked_out(self.directory, commit_of(self.directory, rev)) as revision:
            found = self._files(revision.folder, git=False)
        return replace(found, project=replace(found.project, root=revision.root))

    def _files(self, folder: Path, *, git: bool) -> Files:
        project = load_project(folder, environment=self.environment)
        desired = load(project, today=self.today, git=git)
        return Files(project=project, desired=desired, replacements=read_replacements(project, now=self.now))

    def base(
        self, revisions: Revisions, head: Planner, project: Project, trust: Callable[[Project], Trust]
    ) -> Base | None:
        """Return the revision to compare with: planned by its own files and policy, seen through the head's services.

        Raises:
            RevisionError: the commit is not in this clone.
        """
        if revisions.base is None:
            return None
        commit = merge_base(self.directory, revisions.base, revisions.rev or "HEAD")
        found = Base(revision=commit, reference=revisions.base, planner=None)
        try:
            files = self.read(commit)
        except ConfigurationError as error:
            return replace(
                found, note=f"its configuration cannot be used ({error.problems[0]}), so all counts as changed"
            )
        certificates = compared_certificates(files.desired.certificates, files.project, project)
        planner = replace(
            head,
            desired=Desired(certificates=tuple(certificates.seen)),
            policy=files.project.policy,
            trust=trust(files.project),
            replacements=files.replacements.ready,
        )
        return replace(found, planner=planner, unseen=tuple(certificates.unseen))
