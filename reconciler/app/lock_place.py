"""Where an account's lock and journal are, whether that is safe enough, and who takes the lock."""

import getpass
import socket
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import assert_never

from reconciler.desired.folders import cache_folder, state_folder
from reconciler.errors import ConfigurationError, JournalError, Location, Problem
from reconciler.execution.filestore import FileStore
from reconciler.execution.store import MemoryStore, Store
from reconciler.model.lock import Owner, account_digest
from reconciler.model.policy import Account, LockSettings, Project

_SANDBOX = "CERTRECON_SANDBOX"
SHORTEST_TTL = timedelta(minutes=10)  # across a network, with clocks and pushes that stall
_FILE = Location("certrecon.yaml")


@contextmanager
def open_store(project: Project, account: Account, environment: Mapping[str, str]) -> Iterator[Store]:
    """Open the place of an account's lock and journal; it is closed at the end.

    Raises:
        ConfigurationError: it has no id, or the remote is not to be found.
        JournalError: the place cannot be used.
    """
    with closing(_store(project, account, environment)) as store:
        yield store


def _store(project: Project, account: Account, environment: Mapping[str, str]) -> Store:
    match project.lock.backend:
        case "git" if environment.get(_SANDBOX) and not _has_remote(project):
            return _file_store(account, environment)  # a trial needs no remote: it excludes nobody
        case "git":
            return _git_store(project, account, environment)
        case "file":
            return _file_store(account, environment)
        case "none":
            return MemoryStore()
        case _:
            assert_never(project.lock.backend)


def _file_store(account: Account, environment: Mapping[str, str]) -> Store:
    return FileStore(state_folder(environment) / "accounts" / _digest(account, environment))


def _has_remote(project: Project) -> bool:
    try:
        from reconciler.execution.gitrefs import resolve_remote

        resolve_remote(project.root, project.lock.remote)
    except (ImportError, ConfigurationError):
        return False
    return True


def _digest(account: Account, environment: Mapping[str, str]) -> str:
    """Return what an account's lock and journal are named by. Each sandbox's world has its own: a trial never writes
    into the journal of production, and a new world does not know the enrollments of another."""
    number, world = account.account_id or account.name, environment.get("CERTRECON_SANDBOX_WORLD")
    return account_digest(f"{number} in sandbox {world}" if world else number)


def _git_store(project: Project, account: Account, environment: Mapping[str, str]) -> Store:
    if account.account_id is None:
        raise _refusal(
            account.location,
            f"akamai.{account.name}.accountId",
            "the lock of backend git is named by the account's id at Akamai, which is missing.",
            "Add it, so that two projects on one account exclude each other.",
        )
    try:
        from reconciler.execution.gitrefs import GitStore, resolve_remote  # refuses to be imported where git is missing
    except ImportError as error:
        raise JournalError("there is no git here, and lock.backend is git.", remedy="Install git.") from error
    return GitStore(
        resolve_remote(project.root, project.lock.remote),
        prefix=project.lock.ref_prefix,
        account=_digest(account, environment),
        cache=cache_folder(environment) / "journals",
    )


def check_settings(project: Project, *, services_local: bool, allow_local_lock: bool = False) -> None:
    """Refuse a lock that does not exclude other machines' runs from real services.

    Raises:
        ConfigurationError: backend or lifetime are for runs that stay on this machine.
    """
    settings = project.lock
    if settings.backend != "git":
        if not (services_local or allow_local_lock):
            raise _refusal(
                _FILE,
                "lock.backend",
                f'"{settings.backend}" does not exclude runs on other machines.',
                "Set it to git, or give --allow-local-lock.",
            )
        return
    if settings.ttl < SHORTEST_TTL and not (services_local and _remote_is_local(project.root, settings)):
        raise _refusal(
            _FILE,
            "lock.ttl",
            "less than 10m is for a remote and services on this machine.",
            "Leave it out, or raise it.",
        )


def _remote_is_local(root: Path, settings: LockSettings) -> bool:
    from reconciler.execution.gitrefs import resolve_remote

    return resolve_remote(root, settings.remote).is_local


def _refusal(location: Location, pointer: str, text: str, remedy: str) -> ConfigurationError:
    return ConfigurationError([Problem(location=location, pointer=pointer, text=text, remedy=remedy)])


def run_owner(environment: Mapping[str, str], *, commit: str = "") -> Owner:
    """Return who runs: the actor of a CI run with its address, else the user and the machine."""
    if environment.get("GITHUB_RUN_ID"):
        run = f"{environment.get('GITHUB_REPOSITORY', '')}/actions/runs/{environment['GITHUB_RUN_ID']}"
        url = f"{environment.get('GITHUB_SERVER_URL', 'https://github.com')}/{run}"
        return Owner(name=environment.get("GITHUB_ACTOR", "GitHub Actions"), run_url=url, commit=commit)
    url = environment.get("CI_JOB_URL") or environment.get("BUILD_URL") or ""  # GitLab; Jenkins
    name = environment.get("GITLAB_USER_LOGIN") or f"{_user()}@{socket.gethostname()}"
    return Owner(name=name, run_url=url, commit=commit)


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a user id without a name, as containers have
        return "somebody"
