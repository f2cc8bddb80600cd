"""`certrecon report`."""

import os
from pathlib import Path

import typer

from reconciler.cli.options import PAGED, About, Directory, Format, Output, chosen_format, emit, frame, outputs
from reconciler.cli.selectors import Accounts, Excluded, Labels, Targets, selectors


def report(
    directory: Directory = Path(),
    chosen: Format = "text",
    output: Output = None,
    about: About = None,
    target: Targets = None,
    exclude: Excluded = None,
    label: Labels = None,
    account: Accounts = None,
) -> None:
    """Report on one look: what would be done, each certificate on a time line, validations, orders to come.

    As html it is a page that needs nothing but itself, and can be kept, mailed and printed. Takes no lock and
    changes nothing. Beside what plan reads, it asks SCM for the validations of all domains and organizations.

    Exit codes: 0 made; 1 made, and something in it could not be read, or a file has an error; 64 wrong usage.

    Examples: `certrecon report --output html=report.html`; `certrecon report --target 'shop.*' --format json`;
    `certrecon report --about project=prod --output html=report.html`.
    """
    from reconciler import __version__
    from reconciler.app.report import exit_code, make_report
    from reconciler.cli.rendering import report_rendering
    from reconciler.report.reportjson import report_json
    from reconciler.report.reporttext import report_text
    from reconciler.wiring import Named, open_run

    files, shown, described = outputs(output, PAGED), chosen_format(chosen, PAGED), frame(about)
    named = Named(selectors=selectors(target, exclude, label, account, None))
    with open_run(directory, named) as run:
        made = make_report(run.planner, run.observer, run.project, run.accounts, os.environ)
    code = exit_code(made)
    data = report_json(made, tool_version=__version__, exit_code=code)
    emit(report_rendering(report_text(made), data, described), shown, files)
    raise typer.Exit(code)
