"""Bytes of an answer -> typed structs, tolerant as the services' documents ask, and the dates that they write."""

import re
from datetime import UTC, datetime
from typing import TypeVar

import msgspec

from reconciler.model.names import DnsName

Struct = TypeVar("Struct")

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
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
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
