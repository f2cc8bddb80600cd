"""A run that is about a part: by name, label, account or kind of action; and a plan of what will be due."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from reconciler.errors import ExitCode
from reconciler.sandbox.server import BackgroundSandbox
from tests.support.control import Control
from tests.support.locks import bare_remote, git, git_store, take
from tests.support.program import Program, small_repository

HEAD = "apiVersion: certrecon/v1\n"


@pytest.fixture
def two_accounts(sandbox: BackgroundSandbox, tmp_path: Path) -> Program:
    """Return certrecon with a certificate in each of two accounts, locks and journals on a remote."""
    return of_two_accounts(sandbox, tmp_path)


def of_two_accounts(sandbox: BackgroundSandbox, folder: Path) -> Program:
    repository = small_repository(folder / "project", "www.example.com")
    configuration = repository / "certrecon.yaml"
    (repository / "certificates" / "www.example.com.yaml").write_text(
        f"{HEAD}commonName: www.example.com\nakamai: {{account: main}}\n"
    )
    emea = "  emea:\n    accountId: A-2EMEA\n    edgerc: {section: default}\n"
    text = configuration.read_text().replace("sectigo:", f"{emea}sectigo:")
    configuration.write_text(text.replace("{backend: file, ttl: 2s}", "{backend: git, remote: origin}"))
    (repository / "certificates" / "emea.yaml").write_text(
        f"{HEAD}commonName: emea.example.com\nakamai: {{account: emea}}\n"
    )
    git(repository, "init", "--quiet")
    git(repository, "remote", "add", "origin", str(bare_remote(folder / "remote.git")))
    named = {name: value for name, value in sandbox.environment.items() if name != "CERTRECON_SANDBOX_WORLD"}
    return Program(repository=repository, environment={**named, "CERTRECON_CACHE_DIR": str(folder / "user-cache")})


def test_of_two_accounts_the_locked_one_is_left_out_and_the_other_done(
    two_accounts: Program, control: Control, tmp_path: Path
) -> None:
    lease = take(git_store(tmp_path / "remote.git", tmp_path / "alice"))
    finished = two_accounts.apply()
    assert finished.exit_code == ExitCode.LOCKED, finished.stderr
    assert "alice@build7" in finished.stderr
    assert "PARTIAL: --account emea" in finished.stderr
    assert "done        emea" in finished.stdout
    assert [one["common_name"] for one in control.get("/state")["enrollments"]] == ["emea.example.com"]
    lease.release()
    lease.store.close()


def test_where_every_account_is_locked_nothing_is_read_but_our_own_rights(
    two_accounts: Program, control: Control, tmp_path: Path
) -> None:
    lease = take(git_store(tmp_path / "remote.git", tmp_path / "alice"))
    finished = two_accounts.apply("--account", "main")
    assert (finished.exit_code, finished.stdout) == (ExitCode.LOCKED, "")
    assert set(control.get("/calls")["calls"]) <= {"cps.list_grants", "scm.list_admins", "scm.get_admin"}
    lease.release()
    lease.store.close()


def test_an_account_alone_is_read_and_locked_alone(two_accounts: Program, control: Control, tmp_path: Path) -> None:
    """The other account's credentials are not even there."""
    configuration = two_accounts.repository / "certrecon.yaml"
    text = configuration.read_text()
    configuration.write_text(
        text.replace("A-2EMEA\n    edgerc: {section: default}", "A-2EMEA\n    edgerc: {section: none}")
    )
    assert two_accounts.plan().exit_code == 1
    assert two_accounts.apply("--account", "main").exit_code == 0
    assert [one["common_name"] for one in control.get("/state")["enrollments"]] == ["www.example.com"]
    assert git(tmp_path / "remote.git", "for-each-ref").count("refs/certrecon/lock/") == 1
    unknown = two_accounts.plan("--account", "apac")
    assert (unknown.exit_code, "It has: emea, main." in unknown.stderr) == (64, True)


def test_accounts_side_by_side_come_to_the_same_as_one_after_the_other(two_accounts: Program, control: Control) -> None:
    finished = two_accounts.apply("--parallelism", "2", "--format", "json")
    assert finished.exit_code == 0, finished.stderr
    assert control.get("/calls")["mutating"]["cps.create_enrollment"] == 2
    assert control.get("/calls")["mutating"]["scm.enroll"] == 2
    made = [(step["certificate"], step["operation"]) for step in finished.json["steps"]]
    steps = ["create enrollment", "submit order", "upload certificate", "promote to production"]
    assert [name for name, operation in made if operation == "create enrollment"] == ["emea", "www.example.com"]
    for name in ("emea", "www.example.com"):
        assert [operation for of, operation in made if of == name] == steps
    assert "No changes." in two_accounts.plan().stdout


def test_only_holds_back_what_is_of_another_kind_also_over_several_runs(program: Program, control: Control) -> None:
    assert program.apply().exit_code == 0
    program.write(
        "certificates/www.example.com.yaml", f"{HEAD}commonName: www.example.com\ndnsNames: [img.example.com]\n"
    )
    program.write("certificates/new.yaml", f"{HEAD}commonName: new.example.com\nlabels: {{team: web}}\n")
    planned = program.plan("--only", "reissue", "--format", "json").json
    assert {row["name"]: row["held"] for row in planned["certificates"]} == {
        "www.example.com": None,
        "new": "--only reissue holds it back",
    }
    while (finished := program.apply("--only", "create", wait="0s")).exit_code == ExitCode.UNDER_WAY:
        control.post("/advance", {"by": "1h"})  # each run goes on with what an earlier one has created
    assert finished.exit_code == 0, finished.stdout
    assert "held back   www.example.com" in finished.stdout
    calls = control.get("/calls")["mutating"]
    assert (calls["scm.enroll"], calls.get("cps.update_enrollment", 0)) == (2, 0)
    assert program.plan("--only", "create").exit_code == 0
    assert program.plan("--label", "team=web").exit_code == 0
    assert program.plan("--exclude", "new").exit_code == 2


def test_a_plan_of_an_instant_to_come_shows_what_is_due_then_and_is_not_for_apply(
    make_sandbox: Callable[..., BackgroundSandbox], tmp_path: Path
) -> None:
    sandbox = make_sandbox(start=datetime(2026, 6, 1, tzinfo=UTC))
    control = Control(sandbox.urls["control"], sandbox.urls["ca_file"])
    program = Program(repository=small_repository(tmp_path / "r", "www.example.com"), environment=sandbox.environment)
    assert program.apply().exit_code == 0
    assert "No changes." in program.plan("--at", "2026-10-01").stdout
    control.delete("/calls")
    due = program.plan("--at", "2026-11-20", "--output", "json=plan.json")
    assert due.exit_code == 2, due.stdout
    assert "AS OF 2026-11-20 00:00 UTC, as everything was seen at 2026-06-01" in due.stdout
    assert "± renew       www.example.com" in due.stdout
    cut = program.plan("--at", "2027-03-16")  # when the profile's only term is longer than what may be issued
    assert (cut.exit_code, "may have at most 100 days" in cut.stdout) == (1, True)
    assert control.get("/calls")["mutating_total"] == 0
    saved = json.loads((program.repository / "plan.json").read_text())
    assert (saved["at"], saved["seen_at"][:10]) == ("2026-11-20T00:00:00Z", "2026-06-01")
    refused = program.apply("plan.json")
    assert (refused.exit_code, "was made with --at" in refused.stderr) == (64, True)
    assert "AS OF 2026-11-20" in program.run("show", "plan.json").stdout
    past = program.plan("--at", "2026-06-01")
    assert (past.exit_code, "is not to come" in past.stderr) == (64, True)


def test_what_is_named_and_has_a_broken_file_is_an_error_that_says_so(program: Program, control: Control) -> None:
    program.write("certificates/broken.yaml", f"{HEAD}commonName: broken.example.com\ndnsName: [x.example.com]\n")
    for option in ("--promote", "--retry", "--supersede", "--allow-adopt", "--target"):
        finished = program.apply(option, "broken")
        assert finished.exit_code == 1
        assert 'certificates/broken.yaml:3:1: error: dnsName: There is no field "dnsName" here.' in finished.stderr
    assert program.apply("--promote", "www*").exit_code == 64
    assert control.get("/calls")["mutating_total"] == 0
