"""`certrecon fmt`."""

from pathlib import Path
from typing import Annotated

import typer

from reconciler.cli.options import Directory, Format, Rendering, chosen_format, emit, say


def fmt(
    directory: Directory = Path(),
    chosen: Format = "text",
    check: Annotated[
        bool,
        typer.Option("--check", envvar="CERTRECON_CHECK", help="Write nothing; show the difference, and exit 1."),
    ] = False,
    upgrade: Annotated[
        bool,
        typer.Option(
            "--upgrade",
            envvar="CERTRECON_UPGRADE",
            help="Also bring schemas/ to this version's. Files of apiVersion certrecon/v1 are of the newest format.",
        ),
    ] = False,
) -> None:
    """Put the fields of all files in their order, sort names, and mend the line that points editors at the schema.

    Comments, quotes and line breaks stay as they are written, and what a file says is never changed. In brackets that
    hold a comment nothing is moved.

    Exit codes: 0 done, or nothing to do; 1 with --check: a file is written otherwise; or a file cannot be read; 64
    wrong usage.

    Examples: `certrecon fmt`; `certrecon fmt --check`; `certrecon fmt --upgrade`.
    """
    from reconciler import __version__
    from reconciler.app.fmt import fmt as done
    from reconciler.report.fmt import fmt_json, fmt_text
    from reconciler.report.problem import problem_json

    shown = chosen_format(chosen)
    made = done(directory, check=check, upgrade=upgrade)
    changes = [(one.path, one.before, one.after) for one in made.changed]
    problems = [problem_json(one) for one in made.problems]
    data = fmt_json(changes, written=made.written, problems=problems, tool_version=__version__)
    emit(Rendering(text=fmt_text(changes, written=made.written), data=data), shown, ())
    for problem in made.problems:
        say(str(problem))
    say(_summary(made.files, len(changes), written=made.written))
    raise typer.Exit(made.exit_code)


def _summary(files: int, changed: int, *, written: bool) -> str:
    noun = "file" if files == 1 else "files"
    if not changed:
        return f"fmt: {files} {noun}, none to change."
    return f"fmt: {files} {noun}, {changed} {'rewritten' if written else 'to rewrite. Run: certrecon fmt'}."
