"""The reference is what the program says of itself: made anew, it is equal to what is committed."""

import re
from pathlib import Path

import pytest

from tools.reference import FOLDER, fields, made

ROOT = Path(__file__).parents[2]
PAGES = made()
# Of the machine, of CI and of git: nobody sets them for certrecon.
FOREIGN = re.compile(r"(CI|GIT|GITHUB|GITLAB|BUILD)_|AKAMAI_EDGERC_SECTION")
# Only the sandbox writes them, for other clients.
OF_OTHERS = {f"SECTIGO_{name}" for name in ("CERT_FILE", "KEY_FILE", "CLIENT_ID", "CLIENT_SECRET", "CUSTOMER_URI")}


@pytest.mark.parametrize("name", sorted(PAGES))
def test_a_page_of_the_reference_is_not_stale(name: str) -> None:
    page = FOLDER / name
    assert page.exists() and page.read_text() == PAGES[name], f"docs/reference/{name} is stale: run `make reference`"


def test_there_is_no_page_that_nothing_makes() -> None:
    assert {page.name for page in FOLDER.glob("*.md")} == set(PAGES)


def test_each_variable_that_the_program_reads_is_in_the_reference() -> None:
    sources = "\n".join(path.read_text() for path in (ROOT / "reconciler").rglob("*.py"))
    read = set(re.findall(r"[\"']((?:AKAMAI|SECTIGO|CERTRECON)_[A-Z_]+)[\"']", sources)) - OF_OTHERS
    told = set(re.findall(r"^\| `([A-Z_]+)`", PAGES["environment.md"], re.MULTILINE))
    assert {name for name in read if not FOREIGN.match(name)} <= told
    assert "CERTRECON_STATE_DIR" in read


def test_a_field_is_told_by_its_path() -> None:
    inner = {"properties": {"url": {"type": "string"}}, "required": ["url"]}
    schema = {"properties": {"one": {"items": inner}, "two": {"additionalProperties": inner}}}
    assert [(path, required) for path, _, required in fields(schema)] == [
        ("one", False),
        ("one[].url", True),
        ("two", False),
        ("two.NAME.url", True),
    ]
