"""One look with everything that was decided from it: what the commands that only tell are made of."""

import difflib
from collections.abc import Mapping
from dataclasses import dataclass

from reconciler.app.journals import read_journals
from reconciler.app.plan import Planner
from reconciler.app.preflight import with_preflight
from reconciler.desired.load import Desired
from reconciler.errors import DesiredStateError, JournalError, Severity, UsageError
from reconciler.execution.observe import Observer
from reconciler.model.certificate import AccountName, DesiredCertificate
from reconciler.model.journal import OpenState
from reconciler.model.policy import Project
from reconciler.planning.case import Context
from reconciler.planning.plan import Plan


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """A plan, and what it was decided with."""

    plan: Plan
    context: Context


def look(
    planner: Planner, observer: Observer, journals: Mapping[AccountName, OpenState], *, in_full: bool = False
) -> Looked:
    """Look once and decide. `in_full`: also read pending changes that nothing is decided from.

    Raises:
        AuthenticationError: a service did not accept the credentials.
    """
    interest = (lambda *_: True) if in_full else planner.interest(journals)
    observed = observer.look(planner.certificates, interest=interest, journals=journals)
    plan, context = planner.plan(observed, journals)
    checked = with_preflight(plan, context, observer.services.scm, planner.desired.certificates)
    return Looked(plan=checked, context=context)


def readable_journals(
    project: Project, accounts: frozenset[AccountName], environment: Mapping[str, str]
) -> tuple[dict[AccountName, OpenState], tuple[str, ...]]:
    """Return the journals that can be read, and why the others cannot: who only looks goes on without them."""
    journals: dict[AccountName, OpenState] = {}
    problems: list[str] = []
    for account in sorted(accounts):
        try:
            journals |= read_journals(project, frozenset({account}), environment)
        except JournalError as error:
            problems.append(f"account {account}: {error}")
    return journals, tuple(problems)


def broken_files(desired: Desired) -> DesiredStateError:
    """Return the error for what is named and cannot be used: with all that is wrong in the files."""
    return DesiredStateError(one for one in desired.problems if one.severity is Severity.ERROR)


def certificate_of(desired: Desired, name: str) -> DesiredCertificate:
    """Return the certificate of that very name.

    Raises:
        DesiredStateError: its file cannot be used; with all that is wrong in the files.
        UsageError: there is none.
    """
    found = next((one for one in desired.certificates if one.name == name), None)
    if found is not None:
        return found
    if name in desired.broken:
        raise broken_files(desired)
    close = difflib.get_close_matches(name, [one.name for one in desired.certificates], n=1)
    hint = f' Did you mean "{close[0]}"?' if close else " Their names are those of their files."
    raise UsageError(f'No certificate is called "{name}".{hint}')
