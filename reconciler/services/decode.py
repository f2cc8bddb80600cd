"""Bytes of an answer -> typed structs, tolerant as the services' documents ask, and the dates that they write."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from functools import wraps
from hashlib import blake2b
from typing import TypeVar, TypeVarTuple, Unpack

import msgspec

from reconciler.model.names import DnsName
from reconciler.model.times import within_reach

Struct = TypeVar("Struct")
Value = TypeVar("Value")
Rest = TypeVarTuple("Rest")

_ROWS = 1 << 18  # more than the largest fleet has, with its years of orders

_MONTH_FIRST = re.compile(r"(\d{2})/(\d{2})/(\d{4})")


class BodyError(Exception):
    """The body of an answer is not what its documents say."""


class BrokenBodyError(BodyError):
    """It is empty, cut off, or no JSON at all: the next answer may be whole."""


def decode(body: bytes, kind: type[Struct]) -> Struct:
    """Return `body` as `kind`. Numbers may come as texts (ids do); unknown members are left out.

    Raises:
        BodyError: it is JSON of another shape, or no JSON (`BrokenBodyError`).
    """
    try:
        return msgspec.json.decode(body, type=kind, strict=False)
    except msgspec.ValidationError as error:
        raise BodyError(f"unexpected JSON: {error}") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        what = "an empty body" if not body.strip() else f"no JSON: {error}"
        raise BrokenBodyError(what) from error


def each_row_once(
    parse: Callable[[bytes, Unpack[Rest]], Value],
) -> Callable[[msgspec.Raw | bytes, Unpack[Rest]], Value]:
    """Return `parse`, remembering what each row became: from look to look nearly all rows of a list stay as they are.

    What it returns is shared, and must be immutable. Rows are known by digest, since those of a fleet are many MB.
    """
    known: dict[tuple[object, ...], Value] = {}

    @wraps(parse)
    def parsed(raw: msgspec.Raw | bytes, *context: *Rest) -> Value:
        row = bytes(raw)
        key = (blake2b(row, digest_size=16).digest(), *context)
        value = known.get(key)
        if value is None:
            if len(known) >= _ROWS:
                known.clear()
            value = known[key] = parse(row, *context)
        return value

    return parsed


def encode(document: object) -> bytes:
    return msgspec.json.encode(document)


def instant(text: str) -> datetime:
    """Return an aware UTC instant: ISO 8601 with any offset (none means UTC), a bare date, or `MM/dd/yyyy`.

    SCM's details are month first unless asked otherwise; day-first dates can't be told apart and are not asked for.

    Raises:
        BodyError: it is none of these.
    """
    month_first = _MONTH_FIRST.fullmatch(text.strip())
    iso = "{2}-{0}-{1}".format(*month_first.groups()) if month_first else text.strip()
    try:
        moment = datetime.fromisoformat(iso)
        return within_reach(moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC))
    except (ValueError, OverflowError) as error:
        raise BodyError(f"no date: {text!r}") from error


def optional_instant(text: str | None) -> datetime | None:
    return instant(text) if text is not None and text.strip() else None


def observed_name(text: str) -> DnsName:
    """Return a name as a service says it, in the form in which names are compared; it is not judged here."""
    return DnsName(text.strip().rstrip(".").lower())


def serial_number(text: str) -> int:
    """Return a serial in hexadecimal, with colons, blanks, leading zeros or without, as the number it is.

    Raises:
        BodyError: it is no hexadecimal number.
    """
    try:
        return int(re.sub(r"[:\s]", "", text), 16)
    except ValueError as error:
        raise BodyError(f"no serial number: {text!r}") from error


def text_or_none(text: str | None) -> str | None:
    """Return the text, or None where the service wrote nothing or blanks, which mean the same."""
    return text if text is not None and text.strip() else None
