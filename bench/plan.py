"""Time a plan that finds nothing to do over a fleet, and count its calls.

The yardstick is reading the enrollments, the largest body of a look, with nothing but requests and the standard
library's JSON.
"""

import sys
from pathlib import Path

import requests
from akamai.edgegrid import EdgeGridAuth, EdgeRc

from bench.stage import Result, Stage, main, result, timed

_ENROLLMENTS = "application/vnd.akamai.cps.enrollments.v12+json"


def plan(stage: Stage, count: int) -> Result:
    """Plan over `count` deployed enrollments; exit code 0 says that there is nothing to do."""
    stage.seed(count)
    stage.reset_calls()
    seconds = timed(lambda: stage.certrecon("plan", "--detailed-exitcode"))
    calls = stage.calls()
    reference = timed(lambda: _bare_reading(stage))
    return result(
        "plan", count, seconds, "a bare reading of the enrollments", reference, calls=calls["total"], by=calls["calls"]
    )


def _bare_reading(stage: Stage) -> None:
    edgerc = EdgeRc(stage.sandbox["edgerc"])
    with requests.Session() as session:
        session.auth = EdgeGridAuth.from_edgerc(edgerc, "default")
        answer = session.get(
            f"{stage.sandbox['cps']}/cps/v2/enrollments",
            params={"contractId": "C-1ABCDEF"},
            headers={"Accept": _ENROLLMENTS},
            verify=str(Path(stage.sandbox["ca_file"])),
            timeout=60,
        )
    answer.raise_for_status()
    answer.json()


if __name__ == "__main__":
    sys.exit(main(plan))
