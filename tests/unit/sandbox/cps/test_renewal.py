"""What CPS does by itself: renewals, and the push of what nobody acknowledged."""

from datetime import UTC, datetime, timedelta

import pytest

from reconciler.sandbox.cps.state import AUTO_RENEWAL, Enrollment
from tests.unit.sandbox.cps.harness import Cps

# Issued for 199 days on 2026-11-16.
EXPIRY = datetime(2027, 6, 2, 23, 59, 59, tzinfo=UTC)


@pytest.fixture
def deployed(cps: Cps) -> Enrollment:
    enrollment = cps.create()
    cps.deploy(enrollment)
    return enrollment


def advance_to(cps: Cps, instant: datetime) -> None:
    cps.sandbox.advance_to(instant)


def test_renewal_opens_sixty_days_before_the_end(cps: Cps, deployed: Enrollment) -> None:
    start = EXPIRY - timedelta(days=60)
    assert cps.document(deployed)["autoRenewalStartTime"] == "2027-04-03T23:59:59Z"
    advance_to(cps, start - timedelta(seconds=1))
    assert cps.document(deployed)["pendingChanges"] == []
    advance_to(cps, start)
    document = cps.document(deployed)
    assert document["pendingChanges"][0]["changeType"] == "renewal"
    assert document["autoRenewalStartTime"] is None
    newest = cps.get(f"/enrollments/{deployed.id}/history/changes", "change-history", 5)["changes"][0]
    assert (newest["createdBy"], newest["action"], newest["status"]) == ("<auto-renewal>", "renew", "incomplete")
    assert newest["primaryCertificate"] is None


def test_renewal_waits_for_its_certificate_without_limit(cps: Cps, deployed: Enrollment) -> None:
    advance_to(cps, EXPIRY + timedelta(days=100))
    assert cps.status(deployed) == "wait-upload-third-party awaiting-input"
    assert cps.service.live("production", "www.example.com") is not None


def test_next_renewal_follows_the_next_certificate(cps: Cps, deployed: Enrollment) -> None:
    advance_to(cps, EXPIRY - timedelta(days=60))
    cps.deploy(deployed, term_days=99)
    assert cps.document(deployed)["autoRenewalStartTime"] == "2027-05-12T23:59:59Z"
    advance_to(cps, datetime(2027, 5, 12, 23, 59, 59, tzinfo=UTC))
    assert cps.pending(deployed).created_by == AUTO_RENEWAL


def test_lead_time_is_an_option_and_may_be_never(cps: Cps) -> None:
    cps.options.auto_renewal_days = 0
    enrollment = cps.create()
    cps.deploy(enrollment)
    assert cps.document(enrollment)["autoRenewalStartTime"] is None
    advance_to(cps, EXPIRY)
    assert enrollment.pending is None


def test_lead_time_made_shorter_moves_the_start(cps: Cps, deployed: Enrollment) -> None:
    cps.options.auto_renewal_days = 20
    advance_to(cps, EXPIRY - timedelta(days=60))
    assert deployed.pending is None
    advance_to(cps, EXPIRY - timedelta(days=20))
    assert cps.pending(deployed).created_by == AUTO_RENEWAL


def test_renewal_that_was_cancelled_is_not_opened_again(cps: Cps, deployed: Enrollment) -> None:
    advance_to(cps, EXPIRY - timedelta(days=60))
    cps.portal.cancel_change(deployed.id)
    assert cps.document(deployed)["autoRenewalStartTime"] is None
    advance_to(cps, EXPIRY)
    assert deployed.pending is None


def test_pending_change_keeps_the_renewal_away(cps: Cps, deployed: Enrollment) -> None:
    cps.portal.open_renewal(deployed.id)
    change = deployed.pending
    advance_to(cps, EXPIRY)
    assert deployed.pending == change


def test_window_is_protected_unless_overridden(cps: Cps, deployed: Enrollment) -> None:
    advance_to(cps, EXPIRY - timedelta(days=60))
    cps.portal.cancel_change(deployed.id)
    body = cps.document(deployed)
    refused = cps.try_update(deployed, body, "?force-renewal=true")
    assert (refused.status, refused.body["type"].rsplit("/", 1)[1]) == (409, "invalid-enrollment-state")
    assert cps.try_update(deployed, body).status == 200
    taken = cps.try_update(deployed, body, "?force-renewal=true&renewal-date-check-override=true")
    assert taken.status == 202


def test_automatic_renewal_may_be_replaced_without_the_override(cps: Cps, deployed: Enrollment) -> None:
    advance_to(cps, EXPIRY - timedelta(days=60))
    body = cps.document(deployed)
    reply = cps.try_update(deployed, body, "?force-renewal=true&allow-cancel-pending-changes=true")
    assert reply.status == 202
    assert cps.pending(deployed).created_by == "certrecon"


def test_window_may_be_open(cps: Cps, deployed: Enrollment) -> None:
    cps.options.renewal_window = "open"
    advance_to(cps, EXPIRY - timedelta(days=60))
    cps.portal.cancel_change(deployed.id)
    assert cps.try_update(deployed, cps.document(deployed), "?force-renewal=true").status == 202


# The push, seven days before the end.


def staged(cps: Cps, enrollment: Enrollment) -> None:
    cps.portal.open_renewal(enrollment.id)
    cps.to_csr(enrollment)
    cps.upload(enrollment, cps.issue(enrollment).item())
    cps.to_staging(enrollment)
    assert cps.status(enrollment) == "wait-ack-change-management awaiting-input"


def deadline(cps: Cps, enrollment: Enrollment) -> object:
    path = f"{cps.change_path(enrollment)}/input/info/change-management-info"
    return cps.get(path, "change-management-info", 6)["acknowledgementDeadline"]


def test_staged_certificate_is_pushed_seven_days_before_the_end(cps: Cps, deployed: Enrollment) -> None:
    staged(cps, deployed)
    change = cps.pending(deployed)
    assert deadline(cps, deployed) == "2027-05-26T23:59:59Z"
    advance_to(cps, EXPIRY - timedelta(days=7, seconds=1))
    assert cps.status(deployed) == "wait-ack-change-management awaiting-input"
    advance_to(cps, EXPIRY - timedelta(days=7))
    assert cps.status(deployed) == "deploy-cert-to-production running"
    cps.advance(hours=1)
    assert cps.status(deployed, change.id) == "complete completed"


def test_certificate_staged_after_the_deadline_is_pushed_at_once(cps: Cps, deployed: Enrollment) -> None:
    advance_to(cps, EXPIRY - timedelta(days=6))
    cps.upload(deployed, cps.issue(deployed, term_days=99).item())
    cps.to_staging(deployed)
    assert cps.status(deployed) == "deploy-cert-to-production running"


def test_deploy_date_prevents_the_push(cps: Cps, deployed: Enrollment) -> None:
    staged(cps, deployed)
    cps.call(
        "PUT",
        f"/cps/v2{cps.change_path(deployed)}/deployment-schedule",
        accept="application/vnd.akamai.cps.change-id.v1+json",
        content="application/vnd.akamai.cps.deployment-schedule.v1+json",
        body={"notBefore": "2027-05-01T00:00:00Z", "notAfter": None},
    )
    assert deadline(cps, deployed) is None
    advance_to(cps, EXPIRY)
    assert cps.status(deployed) == "wait-ack-change-management awaiting-input"


def test_first_certificate_is_never_pushed(cps: Cps) -> None:
    enrollment = cps.create()
    cps.to_csr(enrollment)
    cps.upload(enrollment, cps.issue(enrollment).item())
    cps.to_staging(enrollment)
    assert deadline(cps, enrollment) is None
    advance_to(cps, EXPIRY)
    assert cps.status(enrollment) == "wait-ack-change-management awaiting-input"


def test_push_is_an_option(cps: Cps, deployed: Enrollment) -> None:
    cps.options.acknowledgement_deadline_days = 0
    staged(cps, deployed)
    assert deadline(cps, deployed) is None
    advance_to(cps, EXPIRY)
    assert cps.status(deployed) == "wait-ack-change-management awaiting-input"
