"""`apply` on a remote whose refs are not what it left there, and on a machine whose wall clock jumps.

Journal and lock are two refs of a bare repository on disk. Where they cannot be trusted, nothing is sent.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from reconciler.execution.realtime import RealTime
from reconciler.sandbox.server import BackgroundSandbox
from reconciler.services.http import Answer, Request, Transport
from tests.support.control import Control
from tests.support.crash import Send, at_call, intercepted
from tests.support.locks import bare_remote, git, git_store, ref, take
from tests.support.program import Finished, Program, small_repository

LOCK, JOURNAL = ref("lock"), ref("journal")


@pytest.fixture
def remote(tmp_path: Path) -> Path:
    return bare_remote(tmp_path / "remote.git")


@pytest.fixture
def team(sandbox: BackgroundSandbox, remote: Path, tmp_path: Path) -> Program:
    """Return certrecon in a clone of that remote: one file is there, and nothing has run."""
    repository = small_repository(tmp_path / "project", "www.example.com")
    configuration = repository / "certrecon.yaml"
    text = configuration.read_text()
    assert "{backend: file, ttl: 2s}" in text
    configuration.write_text(text.replace("{backend: file, ttl: 2s}", "{backend: git, remote: origin}"))
    git(repository, "init", "--quiet")
    git(repository, "remote", "add", "origin", str(remote))
    named = {name: value for name, value in sandbox.environment.items() if name != "CERTRECON_SANDBOX_WORLD"}
    return Program(repository=repository, environment={**named, "CERTRECON_CACHE_DIR": str(tmp_path / "user-cache")})


@pytest.fixture
def ordered(team: Program, control: Control) -> Program:
    """Return the program when its order is placed, and the certificate is not deployed."""
    assert team.apply(wait="5m").exit_code == 3
    assert control.get("/calls")["mutating"]["scm.enroll"] == 1
    control.delete("/calls")
    return team


def delete(remote: Path, *refs: str) -> None:
    for one in refs:
        git(remote, "update-ref", "-d", one)


def refs(remote: Path) -> str:
    return git(remote, "for-each-ref")


def refused(program: Program, control: Control, remote: Path) -> Finished:
    """Check that apply sends nothing and leaves the refs alone, and names the remedy."""
    before = refs(remote)
    finished = program.apply()
    assert finished.exit_code == 1, finished.stdout + finished.stderr
    assert "certrecon lock repair" in finished.stderr
    assert (control.get("/calls")["mutating_total"], refs(remote)) == (0, before)
    return finished


def goes_on(program: Program, control: Control) -> None:
    """Check that after a repair the work is brought to its end, and nothing is ordered again."""
    repaired = program.run("lock", "repair")
    assert repaired.exit_code == 0, repaired.stderr
    finished = program.apply()
    assert finished.exit_code == 0, finished.stdout + finished.stderr
    assert "No changes." in program.plan().stdout
    mutating = control.get("/calls")["mutating"]
    assert "scm.enroll" not in mutating
    assert "cps.create_enrollment" not in mutating


def test_a_journal_that_was_deleted_stops_apply_until_it_is_rebuilt(
    ordered: Program, control: Control, remote: Path
) -> None:
    delete(remote, JOURNAL)
    assert "there is no journal" in refused(ordered, control, remote).stderr
    assert ordered.plan().exit_code == 1
    goes_on(ordered, control)


def test_without_both_refs_the_tags_of_orders_tell_that_there_was_a_journal(
    ordered: Program, control: Control, remote: Path
) -> None:
    delete(remote, JOURNAL, LOCK)
    assert "whether there ever was one is not known" in refused(ordered, control, remote).stderr
    goes_on(ordered, control)


def test_a_journal_of_another_repository_is_not_taken_for_ours(
    ordered: Program, control: Control, remote: Path, tmp_path: Path
) -> None:
    other = bare_remote(tmp_path / "other.git")
    store = git_store(other, tmp_path / "other-cache")
    take(store).release()
    store.close()
    git(remote, "fetch", "--quiet", str(other), f"+{JOURNAL}:{JOURNAL}")
    assert "the lock names journal" in refused(ordered, control, remote).stderr
    goes_on(ordered, control)


def test_a_lock_that_is_deleted_under_its_holder_ends_the_run_and_the_next_goes_on(
    team: Program, control: Control, remote: Path
) -> None:
    def delete_lock(_transport: Transport, _request: Request, send: Send) -> Answer:
        delete(remote, LOCK)
        return send()

    with intercepted(at_call(1, delete_lock)):
        ended = team.apply()
    assert ended.exit_code == 6, ended.stdout + ended.stderr
    assert "its ref was removed" in ended.stderr
    assert control.get("/calls")["mutating"] == {"cps.create_enrollment": 1}
    finished = team.apply()  # it sees the enrollment, whose outcome could not be written
    assert finished.exit_code == 0, finished.stdout + finished.stderr
    calls = control.get("/calls")["mutating"]
    assert (calls["cps.create_enrollment"], calls["scm.enroll"]) == (1, 1)


# A machine's wall clock that jumps


def jumping(hours: float) -> Callable[[RealTime], datetime]:
    """Return a wall clock that is off by so much more at each look at it."""
    looks = 0

    def wall(_self: RealTime) -> datetime:
        nonlocal looks
        looks += 1
        return datetime.now(UTC) + looks * timedelta(hours=hours)  # noqa: TID251 - it stands for the machine's clock

    return wall


@pytest.mark.parametrize("hours", [6, -6])
def test_a_wall_clock_that_jumps_between_heartbeats_neither_loses_the_lock_nor_gives_it_away(
    team: Program, control: Control, monkeypatch: pytest.MonkeyPatch, hours: float
) -> None:
    monkeypatch.setattr(RealTime, "wall", jumping(hours))
    seen: list[Finished] = []

    def contend(_transport: Transport, _request: Request, send: Send) -> Answer:
        seen.append(team.apply("--lock-timeout", "1s", wait="0s"))
        return send()

    with intercepted(at_call(2, contend)):
        finished = team.apply()
    assert finished.exit_code == 0, finished.stdout + finished.stderr
    assert [(one.exit_code, "is locked by" in one.stderr) for one in seen] == [(6, True)]
    calls = control.get("/calls")["mutating"]
    assert (calls["cps.create_enrollment"], calls["scm.enroll"]) == (1, 1)


def test_what_a_run_left_open_is_no_older_for_a_clock_that_was_set_forward(
    team: Program, control: Control, remote: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody knows whether the run whose lock is gone has ended: only real time since our own taking counts."""
    control.post("/faults", {"operation": "scm.enroll", "kind": "refuse"})
    assert team.apply(wait="5m").exit_code == 1
    delete(remote, LOCK)
    control.post("/advance", {"by": "1h"})
    monkeypatch.setattr(RealTime, "wall", lambda _: datetime.now(UTC) + timedelta(hours=12))  # noqa: TID251 - as above
    early = team.apply(wait="0s")
    assert "the order may show yet" in early.stdout, early.stdout
    assert control.get("/calls")["mutating"]["scm.enroll"] == 1
