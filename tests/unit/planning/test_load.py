"""The orders that a fleet will ask for: each expected day is counted by hand on a calendar."""

import dataclasses
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from reconciler.model.certificate import IssuerClass, KeyType, RenewBefore, State
from reconciler.model.limits import PUBLIC_LIMITS
from reconciler.model.names import DnsName
from reconciler.model.policy import Policy
from reconciler.planning.load import Renewing, fleet_of, forecast
from reconciler.planning.ordering import OrderTerms
from tests.support.certs import desired
from tests.support.live import EXPIRES, ISSUED, WANTED, complete, issued_order, look, planned

AT = datetime(2026, 11, 20, 12, tzinfo=UTC)
PROMPT = DnsName("a1579.example.com")  # its jitter is 55 minutes, for lives of 47, 100 and 199 days


def renewing(**fields: Any) -> Renewing:
    made = Renewing(
        common_name=PROMPT,
        next_at=datetime(2027, 1, 10, 12, tzinfo=UTC),
        next_orders=1,
        orders=1,
        public=True,
        cap_days=None,
    )
    return dataclasses.replace(made, **fields)


def months(*fleet: Renewing, at: datetime = AT) -> dict[str, int]:
    return {f"{one.first:%Y-%m}": one.orders for one in forecast(fleet, at=at).months if one.orders}


def test_lives_fall_from_199_to_100_to_47_days_and_orders_come_closer() -> None:
    # 199 days are renewed after 169, 100 after 70, 47 after 31 days and 8 hours; each less a second and the jitter.
    days = [
        *(
            "2027-01-10",
            "2027-06-27",
            "2027-09-04",
            "2027-11-12",
            "2028-01-20",
            "2028-03-29",
            "2028-06-06",
            "2028-08-14",
        ),
        *(
            "2028-10-22",
            "2028-12-30",
            "2029-03-09",
            "2029-05-17",
            "2029-06-17",
            "2029-07-18",
            "2029-08-18",
            "2029-09-18",
        ),
        *("2029-10-19", "2029-11-19", "2029-12-20", "2030-01-20", "2030-02-20", "2030-03-23"),
    ]
    assert months(renewing()) == Counter(day[:7] for day in days)


def test_a_year_is_365_days_from_now_on() -> None:
    # 2027-01-10, 06-27, 09-04, 11-12: the next is in 2028.
    assert forecast([renewing()], at=AT).year_orders == 4
    assert forecast([renewing()], at=datetime(2026, 11, 12, tzinfo=UTC)).year_orders == 3


def test_the_same_fleet_at_each_limit() -> None:
    thousand = renewing(orders=1000)
    told = [(one.since, one.max_days, one.orders_a_year) for one in forecast([thousand], at=AT).limits]
    # 365,000 / 169, / 70, / 31.333
    assert told == [
        (date(2026, 3, 12), 199, 2160),
        (date(2027, 3, 15), 100, 5214),
        (date(2029, 3, 15), 47, 11649),
    ]


def test_months_are_without_gap_to_a_year_after_the_last_cut_and_know_their_limit() -> None:
    shown = forecast([], at=AT).months
    assert (shown[0].first, shown[-1].first, len(shown)) == (date(2026, 11, 1), date(2030, 3, 1), 41)
    assert {one.first: one.max_days for one in shown}[date(2027, 2, 1)] == 199
    assert {one.first: one.max_days for one in shown}[date(2027, 3, 1)] == 100
    assert {one.first: one.max_days for one in shown}[date(2029, 3, 1)] == 47


def test_after_the_last_cut_a_year_is_shown() -> None:
    made = forecast([renewing()], at=datetime(2031, 1, 31, tzinfo=UTC))
    assert (made.months[0].first, made.months[-1].first) == (date(2031, 1, 1), date(2032, 1, 1))
    assert [one.max_days for one in made.limits] == [47]


def test_what_is_overdue_is_ordered_now() -> None:
    assert months(renewing(next_at=AT - timedelta(days=400)))["2026-11"] == 1


def test_a_pair_of_keys_takes_two_orders_and_the_first_time_those_that_are_missing() -> None:
    told = months(renewing(next_orders=0, orders=2))
    assert "2027-01" not in told
    assert (told["2027-06"], told["2027-09"]) == (2, 2)


def test_no_rule_of_the_public_shortens_a_private_certificate() -> None:
    # 365 days are renewed after 335: 2027-01-10 + 335 = 2027-12-11, less a second.
    told = months(renewing(public=False, cap_days=365))
    assert list(told)[:3] == ["2027-01", "2027-12", "2028-11"]
    # 730 days are renewed after 700: 2027-01-10 + 700 = 2028-12-10, less a second.
    assert list(months(renewing(public=False, cap_days=730)))[:2] == ["2027-01", "2028-12"]


def test_what_file_or_profile_allow_counts_where_it_is_less() -> None:
    # 30 days are renewed after 20, less jitter of up to a day and a half: on the 19th or 18th day.
    assert forecast([renewing(cap_days=30, next_at=AT)], at=AT).year_orders in (20, 21)
    (limit,) = {one.orders_a_year for one in forecast([renewing(cap_days=30, orders=100)], at=AT).limits}
    assert limit == 1825  # 36,500 / 20


def test_renewal_before_is_taken_in() -> None:
    told = forecast([renewing(renew_before=RenewBefore(days=50), orders=100)], at=AT).limits
    assert [one.orders_a_year for one in told[:2]] == [245, 730]  # 36,500 / 149, / 50


# From a plan


def fleet(seen: Any, *wanted: Any, term_days: int = 199) -> tuple[Renewing, ...]:
    plan = planned(seen, *wanted)
    terms = OrderTerms(organization_id=None, profile=None, term_days=term_days)  # type: ignore[arg-type]
    return fleet_of(plan, [terms] * len(plan.standings), Policy())


def test_a_certificate_that_rests_is_ordered_when_it_is_due() -> None:
    (one,) = fleet(look(now=ISSUED + timedelta(days=4)), WANTED)
    assert EXPIRES - timedelta(days=35) <= one.next_at <= EXPIRES - timedelta(days=30)
    assert (one.next_orders, one.orders, one.public, one.cap_days) == (1, 1, True, None)


def test_a_new_certificate_is_ordered_now_once_for_each_key_type() -> None:
    both = dataclasses.replace(complete(desired("new.example.com")), key_types=frozenset(KeyType))
    now = ISSUED + timedelta(days=4)
    made = {one.common_name: one for one in fleet(look(now=now), WANTED, both)}
    assert made[both.common_name].next_at == now
    assert (made[both.common_name].next_orders, made[both.common_name].orders) == (2, 2)


def test_what_is_to_go_is_not_ordered_again() -> None:
    assert fleet(look(now=ISSUED), dataclasses.replace(WANTED, state=State.ABSENT)) == ()


@pytest.mark.parametrize(("offered", "cap"), [(199, None), (365, None), (90, 90)])
def test_a_profile_that_offers_the_limit_follows_it_down(offered: int, cap: int | None) -> None:
    (one,) = fleet(look(now=ISSUED + timedelta(days=4)), WANTED, term_days=offered)
    assert one.cap_days == cap


def test_a_private_profile_keeps_its_term() -> None:
    private = dataclasses.replace(WANTED, order=dataclasses.replace(WANTED.order, issuer=IssuerClass.PRIVATE))
    (one,) = fleet(look(now=ISSUED + timedelta(days=4)), private, term_days=365)
    assert (one.public, one.cap_days) == (False, 365)


def test_one_that_scm_does_not_know_counts_as_due_a_month_before_its_end() -> None:
    seen = look(now=ISSUED + timedelta(days=4), orders=[issued_order(serial=1)])
    (one,) = fleet(seen, WANTED)
    assert one.next_at == EXPIRES - timedelta(days=30)


def test_the_first_month_has_what_is_late_and_a_fleet_adds_up() -> None:
    made = forecast([renewing(next_at=AT), renewing(), renewing(next_at=AT, public=False, cap_days=30)], at=AT)
    assert made.certificates == 3
    assert made.months[0].orders == 2
    assert PUBLIC_LIMITS[-1].max_days == 47
