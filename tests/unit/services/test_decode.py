"""What the services write as dates, serials and numbers."""

from datetime import UTC, datetime

import msgspec
import pytest

from reconciler.services import decode as decoding
from reconciler.services.decode import (
    BodyError,
    BrokenBodyError,
    decode,
    each_row_once,
    instant,
    observed_name,
    serial_number,
)


class Thing(msgspec.Struct, rename="camel"):
    some_id: int
    name: str | None = None


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2025-05-21T12:34:24.371Z", datetime(2025, 5, 21, 12, 34, 24, 371_000, UTC)),
        ("2025-05-21T12:34:24Z", datetime(2025, 5, 21, 12, 34, 24, tzinfo=UTC)),
        ("2025-05-21T12:34:24.371+02:00", datetime(2025, 5, 21, 10, 34, 24, 371_000, UTC)),
        ("2025-05-21 12:34:24", datetime(2025, 5, 21, 12, 34, 24, tzinfo=UTC)),
        ("2025-05-21", datetime(2025, 5, 21, tzinfo=UTC)),
        ("05/21/2025", datetime(2025, 5, 21, tzinfo=UTC)),
        (" 02/03/2025 ", datetime(2025, 2, 3, tzinfo=UTC)),  # month first
        ("2025-05-13T14:28:19.4732Z", datetime(2025, 5, 13, 14, 28, 19, 473_200, UTC)),
    ],
)
def test_each_form_of_date_is_read(text: str, moment: datetime) -> None:
    assert instant(text) == moment
    assert instant(text).tzinfo is UTC


@pytest.mark.parametrize("text", ["", "21/05/2025", "soon", "2025-13-01", "0001-01-01T00:00:00+14:00"])
def test_what_is_no_date_is_no_crash(text: str) -> None:
    with pytest.raises(BodyError):
        instant(text)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("9999-12-31T23:59:59Z", datetime(2999, 12, 31, 23, 59, 59, tzinfo=UTC)),  # "for ever"
        ("9999-12-31", datetime(2999, 12, 31, 23, 59, 59, tzinfo=UTC)),
        ("0001-01-01T00:00:00Z", datetime(1970, 1, 1, tzinfo=UTC)),  # "never"
    ],
)
def test_dates_that_nobody_means_leave_room_to_calculate(text: str, moment: datetime) -> None:
    assert instant(text) == moment


@pytest.mark.parametrize("text", ["00:AB:01", "ab01", "0xAB01", "AB 01"])
def test_serials_are_numbers_however_written(text: str) -> None:
    assert serial_number(text) == 0xAB01


def test_a_serial_that_is_none_is_an_error() -> None:
    with pytest.raises(BodyError):
        serial_number("00:0::11::x")


def test_ids_may_come_as_texts_and_strangers_are_left_out() -> None:
    assert decode(b'{"someId": "12", "new": {}, "name": null}', Thing) == Thing(some_id=12)


@pytest.mark.parametrize(
    "body", [b"", b"  ", b'{"someId": 1', b"<html></html>", b"\xff\xfe", b"upstream connect error"]
)
def test_what_is_no_json_may_be_whole_the_next_time(body: bytes) -> None:
    with pytest.raises(BrokenBodyError):
        decode(body, Thing)


@pytest.mark.parametrize("body", [b"[]", b'{"someId": "twelve"}', b'{"someId": {}}', b'{"name": "x"}', b"null"])
def test_json_of_another_shape_will_not_change(body: bytes) -> None:
    with pytest.raises(BodyError) as caught:
        decode(body, Thing)
    assert type(caught.value) is BodyError


def test_names_are_compared_in_lower_case_without_a_last_dot() -> None:
    assert observed_name(" WWW.Example.COM. ") == "www.example.com"


def test_equal_rows_in_one_context_are_parsed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    parsed: list[tuple[bytes, str]] = []

    @each_row_once
    def row(body: bytes, context: str) -> tuple[bytes, str]:
        parsed.append((body, context))
        return body, context

    asked = [(b"1", "a"), (b"1", "a"), (b"2", "a"), (b"1", "b"), (b"2", "a")]
    assert [row(body, context) for body, context in asked] == asked
    assert parsed == [(b"1", "a"), (b"2", "a"), (b"1", "b")]
    monkeypatch.setattr(decoding, "_ROWS", 3)
    row(b"3", "a")
    assert row(b"1", "a") == (b"1", "a")
    assert parsed[3:] == [(b"3", "a"), (b"1", "a")]


def test_a_row_that_is_no_good_is_no_good_each_time() -> None:
    @each_row_once
    def row(body: bytes) -> Thing:
        return decode(body, Thing)

    for _ in range(2):
        with pytest.raises(BodyError):
            row(b"{}")
