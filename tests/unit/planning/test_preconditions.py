"""What an approved action starts from: other live objects make it stale, work of ours that goes on does not."""

import dataclasses
from typing import Any

import pytest

from reconciler.model.certificate import ChangeId, DesiredCertificate, MutualAuthentication, State, Subject
from reconciler.model.digest import settings_digest
from reconciler.model.enrollment import ChangeRecord, ChangeState, Enrollment, PendingChange
from reconciler.planning.observed import ChangeView
from reconciler.planning.ownership import AUTO_RENEWAL
from tests.support.live import (
    ISSUED,
    WANTED,
    complete,
    enrollment,
    look,
    served,
    standing,
    with_enrollment,
)
from tests.support.looks import CHANGE, ENROLLMENT, change

ABSENT = dataclasses.replace(WANTED, state=State.ABSENT)
PENDING = PendingChange(id=CHANGE, change_type="renewal")
COMPLETE = complete().enrollment

# Another value for each field of an enrollment.
SETTINGS: dict[str, Any] = {
    "third_party": False,
    "common_name": "other.example.com",
    "sans": frozenset({"www.example.com", "img.example.com"}),
    "subject": Subject(organization="Other Ltd"),
    "secure_network": "standard-tls",
    "sni_only": False,
    "geography": "china+core",
    "must_have_ciphers": "ak-akamai-2020q2",
    "preferred_ciphers": "ak-akamai-2020q2",
    "disallowed_tls_versions": frozenset({"TLSv1"}),
    "ocsp_stapling": "off",
    "clone_dns_names": False,
    "client_mutual_authentication": MutualAuthentication(set_id="Ee9t9"),
    "fips_mode": True,
    "exclude_sans": True,
    "change_management": False,
    "multi_stacked": False,
    "org": COMPLETE.org,
    "admin_contact": COMPLETE.admin_contact,
    "tech_contact": COMPLETE.tech_contact,
}
NO_SETTINGS: dict[str, Any] = {
    "id": 77,
    "account": "other",
    "contract": "C-OTHER",
    "pending": (PENDING,),
    "auto_renewal_starts_at": ISSUED,
    "production_slots": (7,),
}


def precondition(
    live: Enrollment, wanted: DesiredCertificate = ABSENT, *, serial: int = 0xA1, created_by: str = "ada"
) -> str:
    record = ChangeRecord(action="renew", status="incomplete", created_by=created_by, created_at=ISSUED, csrs=())
    view = ChangeView(change=change(ChangeState.AWAITING_INPUT, "wait-upload-third-party"), record=record)
    seen = look(now=ISSUED, enrollments=[live], live={ENROLLMENT: served(serial)}, view=view)
    action = standing(seen, wanted).action
    assert action is not None
    return action.precondition


def test_every_field_of_an_enrollment_is_a_setting_or_is_known_to_be_none() -> None:
    assert {field.name for field in dataclasses.fields(Enrollment)} == SETTINGS.keys() | NO_SETTINGS.keys()


@pytest.mark.parametrize("field", SETTINGS)
def test_a_setting_counts_whether_files_name_it_or_not(field: str) -> None:
    edited = dataclasses.replace(enrollment(), **{field: SETTINGS[field]})
    assert settings_digest(edited) != settings_digest(enrollment())


@pytest.mark.parametrize("field", NO_SETTINGS)
def test_what_is_under_way_and_when_is_no_setting(field: str) -> None:
    edited = dataclasses.replace(enrollment(), **{field: NO_SETTINGS[field]})
    assert settings_digest(edited) == settings_digest(enrollment())


def test_an_edit_and_another_deployed_certificate_make_an_action_stale() -> None:
    found = {
        precondition(enrollment()),
        precondition(enrollment(geography="china+core")),
        precondition(enrollment(), serial=0xB2),
    }
    assert len(found) == 3


def test_a_renewal_that_cps_opened_by_itself_makes_nothing_stale() -> None:
    assert precondition(enrollment(pending=(PENDING,)), created_by=AUTO_RENEWAL) == precondition(enrollment())


def test_another_foreign_change_does() -> None:
    found = set()
    for number in (CHANGE, ChangeId(CHANGE + 1)):
        pending = enrollment(pending=(dataclasses.replace(PENDING, id=number),))
        found.add(precondition(pending, with_enrollment(cancel_change=number)))
    assert len(found) == 2
