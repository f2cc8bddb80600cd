"""Time the page of a plan with 10,000 rows, most of them with an action, beside writing its JSON."""

import json
import sys

from bench.stage import Result, main, result, timed
from reconciler.report.document import plan_document
from reconciler.report.html import plan_html
from reconciler.report.markdown import Frame
from tests.support.documents import plan_of

_ROWS = 10_000


def page(_count: int) -> Result:
    """Make the page, and check that each certificate has its row."""
    data = plan_of(_ROWS, deletes=200)
    plan = plan_document(data)
    plan_html(plan_document(plan_of(1)), frame=Frame())  # the templates are read and compiled once
    shown: list[str] = []
    seconds = timed(lambda: shown.append(plan_html(plan, frame=Frame())))
    reference = timed(lambda: json.dumps(data, indent=2))
    rows = shown[0].count('<th scope="row"><bdi>shop/')
    if rows != _ROWS:
        raise SystemExit(f"page: {rows} rows")
    return result("page", _ROWS, seconds, "writing its JSON", reference, bytes=len(shown[0].encode()))


if __name__ == "__main__":
    sys.exit(main(alone=(page,)))
