"""The journals of a run's accounts: read by plan, held with their locks by apply."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta

from reconciler.app.lock import show
from reconciler.app.lock_place import open_store
from reconciler.errors import JournalError, LockHeldError
from reconciler.execution.durable import DurableJournal
from reconciler.execution.journal import RunJournal
from reconciler.execution.lock import Locker, new_state
from reconciler.execution.store import Versions
from reconciler.model.certificate import AccountName
from reconciler.model.journal import OpenState
from reconciler.model.lock import Owner
from reconciler.model.policy import Project
from reconciler.ports import Clock, Journal, Lease


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """What a run holds: journals and leases of the accounts that it got, and why it did not get the others."""

    journals: Mapping[AccountName, Journal]
    leases: Mapping[AccountName, Lease] = field(default_factory=dict)
    locked_out: Mapping[AccountName, LockHeldError] = field(default_factory=dict)


def read_journals(
    project: Project, accounts: frozenset[AccountName], environment: Mapping[str, str]
) -> dict[AccountName, OpenState]:
    """Return what the journals know, without taking any lock; a journal that does not exist yet knows nothing.

    Raises:
        JournalError: a journal cannot be read, or is not the one that the lock names.
    """
    if project.lock.backend == "none":
        return {}
    found: dict[AccountName, OpenState] = {}
    for name in sorted(accounts):
        with open_store(project, project.accounts[name], environment) as store:
            standing = show(store, name)
        if standing.problem is not None:
            raise JournalError(standing.problem, remedy="Run 'certrecon lock repair'.")
        found[name] = standing.state or new_state()
    return found


@contextmanager
def hold(
    project: Project,
    accounts: frozenset[AccountName],
    environment: Mapping[str, str],
    clock: Clock,
    *,
    owner: Owner,
    timeout: timedelta,
    may_create: Callable[[], bool],
    stop: Callable[[], bool] = lambda: False,
) -> Iterator[Held]:
    """Take the lock of each account that can be had, and release all of them at the end.

    `may_create` tells whether a journal may begin where there is none: only if no order carries a tag of ours. It is
    asked only then.
    """
    if project.lock.backend == "none":
        yield Held(journals={name: RunJournal() for name in accounts})
        return
    journals: dict[AccountName, Journal] = {}
    leases: dict[AccountName, Lease] = {}
    locked_out: dict[AccountName, LockHeldError] = {}
    with ExitStack() as stack:
        for name in sorted(accounts):
            store = stack.enter_context(open_store(project, project.accounts[name], environment))
            locker = Locker(store, account=name, owner=owner, ttl=project.lock.ttl)
            begins = store.read().versions == Versions(lock=None, journal=None)
            try:
                lease = locker.take(at=clock.now(), timeout=timeout, create=begins and may_create(), stop=stop)
            except LockHeldError as error:
                locked_out[name] = error
                continue
            leases[name] = stack.enter_context(lease)
            journals[name] = DurableJournal(lease, clock)
        yield Held(journals=journals, leases=leases, locked_out=locked_out)
