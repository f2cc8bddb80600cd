"""The desired state of a project: every certificate file read, merged, checked; a broken one takes only itself out."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path, PurePosixPath

from reconciler.desired import build, worktree
from reconciler.desired.check import certificate_problems
from reconciler.desired.examined import Examined, Known
from reconciler.desired.fleet import fleet_problems
from reconciler.desired.merge import merged
from reconciler.desired.schema import Kind
from reconciler.desired.verdicts import document_problems
from reconciler.desired.yamlfile import Document, read
from reconciler.errors import DesiredStateError, Problem, Severity
from reconciler.model.certificate import CertificateName, DesiredCertificate
from reconciler.model.policy import Project


@dataclass(frozen=True, slots=True, kw_only=True)
class Desired:
    """What the files ask for. `broken` are the names of those that cannot be used: never read them as removed."""

    certificates: tuple[DesiredCertificate, ...]  # in the order of their names
    problems: tuple[Problem, ...] = ()  # in the order of files and lines; warnings too
    broken: frozenset[CertificateName] = frozenset()


def load(project: Project, *, today: date, git: bool = True) -> Desired:
    """Return the desired state in the working tree of a project; `today` decides on terms.

    Without `git` every file counts, whatever repository lies around the project's folder.
    """
    known = Known(
        accounts=frozenset(map(str, project.accounts)), instances=frozenset(map(str, project.instances)), today=today
    )
    return load_folder(project.root, known, git=git)


def load_folder(root: Path, known: Known, *, git: bool = True) -> Desired:
    """Return the desired state below `root`, judged by as much of the configuration as is known."""
    files = worktree.files(root, git=git)
    defaults = {path.parent: _accepted(root, path, "defaults") for path in files.defaults}
    loaded = [_loaded(root, path, defaults, known) for path in files.certificates]
    whole = [one.certificate for one in loaded if one.certificate is not None]
    clashes = tuple(fleet_problems(whole))
    clashing = {name for clash in clashes for name in clash.broken}
    problems = [
        *files.problems,
        *(problem for taken in defaults.values() for problem in taken.problems),
        *(problem for one in loaded for problem in one.problems),
        *(clash.problem for clash in clashes),
    ]
    return Desired(
        certificates=tuple(sorted((one for one in whole if one.name not in clashing), key=lambda one: one.name)),
        problems=tuple(sorted(dict.fromkeys(problems), key=lambda problem: problem.location)),
        broken=frozenset(clashing | {one.name for one in loaded if one.certificate is None}),
    )


@dataclass(frozen=True, slots=True)
class _Taken:
    """A file that was read; without a document where it cannot be used."""

    document: Document | None
    problems: tuple[Problem, ...]


@dataclass(frozen=True, slots=True)
class _Loaded:
    name: CertificateName
    certificate: DesiredCertificate | None
    problems: tuple[Problem, ...]


def _accepted(root: Path, path: PurePosixPath, kind: Kind) -> _Taken:
    """Return a file's document if it fits its schema and holds no secret, and its problems."""
    try:
        document = read(root / path, str(path))
    except DesiredStateError as error:
        return _Taken(None, error.problems)
    problems = document_problems(document, kind)
    return _Taken(None if problems else document, problems)


def _loaded(root: Path, path: PurePosixPath, defaults: Mapping[PurePosixPath, _Taken], known: Known) -> _Loaded:
    taken = _accepted(root, path, "certificate")
    layers = [defaults[folder] for folder in reversed(path.parents) if folder in defaults]
    name = _name(path, taken.document)
    documents = [layer.document for layer in layers if layer.document is not None]
    if taken.document is None or len(documents) < len(layers):
        return _Loaded(name, None, taken.problems)
    examined = Examined(merged=merged(documents, taken.document), known=known)
    problems = certificate_problems(examined)
    if any(problem.severity is Severity.ERROR for problem in problems):
        return _Loaded(name, None, problems)
    return _Loaded(name, build.certificate(name, examined), problems)


def _name(path: PurePosixPath, document: Document | None) -> CertificateName:
    named = document.data.get("name") if document is not None else None
    return CertificateName(str(named or path.relative_to(worktree.FOLDER).with_suffix("")))
