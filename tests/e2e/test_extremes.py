"""Every field that takes a number, a span, a date or free text, given the most that its schema lets through.

Fields are taken from the schemas, so that a new one is tried too. What is absurd may be refused; nothing may crash.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator
from ruamel.yaml import YAML

from tests.support.files import CONFIGURATION, DEFAULTS, Files
from tests.support.program import Program

SCHEMAS = Path(__file__).parents[2] / "schemas"
WWW = "certificates/www.example.com.yaml"
DIGITS = "9" * 20
EXTREMES = (
    *(0, 999_999, 2**63, 10**30, 1e308),
    *("1s", f"{DIGITS}s", "3660000d", "99999999999d", f"{DIGITS}%", "36500"),
    *("0001-01-01", "9999-12-31", "0001-01-01T00:00+14:00", "9999-12-31T23:59:59-14:00"),
    ">=" + "9" * 5000,
)
Way = tuple[str | int, ...]


def fields(schema: dict[str, Any], at: Way = ()) -> Iterator[tuple[Way, dict[str, Any]]]:
    """Yield the way to each scalar field, and its schema; a list has one entry, a free map the key "x"."""
    for key, child in schema.get("properties", {}).items():
        yield from fields(child, (*at, key))
    if isinstance(child := schema.get("additionalProperties"), dict):
        yield from fields(child, (*at, "x"))
    if "items" in schema:
        yield from fields(schema["items"], (*at, 0))
    if {"string", "integer", "number"}.intersection(_types(schema)):
        yield at, schema


def _types(schema: dict[str, Any]) -> list[str]:
    named = schema.get("type", [])
    return [named] if isinstance(named, str) else named


def with_field(schema: dict[str, Any], document: Any, path: Way, value: object) -> Any:
    """Return the document with a value at the path; what has to stand beside it is as in the schema's examples."""
    if not path:
        return value
    key, *rest = path
    if isinstance(key, int):
        return [with_field(schema["items"], None, tuple(rest), value)]
    filled = dict(document or {})
    properties = schema.get("properties", {})
    for needed in schema.get("required", ()):
        filled.setdefault(needed, properties[needed].get("examples", [properties[needed]["default"]])[0])
    child = properties.get(key) or schema["additionalProperties"]
    return {**filled, key: with_field(child, filled.get(key), tuple(rest), value)}


def cases() -> Iterator[tuple[str, str, str]]:
    """Yield file, name of the field and the file's text, for each extreme that the field's schema lets through."""
    bases = (("configuration", "certrecon.yaml", CONFIGURATION), ("certificate", WWW, certificate("www.example.com")))
    yaml = YAML(typ="safe")
    for kind, file, text in bases:
        schema = json.loads((SCHEMAS / f"{kind}.schema.json").read_text())
        for path, field in fields(schema):
            allows = Draft7Validator(field).is_valid
            for value in filter(allows, EXTREMES):
                made = with_field(schema, yaml.load(text), path, value)
                yield file, ".".join(map(str, path)), json.dumps(made)  # which is YAML too


def certificate(name: str) -> str:
    return f"apiVersion: certrecon/v1\ncommonName: {name}\n"


def test_the_schemas_let_some_extremes_through() -> None:
    tried = {name for _, name, _ in cases()}
    assert {"policy.planMaxAge", "policy.renewal.freeze.0.to", "policy.budgets.orders", "akamai.adoptChange"} <= tried
    assert len(tried) >= 60


@pytest.mark.long
@pytest.mark.parametrize("command", ["plan", "status", "report", "explain"])
def test_no_extreme_value_crashes_what_reads_the_services(program: Program, command: str) -> None:
    assert program.apply().exit_code == 0
    arguments = (command, "www.example.com") if command == "explain" else (command,)
    for file, field, text in cases():
        good = (program.repository / file).read_text()
        program.write(file, text)
        assert program.run(*arguments).exit_code in (0, 1, 4, 64), (field, text)  # and nothing is raised
        program.write(file, good)


def test_no_extreme_value_crashes_validate(tmp_path: Path) -> None:
    files, program = Files(tmp_path), Program(repository=tmp_path)
    good = {
        "certrecon.yaml": CONFIGURATION,
        "certificates/_defaults.yaml": DEFAULTS,
        WWW: certificate("www.example.com"),
    }
    for file, text in good.items():
        files.write(file, text)
    for file, field, text in cases():
        files.write(file, text)
        finished = program.run("validate")
        assert finished.exit_code in (0, 1), (field, text)
        files.write(file, good[file])
