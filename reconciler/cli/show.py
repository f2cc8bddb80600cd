"""`certrecon show`."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from reconciler.cli.options import (
    BASIC,
    RENDERED,
    About,
    Directory,
    Format,
    Output,
    Rendering,
    chosen_format,
    emit,
    frame,
    outputs,
)
from reconciler.cli.single import open_certificate, today
from reconciler.errors import ExitCode

if TYPE_CHECKING:
    from reconciler.report.markdown import Frame


def show(
    name: Annotated[str, typer.Argument(metavar="NAME|PLAN.json", help="A certificate, or a saved plan.")],
    directory: Directory = Path(),
    chosen: Format = "text",
    output: Output = None,
    about: About = None,
    effective: Annotated[
        bool, typer.Option("--effective", help="Every effective value, with the file and line it comes from. Offline.")
    ] = False,
    pem: Annotated[bool, typer.Option("--pem", help="Also what production serves, as PEM from SCM.")] = False,
) -> None:
    """Show one certificate in detail: file, enrollment, what both networks serve, orders. Or show a saved plan.

    Takes no lock and changes nothing.

    Exit codes: 0 shown; 1 something could not be read; 64 wrong usage, or no such certificate.

    Examples: `certrecon show web/www`; `certrecon show web/www --effective`; `certrecon show plan.json`.
    """
    formats = RENDERED if (saved := name.endswith(".json")) else BASIC
    files, shown = outputs(output, formats), chosen_format(chosen, formats)
    if saved:
        made, code = _saved_plan(Path(name), frame(about)), ExitCode.DONE
    elif effective:
        made, code = _effective(directory, name), ExitCode.DONE
    else:
        made, code = _certificate(directory, name, pem=pem)
    emit(made, shown, files)
    raise typer.Exit(code)


def _saved_plan(path: Path, about: "Frame") -> Rendering:
    from reconciler.app.show import read_saved_plan
    from reconciler.cli.rendering import plan_rendering

    return plan_rendering(read_saved_plan(path), about)


def _effective(directory: Path, name: str) -> Rendering:
    from reconciler import __version__
    from reconciler.app.show import effective
    from reconciler.report.effective import effective_json, effective_text

    values = effective(directory, name, environment=os.environ, today=today())
    return Rendering(text=effective_text(values), data=effective_json(name, values, tool_version=__version__))


def _certificate(directory: Path, name: str, *, pem: bool) -> tuple[Rendering, ExitCode]:
    from reconciler import __version__
    from reconciler.app.show import served_pems, single
    from reconciler.report.details import details
    from reconciler.report.single import Seen, single_json, single_text

    with open_certificate(directory, name) as (run, desired):
        found = single(run.planner, run.observer, run.project, desired, os.environ)
        pems = served_pems(run.observer, found) if pem else ()
    sections = details(found.case, found.standing)
    seen = Seen(at=found.at, problems=found.problems, unread=found.unread)
    text = [*single_text(sections, seen), *map(Text, "".join(pems).splitlines())]
    data = single_json("certificate", sections, seen, tool_version=__version__)
    return Rendering(text=text, data={**data, "pem": list(pems)} if pem else data), found.exit_code
