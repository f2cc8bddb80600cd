"""Guards, budgets and approvals: what files ask for and does not run, or not yet."""

import pytest

from tests.support.control import Control
from tests.support.program import Program

NAME = "www.example.com"
FILE = f"certificates/{NAME}.yaml"
HEAD = f"apiVersion: certrecon/v1\ncommonName: {NAME}\n"


def policy(program: Program, text: str) -> None:
    """Replace the policy of the configuration."""
    path = program.repository / "certrecon.yaml"
    lines = path.read_text().splitlines()
    start = lines.index("policy:")
    path.write_text("\n".join([*lines[:start], "policy:", f"  {text}", *lines[start + 2 :]]) + "\n")


@pytest.fixture
def live(program: Program, control: Control) -> Program:
    control.post("/options", {"rate_limits": "unlimited"})  # a call that comes too early would count twice
    assert program.apply().exit_code == 0
    control.delete("/calls")
    return program


def mutating(control: Control) -> dict[str, int]:
    found: dict[str, int] = control.get("/calls")["mutating"]
    return found


def absent(program: Program, control: Control, extra: str = "") -> None:
    (enrollment,) = control.get("/state")["enrollments"]
    program.write(FILE, f"{HEAD}state: absent\nakamai: {{enrollmentId: {enrollment['id']}}}\n{extra}")


def test_a_delete_is_refused_without_a_budget_and_done_within_one(live: Program, control: Control) -> None:
    absent(live, control)
    refused = live.plan()
    assert refused.exit_code == 4
    assert "deletes" in refused.stdout
    assert live.apply().exit_code == 4
    assert mutating(control) == {}
    policy(live, "budgets: {deletes: 1}")
    finished = live.apply()
    assert mutating(control) == {"cps.delete_enrollment": 1}, finished.stdout + finished.stderr
    control.post("/advance", {"by": "2h"})
    again = live.apply()
    assert again.exit_code == 0, again.stdout
    assert "the file can go" in live.plan().stdout


def test_a_person_may_raise_a_budget_for_one_run(live: Program, control: Control) -> None:
    absent(live, control)
    finished = live.apply("--allow-budget", "deletes=1")
    assert mutating(control) == {"cps.delete_enrollment": 1}, finished.stdout + finished.stderr


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("deletes", '"deletes" is not BUDGET=N, as deletes=2.'),
        ("deletes=-1", '"deletes=-1" is not BUDGET=N'),
        ("removals=1", 'There is no budget "removals". Choose one of: orders, ordersPerDay, deletes'),
        ("ordersPerDay=199", "would lower it: policy.budgets.ordersPerDay is 200."),
    ],
)
def test_a_budget_that_can_not_be_raised_is_wrong_usage(
    program: Program, control: Control, given: str, said: str
) -> None:
    finished = program.apply("--allow-budget", given)
    assert finished.exit_code == 64
    assert said in finished.stderr
    assert mutating(control) == {}


def test_what_is_protected_loses_no_name(program: Program, control: Control) -> None:
    program.write(FILE, HEAD + "dnsNames: [img.example.com]\n")
    assert program.apply().exit_code == 0
    control.delete("/calls")
    program.write(FILE, HEAD + "protect: true\n")
    refused = program.apply()
    assert refused.exit_code == 4
    assert "it would lose img.example.com" in refused.stdout
    assert mutating(control) == {}


def test_orders_are_throttled_and_the_rest_waits_for_the_next_run(program: Program, control: Control) -> None:
    policy(program, "budgets: {orders: 2}")
    for name in ("a", "b", "c"):
        program.write(f"certificates/{name}.yaml", f"apiVersion: certrecon/v1\ncommonName: {name}.example.com\n")
    first = program.apply()
    assert first.exit_code == 3
    assert (mutating(control)["cps.create_enrollment"], mutating(control)["scm.enroll"]) == (2, 2)
    assert program.apply().exit_code == 0
    assert mutating(control)["scm.enroll"] == 4


def test_nothing_is_begun_in_a_freeze(program: Program, control: Control) -> None:
    policy(program, "renewal: {freeze: [{from: 2026-11-10, to: 2026-11-30, reason: peak}]}")
    finished = program.apply()
    assert finished.exit_code == 4
    assert "peak" in finished.stdout
    assert mutating(control) == {}


def test_with_approval_by_plan_only_what_a_plan_file_says_runs(program: Program, control: Control) -> None:
    policy(program, "approval: plan")
    assert program.apply().exit_code == 0
    assert mutating(control) == {}
    assert program.run("plan", "--output", "json=plan.json").exit_code == 0
    program.write("certificates/img.yaml", "apiVersion: certrecon/v1\ncommonName: img.example.com\n")
    finished = program.apply("plan.json")
    assert finished.exit_code == 0, finished.stdout + finished.stderr
    assert mutating(control)["cps.create_enrollment"] == 1
    assert control.get("/state")["enrollments"][0]["common_name"] == NAME


def test_an_approved_action_whose_file_has_changed_is_stale(program: Program, control: Control) -> None:
    policy(program, "approval: plan")
    program.run("plan", "--output", "json=plan.json")
    program.write(FILE, HEAD + "dnsNames: [img.example.com]\n")
    finished = program.apply("plan.json")
    assert finished.exit_code == 5
    assert "moved since" in finished.stderr
    assert mutating(control) == {}


def test_an_approved_action_is_stale_where_somebody_has_edited_the_enrollment_since(
    live: Program, control: Control
) -> None:
    policy(live, "approval: plan\n  budgets: {deletes: 1}")
    absent(live, control)
    assert live.run("plan", "--output", "json=plan.json").exit_code == 0
    (enrollment,) = control.get("/state")["enrollments"]
    new_phone = {"techContact": {"phone": "+44 161 111 1111"}}
    control.post("/cps/edit", {"enrollment_id": enrollment["id"], "changes": new_phone})
    finished = live.apply("plan.json")
    assert (finished.exit_code, mutating(control)) == (5, {}), finished.stdout + finished.stderr
    assert f"{NAME}: delete: the file or the live objects have moved since" in finished.stderr
    assert live.run("plan", "--output", "json=plan.json").exit_code == 0
    live.apply("plan.json")
    assert mutating(control) == {"cps.delete_enrollment": 1}


def test_plan_files_are_wrong_usage_where_the_branch_approves(program: Program) -> None:
    program.run("plan", "--output", "json=plan.json")
    assert program.apply("plan.json").exit_code == 64


def test_a_second_run_is_locked_out_and_changes_nothing(program: Program, control: Control) -> None:
    from datetime import timedelta

    from reconciler.app.journals import hold
    from reconciler.desired.project import load_project
    from reconciler.model.certificate import AccountName
    from reconciler.model.lock import Owner
    from reconciler.services.clock import RealClock

    project = load_project(program.repository, environment=program.environment)
    holding = hold(
        project,
        frozenset({AccountName("main")}),
        program.environment,
        RealClock(),
        owner=Owner(name="another run", run_url="https://ci.example.com/7", commit=""),
        timeout=timedelta(),
        may_create=lambda: True,
    )
    with holding:
        finished = program.apply()
    assert finished.exit_code == 6, finished.stdout + finished.stderr
    assert "another run" in finished.stderr
    assert mutating(control) == {}
    assert program.apply().exit_code == 0


def test_a_revocation_is_refused_without_a_budget_and_done_within_one(live: Program, control: Control) -> None:
    live.write(FILE, HEAD + "dnsNames: [img.example.com]\n")
    assert live.apply().exit_code == 0
    control.delete("/calls")
    old = min(control.get("/state")["orders"], key=lambda order: order["ssl_id"])
    live.write(
        FILE, HEAD + f"dnsNames: [img.example.com]\nrevoke: [{{serial: '{old['serial']}', reason: superseded}}]\n"
    )
    assert live.apply().exit_code == 4
    assert mutating(control) == {}
    policy(live, "budgets: {revokes: 1}")
    finished = live.apply()
    assert finished.exit_code == 0, finished.stdout + finished.stderr
    assert mutating(control) == {"scm.revoke": 1}
    assert "No changes." in live.plan().stdout


def test_a_change_of_somebody_else_is_cancelled_only_as_declared_and_within_the_budget(
    live: Program, control: Control
) -> None:
    (enrollment,) = control.get("/state")["enrollments"]
    control.post("/cps/open_renewal", {"enrollment_id": enrollment["id"]})
    change = control.get("/state")["enrollments"][0]["change"]["id"]
    live.write(FILE, HEAD + f"akamai: {{cancelChange: {change}}}\n")
    assert live.apply().exit_code == 4
    policy(live, "budgets: {cancels: 1}")
    finished = live.apply()
    assert mutating(control) == {"cps.cancel_change": 1}, finished.stdout + finished.stderr
    assert "No changes." in live.plan().stdout
