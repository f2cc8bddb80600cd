"""Where lock and journal are, what is refused, and who a run says it is."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from reconciler.app.lock_place import check_settings, open_store, run_owner
from reconciler.errors import ConfigurationError, Location
from reconciler.execution.filestore import FileStore
from reconciler.execution.store import MemoryStore
from reconciler.model.certificate import AccountName
from reconciler.model.lock import account_digest
from reconciler.model.policy import Account, LockSettings, Policy, Project
from tests.support.locks import bare_remote

ACCOUNT = Account(name=AccountName("main"), account_id="A-1XYZ", location=Location("certrecon.yaml", 3, 3))


def project(root: Path, settings: LockSettings) -> Project:
    return Project(
        root=root,
        name="web",
        requires=None,
        accounts={ACCOUNT.name: ACCOUNT},
        instances={},
        policy=Policy(),
        lock=settings,
    )


def test_a_folder_is_in_the_users_state_and_named_by_the_account(tmp_path: Path) -> None:
    environment = {"CERTRECON_STATE_DIR": str(tmp_path / "state")}
    with open_store(project(tmp_path, LockSettings(backend="file")), ACCOUNT, environment) as store:
        assert isinstance(store, FileStore)
        assert store.place == str(tmp_path / "state" / "accounts" / account_digest("A-1XYZ"))


def test_no_lock_is_one_in_memory(tmp_path: Path) -> None:
    with open_store(project(tmp_path, LockSettings(backend="none")), ACCOUNT, {}) as store:
        assert isinstance(store, MemoryStore)


def test_a_git_lock_needs_the_accounts_id(tmp_path: Path) -> None:
    nameless = replace(ACCOUNT, account_id=None)
    with (
        pytest.raises(ConfigurationError, match="accountId"),
        open_store(project(tmp_path, LockSettings()), nameless, {}),
    ):
        pass


@pytest.mark.parametrize("backend", ["file", "none"])
def test_a_lock_of_this_machine_is_refused_for_real_services_unless_allowed(tmp_path: Path, backend: str) -> None:
    settings = LockSettings(backend="file" if backend == "file" else "none")
    with pytest.raises(ConfigurationError, match="--allow-local-lock"):
        check_settings(project(tmp_path, settings), services_local=False)
    check_settings(project(tmp_path, settings), services_local=False, allow_local_lock=True)
    check_settings(project(tmp_path, settings), services_local=True)


@pytest.mark.parametrize(
    ("remote", "services_local", "refused"),
    [
        ("./locks.git", True, False),
        ("./locks.git", False, True),
        ("https://git.example/locks.git", True, True),
    ],
)
def test_a_short_lifetime_is_for_a_remote_and_services_on_this_machine(
    tmp_path: Path, remote: str, services_local: bool, refused: bool
) -> None:
    bare_remote(tmp_path / "locks.git")
    short = LockSettings(remote=remote, ttl=timedelta(seconds=3))
    if refused:
        with pytest.raises(ConfigurationError, match=r"lock\.ttl"):
            check_settings(project(tmp_path, short), services_local=services_local)
    else:
        check_settings(project(tmp_path, short), services_local=services_local)
    check_settings(project(tmp_path, replace(short, ttl=timedelta(minutes=10))), services_local=services_local)


@pytest.mark.parametrize(
    ("environment", "name", "run_url"),
    [
        (
            {"GITHUB_RUN_ID": "7", "GITHUB_REPOSITORY": "acme/web", "GITHUB_ACTOR": "alice"},
            "alice",
            "https://github.com/acme/web/actions/runs/7",
        ),
        (
            {"GITLAB_USER_LOGIN": "bob", "CI_JOB_URL": "https://gitlab.example/7"},
            "bob",
            "https://gitlab.example/7",
        ),
    ],
)
def test_a_run_in_ci_is_its_actor_and_its_address(environment: dict[str, str], name: str, run_url: str) -> None:
    owner = run_owner(environment, commit="1a2b")
    assert (owner.name, owner.run_url, owner.commit) == (name, run_url, "1a2b")


def test_a_run_elsewhere_is_its_user_and_machine() -> None:
    user, _, machine = run_owner({}).name.partition("@")
    assert user
    assert machine


def test_a_sandboxed_run_never_touches_the_journal_of_production(tmp_path: Path) -> None:
    one, other = ({"CERTRECON_STATE_DIR": str(tmp_path), "CERTRECON_SANDBOX_WORLD": world} for world in ("a", "b"))
    places = []
    for environment in (one, other, {"CERTRECON_STATE_DIR": str(tmp_path)}):
        with open_store(project(tmp_path, LockSettings(backend="file")), ACCOUNT, environment) as store:
            places.append(store.place)
    assert len(set(places)) == 3


def test_a_trial_on_a_sandbox_needs_no_remote(tmp_path: Path) -> None:
    environment = {"CERTRECON_STATE_DIR": str(tmp_path / "state"), "CERTRECON_SANDBOX": "https://localhost:1"}
    with open_store(project(tmp_path, LockSettings()), ACCOUNT, environment) as store:
        assert store.place.startswith(str(tmp_path / "state"))
    with pytest.raises(ConfigurationError), open_store(project(tmp_path, LockSettings()), ACCOUNT, {}):
        pass
