"""`certrecon history`."""

import os
from pathlib import Path

import typer

from reconciler.cli.options import Directory, Format, Output, Rendering, chosen_format, emit, outputs
from reconciler.cli.single import Name, open_certificate
from reconciler.errors import ExitCode


def history(name: Name, directory: Directory = Path(), chosen: Format = "text", output: Output = None) -> None:
    """Show what was done for a certificate, when and why: the journal's entries and CPS's changes, by time.

    Takes no lock and changes nothing.

    Exit codes: 0 shown; 1 the journal or CPS could not be read; 64 wrong usage, or no such certificate.

    Examples: `certrecon history web/www`; `certrecon history web/www --format json`.
    """
    from reconciler import __version__
    from reconciler.app.history import make_history
    from reconciler.report.history import history_json, history_text

    files, shown = outputs(output), chosen_format(chosen)
    with open_certificate(directory, name) as (run, desired):
        cps = run.observer.services.cps[desired.enrollment.account]
        made = make_history(run.project, cps, desired, os.environ)
    emit(Rendering(text=history_text(made), data=history_json(made, tool_version=__version__)), shown, files)
    raise typer.Exit(ExitCode.ERROR if made.problems else ExitCode.DONE)
