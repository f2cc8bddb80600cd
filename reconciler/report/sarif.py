"""Problems of files as SARIF 2.1.0, for code scanning: rules with help, results with their regions."""

import hashlib
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from reconciler.errors import Problem, Severity

_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_UNNAMED = "FILE-00"  # syntax and schema have no id of their own
_HELP = {
    "FILE": ("The file is no certificate that could be used", "Write it as its schema describes it."),
    "NAME": ("A name that cannot be ordered or matched", "Write DNS names in lower case, each once."),
    "PROF": ("A profile of SCM that does not fit", "Name a profile that the organization has."),
    "TERM": ("A term that is not to be had", "Name a term that the profile has, or none."),
    "CAA": ("CAA records that forbid the order", "Let the CA's name into the CAA records of the domain."),
}
_OTHER = ("A check of certrecon", "The message says what to do.")
_LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "note"}


def sarif(problems: Sequence[Problem], *, tool_version: str) -> dict[str, Any]:
    """Return one run with a rule for each check that found something."""
    rules = sorted({_rule_id(one) for one in problems})
    return {
        "$schema": _SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {"name": "certrecon", "semanticVersion": tool_version, "rules": list(map(_rule, rules))}
                },
                "columnKind": "unicodeCodePoints",
                "results": [_result(one, rules.index(_rule_id(one))) for one in problems],
            }
        ],
    }


def _rule_id(problem: Problem) -> str:
    return problem.rule or _UNNAMED


def _rule(rule: str) -> dict[str, Any]:
    short, help_text = _HELP.get(rule.partition("-")[0], _OTHER)
    return {"id": rule, "shortDescription": {"text": f"{short}."}, "help": {"text": help_text}}


def _result(problem: Problem, rule_index: int) -> dict[str, Any]:
    field = f"{problem.pointer}: " if problem.pointer else ""
    return {
        "ruleId": _rule_id(problem),
        "ruleIndex": rule_index,
        "level": _LEVELS[problem.severity],
        "message": {"text": _text(f"{field}{problem.text} {problem.remedy}".rstrip())},
        "locations": [{"physicalLocation": _place(problem)}],
        "partialFingerprints": {"problem/v1": _fingerprint(problem)},
    }


def _text(text: str) -> str:
    """Return plain text in which a viewer finds no link and no placeholder (SARIF 2.1.0, 3.11.5 and 3.11.6)."""
    escaped = text.replace("\\", "\\\\")
    for mark in "[]":
        escaped = escaped.replace(mark, f"\\{mark}")
    return escaped.replace("{", "{{").replace("}", "}}")


def _place(problem: Problem) -> dict[str, Any]:
    location = problem.location
    place: dict[str, Any] = {"artifactLocation": {"uri": quote(location.path.lstrip("/")), "uriBaseId": "%SRCROOT%"}}
    if location.line:
        column = {"startColumn": location.column} if location.column else {}
        place["region"] = {"startLine": location.line, **column}
    return place


def _fingerprint(problem: Problem) -> str:
    """Return what stays equal while lines move."""
    parts = (_rule_id(problem), problem.location.path, problem.pointer, problem.text)
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:32]
