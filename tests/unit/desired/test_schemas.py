"""The schemas serve editors and the loader alike: both copies are equal, and every field is explained by an example."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator

from reconciler.desired.schema import FORBIDDEN_IN_DEFAULTS
from reconciler.model.certificate import KeyType, Promote, State
from reconciler.model.policy import Approval, LoginKind

ROOT = Path(__file__).parents[3]
NAMES = ("certificate", "defaults", "configuration")


def schema(name: str) -> dict[str, Any]:
    text = (ROOT / "schemas" / f"{name}.schema.json").read_text(encoding="utf-8")
    content: dict[str, Any] = json.loads(text)
    return content


def fields(node: dict[str, Any], pointer: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every field of a schema, entries of lists and maps included."""
    yield pointer, node
    for name, field in node.get("properties", {}).items():
        yield from fields(field, f"{pointer}.{name}")
    for keyword in ("items", "additionalProperties"):
        if isinstance(node.get(keyword), dict):
            yield from fields(node[keyword], f"{pointer}.*")


def test_the_packaged_schemas_equal_those_that_editors_read() -> None:
    ours = {file.name: file.read_bytes() for file in (ROOT / "schemas").iterdir()}
    packaged = {file.name: file.read_bytes() for file in (ROOT / "reconciler" / "schemas").glob("*.json")}
    assert ours == packaged


@pytest.mark.parametrize("name", NAMES)
def test_a_schema_is_valid_draft_07(name: str) -> None:
    assert schema(name)["$schema"] == "http://json-schema.org/draft-07/schema#"
    Draft7Validator.check_schema(schema(name))


@pytest.mark.parametrize("name", NAMES)
def test_every_field_has_title_description_default_and_examples(name: str) -> None:
    bare = [
        pointer
        for pointer, field in fields(schema(name), name)
        if not (field.get("title") and field.get("description") and "default" in field and field.get("examples"))
    ]
    assert bare == []


@pytest.mark.parametrize("name", NAMES)
def test_every_example_fits_its_field(name: str) -> None:
    for pointer, field in fields(schema(name), name):
        for example in field["examples"]:
            assert [error.message for error in Draft7Validator(field).iter_errors(example)] == [], pointer


@pytest.mark.parametrize("name", NAMES)
def test_no_map_of_fields_takes_unknown_ones(name: str) -> None:
    for pointer, field in fields(schema(name), name):
        if "properties" in field and "object" in field.get("type", ()):
            assert field.get("additionalProperties", True) is not True, pointer


def test_defaults_take_the_fields_of_a_certificate_without_the_forbidden_ones() -> None:
    def paths(name: str) -> set[str]:
        return {pointer.removeprefix(f"{name}.") for pointer, _ in fields(schema(name), name) if pointer != name}

    missing = paths("certificate") - paths("defaults")
    assert {path for path in missing if path.partition(".*")[0] in FORBIDDEN_IN_DEFAULTS} == missing
    assert missing >= FORBIDDEN_IN_DEFAULTS
    assert paths("defaults") <= paths("certificate")


def test_the_words_of_the_schemas_are_those_of_the_model() -> None:
    certificate, configuration = schema("certificate")["properties"], schema("configuration")["properties"]
    login = configuration["sectigo"]["additionalProperties"]["properties"]["auth"]["properties"]
    assert certificate["keyTypes"]["items"]["enum"] == [key_type.spelt for key_type in KeyType]
    assert certificate["state"]["enum"] == [*State, None]
    assert certificate["akamai"]["properties"]["promote"]["enum"] == [*Promote, None]
    assert login["type"]["enum"] == [*LoginKind]
    assert configuration["policy"]["properties"]["approval"]["enum"] == [*Approval, None]
