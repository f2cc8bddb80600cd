"""Problems of files as JSON values. Apart from plans, so that `validate` and `fmt` need none of what plans need."""

from typing import Any

from reconciler.errors import Problem


def problem_json(problem: Problem) -> dict[str, Any]:
    """Return one problem of a file, with its place."""
    return {
        "path": problem.location.path,
        "line": problem.location.line,
        "column": problem.location.column,
        "severity": problem.severity.value,
        "rule": problem.rule or None,
        "field": problem.pointer or None,
        "text": problem.text,
        "remedy": problem.remedy or None,
    }
