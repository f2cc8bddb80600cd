"""`certrecon init`."""

import os
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from reconciler.cli.hints import hint
from reconciler.cli.options import say
from reconciler.errors import ConfigurationError, UsageError

if TYPE_CHECKING:
    from reconciler.app.init import Answers

# What the sandbox's customer is called, has and may order.
_SANDBOX = {
    "account_id": "A-1XYZ",
    "organization": "Example Ltd",
    "profile": "OV Multi-Domain",
    "contract": "C-1ABCDEF",
}
_QUESTIONS = {
    "project": "Project (names comments and artifacts)",
    "account_id": "Akamai account id (A-...; names lock and journal)",
    "customer_uri": "Sectigo customer URI (last part of the portal's address)",
    "organization": "Sectigo organization (empty: later)",
    "profile": "Sectigo certificate profile (empty: later)",
    "contract": "Akamai contract (C-...; empty: later)",
}
_MAY_BE_EMPTY = ("organization", "profile", "contract")

_Text = str | None


def _option(flag: str, text: str) -> object:
    return typer.Option(flag, envvar=f"CERTRECON_{flag[2:].replace('-', '_').upper()}", help=text)


def init(
    directory: Annotated[
        Path, typer.Option("--directory", "-C", metavar="DIR", envvar="CERTRECON_DIRECTORY", help="Where to make it.")
    ] = Path(),
    project: Annotated[_Text, _option("--project", "Its name. Default: the folder's.")] = None,
    account_id: Annotated[_Text, _option("--account-id", "Akamai's id of the account, as A-1XYZ.")] = None,
    edgerc_section: Annotated[
        _Text, _option("--edgerc-section", "Take credentials from this section of .edgerc, not from AKAMAI_ variables.")
    ] = None,
    scm_url: Annotated[str, _option("--scm-base-url", "The SCM instance.")] = "https://cert-manager.com/api",
    customer_uri: Annotated[_Text, _option("--customer-uri", "The last part of the SCM portal's address.")] = None,
    organization: Annotated[_Text, _option("--organization", "Default organization at SCM.")] = None,
    profile: Annotated[_Text, _option("--profile", "Default certificate profile at SCM.")] = None,
    contract: Annotated[_Text, _option("--contract", "Default contract at Akamai.")] = None,
    secure_network: Annotated[
        str, _option("--secure-network", "enhanced-tls or standard-tls; it can never be changed.")
    ] = "enhanced-tls",
    branch: Annotated[str, _option("--branch", "The branch that 'certrecon apply' runs on.")] = "main",
    workflows: Annotated[
        _Text, _option("--workflows", "OWNER/REPOSITORY@REF of certrecon's reusable GitHub workflows.")
    ] = None,
    github: Annotated[
        bool,
        typer.Option(
            "--github/--no-github", envvar="CERTRECON_GITHUB", help="Write workflows for GitHub that call certrecon."
        ),
    ] = True,
    example: Annotated[bool, _option("--example", "Also write a first certificate's file.")] = False,
) -> None:
    """Make a project: configuration, defaults, schemas, .gitignore, and GitHub workflows that call certrecon.

    Nothing is overwritten. What no option says is asked for on a terminal. With a sandbox's environment (certrecon
    sandbox env) all answers are the sandbox's. Where git has a remote "origin", lock and journal are kept there, and
    the journal begins if credentials are at hand; else they are kept on this machine.

    Exit codes: 0 made; 1 a file cannot be written; 64 wrong usage, or an answer is missing and there is no terminal.

    Examples: `certrecon init`; `certrecon init --customer-uri acme --account-id A-1XYZ --example`;
    `certrecon init -C certificates --project web --no-github`.
    """
    from reconciler.app.init import SOURCE, Answers, has_remote, scaffold

    root = directory.resolve()
    remote, sandbox = has_remote(root), bool(os.environ.get("CERTRECON_SANDBOX"))
    asked = _answers(
        {
            "project": project,
            "account_id": account_id,
            "customer_uri": customer_uri,
            "organization": organization,
            "profile": profile,
            "contract": contract,
        },
        needed=("customer_uri", *(("account_id",) if remote else ())),
        known=_known(root, os.environ),
    )
    answers = Answers(
        **asked,
        edgerc_section=edgerc_section,
        base_url=scm_url,
        secure_network=secure_network,
        example_identity=sandbox,
        example=example,
        remote=remote,
        branch=_branch(branch),
        github=github,
        source=_source(workflows or SOURCE),
    )
    for made in scaffold(root, answers):
        typer.echo(f"  {'+ created' if made.created else '= kept   '}  {made.path}")
    if remote:
        _begin_journals(root)
    _say_next(directory, answers)


def _known(root: Path, environment: Mapping[str, str]) -> dict[str, str]:
    """Return the answers that can be known without asking."""
    known = {"project": re.sub(r"[^A-Za-z0-9._-]+", "-", root.name).strip("-._") or "certificates"}
    if environment.get("CERTRECON_SANDBOX"):
        known |= _SANDBOX
        known["customer_uri"] = environment.get("CERTRECON_SCM_CUSTOMER_URI") or "acme"
    return known


def _answers(given: Mapping[str, _Text], *, needed: tuple[str, ...], known: Mapping[str, str]) -> dict[str, str]:
    """Return an answer to each question that has one: given, known, or asked for on a terminal.

    Raises:
        UsageError: one that is needed is missing, and there is nobody to ask.
    """
    answers = {name: value or known.get(name) for name, value in given.items()}
    if sys.stdin.isatty() and "customer_uri" not in known:
        for name in (name for name, value in given.items() if not value):
            optional = name in _MAY_BE_EMPTY or name not in (*needed, "project")
            answers[name] = typer.prompt(
                _QUESTIONS[name],
                default=answers[name] or ("" if optional else None),
                err=True,
                show_default=bool(answers[name]),
            )
    missing = [f"--{name.replace('_', '-')}" for name in needed if not answers[name]]
    if missing:
        raise UsageError(f"There is no terminal to ask on. Give {' and '.join(missing)}.")
    return {name: value for name, value in answers.items() if value}


def _branch(name: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9._/-]+", name):  # it stands in a workflow, where GitHub reads expressions
        raise UsageError(f'"{name}" cannot be written into a workflow. Give another --branch, or --no-github.')
    return name


def _source(text: str) -> str:
    name, at, ref = text.partition("@")
    if not at or not ref or name.count("/") != 1:
        raise UsageError(f'"{text}" is not OWNER/REPOSITORY@REF, as certrecon/certrecon@v1.')
    return text


def _begin_journals(root: Path) -> None:
    from reconciler.app.init import begin_journals
    from reconciler.wiring import open_examination

    try:
        with open_examination(root) as examination:
            for line in begin_journals(examination):
                say(line)
    except ConfigurationError as error:
        say(f"journal: not begun; the first apply does it. {error}")


def _say_next(directory: Path, answers: "Answers") -> None:
    from reconciler.app.init import certificate_text

    if not answers.remote:
        say("There is no git remote: lock and journal stay on this machine (lock.backend: file).")
    if not answers.example:
        say("Write a first certificate, certificates/www.example.com.yaml:\n")
        say("\n".join(f"    {line}" for line in certificate_text().splitlines()) + "\n")
    hint("certrecon validate", directory)
