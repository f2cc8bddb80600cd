"""Answers in SCM's form: pretty-printed JSON without null members, and answers without a body."""

import json
from collections.abc import Mapping

from starlette.responses import Response

JSON_TYPE = "application/json;charset=UTF-8"


def json_answer(
    value: object, *, status: int = 200, headers: Mapping[str, str] | None = None, nulls: bool = False
) -> Response:
    """Return `value` as SCM prints it, with a space on both sides of each colon; `nulls` keeps null members."""
    shown = value if nulls else without_nulls(value)
    body = json.dumps(shown, indent=2, separators=(",", " : "), ensure_ascii=False)
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
