"""Terms at the cut dates, and when a certificate is due."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.model.certificate import IssuerClass, RenewBefore
from reconciler.model.names import DnsName
from reconciler.planning.lifetime import (
    RenewBeforeError,
    Term,
    critical_days,
    due_at,
    half_life,
    max_term_days,
    near_cut,
    renew_before,
    term_for,
    usable_before,
    validity_limit,
    warn_days,
)

PUBLIC, PRIVATE = IssuerClass.PUBLIC, IssuerClass.PRIVATE
DAY = timedelta(days=1)
WWW = DnsName("www.example.com")
START = datetime(2026, 11, 20, tzinfo=UTC)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("issued_at", "days"),
    [
        ("2026-03-14T23:59:59", 398),
        ("2026-03-15T00:00:00", 200),
        ("2027-03-14T23:59:59", 200),
        ("2027-03-15T00:00:00", 100),
        ("2029-03-14T23:59:59", 100),
        ("2029-03-15T00:00:00", 47),
        ("2039-01-01T00:00:00", 47),
    ],
)
def test_the_limit_changes_at_midnight_utc(issued_at: str, days: int) -> None:
    assert validity_limit(utc(issued_at)) == days * DAY


@pytest.mark.parametrize(
    ("on", "days"),
    [
        (date(2026, 3, 11), 398),
        (date(2026, 3, 12), 199),  # Sectigo's own, three days before the rule
        (date(2027, 3, 14), 199),
        (date(2027, 3, 15), 100),
        (date(2029, 3, 14), 100),
        (date(2029, 3, 15), 47),
    ],
)
def test_what_can_be_ordered_is_the_stricter_of_rule_and_ca(on: date, days: int) -> None:
    assert max_term_days(on, PUBLIC) == days
    assert max_term_days(on, PRIVATE) is None


@pytest.mark.parametrize(
    ("on", "days"),
    [
        (date(2027, 3, 9), None),
        (date(2027, 3, 10), 100),
        (date(2027, 3, 14), 100),
        (date(2027, 3, 15), None),
        (date(2029, 3, 10), 47),
    ],
)
def test_five_days_before_a_cut_the_next_row_is_near(on: date, days: int | None) -> None:
    limit = near_cut(on)
    assert (limit and limit.max_days) == days


TERMS = frozenset({30, 90, 100, 199, 365})


@pytest.mark.parametrize(
    ("wanted", "on", "issuer", "days"),
    [
        (None, date(2026, 11, 20), PUBLIC, 199),
        (None, date(2026, 11, 20), PRIVATE, 365),
        (199, date(2026, 11, 20), PUBLIC, 199),
        (198, date(2026, 11, 20), PUBLIC, 100),
        (90, date(2026, 11, 20), PUBLIC, 90),
        (1000, date(2026, 11, 20), PUBLIC, 199),
        (None, date(2027, 3, 9), PUBLIC, 199),
        (None, date(2027, 3, 10), PUBLIC, 100),  # it may slip over 2027-03-15
        (None, date(2027, 3, 10), PRIVATE, 365),
        (None, date(2029, 3, 15), PUBLIC, 30),
    ],
)
def test_the_longest_term_that_all_allow_is_ordered(
    wanted: int | None, on: date, issuer: IssuerClass, days: int
) -> None:
    term = term_for(TERMS, wanted, on, issuer)
    assert isinstance(term, Term)
    assert term.days == days


def test_a_term_that_is_what_was_asked_for_needs_no_note() -> None:
    assert term_for(TERMS, 199, date(2026, 11, 20), PUBLIC) == Term(days=199)
    assert term_for(TERMS, None, date(2026, 11, 20), PUBLIC) == Term(days=199)


def test_a_shorter_term_and_a_near_cut_are_noted() -> None:
    term = term_for(TERMS, 198, date(2027, 3, 12), PUBLIC)
    assert isinstance(term, Term)
    assert term.notes == (
        "198 days were asked for, at most: the longest term that can be ordered is 100 days.",
        "TERM-02: issue may slip over 2027-03-15, when 100 days become the limit.",
    )


def test_before_a_cut_a_profile_that_has_no_shorter_term_yet_is_ordered_from_all_the_same() -> None:
    term = term_for({199}, 199, date(2027, 3, 14), PUBLIC)
    assert isinstance(term, Term)
    assert term.days == 199
    assert term.notes == (
        "TERM-02: issue may slip over 2027-03-15, when 100 days become the limit; the profile has no term that short"
        " yet.",
    )
    assert isinstance(term_for({199}, 199, date(2027, 3, 15), PUBLIC), str)


@pytest.mark.parametrize(
    ("terms", "wanted", "on", "issuer", "reason"),
    [
        (
            {365},
            None,
            date(2026, 11, 20),
            PUBLIC,
            "it offers 365 (days); a public certificate issued about 2026-11-20 may have at most 199 days.",
        ),
        ({90, 199}, 30, date(2026, 11, 20), PRIVATE, "it offers 90, 199 (days); the file asks for at most 30 days."),
        (set(), None, date(2026, 11, 20), PRIVATE, "it offers none (days)."),
    ],
)
def test_where_no_term_fits_the_reason_names_all_bounds(
    terms: set[int], wanted: int | None, on: date, issuer: IssuerClass, reason: str
) -> None:
    assert term_for(terms, wanted, on, issuer) == f"No term of the profile can be ordered: {reason}"


@pytest.mark.parametrize(
    ("life", "before"),
    [
        (397, 30),
        (199, 30),
        (90, 30),
        (89, 89 / 3),
        (46, 46 / 3),
        (30, 10),
        (24, 8),
        (10, 10 / 3),
        (9.999, 9.999 / 2),
        (6, 3),
    ],
)
def test_a_third_of_the_life_but_at_most_thirty_days(life: float, before: float) -> None:
    assert renew_before(life * DAY) / DAY == pytest.approx(before)


@pytest.mark.parametrize(
    ("life", "override", "before"),
    [
        (199, RenewBefore(days=45), 45),
        (199, RenewBefore(percent=33), 65.67),
        (199, RenewBefore(days=3), 8),  # CPS would push the new one to production by itself
        (24, RenewBefore(days=3), 8),
        (23.9, RenewBefore(days=3), 3),
        (199, RenewBefore(days=197.9), 197.9),
    ],
)
def test_an_override_counts_but_not_below_the_floor(life: float, override: RenewBefore, before: float) -> None:
    assert renew_before(life * DAY, override) / DAY == pytest.approx(before)


@pytest.mark.parametrize("override", [RenewBefore(days=198), RenewBefore(days=400), RenewBefore(percent=100)])
def test_an_override_as_long_as_the_life_is_an_error(override: RenewBefore) -> None:
    with pytest.raises(RenewBeforeError, match="lives 199 days"):
        renew_before(199 * DAY, override)


def end(days: float) -> datetime:
    return START + days * DAY - timedelta(seconds=1)


def test_an_override_that_makes_no_sense_gives_way_to_the_built_in_rule() -> None:
    assert usable_before(199 * DAY, RenewBefore(days=40)) == (40 * DAY, None)
    before, wrong = usable_before(9 * DAY, RenewBefore(days=30))
    assert before == 4.5 * DAY
    assert wrong is not None
    assert "the certificate lives 9 days" in wrong


def due(life: int, name: str = WWW, before: timedelta | None = None, issued_at: datetime | None = None) -> datetime:
    window = renew_before(life * DAY) if before is None else before
    return due_at(START, end(life), DnsName(name), window, issued_at=issued_at)


def test_due_is_the_window_before_the_end_less_a_stable_jitter() -> None:
    assert due(199) == due(199)
    assert end(199) - 35 * DAY < due(199) <= end(199) - 30 * DAY


def test_jitter_depends_on_the_name_and_spreads_over_its_width() -> None:
    early = {end(199) - 30 * DAY - due(199, f"w{number}.example.com") for number in range(300)}
    assert len(early) > 290
    assert min(early) >= timedelta(0)
    assert max(early) < 5 * DAY
    assert max(early) - min(early) > 4 * DAY


def test_a_short_life_has_little_jitter() -> None:
    early = [end(30) - 10 * DAY - due(30, f"w{number}.example.com") for number in range(300)]
    assert min(early) >= timedelta(0)
    assert max(early) < 1.5 * DAY


def test_a_window_larger_than_half_of_the_life_opens_at_its_middle() -> None:
    assert due(199, before=150 * DAY) == START + 199 * DAY / 2


def test_half_of_a_life_is_counted_from_the_issue_and_not_from_midnight() -> None:
    evening = START + timedelta(hours=20)
    assert due(7, issued_at=evening) == evening + 3.5 * DAY
    assert due(7, issued_at=START) == START + 3.5 * DAY


def test_a_quarter_of_a_life_is_left_however_late_it_was_issued() -> None:
    assert half_life(START, end(2), START + timedelta(hours=23)) == end(2) - DAY / 2


@settings(deadline=None)
@given(
    life=st.integers(min_value=5, max_value=398),
    override=st.none() | st.builds(RenewBefore, percent=st.floats(min_value=1, max_value=100)),
    issued_after=st.timedeltas(min_value=timedelta(), max_value=DAY),
)
def test_nothing_is_due_for_age_within_half_a_life_of_its_issue_nor_too_late(
    life: int, override: RenewBefore | None, issued_after: timedelta
) -> None:
    before, _ = usable_before(life * DAY, override)
    found = due(life, before=before, issued_at=START + issued_after)
    assert START + issued_after + life * DAY / 2 <= found < end(life)


@pytest.mark.parametrize(
    ("life", "warn", "critical"),
    [
        (397, 21, 10),
        (199, 21, 10),
        (99, 21, 10),
        (46, 0.7 * 46 / 3, 8),
        (30, 9, 8),
        (24, 9, 8),
        (12, 0.7 * 4, 2),  # floors would be above the whole window
    ],
)
def test_warn_and_critical_follow_the_window_with_floors_for_cps(life: float, warn: float, critical: float) -> None:
    before = renew_before(life * DAY)
    assert warn_days(life * DAY, before) == pytest.approx(warn)
    assert critical_days(life * DAY, before) == pytest.approx(critical)
