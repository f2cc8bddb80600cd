"""The page of HTML: golden files, hostile text, what a reader without eyes or script gets.

Renew with CERTRECON_RENEW_GOLDEN=1. Style and script stand in each page, and are left out of the golden files.
"""

import base64
import hashlib
import itertools
import os
import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from html.parser import HTMLParser
from typing import Any

import pytest

from reconciler.report.charts import Cut, Events, axis, columns, lanes
from reconciler.report.document import plan_document, result_document
from reconciler.report.html import plan_html, report_html, result_html, status_html
from reconciler.report.markdown import Frame
from tests.support.documents import AT, HOSTILE, hostile_plan, plan_of
from tests.support.program import ROOT
from tests.support.reports import report_of, status_of

GOLDEN = ROOT / "tests" / "golden"
FRAME = Frame(project="prod", head="3f2c9e1")
_VOID = {"meta", "input", "br"}

PAGES: dict[str, Callable[[], str]] = {
    "plan-0": lambda: plan_page(plan_of(0)),
    "plan-1": lambda: plan_page(plan_of(1)),
    "plan-20": lambda: plan_page(plan_of(20, deletes=2, refused=2)),
    "plan-20-base": lambda: plan_page(plan_of(20, deletes=2, refused=2, base=True)),
    "plan-hostile": lambda: plan_page(hostile_plan()),
    "plan-hostile-base": lambda: plan_page(hostile_plan(base=True)),
    "report-0": lambda: report_html(report_of(0), frame=FRAME),
    "report-20": lambda: report_html(report_of(20), frame=FRAME),
    "report-hostile": lambda: report_html(report_of(8, text=HOSTILE), frame=Frame(project=HOSTILE, head=HOSTILE)),
    "status-20": lambda: status_html(status_of(20), frame=FRAME),
}


def plan_page(data: dict[str, Any], frame: Frame = FRAME) -> str:
    return plan_html(plan_document(data), frame=frame)


class Read(HTMLParser):
    """What a browser would make of a page, strictly: each element is closed where it was opened."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.feed(page)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in _VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] not in ("style", "script"):
            self.texts.append(data)

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]

    @property
    def text(self) -> str:
        return re.sub(r"\s+", " ", " ".join(self.texts))


@pytest.mark.parametrize("name", PAGES)
def test_a_page_looks_as_it_did(name: str) -> None:
    shown = re.sub(r"<(style|script)>.*?</\1>", r"<\1></\1>", PAGES[name](), flags=re.DOTALL)
    shown = re.sub(r"'sha256-[^']+'", "'sha256-...'", shown)
    path = GOLDEN / f"{name}.html"
    if os.environ.get("CERTRECON_RENEW_GOLDEN"):
        path.write_text(shown, encoding="utf-8")
    assert shown == path.read_text(encoding="utf-8")


# What must hold for every page


@pytest.mark.parametrize("name", PAGES)
def test_a_page_asks_for_nothing_and_runs_nothing_but_its_own(name: str) -> None:
    page = PAGES[name]()
    read = Read(page)
    assert not {"link", "img", "iframe", "object", "base"} & {tag for tag, _ in read.elements}
    for _, attributes in read.elements:
        assert not [one for one in attributes if one.startswith("on") or one in ("style", "src", "action")]
        assert (attributes.get("href") or "#").startswith("#")
    (policy,) = [one["content"] for one in read.all("meta") if "http-equiv" in one]
    assert str(policy).startswith("default-src 'none'; ")
    for tag in ("style", "script"):
        (content,) = re.findall(f"<{tag}>(.*?)</{tag}>", page, flags=re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in str(policy)
        assert "url(" not in content and "@import" not in content


@pytest.mark.parametrize("name", PAGES)
def test_a_page_has_landmarks_headings_in_order_and_labels_that_exist(name: str) -> None:
    read = Read(PAGES[name]())
    tags = [tag for tag, _ in read.elements]
    assert [tags.count(one) for one in ("header", "nav", "main", "h1")] == [1, 1, 1, 1]
    levels = [int(tag[1]) for tag in tags if re.fullmatch("h[1-6]", tag)]
    assert all(later <= earlier + 1 for earlier, later in itertools.pairwise(levels))
    ids = [attributes["id"] for _, attributes in read.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    for _, attributes in read.elements:
        wanted = [*str(attributes.get("aria-labelledby") or "").split(), attributes.get("for")]
        wanted.append((attributes.get("href") or "")[1:] or None)
        assert {one for one in wanted if one} <= set(ids)
    assert all("scope" in one for one in read.all("th"))
    assert tags.count("table") == tags.count("caption")
    pictures = [one for one in read.all("svg") if one.get("aria-hidden") != "true"]
    assert all(one["role"] == "img" and one["aria-labelledby"] for one in pictures)


@pytest.mark.parametrize("name", ["plan-hostile", "plan-hostile-base", "report-hostile"])
def test_hostile_text_is_text(name: str) -> None:
    page = PAGES[name]()
    read = Read(page)
    assert len(read.all("script")) == 1
    assert "<script>alert(1)</script>" in read.text
    assert "</details>" in read.text
    assert not re.search("[\x00-\x09\x0b-\x1f\u202a-\u202e\u2066-\u2069]", page)
    assert r"\u202e" in read.text


def test_a_frame_is_text_too() -> None:
    page = plan_page(plan_of(1), Frame(project='"><script>x()</script>', head="'><b>"))
    assert len(Read(page).all("script")) == 1
    assert not Read(page).all("b")


# What is told


def test_the_worst_action_comes_first_and_sets_say_what_is_added_and_removed() -> None:
    text = Read(plan_page(plan_of(20, deletes=2))).text
    assert text.index("- delete") < text.index("± reissue") < text.index("+ create") < text.index("± renew")
    assert "names forces a new order + added: img.example.com - removed: old.example.com" in text
    assert "akamai.ocspStapling: before: on → after: off redeploys, without a new order" in text


def test_what_a_change_causes_comes_before_what_it_does_not() -> None:
    text = Read(plan_page(plan_of(20, deletes=2, base=True))).text
    assert text.index("Caused by this change: ") < text.index("Not caused by this change: drift: ")
    assert text.index("Released by this change: ") < text.index("Not caused by this change: drift: ")
    assert "its file is gone: enrollment" in text
    assert "Not caused by this change: blocked: 1 ! blocked" in text
    assert "Compared with 8f4b2c1" in text


def test_every_certificate_has_a_row_and_no_table_more_than_a_hundred() -> None:
    page = report_html(report_of(250), frame=FRAME)
    tables = re.findall(r'<table class="fleet">(.*?)</table>', page, flags=re.DOTALL)
    assert [one.count("<tr") - 1 for one in tables] == [100, 100, 50]
    assert "Certificates 101 to 200 of 250" in page
    assert page.count("shop/service-00249.example.com</bdi>") >= 1


def test_the_state_of_a_row_is_said_in_words() -> None:
    text = Read(status_html(status_of(8), frame=FRAME)).text
    assert "! critical RSA + ECDSA until 2027-02-26 EXPIRED, due 2027-01-27" in text
    assert "RSA + ECDSA until 2027-03-06 5 days left, due 2027-02-04" in text
    assert "! critical nothing" in text  # it serves nothing
    assert ", REVOKED" in text
    assert ", not as wanted" in text
    # Of eight: the first has expired, the fourth serves nothing, of the fifth nobody knows when it is due.
    assert "1 certificate has expired. 6 certificates are due already. 1 certificate serves nothing." in text


def test_what_the_load_comes_to_is_said_in_words_and_tables() -> None:
    text = Read(report_html(report_of(10), frame=FRAME)).text
    assert "30 orders in the next 365 days, for 10 certificates." in text
    assert "now 199 days 20 1.0 2027-03-15 100 days 50 2.5 2029-03-15 47 days 120 6.0" in text
    assert "domain of a reason enterprise validated 2027-03-14, 13 days left 2" in text


def test_a_broken_file_keeps_a_status_from_saying_what_nobody_claims() -> None:
    status = status_of(1) | {"unclaimed_enrollments": None}
    assert "Enrollments that no file claims" not in Read(status_html(status, frame=FRAME)).text


def test_a_result_says_how_each_ended() -> None:
    data = {
        "tool_version": "1.2.3",
        "at": "2027-03-01T12:00:00Z",
        "exit_code": 3,
        "summary": "Apply: 1 failed, 1 done; 2 steps made.",
        "problems": [],
        "unread": [],
        "campaigns": [],
        "steps": [{"certificate": "b"}],
        "certificates": [
            {"name": "a", "ending": "failed", "phase": "csr", "text": "no answer"},
            {"name": "b", "ending": "done", "phase": "production", "text": "serves it"},
            {"name": "c", "ending": "done", "phase": "production", "text": "rested"},
        ],
    }
    text = Read(result_html(result_document(data), frame=FRAME)).text
    assert "Failed: 1 ! failed a no answer" in text
    assert "Done: 1 = done b serves it" in text
    assert "rested" not in text


# Where things stand in the pictures


def event(*days: int) -> Events:
    return Events(title="Ends", noun="end", kind="end", instants=tuple(AT + timedelta(days=one) for one in days))


def test_a_bar_stands_in_its_week_and_the_tallest_is_the_most() -> None:
    # 58 weeks, 5 of them past, on 580 units: a week is 10 wide, and today's begins at 50.
    chart = lanes([event(0, 6, 7)], (), at=AT, width=580)
    (lane,) = chart.lanes
    assert [(one.x, one.width) for one in lane.bars] == [(51.2, 7.6), (61.2, 7.6)]
    assert [one.height for one in lane.bars] == [44.0, 22.0]
    assert lane.bars[0].title == "2 end, week of 2027-03-01"
    assert lane.title == "Ends, 2 a week at most"
    assert chart.now == 50.7


def test_what_lies_before_the_time_line_stands_in_its_first_week_and_what_lies_after_nowhere() -> None:
    (lane,) = lanes([event(-400, 371, 372)], (), at=AT, width=580).lanes
    assert [one.x for one in lane.bars] == [1.2]


def test_cuts_stand_where_they_are_and_only_within_the_picture() -> None:
    cuts = [Cut(since=date(2027, 3, 15), max_days=100), Cut(since=date(2029, 3, 15), max_days=47)]
    chart = lanes([event(1)], cuts, at=AT, width=580)
    assert [(one.x, one.text) for one in chart.cuts] == [(70.0, "100 days")]


def test_columns_reach_up_to_the_next_round_number() -> None:
    chart = columns(
        [(date(2027, 3, 1), 10), (date(2027, 4, 1), 5)], [Cut(since=date(2027, 3, 15), max_days=100)], width=246
    )
    assert [one.text for one in chart.levels] == ["0", "3", "6", "9", "12"]
    # 178 units are 12 orders; two columns of 100.
    assert [(one.x, one.width, one.height) for one in chart.bars] == [(58.0, 76.0, 148.3), (158.0, 76.0, 74.2)]
    assert [one.x for one in chart.cuts] == [91.2]


def test_no_orders_make_an_empty_picture() -> None:
    assert [one.height for one in columns([(date(2027, 3, 1), 0)], (), width=340).bars] == [0.0]


def test_a_certificates_line_begins_with_now_at_a_tenth() -> None:
    line = axis([AT + timedelta(days=95), AT + timedelta(days=5000)], at=AT)
    assert [line.x(AT), line.x(AT + timedelta(days=50)), line.x(AT + timedelta(days=100))] == [100, 550, 1000]
    assert [line.x(AT - timedelta(days=500)), line.x(AT + timedelta(days=500))] == [0, 1000]
    assert [one.text for one in line.ticks] == ["now", "2027-04", "2027-05"]


def test_time_lines_know_no_local_time() -> None:
    assert lanes([event(1)], (), at=datetime(2027, 1, 1, tzinfo=UTC), width=340).ticks[0].text == "2027-01"
