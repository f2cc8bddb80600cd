"""Campaigns in plans, results and status: how far they are, what they take, and what is stuck."""

import dataclasses
import json
from datetime import UTC, datetime, timedelta
from typing import Any

from reconciler.model.certificate import CertificateName
from reconciler.planning.campaign_progress import BurnDown, CampaignState, Estimate, Stuck
from reconciler.planning.plan import Plan
from reconciler.report.campaigns import campaign_lines
from reconciler.report.document import plan_document, result_document
from reconciler.report.jsonout import plan_json, result_json
from reconciler.report.outcome import apply_report
from reconciler.report.status import Status, status_text
from reconciler.report.statusjson import status_json
from reconciler.report.text import apply_text, plan_text
from tests.support.live import ISSUED, look, planned
from tests.support.published import checked

NOW = datetime(2026, 11, 20, 10, tzinfo=UTC)
DEADLINE = NOW + timedelta(hours=23)
A, B, C = map(CertificateName, "abc")
NONE = Estimate(certificates=0, orders=0, calls=0, finishes_at=NOW, in_time=0, late=())
HALFWAY = BurnDown(
    campaign="distrust",
    deadline=DEADLINE,
    done=7,
    in_flight=(A,),
    waiting=(B,),
    stuck=(Stuck(name=C, cause="order 501 (RSA) is Declined"),),
    serials_not_served=1,
)
TAKES = Estimate(certificates=1, orders=2, calls=30, finishes_at=NOW + timedelta(hours=2), in_time=1, late=())
FINISHED = dataclasses.replace(HALFWAY, done=10, in_flight=(), waiting=(), stuck=(), serials_not_served=0)


def state(burn_down: BurnDown = HALFWAY, estimate: Estimate = TAKES) -> CampaignState:
    return CampaignState(burn_down=burn_down, estimate=estimate)


def lines(one: CampaignState, now: datetime = NOW) -> list[str]:
    return list(campaign_lines([one], now))


def plan(*states: CampaignState) -> Plan:
    return dataclasses.replace(planned(look(now=ISSUED)), campaigns=states)


def joined(found: Any) -> str:
    return "\n".join(line.plain for line in found)


def test_the_burn_down_the_estimate_and_the_stuck_ones_are_told() -> None:
    assert lines(state()) == [
        "  distrust: 7 of 10 done, deadline 2026-11-21 09:00 UTC",
        "    1 in flight, 1 waiting, 1 stuck",
        "    what waits takes 2 orders and about 30 calls of CPS: at the rate of its accounts the last is in production"
        " about 2026-11-20 12:00 UTC",
        "    1 of 1 make the deadline, the most exposed first",
        "    stuck: c: order 501 (RSA) is Declined",
        "    1 serial of its file in production of no certificate here",
    ]


def test_a_finished_campaign_is_a_line() -> None:
    assert lines(state(dataclasses.replace(FINISHED, deadline=None), NONE)) == ["  distrust: 10 of 10 done"]
    late = DEADLINE + timedelta(seconds=1)
    assert lines(state(FINISHED, NONE), late) == ["  distrust: 10 of 10 done, deadline 2026-11-21 09:00 UTC"]


def test_a_deadline_that_has_passed_with_something_left_is_said() -> None:
    assert lines(state(), DEADLINE)[0].endswith("09:00 UTC")
    assert lines(state(), DEADLINE + timedelta(seconds=1))[0].endswith("09:00 UTC: it has PASSED")


def test_those_that_miss_the_deadline_are_named_and_a_budget_without_orders_is_said() -> None:
    names = tuple(CertificateName(f"c{number}") for number in range(12))
    late = dataclasses.replace(TAKES, certificates=12, in_time=0, late=names, finishes_at=None)
    told = lines(state(estimate=late))
    assert told[2].endswith("it never ends, as policy.budgets.ordersPerDay allows none")
    assert told[3:5] == [
        "    0 of 12 make the deadline, the most exposed first",
        "    late: c0, c1, c2, c3, c4, c5, c6, c7, c8, c9 and 2 more",
    ]


def test_a_plan_and_an_apply_tell_of_what_is_left_and_status_of_all() -> None:
    for states, shown in (((state(),), True), ((state(FINISHED, NONE),), False)):
        made = plan(*states)
        assert (
            "Replacement campaigns\n  distrust:" in joined(plan_text(plan_document(plan_json(made, tool_version="1"))))
        ) is shown
        report = apply_report(made, (), {}, under_way=frozenset())
        assert (
            "Replacement campaigns\n  distrust:"
            in joined(apply_text(result_document(result_json(report, tool_version="1", exit_code=0))))
        ) is shown
        told = Status(plan=made, healths=(), unclaimed=(), strays=(), broken=0)
        assert "Replacement campaigns\n  distrust:" in joined(status_text(told))


def test_the_json_of_plan_result_and_status_has_all_of_it_as_the_schemas_say() -> None:
    made = plan(state(), state(dataclasses.replace(FINISHED, campaign="done", deadline=None), NONE))
    (first, second) = checked("plan", json.dumps(plan_json(made, tool_version="1")))["campaigns"]
    assert (first["total"], first["stuck"]) == (10, [{"name": "c", "cause": "order 501 (RSA) is Declined"}])
    assert first["estimate"]["finishes"] == "2026-11-20T12:00:00Z"
    assert (second["name"], second["deadline"], second["late"]) == ("done", None, False)
    report = apply_report(made, (), {}, under_way=frozenset())
    result = checked("result", json.dumps(result_json(report, tool_version="1", exit_code=0)))
    told = Status(plan=made, healths=(), unclaimed=(), strays=(), broken=0)
    assert result["campaigns"] == status_json(told, tool_version="1", exit_code=0)["campaigns"] == [first, second]


def test_a_saved_plan_shows_its_campaigns_and_one_of_an_older_minor_has_none() -> None:
    saved = plan_json(plan(state()), tool_version="1")
    assert "  distrust: 7 of 10 done, deadline 2026-11-21 09:00 UTC\n" in joined(plan_text(plan_document(saved)))
    assert "    stuck: c: order 501 (RSA) is Declined" in joined(plan_text(plan_document(saved)))
    del saved["campaigns"]
    assert "distrust" not in joined(plan_text(plan_document(saved)))
