"""Collect: formats and their orders; pending answers by state."""

import itertools
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import pkcs7

from tests.support.csrs import make_csr, make_key
from tests.support.scm import Answer, Scm


def collect(scm: Scm, ssl_id: int, wanted: str) -> Answer:
    answer = scm.get(f"/api/ssl/v1/collect/{ssl_id}?format={wanted}")
    assert answer.status == 200, answer
    return answer


def names(answer: Answer) -> list[str]:
    """Return a letter for each certificate: L leaf, I issuing, R46/E46 by whom signed."""
    return [_letter(certificate) for certificate in x509.load_pem_x509_certificates(answer.body)]


def _letter(certificate: x509.Certificate) -> str:
    subject = certificate.subject.rfc4514_string()
    if "www.example.com" in subject:
        return "leaf"
    if certificate.issuer == certificate.subject:
        return "root"
    return "issuing" if "46" not in subject else "cross"


@pytest.mark.parametrize(
    ("wanted", "order"),
    [
        ("x509", ["root", "issuing", "leaf"]),
        ("pem", ["root", "issuing", "leaf"]),
        ("x509R", ["leaf", "issuing", "root"]),
        ("x509CO", ["leaf"]),
        ("pemco", ["leaf"]),
        ("x509IO", ["root", "issuing"]),
        ("x509IOR", ["issuing", "root"]),
        ("pemia", ["leaf", "issuing"]),
    ],
)
@pytest.mark.parametrize("path", ["/api/ssl/v1/collect/{}?format={}", "/api/ssl/v2/collect/{}/{}"])
def test_each_pem_format_has_its_order(scm: Scm, path: str, wanted: str, order: list[str]) -> None:
    answer = scm.get(path.format(scm.issued(), wanted))
    assert names(answer) == order
    assert answer.headers["content-type"] == "application/octet-stream;charset=UTF-8"
    assert answer.headers["content-disposition"] == 'attachment; filename="www_example_com.cert"'
    assert answer.headers["content-length"] == str(len(answer.body))


@pytest.mark.parametrize("key_type", ["RSA", "EC"])
def test_the_chain_can_go_over_the_cross_certificate(scm: Scm, key_type: str) -> None:
    scm.options.chain_cross = True
    ssl_id = scm.issued(csr=make_csr("www.example.com", key=make_key(key_type)))
    assert names(collect(scm, ssl_id, "x509")) == ["root", "cross", "issuing", "leaf"]
    assert names(collect(scm, ssl_id, "pemia")) == ["leaf", "issuing", "cross"]
    assert names(collect(scm, ssl_id, "x509IOR")) == ["issuing", "cross", "root"]


def test_each_certificate_of_a_chain_is_signed_by_the_next(scm: Scm) -> None:
    scm.options.chain_cross = True
    chain = x509.load_pem_x509_certificates(collect(scm, scm.issued(), "x509R").body)
    for below, above in itertools.pairwise(chain):
        below.verify_directly_issued_by(above)


def test_options_change_chains(scm: Scm) -> None:
    ssl_id = scm.issued()
    scm.options.x509_order = "leaf_first"
    assert names(collect(scm, ssl_id, "x509")) == ["leaf", "issuing", "root"]
    assert names(collect(scm, ssl_id, "x509R")) == ["root", "issuing", "leaf"]
    scm.options.pemia = "all"
    assert names(collect(scm, ssl_id, "pemia")) == ["leaf", "issuing", "root"]
    scm.options.chain_root = False
    assert names(collect(scm, ssl_id, "pemia")) == ["leaf", "issuing"]
    scm.options.chain_cross = True
    scm.options.pemia = "issuer"
    assert names(collect(scm, ssl_id, "pemia")) == ["leaf", "issuing"]


def test_the_root_may_be_in_the_formats_of_the_chain_alone(scm: Scm) -> None:
    ssl_id = scm.issued()
    scm.options.chain_root_formats = "chain-alone"
    assert names(collect(scm, ssl_id, "x509")) == ["issuing", "leaf"]
    assert names(collect(scm, ssl_id, "x509IOR")) == ["issuing", "root"]
    scm.options.chain_root = False
    assert names(collect(scm, ssl_id, "x509IOR")) == ["issuing"]


def test_pkcs7_comes_as_pem_by_default_and_as_der(scm: Scm) -> None:
    ssl_id = scm.issued()
    default = scm.get(f"/api/ssl/v1/collect/{ssl_id}")
    assert default.body.startswith(b"-----BEGIN PKCS7-----")
    assert default.body == collect(scm, ssl_id, "base64").body
    der = pkcs7.load_der_pkcs7_certificates(collect(scm, ssl_id, "bin").body)
    pem = pkcs7.load_pem_pkcs7_certificates(default.body)
    assert {_letter(certificate) for certificate in pem} == {"leaf", "issuing", "root"}
    assert set(pem) == set(der)


def test_private_certificates_come_with_the_private_root(scm: Scm) -> None:
    ssl_id = scm.issued(certType=2031, term=30)
    scm.options.chain_cross = True
    chain = collect(scm, ssl_id, "x509IOR").body.decode()
    assert chain.endswith(scm.authority.private_root_pem())
    assert names(collect(scm, ssl_id, "x509R")) == ["leaf", "issuing", "root"]


@pytest.mark.parametrize("wanted", ["pkcs12", "X509", "x509co", "key"])
def test_an_unknown_format_is_refused_even_before_issue(scm: Scm, wanted: str) -> None:
    answer = scm.get(f"/api/ssl/v1/collect/{scm.enroll()}?format={wanted}")
    assert answer.refusal == (400, -1450)


def test_before_issue_the_answer_depends_on_the_state(scm: Scm) -> None:
    waiting = scm.enroll(certType=2022)
    going = scm.enroll()
    assert scm.get(f"/api/ssl/v1/collect/{waiting}?format=x509CO").json == {
        "code": -23,
        "description": "The certificate hasn't been approved yet!",
    }
    for _ in range(2):
        answer = scm.get(f"/api/ssl/v1/collect/{going}?format=x509CO")
        assert answer.refusal == (400, 0)
        assert answer.json["description"] == "Being processed by Sectigo"
        scm.advance(seconds=2)


@pytest.mark.parametrize(("deed", "state"), [("decline", "Declined"), ("invalidate", "Invalid")])
def test_an_ended_order_is_not_pending(scm: Scm, deed: str, state: str) -> None:
    ssl_id = scm.enroll(certType=2022)
    getattr(scm.portal, deed)(ssl_id)
    answer = scm.get(f"/api/ssl/v1/collect/{ssl_id}")
    assert answer.refusal == (400, -1112)
    assert answer.json["description"].endswith(f"state = {state}")


@pytest.mark.parametrize("code", ["0", "-23", "-103", "-109", "-183", "-1400"])
def test_the_pending_code_is_an_option(scm: Scm, code: Any) -> None:
    scm.options.pending_code = code
    assert scm.get(f"/api/ssl/v1/collect/{scm.enroll()}").refusal == (400, int(code))


def test_pending_can_be_an_empty_200(scm: Scm) -> None:
    scm.options.pending_code = "empty"
    answer = scm.get(f"/api/ssl/v1/collect/{scm.enroll()}")
    assert (answer.status, answer.body) == (200, b"")


def test_an_issued_certificate_can_still_lag(scm: Scm) -> None:
    scm.options.collect_lag_s = 120
    ssl_id = scm.enroll()
    scm.advance(seconds=62)
    assert scm.details(ssl_id)["status"] == "Issued"
    assert scm.get(f"/api/ssl/v1/collect/{ssl_id}").refusal == (400, -109)
    scm.advance(seconds=120)
    assert scm.get(f"/api/ssl/v1/collect/{ssl_id}").status == 200


def test_revoked_is_final_and_expired_is_not(scm: Scm) -> None:
    revoked, expired = scm.issued(), scm.issued("www.example.com")
    scm.portal.revoke(revoked)
    assert scm.get(f"/api/ssl/v1/collect/{revoked}").refusal == (400, -110)
    scm.advance(days=200)
    assert scm.details(expired)["status"] == "Expired"
    assert names(collect(scm, expired, "x509CO")) == ["leaf"]


def test_the_path_form_can_be_missing_on_newer_hosts(scm: Scm) -> None:
    scm.options.path_collect = "v1_header"
    ssl_id = scm.issued()
    bearer = {"Authorization": f"Bearer {scm.token()}"}
    assert scm.get(f"/api/ssl/v1/collect/{ssl_id}/x509").status == 200
    assert scm.get(f"/api/ssl/v2/collect/{ssl_id}/x509").status == 404
    assert scm.get(f"/api/ssl/v1/collect/{ssl_id}/x509", headers=bearer, admin_host=True).status == 404
    assert scm.get(f"/api/ssl/v1/collect/{ssl_id}?format=x509", headers=bearer, admin_host=True).status == 200


def test_a_download_is_noted(scm: Scm) -> None:
    ssl_id = scm.issued()
    collect(scm, ssl_id, "x509CO")
    (row,) = scm.post("/api/report/v1/ssl-certificates", {}).json["reports"]
    assert row["downloaded"] == "2026-11-16T09:40:00.000Z"


def test_wildcards_have_a_file_name(scm: Scm) -> None:
    ssl_id = scm.issued("*.example.com")
    assert "star_example_com" in collect(scm, ssl_id, "x509CO").headers["content-disposition"]
