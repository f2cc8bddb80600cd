"""Until when validations can be used, with the cuts that are still to come."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from reconciler.model.certificate import IssuerClass
from reconciler.model.domain import DcvStatus, ValidationLevel, ValidationStatus
from reconciler.planning.profiles import Kind
from reconciler.planning.validations import Subject, ValidationEnd, last_usable_day, validation_ends
from tests.support.prospects import domain, facts, prospect, validation

TODAY = date(2026, 11, 20)


@pytest.mark.parametrize(
    ("done", "shown", "last"),
    [
        # Two days of margin; SCM's own date counts where it is earlier.
        (date(2026, 11, 6), date(2027, 2, 1), date(2027, 1, 30)),
        # 198 days would end on 2027-05-23; but on 2027-03-15 only 100 days count, and they are over.
        (date(2026, 11, 6), date(2027, 5, 23), date(2027, 3, 14)),
        # 100 days from 2027-03-10 end on 2027-06-18, less the margin.
        (date(2027, 3, 10), date(2027, 9, 24), date(2027, 6, 16)),
        (None, date(2027, 5, 23), date(2027, 5, 21)),
        (None, None, None),
    ],
)
def test_the_last_day_is_the_earliest_of_date_limit_and_cut(
    done: date | None, shown: date | None, last: date | None
) -> None:
    assert last_usable_day(domain(dcv_done_on=done, dcv_until=shown), TODAY) == last


def ends(*prospects: Any, **told: Any) -> list[ValidationEnd]:
    found = told.pop("domains", (domain(),))
    return list(validation_ends(prospects, {prospects[0].desired.order.instance: facts(*found, **told)}, TODAY))


def test_each_domain_and_organization_is_told_once_with_all_that_depend_on_it() -> None:
    first, second = ends(
        prospect("www.example.com"), prospect("*.example.com", kind=Kind.DV), prospect("a.example.com")
    )
    assert (first.subject, first.name, first.until) == (Subject.DOMAIN, "example.com", date(2027, 3, 14))
    assert first.certificates == ("*.example.com", "a.example.com", "www.example.com")
    assert (second.subject, second.level, second.until) == (
        Subject.ORGANIZATION,
        ValidationLevel.OV,
        date(2027, 12, 9),
    )
    assert second.certificates == ("a.example.com", "www.example.com")


def test_what_is_not_valid_has_no_end_and_comes_first() -> None:
    expired = domain("example.net", dcv_status=DcvStatus.EXPIRED)
    first, *_ = ends(prospect("www.example.com", "www.example.net"), domains=(domain(), expired))
    assert (first.name, first.until, first.state) == ("example.net", None, "expired")


def test_of_two_validations_of_an_organization_the_later_counts() -> None:
    told = (validation(), validation(expires_at=datetime(2028, 1, 1, tzinfo=UTC)))
    pending = validation(status=ValidationStatus.PENDING, expires_at=datetime(2029, 1, 1, tzinfo=UTC))
    _, organization = ends(prospect(), validations=(*told, pending))
    assert (organization.until, organization.state) == (date(2028, 1, 1), "pending, validated")


def test_private_certificates_are_not_validated() -> None:
    assert ends(prospect(issuer=IssuerClass.PRIVATE)) == []


def test_a_name_below_no_known_domain_is_left_to_the_plan() -> None:
    assert [one.subject for one in ends(prospect("www.example.org"))] == [Subject.ORGANIZATION]
