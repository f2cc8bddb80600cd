"""Time the page of a plan with an action or a wait for each certificate. The yardstick is writing its JSON."""

import json
import sys
from typing import Any

from bench.stage import Result, main, result, timed
from reconciler.report.document import plan_document
from reconciler.report.html import plan_html
from reconciler.report.markdown import Frame
from tests.support.documents import plan_of


def page(count: int) -> Result:
    """Make the page of `count` certificates from the document of their plan."""
    data = plan_of(count, deletes=count // 50)
    plan = plan_document(data)
    made: list[Any] = []
    plan_html(plan_document(plan_of(1)), frame=Frame())  # the templates are read and compiled once
    seconds = timed(lambda: made.append(plan_html(plan, frame=Frame())))
    reference = timed(lambda: json.dumps(data, indent=2))
    return result("page", count, seconds, "writing the plan's JSON", reference, bytes=len(made[0].encode()))


if __name__ == "__main__":
    sys.exit(main(alone=(page,)))
