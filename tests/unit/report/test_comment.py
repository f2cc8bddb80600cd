"""The frame of a comment: marker, facts, failure, and cuts that leave nothing open."""

import re

import pytest

from reconciler.report.comment import About, comment_text, failure_text, fenced, plain_text, summary_text

ABOUT = About(project="web", head="a" * 40, run_url="https://ci.example/1", digest="cafe")


def test_a_comment_has_its_marker_first_and_its_facts_last() -> None:
    text = comment_text("# Plan\n", ABOUT)
    assert text == (
        "<!-- certrecon:plan:web -->\n# Plan\n\n"
        f"<sub>Head `{'a' * 40}` · plan `cafe` · [run](https://ci.example/1)</sub>\n"
    )


def test_a_marker_that_is_there_already_is_not_doubled() -> None:
    assert comment_text(f"{ABOUT.marker}\n# Plan", ABOUT).count("<!--") == 1


@pytest.mark.parametrize("hostile", ["```\n@team </details>", "`````\n<script>", "a```b", "\x1b[31mred\u202e"])
def test_text_in_a_block_cannot_end_it(hostile: str) -> None:
    first, *lines, last = fenced(hostile).splitlines()
    assert re.fullmatch("`{3,}", last)
    assert first == f"{last}text"
    assert all(last not in line for line in lines)
    assert "\x1b" not in "".join(lines)
    assert "\u202e" not in "".join(lines)


def test_a_failure_says_which_and_shows_the_end_of_what_was_said() -> None:
    log = "\n".join(f"line {number}" for number in range(100))
    text = failure_text(1, log, ABOUT)
    assert "exit 1: an error, or something could not be read completely" in text
    assert "line 99" in text
    assert "line 39\n" not in text
    assert "does not count any more" in text


def test_a_cut_says_how_much_is_missing_and_closes_what_is_open() -> None:
    lines = ["<details>", "````text", *(f"row {number} {'x' * 90}" for number in range(1000)), "````", "</details>"]
    text = comment_text("\n".join(lines), ABOUT)
    kept = len(re.findall("^row ", text, re.MULTILINE))
    assert 500 < kept < 1000
    assert len(text) <= 65_536
    missing = re.search(r"Cut: (\d+) more lines do not fit into a comment", text)
    assert missing is not None
    assert int(missing[1]) == 1000 - kept + 2
    assert text.count("````") == 2
    assert text.count("</details>") == 1


def test_characters_are_counted_as_the_strictest_reader_counts() -> None:
    text = plain_text("\n".join(["🔐" * 100] * 400), ABOUT)
    assert 60_000 < len(text.encode("utf-16-le")) // 2 <= 65_536


def test_a_summary_is_within_what_a_page_takes() -> None:
    text = summary_text("\n".join(["é" * 100] * 9000), "", 0, "web")
    assert 850 * 1024 < len(text.encode()) <= 900 * 1024
    kept = len(re.findall("^é", text, re.MULTILINE))
    assert f"Cut: {9000 - kept} more lines" in text
    assert text.rstrip().endswith("```")


def test_a_summary_of_a_run_without_a_report_is_its_log() -> None:
    assert "no such file" in summary_text("", "no such file", 1, "web")
    assert "exit 1" in summary_text("", "no such file", 1, "web")
