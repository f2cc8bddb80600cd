"""`certrecon validate`."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from reconciler.cli.hints import hint
from reconciler.cli.options import (
    ANNOTATED,
    Directory,
    Format,
    Output,
    Rendering,
    Rev,
    chosen_format,
    emit,
    outputs,
    say,
)
from reconciler.cli.single import now
from reconciler.errors import ExitCode, Problem, Severity

if TYPE_CHECKING:
    from rich.text import Text

    from reconciler.app.validate import Validation

FORMAT_VERSION = "1.0"
_FORMATS = (*ANNOTATED, "sarif")
_STYLES = {Severity.ERROR: "bold red", Severity.WARNING: "yellow", Severity.NOTE: "cyan"}


def validate(directory: Directory = Path(), chosen: Format = "text", output: Output = None, rev: Rev = None) -> None:
    """Check configuration and certificate files. Offline: nothing is asked of a service, save a sandbox for its time.

    Exit codes: 0 no errors (there may be warnings); 1 a file is wrong; 64 wrong usage.

    Examples: `certrecon validate`; `certrecon validate -C ../certificates --format json`;
    `certrecon validate --rev origin/main`;
    `certrecon validate --output sarif=validate.sarif --output annotations=-`.
    """
    import os

    from reconciler.app.validate import validate as judged

    files, shown = outputs(output, _FORMATS), chosen_format(chosen, _FORMATS)
    validation = judged(directory, environment=os.environ, now=now(), rev=rev)
    emit(_rendering(validation), shown, files)
    say(_summary(validation))
    if validation.exit_code is ExitCode.DONE and shown == "text":
        hint(
            "certrecon plan" if validation.valid else "write a file below certificates/, then certrecon validate",
            directory,
        )
    raise typer.Exit(validation.exit_code)


def _rendering(validation: "Validation") -> Rendering:
    problems = validation.problems
    return Rendering(
        text=[_line(problem) for problem in problems],
        data=_data(validation),
        title=f"certrecon {_summary(validation)}",
        others={
            "annotations": lambda: _annotations(problems),
            "sarif": lambda: _sarif(problems),
        },
    )


def _annotations(problems: Sequence[Problem]) -> str:
    from reconciler.report.annotations import problem_annotations

    return problem_annotations(problems)


def _sarif(problems: Sequence[Problem]) -> str:
    from reconciler import __version__
    from reconciler.report.sarif import sarif

    return json.dumps(sarif(problems, tool_version=__version__), indent=2, ensure_ascii=False) + "\n"


def _line(problem: Problem) -> "Text":
    from rich.text import Text

    line = Text(str(problem))
    line.highlight_words([f": {problem.severity}"], _STYLES[problem.severity])
    return line


def _summary(validation: "Validation") -> str:
    counted = [
        _count(number, noun)
        for number, noun in (
            (validation.count(Severity.ERROR), "error"),
            (validation.count(Severity.WARNING), "warning"),
        )
        if number
    ]
    broken = f", {validation.broken} that cannot be used" if validation.broken else ""
    return f"validate: {_count(validation.valid, 'valid certificate')}{broken}; {', '.join(counted) or 'no problems'}."


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _data(validation: "Validation") -> dict[str, Any]:
    from reconciler import __version__
    from reconciler.report.problem import problem_json

    return {
        "format_version": FORMAT_VERSION,
        "kind": "validation",
        "tool_version": __version__,
        "exit_code": validation.exit_code,
        "valid": validation.valid,
        "broken": validation.broken,
        "problems": [problem_json(problem) for problem in validation.problems],
    }
