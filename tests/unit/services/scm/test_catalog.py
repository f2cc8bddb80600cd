"""Domains, validations, details and password as SCM writes them, in both generations of its API."""

import json
from datetime import UTC, date, datetime
from typing import Any

import pytest

from reconciler.errors import AuthenticationError
from reconciler.model.domain import (
    DcvMethod,
    DcvStatus,
    Delegation,
    OrganizationDetails,
    OrganizationValidation,
    PasswordState,
    PasswordStatus,
    Privilege,
    ValidationLevel,
    ValidationStatus,
)
from reconciler.model.names import DnsName
from reconciler.model.order import OrganizationId
from reconciler.services.decode import BodyError
from reconciler.services.scm import wire_catalog as wire
from tests.support.scripted import Reply, ScriptedServer
from tests.support.service_clients import scm_on

DOMAIN: dict[str, Any] = {
    "id": 409, "name": "Example.com", "delegationStatus": "ACTIVE", "state": "ACTIVE",
    "validationStatus": "VALIDATED", "validationMethod": "CNAME_CSR_HASH", "dcvValidation": "2026-11-06",
    "dcvExpiration": "2027-05-23", "delegations": [{"orgId": 1101, "certTypes": ["SSL", "SMIME"],
    "domainCertificateRequestPrivileges": ["DOMAIN", "WILDCARD_2ND_LEVEL", "LATER"], "status": "ACTIVE"}],
    "ctLogMonitoring": {"enabled": False},
}  # fmt: skip


def body(document: Any) -> bytes:
    return json.dumps(document).encode()


def without(document: dict[str, Any], *members: str) -> bytes:
    return body({name: value for name, value in document.items() if name not in members})


def page(total: int, *rows: tuple[int, str]) -> Reply:
    content = body([{"id": number, "name": name} for number, name in rows])
    return Reply(body=content, headers={"X-Total-Count": str(total)})


def detail(number: int, name: str) -> Reply:
    return Reply(body=body({**DOMAIN, "id": number, "name": name}))


def asked(*names: str) -> frozenset[DnsName]:
    return frozenset(map(DnsName, names))


def test_a_domain_is_read_whole() -> None:
    found = wire.domain(body(DOMAIN))
    assert (found.name, found.active, found.dcv_status) == ("example.com", True, DcvStatus.VALIDATED)
    assert (found.dcv_method, found.dcv_done_on) == (DcvMethod.CNAME, date(2026, 11, 6))
    assert found.dcv_until == date(2027, 5, 23)
    assert found.delegations == (
        Delegation(
            organization_id=OrganizationId(1101),
            active=True,
            ssl=True,
            privileges=frozenset({Privilege.DOMAIN, Privilege.WILDCARD_BELOW}),
        ),
    )


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("VALIDATED", DcvStatus.VALIDATED),
        ("Not validated", DcvStatus.NOT_VALIDATED),
        ("NOT_VALIDATED", DcvStatus.NOT_VALIDATED),
        ("Expired", DcvStatus.EXPIRED),
        ("AWAITING", DcvStatus.UNKNOWN),
        ("", DcvStatus.UNKNOWN),
    ],
)
def test_a_domains_status_is_known_in_both_spellings(text: str, status: DcvStatus) -> None:
    assert wire.domain(body({**DOMAIN, "validationStatus": text})).dcv_status is status


@pytest.mark.parametrize(
    ("text", "method"),
    [
        ("DNSTXT_RANDOM_VALUE", DcvMethod.TXT),
        ("EMAIL", DcvMethod.EMAIL),
        ("HTTP_CSR_HASH", DcvMethod.HTTP),
        ("HTTPS_CSR_HASH", DcvMethod.HTTPS),
        ("CARRIER_PIGEON", None),
    ],
)
def test_a_domains_method_is_known_or_none(text: str, method: DcvMethod | None) -> None:
    assert wire.domain(body({**DOMAIN, "validationMethod": text})).dcv_method is method


def test_validation_members_are_missing_where_the_customer_does_not_validate_ahead() -> None:
    found = wire.domain(without(DOMAIN, "validationStatus", "validationMethod", "dcvValidation", "dcvExpiration"))
    assert (found.dcv_status, found.dcv_method, found.dcv_done_on, found.dcv_until) == (None, None, None, None)


def test_what_a_delegation_leaves_out_is_not_known() -> None:
    (found,) = wire.domain(body({**DOMAIN, "delegations": [{"orgId": 1}]})).delegations
    assert (found.active, found.ssl, found.privileges) == (True, None, None)
    (found,) = wire.domain(
        body({**DOMAIN, "delegations": [{"orgId": 1, "certTypes": [], "status": "REQUESTED"}]})
    ).delegations
    assert (found.active, found.ssl) == (False, False)


def test_a_suspended_domain_is_not_active() -> None:
    assert not wire.domain(body({**DOMAIN, "state": "SUSPENDED"})).active
    assert wire.domain(without(DOMAIN, "state", "delegations")).active


def test_an_international_domain_is_spelt_as_in_certificates() -> None:
    assert wire.domain_rows(body([{"id": 1, "name": "Bücher.example"}])) == {1: "xn--bcher-kva.example"}
    assert wire.domain_rows(body([{"id": 1, "name": "not a name"}])) == {1: "not a name"}


def test_validations_are_those_for_tls_in_both_generations() -> None:
    rows = [
        {"id": 1, "validationLevel": "OV_SSL", "status": "VALIDATED", "expires": "2027-12-09T00:00:00.000Z"},
        {"id": 2, "type": "EV", "status": "Not validated"},
        {"id": 3, "validationLevel": "OV_SMIME", "status": "VALIDATED"},
        {"id": 4, "type": "OV", "status": "SURPRISE", "backgroundStatus": "FAILED"},
    ]
    assert wire.validations(body(rows)) == (
        OrganizationValidation(
            level=ValidationLevel.OV,
            status=ValidationStatus.VALIDATED,
            expires_at=datetime(2027, 12, 9, tzinfo=UTC),
        ),
        OrganizationValidation(level=ValidationLevel.EV, status=ValidationStatus.NOT_VALIDATED, expires_at=None),
        OrganizationValidation(
            level=ValidationLevel.OV,
            status=ValidationStatus.UNKNOWN,
            expires_at=None,
            background=ValidationStatus.FAILED,
        ),
    )


def test_details_keep_nothing_where_scm_has_nothing() -> None:
    found = wire.organization_details(body({"id": 1102, "name": "Web", "city": " ", "country": "GB"}))
    assert found == OrganizationDetails(id=OrganizationId(1102), name="Web", country="GB")


@pytest.mark.parametrize(
    ("document", "state"),
    [
        (
            {"expirationDate": "2026-12-12", "state": "ALIVE"},
            PasswordState(status=PasswordStatus.ALIVE, expires_on=date(2026, 12, 12)),
        ),
        ({"state": "NEVER_EXPIRE"}, PasswordState(status=PasswordStatus.NEVER_EXPIRES)),
        ({"state": "EXPIRED"}, PasswordState(status=PasswordStatus.EXPIRED)),
        ({"state": "ASLEEP"}, PasswordState(status=PasswordStatus.UNKNOWN)),
        ({}, PasswordState(status=PasswordStatus.UNKNOWN)),
    ],
)
def test_a_passwords_state_is_known_or_unknown(document: object, state: PasswordState) -> None:
    assert wire.password_state(body(document)) == state


@pytest.mark.parametrize("document", [[], {"name": 5}, "x", {"id": 1, "name": "a", "dcvExpiration": "soon"}])
def test_another_shape_is_refused(document: object) -> None:
    with pytest.raises(BodyError):
        wire.domain(body(document))


# The calls


def test_one_list_then_one_call_for_each_domain_that_covers_a_name(server: ScriptedServer) -> None:
    server.script(
        page(3, (1, "example.com"), (2, "shop.example.com"), (3, "example.net")),
        detail(1, "example.com"),
        detail(2, "shop.example.com"),
    )
    with scm_on(server) as scm:
        reading = scm.domains(asked("a.example.com", "*.example.com", "a.shop.example.com", "www.example.org"))
    assert [domain.name for domain in reading.values] == ["example.com", "shop.example.com"]
    assert (reading.complete, reading.problems) == (True, ())
    assert [seen.target for seen in server.seen] == [
        "/domain/v1?size=200&position=0",
        "/domain/v1/1",
        "/domain/v1/2",
    ]


def test_every_page_of_the_list_is_read(server: ScriptedServer) -> None:
    server.script(
        page(3, (1, "example.org"), (2, "example.net")), page(3, (3, "example.com")), detail(3, "example.com")
    )
    with scm_on(server) as scm:
        reading = scm.domains(asked("www.example.com"))
    assert [domain.name for domain in reading.values] == ["example.com"]
    assert [seen.query.get("position") for seen in server.seen] == ["0", "2", None]


def test_a_list_that_moved_is_walked_again(server: ScriptedServer) -> None:
    server.script(
        page(2, (1, "example.org")), page(1, (1, "example.org")),  # one was deleted in between
        page(1, (1, "example.org")),
    )  # fmt: skip
    with scm_on(server) as scm:
        assert scm.domains(asked("www.example.com")).complete
    assert len(server.seen) == 3


def test_a_list_that_never_adds_up_is_incomplete(server: ScriptedServer) -> None:
    server.script(page(2, (1, "example.org")), *[page(2)] * 5)
    with scm_on(server) as scm:
        reading = scm.domains(asked("www.example.com"))
    assert not reading.complete
    assert reading.problems == ("scm: the list of domains does not add up: 0 rows of 2.",)


def test_a_list_without_its_count_is_incomplete(server: ScriptedServer) -> None:
    server.script(Reply(body=b"[]"))
    with scm_on(server) as scm:
        assert not scm.domains(asked("www.example.com")).complete


@pytest.mark.parametrize(
    "answer", [Reply(status=500), Reply(body=b"{}"), Reply(status=404, body=body({"code": -727, "description": "no"}))]
)
def test_a_domain_that_cannot_be_read_is_a_gap_and_the_others_stay(server: ScriptedServer, answer: Reply) -> None:
    server.script(page(2, (1, "example.com"), (2, "example.net")), answer, detail(2, "example.net"))
    with scm_on(server) as scm:
        reading = scm.domains(asked("www.example.com", "www.example.net"))
    assert [domain.name for domain in reading.values] == ["example.net"]
    assert not reading.complete
    assert reading.problems[0].startswith("scm: read domain example.com: ")


def test_single_reads_say_what_failed(server: ScriptedServer) -> None:
    server.script(Reply(status=500))
    with scm_on(server) as scm:
        readings = (
            scm.validations(OrganizationId(7)),
            scm.organization_details(OrganizationId(7)),
            scm.password_state(),
            scm.domains(asked("www.example.com")),
        )
    assert [reading.complete for reading in readings] == [False] * 4
    assert [reading.values for reading in readings] == [(), None, None, ()]
    assert [seen.path for seen in server.seen] == [
        "/organization/v2/7/validations",
        "/organization/v1/7",
        "/admin/v1/password",
        "/domain/v1",
    ]


def test_a_login_that_fails_is_no_gap(server: ScriptedServer) -> None:
    refused = Reply(status=401, body=body({"code": -16, "description": "Unknown user"}))
    server.script(page(1, (1, "example.com")), refused)
    with scm_on(server) as scm:
        with pytest.raises(AuthenticationError):
            scm.domains(asked("www.example.com"))
        for read in (scm.organization_details, scm.validations):
            with pytest.raises(AuthenticationError):
                read(OrganizationId(7))
        with pytest.raises(AuthenticationError):
            scm.password_state()


FOUND = Reply(body=body([{"id": 7, "login": "robot-2"}, {"id": 8, "login": "robot"}]))
ORDERS = Reply(body=body([{"name": "sslRequest"}, {"name": "allowDCV"}]))
DCV_ONLY = Reply(body=body([{"name": "allowDCV"}]))


def admin(*privileges: str, role: str = "RAO_SSL") -> Reply:
    return Reply(body=body({"id": 8, "credentials": [{"role": role, "orgId": 1}], "privileges": privileges}))


@pytest.mark.parametrize(
    ("replies", "may_order"),
    [
        ([FOUND, admin("sslRequest")], True),
        ([FOUND, admin("allowDCV"), ORDERS], False),
        ([FOUND, admin("allowDCV"), DCV_ONLY], None),  # an instance where the role decides
        ([FOUND, admin(role="RAO_SMIME")], None),
        ([Reply(body=b"[]")], None),
        ([Reply(status=400, body=body({"code": -25, "description": "You are not authorized"}))], None),
    ],
)
def test_an_admin_may_not_order_only_where_the_privilege_could_be_given(
    server: ScriptedServer, replies: list[Reply], may_order: bool | None
) -> None:
    server.script(*replies)
    with scm_on(server) as scm:
        assert scm.rights().may_write is may_order
    assert [seen.path for seen in server.seen][: len(replies)] == [
        "/admin/v1",
        "/admin/v1/8",
        "/admin/v1/privileges",
    ][: len(replies)]
