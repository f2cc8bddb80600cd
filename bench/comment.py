"""Time the comment of a plan with 10,000 rows, 200 of them deletions, beside reading its JSON."""

import json
import sys

from bench.stage import Result, main, result, timed
from reconciler.report.document import plan_document
from reconciler.report.markdown import COMMENT, Frame, plan_markdown, size
from tests.support.documents import plan_of

_ROWS, _DELETIONS = 10_000, 200


def comment(_count: int) -> Result:
    """Render the comment, and check that it is one: under its budget, with every deletion."""
    text = json.dumps(plan_of(_ROWS, deletes=_DELETIONS))
    reference = timed(lambda: json.loads(text))
    shown: list[str] = []
    seconds = timed(lambda: shown.append(plan_markdown(plan_document(json.loads(text)), limit=COMMENT, frame=Frame())))
    deletions = sum(line.startswith("- DELETE ") for line in shown[0].splitlines())
    if size(shown[0]) > COMMENT or deletions != _DELETIONS:
        raise SystemExit(f"comment: {size(shown[0])} bytes and {deletions} deletions")
    return result("comment", _ROWS, seconds, "reading its JSON", reference, bytes=size(shown[0]), deletions=deletions)


if __name__ == "__main__":
    sys.exit(main(alone=(comment,)))
