"""Enroll: what makes an order, and each refusal in its place."""

import base64
import json
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from reconciler.sandbox.scm.state import CustomField, CustomValue
from tests.support.csrs import make_csr, make_key
from tests.support.scm import Scm

ENROLL = "/api/ssl/v1/enroll"


def ed25519_csr() -> str:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "www.example.com")])
    builder = x509.CertificateSigningRequestBuilder().subject_name(name)
    return builder.sign(ed25519.Ed25519PrivateKey.generate(), None).public_bytes(Encoding.PEM).decode()


def refusal(scm: Scm, **members: object) -> tuple[int, int]:
    return scm.post(ENROLL, scm.form(**members)).refusal  # type: ignore[arg-type]


@pytest.mark.parametrize("path", [ENROLL, ENROLL + "/", "/api/ssl/v2/enroll"])
def test_an_order_gets_an_id_and_a_renew_id(scm: Scm, path: str) -> None:
    answer = scm.post(path, scm.form())
    assert answer.status == 200
    assert set(answer.json) == {"sslId", "renewId"}
    assert len(answer.json["renewId"]) == 20
    assert b'"sslId" : 5001' in answer.body
    assert scm.gate.mutating_calls["scm.enroll"] == 1


def test_an_order_keeps_what_was_sent(scm: Scm) -> None:
    ssl_id = scm.enroll(
        subjAltNames="WWW.example.com, b.example.com,a.example.net",
        comments="tag-1",
        externalRequester="a@example.com, b@example.com",
        customFields=[{"name": "CostCenter", "value": "42"}],
    )
    order = scm.order(ssl_id)
    assert order.common_name == "www.example.com"
    assert order.sans == ["www.example.com", "b.example.com", "a.example.net"]
    assert (order.comments, order.external_requester) == ("tag-1", "a@example.com, b@example.com")
    assert order.custom_fields == [CustomValue(name="CostCenter", value="42")]
    assert (order.requested, order.requester) == (scm.clock.now(), "api-admin@example.com")


def test_a_body_of_an_older_client_still_works(scm: Scm) -> None:
    assert scm.post(ENROLL, scm.form(numberServers=1, serverType=-1, optionalFields=[], dcvMode="CNAME")).status == 200


def test_a_csr_may_come_without_header_or_with_the_old_one(scm: Scm) -> None:
    pem = make_csr("www.example.com")
    bare = "".join(pem.splitlines()[1:-1])
    old = pem.replace("CERTIFICATE REQUEST", "NEW CERTIFICATE REQUEST")
    assert [scm.post(ENROLL, scm.form(csr=text)).status for text in (bare, old, pem.strip())] == [200, 200, 200]


@pytest.mark.parametrize("body", [b'""', b"[]", b"{", b"", b"\xff", b"[" * 100_000])
def test_a_body_that_is_no_object_cannot_be_parsed(scm: Scm, body: bytes) -> None:
    answer = scm.post(ENROLL, body)
    assert answer.json == {"code": -1002, "description": "Cannot parse message body"}
    assert answer.status == 400


@pytest.mark.parametrize(
    ("member", "value", "code"),
    [
        ("subjAltNames", ["www.example.com"], -1002),
        ("orgId", "x", -1002),
        ("orgId", True, -1002),
        ("comments", {}, -1002),
        ("customFields", "x", -1002),
        ("orgId", 0, -1601),
        ("orgId", None, -1001),
        ("csr", None, -1001),
        ("csr", "äöü", -1601),
        ("csr", "", -1601),
        ("csr", "A" * 32768, -1601),
        ("comments", "x" * 1025, -1601),
        ("externalRequester", "no address", -1601),
        ("externalRequester", "a@example.com," + "x" * 500 + "@example.com", -1601),
        ("customFields", [{"name": "", "value": "x"}], -1601),
        ("customFields", [{"name": "CostCenter", "value": "x" * 257}], -1601),
        ("customFields", [{"name": "CostCenter"}], -1001),
        ("dcvMode", "PIGEON", -1601),
        ("term", 0, -1601),
        ("orgId", 9999, -1023),
        ("certType", None, -39),
        ("certType", 9999, -111),
        ("term", None, -36),
        ("term", 365, -36),
        ("csr", "A===", -9),
        ("csr", "AAAA", -10),
        ("customFields", [{"name": "Nope", "value": "x"}], -135),
        ("subjAltNames", "a..example.com", -732),
        ("subjAltNames", "a_b.example.com", -732),
        ("subjAltNames", "bücher.example.com", -732),
        ("comments", "half a character: \ud800", -1002),
        ("term", 2**31, -1002),
        ("certType", 10**30, -1002),
        ("csr", ed25519_csr(), -11),
        ("subjAltNames", "www.example.edu", -1010),
        ("subjAltNames", "unvalidated-example.com", -1137),
    ],
)
def test_each_wrong_member_has_its_code(scm: Scm, member: str, value: object, code: int) -> None:
    body = {name: kept for name, kept in {**scm.form(), member: value}.items() if kept is not None}
    assert scm.post(ENROLL, body).refusal == (400, code)
    assert scm.state.orders == {}


def test_the_description_names_the_domain(scm: Scm) -> None:
    answer = scm.post(ENROLL, scm.form(subjAltNames="www.example.edu"))
    assert answer.json["description"] == "Domain 'www.example.edu' is not allowed."


def test_an_empty_external_requester_and_no_custom_fields_are_fine(scm: Scm) -> None:
    assert scm.post(ENROLL, scm.form(externalRequester="", customFields=[], subjAltNames="")).status == 200


def test_a_number_in_quotes_is_a_number(scm: Scm) -> None:
    assert scm.post(ENROLL, scm.form(orgId="1101", term="199")).status == 200


FAULTS_IN_ORDER: list[tuple[dict[str, Any], int]] = [
    ({"comments": "x" * 1025}, -1601),
    ({"orgId": 9999}, -1023),
    ({"certType": 9999}, -111),
    ({"term": 365}, -36),
    ({"csr": "AAAA"}, -10),
    ({"customFields": [{"name": "Nope", "value": "x"}]}, -135),
    ({"subjAltNames": "www.example.edu"}, -1010),
]


@pytest.mark.parametrize("first", range(len(FAULTS_IN_ORDER)))
def test_of_several_faults_the_earlier_check_answers(scm: Scm, first: int) -> None:
    members = {name: value for fault, _ in FAULTS_IN_ORDER[first:] for name, value in fault.items()}
    assert scm.post(ENROLL, {**scm.form(), **members}).refusal == (400, FAULTS_IN_ORDER[first][1])


def test_an_organization_without_api_cannot_order(scm: Scm) -> None:
    scm.state.organizations[1101].api_enabled = False
    assert refusal(scm) == (400, -1021)


def test_a_profile_of_another_organization_is_invalid(scm: Scm) -> None:
    scm.state.profiles[2002].organizations = [1201]
    assert refusal(scm) == (400, -39)
    assert scm.post(ENROLL, scm.form(orgId=1201)).status == 200


def test_a_csr_of_another_signer_is_invalid(scm: Scm) -> None:
    der = bytearray(base64.b64decode("".join(make_csr("www.example.com").splitlines()[1:-1])))
    der[-1] ^= 1
    assert refusal(scm, csr=base64.b64encode(der).decode()) == (400, -138)


def test_a_csr_without_common_name_is_invalid(scm: Scm) -> None:
    nameless = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([])).sign(make_key(), hashes.SHA256())
    assert refusal(scm, csr=nameless.public_bytes(Encoding.PEM).decode()) == (400, -138)


def test_small_odd_and_unwanted_keys_are_refused(scm: Scm) -> None:
    small = rsa.generate_private_key(65537, 1024)
    assert scm.post(ENROLL, scm.form(csr=make_csr("www.example.com", key=small))).json["description"] == (
        "The public key size in the CSR should be 2048 bits minimum."
    )
    large_curve = ec.generate_private_key(ec.SECP521R1())
    assert refusal(scm, csr=make_csr("www.example.com", key=large_curve)) == (400, -13)
    elliptic = make_csr("www.example.com", key=make_key("EC"))
    assert scm.post(ENROLL, scm.form(csr=elliptic)).status == 200
    scm.state.profiles[2002].key_types = {"RSA": ["2048"]}
    assert refusal(scm, csr=elliptic) == (400, -11)
    scm.options.ecc_allowed = False
    assert refusal(scm, csr=elliptic) == (400, -170)


def test_mandatory_fields_are_asked_for(scm: Scm) -> None:
    scm.state.custom_fields.append(CustomField(id=55, name="Owner", mandatory=True))
    assert refusal(scm) == (400, -62)
    assert refusal(scm, customFields=[{"name": "Owner", "value": ""}]) == (400, -62)
    assert scm.post(ENROLL, scm.form(customFields=[{"name": "Owner", "value": "me"}])).status == 200
    scm.options.external_requester_mandatory = True
    answer = scm.post(ENROLL, scm.form(customFields=[{"name": "Owner", "value": "me"}]))
    assert answer.json == {"code": -139, "description": "External Requester is required."}


def test_a_single_name_profile_takes_one_name(scm: Scm) -> None:
    assert refusal(scm, certType=2001, subjAltNames="b.example.com") == (400, -39)
    assert scm.post(ENROLL, scm.form(certType=2001, subjAltNames="www.example.com")).status == 200


@pytest.mark.parametrize("profile", [2001, 2011, 2021, 2022])
def test_profiles_without_wildcards_refuse_them(scm: Scm, profile: int) -> None:
    assert refusal(scm, certType=profile, csr=make_csr("*.example.com")) == (400, -39)


@pytest.mark.parametrize("profile", [2002, 2003, 2012, 2013, 2031])
def test_profiles_with_wildcards_take_them(scm: Scm, profile: int) -> None:
    term = 30 if profile == 2031 else 199
    form = scm.form(certType=profile, term=term, csr=make_csr("*.example.com"), subjAltNames="*.example.com")
    assert scm.post(ENROLL, form).status == 200


@pytest.mark.parametrize(
    ("name", "privilege"),
    [
        ("example.com", "DOMAIN"),
        ("www.example.com", "SUBDOMAIN"),
        ("*.example.com", "WILDCARD_1ST_LEVEL"),
        ("*.eu.example.com", "WILDCARD_2ND_LEVEL"),
    ],
)
def test_each_kind_of_name_needs_its_privilege(scm: Scm, name: str, privilege: str) -> None:
    (delegation,) = (d for d in scm.portal.domain("example.com").delegations if d.org_id == 1101)
    delegation.privileges.remove(privilege)
    assert refusal(scm, csr=make_csr(name)) == (400, -738)
    delegation.privileges = [privilege]
    assert scm.post(ENROLL, scm.form(csr=make_csr(name))).status == 200


def test_domains_must_be_active_and_delegated(scm: Scm) -> None:
    scm.portal.suspend_domain("example.com")
    assert refusal(scm) == (400, -715)
    scm.portal.activate_domain("example.com")
    scm.portal.domain("example.com").delegations[0].status = "REQUESTED"
    assert refusal(scm) == (400, -738)
    scm.options.not_delegated_code = "-1010"
    assert refusal(scm) == (400, -1010)
    scm.options.unknown_domain_code = "-727"
    assert refusal(scm, csr=make_csr("www.example.edu")) == (400, -727)


def test_the_longest_domain_decides(scm: Scm) -> None:
    body = {"name": "shop.example.com", "delegations": [{"orgId": 1101}]}
    assert scm.post("/api/domain/v1", body).status == 201
    assert refusal(scm, csr=make_csr("www.shop.example.com")) == (400, -1137)
    assert scm.post(ENROLL, scm.form(csr=make_csr("myshop.example.com"))).status == 200


@pytest.mark.parametrize("code", ["-1137", "-107", "-737"])
def test_all_domains_without_validation_are_listed(scm: Scm, code: Any) -> None:
    scm.options.not_validated_code = code
    scm.portal.expire_domain("example.net")
    form = scm.form(subjAltNames="a.example.net,b.example.net,unvalidated-example.com")
    answer = scm.post(ENROLL, form)
    assert answer.refusal == (400, int(code))
    assert "example.net, unvalidated-example.com" in answer.json["description"]


def test_private_orders_need_no_public_domain(scm: Scm) -> None:
    form = scm.form(certType=2031, term=365, orgId=1103, csr=make_csr("db.corp.internal"))
    assert scm.post(ENROLL, form).status == 200


def test_ov_and_ev_need_a_validated_organization(scm: Scm) -> None:
    assert scm.post(ENROLL, scm.form(certType=2022, orgId=1102)).status == 200
    answer = scm.post(ENROLL, scm.form(certType=2022, orgId=1201))
    assert answer.refusal == (400, -843)
    assert "'NOT_VALIDATED'" in answer.json["description"]
    scm.portal.expire_organization("Example GmbH")
    assert "'EXPIRED'" in scm.post(ENROLL, scm.form(certType=2012, orgId=1201)).json["description"]
    scm.portal.validate_organization(1201)
    assert scm.post(ENROLL, scm.form(certType=2012, orgId=1201)).status == 200


def test_an_anchor_certificate_can_be_asked_for(scm: Scm) -> None:
    scm.options.ev_anchor = True
    assert refusal(scm, certType=2022) == (400, -181)


def test_the_customer_can_be_barred_and_limited(scm: Scm) -> None:
    scm.options.max_certificates = 1
    scm.issued()
    assert refusal(scm) == (400, -188)
    scm.options.orders_restricted = True
    assert scm.post(ENROLL, scm.form()).json == {
        "code": -993,
        "description": "Certificate orders currently restricted",
    }


def test_the_same_csr_makes_a_second_order_unless_the_option_refuses(scm: Scm) -> None:
    form = scm.form()
    first, second = scm.post(ENROLL, form).json, scm.post(ENROLL, form).json
    assert first["sslId"] != second["sslId"]
    scm.options.duplicate_csr = "refuse"
    assert scm.post(ENROLL, form).refusal == (400, -138)


def test_names_of_the_csr_are_ignored_unless_the_option_merges(scm: Scm) -> None:
    csr = make_csr("www.example.com", "www.example.com", "b.example.com")
    assert scm.order(scm.enroll(csr=csr)).sans == []
    scm.options.csr_sans = "merge"
    assert scm.order(scm.enroll(csr=csr, subjAltNames="c.example.com")).sans == [
        "c.example.com",
        "www.example.com",
        "b.example.com",
    ]


def test_names_as_a_list_are_an_option(scm: Scm) -> None:
    scm.options.sans_as_list = "accept"
    assert scm.order(scm.enroll(subjAltNames=["b.example.com"])).sans == ["b.example.com"]


def test_a_term_too_long_can_be_cut(scm: Scm) -> None:
    scm.options.over_long_term = "cut"
    assert scm.order(scm.enroll(term=365)).term == 199
    assert refusal(scm, term=90) == (400, -36)
    assert refusal(scm, certType=2031, term=730) == (400, -36)


def test_without_pre_validation_an_order_names_its_dcv(scm: Scm) -> None:
    scm.options.pre_validation = False
    answer = scm.post(ENROLL, scm.form())
    assert answer.json == {"code": -7, "description": "dcvMode is required but missing."}
    assert refusal(scm, dcvMode="EMAIL") == (400, -7)
    assert scm.post(ENROLL, scm.form(dcvMode="EMAIL", dcvEmail="admin@example.com")).status == 200


def test_answers_are_printed_as_the_vendor_prints_them(scm: Scm) -> None:
    answer = scm.post(ENROLL, scm.form())
    assert answer.headers["content-type"] == "application/json;charset=UTF-8"
    assert answer.body.decode() == json.dumps(answer.json, indent=2, separators=(",", " : "))
