"""`certrecon verify`."""

from pathlib import Path
from typing import Annotated

import typer

from reconciler.cli.options import Directory, Format, Output, Rendering, chosen_format, emit, outputs, say
from reconciler.cli.selectors import Accounts, Excluded, Labels, Targets, selectors
from reconciler.errors import ExitCode, UsageError


def verify(
    directory: Directory = Path(),
    chosen: Format = "text",
    output: Output = None,
    target: Targets = None,
    exclude: Excluded = None,
    label: Labels = None,
    account: Accounts = None,
    network: Annotated[
        list[str] | None,
        typer.Option(
            "--network",
            metavar="staging|production",
            envvar="CERTRECON_NETWORK",
            help="Which to ask; without it, both. Repeatable.",
        ),
    ] = None,
) -> None:
    """Shake hands with the edge for every name, and say which certificate both networks serve.

    Checked are names, key types, dates, and the chain up to an allowed root, by the files alone: no credentials are
    needed. Production is asked at verify.edgeHost or at the name itself, staging at verify.edgeHost or at the edge
    hostname that the name's aliases lead to; where there is none it is skipped.

    Exit codes: 0 all is as wanted, or skipped; 1 something is not, or a file cannot be used; 64 wrong usage.

    Examples: `certrecon verify`; `certrecon verify --target 'shop.*' --network production`;
    `certrecon verify --format json`.
    """
    from reconciler import __version__
    from reconciler.app.verify import NETWORKS
    from reconciler.report.verify import verify_json, verify_text, word
    from reconciler.wiring import open_edge

    files, shown = outputs(output), chosen_format(chosen)
    if unknown := sorted(set(network or ()) - set(NETWORKS)):
        raise UsageError(f'There is no network "{unknown[0]}". Choose of: {", ".join(NETWORKS)}.')
    look = open_edge(directory, selectors(target, exclude, label, account, None))
    verdicts = look.verifier.verify(look.certificates, [one for one in NETWORKS if not network or one in network])
    data = verify_json(verdicts, at=look.verifier.now, tool_version=__version__)
    emit(Rendering(text=verify_text(verdicts), data=data), shown, files)
    for problem in look.problems:
        say(str(problem))
    wrong = look.problems or any(word(one) == "wrong" for one in verdicts)
    raise typer.Exit(ExitCode.ERROR if wrong else ExitCode.DONE)
