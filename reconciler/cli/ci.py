"""`certrecon ci comment | plans | outputs`: what the workflows for GitHub and GitLab are made of."""

import json
import os
import re
import sys
from datetime import UTC
from pathlib import Path
from typing import Annotated

import typer

from reconciler.cli.options import Directory, say
from reconciler.errors import ExitCode, UsageError

app = typer.Typer(
    name="ci",
    rich_markup_mode=None,
    add_completion=False,
    help="Steps of CI jobs: comment on a pull request, fetch approved plans, set outputs. "
    "The token is read from CERTRECON_FORGE_TOKEN.\n\n"
    "Examples: `certrecon ci plans --branch main --to approved`.",
    no_args_is_help=True,
)

Project = Annotated[
    str,
    typer.Option(
        "--project",
        metavar="NAME",
        envvar="CERTRECON_CI_PROJECT",
        help="Tells the comments and plans of several projects of one repository apart.",
    ),
]
_PROJECT = re.compile(r"(?=.{1,64}\Z)[A-Za-z0-9._]+(-[A-Za-z0-9._]+)*")  # within an HTML comment: no "--"
_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")


@app.command()
def comment(
    number: Annotated[
        int, typer.Option("--pull-request", metavar="N", min=1, help="The pull request, or merge request.")
    ],
    head: Annotated[str, typer.Option("--head", metavar="SHA", help="The commit that the run is of.")],
    file: Annotated[
        Path | None, typer.Option("--file", metavar="PATH", help="What to say. Without it, that the run failed.")
    ] = None,
    plan: Annotated[
        Path | None, typer.Option("--plan", metavar="PATH", help="The plan as JSON, whose digest is shown.")
    ] = None,
    log: Annotated[
        Path | None, typer.Option("--log", metavar="PATH", help="What the run said, for the comment on a failure.")
    ] = None,
    exit_code: Annotated[int, typer.Option("--exit-code", metavar="N", help="How the run ended.")] = 0,
    plain: Annotated[
        bool, typer.Option("--plain", help="The file is text that nobody trusts: show it as it is.")
    ] = False,
    project: Project = "certrecon",
) -> None:
    """Keep one comment on a pull request true: written once, then replaced.

    A run that is not of the pull request's head any more writes nothing. Where the token may not comment, as in runs
    of forks, this is said, and the exit code is 0. Comments of others are never touched.

    Exit codes: 0 written, or nothing to write; 1 the forge did not do it; 64 wrong usage.

    Examples: `certrecon ci comment --pull-request 12 --head "$SHA" --file plan.md`.
    """
    from reconciler.app.comment import post
    from reconciler.report.comment import About, comment_text, failure_text, plain_text
    from reconciler.wiring import open_forge

    about = About(project=_project(project), head=_commit(head), run_url=_run_url(), digest=_digest(plan))
    said = _text(file)
    if not said.strip():
        body = failure_text(exit_code, _text(log), about)
    else:
        body = plain_text(said, about) if plain else comment_text(said, about)
    with open_forge(os.environ) as forge:
        posted = post(forge, number, body, about)
    say(f"certrecon: comment {posted}.")


@app.command()
def plans(
    to: Annotated[Path, typer.Option("--to", metavar="DIR", help="The folder that the plan files are written to.")],
    branch: Annotated[str, typer.Option("--branch", metavar="NAME", help="The branch that pull requests go into.")],
    directory: Directory = Path(),
    project: Project = "certrecon",
) -> None:
    """Fetch the approved plans: those of the pull requests merged since the last commit that was fully applied.

    Their paths are printed, one a line. With `policy.approval: merge` there are none to fetch, and nothing is asked.

    Exit codes: 0 fetched, or none; 1 they could not all be looked for, so that nothing should be applied; 64 wrong
    usage.

    Examples: `certrecon ci plans --branch main --to approved`.
    """
    from reconciler.app.approved import fetch_approved
    from reconciler.model.policy import Approval
    from reconciler.wiring import open_plan_archive

    name = _project(project)
    if not to.is_dir():
        raise UsageError(f'There is no folder "{to}". Create it first.')
    approval, commits = _since_applied(directory)
    if approval is not Approval.PLAN:
        return
    with open_plan_archive(os.environ) as archive:
        found = fetch_approved(archive, commits, branch=branch, project=name, to=to)
    for request in found.missing:
        say(
            f"certrecon: no plan of #{request.number} ({request.head[:12]}) is kept: what it wanted does not run. "
            "The plan of another pull request will have it again."
        )
    for file in found.files:
        sys.stdout.write(f"{file}\n")


def _since_applied(directory: Path) -> "tuple[object, tuple[str, ...]]":
    """Return how actions are approved, and the commits since the last one that every account has fully applied."""
    from reconciler.app.journals import read_journals
    from reconciler.desired.commits import commits_since
    from reconciler.desired.load import load
    from reconciler.desired.project import load_project
    from reconciler.model.policy import Approval
    from reconciler.services.clock import RealClock

    project = load_project(directory, environment=os.environ)
    if project.policy.approval is not Approval.PLAN:
        return project.policy.approval, ()
    today = RealClock().now().astimezone(UTC).date()
    accounts = frozenset(one.enrollment.account for one in load(project, today=today).certificates)
    journals = read_journals(project, accounts, os.environ)
    return project.policy.approval, commits_since(
        project.root, [state.last_applied_commit for state in journals.values()]
    )


@app.command()
def outputs(
    plan: Annotated[Path, typer.Option("--plan", metavar="PATH", help="The plan as JSON; it may be missing.")],
    exit_code: Annotated[int, typer.Option("--exit-code", metavar="N", help="How the run ended.")],
    file: Annotated[
        Path | None, typer.Option("--file", metavar="PATH", help="What the run printed, for the summary.")
    ] = None,
    log: Annotated[
        Path | None, typer.Option("--log", metavar="PATH", help="What the run said, for the summary of a failure.")
    ] = None,
    summary: Annotated[
        Path | None, typer.Option("--summary", metavar="PATH", help="Add the job's summary, as Markdown, to this file.")
    ] = None,
    page: Annotated[
        Path | None,
        typer.Option(
            "--page", metavar="PATH", help="What --output summary=PATH wrote: the summary, instead of --file."
        ),
    ] = None,
    project: Project = "certrecon",
) -> None:
    """Print the outputs of a step: exitcode, has-changes, plan-digest. For `$GITHUB_OUTPUT`.

    Exit codes: 0 printed; 64 wrong usage.

    Examples: `certrecon ci outputs --plan plan.json --exit-code 2 >> "$GITHUB_OUTPUT"`.
    """
    from reconciler.report.comment import summary_text

    if summary is not None:
        shown = _text(page) or summary_text(_text(file), _text(log), exit_code, _project(project))
        with summary.open("a", encoding="utf-8") as kept:
            kept.write(shown)
    changes = exit_code == ExitCode.CHANGES or _runs_something(_json(plan))
    found = {"exitcode": str(exit_code), "has-changes": str(changes).lower(), "plan-digest": _digest(plan)}
    for name, value in found.items():
        sys.stdout.write(f"{name}={value}\n")


def _runs_something(content: dict[str, object]) -> bool:
    summary = content.get("summary")
    return isinstance(summary, dict) and bool(summary.get("actions"))


def _digest(plan: Path | None) -> str:
    digest = _json(plan).get("digest") if plan is not None else None
    return digest if isinstance(digest, str) and re.fullmatch(r"[\w:-]{1,128}", digest) else ""


def _json(path: Path) -> dict[str, object]:
    """Return a plan file's content; nothing where a run ended before it wrote one."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def _text(path: Path | None) -> str:
    if path is None or not path.is_file():
        return ""
    return path.read_text(encoding="utf-8", errors="replace")


def _project(name: str) -> str:
    if not _PROJECT.fullmatch(name):
        raise UsageError(f'"{name}" is no name of a project here: letters, digits, dots, underscores, single dashes.')
    return name


def _commit(head: str) -> str:
    if not _COMMIT.fullmatch(head):
        raise UsageError(f'"{head}" is no commit id. Give it whole.')
    return head


def _run_url() -> str:
    from reconciler.app.lock_place import run_owner

    url = run_owner(os.environ).run_url
    return url if re.fullmatch(r"https?://[^\s()<>\"']+", url) else ""
