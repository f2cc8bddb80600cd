"""The oracle that judges every sandbox of the suite sees what is wrong."""

from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from reconciler.sandbox.ca import Authority, CaState, IssuedCertificate, IssueRequest, Kind
from reconciler.sandbox.ids import Ids, IdState
from reconciler.sandbox.keys import KeyMaker
from tests.support.conformance import chain_problem, csr_problem, leaf_problems
from tests.support.csrs import make_csr

NOW = datetime(2026, 11, 16, tzinfo=UTC)


@pytest.fixture
def authority(ca_state: CaState) -> Authority:
    return Authority(ca_state, ids=Ids(IdState(seed=1)), keys=KeyMaker("pooled"))


def issue(authority: Authority, kind: Kind = "DV", name: str = "www.example.com") -> IssuedCertificate:
    request = IssueRequest(csr_pem=make_csr(name), kind=kind, common_name=name, sans=(name,), term_days=199, now=NOW)
    return authority.issue(request)


def test_good_csr_has_no_problem() -> None:
    assert csr_problem(make_csr("www.example.com", "www.example.com")) is None


def test_csr_with_another_signature_is_a_problem() -> None:
    request = x509.load_pem_x509_csr(make_csr("www.example.com").encode())
    der = bytearray(request.public_bytes(Encoding.DER))
    der[-1] ^= 1  # the last byte of the signature
    broken = x509.load_der_x509_csr(bytes(der)).public_bytes(Encoding.PEM).decode()
    assert csr_problem(broken) == "cryptography: the signature is not valid"


def test_good_leaf_and_chain_have_no_problem(authority: Authority) -> None:
    issued = issue(authority)
    assert leaf_problems(issued) == []
    chain = "".join(issued.chain.intermediates)
    assert chain_problem(issued.leaf_pem, chain, authority.public_roots_pem(), NOW) is None


@pytest.mark.nonconforming("a wildcard in EV")
def test_leaf_against_the_rules_is_a_problem(authority: Authority) -> None:
    (problem,) = [text for text in leaf_problems(issue(authority, "EV", "*.example.com")) if "wildcard" in text]
    assert problem.startswith("EV RSA leaf ")


def test_missing_intermediate_is_a_problem(authority: Authority) -> None:
    problem = chain_problem(issue(authority).leaf_pem, "", authority.public_roots_pem(), NOW)
    assert problem is not None
    assert "candidates exhausted" in problem


def test_unknown_root_is_a_problem(authority: Authority) -> None:
    issued = issue(authority)
    assert chain_problem(issued.leaf_pem, issued.chain.issuing, authority.private_root_pem(), NOW) is not None


def test_chain_is_judged_at_its_own_time(authority: Authority) -> None:
    issued = issue(authority)
    later = NOW + timedelta(days=200)
    problem = chain_problem(issued.leaf_pem, issued.chain.issuing, authority.public_roots_pem(), later)
    assert problem is not None
    assert "not valid at validation time" in problem
