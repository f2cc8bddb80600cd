"""`--only`: what is held back, what goes on, and that what is held uses up nothing."""

import dataclasses
from datetime import timedelta

import pytest

from reconciler.model.enrollment import ChangeState
from reconciler.model.entry import CauseId
from reconciler.model.journal import OpenState, OwnChange
from reconciler.model.policy import Budgets, Policy
from reconciler.planning.case import Context
from reconciler.planning.causes import create_cause, renew_cause
from reconciler.planning.observed import ChangeView
from reconciler.planning.only import held_back
from reconciler.planning.plan import Plan, Standing
from reconciler.planning.selectors import Selectors
from reconciler.planning.steps import Act, ActionKind, Phase, Wait
from reconciler.report.document import plan_document
from reconciler.report.jsonout import plan_json
from reconciler.report.outcome import Ending, apply_report
from reconciler.report.text import plan_text
from tests.support.certs import csr_pem, desired
from tests.support.live import (
    ISSUED,
    SERIAL,
    WANTED,
    before_end,
    case_of,
    complete,
    enrollment,
    issued_order,
    look,
    planned,
)
from tests.support.looks import CHANGE, ENROLLMENT, NOW, change, enrollment_for, waiting_for_certificate

NEW = complete(desired("new.example.com"))
MORE = desired("www.example.com", "img.example.com")


def only(*kinds: ActionKind) -> Selectors:
    return Selectors(only=frozenset(kinds))


def journal(cause: CauseId) -> OpenState:
    """Return a journal whose run has opened the pending change for `cause`."""
    opened = OwnChange(enrollment_id=ENROLLMENT, cause=cause, opened_at=NOW)
    return OpenState(journal_id="j", installation="0a1b2c3d", changes={CHANGE: opened})


def under_way(cause: CauseId, view: ChangeView, *kinds: ActionKind) -> Standing:
    """Return the standing of a served certificate whose pending change is ours."""
    seen = look(
        now=before_end(days=12),
        enrollments=[enrollment_for(WANTED)],
        orders=[issued_order()],
        view=view,
        journal=journal(cause),
        selectors=only(*kinds),
    )
    (standing,) = planned(seen).standings
    return standing


CSR_WAITS = waiting_for_certificate(csr_pem(), opened_at=before_end(days=13))
DEPLOYING = ChangeView(change=change(ChangeState.RUNNING, "deploy-cert-to-staging"))
RENEWAL = renew_cause([SERIAL])
REISSUE = CauseId("5ca1ab1e")  # of what differed before its change was opened


@pytest.mark.parametrize(
    ("cause", "kinds", "goes_on"),
    [
        (RENEWAL, [ActionKind.RENEW], True),
        (RENEWAL, [ActionKind.REISSUE, ActionKind.CREATE], False),
        (RENEWAL, [ActionKind.RESUME], True),
        (REISSUE, [ActionKind.RENEW, ActionKind.CREATE], False),
        (REISSUE, [ActionKind.REISSUE], True),
        (REISSUE, [ActionKind.RESUME], True),
        (create_cause(WANTED.identity), [ActionKind.CREATE], True),
        (create_cause(WANTED.identity), [ActionKind.RENEW], False),
    ],
)
@pytest.mark.parametrize(("view", "decided"), [(CSR_WAITS, Act), (DEPLOYING, Wait)])
def test_work_under_way_is_of_the_kind_that_it_was_begun_as(
    cause: CauseId, kinds: list[ActionKind], goes_on: bool, view: ChangeView, decided: type[Act | Wait]
) -> None:
    standing = under_way(cause, view, *kinds)
    assert isinstance(standing.decision, decided)
    assert (standing.held is None) == goes_on
    assert standing.may_run == (goes_on and decided is Act)


def fleet(*kinds: ActionKind, policy: Policy | None = None) -> Context:
    """Return a look at a certificate due for renewal, where `NEW` has no enrollment yet."""
    return look(now=before_end(days=12), enrollments=[enrollment()], selectors=only(*kinds), policy=policy or Policy())


def test_what_is_of_another_kind_is_shown_as_held_and_is_no_action() -> None:
    plan = planned(fleet(ActionKind.RENEW), WANTED, NEW)
    assert [action.kind for action in plan.actions] == [ActionKind.RENEW]
    lines = [line.plain for line in plan_text(plan_document(plan_json(plan, tool_version="1")))]
    assert lines[1] == "PARTIAL: --only renew"
    held = lines.index("Held back")
    assert lines[held + 1].startswith("  + create      new.example.com")
    assert "    --only renew holds it back" in lines[held:]
    assert "Plan: 1 to renew, 1 held back, 0 unchanged. It places 1 order." in lines


def test_with_nothing_else_to_do_a_held_action_is_not_a_change_that_could_run() -> None:
    plan = planned(fleet(ActionKind.UPDATE), NEW)
    assert plan.exit_code(detailed=True) == 0
    assert plan.orders == 0


def test_what_is_held_takes_no_order_of_the_budget() -> None:
    one_order = Policy(budgets=Budgets(orders=1))
    assert [one.throttled is None for one in throttled(planned(fleet(policy=one_order), WANTED, NEW))] == [True, False]
    plan = planned(fleet(ActionKind.CREATE, policy=one_order), WANTED, NEW)
    assert [one.name for one in plan.standings if one.may_run] == [NEW.name]


def throttled(plan: Plan) -> list[Standing]:
    return [one for one in plan.standings if one.action is not None]


def test_what_is_held_ends_as_held_back_and_not_as_refused() -> None:
    plan = planned(fleet(ActionKind.RENEW), NEW)
    (row,) = apply_report(plan, [], {}, under_way=frozenset()).rows
    assert row.ending is Ending.HELD
    assert row.text == "absent: no enrollment has this identity. --only renew holds it back"


def test_without_only_nothing_is_held() -> None:
    (standing,) = planned(look(now=ISSUED + timedelta(days=1)), MORE).standings
    assert standing.held is None
    assert isinstance(standing.decision, Act)
    assert dataclasses.replace(standing, held="x").may_run is False


@pytest.mark.parametrize("kind", [ActionKind.UPLOAD, ActionKind.ACKNOWLEDGE, ActionKind.PROMOTE, ActionKind.RESUME])
def test_resume_names_every_step_of_what_is_under_way(kind: ActionKind) -> None:
    step = Act(phase=Phase.ISSUED, kind=kind, cause=REISSUE, steps=(), reason="", text="")

    def held(*kinds: ActionKind) -> bool:
        case = case_of(look(now=ISSUED, selectors=only(*kinds)))
        return held_back(case, enrollment(), step) is not None

    assert not held(ActionKind.RESUME)
    assert not held(kind)
    assert held(ActionKind.RENEW, ActionKind.CREATE)
