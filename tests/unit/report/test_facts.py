"""Facts and effective values on the screen: aligned, whole, harmless."""

from reconciler.errors import Location
from reconciler.report.effective import Shown, effective_json, effective_text
from reconciler.report.facts import Fact, Section, facts_text


def test_facts_are_aligned_and_lists_have_lines_of_their_own() -> None:
    facts = (
        Fact(key="id", value=7),
        Fact(key="all_names", value=["a", "b"], why="sorted", source="x.yaml:3"),
        Fact(key="none", value=None),
        Fact(key="no", value=False),
    )
    assert [line.plain for line in facts_text([Section(key="production_RSA", facts=facts)])] == [
        "Production RSA",
        "  id         7",
        "  all names  a",
        "             b  (sorted; x.yaml:3)",
        "  none       -",
        "  no         no",
        "",
    ]


def test_nothing_in_a_fact_can_touch_the_screen() -> None:
    bad = "a\x1b[2J"
    facts = (
        Fact(key="one", value=bad, why=bad, source=bad),
        Fact(key="more", value=[bad, bad], why=bad),
    )
    shown = "\n".join(line.plain for line in facts_text([Section(key="s", facts=facts)]))
    assert "\x1b" not in shown
    assert shown.count("a\\u001b[2J") == 6


def test_effective_values_name_their_line_or_say_built_in() -> None:
    values = (
        Shown(pointer="akamai.contract", value="C-1\x07", place=Location("certificates/a.yaml", 4, 2), note=""),
        Shown(pointer="keyTypes", value=["RSA-2048"], place=None, note=" for a create"),
    )
    assert [line.plain for line in effective_text(values)] == [
        "akamai.contract  C-1\\u0007     certificates/a.yaml:4",
        'keyTypes         ["RSA-2048"]  built in for a create',
    ]
    data = effective_json("a", values, tool_version="1")
    assert [(one["field"], one["path"], one["line"]) for one in data["values"]] == [
        ("akamai.contract", "certificates/a.yaml", 4),
        ("keyTypes", None, None),
    ]
