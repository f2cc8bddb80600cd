"""CPS's JSON, as recorded and as it may also come, and the values it becomes."""

import json
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from reconciler.model.certificate import (
    AccountName,
    ChangeId,
    ContractId,
    EnrollmentId,
    KeyType,
    MutualAuthentication,
    Subject,
)
from reconciler.model.enrollment import ChangeOpened, ChangeState, Enrollment, InputKind, PendingChange
from reconciler.services.cps import wire, wire_changes
from reconciler.services.decode import BodyError

# akamai-cps 6.1: the shape that was recorded from the service.
RECORDED = json.loads("""
{"id": 190080, "productionSlots": [45013], "stagingSlots": [45013], "assignedSlots": [45013],
 "location": "/cps/v2/enrollments/190080", "ra": "third-party", "validationType": "third-party",
 "certificateType": "third-party", "certificateChainType": "default",
 "networkConfiguration": {"geography": "core", "secureNetwork": "enhanced-tls",
   "mustHaveCiphers": "ak-akamai-2020q1", "preferredCiphers": "ak-akamai-2020q1",
   "disallowedTlsVersions": ["TLSv1", "TLSv1_1"], "sniOnly": true, "quicEnabled": false,
   "dnsNameSettings": {"cloneDnsNames": true, "dnsNames": ["www.example.com", "san1.example.com"]},
   "ocspStapling": "on", "clientMutualAuthentication": null, "fipsMode": null},
 "signatureAlgorithm": null, "changeManagement": true,
 "csr": {"cn": "www.example.com", "c": "US", "st": "MA", "l": "Cambridge", "o": "Example Inc", "ou": null,
   "sans": ["www.example.com", "SAN1.example.com"], "preferredTrustChain": null},
 "org": {"name": "Example Inc", "addressLineOne": "1 Main St", "addressLineTwo": null, "city": "Cambridge",
   "region": "MA", "postalCode": "02142", "country": "US", "phone": "617-555-0111"},
 "adminContact": {"firstName": "R1", "lastName": "D1", "phone": "617-555-0111", "email": "admin@example.com",
   "addressLineOne": null, "title": null},
 "techContact": {"firstName": "R2", "lastName": "D2", "phone": "617-555-0111", "email": "r2d2@akamai.com"},
 "thirdParty": {"excludeSans": false}, "enableMultiStackedCertificates": true,
 "autoRenewalStartTime": "2026-08-01T00:00:00Z",
 "pendingChanges": [{"location": "/cps/v2/enrollments/190080/changes/2041873", "changeType": "renewal"}],
 "maxAllowedSanNames": 100, "maxAllowedWildcardSanNames": 100, "orgId": null}
""")


def parsed(document: dict[str, Any]) -> Enrollment:
    return wire.enrollment(json.dumps(document).encode(), AccountName("main"), ContractId("C-1"))


def changed(path: str, value: Any) -> dict[str, Any]:
    """Return the recorded enrollment with one member, by its dotted path, replaced."""
    document: dict[str, Any] = json.loads(json.dumps(RECORDED))
    *outer, last = path.split(".")
    inner = document
    for name in outer:
        inner = inner[name]
    inner[last] = value
    return document


def without(path: str) -> dict[str, Any]:
    document = changed(path, None)
    *outer, last = path.split(".")
    inner = document
    for name in outer:
        inner = inner[name]
    del inner[last]
    return document


def test_the_recorded_enrollment_is_read() -> None:
    enrollment = parsed(RECORDED)
    assert enrollment.id == 190080
    assert (enrollment.account, enrollment.contract) == ("main", "C-1")
    assert enrollment.third_party
    assert enrollment.common_name == "www.example.com"
    assert enrollment.sans == {"www.example.com", "san1.example.com"}
    assert enrollment.subject == Subject(
        country="US", state="MA", locality="Cambridge", organization="Example Inc", organizational_unit=None
    )
    assert (enrollment.secure_network, enrollment.sni_only, enrollment.geography) == ("enhanced-tls", True, "core")
    assert enrollment.disallowed_tls_versions == {"TLSv1", "TLSv1_1"}
    assert (enrollment.ocsp_stapling, enrollment.clone_dns_names) == ("on", True)
    assert enrollment.client_mutual_authentication is None
    assert enrollment.fips_mode is None
    assert (enrollment.exclude_sans, enrollment.change_management, enrollment.multi_stacked) == (False, True, True)
    assert enrollment.org is not None
    assert (enrollment.org.name, enrollment.org.postal_code) == ("Example Inc", "02142")
    assert enrollment.admin_contact is not None
    assert enrollment.admin_contact.email == "admin@example.com"
    assert enrollment.pending == (PendingChange(id=ChangeId(2041873), change_type="renewal"),)
    assert enrollment.auto_renewal_starts_at == datetime(2026, 8, 1, tzinfo=UTC)
    assert enrollment.production_slots == (45013,)


@pytest.mark.parametrize(
    "document",
    [
        changed("id", "190080"),  # a text, as the definition has it
        without("id"),  # v9 and older
        changed("location", "/cps-api/enrollments/190080"),
    ],
)
def test_the_id_is_found_in_each_form(document: dict[str, Any]) -> None:
    assert parsed(document).id == 190080


@pytest.mark.parametrize(
    ("changes", "pending"),
    [
        (None, ()),
        ([], ()),
        (["/cps-api/enrollments/1/changes/7"], (PendingChange(id=ChangeId(7), change_type=None),)),
        ([{"location": "/cps-api/enrollments/1/changes/7"}], (PendingChange(id=ChangeId(7), change_type=None),)),
    ],
)
def test_pending_changes_are_read_in_each_form(changes: Any, pending: tuple[PendingChange, ...]) -> None:
    assert parsed(changed("pendingChanges", changes)).pending == pending


def test_the_common_name_is_among_the_names_even_if_it_is_not_listed() -> None:
    assert parsed(changed("csr.sans", None)).sans == {"www.example.com"}


def test_an_empty_text_in_the_subject_is_no_value() -> None:
    assert parsed(changed("csr.l", " ")).subject.locality is None


@pytest.mark.parametrize("path", ["ra", "validationType"])
def test_what_is_not_third_party_is_told_apart(path: str) -> None:
    assert not parsed(changed(path, "lets-encrypt")).third_party
    assert not parsed(changed(path, None)).third_party


def test_mutual_authentication_is_read() -> None:
    options = {"sendCaListToClient": True, "ocsp": {"enabled": False}}
    document = changed(
        "networkConfiguration.clientMutualAuthentication", {"setId": "S1", "authenticationOptions": options}
    )
    assert parsed(document).client_mutual_authentication == MutualAuthentication(
        set_id="S1", send_ca_list_to_client=True, ocsp_enabled=False
    )


@pytest.mark.parametrize(
    "document",
    [
        without("csr.cn"),
        without("csr"),
        without("networkConfiguration"),
        without("networkConfiguration.sniOnly"),
        without("networkConfiguration.secureNetwork"),
        changed("csr.sans", {"0": "www.example.com"}),
        changed("pendingChanges", [{"location": "/enrollments/1/changes/none"}]),
        changed("autoRenewalStartTime", "tomorrow"),
        changed("changeManagement", "perhaps"),
        [],
    ],
)
def test_an_enrollment_that_can_not_be_used_is_an_error(document: Any) -> None:
    with pytest.raises(BodyError):
        wire.enrollment(json.dumps(document).encode(), AccountName("main"), None)


@pytest.mark.parametrize(
    ("item", "label"),
    [
        ({"id": 7}, "enrollment 7"),
        ({"id": "7"}, "enrollment 7"),
        ({"location": "/cps/v2/enrollments/7"}, "enrollment /cps/v2/enrollments/7"),
        ({"id": []}, "an item without an id"),
        ([], "an item without an id"),
    ],
)
def test_an_item_that_can_not_be_read_is_named_if_it_can_be(item: Any, label: str) -> None:
    assert wire.label(msgspec.Raw(json.dumps(item).encode())) == label


def active(**networks: Any) -> msgspec.Raw:
    return msgspec.Raw(json.dumps({"id": 10002, "production": None, "staging": None, **networks}).encode())


ECDSA = {
    "serial": "00:ff:36:8c",
    "sha256Fingerprint": "e0:EB:5a",
    "expiry": "2024-10-18T23:59:59Z",
    "issuer": "CN=Example CA,O=Example,C=US",
    "keyAlgorithm": "ECDSA",
    "signatureAlgorithm": "SHA-256",
}
RSA = {**ECDSA, "serial": "0a", "keyAlgorithm": "RSA"}


def test_what_is_served_is_read_by_key_type() -> None:
    number, served = wire.served(
        active(production={"primaryCertificate": ECDSA, "multiStackedCertificates": [RSA], "location": "x"})
    )
    assert number == EnrollmentId(10002)
    assert served.staging == {}
    assert set(served.production) == {KeyType.RSA, KeyType.ECDSA}
    certificate = served.production[KeyType.ECDSA]
    assert (certificate.serial, certificate.sha256) == (0xFF368C, "E0EB5A")
    assert certificate.expires_at == datetime(2024, 10, 18, 23, 59, 59, tzinfo=UTC)
    assert served.production[KeyType.RSA].serial == 0x0A


@pytest.mark.parametrize(
    "network",
    [
        {"primaryCertificate": {**ECDSA, "keyAlgorithm": "ED25519"}},
        {"primaryCertificate": {**ECDSA, "serial": "none"}},
        {"primaryCertificate": {**ECDSA, "expiry": ""}},
        {"primaryCertificate": RSA, "multiStackedCertificates": [RSA]},
    ],
)
def test_what_is_served_and_can_not_be_read_is_an_error(network: Any) -> None:
    with pytest.raises(BodyError):
        wire.served(active(production=network))


def test_nothing_on_a_network_is_no_certificate() -> None:
    _, served = wire.served(active(staging={"primaryCertificate": None, "multiStackedCertificates": None}))
    assert served.staging == {}


def status(state: str, *inputs: str, **info: Any) -> bytes:
    allowed = [{"type": kind, "requiredToProceed": True, "info": "x", "update": "y"} for kind in inputs]
    return json.dumps({"statusInfo": {"state": state, "status": "s", **info}, "allowedInput": allowed}).encode()


@pytest.mark.parametrize(
    ("text", "state"),
    [
        ("new", ChangeState.NEW),
        ("running", ChangeState.RUNNING),
        ("awaiting-input", ChangeState.AWAITING_INPUT),
        ("suspended", ChangeState.SUSPENDED),
        ("cancelled", ChangeState.CANCELLED),
        ("completed", ChangeState.COMPLETED),
        ("error", ChangeState.ERROR),
        ("unknown", ChangeState.UNKNOWN),
        ("pondering", ChangeState.UNKNOWN),
    ],
)
def test_states_are_read_and_a_new_one_is_unknown(text: str, state: ChangeState) -> None:
    assert wire_changes.change(status(text), ChangeId(1)).state is state


def test_inputs_are_those_that_are_known() -> None:
    body = status("awaiting-input", "third-party-certificate", "lets-encrypt-challenges", "change-management")
    assert wire_changes.change(body, ChangeId(1)).inputs == {InputKind.CERTIFICATE, InputKind.CHANGE_MANAGEMENT}


def test_an_error_and_a_schedule_are_read() -> None:
    change = wire_changes.change(
        status(
            "error",
            error={"code": "E1", "description": "went wrong", "timestamp": "2026-01-15T12:00:00Z"},
            deploymentSchedule={"notBefore": "2026-12-01T00:00:00Z", "notAfter": None},
            description="Checking.",
        ),
        ChangeId(4),
    )
    assert (change.id, change.error, change.description) == (4, "E1: went wrong", "Checking.")
    assert change.deploy_not_before == datetime(2026, 12, 1, tzinfo=UTC)


def test_a_status_without_a_state_is_an_error() -> None:
    with pytest.raises(BodyError):
        wire_changes.change(b'{"statusInfo": {"status": "complete"}}', ChangeId(1))


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (b'{"warnings": "[WARNINGS]\\nOne,\\ntwo"}', "[WARNINGS]\nOne,\ntwo"),
        (b'{"warnings": ""}', None),
        (b'{"warnings": null}', None),
    ],
)
def test_warnings_come_as_the_whole_text(body: bytes, text: str | None) -> None:
    assert wire_changes.warnings(body) == text


def test_no_warnings_member_is_not_no_warnings() -> None:
    with pytest.raises(BodyError):
        wire_changes.warnings(b"{}")


def test_change_management_is_read() -> None:
    body = json.dumps(
        {
            "acknowledgementDeadline": "2026-03-01T00:00:00Z",
            "validationResultHash": "da39a3ee",
            "pendingState": {
                "pendingNetworkConfiguration": {"quicEnabled": "false", "sniOnly": "false"},
                "pendingCertificates": [{"fullCertificate": "PEM", "ocspStapled": "false", "ocspUris": None}],
            },
            "validationResult": {"errors": None, "warnings": [{"messageCode": "no-code", "message": "still live"}]},
        }
    ).encode()
    found = wire_changes.change_management(body)
    assert (found.validation_hash, found.errors, found.warnings) == ("da39a3ee", (), ("still live",))
    assert found.deadline == datetime(2026, 3, 1, tzinfo=UTC)
    assert found.pending_pems == ("PEM",)


def test_change_management_without_a_result_is_read() -> None:
    found = wire_changes.change_management(b'{"validationResultHash": "a", "validationResult": null}')
    assert (found.errors, found.warnings, found.pending_pems, found.deadline) == ((), (), (), None)


def test_history_keeps_who_and_which_keys() -> None:
    row = {
        "action": "renew",
        "status": "incomplete",
        "createdBy": "<auto-renewal>",
        "createdOn": "2022-07-18T12:05:41Z",
        "primaryCertificate": {"certificate": None, "csr": "CSR-E", "keyAlgorithm": "ECDSA"},
        "multiStackedCertificates": [{"csr": "CSR-R", "keyAlgorithm": None}],
    }
    bare = {"createdOn": "2022-07-18T12:05:41Z", "primaryCertificate": None}
    first, second = wire_changes.history(json.dumps({"changes": [row, bare]}).encode())
    assert (first.action, first.created_by) == ("renew", "<auto-renewal>")
    assert [(csr.key_type, csr.pem) for csr in first.csrs] == [(KeyType.ECDSA, "CSR-E"), (KeyType.RSA, "CSR-R")]
    assert second.csrs == ()


@pytest.mark.parametrize(
    ("body", "opened"),
    [
        (
            b'{"enrollment":"/cps/v2/enrollments/10002","changes":["/cps/v2/enrollments/10002/changes/10003"]}',
            ChangeOpened(enrollment_id=EnrollmentId(10002), change_id=ChangeId(10003)),
        ),
        (
            b'{"enrollment":"/cps-api/enrollments/10002","changes":[]}',
            ChangeOpened(enrollment_id=EnrollmentId(10002), change_id=None),
        ),
        (
            b'{"enrollment":"/cps/v2/enrollments/10002","changes":["/x/changes/1","/x/changes/2"]}',
            ChangeOpened(enrollment_id=EnrollmentId(10002), change_id=ChangeId(2)),
        ),
    ],
)
def test_the_answer_to_a_create_is_read(body: bytes, opened: ChangeOpened) -> None:
    assert wire_changes.opened(body) == opened


@pytest.mark.parametrize(
    "body", [b"{}", b'{"enrollment":"/cps/v2/enrollments/"}', b'{"enrollment":"/e/1","changes":["/x/changes/-1"]}']
)
def test_an_answer_without_ids_is_an_error(body: bytes) -> None:
    with pytest.raises(BodyError):
        wire_changes.opened(body)


def test_contracts_lose_the_prefix_of_other_services() -> None:
    assert wire_changes.contracts(b'["ctr_C-1ABCDEF", "C-2"]') == {"C-1ABCDEF", "C-2"}


SCOPE = "https://luna.akamaiapis.net/-/scope"


@pytest.mark.parametrize(
    ("scope", "may_write"),
    [
        (f"{SCOPE}/papi/-/READ-WRITE {SCOPE}/cps/-/READ-ONLY", False),
        (f"{SCOPE}/cps/-/read_only", False),
        (f"{SCOPE}/papi/-/READ-ONLY {SCOPE}/cps/-/READ-WRITE", True),
        (f"{SCOPE}/cps/-/READ-ONLY {SCOPE}/cps/-/READ-WRITE", None),
        (f"{SCOPE}/cps/-/SOMETHING", None),
        (f"{SCOPE}/papi/-/READ-ONLY", None),
        ("cps", None),
        ("", None),
    ],
)
def test_a_client_may_only_read_where_its_grants_say_nothing_else(scope: str, may_write: bool | None) -> None:
    found = wire_changes.grants(json.dumps({"name": "robot", "scope": scope}).encode())
    assert (found.who, found.may_write) == ('API client "robot"', may_write)
