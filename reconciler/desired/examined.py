"""One certificate under examination: its merged fields, and how its problems are reported."""

from dataclasses import dataclass
from datetime import date

from reconciler.desired.fields import Fields, issuer_class
from reconciler.desired.merge import Merged
from reconciler.errors import Problem, Severity
from reconciler.model.certificate import IssuerClass


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What the configuration knows; None where it could not be read, so that nothing is held against it."""

    accounts: frozenset[str] | None
    instances: frozenset[str] | None
    today: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Examined:
    merged: Merged
    known: Known

    @property
    def fields(self) -> Fields:
        return Fields(self.merged.data)

    @property
    def akamai(self) -> Fields:
        return self.fields.section("akamai")

    @property
    def sectigo(self) -> Fields:
        return self.fields.section("sectigo")

    @property
    def public(self) -> bool:
        return issuer_class(self.sectigo) is IssuerClass.PUBLIC

    @property
    def account(self) -> str | None:
        """The account named, else the only one there is."""
        return self.akamai.text("account") or _only(self.known.accounts)

    @property
    def instance(self) -> str | None:
        """The instance named, else the only one there is."""
        return self.sectigo.text("instance") or _only(self.known.instances)

    def error(self, pointer: str, text: str, remedy: str, rule: str = "") -> Problem:
        return self.problem(Severity.ERROR, pointer, text, remedy, rule)

    def warning(self, pointer: str, text: str, remedy: str, rule: str = "") -> Problem:
        return self.problem(Severity.WARNING, pointer, text, remedy, rule)

    def problem(self, severity: Severity, pointer: str, text: str, remedy: str, rule: str) -> Problem:
        return Problem(
            location=self.merged.location(pointer),
            text=text,
            remedy=remedy,
            rule=rule,
            severity=severity,
            pointer=pointer,
        )


def _only(names: frozenset[str] | None) -> str | None:
    return next(iter(names)) if names is not None and len(names) == 1 else None
