"""`certrecon lock show | break | repair`."""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.text import Text

from reconciler.cli.options import Directory, Format, Rendering, chosen_format, emit, say
from reconciler.errors import ExitCode, JournalError, UsageError

if TYPE_CHECKING:
    from reconciler.app.lock import Found, Repair, Standing
    from reconciler.model.policy import Account, Project
    from reconciler.planning.observed import Observed

FORMAT_VERSION = "1.0"

app = typer.Typer(
    name="lock",
    rich_markup_mode=None,
    add_completion=False,
    help="The lock and the journal of each account.\n\nExamples: `certrecon lock show`; `certrecon lock repair`.",
    no_args_is_help=True,
)

AccountOption = Annotated[
    str | None,
    typer.Option("--account", metavar="NAME", envvar="CERTRECON_ACCOUNT", help="Only this Akamai account."),
]


@app.command()
def show(directory: Directory = Path(), account: AccountOption = None, chosen: Format = "text") -> None:
    """Say who has the lock, since when and where, and how the journal stands. Nothing is taken.

    Exit codes: 0 shown; 1 a journal cannot be used, or the remote does not answer; 64 wrong usage.

    Examples: `certrecon lock show`; `certrecon lock show --account main --format json`.
    """
    from reconciler.app.lock import show as shown
    from reconciler.app.lock_place import open_store

    format_name, project = chosen_format(chosen), _project(directory)
    standings = []
    for one in _accounts(project, account):
        with open_store(project, one, os.environ) as store:
            standings.append(shown(store, one.name))
    data = {"format_version": FORMAT_VERSION, "accounts": [_data(one) for one in standings]}
    emit(Rendering(text=[line for one in standings for line in _lines(one)], data=data), format_name, ())
    raise typer.Exit(ExitCode.ERROR if any(one.problem for one in standings) else ExitCode.DONE)


@app.command(name="break")
def break_(
    directory: Directory = Path(),
    account: AccountOption = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask. Needed where there is no terminal.")] = False,
) -> None:
    """Free a lock whose run has died. A run that is still alive writes and sends nothing more once it notices.

    Exit codes: 0 free now; 1 declined, or it could not be freed; 64 wrong usage, or no terminal and no --yes.

    Examples: `certrecon lock break`; `certrecon lock break --account main --yes`.
    """
    from reconciler.app.lock import break_lock
    from reconciler.app.lock import show as shown
    from reconciler.app.lock_place import open_store

    project = _project(directory)
    if not yes and not sys.stdin.isatty():
        raise UsageError("There is no terminal to ask on. Give --yes, or run it in a terminal.")
    one = _one_account(project, account)
    with open_store(project, one, os.environ) as store:
        standing = shown(store, one.name)
        if not standing.held:
            say(f"lock: account {one.name} is not locked.")
            return
        for line in _lines(standing):
            say(line.plain)
        if not yes and not typer.confirm("Is that run dead, and may its lock be broken?", err=True):
            raise typer.Exit(ExitCode.ERROR)
        break_lock(store, standing)
    say(f"lock: account {one.name} is free. What its run had sent may still take effect; the next plan shows it.")


@app.command()
def repair(directory: Directory = Path(), account: AccountOption = None) -> None:
    """Rebuild a journal that is missing or does not fit its lock, from tags and serials; say what is lost.

    It reads the services and changes nothing there. Open intents are lost with a journal: look at the next plan before
    you apply it.

    Exit codes: 0 repaired, or nothing to repair; 1 a service could not be read completely; 6 the lock is held.

    Examples: `certrecon lock repair`; `certrecon lock repair --account main`.
    """
    from reconciler.app.lock import repair as repaired
    from reconciler.app.lock_place import open_store, run_owner
    from reconciler.wiring import open_run

    project = _project(directory)
    one = _one_account(project, account)
    with open_run(directory, only_looks=False) as run, open_store(project, one, os.environ) as store:
        observed = run.observer.look(run.planner.certificates)
        done = repaired(store, one.name, _found(observed, one), owner=run_owner(os.environ), at=run.clock.now())
    for line in _repair_lines(one, done):
        say(line)


def _project(directory: Path) -> "Project":
    from reconciler.desired.project import load_project

    project = load_project(directory, environment=os.environ)
    if project.lock.backend == "none":
        raise UsageError("lock.backend is none: there is no lock.")
    return project


def _accounts(project: "Project", name: str | None) -> list["Account"]:
    chosen = [one for one in project.accounts.values() if name is None or one.name == name]
    if not chosen:
        raise UsageError(f'There is no account "{name}". The configuration names: {", ".join(project.accounts)}.')
    return chosen


def _one_account(project: "Project", name: str | None) -> "Account":
    chosen = _accounts(project, name)
    if len(chosen) > 1:
        raise UsageError(f"Name the account with --account, one of: {', '.join(one.name for one in chosen)}.")
    return chosen[0]


def _found(observed: "Observed", account: "Account") -> "Found":
    """Return what a repair goes by; only complete readings count, since what is overlooked would be done again."""
    from reconciler.app.lock import Found

    view = observed.accounts.get(account.name)
    if view is None:
        raise UsageError(f"No certificate file is of account {account.name}: nothing tells which orders are its own.")
    readings = [view.enrollments, view.served, *(one.orders for one in observed.instances.values())]
    problems = [problem for reading in readings if not reading.complete for problem in reading.problems]
    if problems or not all(reading.complete for reading in readings):
        raise JournalError(
            f"it cannot be rebuilt from what could not be read completely: {'; '.join(problems)}.", remedy="Try again."
        )
    orders = tuple(order for one in observed.instances.values() for order in one.orders.values)
    return Found(orders=orders, enrollments=view.enrollments.values, served=view.served.values)


def _lines(standing: "Standing") -> list[Text]:
    from reconciler.execution.lock import held_text

    record, state = standing.record, standing.state
    if record is not None and not record.free:
        lines = held_text(standing.account, record, gone=standing.holder_gone).splitlines()
    else:
        lines = [f"lock: account {standing.account} is free."]
        if record is not None:
            how = "its lock was broken" if record.broken else "it released the lock"
            lines.append(
                f"  last: {record.owner.name}, epoch {record.epoch}; {how} at {record.beat_at:%Y-%m-%d %H:%M} UTC"
            )
    if standing.problem is not None:
        lines.append(f"  journal: {standing.problem} Nothing is changed until 'certrecon lock repair' was run.")
    elif state is None:
        lines.append("  journal: none yet; the first apply begins it")
    else:
        lines.append(f"  journal: {state.journal_id}, {state.sequence} appends, {len(state.open)} intents open")
    lines.append(f"  at: {standing.place}")
    return [Text(line) for line in lines]


def _data(standing: "Standing") -> dict[str, Any]:
    record, state = standing.record, standing.state
    return {
        "account": standing.account,
        "place": standing.place,
        "held": standing.held,
        "lock": None
        if record is None
        else {
            "owner": record.owner.name,
            "run_url": record.owner.run_url or None,
            "commit": record.owner.commit or None,
            "since": record.since.isoformat(),
            "last_heartbeat": record.beat_at.isoformat(),
            "epoch": record.epoch,
            "ttl_s": record.ttl_s,
            "broken": record.broken,
        },
        "journal": None
        if state is None
        else {"id": state.journal_id, "sequence": state.sequence, "open_intents": len(state.open)},
        "problem": standing.problem,
    }


def _repair_lines(account: "Account", done: "Repair") -> list[str]:
    if not done.repaired:
        return [f"lock: account {account.name}: lock and journal are in order; nothing was changed."]
    state = done.state
    return [
        f"lock: account {account.name}: repaired; {done.reason}",
        f"  found again: {len(state.enrollments)} enrollments, {len(state.changes)} changes, {len(state.orders)} orders"
        f" of installation {state.installation}",
        *(f"  lost: {one}" for one in done.lost),
    ]
