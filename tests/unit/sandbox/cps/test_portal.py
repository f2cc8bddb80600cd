"""What a person does in the portal, what the seeder puts in place, and what survives a restart."""

from datetime import UTC, datetime

import msgspec
import pytest

from reconciler.sandbox.app import Sandbox, SandboxState
from reconciler.sandbox.ca import IssueRequest
from reconciler.sandbox.cps import body as enrollment_body
from reconciler.sandbox.cps.csr import make_csr
from reconciler.sandbox.cps.problems import Refused
from reconciler.sandbox.cps.state import DeployedCertificate
from reconciler.sandbox.keys import KeyMaker
from tests.support import enrollments
from tests.unit.sandbox.cps.harness import SUBJECT, Cps


def test_edit_of_names_opens_a_change_by_a_person(cps: Cps) -> None:
    enrollment = cps.create()
    cps.deploy(enrollment)
    change = cps.portal.edit_names(enrollment.id, ["www.example.com", "api.example.com"])
    assert enrollment.pending == change
    assert cps.pending(enrollment).created_by == "portal-user"
    assert cps.document(enrollment)["csr"]["sans"] == ["www.example.com", "api.example.com"]


def test_edit_of_contacts_opens_none(cps: Cps) -> None:
    enrollment = cps.create()
    cps.deploy(enrollment)
    assert cps.portal.edit(enrollment.id, {"adminContact": {"email": "new@example.com"}}) is None
    contact = cps.document(enrollment)["adminContact"]
    assert (contact["email"], contact["firstName"]) == ("new@example.com", "Ada")


def test_edit_may_set_null(cps: Cps) -> None:
    enrollment = cps.create()
    cps.portal.edit(enrollment.id, {"csr": {"st": None}}, cancel_pending=True)
    assert cps.document(enrollment)["csr"]["st"] is None


def test_person_is_refused_as_a_client_is(cps: Cps) -> None:
    enrollment = cps.create()
    with pytest.raises(Refused, match="There is a pending change"):
        cps.portal.edit_names(enrollment.id, ["www.example.com"])
    with pytest.raises(Refused, match="Not Found"):
        cps.portal.acknowledge(enrollment.id)
    with pytest.raises(Refused, match="Not Found"):
        cps.portal.cancel_change(99)


def test_suspended_change_stands_still_until_it_is_resumed(cps: Cps) -> None:
    enrollment = cps.create()
    cps.portal.suspend(enrollment.id)
    cps.advance(hours=1)
    assert cps.get(cps.change_path(enrollment), "change", 2)["statusInfo"]["state"] == "suspended"
    with pytest.raises(Refused, match="The change is suspended"):
        cps.portal.suspend(enrollment.id)
    cps.portal.resume(enrollment.id)
    cps.advance(hours=1)
    assert cps.get(cps.change_path(enrollment), "change", 2)["statusInfo"]["status"] == "wait-upload-third-party"


def test_failed_change_says_why_and_may_be_replaced(cps: Cps) -> None:
    enrollment = cps.create()
    cps.portal.fail(enrollment.id, "NO_CAPACITY", "There is no slot.")
    info = cps.get(cps.change_path(enrollment), "change", 2)["statusInfo"]
    assert (info["state"], info["error"]["code"]) == ("error", "NO_CAPACITY")
    assert cps.portal.edit_names(enrollment.id, ["www.example.com", "api.example.com"], cancel_pending=True)


def test_person_uploads_and_acknowledges(cps: Cps) -> None:
    enrollment = cps.create()
    cps.to_csr(enrollment)
    issued = cps.issue(enrollment, chain="root")
    cps.portal.upload(enrollment.id, issued.leaf_pem, issued.chain_pem)
    cps.advance(minutes=1)
    cps.portal.acknowledge(enrollment.id)
    cps.advance(minutes=32)
    cps.portal.acknowledge(enrollment.id)
    cps.advance(hours=1)
    assert enrollment.pending is None


def test_person_denies_and_removes(cps: Cps) -> None:
    cps.create("www.example.com")
    enrollment = cps.create("shop.example.com", "www.example.com")
    cps.advance(seconds=30)
    cps.portal.deny(enrollment.id)
    assert enrollment.id not in cps.service.state.enrollments
    other = cps.create("api.example.com")
    cps.portal.remove(other.id)
    assert other.id not in cps.service.state.enrollments


def test_installed_enrollment_looks_like_one_that_was_made_then(cps: Cps) -> None:
    at = datetime(2026, 10, 1, 12, tzinfo=UTC)
    document = enrollments.enrollment_body("old.example.com")
    body = enrollment_body.parse(document, enrollment_body.CURRENT_VERSION)
    keys = KeyMaker("pooled")
    key = keys.rsa()
    issued = cps.sandbox.authority.issue(
        IssueRequest(
            csr_pem=make_csr(body, key),
            kind="OV",
            common_name="old.example.com",
            sans=("old.example.com",),
            subject=SUBJECT,
            term_days=199,
            now=at,
        )
    )
    enrollment = cps.portal.install(
        contract="C-1ABCDEF",
        body=body,
        certificates=[
            DeployedCertificate(
                algorithm="RSA",
                certificate_pem=issued.leaf_pem,
                trust_chain_pem=issued.chain.issuing,
                private_key_pem=keys.private_pem(key),
            )
        ],
        at=at,
    )
    (change,) = cps.get(f"/enrollments/{enrollment.id}/history/changes", "change-history", 5)["changes"]
    assert (change["createdOn"], change["status"]) == ("2026-10-01T12:00:00Z", "completed")
    assert change["primaryCertificate"]["certificate"] == issued.leaf_pem
    (row,) = cps.get("/active-certificates", "active-certificates", 2)["enrollments"]
    assert row["production"] is not None
    assert cps.document(enrollment)["autoRenewalStartTime"] == "2027-02-16T23:59:59Z"
    live = cps.service.live("production", "old.example.com")
    assert live is not None
    assert live.certificates[0].leaf_pem == issued.leaf_pem


def test_everything_survives_a_restart(cps: Cps) -> None:
    deployed = cps.create("www.example.com")
    cps.deploy(deployed, "RSA", "ECDSA")
    waiting = cps.create("shop.example.com")
    cps.to_csr(waiting)
    cps.upload(waiting, cps.issue(waiting).item())
    cps.options.staging_s = 10
    listed = cps.get("/enrollments", "enrollments", 12)
    snapshot = msgspec.msgpack.encode(cps.sandbox.state)
    restarted = Cps(Sandbox(msgspec.msgpack.decode(snapshot, type=SandboxState), keys=KeyMaker("pooled")))
    assert restarted.get("/enrollments", "enrollments", 12) == listed
    assert restarted.service.live("production", "www.example.com") == cps.service.live("production", "www.example.com")
    again = restarted.enrollment(waiting.id)
    assert restarted.status(again) == "verify-third-party-cert running"
    restarted.advance(seconds=190)
    assert restarted.status(again) == "wait-ack-change-management awaiting-input"
    assert restarted.service.live("staging", "shop.example.com") is not None
    assert restarted.create("api.example.com").id == waiting.id + 1
