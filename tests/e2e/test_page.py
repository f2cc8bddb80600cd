"""The page in a browser: nothing runs over, nothing is barred to those who do not see, and the filter filters.

Needs Chromium, and skips where there is none: what the page says is tested without it.
"""

from collections.abc import Callable, Iterator, Sequence
from importlib.resources import files
from pathlib import Path

import pytest

from reconciler.report.document import plan_document
from reconciler.report.html import plan_html, report_html
from reconciler.report.markdown import Frame
from tests.support.documents import HOSTILE, hostile_plan, plan_of
from tests.support.reports import report_of
from tools.browser import Page, browser, chromium, page_url

PROGRAM = chromium()
pytestmark = pytest.mark.skipif(PROGRAM is None, reason="no Chromium on this machine: the page is not looked at")

PAGES: dict[str, Callable[[], str]] = {
    "report": lambda: report_html(report_of(20), frame=Frame(project="prod", head="3f2c9e1")),
    "hostile report": lambda: report_html(report_of(8, text=HOSTILE), frame=Frame(project=HOSTILE)),
    "hostile plan": lambda: plan_html(plan_document(hostile_plan()), frame=Frame()),
    "nothing": lambda: report_html(report_of(0), frame=Frame()),
}
SCREENS = [(390, True), (1440, False)]
ALL_SCREENS = [(width, dark) for width in (390, 1440) for dark in (False, True)]


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    assert PROGRAM is not None
    with browser(PROGRAM) as made:
        yield made


@pytest.fixture
def shown(page: Page, tmp_path: Path) -> Callable[[str], Page]:
    def show(text: str) -> Page:
        path = tmp_path / "page.html"
        path.write_text(text, encoding="utf-8")
        page.open(page_url(path))
        return page

    return show


# The right end of whatever stands further right than the screen; what readers of screens alone get may stand anywhere.
OVERFLOW = """
[...document.querySelectorAll("body *")]
  .filter((one) => !one.closest(".quiet, .skip, thead") && one.getClientRects().length)
  .filter((one) => one.getBoundingClientRect().right > document.documentElement.clientWidth + 1)
  .map((one) => one.outerHTML.slice(0, 200))
"""
CUT = """
[...document.querySelectorAll("svg.chart text")].filter((one) => one.getClientRects().length).filter((one) => {
  const box = one.getBoundingClientRect(), frame = one.ownerSVGElement.getBoundingClientRect();
  return box.left < frame.left - 6 || box.right > frame.right + 6;
}).map((one) => one.textContent)
"""
SERIOUS = """
axe.run(document).then((result) => result.violations
  .filter((one) => ["serious", "critical"].includes(one.impact))
  .map((one) => one.id + ": " + one.nodes.slice(0, 3).map((node) => node.html.slice(0, 200)).join(" | ")))
"""


def test_axe_finds_nothing_serious_and_nothing_runs_over(shown: Callable[[str], Page]) -> None:
    judge(PAGES["report"](), SCREENS, shown)


@pytest.mark.long
@pytest.mark.parametrize("name", PAGES)
def test_nothing_serious_on_any_page_and_screen(name: str, shown: Callable[[str], Page]) -> None:
    judge(PAGES[name](), ALL_SCREENS, shown)


def judge(made: str, screens: Sequence[tuple[int, bool]], shown: Callable[[str], Page]) -> None:
    axe = (files("axe_core_python") / "axe.min.js").read_text(encoding="utf-8")
    for width, dark in screens:
        screen = f"{width} {'dark' if dark else 'light'}"
        page = shown(made)
        page.screen(width, 900, dark=dark)
        page.run("document.querySelectorAll('details').forEach((one) => { one.open = true })")
        assert page.run("document.documentElement.scrollWidth") <= width, screen
        assert page.run(OVERFLOW) == [], screen
        assert page.run(CUT) == [], screen
        page.run(f"{axe}; 0")
        assert page.run(SERIOUS) == [], screen


def rows_on_screen(page: Page) -> list[str]:
    names: list[str] = page.run(
        "[...document.querySelectorAll('.fleet tbody tr')].filter((one) => one.getClientRects().length)"
        ".map((one) => one.querySelector('bdi').textContent)"
    )
    return names


def type_filter(page: Page, text: str) -> None:
    page.run(
        "new Promise((done) => { const input = document.querySelector('#filter');"
        f"input.value = {text!r}; input.dispatchEvent(new Event('input')); setTimeout(done, 300) }})"
    )


def test_the_filter_leaves_what_fits_and_says_how_many(shown: Callable[[str], Page]) -> None:
    page = shown(report_html(report_of(250), frame=Frame()))
    page.screen(1440, 900)
    assert len(rows_on_screen(page)) == 250
    type_filter(page, "SERVICE-0017 blocked")
    assert rows_on_screen(page) == ["shop/service-00170.example.com", "shop/service-00176.example.com"]
    assert page.run("document.querySelector('#found').textContent") == "2 of 250"
    type_filter(page, "")
    assert len(rows_on_screen(page)) == 250


def test_the_levels_can_be_chosen_without_a_script(shown: Callable[[str], Page]) -> None:
    report = report_of(30)
    page = shown(
        report_html(report, frame=Frame()).replace("<script>", "<template>").replace("</script>", "</template>")
    )
    page.screen(1440, 900)
    assert page.run("getComputedStyle(document.querySelector('.filter')).display") == "none"
    page.run("document.querySelector('#bad').click()")
    rows = report["status"]["certificates"]
    assert rows_on_screen(page) == [row["name"] for row in rows if row["level"] == "critical"]


def test_the_keyboard_reaches_the_content_and_the_filter(shown: Callable[[str], Page]) -> None:
    page = shown(PAGES["report"]())
    page.screen(1440, 900)
    reached = []
    for _ in range(14):
        for kind in ("keyDown", "keyUp"):
            page.call("Input.dispatchKeyEvent", type=kind, key="Tab", code="Tab", windowsVirtualKeyCode=9)
        reached.append(
            page.run("document.activeElement.className || document.activeElement.id || document.activeElement.hash")
        )
    assert reached[0] == "skip"
    assert {"#difference", "#fleet", "all", "filter"} <= set(map(str, reached))


def test_it_prints_whole(shown: Callable[[str], Page]) -> None:
    paper = shown(report_html(report_of(250), frame=Frame())).paper()
    assert paper.startswith(b"%PDF")
    assert paper.count(b"/Type /Page\n") >= 5


@pytest.mark.long
def test_ten_thousand_certificates_open_in_seconds(shown: Callable[[str], Page]) -> None:
    """It takes about a second; the limit is for a machine that has other things to do."""
    page = shown(plan_html(plan_document(plan_of(10_000, deletes=200)), frame=Frame()))
    took: float = page.run("performance.timing.loadEventEnd - performance.timing.navigationStart")
    assert took < 20_000
