"""The plan files that were approved: those of the pull requests merged since the last commit that was fully applied."""

import io
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from reconciler.errors import UnexpectedAnswerError
from reconciler.model.forge import Artifact, MergedRequest
from reconciler.ports import PlanArchive

PLAN = "plan.json"
_MOST_BYTES = 256 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Approved:
    """What was found for the commits of a branch."""

    files: tuple[Path, ...]
    missing: tuple[MergedRequest, ...]  # merged, and no run of their head kept a plan, or it has expired


def artifact_name(project: str, head: str) -> str:
    """Return what a plan is kept as: by the head that its reviewers saw."""
    return f"certrecon-plan-{project}-{head}"


def fetch_approved(archive: PlanArchive, commits: Sequence[str], *, branch: str, project: str, to: Path) -> Approved:
    """Write the plan of each pull request that `commits` brought to `branch` into the folder `to`.

    Raises:
        ServiceError: they could not all be looked for; then nothing may be applied as if there were none.
    """
    files, missing = [], []
    for request in _merged(archive, commits, branch):
        kept = _latest(archive.artifacts(artifact_name(project, request.head)), request.head)
        if kept is None:
            missing.append(request)
            continue
        file = to / f"{request.number}-{request.head}.json"
        file.write_bytes(_plan_in(archive.archive(kept.id), kept))
        files.append(file)
    return Approved(files=tuple(files), missing=tuple(missing))


def _merged(archive: PlanArchive, commits: Iterable[str], branch: str) -> tuple[MergedRequest, ...]:
    found = {request.number: request for commit in commits for request in archive.merged_by(commit, branch)}
    return tuple(found.values())


def _latest(kept: Iterable[Artifact], head: str) -> Artifact | None:
    """Return the newest that a run of this head in this very repository kept: a fork may name its own as it likes."""
    ours = [one for one in kept if one.own and one.head == head]
    return max(ours, key=lambda one: (one.created_at, one.id), default=None)


def _plan_in(archive: bytes, kept: Artifact) -> bytes:
    """Return the plan of an archive; only this one member is read, and nothing is unpacked by the names inside."""
    try:
        with zipfile.ZipFile(io.BytesIO(archive)) as opened:
            if opened.getinfo(PLAN).file_size > _MOST_BYTES:
                raise UnexpectedAnswerError("artifact store", "fetch the saved plan", f"{kept.name} is too large")
            return opened.read(PLAN)
    except (zipfile.BadZipFile, KeyError) as error:
        raise UnexpectedAnswerError("artifact store", "fetch the saved plan", f"{kept.name} holds no {PLAN}") from error
