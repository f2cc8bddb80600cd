"""Whether what the command line names is there: a selector that fits nothing is a mistake, and narrows to nothing."""

from collections.abc import Iterable
from fnmatch import fnmatchcase

from reconciler.app.looking import broken_files, certificate_of
from reconciler.desired.load import Desired
from reconciler.errors import UsageError
from reconciler.model.certificate import CertificateName
from reconciler.model.policy import Project
from reconciler.planning.selectors import Selectors


def check_selectors(selectors: Selectors, desired: Desired, project: Project) -> None:
    """Refuse selectors that fit nothing.

    Raises:
        DesiredStateError: a name or a pattern is of files that cannot be used alone.
        UsageError: nothing is called, labelled or configured so.
    """
    for account in sorted(selectors.accounts - project.accounts.keys()):
        known = _listed(project.accounts)
        raise UsageError(f'There is no Akamai account "{account}" in certrecon.yaml. It has: {known}.')
    for pattern in (*selectors.targets, *selectors.excluded):
        _check_pattern(pattern, desired)
    labels = {label for one in desired.certificates for label in one.labels.items()}
    for key, value in sorted(selectors.labels - labels):
        of_key = _listed(f"{key}={other}" for named, other in labels if named == key)
        keys = _listed({named for named, _ in labels})
        there = f"There is: {of_key}." if of_key else f"Labels there are: {keys}." if keys else "No file has labels."
        raise UsageError(f'No certificate is labelled "{key}={value}". {there}')


def check_names(names: Iterable[str], desired: Desired, selectors: Selectors) -> frozenset[CertificateName]:
    """Return the names, each of which is of a certificate that the run is about.

    Raises:
        DesiredStateError: the file of one cannot be used.
        UsageError: there is none, or the selectors leave it out.
    """
    found = [certificate_of(desired, name) for name in names]
    for one in found:
        if not selectors.takes(one):
            raise UsageError(f"{one.name} is named, and {selectors.text} leaves it out.")
    return frozenset(one.name for one in found)


def _check_pattern(pattern: str, desired: Desired) -> None:
    if _fitting(pattern, [one.name for one in desired.certificates]):
        return
    if _fitting(pattern, desired.broken):
        raise broken_files(desired)
    certificate_of(desired, pattern)


def _fitting(pattern: str, names: Iterable[str]) -> bool:
    return any(fnmatchcase(name, pattern) for name in names)


def _listed(words: Iterable[str]) -> str:
    return ", ".join(sorted(words))
