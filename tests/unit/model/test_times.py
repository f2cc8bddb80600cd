"""Times as people write them: what is none, or leads out of the calendar, is no value."""

from datetime import UTC, date, datetime, timedelta, timezone

import pytest

from reconciler.model.times import day, instant, span, within_reach


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("45s", timedelta(seconds=45)),
        ("20m", timedelta(minutes=20)),
        ("1h30m", timedelta(hours=1, minutes=30)),
        ("14d", timedelta(days=14)),
        ("0s", timedelta()),
        ("36500d", timedelta(days=36_500)),
    ],
)
def test_a_span_is_the_sum_of_its_parts(text: str, length: timedelta) -> None:
    assert span(text) == length


@pytest.mark.parametrize("text", ["", "1", "d", "1w", "-1d", "1.5h", "1h 30m", "٣d", "1d\n"])
def test_what_is_no_span_is_none(text: str) -> None:
    assert span(text) is None


@pytest.mark.parametrize("text", ["36501d", "36500d1s", "99999999999d", f"{'9' * 5000}s"])
def test_a_span_of_over_a_hundred_years_is_none(text: str) -> None:
    assert span(text) is None


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("1970-01-01", date(1970, 1, 1)),
        ("2027-02-28", date(2027, 2, 28)),
        ("2999-12-31", date(2999, 12, 31)),
        ("1969-12-31", None),
        ("3000-01-01", None),
        ("2027-02-30", None),
        ("soon", None),
    ],
)
def test_a_day_lies_in_years_that_certificates_know(text: str, read: date | None) -> None:
    assert day(text) == read


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("2027-03-15T12:00Z", datetime(2027, 3, 15, 12, tzinfo=UTC)),
        ("2027-03-15T12:00+14:00", datetime(2027, 3, 15, 12, tzinfo=timezone(timedelta(hours=14)))),
        ("2027-03-15", datetime(2027, 3, 15)),  # noqa: DTZ001 - which zone, the caller says
        ("0001-01-01T00:00+14:00", None),
        ("9999-12-31T23:59:59-14:00", None),
        ("soon", None),
    ],
)
def test_an_instant_lies_in_years_that_certificates_know(text: str, read: datetime | None) -> None:
    assert instant(text) == read


@pytest.mark.parametrize("moment", [datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)])
def test_with_what_is_within_reach_one_can_calculate(moment: datetime) -> None:
    near = within_reach(moment)
    century = timedelta(days=36_500)
    assert near - century < near < near + century
    assert within_reach(near) == near
