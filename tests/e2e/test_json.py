"""What commands tell as JSON is what the published schemas say."""

import json
from typing import Any

from tests.support.control import Control
from tests.support.program import Program
from tests.support.published import checked


def looks(program: Program) -> tuple[Any, Any]:
    """Return plan and status as JSON; they, the report and the validation are what their schemas say."""
    plan, status, report, _ = (
        checked(kind, program.run(command, "--format", "json").stdout)
        for kind, command in (("plan", "plan"), ("status", "status"), ("report", "report"), ("validation", "validate"))
    )
    for kind in ("plan", "status"):
        checked(kind, json.dumps(report[kind]))
    return plan, status


def test_looks_and_results_of_every_state_are_valid(program: Program, control: Control) -> None:
    name = "www.example.com"
    absent, status = looks(program)
    assert absent["summary"]["actions"] == status["summary"]["action"] == 1
    checked("result", program.apply("--format", "json", wait="1m").stdout)
    waiting, _ = looks(program)
    assert waiting["summary"]["waiting"] + waiting["summary"]["actions"] == 1
    done = checked("result", program.apply("--format", "json").stdout)
    assert done["certificates"][0]["ending"] == "done"
    program.write(
        f"certificates/{name}.yaml",
        f"apiVersion: certrecon/v1\ncommonName: {name}\ndnsNames: [img.example.com]\nkeyTypes: [RSA-2048, ECDSA-P256]\n"
        'akamai: {ocspStapling: "off"}\n',
    )
    program.write("certificates/bad.yaml", "apiVersion: certrecon/v1\ncommonName: bad_name.example.com\n")
    differing, status = looks(program)
    (certificate,) = differing["certificates"]
    assert [one["field"] for one in certificate["action"]["differences"]] == [
        "names",
        "keyTypes",
        "akamai.ocspStapling",
    ]
    assert differing["problems"] == status["problems"] != []
    assert status["certificates"][0]["serving"]["wanted"] is False
    control.post("/faults", {"operation": "scm.report", "kind": "status", "status": 500, "times": 0})
    unread, status = looks(program)
    assert unread["unread"] == status["unread"] != []
