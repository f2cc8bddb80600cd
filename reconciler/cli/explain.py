"""`certrecon explain`."""

import os
from pathlib import Path

import typer

from reconciler.cli.options import Directory, Format, Output, Rendering, chosen_format, emit, outputs
from reconciler.cli.single import Name, open_certificate


def explain(name: Name, directory: Directory = Path(), chosen: Format = "text", output: Output = None) -> None:
    """Explain what plan decides on one certificate: every input, dates, rules and where they come from.

    Takes no lock and changes nothing.

    Exit codes: 0 explained; 1 something could not be read; 64 wrong usage, or no such certificate.

    Examples: `certrecon explain web/www`; `certrecon explain web/www --format json`.
    """
    from reconciler import __version__
    from reconciler.app.show import single
    from reconciler.report.explain import explanation
    from reconciler.report.single import Seen, single_json, single_text

    files, shown = outputs(output), chosen_format(chosen)
    with open_certificate(directory, name) as (run, desired):
        found = single(run.planner, run.observer, run.project, desired, os.environ)
    sections = explanation(found.case, found.standing, found.problems)
    seen = Seen(at=found.at, problems=found.problems, unread=found.unread)
    data = single_json("explanation", sections, seen, tool_version=__version__)
    emit(Rendering(text=single_text(sections, seen), data=data), shown, files)
    raise typer.Exit(found.exit_code)
