"""Campaigns are ready, or refused with the place of what is wrong: in the configuration, or in a file of serials."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.desired.serials import MAX_BYTES, Replacements, parse_serials, read_replacements
from reconciler.errors import DesiredStateError
from tests.support.files import CONFIGURATION, Files

NOW = datetime(2026, 11, 20, 10, tzinfo=UTC)
SERIAL = 0x0BC1A4F5D6E7890123456789ABCDEF01


def campaign(name: str = "distrust", issued_before: str = "2026-11-20T09:00:00Z", more: str = "") -> str:
    rest = f"reason: superseded, select: {{labels: {{team: web}}}}{more}"
    return f"    - {{name: {name}, issuedBefore: '{issued_before}', {rest}}}\n"


def by_serials(path: str = "affected.txt", name: str = "distrust") -> str:
    return (
        f"    - name: {name}\n"
        "      issuedBefore: 2026-11-20T09:00:00Z\n"
        "      reason: superseded\n"
        f"      select: {{serialsFile: {path!r}}}\n"
    )


def found(root: Path, *campaigns: str, now: datetime = NOW, serials: str | bytes | None = None) -> Replacements:
    files = Files(root)
    policy = f"policy:\n  replace:\n{''.join(campaigns)}" if campaigns else ""
    files.write("certrecon.yaml", CONFIGURATION + policy)
    if serials is not None:
        files.write("affected.txt", serials)
    return read_replacements(files.project(), now=now)


def said(replacements: Replacements) -> list[str]:
    return [str(problem) for problem in replacements.problems]


def test_without_campaigns_there_is_nothing_to_read(tmp_path: Path) -> None:
    project = Files(tmp_path)
    project.write("certrecon.yaml", CONFIGURATION)
    loaded = project.project()
    (tmp_path / "certrecon.yaml").unlink()
    assert read_replacements(loaded, now=NOW) == Replacements(ready=(), problems=())


def test_a_campaign_in_the_past_is_ready(tmp_path: Path) -> None:
    (one,) = found(tmp_path, campaign()).ready
    assert (one.campaign.name, one.serials) == ("distrust", frozenset())


@pytest.mark.parametrize(("after_s", "ready"), [(-1, False), (0, False), (1, True)])
def test_issued_before_must_lie_in_the_past(tmp_path: Path, after_s: int, ready: bool) -> None:
    now = datetime(2026, 11, 20, 9, tzinfo=UTC) + timedelta(seconds=after_s)
    replacements = found(tmp_path, campaign(), now=now)
    assert bool(replacements.ready) is ready
    assert bool(replacements.problems) is not ready


def test_an_instant_to_come_is_shown_with_its_place_and_with_the_time_of_now(tmp_path: Path) -> None:
    replacements = found(tmp_path, campaign(issued_before="2026-11-20T12:00:00+01:00"))
    assert said(replacements) == [
        "certrecon.yaml:10:38: error: policy.replace.0.issuedBefore: 2026-11-20T11:00:00Z is yet to come: what is"
        " requested until then would be replaced too. Write an instant that has passed; now it is"
        " 2026-11-20T10:00:00Z."
    ]


@pytest.mark.parametrize(
    ("deadline", "ready"),
    [("2026-11-20T08:59:59Z", False), ("2026-11-20T09:00:00Z", False), ("2026-11-20T09:00:01Z", True)],
)
def test_a_deadline_comes_after_issued_before_but_may_have_passed(tmp_path: Path, deadline: str, ready: bool) -> None:
    replacements = found(tmp_path, campaign(more=f", deadline: '{deadline}'"))
    assert bool(replacements.ready) is ready
    assert [problem.pointer for problem in replacements.problems] == ([] if ready else ["policy.replace.0.deadline"])


def test_two_campaigns_of_one_name_are_refused_but_for_the_first(tmp_path: Path) -> None:
    replacements = found(tmp_path, campaign("a"), campaign("b"), campaign("a"))
    assert [one.campaign.name for one in replacements.ready] == ["a", "b"]
    assert [problem.pointer for problem in replacements.problems] == ["policy.replace.2.name"]


def test_serials_are_read_from_the_file(tmp_path: Path) -> None:
    (one,) = found(tmp_path, by_serials(), serials=f"{SERIAL:x}\n0A:0b\n").ready
    assert one.serials == {SERIAL, 0x0A0B}


def test_a_broken_campaign_takes_only_itself_out_and_all_that_is_wrong_is_told(tmp_path: Path) -> None:
    replacements = found(
        tmp_path, by_serials("gone.txt", "gone"), campaign("good"), by_serials(name="bad"), serials="zz\n"
    )
    assert [one.campaign.name for one in replacements.ready] == ["good"]
    assert [str(problem.location) for problem in replacements.problems] == ["certrecon.yaml:13:29", "affected.txt:1:1"]


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("gone.txt", "There is no file"),
        ("certificates", "There is no file"),
        ("../affected.txt", "is not a path below"),
        ("lists/../../affected.txt", "is not a path below"),
        ("/etc/hostname", "is not a path below"),
        ("link.txt", "is a link, or lies behind one"),
        ("linked/affected.txt", "is a link, or lies behind one"),
    ],
)
def test_only_files_of_the_project_are_read(tmp_path: Path, path: str, text: str) -> None:
    root = tmp_path / "project"
    (root / "certificates").mkdir(parents=True)
    (tmp_path / "affected.txt").write_text("0a\n")
    (root / "link.txt").symlink_to(tmp_path / "affected.txt")
    (root / "linked").symlink_to(tmp_path)
    replacements = found(root, by_serials(path))
    assert replacements.ready == ()
    (problem,) = replacements.problems
    assert text in problem.text
    assert problem.remedy
    assert (problem.pointer, problem.location.line) == ("policy.replace.0.select.serialsFile", 13)


def test_a_file_in_a_folder_of_the_project_is_read_and_named_as_the_user_does(tmp_path: Path) -> None:
    Files(tmp_path).write("lists/x.txt", "0a\nnonsense\n")
    assert said(found(tmp_path, by_serials("lists/x.txt"))) == [
        'lists/x.txt:2:1: error: "nonsense" is no serial number of a certificate. Write it in hexadecimal, with or'
        " without colons, and nothing else on the line."
    ]


def test_a_file_that_is_too_large_is_not_read(tmp_path: Path) -> None:
    (problem,) = found(tmp_path, by_serials(), serials=b"0a\n" * (MAX_BYTES // 3 + 1)).problems
    assert problem.text == "The file is larger than 16 MiB."


def test_a_file_that_cannot_be_read_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(file: Path) -> bytes:
        raise PermissionError(13, "Permission denied")

    project = Files(tmp_path)
    project.write("certrecon.yaml", f"{CONFIGURATION}policy:\n  replace:\n{by_serials()}")
    project.write("affected.txt", "0a\n")
    loaded = project.project()
    read_bytes = Path.read_bytes
    monkeypatch.setattr(Path, "read_bytes", lambda file: (refuse if file.suffix == ".txt" else read_bytes)(file))
    (problem,) = read_replacements(loaded, now=NOW).problems
    assert str(problem).startswith("affected.txt:1:1: error: The file cannot be read: Permission denied.")


# Serial numbers


@pytest.mark.parametrize(
    ("content", "serials"),
    [
        (b"0A1B", {0x0A1B}),
        (b"0a1b\n", {0x0A1B}),
        (b"0a:1b\n", {0x0A1B}),
        (b"a:1b\n", {0x0A1B}),
        (b"  0a1b\t\r\n\r\n00:0C\r\n", {0x0A1B, 0x0C}),
        (b"# all of them\n0a1b # www\n#\n", {0x0A1B}),
        (b"\xef\xbb\xbf0a1b\n", {0x0A1B}),  # as Windows saves it
        (b"0a1b\n0A:1B\n000a1b\n", {0x0A1B}),  # one serial, thrice
        (b"f" * 40, {(1 << 160) - 1}),  # the longest: 20 octets
        (b"00" + b"f" * 40, {(1 << 160) - 1}),
        (b"1" * 39, {int("1" * 39, 16)}),  # rare, but no proof
    ],
)
def test_serials_are_hexadecimal_with_or_without_colons(content: bytes, serials: set[int]) -> None:
    assert parse_serials(content, "affected.txt") == serials


@pytest.mark.parametrize(
    "line",
    [
        *("0x0a1b", "0a1b,www", "0a 1b", "0a::1b", ":0a1b", "0a:", "0a1b:1b", "serial=0A", "www.example.com", "-0a"),
        *("g", "0", "00:00", "1" + "0" * 40, "\u0661\u0662"),
    ],
)
def test_anything_else_is_refused_with_its_line(line: str) -> None:
    with pytest.raises(DesiredStateError, match=r"^affected\.txt:2:1: error: .*hexadecimal"):
        parse_serials(f"0a\n{line}\n".encode(), "affected.txt")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", r"affected\.txt:1:1: .*lists no serial number"),
        (b"# none yet\n\n", r"affected\.txt:1:1: .*lists no serial number"),
        (b"0a\n\xff\xfe\n", r"affected\.txt:2:1: .*not UTF-8"),
        (b"# list\n" + b"12345678901234567890\n" * 2, r"affected\.txt:2:1: .*look decimal"),
    ],
)
def test_a_file_that_is_no_list_of_serials_is_refused(content: bytes, message: str) -> None:
    with pytest.raises(DesiredStateError, match=message):
        parse_serials(content, "affected.txt")


def test_one_letter_among_many_digits_shows_that_a_list_is_hexadecimal() -> None:
    assert len(parse_serials(b"12345678901234567890\n1234567890123456789a\n", "affected.txt")) == 2


def test_of_a_file_of_another_kind_ten_lines_are_named_and_the_rest_is_counted() -> None:
    with pytest.raises(DesiredStateError) as caught:
        parse_serials(b"no serial\n" * 25, "affected.txt")
    assert len(caught.value.problems) == 11
    assert str(caught.value.problems[-1]).startswith("affected.txt:11:1: error: 15 more lines are no serial numbers.")


def test_ten_wrong_lines_are_all_named() -> None:
    with pytest.raises(DesiredStateError) as caught:
        parse_serials(b"no serial\n" * 10, "affected.txt")
    assert len(caught.value.problems) == 10


def test_a_wrong_line_is_shown_harmless_and_short() -> None:
    with pytest.raises(DesiredStateError) as caught:
        parse_serials(b"\x1b[31m" + b"z" * 500, "affected.txt")
    assert "\x1b" not in str(caught.value)
    assert len(str(caught.value)) < 250


spellings = st.sampled_from(
    [
        lambda octets: octets.hex(),
        lambda octets: octets.hex().upper(),
        lambda octets: octets.hex(":"),
        lambda octets: f"  {octets.hex(':').upper()}  # www",
    ]
)
octets = st.binary(min_size=8, max_size=20).filter(any)


@given(listed=st.lists(st.tuples(octets, spellings), min_size=1, max_size=20))
def test_each_spelling_of_a_list_is_the_same_list(listed: list[tuple[bytes, object]]) -> None:
    lines = ["ab" * 20, *(spell(raw) for raw, spell in listed if callable(spell))]  # a letter: never decimal
    expected = {int.from_bytes(bytes.fromhex("ab" * 20)), *(int.from_bytes(raw) for raw, _ in listed)}
    assert parse_serials("\n".join(lines).encode(), "affected.txt") == expected
