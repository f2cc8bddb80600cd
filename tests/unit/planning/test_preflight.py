"""What a plan's orders have to fear, each and together; and who shares the cause."""

from datetime import UTC, date, datetime

import pytest

from reconciler.model.certificate import EnrollmentId, InstanceName, IssuerClass, Subject
from reconciler.model.domain import DcvMethod, DcvStatus, PasswordState, PasswordStatus
from reconciler.model.order import Organization, OrganizationId, Profile, ProfileId
from reconciler.model.reading import Reading
from reconciler.planning.ordering import OrderTerms
from reconciler.planning.preflight import Shared, password_finding, preflight, preflight_fleet, repeated_names
from reconciler.planning.profiles import Kind
from reconciler.planning.prospects import Needs, ScmFacts, needs
from reconciler.planning.prospects import prospect as prospect_of
from tests.support import certs, looks
from tests.support.prospects import COMPANY, ISSUE_AT, WEB, domain, facts, prospect, validation

ENTERPRISE = InstanceName("enterprise")
TODAY = date(2026, 11, 20)


def rules(of: object) -> list[str]:
    assert isinstance(of, tuple)
    return [f"{one.severity} {one.rule}" for one in of]


def told(shared: Shared | None) -> tuple[str, tuple[str, ...]] | None:
    return None if shared is None else (str(shared.finding), shared.certificates)


# Prospects


@pytest.mark.parametrize(
    ("organization", "entity"),
    [(COMPANY, COMPANY), (WEB, COMPANY), (Organization(id=OrganizationId(9), name="Web", parent="Gone"), None)],
)
def test_the_identity_of_a_department_is_its_parents(organization: Organization, entity: Organization | None) -> None:
    other = Organization(id=OrganizationId(1300), name="Example Ltd", parent="Another")  # a department of that name
    profile = Profile(id=ProfileId(1), name="OV Multi-Domain", terms_days=frozenset({199}), key_types={})
    terms = OrderTerms(organization_id=organization.id, profile=profile, term_days=199)
    made = prospect_of(certs.desired(), terms, (other, COMPANY, WEB, organization), issue_at=ISSUE_AT)
    assert (made.organization, made.entity, made.kind) == (organization, entity or organization, Kind.OV)


def test_an_order_is_planned_for_its_due_date_or_its_issue_whichever_is_later() -> None:
    assert prospect().planned_on == TODAY
    assert prospect(due_at=datetime(2026, 11, 1, tzinfo=UTC)).planned_on == TODAY
    assert prospect(due_at=datetime(2026, 12, 1, tzinfo=UTC)).planned_on == date(2026, 12, 1)


def test_only_what_the_checks_use_is_asked_for() -> None:
    subject = Subject(organization="Example Ltd")
    wanted = (
        prospect("a.example.com", "*.example.net", subject=subject, organization=WEB),
        prospect("dv.example.com", kind=Kind.DV, subject=subject),
        prospect("plain.example.com", kind=Kind.EV),
        prospect("vague.example.com", kind=None),
        prospect("private.example.org", issuer=IssuerClass.PRIVATE, kind=Kind.PRIVATE, subject=subject),
    )
    assert needs(wanted) == {
        ENTERPRISE: Needs(
            names=looks.names(
                "a.example.com", "*.example.net", "dv.example.com", "plain.example.com", "vague.example.com"
            ),
            validations=frozenset({COMPANY.id}),
            details=frozenset({COMPANY.id}),
        )
    }
    assert needs(wanted[-1:]) == {}
    assert needs(wanted[1:2])[ENTERPRISE].validations == frozenset()


# One order


def test_an_order_in_order_gives_no_finding() -> None:
    assert preflight(prospect(subject=Subject(organization="Example Ltd")), facts()) == ()


def test_all_that_is_wrong_is_told_at_once() -> None:
    said = facts(domain(active=False, dcv_status=DcvStatus.EXPIRED), validations=())
    of = prospect("www.example.com", "www.example.org", subject=Subject(locality="Leeds"))
    assert rules(preflight(of, said)) == [
        "error DOM-01",  # example.org is unknown
        "error DOM-01",  # example.com is suspended
        "error DCV-01",
        "error ORG-01",
        "warning SUBJ-02",
    ]


def test_private_issuers_validate_nothing() -> None:
    nothing = ScmFacts(domains=Reading(values=()))
    assert preflight(prospect(issuer=IssuerClass.PRIVATE, kind=Kind.PRIVATE), nothing) == ()


# All orders of a plan


def test_a_warning_that_several_share_is_told_once_with_their_names() -> None:
    wanted = [prospect("b.example.com"), prospect("a.example.com"), prospect("www.example.net")]
    said = facts(domain(dcv_method=DcvMethod.EMAIL), domain("example.net"))
    found = preflight_fleet(wanted, {ENTERPRISE: said})
    assert set(found.by_certificate) == {"a.example.com", "b.example.com", "www.example.net"}
    assert not any(found.by_certificate.values())
    assert [told(one) for one in found.shared] == [
        (
            "DEP-01: domain example.com is validated by e-mail: no machine can repeat it, and it ends on 2028-03-15; "
            "2 certificates depend on it",
            ("a.example.com", "b.example.com"),
        )
    ]


def test_an_error_that_several_share_blocks_each_and_is_told_once_as_one_problem() -> None:
    wanted = [prospect("a.example.com"), prospect("b.example.com")]
    found = preflight_fleet(wanted, {ENTERPRISE: facts(validations=())})
    assert {name: rules(findings) for name, findings in found.by_certificate.items()} == {
        "a.example.com": ["error ORG-01"],
        "b.example.com": ["error ORG-01"],
    }
    assert [told(one) for one in found.shared] == [
        ("DEP-01: the OV validation of Example Ltd is missing; 2 certificates depend on it",
         ("a.example.com", "b.example.com"))
    ]  # fmt: skip


def test_a_cause_of_one_certificate_stays_with_it() -> None:
    found = preflight_fleet([prospect()], {ENTERPRISE: facts(domain(dcv_method=DcvMethod.EMAIL))})
    assert rules(found.by_certificate[prospect().desired.name]) == ["warning DCV-02"]
    assert found.shared == ()


def test_one_end_that_means_different_things_is_one_cause() -> None:
    """The same last day is late for one certificate and close for another."""
    late = prospect("a.example.com", issue_at=datetime(2026, 12, 20, tzinfo=UTC))
    close = prospect("b.example.com")
    said = facts(domain(dcv_until=date(2026, 11, 26)))
    found = preflight_fleet([late, close], {ENTERPRISE: said})
    assert [rules(findings) for findings in found.by_certificate.values()] == [["error DCV-01"], []]
    assert [told(one) for one in found.shared] == [
        ("DEP-01: the validation of domain example.com can be used until 2026-11-24; 2 certificates depend on it",
         ("a.example.com", "b.example.com"))
    ]  # fmt: skip


def test_findings_without_a_common_cause_are_never_merged() -> None:
    wanted = [prospect(name, subject=Subject(locality="Leeds")) for name in ("a.example.com", "b.example.com")]
    found = preflight_fleet(wanted, {ENTERPRISE: facts()})
    assert [rules(findings) for findings in found.by_certificate.values()] == [["warning SUBJ-02"]] * 2
    assert found.shared == ()


def test_each_instance_is_judged_by_what_it_said_itself() -> None:
    private = prospect("p.example.org", issuer=IssuerClass.PRIVATE, kind=Kind.PRIVATE)
    found = preflight_fleet([prospect(), private], {ENTERPRISE: facts(validations=(validation(),))})
    assert found.by_certificate == {prospect().desired.name: ()}


# The login


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        (None, None),
        (PasswordState(status=PasswordStatus.NEVER_EXPIRES), None),
        (PasswordState(status=PasswordStatus.ALIVE, expires_on=date(2026, 12, 5)), None),
        (
            PasswordState(status=PasswordStatus.ALIVE, expires_on=date(2026, 12, 4)),
            "DEP-01: the password of the login to SCM instance enterprise expires on 2026-12-04, in 14 days: change it "
            "before",
        ),
        (
            PasswordState(status=PasswordStatus.EXPIRED, expires_on=date(2026, 11, 1)),
            "DEP-01: the password of the login to SCM instance enterprise has expired: change it",
        ),
        (
            PasswordState(status=PasswordStatus.ALIVE),
            "DEP-01: skipped: SCM does not say when the password of the login to SCM instance enterprise expires",
        ),
    ],
)
def test_a_password_is_warned_of_two_weeks_ahead(state: PasswordState | None, expected: str | None) -> None:
    names = [certs.desired(name).name for name in ("b.example.com", "a.example.com")]
    found = told(password_finding(ENTERPRISE, Reading(values=state), names, today=TODAY))
    assert found == (None if expected is None else (expected, ("a.example.com", "b.example.com")))


def test_a_password_state_that_was_not_read_is_skipped() -> None:
    unread: Reading[PasswordState | None] = Reading(values=None, complete=False, problems=("scm: no answer.",))
    found = password_finding(ENTERPRISE, unread, (), today=TODAY)
    assert found is not None
    assert found.finding.skipped


# Names in other enrollments


def test_names_that_an_enrollment_of_no_file_holds_too_are_told() -> None:
    desired = certs.desired("www.example.com", "a.example.com", "b.example.com")
    own = looks.enrollment_for(desired)
    other = looks.enrollment_for(certs.desired("old.example.com", "b.example.com", "a.example.com"), id=EnrollmentId(7))
    elsewhere = looks.enrollment_for(certs.desired("other.example.com"), id=EnrollmentId(8))
    found = repeated_names(desired, (own, elsewhere, other), own=own.id, claimed=frozenset())
    assert [f"{one.severity} {one}" for one in found] == [
        "warning NAME-12: enrollment 7 (old.example.com), of no file, holds a.example.com, b.example.com too: the edge "
        "serves one of the two"
    ]
    assert repeated_names(desired, (own, other), own=own.id, claimed=frozenset({EnrollmentId(7)})) == ()
    assert rules(repeated_names(desired, (own,), own=None, claimed=frozenset())) == ["warning NAME-12"]
