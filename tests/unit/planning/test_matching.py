"""Which enrollment belongs to a file."""

import dataclasses
from typing import Any

import pytest

from reconciler.model.certificate import ContractId, EnrollmentId
from reconciler.model.enrollment import Enrollment
from reconciler.planning.indexes import EnrollmentIndex
from reconciler.planning.matching import Absent, Found, InTheWay, Match, match_enrollment
from tests.support.certs import desired
from tests.support.looks import enrollment_for

WANTED = desired()


def match(*enrollments: Enrollment, claimed: tuple[int, ...] = (), **settings: Any) -> Match:
    wanted = dataclasses.replace(WANTED, enrollment=dataclasses.replace(WANTED.enrollment, **settings))
    return match_enrollment(wanted, EnrollmentIndex.of(enrollments), claimed=frozenset(map(EnrollmentId, claimed)))


def live(**fields: Any) -> Enrollment:
    return enrollment_for(WANTED, **fields)


def test_no_enrollment_of_the_name_is_absent() -> None:
    assert match(enrollment_for(desired("other.example.com"))) == Absent()


def test_an_equal_identity_is_found() -> None:
    assert match(live()) == Found(enrollment=live())


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"contract": ContractId("C-OTHER")}, "C-OTHER"),
        ({"secure_network": "standard-tls"}, "standard-tls"),
        ({"sni_only": False}, "not SNI only"),
        ({"third_party": False}, "not third-party"),
    ],
)
def test_a_near_miss_blocks_and_is_never_created_a_second_time(fields: dict[str, Any], said: str) -> None:
    found = match(live(**fields))
    assert isinstance(found, InTheWay)
    assert said in found.why
    assert "allowDuplicateCn" in found.remedy


def test_a_second_enrollment_of_the_name_is_created_on_purpose_only() -> None:
    assert match(live(sni_only=False), allow_duplicate_cn=True) == Absent()


def test_an_enrollment_that_another_file_names_is_not_in_the_way() -> None:
    assert match(live(id=EnrollmentId(7), sni_only=False), claimed=(7,)) == Absent()


def test_several_equal_ones_need_an_id() -> None:
    found = match(live(id=EnrollmentId(8)), live(id=EnrollmentId(7)))
    assert isinstance(found, InTheWay)
    assert "7, 8" in found.why
    assert "enrollmentId" in found.remedy
    assert match(live(id=EnrollmentId(8)), live(id=EnrollmentId(7)), enrollment_id=EnrollmentId(8)) == Found(
        enrollment=live(id=EnrollmentId(8))
    )


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"id": EnrollmentId(9)}, "no enrollment of the account has the id 7"),
        ({"id": EnrollmentId(7), "common_name": "old.example.com"}, "is of old.example.com"),
        ({"id": EnrollmentId(7), "sni_only": False}, "sniOnly (False there, True here)"),
        ({"id": EnrollmentId(7), "third_party": False}, "not third-party"),
    ],
)
def test_an_id_that_does_not_fit_blocks(fields: dict[str, Any], said: str) -> None:
    found = match(live(**fields), enrollment_id=EnrollmentId(7))
    assert isinstance(found, InTheWay)
    assert said in found.why
