"""Creating, updating, deleting: what is taken, what is refused, what follows."""

from typing import Any

import pytest

from reconciler.sandbox.cps.state import Enrollment
from tests.support.enrollments import enrollment_body
from tests.unit.sandbox.cps.harness import CONTRACT, Cps, Reply, media


def slug(reply: Reply) -> str:
    text: str = reply.body["type"]
    return text.rsplit("/", 1)[1]


def changed(path: str, value: object, body: dict[str, Any] | None = None) -> dict[str, Any]:
    """Return a body whose member at a dotted path is another one; `...` takes it away."""
    body = body or enrollment_body("www.example.com", "shop.example.com")
    *parents, last = path.split(".")
    holder = body
    for parent in parents:
        holder = holder[parent]
    if value is ...:
        del holder[last]
    else:
        holder[last] = value
    return body


def test_create_answers_with_both_paths(cps: Cps) -> None:
    reply = cps.try_create(enrollment_body("www.example.com"))
    assert reply.status == 202
    assert reply.headers["content-type"] == media("enrollment-status", 1)
    assert reply.body == {
        "enrollment": "/cps/v2/enrollments/190001",
        "changes": ["/cps/v2/enrollments/190001/changes/2041001"],
    }
    assert "location" not in reply.headers


def test_location_header_is_an_option(cps: Cps) -> None:
    cps.options.location_header = "present"
    assert cps.try_create(enrollment_body("www.example.com")).headers["location"] == "/cps/v2/enrollments/190001"


def test_server_fills_in_what_was_left_open(cps: Cps) -> None:
    body = enrollment_body("www.example.com")
    body["csr"]["sans"] = ["shop.example.com"]
    body["networkConfiguration"] |= {
        "mustHaveCiphers": None,
        "preferredCiphers": None,
        "disallowedTlsVersions": None,
        "ocspStapling": None,
    }
    reply = cps.try_create(body)
    document = cps.document(cps.enrollment(int(reply.body["enrollment"].rsplit("/", 1)[1])))
    assert document["csr"]["sans"] == ["www.example.com", "shop.example.com"]
    network = document["networkConfiguration"]
    assert network["dnsNameSettings"] == {
        "cloneDnsNames": True,
        "dnsNames": ["www.example.com", "shop.example.com"],
    }
    assert (network["mustHaveCiphers"], network["ocspStapling"]) == ("ak-akamai-default", "not-set")
    assert network["disallowedTlsVersions"] == []
    assert document["signatureAlgorithm"] is None
    assert document["pendingChanges"] == [
        {"location": "/cps/v2/enrollments/190001/changes/2041001", "changeType": "new-certificate"}
    ]
    assert (document["id"], document["maxAllowedSanNames"], document["assignedSlots"]) == (190001, 100, [])


def test_read_back_form_is_an_option(cps: Cps) -> None:
    cps.options.id_type = "string"
    cps.options.location_prefix = "/cps-api"
    cps.options.signature_algorithm_echo = "as-sent"
    document = cps.document(cps.create())
    assert (document["id"], document["location"]) == ("190001", "/cps-api/enrollments/190001")
    assert document["signatureAlgorithm"] == "SHA-256"
    assert document["pendingChanges"][0]["location"] == "/cps-api/enrollments/190001/changes/2041001"


REFUSED = {
    "unknown member": ("note", "x", "Object contains unknown field `note`"),
    "unknown member below": ("csr.note", "x", "Object contains unknown field `note` - at `$.csr`"),
    "missing member": ("changeManagement", ..., "Object missing required field `changeManagement`"),
    "text for a flag": ("changeManagement", "true", "Expected `bool`, got `str` - at `$.changeManagement`"),
    "bad value": (
        "networkConfiguration.geography",
        "moon",
        "Invalid enum value 'moon' - at `$.networkConfiguration.geography`",
    ),
    "member of a later version": (
        "networkConfiguration.fipsMode",
        True,
        "Object contains unknown field `fipsMode` - at `$.networkConfiguration`",
    ),
    "no thirdParty": ("thirdParty", None, "Third party enrollments need thirdParty."),
    "preferred trust chain": (
        "csr.preferredTrustChain",
        "dst-root-ca-x3",
        "preferredTrustChain is for enrollments with validationType dv only.",
    ),
    "long common name": ("csr.cn", f"{'a' * 53}.example.com", "The common name must have 1 to 64 characters."),
    "bad name": ("csr.sans", ["shop_.example.com", "sh op.example.com"], "Invalid DNS name [sh op.example.com]."),
    "wildcard within": ("csr.sans", ["www.*.example.com"], "Invalid DNS name [www.*.example.com]."),
    "101 names": (
        "csr.sans",
        [f"a{number}.example.com" for number in range(100)],
        "The enrollment has 101 names and that exceeds the maximum of 100.",
    ),
    "country": ("csr.c", "gb", "The country [gb] is not a two-letter code."),
    "cipher profile": ("networkConfiguration.mustHaveCiphers", "best", "Unknown cipher profile [best]."),
    "no TLS version left": (
        "networkConfiguration.disallowedTlsVersions",
        ["TLSv1", "TLSv1_1", "TLSv1_2", "TLSv1_3"],
        "At least one TLS version must be allowed.",
    ),
    "DNS names without SNI": ("networkConfiguration.sniOnly", False, "dnsNameSettings are for SNI-only enrollments."),
    "strange DNS name": (
        "networkConfiguration.dnsNameSettings",
        {"cloneDnsNames": False, "dnsNames": ["www.example.com", "other.example.com"]},
        "The DNS names [other.example.com] are not among the SANs.",
    ),
    "no organization": ("org", None, "org is required."),
    "no contact": ("adminContact", None, "adminContact is required."),
    "blank contact": ("adminContact.lastName", "", "adminContact.lastName must not be blank."),
    "phone with letters": ("techContact.phone", "call me 1", "techContact.phone [call me 1] is not a phone number."),
    "technical contact elsewhere": (
        "techContact.email",
        "a@example.com",
        "The technical contact must be at Akamai, not [a@example.com].",
    ),
    "organization by id and in full": (
        "orgId",
        12,
        "With orgId, org, adminContact and techContact must be null.",
    ),
    "long text": ("org.city", "x" * 256, "org.city is longer than 255 characters."),
    "client mutual authentication": (
        "networkConfiguration.clientMutualAuthentication",
        {"setId": "1"},
        "Invalid network configuration - Create enrollment request contains client mutual authentication configuration",
    ),
}


@pytest.mark.parametrize(("path", "value", "detail"), REFUSED.values(), ids=REFUSED)
def test_body_that_breaks_a_rule_is_refused(cps: Cps, path: str, value: object, detail: str) -> None:
    reply = cps.try_create(changed(path, value))
    assert (reply.status, reply.body["detail"]) == (400, detail)
    assert slug(reply) == "invalid-enrollment"
    assert cps.service.state.enrollments == {}


def test_bad_chain_type_has_a_type_of_its_own(cps: Cps) -> None:
    reply = cps.try_create(changed("certificateChainType", "short"))
    assert (reply.status, slug(reply)) == (400, "invalid-certificate-chain-type")
    assert reply.body["instance"].startswith(reply.body["type"] + "?id=")


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff"])
def test_body_that_is_no_object_is_refused(cps: Cps, body: bytes) -> None:
    reply = cps.call(
        "POST",
        f"/cps/v2/enrollments?contractId={CONTRACT}",
        accept=media("enrollment-status", 1),
        content=media("enrollment", 11),
        body=body,
    )
    assert reply.status == 400


def test_other_kinds_of_enrollments_are_not_in_the_sandbox(cps: Cps) -> None:
    body = enrollment_body("www.example.com", ra="lets-encrypt", validationType="dv", certificateType="san")
    reply = cps.try_create(body)
    assert (reply.status, reply.body["detail"]) == (501, "The sandbox knows third-party enrollments only.")


def test_what_cps_has_and_the_sandbox_has_not_is_a_loud_501(cps: Cps) -> None:
    assert cps.call("GET", "/cps/v2/trust-chains/lets-encrypt").status == 501
    assert cps.call("HEAD", "/cps/v2/enrollments").status == 501


@pytest.mark.parametrize(
    ("query", "detail"),
    [
        ("", "The query parameter contractId is required."),
        (
            "contractId=C-1ABCDEF&allow-duplicate-cn=yes",
            "The query parameter allow-duplicate-cn must be true or false, not [yes].",
        ),
        ("contractId=C-1ABCDEF&deploy-not-before=soon", "[soon] is not a date (deploy-not-before)."),
        ("contractId=C-1ABCDEF&deploy-not-after=2026-01-01", "The deploy date (not after) must be in the future."),
    ],
)
def test_bad_query_is_refused(cps: Cps, query: str, detail: str) -> None:
    reply = cps.try_create(enrollment_body("www.example.com"), query)
    assert (reply.status, reply.body["detail"]) == (400, detail)


def test_contract_of_others_is_refused_in_the_recorded_words(cps: Cps) -> None:
    reply = cps.try_create(enrollment_body("www.example.com"), "contractId=ctr_C-1ABCDEF")
    assert (reply.status, reply.body["title"]) == (
        400,
        "ApiError(type=Forbidden, title=Invalid Contract, detail=The current contract does not belong to ACG list., "
        "source=Contract ID: ctr_C-1ABCDEF)",
    )


def test_common_name_in_use_needs_the_permission(cps: Cps) -> None:
    cps.create("www.example.com")
    body = enrollment_body("WWW.example.com")
    assert cps.try_create(body).status == 409
    assert cps.try_create(body, f"contractId={CONTRACT}&allow-duplicate-cn=true").status == 202


def test_create_limit_counts_by_account_or_contract(cps: Cps) -> None:
    cps.options.create_limit = "per-account"
    cps.create("a.example.com")
    assert cps.try_create(enrollment_body("b.example.com"), "contractId=C-2GHIJKL").status == 409
    cps.options.create_limit = "per-contract"
    cps.create("c.example.com")
    assert cps.try_create(enrollment_body("d.example.com"), "contractId=C-2GHIJKL").status == 202
    cps.advance(seconds=300)
    assert cps.try_create(enrollment_body("e.example.com")).status == 202


# Update.


@pytest.fixture
def deployed(cps: Cps) -> Enrollment:
    """Return an enrollment that is in production."""
    enrollment = cps.create("www.example.com", "shop.example.com")
    cps.deploy(enrollment)
    return enrollment


def edited(cps: Cps, enrollment: Enrollment, path: str, value: object) -> dict[str, Any]:
    return changed(path, value, cps.document(enrollment))


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("adminContact.email", "new@example.com"),
        ("org.city", "Leeds"),
        ("changeManagement", False),
        ("enableMultiStackedCertificates", False),
    ],
)
def test_what_needs_no_certificate_is_stored_at_once(cps: Cps, deployed: Enrollment, path: str, value: object) -> None:
    body = edited(cps, deployed, path, value)
    reply = cps.try_update(deployed, body)
    assert (reply.status, reply.body) == (200, {"enrollment": f"/cps/v2/enrollments/{deployed.id}", "changes": []})
    assert cps.document(deployed) == body


def test_what_was_read_may_be_put_back_and_changes_nothing(cps: Cps, deployed: Enrollment) -> None:
    for version in (7, 9, 10, 11, 12):
        before = cps.document(deployed, version)
        reply = cps.try_update(deployed, before, version=version)
        assert (reply.status, reply.body["changes"]) == (200, [])
        assert cps.document(deployed, version) == before


def test_body_of_an_old_version_resets_what_it_can_not_say(cps: Cps, deployed: Enrollment) -> None:
    assert cps.try_update(deployed, cps.document(deployed, 4), version=4).status == 202
    assert cps.document(deployed)["networkConfiguration"]["ocspStapling"] == "not-set"


@pytest.mark.parametrize(
    ("path", "value", "change_type", "action"),
    [
        ("csr.sans", ["www.example.com", "api.example.com"], "modify-san", "modify-san"),
        ("csr.o", "Example Limited", "modify-certificate", "renew"),
        ("thirdParty.excludeSans", True, "modify-certificate", "renew"),
        (
            "networkConfiguration.disallowedTlsVersions",
            ["TLSv1"],
            "modify-certificate",
            "update-network-configuration",
        ),
    ],
)
def test_change_follows_from_what_differs(
    cps: Cps, deployed: Enrollment, path: str, value: object, change_type: str, action: str
) -> None:
    reply = cps.try_update(deployed, edited(cps, deployed, path, value))
    assert reply.status == 202
    location = reply.body["changes"][0]
    assert cps.document(deployed)["pendingChanges"] == [{"location": location, "changeType": change_type}]
    newest = cps.get(f"/enrollments/{deployed.id}/history/changes", "change-history", 5)["changes"][0]
    assert (newest["action"], newest["status"], newest["createdBy"]) == (action, "incomplete", "certrecon")


def test_order_of_names_and_their_case_mean_nothing(cps: Cps, deployed: Enrollment) -> None:
    body = edited(cps, deployed, "csr.sans", ["SHOP.example.com", "www.example.com"])
    assert cps.try_update(deployed, body).status == 200


def test_network_settings_are_redeployed_without_a_certificate(cps: Cps, deployed: Enrollment) -> None:
    served = cps.service.live("production", "www.example.com")
    cps.try_update(deployed, edited(cps, deployed, "networkConfiguration.ocspStapling", "off"))
    assert cps.status(deployed) == "create-slot-files running"
    cps.advance(seconds=120)
    assert cps.status(deployed) == "deploy-changes-to-staging running"
    cps.advance(minutes=30)
    cps.acknowledge(deployed, "change-management")
    cps.advance(hours=1)
    production = cps.get(f"/enrollments/{deployed.id}/deployments/production", "deployment", 8)
    assert production["networkConfiguration"]["ocspStapling"] == "off"
    assert cps.service.live("production", "www.example.com") == served


def test_staging_may_be_bypassed_for_settings(cps: Cps, deployed: Enrollment) -> None:
    body = edited(cps, deployed, "networkConfiguration.ocspStapling", "off")
    cps.try_update(deployed, body, "?allow-staging-bypass=true")
    cps.advance(seconds=120)
    assert cps.status(deployed) == "deploy-cert-to-production running"


def test_network_settings_may_ask_for_a_new_certificate(cps: Cps, deployed: Enrollment) -> None:
    cps.options.network_update = "renew"
    cps.try_update(deployed, edited(cps, deployed, "networkConfiguration.ocspStapling", "off"))
    assert cps.document(deployed)["pendingChanges"][0]["changeType"] == "renewal"


IMMUTABLE = [
    ("csr.cn", "shop.example.com", "csr.cn", "www.example.com", "shop.example.com"),
    (
        "networkConfiguration.secureNetwork",
        "standard-tls",
        "networkConfiguration.secureNetwork",
        "enhanced-tls",
        "standard-tls",
    ),
]


@pytest.mark.parametrize(("path", "value", "name", "old", "new"), IMMUTABLE)
def test_fixed_field_can_not_be_changed(
    cps: Cps, deployed: Enrollment, path: str, value: str, name: str, old: str, new: str
) -> None:
    reply = cps.try_update(deployed, edited(cps, deployed, path, value))
    assert (reply.status, slug(reply)) == (400, "invalid-enrollment")
    assert reply.body["detail"] == f"The field {name} cannot be changed: it is [{old}], not [{new}]."


def test_sni_only_can_not_be_changed(cps: Cps, deployed: Enrollment) -> None:
    cps.options.immutable_field_status = "409"
    cps.options.immutable_field_slug = "unchangeable"
    body = edited(cps, deployed, "networkConfiguration.sniOnly", False)
    body["networkConfiguration"]["dnsNameSettings"] = None
    reply = cps.try_update(deployed, body)
    assert (reply.status, slug(reply)) == (409, "unchangeable")


def test_forced_renewal_makes_new_keys(cps: Cps, deployed: Enrollment) -> None:
    first = cps.service.state.changes[deployed.change_ids[0]].keys[0].csr_pem
    reply = cps.try_update(deployed, cps.document(deployed), "?force-renewal=true")
    assert reply.status == 202
    cps.to_csr(deployed)
    assert cps.csrs(deployed)["RSA"] != first
    assert cps.document(deployed)["pendingChanges"][0]["changeType"] == "renewal"


def test_keys_may_be_used_again(cps: Cps, deployed: Enrollment) -> None:
    cps.options.key_reuse = "reused"
    key = cps.service.state.changes[deployed.change_ids[0]].keys[0].private_key_pem
    cps.try_update(deployed, cps.document(deployed), "?force-renewal=true")
    cps.to_csr(deployed)
    assert cps.pending(deployed).keys[0].private_key_pem == key


def test_pending_change_stands_in_the_way_unless_it_may_be_cancelled(cps: Cps, deployed: Enrollment) -> None:
    body = cps.document(deployed)
    cps.try_update(deployed, body, "?force-renewal=true")
    first = cps.pending(deployed).id
    refused = cps.try_update(deployed, body, "?force-renewal=true")
    assert (refused.status, slug(refused)) == (409, "cannot-cancel-pending-change")
    assert refused.body["title"] == "Cannot cancel pending change."
    assert refused.body["detail"] == "There is a pending change on the enrollment."
    taken = cps.try_update(deployed, body, "?force-renewal=true&allow-cancel-pending-changes=true")
    assert taken.status == 202
    assert cps.pending(deployed).id != first
    assert cps.status(deployed, first).endswith("cancelled")


def test_new_enrollment_survives_a_put_that_replaces_its_change(cps: Cps) -> None:
    enrollment = cps.create()
    body = edited(cps, enrollment, "networkConfiguration.clientMutualAuthentication", {"setId": "Custom_CPS-6134b"})
    reply = cps.try_update(enrollment, body, "?allow-cancel-pending-changes=true")
    assert reply.status == 202
    network = cps.document(enrollment)["networkConfiguration"]
    assert network["clientMutualAuthentication"]["setId"] == "Custom_CPS-6134b"
    assert cps.document(enrollment)["pendingChanges"][0]["changeType"] == "new-certificate"


def test_replaced_changes_may_still_be_listed(cps: Cps) -> None:
    cps.options.pending_changes = "several"
    enrollment = cps.create()
    first = cps.pending(enrollment).id
    cps.try_update(enrollment, cps.document(enrollment), "?allow-cancel-pending-changes=true")
    locations = [each["location"] for each in cps.document(enrollment)["pendingChanges"]]
    path = f"/cps/v2/enrollments/{enrollment.id}/changes"
    assert locations == [f"{path}/{first}", f"{path}/{cps.pending(enrollment).id}"]


@pytest.mark.parametrize(("option", "status"), [("409", 409), ("500", 500)])
def test_put_in_mid_deployment_is_refused(cps: Cps, option: str, status: int) -> None:
    cps.sandbox.options.set("update_mid_deployment", option)
    enrollment = cps.create()
    cps.to_csr(enrollment)
    cps.upload(enrollment, cps.issue(enrollment).item())
    cps.advance(seconds=60)
    reply = cps.try_update(enrollment, cps.document(enrollment), "?allow-cancel-pending-changes=true")
    assert reply.status == status


@pytest.mark.parametrize(("option", "organization"), [("keep", "Example Limited"), ("revert", "Example Ltd")])
def test_body_after_cancelling_is_an_option(cps: Cps, deployed: Enrollment, option: str, organization: str) -> None:
    cps.sandbox.options.set("body_after_cancel", option)
    cps.try_update(deployed, edited(cps, deployed, "csr.o", "Example Limited"))
    cps.portal.cancel_change(deployed.id)
    assert cps.document(deployed)["csr"]["o"] == organization


def test_unchanged_put_may_name_what_is_pending(cps: Cps, deployed: Enrollment) -> None:
    cps.options.unchanged_update = "pending"
    assert cps.try_update(deployed, cps.document(deployed)).body["changes"] == []


def test_missing_algorithm_is_added_to_what_is_served(cps: Cps, deployed: Enrollment) -> None:
    old = cps.service.live("production", "www.example.com")
    reply = cps.try_update(deployed, cps.document(deployed), "?allow-missing-certificate-addition=true")
    assert reply.status == 202
    cps.to_csr(deployed)
    assert list(cps.csrs(deployed)) == ["ECDSA"]
    cps.upload(deployed, cps.issue(deployed, "ECDSA").item())
    cps.to_staging(deployed)
    cps.acknowledge(deployed, "change-management")
    cps.advance(hours=1)
    new = cps.service.live("production", "www.example.com")
    assert old is not None
    assert new is not None
    assert [each.algorithm for each in new.certificates] == ["ECDSA", "RSA"]
    assert new.certificates[1] == old.certificates[0]


# Delete.


def delete(cps: Cps, enrollment: Enrollment, query: str = "") -> Reply:
    return cps.call("DELETE", f"/cps/v2/enrollments/{enrollment.id}{query}", accept=media("enrollment-status", 1))


def test_enrollment_that_was_never_deployed_goes_at_once(cps: Cps) -> None:
    enrollment = cps.create()
    assert delete(cps, enrollment).status == 409
    reply = delete(cps, enrollment, "?allow-cancel-pending-changes=true")
    assert (reply.status, reply.body["changes"]) == (200, [])
    assert cps.service.state.enrollments == {}
    assert cps.service.state.changes == {}


def test_deployed_enrollment_goes_by_a_change(cps: Cps, deployed: Enrollment) -> None:
    reply = delete(cps, deployed)
    assert reply.status == 202
    seen = []
    for _ in range(3):
        seen.append(cps.status(deployed))
        cps.advance(minutes=10)
    assert seen == ["abandon-slots-action running", "deprovision-cert running", "delete-csr running"]
    assert cps.call("GET", f"/cps/v2/enrollments/{deployed.id}", accept=media("enrollment", 11)).status == 404
    assert cps.service.live("production", "www.example.com") is None


def test_removal_may_be_scheduled(cps: Cps, deployed: Enrollment) -> None:
    assert delete(cps, deployed, "?deploy-not-before=2026-11-20").status == 202
    cps.advance(days=2)
    assert deployed.id in cps.service.state.enrollments
    cps.advance(days=2)
    assert deployed.id not in cps.service.state.enrollments


def test_live_names_may_stand_in_the_way_of_a_removal(cps: Cps, deployed: Enrollment) -> None:
    cps.options.delete_deployed = "refused-live"
    reply = delete(cps, deployed)
    assert (reply.status, slug(reply)) == (409, "certificate-live-on-network")
    assert reply.body["title"] == "Cannot deprovision certificate(s). Certificate(s) are still live."
    assert reply.body["detail"] == (
        "All Domains Inactive failure. Live certificates found on network: [shop.example.com, www.example.com]"
    )


def test_removal_can_not_be_replaced(cps: Cps, deployed: Enrollment) -> None:
    delete(cps, deployed)
    body = cps.document(deployed)
    assert delete(cps, deployed, "?allow-cancel-pending-changes=true").status == 409
    assert cps.try_update(deployed, body, "?allow-cancel-pending-changes=true").status == 409


# Lists.


def test_list_shows_every_enrollment_in_full(cps: Cps) -> None:
    first, second = cps.create("a.example.com"), cps.create("b.example.com")
    listed = cps.get("/enrollments", "enrollments", 12)
    assert listed == {"enrollments": [cps.document(first, 12), cps.document(second, 12)]}


def test_list_is_of_one_contract_if_one_is_named(cps: Cps) -> None:
    cps.create("a.example.com")
    cps.try_create(enrollment_body("b.example.com"), "contractId=C-2GHIJKL")
    listed = cps.get("/enrollments?contractId=C-2GHIJKL", "enrollments", 11)["enrollments"]
    assert [each["csr"]["cn"] for each in listed] == ["b.example.com"]
    reply = cps.call("GET", "/cps/v2/enrollments?contractId=C-9", accept=media("enrollments", 11))
    assert reply.status == 400


def test_list_may_need_a_contract(cps: Cps) -> None:
    cps.options.contract_on_list = "required"
    assert cps.call("GET", "/cps/v2/enrollments", accept=media("enrollments", 11)).status == 400
