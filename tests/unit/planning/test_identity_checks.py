"""ORG-01 and SUBJ-02: the organization whose identity stands in OV and EV certificates."""

from datetime import UTC, datetime, timedelta

import pytest

from reconciler.model.certificate import Subject
from reconciler.model.domain import OrganizationValidation, ValidationLevel, ValidationStatus
from reconciler.model.reading import Reading
from reconciler.planning.identity_checks import identity_findings, subject_findings
from reconciler.planning.profiles import Kind
from reconciler.planning.prospects import Prospect, ScmFacts
from tests.support.prospects import COMPANY, ISSUE_AT, details, facts, prospect, validation

SUBJECT = Subject(country="GB", state="Greater Manchester", locality="Manchester", organization="Example Ltd")
UNREAD = ScmFacts(
    domains=Reading(values=()),
    validations={COMPANY.id: Reading(values=(), complete=False, problems=("scm: no answer.",))},
    details={COMPANY.id: Reading(values=None, complete=False, problems=("scm: no answer.",))},
)


def of_identity(of: Prospect, said: ScmFacts) -> list[str]:
    return [f"{one.finding.severity} {one.finding}" for one in identity_findings(of, said)]


def of_subject(of: Prospect, said: ScmFacts) -> list[str]:
    return [f"{one.finding.severity} {one.finding}" for one in subject_findings(of, said)]


def with_validations(*validations: OrganizationValidation, kind: Kind = Kind.OV) -> list[str]:
    return of_identity(prospect(kind=kind), facts(validations=validations))


@pytest.mark.parametrize(
    ("left", "expected"),
    [
        (timedelta(days=60), []),
        (timedelta(days=60, seconds=-1), ["warning ORG-01: the OV validation of Example Ltd ends on 2027-01-19"]),
        (timedelta(seconds=1), ["warning ORG-01: the OV validation of Example Ltd ends on 2026-11-20"]),
        (
            timedelta(0),
            ["error ORG-01: the OV validation of Example Ltd ends on 2026-11-20; issue is expected on 2026-11-20"],
        ),
    ],
)
def test_an_organization_must_be_valid_at_issue_and_should_for_sixty_days(left: timedelta, expected: list[str]) -> None:
    assert with_validations(validation(expires_at=ISSUE_AT + left)) == expected


@pytest.mark.parametrize("status", [one for one in ValidationStatus if one is not ValidationStatus.VALIDATED])
def test_any_other_status_blocks(status: ValidationStatus) -> None:
    assert with_validations(validation(status=status)) == [
        f"error ORG-01: the OV validation of Example Ltd is {status}"
    ]


def test_an_organization_without_a_validation_of_the_level_blocks() -> None:
    assert with_validations(validation(), kind=Kind.EV) == ["error ORG-01: the EV validation of Example Ltd is missing"]
    assert with_validations(validation(level=ValidationLevel.EV), kind=Kind.EV) == []


def test_the_longest_of_several_validations_counts() -> None:
    soon = validation(expires_at=ISSUE_AT + timedelta(days=1))
    expired = validation(status=ValidationStatus.EXPIRED, expires_at=datetime(2026, 1, 1, tzinfo=UTC))
    assert with_validations(soon, validation(), expired) == []


def test_a_failing_renewal_behind_a_valid_one_is_a_warning() -> None:
    assert with_validations(validation(background=ValidationStatus.FAILED)) == [
        "warning ORG-01: the OV validation of Example Ltd is being renewed, and that has failed"
    ]
    assert with_validations(validation(background=ValidationStatus.PENDING)) == []


def test_a_validation_without_an_end_is_skipped() -> None:
    assert with_validations(validation(expires_at=None)) == [
        "note ORG-01: skipped: SCM does not say until when the OV validation of Example Ltd holds"
    ]


def test_dv_needs_no_organization() -> None:
    assert of_identity(prospect(kind=Kind.DV), facts(validations=())) == []


def test_what_is_not_known_is_skipped() -> None:
    assert of_identity(prospect(kind=None), facts()) == [
        "note ORG-01: skipped: the profile's name does not tell DV, OV or EV"
    ]
    assert of_identity(prospect(), UNREAD) == [
        "note ORG-01: skipped: the validations of Example Ltd could not be read: scm: no answer."
    ]
    assert of_identity(prospect(), ScmFacts(domains=Reading(values=()))) == [
        "note ORG-01: skipped: the validations of Example Ltd could not be read: SCM was not asked"
    ]


def test_a_subject_as_validated_gives_no_finding() -> None:
    assert of_subject(prospect(subject=SUBJECT), facts()) == []
    spaced = Subject(organization="EXAMPLE  ltd", locality="manchester ")  # CPS tells case apart, and we accept it
    assert of_subject(prospect(subject=spaced), facts()) == []


@pytest.mark.parametrize(
    ("subject", "letter", "file", "scm"),
    [
        (Subject(organization="Example Limited"), "O", "Example Limited", "Example Ltd"),
        (Subject(locality="Leeds"), "L", "Leeds", "Manchester"),
        (Subject(state="Lancashire"), "ST", "Lancashire", "Greater Manchester"),
        (Subject(country="DE"), "C", "DE", "GB"),
    ],
)
def test_each_field_that_differs_is_told(subject: Subject, letter: str, file: str, scm: str) -> None:
    assert of_subject(prospect(subject=subject), facts()) == [
        f'warning SUBJ-02: {letter} is "{file}" in the file, "{scm}" in SCM: the CA goes by SCM, and CPS will warn'
    ]


def test_only_what_both_sides_name_is_compared() -> None:
    assert of_subject(prospect(subject=Subject(locality="Leeds")), facts(identity=details(city=None))) == []
    assert of_subject(prospect(subject=None), UNREAD) == []


def test_dv_certificates_have_no_organization_in_their_subject() -> None:
    assert of_subject(prospect(kind=Kind.DV, subject=Subject(organization="Other")), facts()) == []


def test_details_that_were_not_read_are_skipped() -> None:
    assert of_subject(prospect(subject=SUBJECT), UNREAD) == [
        "note SUBJ-02: skipped: organization Example Ltd could not be read: scm: no answer."
    ]
    assert of_subject(prospect(subject=SUBJECT), ScmFacts(domains=Reading(values=()))) == [
        "note SUBJ-02: skipped: organization Example Ltd could not be read: SCM was not asked"
    ]
