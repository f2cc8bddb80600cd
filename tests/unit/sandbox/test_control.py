"""The control API: each route does what it says, and refuses what it does not know."""

import base64
from datetime import timedelta

import pytest
import requests

from reconciler.sandbox.server import BackgroundSandbox
from tests.conftest import START
from tests.support import certs
from tests.support.control import Control


def test_the_clock_is_told(control: Control) -> None:
    assert control.get("/clock") == {"now": "2026-11-16T00:00:00Z"}


@pytest.mark.parametrize(
    ("body", "now"),
    [
        ({"by": "36h"}, "2026-11-17T12:00:00Z"),
        ({"by": 90}, "2026-11-16T00:01:30Z"),
        ({"by": 0.5}, "2026-11-16T00:00:00.500000Z"),
        ({"to": "2026-11-20T00:00:00Z"}, "2026-11-20T00:00:00Z"),
        ({"to": "2026-11-20T01:00:00+01:00"}, "2026-11-20T00:00:00Z"),
        ({"to": "2020-01-01T00:00:00Z"}, "2026-11-16T00:00:00Z"),
    ],
)
def test_advance(control: Control, body: dict[str, object], now: str) -> None:
    assert control.post("/advance", body) == {"now": now}
    assert control.get("/clock") == {"now": now}


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({}, "say {"),
        ({"by": "1h", "to": "2026-11-20T00:00:00Z", "at": 1}, "not known: at"),
        ({"by": "soon"}, "no duration"),
        ({"to": "2026-11-20T00:00:00"}, "names no time zone"),
        ({"to": "tomorrow"}, "Invalid RFC3339"),
        ({"by": [1]}, "say {"),
        ({"by": "99999999999d"}, "longer than a thousand years"),
        ({"by": "nan"}, "longer than a thousand years"),
        ({"by": "360000d"}, "the clock goes to the end of 2999"),
        ({"to": "9999-12-31T00:00:00Z"}, "the clock goes to the end of 2999"),
    ],
)
def test_what_is_no_advance_is_refused(control: Control, body: dict[str, object], message: str) -> None:
    refused = control.ask("POST", "/advance", body)
    assert refused.status == 400
    assert message in refused.json["error"]
    assert control.get("/clock") == {"now": "2026-11-16T00:00:00Z"}


def test_faults_are_armed_listed_and_cleared(control: Control, sandbox: BackgroundSandbox) -> None:
    armed = control.post("/faults", {"kind": "lose-answer", "operation": "scm.enroll", "nth": 2})
    assert [(fault["kind"], fault["operation"], fault["nth"]) for fault in armed["faults"]] == [
        ("lose-answer", "scm.enroll", 2)
    ]
    assert len(sandbox.faults.armed) == 1
    assert control.delete("/faults") == {"faults": []}
    assert sandbox.faults.armed == []


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"kind": "lose-answer"}, "operation"),
        ({"kind": "explode", "operation": "scm.*"}, "explode"),
        ({"kind": "refuse", "operation": "scm.enrol"}, "no operation fits 'scm.enrol'"),
        ({"kind": "refuse", "operation": "scm.*", "seen": 3}, "not known: seen"),
        ({"kind": "refuse", "operation": "scm.*", "nth": "2"}, "Expected `int`"),
    ],
)
def test_what_is_no_fault_is_refused(control: Control, body: dict[str, object], message: str) -> None:
    refused = control.ask("POST", "/faults", body)
    assert refused.status == 400
    assert message in refused.json["error"]
    assert control.get("/faults") == {"faults": []}


def test_calls_are_counted_and_reset(control: Control, sandbox: BackgroundSandbox) -> None:
    Control(sandbox.urls["cps"], sandbox.urls["ca_file"]).ask("GET", "/cps/v2/enrollments")
    counted = control.get("/calls")
    assert counted == {"calls": {"cps.list_enrollments": 1}, "mutating": {}, "total": 1, "mutating_total": 0}
    assert sandbox.calls["cps.list_enrollments"] == 1
    assert control.delete("/calls")["total"] == 0


def test_calls_of_the_control_api_are_not_counted(control: Control) -> None:
    assert control.get("/calls")["total"] == 0


def test_options_are_set_and_listed(control: Control, sandbox: BackgroundSandbox) -> None:
    listed = control.post("/options", {"approvals": "manual", "staging_s": "2h"})["options"]
    values = {option["name"]: option["value"] for option in listed}
    assert (values["approvals"], values["staging_s"]) == ("manual", 7200.0)
    assert sandbox.scm.options.approvals == "manual"
    assert sandbox.cps.options.staging_s == 7200.0


def test_every_option_says_what_it_is_for(control: Control) -> None:
    assert [option["name"] for option in control.get("/options")["options"] if not option["help"]] == []


def test_an_unknown_option_is_refused(control: Control) -> None:
    refused = control.ask("POST", "/options", {"aprovals": "manual"})
    assert refused.status == 400
    assert refused.json["error"].startswith("no option is called 'aprovals'; did you mean approvals")


@pytest.mark.parametrize(("method", "path"), [("GET", "/nowhere"), ("PUT", "/clock"), ("POST", "/scm/explode")])
def test_what_it_does_not_know_it_refuses(control: Control, method: str, path: str) -> None:
    refused = control.ask(method, path, {} if method != "GET" else None)
    assert refused.status == 404
    assert f"{method} {path} is not part of the control API" in refused.json["error"]


@pytest.mark.parametrize("body", [b"{", b"[]", b'"by"'])
def test_a_body_that_is_no_object_is_refused(control: Control, body: bytes) -> None:
    refused = control.ask("POST", "/advance", body)
    assert refused.status == 400
    assert "no JSON object" in refused.json["error"]


def test_the_state_names_enrollments_and_orders(control: Control) -> None:
    control.post("/seed", {"count": 1, "tagged": True})
    state = control.get("/state")
    (enrollment,), (order,) = state["enrollments"], state["orders"]
    assert state["now"] == "2026-11-16T00:00:00Z"
    assert (enrollment["common_name"], enrollment["contract"]) == ("s0001.example.com", "C-1ABCDEF")
    assert enrollment["change"] is None
    assert enrollment["staging"] == enrollment["production"]
    assert order["common_name"] == "s0001.example.com"
    assert (order["status"], order["profile"]) == ("Issued", "OV Multi-Domain")
    assert order["serial"].lstrip("0").lower() == enrollment["production"][0]["serial"]
    assert order["comments"].startswith(f"certrecon/1 i=seed e={enrollment['id']} c=")


def test_portals_list_what_a_person_can_do(control: Control) -> None:
    assert {"approve", "reject", "decline", "invalidate", "revoke"} <= set(control.get("/scm"))
    assert "install" not in control.get("/scm")
    assert "install" not in control.get("/cps")


def test_a_person_revokes_an_order(control: Control) -> None:
    control.post("/seed", {"count": 1})
    (order,) = control.get("/state")["orders"]
    control.post("/scm/revoke", {"ssl_id": order["ssl_id"]})
    assert control.get("/state")["orders"][0]["status"] == "Revoked"


def test_an_imported_certificate_is_of_no_profile(control: Control, sandbox: BackgroundSandbox) -> None:
    der = certs.leaf(certs.root_ca(), "www.example.com").der
    environment = sandbox.environment
    answer = requests.post(
        f"{sandbox.urls['scm']}/api/ssl/v2/import",
        json=[{"orgID": 1101, "cert": base64.b64encode(der).decode()}],
        headers={
            "login": environment["SECTIGO_LOGIN"],
            "password": environment["SECTIGO_PASSWORD"],
            "customerUri": environment["SECTIGO_CUSTOMER_URI"],
        },
        verify=sandbox.urls["ca_file"],
        timeout=10,
    )
    assert answer.json()[0]["created"], answer.text
    (order,) = control.get("/state")["orders"]
    assert (order["common_name"], order["profile"]) == ("www.example.com", None)


@pytest.mark.parametrize(
    ("body", "status", "message"),
    [
        ({"ssl_id": 1}, 404, "revoke: not found"),
        ({"ssl_id": "one"}, 400, "Expected `int`"),
        ({}, 400, "missing a required argument"),
        ({"ssl_id": 1, "why": "x"}, 400, "not known: why"),
    ],
)
def test_a_deed_that_does_not_fit_is_refused(
    control: Control, body: dict[str, object], status: int, message: str
) -> None:
    refused = control.ask("POST", "/scm/revoke", body)
    assert refused.status == status
    assert message in refused.json["error"]


def test_a_deed_at_the_wrong_time_is_refused(control: Control) -> None:
    control.post("/seed", {"count": 1})
    (order,) = control.get("/state")["orders"]
    refused = control.ask("POST", "/scm/approve", {"ssl_id": order["ssl_id"]})
    assert refused.status == 409
    assert refused.json["error"].startswith("approve: ")


def test_the_clock_of_the_thread_and_of_the_api_are_one(control: Control, sandbox: BackgroundSandbox) -> None:
    sandbox.advance(hours=2)
    assert control.get("/clock") == {"now": "2026-11-16T02:00:00Z"}
    assert sandbox.clock.now() == START + timedelta(hours=2)
