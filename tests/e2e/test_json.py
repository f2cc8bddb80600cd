"""Plan and result as JSON: what the published schemas say."""

from tests.support.control import Control
from tests.support.program import Program
from tests.support.published import checked


def test_plans_and_results_of_every_state_are_valid(program: Program, control: Control) -> None:
    name = "www.example.com"
    absent = checked("plan", program.plan("--format", "json").stdout)
    assert absent["summary"]["actions"] == 1
    checked("result", program.apply("--format", "json", wait="1m").stdout)
    waiting = checked("plan", program.plan("--format", "json").stdout)
    assert waiting["summary"]["waiting"] + waiting["summary"]["actions"] == 1
    done = checked("result", program.apply("--format", "json").stdout)
    assert done["certificates"][0]["ending"] == "done"
    program.write(
        f"certificates/{name}.yaml",
        f"apiVersion: certrecon/v1\ncommonName: {name}\ndnsNames: [img.example.com]\nkeyTypes: [RSA-2048, ECDSA-P256]\n"
        'akamai: {ocspStapling: "off"}\n',
    )
    program.write("certificates/bad.yaml", "apiVersion: certrecon/v1\ncommonName: bad_name.example.com\n")
    differing = checked("plan", program.plan("--format", "json").stdout)
    (certificate,) = differing["certificates"]
    assert [one["field"] for one in certificate["action"]["differences"]] == [
        "names",
        "keyTypes",
        "akamai.ocspStapling",
    ]
    assert differing["problems"]
    control.post("/faults", {"operation": "scm.report", "kind": "status", "status": 500, "times": 0})
    assert checked("plan", program.plan("--format", "json").stdout)["unread"]
