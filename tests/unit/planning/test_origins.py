"""What a change of files causes, from two plans on one look; and what it releases."""

import dataclasses
from collections.abc import Sequence
from datetime import timedelta

import pytest

from reconciler.model.certificate import CertificateName, DesiredCertificate, EnrollmentId, State
from reconciler.model.enrollment import PendingChange
from reconciler.model.policy import Budgets, Policy
from reconciler.planning.case import Context
from reconciler.planning.compared import Origin
from reconciler.planning.origins import origins, releases
from tests.support.certs import desired
from tests.support.live import EXPIRES, ISSUED, WANTED, before_end, complete, enrollment, look, planned, with_enrollment
from tests.support.looks import CHANGE

NEW = complete(desired("new.example.com"))
MORE = desired("www.example.com", "img.example.com")
LABELLED = dataclasses.replace(WANTED, labels={"team": "web"})


def caused(seen: Context, head: Sequence[DesiredCertificate], base: Sequence[DesiredCertificate]) -> dict[str, Origin]:
    found = origins(planned(seen, *head).standings, planned(seen, *base).standings if base else ())
    return {str(name): origin for name, origin in found.items()}


def test_what_the_base_does_not_have_or_has_otherwise_is_caused_by_the_change() -> None:
    assert caused(look(now=ISSUED), [WANTED, NEW], [WANTED]) == {"new.example.com": Origin.CHANGE}
    assert caused(look(now=ISSUED), [MORE], [WANTED]) == {"www.example.com": Origin.CHANGE}


def test_what_would_be_due_anyway_is_a_renewal_drift_or_in_flight() -> None:
    assert caused(look(now=before_end(days=12)), [WANTED], [WANTED]) == {"www.example.com": Origin.RENEWAL}
    assert caused(look(now=ISSUED), [MORE, NEW], [MORE, NEW]) == {
        "www.example.com": Origin.DRIFT,
        "new.example.com": Origin.DRIFT,
    }
    pending = enrollment(pending=(PendingChange(id=CHANGE, change_type="renewal"),))
    seen = look(now=before_end(days=12), enrollments=[pending])
    assert caused(seen, [WANTED], [WANTED])["www.example.com"] in (Origin.IN_FLIGHT, Origin.DRIFT)


def test_what_is_as_wanted_in_both_has_no_origin_and_a_touched_file_has() -> None:
    assert caused(look(now=ISSUED), [WANTED], [WANTED]) == {}
    assert caused(look(now=ISSUED), [LABELLED], [WANTED]) == {"www.example.com": Origin.CHANGE}


def test_a_renamed_file_changes_nothing() -> None:
    renamed = dataclasses.replace(WANTED, name=CertificateName("web/www"))
    assert caused(look(now=before_end(days=12)), [renamed], [WANTED]) == {"web/www": Origin.RENEWAL}
    assert releases([WANTED], [renamed], look(now=ISSUED)) == ()


def test_a_guard_does_not_change_whose_it_is() -> None:
    seen = look(now=before_end(days=12), policy=Policy(budgets=Budgets(orders=0)))
    assert caused(seen, [WANTED], [WANTED]) == {"www.example.com": Origin.RENEWAL}


def test_a_file_that_is_gone_releases_with_its_expiry() -> None:
    pending = enrollment(pending=(PendingChange(id=CHANGE, change_type="renewal"),))
    (one,) = releases([WANTED], [NEW], look(now=ISSUED, enrollments=[pending]))
    assert (one.desired.name, one.enrollment_id, one.expires_at) == ("www.example.com", pending.id, EXPIRES)
    assert (one.pending, one.looked_at) == (True, True)


def test_another_common_name_in_the_same_file_releases_the_old_one() -> None:
    other = dataclasses.replace(NEW, name=WANTED.name)
    assert [one.desired.common_name for one in releases([WANTED], [other], look(now=ISSUED))] == ["www.example.com"]


def test_a_pin_takes_nothing_away() -> None:
    pinned = with_enrollment(enrollment_id=enrollment().id)
    assert releases([WANTED], [pinned], look(now=ISSUED)) == ()
    assert releases([pinned], [WANTED], look(now=ISSUED)) == ()


def test_of_two_pinned_files_of_one_name_the_removed_one_is_released() -> None:
    second = enrollment(id=EnrollmentId(77))
    first_file = with_enrollment(enrollment_id=enrollment().id)
    second_file = dataclasses.replace(with_enrollment(enrollment_id=second.id), name=CertificateName("second"))
    seen = look(now=ISSUED, enrollments=[enrollment(), second])
    (one,) = releases([first_file, second_file], [first_file], seen)
    assert (one.desired.name, one.enrollment_id, one.expires_at) == ("second", 77, None)


@pytest.mark.parametrize(("state", "count"), [(State.PRESENT, 1), (State.ABSENT, 0)])
def test_what_was_never_made_is_left_without_a_trace(state: State, count: int) -> None:
    found = releases([dataclasses.replace(NEW, state=state)], [WANTED], look(now=ISSUED))
    assert [one.enrollment_id for one in found] == [None] * count


def test_of_an_account_that_nobody_looked_at_no_date_is_told() -> None:
    elsewhere = with_enrollment(account="emea")
    (one,) = releases([elsewhere], [WANTED], look(now=ISSUED + timedelta(days=1)))
    assert (one.looked_at, one.expires_at) == (False, None)
