"""The life of an order on the clock."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography import x509

from reconciler.sandbox.ca import CaState
from tests.support.csrs import make_csr, make_key
from tests.support.lint import lint_errors
from tests.support.scm import Scm


def status(scm: Scm, ssl_id: int) -> str:
    return str(scm.details(ssl_id)["status"])


@pytest.mark.parametrize(
    ("profile", "term", "after_s"), [(2001, 199, 62), (2002, 199, 62), (2012, 199, 302), (2031, 365, 12)]
)
def test_an_order_without_approval_goes_to_the_ca_and_is_issued(
    scm: Scm, profile: int, term: int, after_s: int
) -> None:
    ssl_id = scm.enroll(certType=profile, term=term)
    assert status(scm, ssl_id) == "Approved"
    scm.advance(seconds=2)
    assert status(scm, ssl_id) == "Applied"
    scm.advance(seconds=after_s - 3)
    assert status(scm, ssl_id) == "Applied"
    scm.advance(seconds=1)
    assert status(scm, ssl_id) == "Issued"
    assert scm.order(ssl_id).issued == scm.clock.now()


def test_reading_does_not_move_an_order(scm: Scm) -> None:
    ssl_id = scm.enroll()
    assert [status(scm, ssl_id) for _ in range(5)] == ["Approved"] * 5


def test_an_order_that_needs_approval_gets_it_after_four_hours(scm: Scm) -> None:
    ssl_id = scm.enroll(certType=2013, csr=make_csr("*.example.com"))
    scm.advance(hours=4, seconds=-1)
    assert status(scm, ssl_id) == "Requested"
    scm.advance(seconds=1)
    assert status(scm, ssl_id) == "Approved"
    assert scm.details(ssl_id)["owner"] == "Second Approver"
    scm.advance(seconds=302)
    assert status(scm, ssl_id) == "Issued"


def test_ev_takes_a_day_with_its_approval(scm: Scm) -> None:
    ssl_id = scm.enroll(certType=2022)
    scm.advance(days=1)
    assert status(scm, ssl_id) == "Applied"
    scm.advance(seconds=2)
    assert status(scm, ssl_id) == "Issued"


def test_manual_approvals_wait_for_a_person(scm: Scm) -> None:
    scm.options.approvals = "manual"
    ssl_id = scm.enroll(certType=2013, csr=make_csr("*.example.com"))
    scm.advance(days=30)
    assert status(scm, ssl_id) == "Requested"
    answer = scm.post(f"/api/ssl/v1/approve/{ssl_id}", {"message": "fine"}, login="approver")
    assert (answer.status, answer.body) == (204, b"")
    assert status(scm, ssl_id) == "Approved"
    again = scm.post(f"/api/ssl/v1/approve/{ssl_id}", {"message": "fine"}, login="approver")
    assert again.refusal == (400, -1112)
    assert again.json["description"].endswith("state = Approved")


def test_switching_to_manual_holds_approvals_that_were_planned(scm: Scm) -> None:
    ssl_id = scm.enroll(certType=2022)
    scm.options.approvals = "manual"
    scm.advance(days=1)
    assert status(scm, ssl_id) == "Requested"


def test_an_approval_by_hand_leaves_nothing_for_the_planned_one(scm: Scm) -> None:
    ssl_id = scm.enroll(certType=2022)
    scm.portal.approve(ssl_id, message="sooner")
    scm.advance(hours=5)
    assert [line.action for line in scm.state.activity] == ["requested", "approved"]


def test_an_admin_with_auto_approval_skips_the_profile_s_but_not_ev_s(scm: Scm) -> None:
    scm.state.admins["api-admin"].auto_approve = True
    assert status(scm, scm.enroll(certType=2013, csr=make_csr("*.example.com"))) == "Approved"
    assert status(scm, scm.enroll(certType=2022)) == "Requested"


def test_the_requester_of_an_ev_order_may_not_approve_it(scm: Scm) -> None:
    ssl_id = scm.enroll(certType=2022)
    assert scm.post(f"/api/ssl/v1/approve/{ssl_id}", {"message": "mine"}).refusal == (400, -1140)
    ssl_id = scm.enroll(certType=2013, csr=make_csr("*.example.com"))
    assert scm.post(f"/api/ssl/v1/approve/{ssl_id}", {"message": "mine"}).status == 204


@pytest.mark.parametrize("message", [None, "", "x" * 513])
@pytest.mark.parametrize("verb", ["approve", "decline"])
def test_a_decision_needs_a_message(scm: Scm, verb: str, message: str | None) -> None:
    ssl_id = scm.enroll(certType=2022)
    answer = scm.post(f"/api/ssl/v1/{verb}/{ssl_id}", {"message": message}, login="approver")
    assert answer.refusal == (400, -1001 if message is None else -1601)


def test_a_declined_order_stays_so_until_it_is_edited_and_approved(scm: Scm) -> None:
    ssl_id = scm.enroll(certType=2022)
    assert scm.post(f"/api/ssl/v1/decline/{ssl_id}", {"message": "no"}, login="approver").status == 204
    scm.advance(days=5)
    assert status(scm, ssl_id) == "Declined"
    assert scm.details(ssl_id)["declined"] == "11/16/2026"
    approve = f"/api/ssl/v1/approve/{ssl_id}", {"message": "yes"}
    assert scm.post(*approve, login="approver").refusal == (400, -1112)
    assert scm.put("/api/ssl/v1", {"sslId": ssl_id, "subjectAlternativeNames": ["b.example.com"]}).status == 200
    assert scm.post(*approve, login="approver").status == 204
    scm.advance(days=2)
    assert status(scm, ssl_id) == "Issued"


def test_decline_is_for_orders_that_wait(scm: Scm) -> None:
    ssl_id = scm.enroll()
    assert scm.post(f"/api/ssl/v1/decline/{ssl_id}", {"message": "no"}, login="approver").refusal == (400, -1112)


@pytest.mark.parametrize(("deed", "end"), [("reject", "Rejected"), ("invalidate", "Invalid")])
def test_the_ca_and_scm_can_end_an_order(scm: Scm, deed: str, end: str) -> None:
    ssl_id = scm.enroll()
    scm.advance(seconds=10)
    getattr(scm.portal, deed)(ssl_id)
    scm.advance(days=1)
    assert status(scm, ssl_id) == end
    assert "serialNumber" not in scm.details(ssl_id)


def test_an_approval_step_on_sectigo_s_side_can_be_shown(scm: Scm) -> None:
    scm.options.sa_approval_s = 100
    ssl_id = scm.enroll()
    scm.advance(seconds=50)
    assert status(scm, ssl_id) == "SA Approved"
    scm.options.sa_approved_spelling = "SAApproved"
    assert status(scm, ssl_id) == "SAApproved"
    scm.advance(seconds=52)
    assert status(scm, ssl_id) == "Applied"
    scm.advance(seconds=60)
    assert status(scm, ssl_id) == "Issued"


def test_an_issued_certificate_expires_after_its_last_second(scm: Scm) -> None:
    ssl_id = scm.issued()
    leaf = x509.load_pem_x509_certificate(scm.order(ssl_id).leaf_pem.encode())
    assert leaf.not_valid_before_utc == datetime(2026, 11, 16, tzinfo=UTC)
    assert leaf.not_valid_after_utc == leaf.not_valid_before_utc + timedelta(days=199, seconds=-1)
    scm.clock.advance_to(leaf.not_valid_after_utc)
    assert status(scm, ssl_id) == "Issued"
    scm.advance(seconds=1)
    assert status(scm, ssl_id) == "Expired"


def test_the_subject_comes_from_the_organization_s_record(scm: Scm) -> None:
    ssl_id = scm.issued(certType=2012, orgId=1102)
    leaf = x509.load_pem_x509_certificate(scm.order(ssl_id).leaf_pem.encode())
    assert leaf.subject.rfc4514_string() == ("CN=www.example.com,O=Example Ltd,L=Manchester,ST=Greater Manchester,C=GB")


def test_the_ca_can_add_www(scm: Scm) -> None:
    scm.options.add_www = True
    ssl_id = scm.issued("shop.example.com", subjAltNames="b.example.com")
    assert scm.details(ssl_id)["subjectAlternativeNames"] == [
        "shop.example.com",
        "b.example.com",
        "www.shop.example.com",
    ]


@pytest.mark.parametrize(
    ("common_name", "profile", "names"),
    [
        ("www.example.com", 2012, ["www.example.com"]),
        ("*.example.com", 2013, ["*.example.com", "example.com"]),
    ],
)
def test_the_ca_adds_no_www_to_www_nor_to_a_wildcard(
    scm: Scm, common_name: str, profile: int, names: list[str]
) -> None:
    scm.options.add_www = True
    scm.options.approval_s = 0
    ssl_id = scm.issued(common_name, certType=profile)
    assert scm.details(ssl_id)["subjectAlternativeNames"] == names


def test_the_portal_can_have_the_ca_sign_at_once(scm: Scm) -> None:
    ssl_id = scm.enroll()
    scm.portal.issue(ssl_id)
    assert status(scm, ssl_id) == "Approved"
    scm.advance(seconds=2)
    scm.portal.issue(ssl_id)
    assert status(scm, ssl_id) == "Issued"
    serial = scm.order(ssl_id).serial
    scm.advance(hours=1)
    assert scm.order(ssl_id).serial == serial


@pytest.mark.parametrize(("profile", "term"), [(2002, 199), (2012, 199), (2022, 199), (2031, 30)])
@pytest.mark.parametrize("key_type", ["RSA", "EC"])
def test_every_issued_leaf_passes_the_linter(scm: Scm, profile: int, term: int, key_type: str) -> None:
    ssl_id = scm.enroll(certType=profile, term=term, csr=make_csr("www.example.com", key=make_key(key_type)))
    scm.advance(days=3)
    assert lint_errors(scm.order(ssl_id).leaf_pem, private=profile == 2031) == []


def test_without_pre_validation_an_order_waits_for_its_dcv(scm: Scm) -> None:
    scm.options.pre_validation = False
    scm.portal.break_domain("unvalidated-example.com")
    ssl_id = scm.enroll("unvalidated-example.com", dcvMode="CNAME", subjAltNames="www.example.com")
    scm.advance(hours=2)
    assert status(scm, ssl_id) == "Applied"
    answer = scm.get(f"/api/ssl/v1/{ssl_id}/dcv")
    assert answer.status == 200
    assert answer.json["dcvLog"]["error"] == {"code": 0, "description": None}
    rows = {row["domainName"]: row for row in answer.json["dcvLog"]["log"]}
    assert rows["example.com"]["dcvStatus"] == "Validated"
    waiting = rows["unvalidated-example.com"]
    assert (waiting["dcvStatus"], waiting["dcvDate"]) == ("Awaiting Validation", None)
    assert (waiting["lastCheck"], waiting["nextCheck"]) == ("2026-11-16 10:35:02", "2026-11-16 11:35:02")
    (instruction,) = answer.json["instructions"]
    assert instruction["dcvMode"] == "CNAME"
    assert instruction["host"].endswith(".unvalidated-example.com.")
    scm.portal.mend_domain("unvalidated-example.com")
    scm.advance(hours=1, minutes=2)
    assert status(scm, ssl_id) == "Issued"


def test_a_recheck_looks_at_once(scm: Scm) -> None:
    scm.options.pre_validation = False
    scm.portal.break_domain("unvalidated-example.com")
    ssl_id = scm.enroll("unvalidated-example.com", dcvMode="HTTP")
    scm.advance(minutes=6)
    scm.portal.mend_domain("unvalidated-example.com")
    answer = scm.post(f"/api/ssl/v1/{ssl_id}/dcv/recheck")
    assert answer.status == 202
    assert [row["dcvStatus"] for row in answer.json["dcvLog"]["log"]] == ["Validated"]
    scm.advance(seconds=60)
    assert status(scm, ssl_id) == "Issued"
    scm.advance(hours=3)
    assert [line.action for line in scm.state.activity] == ["requested", "issued"]


@pytest.mark.parametrize(
    ("mode", "members"),
    [("HTTP", {"url", "file"}), ("HTTPS", {"url", "file"}), ("TXT", {"host", "point"}), ("EMAIL", {"dcvEmail"})],
)
def test_instructions_fit_the_way_of_validation(scm: Scm, mode: str, members: set[str]) -> None:
    scm.options.pre_validation = False
    ssl_id = scm.enroll("unvalidated-example.com", dcvMode=mode, dcvEmail="admin@unvalidated-example.com")
    (instruction,) = scm.get(f"/api/ssl/v1/{ssl_id}/dcv").json["instructions"]
    assert set(instruction) == {"domainName", "dcvMode", *members}


def test_an_order_waits_on_when_its_domain_is_removed(scm: Scm) -> None:
    scm.options.pre_validation = False
    ssl_id = scm.enroll("unvalidated-example.com", dcvMode="CNAME")
    assert scm.delete("/api/domain/v1/413").status == 204
    scm.advance(hours=5)
    assert status(scm, ssl_id) == "Applied"


def test_order_dcv_can_come_as_a_list(scm: Scm) -> None:
    scm.options.order_dcv_shape = "array"
    (answer,) = scm.get(f"/api/ssl/v1/{scm.enroll()}/dcv").json
    assert answer == {"dcvLog": {"error": {"code": 0, "description": None}, "log": []}, "instructions": []}


@pytest.mark.parametrize(
    ("start", "terms"),
    [
        (datetime(2026, 3, 11, tzinfo=UTC), [397]),
        (datetime(2026, 3, 12, tzinfo=UTC), [199]),
        (datetime(2027, 3, 14, 23, tzinfo=UTC), [199]),
        (datetime(2027, 3, 15, tzinfo=UTC), [99]),
        (datetime(2029, 3, 15, tzinfo=UTC), [46]),
    ],
)
def test_public_terms_shrink_with_the_calendar(ca_state: CaState, start: datetime, terms: list[int]) -> None:
    scm = Scm(ca_state, start=start)
    scm.state.profiles[2002].terms = [397]
    profiles: dict[int, Any] = {row["id"]: row for row in scm.get("/api/ssl/v1/types").json}
    assert profiles[2002]["terms"] == terms
    assert profiles[2031]["terms"] == [30, 365]


def test_a_validation_ages_by_the_rule_of_the_day_of_issue(ca_state: CaState) -> None:
    scm = Scm(ca_state, start=datetime(2027, 1, 1, tzinfo=UTC))
    assert scm.get("/api/domain/v1/409").json["dcvExpiration"] == "2027-07-08"
    scm.clock.advance_to(datetime(2027, 3, 14, 23, tzinfo=UTC))
    assert scm.get("/api/domain/v1/409").json["validationStatus"] == "VALIDATED"
    scm.clock.advance_to(datetime(2027, 3, 30, tzinfo=UTC))
    assert scm.get("/api/domain/v1/409").json["validationStatus"] == "EXPIRED"
    assert scm.post("/api/ssl/v1/enroll", scm.form(term=99)).refusal == (400, -1137)


def test_legacy_terms_are_an_option(scm: Scm) -> None:
    scm.options.legacy_terms = True
    assert scm.order(scm.enroll(term=365)).term == 365
