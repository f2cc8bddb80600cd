"""Status as text and JSON: two columns, worst first; who acts; what nobody claims."""

import dataclasses
import json
from typing import Any

from reconciler.errors import Location, Problem
from reconciler.model.certificate import EnrollmentId, Promote
from reconciler.model.enrollment import ChangeManagement, ChangeState, InputKind, PendingChange
from reconciler.model.order import OrderStatus
from reconciler.planning.case import Context
from reconciler.planning.health import health_of, worst_first
from reconciler.planning.observed import ChangeView
from reconciler.planning.selectors import Selectors
from reconciler.planning.strays import stray_orders, unclaimed_enrollments
from reconciler.report.status import Status, status_text
from reconciler.report.statusjson import status_json
from tests.support.certs import desired
from tests.support.live import (
    EXPIRES,
    ISSUED,
    WANTED,
    before_end,
    complete,
    enrollment,
    issued_order,
    look,
    planned,
    served,
    with_enrollment,
)
from tests.support.looks import CHANGE, ENROLLMENT, change
from tests.support.published import checked

STUCK = desired("stuck.example.com")


def status(seen: Context, *wanted: Any, **fields: Any) -> Status:
    plan = planned(seen, *wanted)
    made = Status(
        plan=plan,
        healths=tuple(sorted((health_of(one, seen.observed, seen.policy) for one in plan.standings), key=worst_first)),
        unclaimed=unclaimed_enrollments(seen, wanted or (WANTED,)),
        strays=stray_orders(seen),
        broken=0,
    )
    return dataclasses.replace(made, **fields)


def text(made: Status) -> str:
    return "\n".join(line.plain for line in status_text(made))


def data_of(made: Status, *, exit_code: int = 0) -> Any:
    """Return the status as JSON, which its schema describes in each of its states."""
    return checked("status", json.dumps(status_json(made, tool_version="1.2.3", exit_code=exit_code)))


def test_each_certificate_has_its_serving_and_its_work_worst_first() -> None:
    new = complete(desired("new.example.com"))
    lines = text(status(look(now=before_end(days=15, hours=1)), WANTED, new)).splitlines()
    create = "absent: create (no-enrollment) at the next apply"
    assert lines[2:5] == [
        "             CERTIFICATE      SERVING                            WORK",
        "  ! warn     www.example.com  ECDSA until 2027-06-02, 15 d left  production: renew (due) at the next apply",
        f"  = ok       new.example.com  nothing                            {create}",
    ]
    assert lines[-1] == "Status: 1 warn, 1 ok; 2 to act on."


def test_a_wait_names_its_actor_since_when_and_the_remedy() -> None:
    manual = with_enrollment(promote=Promote.MANUAL)
    management = ChangeManagement(validation_hash="x", errors=(), warnings=(), deadline=None, pending_pems=())
    view = ChangeView(
        change=change(ChangeState.AWAITING_INPUT, "wait-ack-change-management", InputKind.CHANGE_MANAGEMENT),
        management=management,
    )
    pending = enrollment(pending=(PendingChange(id=CHANGE, change_type="renewal"),))
    made = status(
        look(
            now=ISSUED,
            enrollments=[pending],
            view=view,
            orders=[issued_order(), issued_order(ssl_id=502, serial=1, comments=TAG)],
        ),
        dataclasses.replace(manual, enrollment=dataclasses.replace(manual.enrollment, adopt_change=CHANGE)),
    )
    (shown,) = data_of(made)["certificates"]
    assert (shown["work"]["state"], shown["work"]["actor"]) == ("waiting", "Akamai")
    assert "Waiting\n  www.example.com: Akamai: staging does not show the certificate yet" in text(made)


TAG = f"certrecon/1 i=0a1b2c3d e={ENROLLMENT} c={CHANGE} k=ECDSA key={'ab' * 16} cause=cd12"


def test_what_blocks_says_why_who_and_how() -> None:
    wrong = enrollment(STUCK, id=EnrollmentId(7), sni_only=False)
    made = status(look(now=ISSUED, enrollments=[enrollment(), wrong]), WANTED, STUCK)
    shown = text(made)
    assert [one["work"]["state"] for one in data_of(made)["certificates"]] == ["blocked", "none"]
    assert "  ! warn     stuck.example.com  nothing" in shown
    assert "blocked at absent (in-the-way): author of the file acts" in shown
    assert "\nNeeds a person\n  stuck.example.com  certificates/stuck.example.com.yaml\n" in shown
    assert "    author of the file: Write that enrollment's contract, secureNetwork and sniOnly" in shown


def test_expired_and_revoked_are_said_in_words() -> None:
    revoked = issued_order(status=OrderStatus.REVOKED, status_text="Revoked")
    made = status(look(now=before_end(days=-2), orders=[revoked]))
    assert data_of(made)["certificates"][0]["serving"]["remaining_s"] < 0
    shown = text(made)
    assert "  ! critical www.example.com  ECDSA until 2027-06-02, EXPIRED, REVOKED" in shown
    assert "expired on 2027-06-02 23:59 UTC" in shown


def test_drift_unclaimed_enrollments_and_stray_orders_are_listed() -> None:
    old = enrollment(desired("old.example.com"), id=EnrollmentId(9))
    gone = issued_order(ssl_id=400, serial=0xB0, issued_at=ISSUED.replace(day=1))
    idle = issued_order(ssl_id=777, serial=0xB2, issued_at=ISSUED.replace(day=17))
    seen = look(
        now=ISSUED.replace(day=20),
        enrollments=[enrollment(geography="core"), old],
        live={ENROLLMENT: served(), old.id: served(5, EXPIRES)},
        orders=[issued_order(), gone, idle],
    )
    made = status(seen, with_enrollment(geography="china+core"))
    shown = text(made)
    assert "    akamai.geography: core -> china+core (redeploys, without a new order)" in shown
    assert "  enrollment 9  old.example.com: serves until 2027-06-02 23:59 UTC" in shown
    assert "  order 777 at enterprise  www.example.com: Issued, until 2027-06-02 23:59 UTC" in shown
    assert "  1 superseded: a later certificate is served in its place" in shown
    data = data_of(made)
    assert [one["enrollment_id"] for one in data["unclaimed_enrollments"]] == [9]
    assert [(one["ssl_id"], one["superseded"]) for one in data["stray_orders"]] == [(777, False), (400, True)]
    assert data["certificates"][0]["drift"][0]["field"] == "akamai.geography"


def test_with_broken_files_nothing_is_told_as_released() -> None:
    made = status(look(now=ISSUED), unclaimed=(), broken=2)
    assert "not listed: 2 files cannot be read, and may claim them" in text(made)
    assert data_of(made, exit_code=1)["unclaimed_enrollments"] is None


def test_problems_and_incomplete_readings_come_before_the_table() -> None:
    plan = dataclasses.replace(
        planned(look(now=ISSUED)),
        problems=(Problem(location=Location("certificates/a.yaml", 3, 1), text="It is wrong."),),
        unread=("scm: report: no answer.",),
        selectors=Selectors(targets=("www*",)),
    )
    lines = text(dataclasses.replace(status(look(now=ISSUED)), plan=plan)).splitlines()
    assert lines[1] == "PARTIAL: --target 'www*'"
    assert lines[3:8] == [
        "Problems in files",
        "  certificates/a.yaml:3:1: error: It is wrong.",
        "",
        "Could not be read completely",
        "  scm: report: no answer.",
    ]


def test_text_of_services_cannot_touch_the_screen() -> None:
    plan = dataclasses.replace(planned(look(now=ISSUED)), unread=("a\x1b[2Jb\u202ec\nd",))
    shown = text(dataclasses.replace(status(look(now=ISSUED)), plan=plan))
    assert "  a\\u001b[2Jb\\u202ec\\nd" in shown
    assert "\x1b" not in shown


def test_the_json_says_its_version_and_counts() -> None:
    data = data_of(status(look(now=ISSUED)))
    assert (data["format_version"], data["kind"], data["tool_version"]) == ("1.0", "status", "1.2.3")
    assert data["summary"] == {
        "critical": 0,
        "warn": 0,
        "ok": 1,
        "unread": 0,
        "blocked": 0,
        "held": 0,
        "action": 0,
        "waiting": 0,
        "none": 1,
    }
    (shown,) = data["certificates"]
    assert shown["serving"]["expires"] == "2027-06-02T23:59:59Z"
    assert shown["serving"]["wanted"] is True
    assert shown["work"] == {"state": "none", "phase": "production", "notes": []}
