"""The published schemas, as our own tests hold outputs to them: nothing in an output that no schema describes."""

import json
from typing import Any

import jsonschema

from tests.support.program import ROOT


def checked(kind: str, text: str) -> Any:
    """Return the parsed text, valid by its schema and with no member that the schema does not describe."""
    schema = json.loads((ROOT / "schemas" / f"{kind}.schema.json").read_text())
    data = json.loads(text)
    jsonschema.validate(data, _closed(schema))
    return data


def _closed(schema: Any) -> Any:
    """Readers take new members; our own tests do not: each must be described."""
    if isinstance(schema, dict):
        closed = {name: _closed(value) for name, value in schema.items()}
        return closed | {"additionalProperties": False} if "properties" in closed else closed
    return [_closed(one) for one in schema] if isinstance(schema, list) else schema
