"""What a campaign will take, and how far it is."""

import dataclasses
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.model.certificate import AccountName, CertificateName
from reconciler.model.names import DnsName
from reconciler.model.policy import Campaign, Selection
from reconciler.model.replacement import Replacement
from reconciler.planning.campaign_progress import Estimate, Pace, Stuck, burn_down, estimate, exposure
from reconciler.planning.campaigns import Candidate, Issued, Requested

CUT = datetime(2026, 11, 20, 9, tzinfo=UTC)
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
MAIN, OTHER = AccountName("main"), AccountName("other")
FAST = Pace(calls_per_minute=30, orders_left_today=200, orders_per_day=200)


def replacement(serials: frozenset[int] = frozenset(), **fields: Any) -> Replacement:
    campaign = Campaign(name="distrust", issued_before=CUT, select=Selection(), reason="superseded")
    return Replacement(campaign=dataclasses.replace(campaign, **fields), serials=serials)


def served(serial: int = 0xA1, at: datetime = CUT - DAY) -> Issued:
    return Issued(serial=serial, issuer="CN=Example CA", profile="OV Single", requested=Requested(at=at))


def candidate(name: str, **fields: Any) -> Candidate:
    made = Candidate(
        name=CertificateName(name), account=MAIN, names=frozenset({DnsName("www.example.com")}), served=(served(),)
    )
    return dataclasses.replace(made, **fields)


def fleet(count: int, **fields: Any) -> list[Candidate]:
    return [candidate(f"c{number:04}", **fields) for number in range(count)]


def estimated(candidates: list[Candidate], pace: Pace = FAST, **fields: Any) -> Estimate:
    return estimate(
        fields.pop("of", replacement()),
        candidates,
        paces=fields.pop("paces", {MAIN: pace}),
        calls_per_certificate=fields.pop("calls", 15),
        latency=fields.pop("latency", timedelta()),
        now=NOW,
        **fields,
    )


def test_orders_calls_and_finish_follow_from_the_account_s_rate() -> None:
    assert estimated(fleet(100, orders=2)) == Estimate(
        certificates=100, orders=200, calls=1500, finishes_at=NOW + 50 * MINUTE, in_time=100, late=()
    )


def test_the_time_to_issue_and_deploy_comes_on_top_once() -> None:
    assert estimated(fleet(2), latency=3 * HOUR).finishes_at == NOW + MINUTE + 3 * HOUR


def test_measured_calls_may_be_a_fraction() -> None:
    found = estimated(fleet(3), calls=10.5)
    assert (found.calls, found.finishes_at) == (32, NOW + timedelta(seconds=63))


def test_nothing_to_replace_takes_nothing() -> None:
    assert estimated([]) == Estimate(certificates=0, orders=0, calls=0, finishes_at=NOW, in_time=0, late=())


def test_what_is_done_in_flight_or_stuck_is_not_estimated() -> None:
    others = [
        candidate("done", served=(served(at=CUT),)),
        candidate("flying", changing=True),
        candidate("stuck", blocked="declined"),
    ]
    assert estimated([*others, candidate("waits")]).certificates == 1


def test_accounts_work_side_by_side() -> None:
    others = [candidate(f"o{number}", account=OTHER) for number in range(30)]
    both, slow = [*fleet(60), *others], dataclasses.replace(FAST, calls_per_minute=10)
    assert estimated(both, paces={MAIN: FAST, OTHER: FAST}).finishes_at == NOW + 30 * MINUTE
    assert estimated(both, paces={MAIN: FAST, OTHER: slow}).finishes_at == NOW + 45 * MINUTE


def test_the_orders_of_a_day_delay_the_rest_to_the_next_midnight() -> None:
    pace = Pace(calls_per_minute=30, orders_left_today=50, orders_per_day=200)
    assert estimated(fleet(50), pace).finishes_at == NOW + 25 * MINUTE
    assert estimated(fleet(51), pace).finishes_at == datetime(2026, 11, 21, 0, 0, 30, tzinfo=UTC)
    assert estimated(fleet(250), pace).finishes_at == datetime(2026, 11, 21, 1, 40, tzinfo=UTC)
    assert estimated(fleet(251), pace).finishes_at == datetime(2026, 11, 22, 0, 0, 30, tzinfo=UTC)


def test_a_day_without_orders_never_finishes() -> None:
    none = Pace(calls_per_minute=30, orders_left_today=1, orders_per_day=0)
    found = estimated(fleet(2), none, of=replacement(deadline=NOW + DAY))
    assert (found.finishes_at, found.in_time, found.late) == (None, 1, ("c0001",))
    assert estimated(fleet(2), none).late == ("c0001",)  # with no deadline too: it is never done


def test_a_pace_without_calls_is_a_bug() -> None:
    with pytest.raises(ValueError, match="a pace without calls"):
        estimated(fleet(1), dataclasses.replace(FAST, calls_per_minute=0))


@pytest.mark.parametrize(("minutes", "in_time"), [(0, 0), (1, 2), (1.4, 2), (1.5, 3), (2, 4), (60, 4)])
def test_those_that_make_the_deadline_are_counted_in_the_order_of_exposure(minutes: float, in_time: int) -> None:
    found = estimated(fleet(4), of=replacement(deadline=NOW + minutes * MINUTE))
    assert found.in_time == in_time
    assert found.late == tuple(f"c{number:04}" for number in range(in_time, 4))


def test_a_deadline_that_has_passed_is_made_by_none() -> None:
    assert estimated(fleet(3), of=replacement(deadline=NOW - HOUR)).in_time == 0


def test_the_late_ones_of_all_accounts_are_named_by_exposure() -> None:
    mixed = [candidate("b"), candidate("a", account=OTHER, revoked=True), candidate("c", account=OTHER)]
    found = estimated(mixed, paces={MAIN: FAST, OTHER: FAST}, of=replacement(deadline=NOW))
    assert found.late == ("a", "b", "c")


# Exposure


def names(count: int, first: str = "h0.example.com") -> frozenset[DnsName]:
    return frozenset({DnsName(first), *(DnsName(f"h{number}.example.com") for number in range(1, count))})


def test_revoked_then_wildcards_then_names_then_time_left() -> None:
    ranked = [
        candidate("revoked", revoked=True),
        candidate("wildcard", names=names(1, "*.example.com"), remaining=90 * DAY),
        candidate("many names", names=names(40), remaining=90 * DAY),
        candidate("ends soon", names=names(2), remaining=DAY),
        candidate("ends later", names=names(2), remaining=9 * DAY),
        candidate("not known", names=names(2)),
        candidate("small a", remaining=DAY),
        candidate("small b", remaining=DAY),
    ]
    backwards = [*reversed(ranked)]
    assert sorted(backwards, key=exposure) == ranked


# Burn-down


def test_a_burn_down_counts_each_certificate_once() -> None:
    found = burn_down(
        replacement(),
        [
            candidate("waits"),
            candidate("flies", changing=True),
            candidate("done", served=(served(at=CUT),)),
            candidate("blocked", blocked="order 501 was declined: ask the approver"),
            candidate("new", served=()),
        ],
    )
    assert (found.done, found.in_flight, found.waiting) == (1, ("flies",), ("waits",))
    assert found.stuck == (Stuck(name=CertificateName("blocked"), cause="order 501 was declined: ask the approver"),)
    assert (found.total, found.left) == (4, 3)


def test_it_is_late_once_the_deadline_has_passed_with_something_left() -> None:
    some, none = [candidate("waits")], [candidate("done", served=(served(at=CUT),))]
    due = replacement(deadline=NOW)
    assert not burn_down(due, some).late(NOW)
    assert burn_down(due, some).late(NOW + MINUTE)
    assert not burn_down(due, none).late(NOW + MINUTE)
    assert not burn_down(replacement(), some).late(NOW + MINUTE)


def test_serials_that_no_certificate_serves_are_counted() -> None:
    select = Selection(serials_file="affected.txt")
    found = burn_down(replacement(frozenset({0xA1, 0xA2, 0xA3}), select=select), [candidate("www")])
    assert (found.waiting, found.serials_not_served) == (("www",), 2)
    assert burn_down(replacement(), [candidate("www")]).serials_not_served == 0


candidates = st.lists(
    st.builds(
        candidate,
        st.integers(0, 999).map(str),
        orders=st.integers(1, 2),
        changing=st.booleans(),
        revoked=st.booleans(),
        blocked=st.none() | st.just("declined"),
        served=st.sampled_from([(), (served(),), (served(at=CUT),)]),
    ),
    max_size=30,
    unique_by=lambda one: one.name,
)
paces = st.builds(
    Pace, calls_per_minute=st.integers(1, 60), orders_left_today=st.integers(-5, 20), orders_per_day=st.integers(0, 20)
)


@given(several=candidates, pace=paces, minutes=st.integers(0, 10_000))
def test_an_estimate_is_of_all_that_waits_and_a_later_deadline_is_made_by_no_fewer(
    several: list[Candidate], pace: Pace, minutes: int
) -> None:
    sooner, later = (
        estimated(several, pace, of=replacement(deadline=NOW + more * MINUTE)) for more in (minutes, minutes + 60)
    )
    waiting = burn_down(replacement(), several).waiting
    assert sooner.certificates == len(waiting)
    assert sooner.in_time + len(sooner.late) == sooner.certificates
    assert set(later.late) <= set(sooner.late) <= set(waiting)
    if sooner.finishes_at is not None:
        final = estimated(several, pace, of=replacement(deadline=sooner.finishes_at))
        assert final.late == ()


@given(several=candidates, slower=st.integers(1, 30))
def test_a_faster_account_never_finishes_later(several: list[Candidate], slower: int) -> None:
    slow, fast = (
        estimated(several, dataclasses.replace(FAST, calls_per_minute=rate)).finishes_at for rate in (slower, 30)
    )
    assert slow is not None
    assert fast is not None
    assert fast <= slow


@given(several=candidates)
def test_a_burn_down_does_not_depend_on_the_order_of_the_fleet(several: list[Candidate]) -> None:
    assert burn_down(replacement(), several) == burn_down(replacement(), [*reversed(several)])
