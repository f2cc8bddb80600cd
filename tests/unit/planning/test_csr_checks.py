"""The checks before an order: the CSR is what the enrollment asked CPS for."""

from dataclasses import replace
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from reconciler.model.certificate import DesiredCertificate, KeyType, Subject
from reconciler.model.x509 import CsrInfo
from reconciler.planning.csr_checks import check_csr, check_csr_age
from reconciler.planning.findings import errors
from tests.support import certs

KEY = certs.ec_key()
RSA = certs.rsa_key()
SUBJECT = Subject(country="GB", organization="Example Ltd")
DESIRED = certs.desired("www.example.com", "img.example.com")
GOOD = certs.csr("www.example.com", "img.example.com", key=KEY, C="GB", O="Example Ltd")


def said(
    csr: CsrInfo = GOOD,
    desired: DesiredCertificate = DESIRED,
    key_type: KeyType = KeyType.ECDSA,
    *,
    subject: Subject | None = SUBJECT,
    exclude_sans: bool = False,
    previous_keys: frozenset[str] | None = frozenset(),
) -> list[str]:
    found = check_csr(csr, desired, key_type, subject=subject, exclude_sans=exclude_sans, previous_keys=previous_keys)
    return [str(finding) for finding in found]


def test_a_csr_as_planned_passes() -> None:
    assert said() == []


def test_a_csr_of_one_name_may_leave_it_out_of_the_sans() -> None:
    csr = certs.csr(key=KEY, C="GB", O="Example Ltd")
    assert said(csr, certs.desired("www.example.com")) == []


def test_names_may_be_missing_only_where_the_enrollment_excludes_them() -> None:
    csr = certs.csr(key=KEY, C="GB", O="Example Ltd")
    assert said(csr) == ["CSR-01: names are missing in the CSR: img.example.com"]
    assert said(csr, exclude_sans=True) == []


@pytest.mark.parametrize("exclude_sans", [False, True])
def test_a_name_that_the_file_has_not_is_an_error(exclude_sans: bool) -> None:
    csr = certs.csr("www.example.com", "img.example.com", "evil.example.com", key=KEY, C="GB", O="Example Ltd")
    assert said(csr, exclude_sans=exclude_sans) == ["CSR-01: the CSR has names that the file has not: evil.example.com"]


def test_another_common_name_is_an_error() -> None:
    csr = certs.csr("www.example.com", "img.example.com", cn="img.example.com", key=KEY, C="GB", O="Example Ltd")
    assert said(csr) == ["CSR-01: the CSR is for img.example.com, not for www.example.com"]


@pytest.mark.parametrize(
    ("key", "asked", "has"),
    [
        (KEY, KeyType.RSA, "ECDSA-P256"),
        (RSA, KeyType.ECDSA, "RSA-2048"),
        (certs.rsa_key(3072), KeyType.RSA, "RSA-3072"),
        (certs.ec_key(ec.SECP384R1()), KeyType.ECDSA, "ECDSA-P384"),
    ],
)
def test_type_and_size_of_the_key_must_be_those_asked_for(key: certs.Key, asked: KeyType, has: str) -> None:
    csr = certs.csr("www.example.com", "img.example.com", key=key, C="GB", O="Example Ltd")
    assert said(csr, key_type=asked) == [f"CSR-01: the CSR has a {has} key; {asked.spelt} was asked for"]


def test_a_csr_that_its_own_key_did_not_sign_is_an_error() -> None:
    assert said(replace(GOOD, signature_valid=False)) == ["CSR-01: the CSR's signature is not by its own key"]


def test_a_name_that_is_no_dns_name_is_an_error() -> None:
    csr = replace(GOOD, other_names=frozenset({"IPAddress: 192.0.2.1"}))
    assert said(csr) == ["CSR-01: the CSR has names that are no DNS names: IPAddress: 192.0.2.1"]


@pytest.mark.parametrize(
    ("subject", "text"),
    [
        (Subject(country="GB", organization="Other Ltd"), "O of the CSR is Example Ltd; the enrollment has Other Ltd"),
        (Subject(country="GB"), "O of the CSR is Example Ltd; the enrollment has none"),
        (
            Subject(country="GB", organization="Example Ltd", state="Kent"),
            "ST of the CSR is missing; the enrollment has Kent",
        ),
        (
            Subject(country="GB", organization="Example Ltd", locality="Dover"),
            "L of the CSR is missing; the enrollment has Dover",
        ),
        (Subject(country="IE", organization="Example Ltd"), "C of the CSR is GB; the enrollment has IE"),
        (
            Subject(country="GB", organization="Example Ltd", organizational_unit="Web"),
            "OU of the CSR is missing; the enrollment has Web",
        ),
    ],
)
def test_each_part_of_the_subject_is_compared(subject: Subject, text: str) -> None:
    assert said(subject=subject) == [f"CSR-01: {text}"]


def test_an_empty_part_is_a_part_that_is_not_there() -> None:
    assert said(subject=Subject(country="GB", organization="Example Ltd", state="", organizational_unit="")) == []


def test_a_key_that_was_served_before_is_an_error() -> None:
    text = "CSR-02: the CSR has the key of an earlier certificate: a renewal must make a new one"
    assert said(previous_keys=frozenset({GOOD.spki_sha256})) == [text]


def test_what_is_not_known_is_skipped_and_does_not_block() -> None:
    found = check_csr(GOOD, DESIRED, KeyType.ECDSA, subject=None, exclude_sans=False, previous_keys=None)
    assert [(finding.rule, finding.skipped) for finding in found] == [("CSR-01", True), ("CSR-02", True)]
    assert errors(found) == ()


@pytest.mark.parametrize(("age_s", "blocks"), [(0, False), (14 * 86400, False), (14 * 86400 + 1, True)])
def test_a_csr_may_be_as_old_as_the_limit_says(age_s: int, blocks: bool) -> None:
    found = check_csr_age(certs.START, max_age=timedelta(days=14), now=certs.START + timedelta(seconds=age_s))
    assert bool(errors(found)) is blocks


def test_an_unknown_age_is_skipped() -> None:
    (finding,) = check_csr_age(None, max_age=timedelta(days=14), now=certs.START)
    assert finding.skipped
