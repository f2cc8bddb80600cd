"""Freeze windows hold what can wait, and pull renewals forward to before them."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.model.policy import Freeze
from reconciler.planning.freezes import LEAD, frozen, ignores_freeze, pull_forward

DAY = timedelta(days=1)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def freeze(first: str, last: str, reason: str = "year end") -> Freeze:
    return Freeze(first=date.fromisoformat(first), last=date.fromisoformat(last), reason=reason)


YEAR_END = freeze("2026-12-18", "2027-01-04")
NEVER = utc("2030-01-01")


@pytest.mark.parametrize(
    ("at", "held"),
    [
        ("2026-12-17T23:59:59", False),
        ("2026-12-18T00:00:00", True),
        ("2027-01-04T23:59:59", True),
        ("2027-01-05T00:00:00", False),
    ],
)
def test_both_days_of_a_freeze_are_inside(at: str, held: bool) -> None:
    assert (frozen([YEAR_END], utc(at)) is YEAR_END) is held


def test_days_are_those_of_utc() -> None:
    one_in_the_morning = datetime(2026, 12, 18, 1, tzinfo=UTC).astimezone(datetime.strptime("-0500", "%z").tzinfo)
    assert one_in_the_morning.date() == date(2026, 12, 17)
    assert frozen([YEAR_END], one_in_the_morning) is YEAR_END


def test_of_two_freezes_the_one_that_ends_last_is_named() -> None:
    longer = freeze("2026-12-20", "2027-01-10", "sales")
    assert frozen([longer, YEAR_END], utc("2026-12-24T00:00:00")) is longer
    assert frozen([YEAR_END, longer], utc("2026-12-24T00:00:00")) is longer


@pytest.mark.parametrize("kind", ["renew", "resume", "upload", "acknowledge", "promote"])
def test_what_is_urgent_is_renewed_and_finished_in_a_freeze(kind: str) -> None:
    assert ignores_freeze(kind, urgent=True)
    assert not ignores_freeze(kind, urgent=False)


@pytest.mark.parametrize("kind", ["create", "adopt", "reissue", "update", "cancel", "delete", "revoke"])
def test_urgency_lets_nothing_else_through_a_freeze(kind: str) -> None:
    assert not ignores_freeze(kind, urgent=True)


@pytest.mark.parametrize("kind", ["reissue", "renew", "resume", "upload", "acknowledge", "promote"])
def test_a_campaign_replaces_in_a_freeze_too(kind: str) -> None:
    assert ignores_freeze(kind, urgent=False, campaign=True)


@pytest.mark.parametrize("kind", ["create", "adopt", "update", "cancel", "delete", "revoke"])
def test_a_campaign_lets_nothing_else_through_a_freeze(kind: str) -> None:
    assert not ignores_freeze(kind, urgent=False, campaign=True)


@pytest.mark.parametrize(
    ("due", "pulled"),
    [
        ("2026-12-12T23:59:59", "2026-12-12T23:59:59"),  # five days before the freeze there is time to finish
        ("2026-12-13T00:00:00", "2026-12-13T00:00:00"),
        ("2026-12-13T00:00:01", "2026-12-13T00:00:00"),
        ("2026-12-17T12:00:00", "2026-12-13T00:00:00"),
        ("2026-12-18T00:00:00", "2026-12-13T00:00:00"),
        ("2027-01-04T23:59:59", "2026-12-13T00:00:00"),
        ("2027-01-05T00:00:00", "2027-01-05T00:00:00"),
    ],
)
def test_what_is_due_in_a_freeze_or_just_before_it_is_due_in_time_for_it(due: str, pulled: str) -> None:
    assert pull_forward(utc(due), [YEAR_END], warn_at=NEVER) == utc(pulled)


def test_without_a_freeze_nothing_moves() -> None:
    assert pull_forward(utc("2026-12-24T00:00:00"), [], warn_at=NEVER) == utc("2026-12-24T00:00:00")


@pytest.mark.parametrize(
    ("second", "pulled"),
    [
        (freeze("2027-01-10", "2027-01-20"), "2026-12-13T00:00:00"),  # five days between them: no room for a renewal
        (freeze("2027-01-11", "2027-01-20"), "2027-01-06T00:00:00"),  # six days: the first of them has room
        (freeze("2027-01-02", "2027-01-20"), "2026-12-13T00:00:00"),
    ],
)
def test_freezes_without_room_between_them_are_one(second: Freeze, pulled: str) -> None:
    for freezes in ([YEAR_END, second], [second, YEAR_END]):
        assert pull_forward(utc("2027-01-15T00:00:00"), freezes, warn_at=NEVER) == utc(pulled)


def test_a_short_freeze_inside_a_long_one_does_not_shorten_it() -> None:
    inner = freeze("2026-12-20", "2026-12-21")
    assert pull_forward(utc("2027-01-03T00:00:00"), [YEAR_END, inner], warn_at=NEVER) == utc("2026-12-13T00:00:00")


@pytest.mark.parametrize(
    ("half_of_life", "warn_at", "due"),
    [
        ("2026-12-10T00:00:00", "2027-02-01T00:00:00", "2026-12-13T00:00:00"),  # time enough before the freeze
        ("2026-12-15T00:00:00", "2027-02-01T00:00:00", "2026-12-15T00:00:00"),  # some time before it
        ("2026-12-18T00:00:00", "2027-02-01T00:00:00", "2027-01-05T00:00:00"),  # none: it waits for the end
        ("2026-12-20T00:00:00", "2026-12-30T00:00:00", "2026-12-30T00:00:00"),  # but not past warn
        ("2026-12-20T00:00:00", "2026-12-19T00:00:00", "2026-12-24T00:00:00"),  # nor is it earlier than for age
    ],
)
def test_a_freeze_longer_than_the_slack_never_makes_it_due_in_the_first_half_of_its_life(
    half_of_life: str, warn_at: str, due: str
) -> None:
    found = pull_forward(utc("2026-12-24T00:00:00"), [YEAR_END], warn_at=utc(warn_at), earliest=utc(half_of_life))
    assert found == utc(due)


days = st.integers(min_value=0, max_value=120).map(lambda number: date(2026, 11, 1) + timedelta(days=number))
windows = st.lists(
    st.tuples(days, st.integers(min_value=0, max_value=40)).map(
        lambda pair: Freeze(first=pair[0], last=pair[0] + timedelta(days=pair[1]), reason="")
    ),
    max_size=4,
)
instants = st.datetimes(min_value=datetime(2026, 11, 1), max_value=datetime(2027, 6, 1), timezones=st.just(UTC))  # noqa: DTZ001 - the zone is added


@given(due_at=instants, freezes=windows)
def test_pulled_forward_a_renewal_is_never_later_and_begins_outside_of_every_freeze(
    due_at: datetime, freezes: list[Freeze]
) -> None:
    found = pull_forward(due_at, freezes, warn_at=NEVER)
    assert found <= due_at
    assert frozen(freezes, found) is None
    assert pull_forward(found, freezes, warn_at=NEVER) == found
    if found < due_at:
        assert frozen(freezes, found + LEAD) is not None


@given(due_at=instants, freezes=windows, life=st.integers(2, 60), slack=st.integers(0, 60))
def test_it_is_due_after_half_of_its_life_and_not_held_past_warn(
    due_at: datetime, freezes: list[Freeze], life: int, slack: int
) -> None:
    half, warn_at = due_at - life * DAY, due_at + slack * DAY
    found = pull_forward(due_at, freezes, warn_at=warn_at, earliest=half)
    assert half <= found <= warn_at
