"""History: the journal's entries on one certificate, and CPS's list of its changes. Nothing is changed."""

from collections.abc import Mapping

from reconciler.app.lock import show
from reconciler.app.lock_place import open_store
from reconciler.errors import AuthenticationError, JournalError, ServiceError
from reconciler.execution.durable import history
from reconciler.model.certificate import DesiredCertificate, EnrollmentId
from reconciler.model.enrollment import ChangeRecord
from reconciler.model.journal import OpenState, identity_key
from reconciler.model.journal_entries import Entry
from reconciler.model.policy import Project
from reconciler.planning.indexes import EnrollmentIndex
from reconciler.planning.matching import Found, match_enrollment
from reconciler.ports import Cps
from reconciler.report.history import History, cps_events, journal_events, merged


def make_history(project: Project, cps: Cps, desired: DesiredCertificate, environment: Mapping[str, str]) -> History:
    """Read both sources. What one of them does not give is said, and the other is told.

    Raises:
        AuthenticationError: CPS did not accept the credentials.
    """
    problems: list[str] = []
    entries, state = _journal(project, desired, environment, problems)
    records, number = _records(cps, desired, state, problems)
    return History(
        name=desired.name,
        enrollment_id=number,
        events=merged(journal_events(entries, desired, number), cps_events(records)),
        problems=tuple(problems),
    )


def _journal(
    project: Project, desired: DesiredCertificate, environment: Mapping[str, str], problems: list[str]
) -> tuple[tuple[Entry, ...], OpenState | None]:
    """Return all entries of the account's journal, and its state; nothing where none is kept."""
    if project.lock.backend == "none":
        return (), None
    account = project.accounts[desired.enrollment.account]
    try:
        with open_store(project, account, environment) as store:
            standing = show(store, account.name)
            if standing.problem is not None:
                problems.append(f"the journal: {standing.problem}")
            return tuple(history(store)), standing.state
    except JournalError as error:
        problems.append(str(error))
        return (), None


def _records(
    cps: Cps, desired: DesiredCertificate, state: OpenState | None, problems: list[str]
) -> tuple[tuple[ChangeRecord, ...], EnrollmentId | None]:
    number = desired.enrollment.enrollment_id
    if number is None and state is not None:
        number = state.enrollments.get(identity_key(desired.identity))
    try:
        number = number if number is not None else _found(cps, desired, problems)
        return (cps.history(number) if number is not None else ()), number
    except AuthenticationError:
        raise
    except ServiceError as error:
        problems.append(str(error))
        return (), number


def _found(cps: Cps, desired: DesiredCertificate, problems: list[str]) -> EnrollmentId | None:
    """Return the enrollment by its identity: a journal does not know it yet, or not any more."""
    contracts = cps.contracts()
    enrollments = cps.enrollments(contracts.values)
    problems.extend((*contracts.problems, *enrollments.problems))
    match = match_enrollment(desired, EnrollmentIndex.of(enrollments.values))
    return match.enrollment.id if isinstance(match, Found) else None
