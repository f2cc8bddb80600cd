"""What a check of pki-rules finds. No finding of a rule means that it holds; what was not looked at says so."""

from collections.abc import Iterable
from dataclasses import dataclass

from reconciler.errors import Severity


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One rule that is broken, or that could not be checked."""

    rule: str  # "CERT-02"
    severity: Severity  # an error blocks
    text: str
    skipped: bool = False  # nobody knows whether the rule holds

    def __str__(self) -> str:
        return f"{self.rule}: {'skipped: ' if self.skipped else ''}{self.text}"


def error(rule: str, text: str) -> Finding:
    return Finding(rule=rule, severity=Severity.ERROR, text=text)


def warning(rule: str, text: str) -> Finding:
    return Finding(rule=rule, severity=Severity.WARNING, text=text)


def note(rule: str, text: str) -> Finding:
    return Finding(rule=rule, severity=Severity.NOTE, text=text)


def skipped(rule: str, why: str) -> Finding:
    """Return that a rule was not checked. Where that must not pass, use `error`."""
    return Finding(rule=rule, severity=Severity.NOTE, text=why, skipped=True)


def errors(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Return those that block."""
    return tuple(finding for finding in findings if finding.severity is Severity.ERROR)


def listed(names: Iterable[str]) -> str:
    """Return a set of names as messages show it."""
    return ", ".join(sorted(names))
