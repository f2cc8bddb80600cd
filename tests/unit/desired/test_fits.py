"""The quick judgement: whatever it lets pass, jsonschema lets pass; and the files of the example pass."""

import copy
from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft7Validator
from ruamel.yaml import YAML

from reconciler.desired.fits import fits
from reconciler.desired.schema import Kind, schema_of
from tests.support.program import ROOT

FULL: dict[Kind, list[Any]] = {
    "configuration": [YAML(typ="safe").load((ROOT / "certrecon.yaml").read_text())],
    "defaults": [YAML(typ="safe").load(path.read_text()) for path in ROOT.glob("certificates/**/_defaults.yaml")],
    "certificate": [YAML(typ="safe").load(path.read_text()) for path in ROOT.glob("certificates/**/[a-z]*.yaml")],
}
WRONG: tuple[object, ...] = (
    None,
    "",
    "a b\x00",
    "x" * 300,
    0,
    -1,
    10**6,
    1.0,
    True,
    [],
    [1],
    ["a", "a"],
    [{"x": 1}],
    {},
    {"x": {"y": 1}},
)


def places(data: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield path
    below = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    for key, value in below:
        yield from places(value, (*path, key))


def altered(data: Any, path: tuple[Any, ...], value: object) -> Any:
    if not path:
        return value
    copied = copy.deepcopy(data)
    place = copied
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    return copied


def without(data: Any, path: tuple[Any, ...]) -> Any:
    copied = copy.deepcopy(data)
    place = copied
    for key in path[:-1]:
        place = place[key]
    del place[path[-1]]
    return copied


def mutants(data: Any) -> Iterator[Any]:
    """Yield the data with each of its values replaced, left out, and with a field that is none beside it."""
    for path in places(data):
        yield from (altered(data, path, value) for value in WRONG)
        if path:
            yield without(data, path)
            yield altered(data, (*path[:-1], 0 if isinstance(path[-1], int) else "unknown"), "x")


@pytest.mark.parametrize("kind", FULL)
def test_the_example_fits(kind: Kind) -> None:
    assert FULL[kind]
    assert all(fits(data, schema_of(kind)) for data in FULL[kind])


@pytest.mark.parametrize("kind", FULL)
def test_what_passes_passes_jsonschema_too(kind: Kind) -> None:
    schema, passed, judged = schema_of(kind), 0, 0
    validator = Draft7Validator(schema)
    for mutant in (one for data in FULL[kind] for one in mutants(data)):
        judged += 1
        if fits(mutant, schema):
            passed += 1
            assert validator.is_valid(mutant), mutant
    assert 0 < passed < judged / 2


@pytest.mark.parametrize("keyword", ["$ref", "anyOf", "format", "if", "newer"])
def test_nothing_fits_a_keyword_that_is_not_known(keyword: str) -> None:
    assert not fits("x", {"type": "string", keyword: {}})
    assert not fits(["x"], {"items": {keyword: {}}})


@pytest.mark.parametrize(
    "schema", [{"enum": [1, None]}, {"const": 1}, {"type": "integer"}, {"type": ["number", "null"]}]
)
def test_true_is_no_number(schema: dict[str, Any]) -> None:
    assert not fits(True, schema)
    assert fits(1, schema)
