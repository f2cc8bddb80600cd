"""The run of a change, from the POST to the edge."""

import pytest

from tests.support.enrollments import enrollment_body
from tests.unit.sandbox.cps.harness import Cps, media


def test_new_certificate_goes_through_every_status_in_order(cps: Cps) -> None:
    enrollment = cps.create()
    change = cps.pending(enrollment)
    seen = []
    for _ in range(2):
        seen.append(cps.status(enrollment))
        cps.advance(seconds=cps.options.checks_s if len(seen) == 1 else cps.options.csr_s)
    seen.append(cps.status(enrollment))
    assert cps.upload(enrollment, cps.issue(enrollment).item()).status == 200
    for seconds in (60, 60, 60, 1800):
        seen.append(cps.status(enrollment))
        cps.advance(seconds=seconds)
    seen.append(cps.status(enrollment))
    assert cps.acknowledge(enrollment, "change-management").status == 200
    seen.append(cps.status(enrollment))
    cps.advance(hours=1)
    seen.append(cps.status(enrollment, change.id))
    assert seen == [
        "pre-verification-safety-checks running",
        "generate-csr running",
        "wait-upload-third-party awaiting-input",
        "verify-third-party-cert running",
        "create-slot-files running",
        "live-check-action running",
        "deploy-cert-to-staging running",
        "wait-ack-change-management awaiting-input",
        "deploy-cert-to-production running",
        "complete completed",
    ]
    assert cps.document(enrollment)["pendingChanges"] == []


def test_status_moves_by_the_clock_and_not_by_looking(cps: Cps) -> None:
    enrollment = cps.create()
    cps.advance(seconds=cps.options.checks_s - 1)
    assert [cps.status(enrollment) for _ in range(3)] == ["pre-verification-safety-checks running"] * 3
    cps.advance(seconds=1)
    assert cps.status(enrollment) == "generate-csr running"


def test_waiting_change_names_its_one_required_input(cps: Cps) -> None:
    enrollment = cps.create()
    cps.to_csr(enrollment)
    path = f"/cps/v2{cps.change_path(enrollment)}"
    assert cps.get(cps.change_path(enrollment), "change", 2) == {
        "statusInfo": {
            "status": "wait-upload-third-party",
            "state": "awaiting-input",
            "description": "Waiting for you to upload and submit your third party certificate and trust chain.",
            "error": None,
            "deploymentSchedule": {"notBefore": None, "notAfter": None},
        },
        "allowedInput": [
            {
                "type": "third-party-certificate",
                "requiredToProceed": True,
                "info": f"{path}/input/info/third-party-csr",
                "update": f"{path}/input/update/third-party-cert-and-trust-chain",
            }
        ],
    }


def test_without_change_management_production_follows_staging(cps: Cps) -> None:
    enrollment = cps.create(changeManagement=False)
    cps.deploy(enrollment)
    assert cps.service.live("production", "www.example.com") is not None


def test_staging_serves_before_production(cps: Cps) -> None:
    enrollment = cps.create()
    cps.to_csr(enrollment)
    cps.upload(enrollment, cps.issue(enrollment).item())
    cps.to_staging(enrollment)
    assert cps.service.live("staging", "www.example.com") is not None
    assert cps.service.live("production", "www.example.com") is None


def test_edge_prefers_an_exact_name_to_a_wildcard(cps: Cps) -> None:
    wildcard = cps.create("*.example.com")
    cps.deploy(wildcard)
    exact = cps.create("www.example.com", changeManagement=False)
    cps.deploy(exact)
    live = cps.service.live
    assert (found := live("production", "WWW.example.com.")) is not None
    assert found.enrollment_id == exact.id
    assert (found := live("production", "shop.example.com")) is not None
    assert found.enrollment_id == wildcard.id
    assert live("production", "a.shop.example.com") is None
    assert live("production", "example.com") is None


def test_two_certificates_are_served_the_ecdsa_one_first(cps: Cps) -> None:
    enrollment = cps.create()
    cps.deploy(enrollment, "RSA", "ECDSA")
    found = cps.service.live("production", "www.example.com")
    assert found is not None
    assert [certificate.algorithm for certificate in found.certificates] == ["ECDSA", "RSA"]


def test_names_of_another_enrollment_raise_a_pre_verification_warning(cps: Cps) -> None:
    cps.create("www.example.com")
    other = cps.create("shop.example.com", "WWW.example.com")
    cps.advance(seconds=30)
    assert cps.status(other) == "wait-review-pre-verification-safety-checks awaiting-input"
    expected = "[WARNINGS]\nName [WWW.example.com] is overlapping DNS name of one or more enrollments."
    assert cps.warnings(other, "pre") == expected
    assert cps.acknowledge(other, "pre-verification-warnings").status == 200
    assert cps.status(other) == "generate-csr running"


def test_names_on_the_other_network_are_another_warning(cps: Cps) -> None:
    cps.create("www.example.com")
    body = enrollment_body("shop.example.com", "www.example.com")
    body["networkConfiguration"]["secureNetwork"] = "standard-tls"
    reply = cps.try_create(body)
    other = cps.enrollment(int(reply.body["enrollment"].rsplit("/", 1)[1]))
    cps.advance(seconds=30)
    cps.options.warnings_header = False
    text = "The following domain(s) overlap domains on another certificate: www.example.com."
    assert cps.warnings(other, "pre") == text


def test_denied_pre_verification_warnings_cancel_the_change_and_a_new_enrollment_goes_with_it(cps: Cps) -> None:
    cps.create("www.example.com")
    other = cps.create("shop.example.com", "www.example.com")
    cps.advance(seconds=30)
    assert cps.acknowledge(other, "pre-verification-warnings", "deny").status == 200
    assert other.id not in cps.service.state.enrollments
    reply = cps.call("GET", f"/cps/v2/enrollments/{other.id}", accept=media("enrollment", 11))
    assert reply.status == 404


@pytest.mark.parametrize(
    ("effect", "status"),
    [
        ("upload-again", "wait-upload-third-party awaiting-input"),
        ("stay", "wait-review-third-party-cert awaiting-input"),
    ],
)
def test_denied_post_verification_warnings(cps: Cps, effect: str, status: str) -> None:
    cps.sandbox.options.set("deny_post_verification", effect)
    enrollment = cps.create()
    cps.to_csr(enrollment)
    cps.upload(enrollment, cps.issue(enrollment, chain="root").item())
    cps.advance(seconds=60)
    assert cps.acknowledge(enrollment, "post-verification-warnings", "deny").status == 200
    assert cps.status(enrollment) == status


def test_denied_post_verification_warnings_may_cancel(cps: Cps) -> None:
    cps.options.deny_post_verification = "cancel"
    enrollment = cps.create()
    cps.to_csr(enrollment)
    cps.upload(enrollment, cps.issue(enrollment, chain="root").item())
    cps.advance(seconds=60)
    cps.acknowledge(enrollment, "post-verification-warnings", "deny")
    assert enrollment.id not in cps.service.state.enrollments


def test_denial_may_change_nothing(cps: Cps) -> None:
    cps.options.deny_pre_verification = "stay"
    cps.options.deny_change_management = "stay"
    cps.create("shop.example.com")
    enrollment = cps.create("www.example.com", "shop.example.com")
    cps.advance(seconds=30)
    assert cps.acknowledge(enrollment, "pre-verification-warnings", "deny").status == 200
    assert cps.status(enrollment) == "wait-review-pre-verification-safety-checks awaiting-input"
    cps.acknowledge(enrollment, "pre-verification-warnings")
    cps.advance(seconds=60)
    cps.upload(enrollment, cps.issue(enrollment).item())
    cps.to_staging(enrollment)
    assert cps.acknowledge(enrollment, "change-management", "deny").status == 200
    assert cps.status(enrollment) == "wait-ack-change-management awaiting-input"


def test_denied_change_management_cancels_and_takes_back_staging(cps: Cps) -> None:
    enrollment = cps.create()
    cps.deploy(enrollment)
    old = cps.service.live("staging", "www.example.com")
    change = cps.portal.open_renewal(enrollment.id)
    cps.to_csr(enrollment)
    cps.upload(enrollment, cps.issue(enrollment).item())
    cps.to_staging(enrollment)
    assert cps.service.live("staging", "www.example.com") != old
    assert cps.acknowledge(enrollment, "change-management", "deny").status == 200
    assert cps.service.live("staging", "www.example.com") == old
    assert cps.status(enrollment, change).endswith("cancelled")


def test_warnings_are_acknowledged_by_status_and_not_twice(cps: Cps) -> None:
    enrollment = cps.create()
    cps.to_csr(enrollment)
    cps.upload(enrollment, cps.issue(enrollment, chain="root").item())
    assert cps.acknowledge(enrollment, "post-verification-warnings").status == 404
    cps.advance(seconds=60)
    assert cps.status(enrollment) == "wait-review-third-party-cert awaiting-input"
    assert cps.acknowledge(enrollment, "post-verification-warnings").status == 200
    again = cps.acknowledge(enrollment, "post-verification-warnings")
    assert (again.status, again.body["type"].rsplit("/", 1)[1]) == (409, "invalid-enrollment-state")


def test_cancelling_the_first_change_removes_the_enrollment(cps: Cps) -> None:
    enrollment = cps.create()
    path = cps.change_path(enrollment)
    reply = cps.call("DELETE", f"/cps/v2{path}", accept=media("change-id", 1))
    assert (reply.status, reply.body) == (200, {"change": f"/cps/v2{path}"})
    assert cps.call("GET", f"/cps/v2{path}", accept=media("change", 2)).status == 404
    assert cps.get("/enrollments", "enrollments", 11) == {"enrollments": []}


def test_cancelling_may_keep_a_new_enrollment(cps: Cps) -> None:
    cps.options.cancel_never_deployed = "kept"
    enrollment = cps.create()
    cps.portal.cancel_change(enrollment.id)
    assert cps.document(enrollment)["pendingChanges"] == []


def test_cancelling_a_renewal_keeps_what_is_served(cps: Cps) -> None:
    enrollment = cps.create()
    cps.deploy(enrollment)
    change = cps.portal.open_renewal(enrollment.id)
    path = f"/cps/v2/enrollments/{enrollment.id}/changes/{change}"
    assert cps.call("DELETE", path, accept=media("change-id", 1)).status == 200
    assert cps.status(enrollment, change) == "pre-verification-safety-checks cancelled"
    assert cps.call("DELETE", path, accept=media("change-id", 1)).status == 409
    assert cps.service.live("production", "www.example.com") is not None


def test_cancelled_change_stays_where_it_was(cps: Cps) -> None:
    enrollment = cps.create()
    cps.deploy(enrollment)
    change = cps.portal.open_renewal(enrollment.id)
    cps.portal.cancel_change(enrollment.id)
    cps.advance(hours=1)
    assert cps.status(enrollment, change) == "pre-verification-safety-checks cancelled"


def test_cancelled_change_forgets_its_private_keys(cps: Cps) -> None:
    enrollment = cps.create()
    cps.deploy(enrollment)
    cps.portal.open_renewal(enrollment.id)
    cps.to_csr(enrollment)
    change = cps.pending(enrollment)
    cps.portal.cancel_change(enrollment.id)
    assert [key.private_key_pem for key in change.keys] == ["", ""]


def test_change_can_not_be_cancelled_while_production_is_deployed(cps: Cps) -> None:
    enrollment = cps.create(changeManagement=False)
    cps.to_csr(enrollment)
    cps.upload(enrollment, cps.issue(enrollment).item())
    cps.to_staging(enrollment)
    assert cps.status(enrollment) == "deploy-cert-to-production running"
    reply = cps.call("DELETE", f"/cps/v2{cps.change_path(enrollment)}", accept=media("change-id", 1))
    assert (reply.status, reply.body["type"].rsplit("/", 1)[1]) == (409, "cannot-cancel-pending-change")


def test_deploy_date_holds_production_back(cps: Cps) -> None:
    reply = cps.try_create(
        enrollment_body("www.example.com", changeManagement=False),
        "contractId=C-1ABCDEF&deploy-not-before=2026-11-20",
    )
    enrollment = cps.enrollment(int(reply.body["enrollment"].rsplit("/", 1)[1]))
    cps.to_csr(enrollment)
    cps.upload(enrollment, cps.issue(enrollment).item())
    cps.to_staging(enrollment)
    change = cps.get(cps.change_path(enrollment), "change", 2)
    assert change["statusInfo"]["deploymentSchedule"]["notBefore"] == "2026-11-20T00:00:00Z"
    cps.advance(days=3)
    assert cps.service.live("production", "www.example.com") is None
    cps.advance(days=1, hours=1)
    assert cps.service.live("production", "www.example.com") is not None


def test_change_management_and_deploy_date_must_both_be_satisfied(cps: Cps) -> None:
    enrollment = cps.create()
    cps.to_csr(enrollment)
    schedule = {"notBefore": "2026-11-18T00:00:00Z", "notAfter": None}
    assert _schedule(cps, enrollment_path := cps.change_path(enrollment), schedule) == 200
    assert cps.get(f"{enrollment_path}/deployment-schedule", "deployment-schedule", 1) == schedule
    cps.upload(enrollment, cps.issue(enrollment).item())
    cps.to_staging(enrollment)
    cps.advance(days=3)
    assert cps.status(enrollment) == "wait-ack-change-management awaiting-input"
    cps.acknowledge(enrollment, "change-management")
    cps.advance(hours=1)
    assert enrollment.pending is None


def test_deployment_after_the_last_date_is_an_error(cps: Cps) -> None:
    enrollment = cps.create()
    cps.to_csr(enrollment)
    _schedule(cps, cps.change_path(enrollment), {"notBefore": None, "notAfter": "2026-11-17T00:00:00Z"})
    cps.upload(enrollment, cps.issue(enrollment).item())
    cps.to_staging(enrollment)
    cps.advance(days=2)
    cps.acknowledge(enrollment, "change-management")
    info = cps.get(cps.change_path(enrollment), "change", 2)["statusInfo"]
    assert (info["status"], info["state"]) == ("deploy-cert-to-production", "error")
    assert info["error"] == {
        "code": "DEPLOYMENT_WINDOW_PASSED",
        "description": "The last deploy date of this change has passed.",
        "timestamp": "2026-11-18T00:34:30Z",
    }


@pytest.mark.parametrize(
    "schedule",
    [
        {"notBefore": "2026-11-01T00:00:00Z"},
        {"notBefore": "soon"},
        {"notBefore": "2026-12-02T00:00:00Z", "notAfter": "2026-12-01T00:00:00Z"},
        {"from": "2026-12-02T00:00:00Z"},
    ],
    ids=["past", "no date", "ends before it starts", "unknown member"],
)
def test_bad_schedule_is_refused(cps: Cps, schedule: dict[str, str]) -> None:
    enrollment = cps.create()
    assert _schedule(cps, cps.change_path(enrollment), schedule) == 400


def test_status_may_lag_behind_an_input(cps: Cps) -> None:
    cps.options.status_lag_s = 20
    enrollment = cps.create()
    cps.to_csr(enrollment)
    item = cps.issue(enrollment).item()
    assert cps.upload(enrollment, item).status == 200
    assert cps.status(enrollment) == "wait-upload-third-party awaiting-input"
    assert cps.upload(enrollment, item).status == 409
    cps.advance(seconds=20)
    assert cps.status(enrollment) == "verify-third-party-cert running"


def test_list_may_lag_behind_a_write(cps: Cps) -> None:
    cps.options.list_lag_s = 10
    enrollment = cps.create()
    assert cps.get("/enrollments", "enrollments", 11) == {"enrollments": []}
    assert cps.document(enrollment)["csr"]["cn"] == "www.example.com"
    cps.advance(seconds=10)
    assert [each["id"] for each in cps.get("/enrollments", "enrollments", 11)["enrollments"]] == [enrollment.id]


def test_list_of_active_certificates_may_lag_behind_a_deployment(cps: Cps) -> None:
    enrollment = cps.create()
    cps.deploy(enrollment)
    (before,) = cps.get("/active-certificates", "active-certificates", 2)["enrollments"]
    cps.try_update(enrollment, cps.document(enrollment), "?force-renewal=true")
    cps.options.active_lag_s = 7200
    cps.deploy(enrollment)
    (stale,) = cps.get("/active-certificates", "active-certificates", 2)["enrollments"]
    assert (stale["production"], stale["staging"]) == (before["production"], before["staging"])
    cps.advance(seconds=7200)
    (fresh,) = cps.get("/active-certificates", "active-certificates", 2)["enrollments"]
    assert fresh["production"] != before["production"]


def test_review_status_may_have_its_other_name(cps: Cps) -> None:
    cps.options.review_status = "wait-review-cert-warning"
    enrollment = cps.create()
    cps.to_csr(enrollment)
    cps.upload(enrollment, cps.issue(enrollment, chain="root").item())
    cps.advance(seconds=60)
    assert cps.status(enrollment) == "wait-review-cert-warning awaiting-input"


def test_finished_change_stays_readable_or_not(cps: Cps) -> None:
    enrollment = cps.create()
    change = cps.pending(enrollment)
    cps.deploy(enrollment)
    assert cps.status(enrollment, change.id) == "complete completed"
    cps.options.finished_changes = "404"
    path = f"/cps/v2/enrollments/{enrollment.id}/changes/{change.id}"
    assert cps.call("GET", path, accept=media("change", 2)).status == 404


def test_change_of_another_enrollment_is_not_found(cps: Cps) -> None:
    first, second = cps.create("a.example.com"), cps.create("b.example.com")
    path = f"/cps/v2/enrollments/{first.id}/changes/{cps.pending(second).id}"
    assert cps.call("GET", path, accept=media("change", 2)).status == 404


@pytest.mark.parametrize("segment", ["third-party-csr", "pre-verification-warnings", "post-verification-warnings"])
def test_input_that_is_not_ready_is_not_found(cps: Cps, segment: str) -> None:
    enrollment = cps.create()
    name = "csr" if segment == "third-party-csr" else "warnings"
    path = f"/cps/v2{cps.change_path(enrollment)}/input/info/{segment}"
    reply = cps.call("GET", path, accept=media(name, 1))
    assert reply.status == 404
    assert reply.body["title"] == "Not Found"
    assert "detail" not in reply.body


def test_inputs_of_dv_certificates_are_never_waited_for(cps: Cps) -> None:
    enrollment = cps.create()
    path = f"/cps/v2{cps.change_path(enrollment)}/input/info/lets-encrypt-challenges"
    assert cps.call("GET", path, accept=media("dv-challenges", 2)).status == 404
    assert (
        cps.post(
            enrollment,
            "lets-encrypt-challenges-completed",
            media("acknowledgement", 1),
            {"acknowledgement": "acknowledge"},
        ).status
        == 404
    )


def _schedule(cps: Cps, change_path: str, schedule: object) -> int:
    return cps.call(
        "PUT",
        f"/cps/v2{change_path}/deployment-schedule",
        accept=media("change-id", 1),
        content=media("deployment-schedule", 1),
        body=schedule,
    ).status
