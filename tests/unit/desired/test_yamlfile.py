"""A file is one plain YAML document with a place for each field, or a clear refusal at a place."""

from pathlib import Path

import pytest

from reconciler.desired.yamlfile import MAX_BYTES, Json, parse, read
from reconciler.errors import DesiredStateError, Location


def refused(content: bytes) -> str:
    with pytest.raises(DesiredStateError) as caught:
        parse(content, "f.yaml")
    return str(caught.value)


def test_every_field_has_the_place_of_its_key_and_of_its_value() -> None:
    document = parse(b"# first\na: 1\nb:\n  c: [x, y]\n", "f.yaml")
    assert document.data == {"a": 1, "b": {"c": ["x", "y"]}}
    assert document.key("b.c") == Location("f.yaml", 4, 3)
    assert document.value("b.c") == Location("f.yaml", 4, 6)
    assert document.value("b.c.1") == Location("f.yaml", 4, 10)
    assert document.value("") == Location("f.yaml", 2, 1)


def test_a_field_that_is_not_there_has_the_place_of_the_map_around_it() -> None:
    assert parse(b"a: 1\nb:\n  c: 2\n", "f.yaml").value("b.missing.more") == Location("f.yaml", 3, 3)


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("on", "on"),
        ("no", "no"),
        ("yes", "yes"),
        ("true", True),
        ("False", False),
        ("null", None),
        ("~", None),
        ("", None),
        ("12", 12),
        ("-3", -3),
        ("007", 7),
        ("0x1F", 31),
        ("0o17", 15),
        ("1.5", 1.5),
        ("2e3", 2000.0),
        ("0A1B", "0A1B"),
        ("2026-12-18", "2026-12-18"),
        ("12:30", "12:30"),
        (".inf", ".inf"),
        (".nan", ".nan"),
        ("'12'", "12"),
        ('"null"', "null"),
        ("33%", "33%"),
    ],
)
def test_scalars_follow_the_core_schema_of_yaml_1_2(written: str, value: Json) -> None:
    read_value = parse(f"a: {written}\n".encode(), "f.yaml").data["a"]
    assert (read_value, type(read_value)) == (value, type(value))


@pytest.mark.parametrize(
    ("content", "place", "text"),
    [
        (b"", "f.yaml:1:1", "The file is empty."),
        (b"# only a comment\n", "f.yaml:1:1", "The file is empty."),
        (b"---\n...\n", "f.yaml:2:1", "The file is empty."),
        (b"- a\n", "f.yaml:1:1", "not a map"),
        (b"hello\n", "f.yaml:1:1", "not a map"),
        (b"a:\n\tb: 1\n", "f.yaml:2:1", "A tab indents this line."),
        (b"\xef\xbb\xbfa: 1\n", "f.yaml:1:1", "byte order mark"),
        ("a: 1\n".encode("utf-16"), "f.yaml:1:1", "byte order mark"),
        (b"a: 1\nb: \xe9\n", "f.yaml:2:4", "not UTF-8"),
        (b"a: \x00\n", "f.yaml:1:4", "U+0000"),
        (b"a: 1\nb: x\x1b[31m\n", "f.yaml:2:5", "U+001B"),
        (b"a: 1\n---\nb: 1\n", "f.yaml:2:1", "A second document"),
        (b"a: &x [1]\nb: *x\n", "f.yaml:1:4", "Anchors and aliases"),
        (b"a: *x\n", "f.yaml:1:4", "Anchors and aliases"),
        (b"a: *.example.com\n", "f.yaml:1:4", 'Write the wildcard in quotes: "*.example.com".'),
        (b"&x a: 1\n", "f.yaml:1:1", "Anchors and aliases"),
        (b"a: !!python/object:os.system x\n", "f.yaml:1:4", "Tags"),
        (b"a: !!str 12\n", "f.yaml:1:4", "Tags"),
        (b"a: 1\n  b: 2\n", "f.yaml:2:4", "not YAML"),
        (b"a: [1, 2\nb: 3\n", "f.yaml:2:2", "not YAML"),
        (b'a: "x\nb: y\n', "f.yaml:3:1", "not YAML"),
        (b"1: x\n", "f.yaml:1:1", 'The key "1"'),
        (b"? [a]\n: b\n", "f.yaml:1:3", "A key is not a text"),
        (b"[" * 5000, "f.yaml:1:15", "nested too deeply"),
        (b"{a: " * 5000, "f.yaml:1:57", "nested too deeply"),
    ],
)
def test_what_is_not_one_plain_document_is_refused_at_its_place(content: bytes, place: str, text: str) -> None:
    message = refused(content)
    assert message.startswith(f"{place}: error: ")
    assert text in message


def test_a_bomb_of_aliases_is_refused_at_the_first_of_them() -> None:
    lines = ["a0: &a0 [lol, lol]"] + [f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]" for n in range(1, 60)]
    assert refused("\n".join(lines).encode()).startswith("f.yaml:1:5: error: Anchors and aliases")


def test_all_duplicate_keys_are_told_with_the_line_of_the_first() -> None:
    messages = refused(b"a: 1\nb:\n  c: 1\n  c: 2\na: 2\n").splitlines()
    assert [message.split(": ", 1)[0] for message in messages] == ["f.yaml:4:3", "f.yaml:5:1"]
    assert '"a" stands here a second time, after line 1.' in messages[1]


def test_a_file_over_the_limit_is_not_read(tmp_path: Path) -> None:
    file = tmp_path / "big.yaml"
    file.write_bytes(b"a: " + b"x" * MAX_BYTES)
    with pytest.raises(DesiredStateError, match=r"big\.yaml:1:1: error: The file is larger than 1024 KiB"):
        read(file, "big.yaml")


def test_a_file_that_cannot_be_read_says_so(tmp_path: Path) -> None:
    with pytest.raises(DesiredStateError, match="cannot be read: No such file"):
        read(tmp_path / "none.yaml", "none.yaml")
