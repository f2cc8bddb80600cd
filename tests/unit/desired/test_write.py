"""The writer: fields in the schema's order, names sorted, comments where they were; never another meaning."""

import re
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reconciler.desired.write import create_file, formatted, replace_file, scalar
from reconciler.desired.yamlfile import parse
from reconciler.errors import DesiredStateError
from reconciler.model.digest import desired_digest
from tests.support.files import files

SCHEMA = "../schemas/certificate.schema.json"
MODELINE = f"# yaml-language-server: $schema={SCHEMA}\n"


def fmt(text: str, schema_path: str | None = None) -> str:
    return formatted(text.encode(), "www.yaml", "certificate", schema_path).decode()


def test_fields_come_in_the_order_of_the_schema_with_their_comments() -> None:
    before = """\
labels: {team: web}  # who
# about Akamai
akamai:
  # about SNI
  sniOnly: true
  contract: C-1   # which
    # a note below the contract
  subject: {locality: Manchester, country: GB}

commonName: www.example.com
apiVersion: certrecon/v1
# the end
"""
    assert (
        fmt(before)
        == """\
apiVersion: certrecon/v1

commonName: www.example.com
labels: {team: web}  # who
# about Akamai
akamai:
  contract: C-1   # which
    # a note below the contract
  # about SNI
  sniOnly: true
  subject: {country: GB, locality: Manchester}
# the end
"""
    )


def test_the_same_file_twice_is_the_same() -> None:
    once = fmt("dnsNames: [b.example.com, a.example.com]\ncommonName: www.example.com\napiVersion: x\n", SCHEMA)
    assert once == MODELINE + "apiVersion: x\ncommonName: www.example.com\ndnsNames: [a.example.com, b.example.com]\n"
    assert fmt(once, SCHEMA) == once


def test_names_are_sorted_each_with_its_comments() -> None:
    before = "dnsNames:\n  # bee\n  - b.example.com  # b\n  - a.example.com  # a\n"
    assert fmt(before) == "dnsNames:\n  - a.example.com  # a\n  # bee\n  - b.example.com  # b\n"


def test_lists_that_are_no_sets_keep_their_order() -> None:
    text = "keyTypes: [RSA-2048, ECDSA-P256]\nakamai:\n  disallowedTlsVersions:\n    - TLSv1_1\n    - TLSv1\n"
    assert fmt(text) == text


def test_names_in_brackets_with_a_comment_inside_stay() -> None:
    text = "dnsNames: [\n  b.example.com,  # bee\n  a.example.com,\n]\n"
    assert fmt(text) == text


def test_a_map_in_a_list_is_put_in_order_behind_its_dash() -> None:
    before = "acceptWarnings:\n  - names: [b.x, a.x]\n    id: FOO\n  - id: BAR\n"
    assert fmt(before) == "acceptWarnings:\n  - id: FOO\n    names: [a.x, b.x]\n  - id: BAR\n"


def test_a_map_of_the_users_own_names_keeps_its_order() -> None:
    text = "labels:\n  zone: a\n  team: web\n"
    assert fmt(text) == text


def test_unknown_fields_come_last() -> None:
    assert fmt("nonsense: 1\ncommonName: a\n") == "commonName: a\nnonsense: 1\n"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("apiVersion: x\n", f"{MODELINE}apiVersion: x\n"),
        ("# yaml-language-server: $schema=wrong.json\napiVersion: x\n", f"{MODELINE}apiVersion: x\n"),
        ("# ours\n#yaml-language-server: $schema=a.json\n\napiVersion: x\n", f"{MODELINE}# ours\n\napiVersion: x\n"),
        (
            "# yaml-language-server: $schema=https://example.com/s.json\napiVersion: x\n",
            "# yaml-language-server: $schema=https://example.com/s.json\napiVersion: x\n",
        ),
    ],
    ids=["none", "wrong", "not first", "an address"],
)
def test_the_first_line_points_to_the_schema(before: str, after: str) -> None:
    assert fmt(before, SCHEMA) == after


def test_a_comment_at_the_head_stays_there() -> None:
    before = f"{MODELINE}# Ours.\n\nlabels: {{a: b}}\napiVersion: x\n"
    assert fmt(before, SCHEMA) == f"{MODELINE}# Ours.\n\napiVersion: x\nlabels: {{a: b}}\n"


@pytest.mark.parametrize(
    "text", ["? commonName\n: a\n? apiVersion\n: b\n", "---\ncommonName: a\n...\n", "{b: 1, a: 2}\n"]
)
def test_odd_shapes_keep_their_meaning(text: str) -> None:
    assert parse(fmt(text).encode(), "x").data == parse(text.encode(), "x").data


def test_carriage_returns_and_a_missing_end_of_line_are_mended() -> None:
    assert fmt("commonName: a\r\napiVersion: x") == "apiVersion: x\ncommonName: a\n"


def test_a_text_in_lines_is_not_touched() -> None:
    text = "commonName: |+\n  b\n  # no comment\n\nlabels: {a: b}\napiVersion: >\n  x\n\n"
    assert parse(fmt(text).encode(), "x").data == parse(text.encode(), "x").data


@pytest.mark.parametrize("content", [b"a: [", b"a: 1\n---\nb: 2\n", b"", b"\xff", b"a: &b 1\n", b"a: 1\na: 2\n"])
def test_a_broken_file_is_refused(content: bytes) -> None:
    with pytest.raises(DesiredStateError):
        formatted(content, "www.yaml", "certificate", SCHEMA)


FIELDS = (
    "commonName: www.example.com",
    "dnsNames: [c.example.com, A.example.com, b.example.com]",
    "labels: {zone: a, team: web}",
    "keyTypes: [ECDSA-P256, RSA-2048]",
    "sectigo: {term: 90, customFields: {Z: '1', A: \"2\"}, issuer: public}",
    "renewal: {before: 33%}",
    "akamai:\n  sniOnly: true\n  # {}\n  ocspStapling: on\n"
    "  subject:\n    locality: M\n    country: GB\n  geography: core",
    "acceptWarnings:\n- names:\n  # {}\n  - z.example.com\n  - y.example.com\n"
    "  id: SANS_REMOVED_REQUIRE_ACKNOWLEDGEMENT",
    "protect: true",
)


@st.composite
def documents(draw: st.DrawFn) -> str:
    """A certificate's file: some fields in any order, with comments above and beside them."""
    fields = draw(st.permutations(FIELDS))
    lines = []
    for number, field in enumerate(["apiVersion: certrecon/v1", *fields][:: draw(st.sampled_from([1, -1]))]):
        lines += draw(
            st.sampled_from([[], [f"# above {number}"], ["", f"# above {number}"], [f"# above {number}", ""]])
        )
        beside = draw(st.booleans()) and "\n" not in field
        lines.append(
            field.replace("{}", f"inside {number}", 1 if "# {}" in field else 0)
            + (f"  # beside {number}" if beside else "")
        )
    lines += draw(st.sampled_from([[], ["# the end"], ["", "# the end", ""], ["  # deeper"]]))
    return "\n".join(lines) + draw(st.sampled_from(["", "\n"]))


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(before=documents())
def test_the_effective_digest_never_changes_and_no_comment_is_lost(tmp_path: Path, before: str) -> None:
    after = fmt(before, SCHEMA)
    assert fmt(after, SCHEMA) == after
    assert digest(tmp_path, after) == digest(tmp_path, before)
    assert comments(after.removeprefix(MODELINE)) == comments(before)
    keys = [line.partition(":")[0] for line in after.splitlines() if re.match(r"[a-zA-Z]", line)]
    assert keys[:3] == ["apiVersion", "commonName", "dnsNames"]


def digest(root: Path, text: str) -> str:
    desired = files(root, {"www.yaml": text}).desired()
    (certificate,) = desired.certificates
    return desired_digest(certificate)


def comments(text: str) -> list[str]:
    return sorted(re.findall(r"# .*", text))


@settings(max_examples=200, deadline=None)
@given(text=st.text(st.characters(exclude_categories=["Cs"]), min_size=1))
def test_a_scalar_is_read_as_the_text_it_was(text: str) -> None:
    assert parse(f"a: {scalar(text)}\nb: {{c: {scalar(text)}}}\n".encode(), "x").data == {"a": text, "b": {"c": text}}


def test_a_file_is_replaced_whole_with_its_mode(tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    file.write_text("old")
    file.chmod(0o640)
    replace_file(file, b"new")
    assert (file.read_text(), file.stat().st_mode & 0o777) == ("new", 0o640)
    assert [path.name for path in tmp_path.iterdir()] == ["a.yaml"]


def test_a_new_file_overwrites_nothing_and_follows_no_link(tmp_path: Path) -> None:
    assert create_file(tmp_path, "a/b.yaml", "1") is True
    assert create_file(tmp_path, "a/b.yaml", "2") is False
    assert (tmp_path / "a/b.yaml").read_text() == "1"
    (tmp_path / "c.yaml").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "d").symlink_to(tmp_path / "a")
    for path in ("c.yaml", "d/e.yaml"):
        with pytest.raises(DesiredStateError):
            create_file(tmp_path, path, "3")
    assert not (tmp_path / "elsewhere").exists()
    assert not (tmp_path / "a/e.yaml").exists()


def test_what_would_change_the_meaning_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reconciler.desired.write.arranged", lambda text, _: text.replace("www", "img"))
    with pytest.raises(DesiredStateError, match="left as it is"):
        fmt("commonName: www.example.com\n")
