"""Answers in SCM's form: pretty-printed JSON without null members, and answers without a body."""

from collections.abc import Mapping

import msgspec
from starlette.responses import Response

JSON_TYPE = "application/json;charset=UTF-8"
_IN_A_TEXT, _ASIDE = b'\\": ', b"\0"  # a quote in a text is escaped, as none is that ends a member's name


def json_answer(
    value: object, *, status: int = 200, headers: Mapping[str, str] | None = None, nulls: bool = False
) -> Response:
    """Return `value` as SCM prints it, with a space on both sides of each colon; `nulls` keeps null members."""
    shown = value if nulls else without_nulls(value)
    # The standard library indents in Python: the report of a fleet's years would take twice the time.
    body = msgspec.json.format(msgspec.json.encode(shown), indent=2)
    body = body.replace(_IN_A_TEXT, _ASIDE).replace(b'": ', b'" : ').replace(_ASIDE, _IN_A_TEXT)
    return Response(body, status, headers=headers, media_type=JSON_TYPE)


def without_nulls(value: object) -> object:
    """Return `value` with null members of objects left out, at every depth."""
    match value:
        case dict():
            return {name: without_nulls(inner) for name, inner in value.items() if inner is not None}
        case list():
            return [without_nulls(inner) for inner in value]
        case _:
            return value


def no_content() -> Response:
    return Response(status_code=204)


def created(location: str) -> Response:
    return Response(status_code=201, headers={"Location": location})
