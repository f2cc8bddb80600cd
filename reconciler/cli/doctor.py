"""`certrecon doctor`."""

from pathlib import Path

import typer

from reconciler.cli.options import Directory, Format, Output, Rendering, chosen_format, emit, outputs
from reconciler.errors import ConfigurationError, ExitCode


def doctor(directory: Directory = Path(), chosen: Format = "text", output: Output = None) -> None:
    """Check whether all is there that a run needs: credentials, rights, clock, profiles, lock, journal, remote.

    It only reads. Whether credentials may also write, and whether the remote takes pushes, is seen at the first apply.

    Exit codes: 0 nothing failed (there may be warnings); 1 something failed; 64 wrong usage.

    Examples: `certrecon doctor`; `certrecon doctor --format json`.
    """
    from reconciler import __version__
    from reconciler.app.doctor import broken_configuration, examine
    from reconciler.report.doctor import State, doctor_json, doctor_text
    from reconciler.wiring import open_examination

    files, shown = outputs(output), chosen_format(chosen)
    try:
        with open_examination(directory) as examination:
            checks = list(examine(examination))
    except ConfigurationError as error:
        checks = list(broken_configuration(error))
    emit(Rendering(text=doctor_text(checks), data=doctor_json(checks, tool_version=__version__)), shown, files)
    raise typer.Exit(ExitCode.ERROR if any(one.state is State.FAIL for one in checks) else ExitCode.DONE)
