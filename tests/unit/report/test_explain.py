"""Every input of a decision, with the rule and the place that it comes from."""

import dataclasses
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from reconciler.errors import Location
from reconciler.model.certificate import DesiredCertificate, IssuerClass, RenewBefore
from reconciler.model.enrollment import ChangeRecord, ChangeState, PendingChange
from reconciler.model.entry import CauseId
from reconciler.model.journal import OpenState, OwnChange, Refusal, identity_key, refusal_key
from reconciler.model.order import Order
from reconciler.model.policy import Campaign, Freeze, Policy, Selection
from reconciler.model.replacement import Replacement
from reconciler.planning.campaign_book import CampaignBook
from reconciler.planning.case import Context
from reconciler.planning.observed import ChangeView
from reconciler.report.explain import explanation
from reconciler.report.facts import Fact, facts_json, facts_text
from tests.support.certs import desired
from tests.support.live import (
    EXPIRES,
    ISSUED,
    WANTED,
    before_end,
    case_of,
    complete,
    enrollment,
    issued_order,
    look,
    standing,
    with_enrollment,
)
from tests.support.looks import CHANGE, ENROLLMENT, INSTANCE, change, instance_view

DAY = timedelta(days=1)
HALF = ISSUED + 199 * DAY / 2


def facts(seen: Context, wanted: DesiredCertificate = WANTED) -> dict[str, dict[str, Fact]]:
    sections = explanation(case_of(seen, wanted), standing(seen, wanted))
    return {section.key: {fact.key: fact for fact in section.facts} for section in sections}


def dates(seen: Context, wanted: DesiredCertificate = WANTED) -> dict[str, Fact]:
    return facts(seen, wanted)["dates"]


def test_the_dates_are_those_of_the_rules() -> None:
    found = dates(look(now=ISSUED + DAY))
    assert (found["issued"].value, found["expires"].value) == (ISSUED, EXPIRES)
    assert found["lifetime"].value == 199 * DAY
    assert found["renew_before"].value == 30 * DAY
    assert found["renew_before"].source == "built in"
    assert found["warn_from"].value == EXPIRES - 21 * DAY
    assert found["critical_from"].value == EXPIRES - 10 * DAY
    jitter, due = found["jitter"].value, found["due"].value
    assert isinstance(jitter, timedelta)
    assert timedelta() <= jitter <= 5 * DAY
    assert due == EXPIRES - 30 * DAY - jitter


def test_the_renewal_rule_names_the_file_and_line_that_set_it() -> None:
    place = Location("certificates/www.example.com.yaml", 7, 3)
    by_file = dataclasses.replace(
        WANTED, renew_before=RenewBefore(days=40), sources={"renewal.before": place, "renewal": Location("x", 1)}
    )
    found = dates(look(now=ISSUED), by_file)["renew_before"]
    assert (found.value, found.why, found.source) == (40 * DAY, "40 days", str(place))
    by_policy = look(now=ISSUED, policy=Policy(renew_before=RenewBefore(percent=25)))
    found = dates(by_policy)["renew_before"]
    assert (found.value, found.source) == (199 * DAY / 4, "certrecon.yaml")
    assert "policy.renewal.before: 25% of the lifetime" in found.why


def test_never_due_in_the_first_half_is_said_where_it_decides() -> None:
    eager = dataclasses.replace(WANTED, renew_before=RenewBefore(days=150))
    found = dates(look(now=ISSUED), eager)
    assert found["due"].value == HALF
    assert found["jitter"].why == "never due in the first half of its life"
    assert found["jitter"].value == timedelta()


def test_a_rule_that_would_renew_for_ever_gives_way_to_the_built_in_one_and_is_told() -> None:
    endless = dataclasses.replace(WANTED, renew_before=RenewBefore(days=198))
    found = dates(look(now=ISSUED), endless)
    assert found["renew_before"].value == 30 * DAY
    assert "renewed for ever" in found["renew_before"].why
    assert found["due"].value == dates(look(now=ISSUED))["due"].value


def test_a_due_date_inside_a_freeze_is_moved_before_it() -> None:
    freeze = Freeze(first=date(2027, 4, 20), last=date(2027, 5, 10), reason="spring")
    found = dates(look(now=ISSUED, policy=Policy(freezes=(freeze,))))
    assert found["due_with_freezes"].value == datetime(2027, 4, 15, tzinfo=UTC)
    assert "due_with_freezes" not in dates(look(now=ISSUED))


def test_without_the_date_of_issue_nothing_is_guessed() -> None:
    found = dates(look(now=ISSUED, orders=()))
    assert (found["issued"].value, found["lifetime"].value, found["due"].value) == (None, None, None)
    assert found["issued"].why == "SCM does not know the served serial"


def test_the_three_things_are_compared() -> None:
    more = desired("www.example.com", "img.example.com")
    found = facts(look(now=ISSUED), more)["compared"]
    assert found["names_file"].value == ["www.example.com", "img.example.com"]
    assert found["names_enrollment"].value == ["www.example.com"]
    assert found["names_served"].value == ["www.example.com"]
    assert found["differences"].value == ["names: + img.example.com (forces a new order)"]


def test_the_need_is_told_with_its_cause_and_urgency() -> None:
    needed = facts(look(now=before_end(days=12)))["need"]
    assert (needed["needs"].value, needed["urgent"].value) == ("renew", True)
    assert facts(look(now=ISSUED))["need"]["needs"].value == "nothing"
    staged = look(now=ISSUED, live={})
    assert facts(staged)["need"]["needs"].value == "a certificate"


# Ownership


def owner(record: ChangeRecord | None = None, wanted: DesiredCertificate = WANTED, **fields: Any) -> tuple[Any, str]:
    view = ChangeView(change=change(ChangeState.RUNNING, "generate-csr"), record=record)
    pending = enrollment(pending=(PendingChange(id=CHANGE, change_type="renewal"),))
    found = facts(look(now=ISSUED, enrollments=[pending], view=view, **fields), wanted)["ownership"]
    return found["pending_change_is"].value, found["pending_change_is"].why


def record(created_by: str) -> ChangeRecord:
    return ChangeRecord(action="renew", status="incomplete", created_by=created_by, created_at=ISSUED, csrs=())


JOURNAL = OpenState(journal_id="j", installation="0a1b2c3d")


def test_each_campaign_is_told_with_the_times_that_decide() -> None:
    """One is about it, and satisfied only by a later request; another is not about it."""
    campaign = Campaign(name="distrust", issued_before=ISSUED, select=Selection(), reason="superseded")
    other = dataclasses.replace(campaign, name="other", select=Selection(labels={"team": "mail"}))
    replacements = (Replacement(campaign=campaign), Replacement(campaign=other))

    def found(order: Order) -> dict[str, Fact]:
        seen = look(now=ISSUED + DAY, orders=[order])
        return facts(dataclasses.replace(seen, campaigns=CampaignBook.of(replacements, {}, seen.observed)))["campaigns"]

    waits = found(issued_order(requested_at=ISSUED - DAY))
    assert waits["requested_served_1"].value == ISSUED - DAY
    assert (waits["distrust"].value, waits["other"].value) == ("waiting", "not about it")
    assert "replaces what was requested before 2026-11-16 00:06 UTC" in waits["distrust"].why
    stuck = found(issued_order(requested_at=None))
    assert stuck["requested_served_1"].why == "serial A1, ordered at SCM, and nothing says when"
    assert stuck["distrust"].value == "stuck"
    assert stuck["distrust"].why.startswith("when its certificate was requested is not known to the second")


def test_a_change_is_ours_by_the_tag_of_its_order() -> None:
    tag = f"certrecon/1 i=0a1b2c3d e={ENROLLMENT} c={CHANGE} k=ECDSA key={'ab' * 16} cause=cd12"
    found = owner(orders=[issued_order(), issued_order(ssl_id=9, serial=1, comments=tag)])
    assert found == ("ours", "an order with our tag was placed for it")


def test_a_change_is_ours_by_the_journal_or_by_the_file() -> None:
    known = OwnChange(enrollment_id=ENROLLMENT, cause=CauseId("cd12"), opened_at=ISSUED)
    journal = dataclasses.replace(JOURNAL, changes={CHANGE: known})
    assert owner(record("robot"), journal=journal) == ("ours", "its id is in the journal")
    value, why = owner(record("ada"), with_enrollment(adopt_change=CHANGE), journal=JOURNAL)
    assert (value, why.startswith("akamai.adoptChange names it")) == ("ours", True)


def test_a_change_is_of_cps_or_foreign_by_the_history() -> None:
    assert owner(record("<auto-renewal>"), journal=JOURNAL)[0] == "CPS's own"
    value, why = owner(record("ada"), journal=JOURNAL)
    assert value == "foreign"
    assert "opened by ada" in why
    assert owner(journal=JOURNAL) == ("not known", "its history was not read")


# Order, journal, decision


def test_the_order_names_the_limit_at_the_expected_date_of_issue() -> None:
    found = facts(look(now=ISSUED))["order"]
    assert (found["limit"].value, found["term"].value) == ("199 days", "199 days")
    assert found["expected_issue"].value == "2026-11-16 to 2026-11-21"
    assert "limit_after_slip" not in found
    near = facts(look(now=datetime(2027, 3, 12, tzinfo=UTC)))["order"]
    assert (near["limit"].value, near["limit_after_slip"].value) == ("199 days", "100 days")
    assert near["term"].value == "30 days"
    private = dataclasses.replace(
        WANTED, order=dataclasses.replace(WANTED.order, issuer=IssuerClass.PRIVATE, profile="Private TLS")
    )
    assert facts(look(now=ISSUED), private)["order"]["limit"].value is None


def test_the_journal_tells_what_can_stop_a_step() -> None:
    whole = complete()
    digest = case_of(look(now=ISSUED), whole).digest
    refusal = Refusal(desired_digest=digest, count=2, last_at=ISSUED, detail="no such cipher.")
    journal = dataclasses.replace(
        JOURNAL,
        enrollments={identity_key(whole.identity): ENROLLMENT},
        refusals={refusal_key(whole.name, "update enrollment"): refusal},
    )
    found = facts(look(now=ISSUED, journal=journal), whole)["journal"]
    assert found["managed_enrollment"].value == ENROLLMENT
    assert found["refusals"].value == ["update enrollment: no such cipher. (2 times; holds until 2026-11-16 02:06 UTC)"]
    assert facts(look(now=ISSUED))["journal"]["known"].why == "there is no journal"


def test_the_decision_comes_last_with_what_blocks_it() -> None:
    seen = look(now=ISSUED, enrollments=[enrollment(sni_only=False)], live={})
    sections = explanation(case_of(seen), standing(seen))
    assert sections[-1].key == "decision"
    found = facts(seen)
    assert found["decision"]["blocked"].value == "in-the-way"
    assert found["identity"]["enrollment"].value is None
    assert "already has www.example.com" in found["identity"]["enrollment"].why


def test_text_and_json_say_the_same_of_one_fact() -> None:
    seen = look(now=before_end(days=12))
    sections = explanation(case_of(seen), standing(seen))
    data = facts_json(sections)
    assert data["dates"]["expires"] == {
        "value": "2027-06-02T23:59:59Z",
        "why": "the earlier of a key pair",
        "source": None,
    }
    assert data["dates"]["lifetime"]["value"] == 199 * 86400
    lines = [line.plain for line in facts_text(sections)]
    assert "  expires        2027-06-02 23:59:59 UTC  (the earlier of a key pair)" in lines
    assert "  lifetime       199 days  (expires - issued, rounded up to whole days)" in lines


@pytest.mark.parametrize("state", [{}, {"live": {}}, {"enrollments": (), "live": {}}, {"orders": ()}])
def test_no_key_of_a_section_and_no_section_comes_twice(state: dict[str, Any]) -> None:
    sections = explanation(case_of(seen := look(now=ISSUED, **state)), standing(seen))
    assert len({section.key for section in sections}) == len(sections)
    for section in sections:
        assert len({fact.key for fact in section.facts}) == len(section.facts), section.key


def test_what_was_not_read_completely_is_explained_as_such() -> None:
    seen = look(now=ISSUED)
    partly = dataclasses.replace(seen.observed, instances={INSTANCE: instance_view(complete=False)})
    assert "rows" in str(facts(dataclasses.replace(seen, observed=partly))["decision"]["not_read"].value)
