"""What of a project a run is about. It never shrinks validation, uniqueness, or what guards take shares of."""

import shlex
from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase

from reconciler.model.certificate import AccountName, DesiredCertificate
from reconciler.planning.steps import ActionKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Selectors:
    """The selectors of a command line. Each that is given narrows the run; with none of them it is about everything."""

    targets: tuple[str, ...] = ()  # globs, one of which fits
    excluded: tuple[str, ...] = ()  # globs, none of which fits
    labels: frozenset[tuple[str, str]] = frozenset()  # each key has one of the values given for it
    accounts: frozenset[AccountName] = frozenset()
    only: frozenset[ActionKind] = frozenset()  # it narrows what is done, not what is looked at

    def takes(self, desired: DesiredCertificate) -> bool:
        """Tell whether the run is about a certificate."""
        return (
            (not self.targets or _fits(desired.name, self.targets))
            and not _fits(desired.name, self.excluded)
            and all(
                any(desired.labels.get(key) == value for named, value in self.labels if named == key)
                for key, _ in self.labels
            )
            and (not self.accounts or desired.enrollment.account in self.accounts)
        )

    @property
    def text(self) -> str | None:
        """The selectors as a command line has them; None where there are none."""
        words = [
            *_options("--target", self.targets),
            *_options("--exclude", self.excluded),
            *_options("--label", [f"{key}={value}" for key, value in sorted(self.labels)]),
            *_options("--account", sorted(self.accounts)),
            *([self.only_text] if self.only else []),
        ]
        return " ".join(words) if words else None

    @property
    def only_text(self) -> str:
        return f"--only {','.join(kind for kind in ActionKind if kind in self.only)}"


EVERYTHING = Selectors()


def _fits(name: str, patterns: Iterable[str]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)


def _options(option: str, values: Iterable[str]) -> list[str]:
    return [f"{option} {shlex.quote(value)}" for value in values]
