"""Every rendering of a plan: golden files, hostile text, budgets. Renew with CERTRECON_RENEW_GOLDEN=1."""

import hashlib
import json
import os
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from markdown_it import MarkdownIt

from reconciler.cli.rendering import plan_rendering
from reconciler.errors import Location, Problem, Severity
from reconciler.report.annotations import plan_annotations, problem_annotations
from reconciler.report.document import plan_document
from reconciler.report.markdown import COMMENT, SUMMARY, Frame, plan_markdown, size, text_markdown
from reconciler.report.sarif import sarif
from reconciler.report.text import plan_text
from tests.support.documents import HOSTILE, hostile_plan, plan_of
from tests.support.program import ROOT

GOLDEN = ROOT / "tests" / "golden"
FRAME = Frame(project="prod", head="3f2c9e1", whole="https://ci.example.com/runs/7")
FORMATS = ("text", "markdown", "summary", "annotations")
_WHOLE = 40_000  # characters; of a longer one its head, its tail and its digest are kept

PLANS: dict[str, Callable[[], dict[str, Any]]] = {
    "0": lambda: plan_of(0),
    "1": lambda: plan_of(1),
    "20": lambda: plan_of(20, deletes=2, refused=2),
    "20-base": lambda: plan_of(20, deletes=2, refused=2, base=True),
    "10000": lambda: plan_of(10_000, deletes=200),
    "hostile": hostile_plan,
    "hostile-base": lambda: hostile_plan(base=True),
}


def comment(plan: dict[str, Any], *, limit: int = COMMENT, frame: Frame = FRAME) -> str:
    return plan_markdown(plan_document(plan), limit=limit, frame=frame)


@pytest.mark.parametrize("rows", PLANS)
@pytest.mark.parametrize("name", FORMATS)
def test_a_plan_looks_as_it_did(name: str, rows: str) -> None:
    shown = _kept(plan_rendering(PLANS[rows](), FRAME).plain(name))
    path: Path = GOLDEN / f"plan-{rows}.{name}.txt"
    if os.environ.get("CERTRECON_RENEW_GOLDEN"):
        path.write_text(shown, encoding="utf-8")
    assert shown == path.read_text(encoding="utf-8")


def _kept(text: str) -> str:
    if len(text) <= _WHOLE:
        return text
    digest = hashlib.sha256(text.encode()).hexdigest()
    return f"{text[:3000]}\n[... {len(text)} characters, SHA-256 {digest} ...]\n{text[-3000:]}"


# Budgets


def test_the_comment_of_10_000_rows_has_all_its_deletions() -> None:
    plan = plan_of(10_000, deletes=200)
    began = time.perf_counter()
    shown = comment(plan)
    assert time.perf_counter() - began < 5
    assert size(shown) <= COMMENT
    named = set(re.findall(r"^- DELETE +(\S+)", shown, re.MULTILINE))
    assert named == {f"shop/service-{number:05}.example.com" for number in range(200)}
    assert "CUT" not in shown


def test_what_is_left_out_is_counted_by_kind_and_nothing_is_lost() -> None:
    shown = comment(plan_of(10_000, deletes=200))
    left_out = re.findall(r"^(\d+) more: (.*)\. The whole list: \S+/runs/7\.$", shown, re.MULTILINE)[1]
    counts = [int(part.split()[0]) for part in left_out[1].split(", ")]
    assert sum(counts) == int(left_out[0])
    titled = sum(map(int, re.findall(r"^#### Actions: (\d+)$", shown, re.MULTILINE)))
    assert titled == int(left_out[0]) + len(
        re.findall(r"^[-+!] (?:DELETE|CREATE|RENEW|UPDATE|REISSUE|UPLOAD) ", shown, re.MULTILINE)
    )


@pytest.mark.parametrize("limit", [COMMENT, SUMMARY, 20_000, 6_000])
@pytest.mark.parametrize("deletes", [0, 3_000])
def test_no_comment_is_longer_than_its_budget(limit: int, deletes: int) -> None:
    assert size(comment(plan_of(3_500, deletes=deletes, refused=500), limit=limit)) <= limit


def test_deletions_that_do_not_fit_are_counted_in_the_first_line() -> None:
    shown = comment(plan_of(3_000, deletes=3_000))
    first = shown.splitlines()[1]
    missing = 3_000 - len(re.findall(r"^- DELETE ", shown, re.MULTILINE))
    assert missing > 0
    assert first.startswith(
        f"> **CUT: {missing} of what must not be overlooked do not fit here: {missing} to delete.**"
    )
    assert first.endswith("The whole list: https://ci.example.com/runs/7.")


def test_a_summary_is_of_more_than_a_comment() -> None:
    plan = plan_of(10_000, deletes=200)
    assert COMMENT < size(comment(plan, limit=SUMMARY)) <= SUMMARY


def test_lengths_are_those_of_the_strictest_reader() -> None:
    plan = plan_of(2_000)
    for row in plan["certificates"]:
        row["name"] = "ü" * 60 + row["name"]
    assert len(comment(plan).encode()) <= COMMENT


# Order and frame


def test_marker_head_and_digest_stand_in_the_first_lines() -> None:
    lines = comment(plan_of(1)).splitlines()
    assert lines[0] == "<!-- certrecon:plan:prod -->"
    assert lines[3].startswith("head `3f2c9e1` · plan `0123456789abcdef` · at 2027-03-01 12:00 UTC")


def test_a_marker_cannot_be_ended_by_a_project() -> None:
    first = comment(plan_of(0), frame=Frame(project="a --> @team <b>")).splitlines()[0]
    assert re.fullmatch(r"<!-- certrecon:plan:[A-Za-z0-9._/-]+ -->", first)
    assert "-->" not in first[:-3]


def test_what_the_change_causes_comes_before_what_it_does_not() -> None:
    shown = comment(plan_of(20, deletes=2, base=True))
    titles = re.findall(r"^(?:#### |<details><summary>)([A-Za-z ]+): \d+", shown, re.MULTILINE)
    assert titles.index("Caused by this change") < titles.index("Drift") < titles.index("In flight")
    assert "<details><summary>Renewals due:" in shown
    assert titles.index("Caused by this change") < titles.index("Released by this change") < titles.index("Drift")
    assert "compared with `8f4b2c1d9e8f" in shown


def test_guards_that_are_exceeded_and_the_refused_come_before_the_actions() -> None:
    shown = comment(plan_of(20, refused=2))
    assert shown.index("Guards exceeded: changedPercent 40 of 25") < shown.index("#### Refused by a guard: 2")
    assert shown.index("#### Refused by a guard: 2") < shown.index("#### Actions: ")


def test_a_field_that_forces_an_order_says_so_and_sets_have_marks() -> None:
    shown = comment(plan_of(20, refused=1))
    assert "!   names (forces a new order)\n+     img.example.com\n-     old.example.com\n" in shown
    assert "!   akamai.ocspStapling: on -> off (redeploys, without a new order)\n" in shown


# Hostile text


@pytest.mark.parametrize("base", [False, True])
def test_hostile_text_is_code_and_nothing_else_in_markdown(base: bool) -> None:
    shown = comment(hostile_plan(base=base), frame=Frame(project=HOSTILE, head=HOSTILE, whole=HOSTILE))
    for token in MarkdownIt("commonmark").parse(shown):
        if token.type == "html_block":
            assert re.fullmatch(
                r"<!-- certrecon:plan:[\w./-]+ -->\n?|<details><summary>[A-Za-z ]+: \d+</summary>\n?|</details>\n?",
                token.content,
            )
        for child in token.children or ():
            assert child.type in ("text", "code_inline", "strong_open", "strong_close", "softbreak"), child
            if child.type == "text":
                assert not re.search(r"[@<>`|\[]|::", child.content), child.content
    assert not re.search("[\x00-\x09\x0b-\x1f\u202a-\u202e]", shown)


@pytest.mark.parametrize("base", [False, True])
@pytest.mark.parametrize("name", ["text", "annotations", "markdown"])
def test_no_format_lets_a_control_character_through(name: str, base: bool) -> None:
    shown = plan_rendering(hostile_plan(base=base), FRAME).plain(name)
    assert not re.search("[\x00-\x09\x0b-\x1f\u202a-\u202e]", shown)


def test_each_line_of_annotations_is_one_command() -> None:
    lines = plan_annotations(plan_document(hostile_plan())).splitlines()
    for line in lines:
        assert re.fullmatch(r"::(error|warning|notice) [^:]*::.*", line)
        assert "%0A" not in line  # what a file says is no line end


# Annotations and SARIF


def problem(number: int, severity: Severity = Severity.ERROR, rule: str = "NAME-01") -> Problem:
    return Problem(
        location=Location("certificates/a b.yaml", number, 3),
        text="It is 100 % {wrong}, [see](x).",
        remedy="Mend it.",
        rule=rule,
        severity=severity,
        pointer="dnsNames",
    )


def test_nine_annotations_and_how_many_more_errors_first() -> None:
    notes = [problem(number, Severity.WARNING) for number in range(1, 6)]
    lines = problem_annotations([*notes, *map(problem, range(10, 18))]).splitlines()
    assert len(lines) == 10
    assert [line.split()[0] for line in lines] == ["::error"] * 8 + ["::warning"] * 2
    assert lines[0].startswith(
        "::error file=certificates/a b.yaml,line=10,col=3,title=NAME-01::dnsNames: It is 100 %25 "
    )
    assert lines[-1] == "::warning title=certrecon::and 4 more: 4 warnings"


def test_nine_annotations_are_told_without_a_tenth() -> None:
    assert len(problem_annotations(map(problem, range(1, 10))).splitlines()) == 9
    assert problem_annotations([]) == ""


def test_sarif_has_what_code_scanning_needs() -> None:
    log = json.loads(json.dumps(sarif([problem(4), problem(5, Severity.WARNING, rule="")], tool_version="1.2.3")))
    assert log["version"] == "2.1.0"
    (run,) = log["runs"]
    rules = run["tool"]["driver"]["rules"]
    assert all(rule["id"] and rule["shortDescription"]["text"] and rule["help"]["text"] for rule in rules)
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        assert result["level"] in ("error", "warning", "note")
        place = result["locations"][0]["physicalLocation"]
        assert place["artifactLocation"] == {"uri": "certificates/a%20b.yaml", "uriBaseId": "%SRCROOT%"}
        assert place["region"]["startColumn"] == 3
    assert run["results"][0]["message"]["text"] == "dnsNames: It is 100 % {{wrong}}, \\[see\\](x). Mend it."


def test_sarif_knows_a_problem_again_where_lines_have_moved() -> None:
    prints = [
        sarif([problem(line)], tool_version="1")["runs"][0]["results"][0]["partialFingerprints"] for line in (4, 9)
    ]
    assert prints[0] == prints[1]


# Other commands


def test_lines_of_a_terminal_are_one_block_that_they_cannot_end() -> None:
    shown = text_markdown(["a", "```", "b"], title="certrecon Status: 1 ok.", limit=COMMENT, frame=Frame())
    assert [token.type for token in MarkdownIt().parse(shown)][-1] == "fence"
    assert shown.startswith("### certrecon Status: 1 ok.\n")


def test_a_row_of_a_newer_minor_is_shown_as_the_worst() -> None:
    plan = plan_of(3)
    plan["certificates"][2]["action"]["kind"] = "teleport"
    assert comment(plan).index("! TELEPORT") < comment(plan).index("CREATE")
    assert "? teleport" in "\n".join(line.plain for line in plan_text(plan_document(plan)))
