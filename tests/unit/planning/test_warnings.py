"""Which of CPS's warnings are accepted, and under which condition."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from reconciler.model.certificate import AcceptedWarning, DesiredCertificate, IssuerClass
from reconciler.model.enrollment import ChangeManagement
from reconciler.model.names import DnsName
from reconciler.model.policy import Policy
from reconciler.model.warnings import OVERLAP, SANS_REMOVED, WARNING_CLASSES, CpsWarning, WarningClass
from reconciler.planning.profiles import Kind
from reconciler.planning.warnings import Evidence, judge, judge_management, judge_text, undeclared_removal
from tests.support import certs

PRIVATE = IssuerClass.PRIVATE
NOTHING = Evidence()
EVERYTHING = Evidence(
    kind=Kind.OV, path_verified=True, private_root_allowed=True, term_as_ordered=True, cross_kept=True
)
LIVE_REMOVAL = "CERTIFICATE_VS_NETWORK_SAN_REMOVED_FROM_CERT_LIVE_ON_NETWORK"
PUBLIC_FILE = certs.desired("www.example.com", "img.example.com")
PRIVATE_FILE = certs.desired(issuer=PRIVATE)


def accepted(
    name: str,
    desired: DesiredCertificate = PUBLIC_FILE,
    evidence: Evidence = NOTHING,
    policy: Policy = Policy(),  # noqa: B008 - frozen
    *,
    values: Mapping[str, str] | None = None,
) -> bool:
    """Tell whether one warning alone is accepted."""
    verdict = judge([CpsWarning(id=name, text=name, values=values or {})], desired, policy, evidence)
    assert verdict.accepted is bool(verdict.notes)
    assert verdict.accepted is not bool(verdict.refusals)
    return verdict.accepted


def file_that_accepts(name: str, *names: str, **fields: Any) -> DesiredCertificate:
    entry = AcceptedWarning(id=name, names=frozenset(map(DnsName, names)))
    return certs.desired("www.example.com", "img.example.com", accept_warnings=(entry,), **fields)


def ids_of(*classes: WarningClass) -> list[str]:
    return sorted(name for name, found in WARNING_CLASSES.items() if found in classes)


@pytest.mark.parametrize("name", ids_of(WarningClass.NEVER))
@pytest.mark.parametrize("issuer", list(IssuerClass))
def test_some_are_never_accepted_whoever_says_so(name: str, issuer: IssuerClass) -> None:
    policy = Policy(accept_warnings=frozenset({name}))
    assert not accepted(name, file_that_accepts(name, issuer=issuer), EVERYTHING, policy)


@pytest.mark.parametrize("name", ids_of(WarningClass.HUMAN, WarningClass.UNKNOWN))
def test_what_a_person_decides_waits_for_policy_or_file(name: str) -> None:
    assert not accepted(name, evidence=EVERYTHING)
    assert accepted(name, policy=Policy(accept_warnings=frozenset({name})))
    assert accepted(name, policy=Policy(accept_warnings=frozenset({name.lower().replace("_", "-")})))
    assert accepted(name, file_that_accepts(name))
    assert not accepted(name, file_that_accepts("CSR_EXPIRED"))


@pytest.mark.parametrize("name", ids_of(WarningClass.EXPECTED))
def test_what_is_expected_is_so_only_under_its_condition(name: str) -> None:
    if name == "CSR_VS_CERTIFICATE_OU_FIELD_MISSING_IN_CERTIFICATE":
        assert accepted(name)  # for a public issuer, always
        assert not accepted(name, PRIVATE_FILE)
    else:
        assert not accepted(name)
    assert accepted(name, file_that_accepts(name))


@pytest.mark.parametrize("letters", ["C", "ST", "L", "O"])
def test_an_organization_is_missing_in_dv_only(letters: str) -> None:
    own = f"CSR_VS_CERTIFICATE_{letters}_FIELD_MISSING_IN_CERTIFICATE"
    general = "CSR_VS_CERTIFICATE_SUBJECT_FIELD_MISMATCH_MISSING_IN_CERTIFICATE"
    dv, ov = replace(NOTHING, kind=Kind.DV), replace(EVERYTHING, kind=Kind.OV)
    assert accepted(own, evidence=dv)
    assert accepted(general, evidence=dv, values={"subjectfield": letters})
    assert not accepted(own, evidence=ov)
    assert not accepted(general, evidence=ov, values={"subjectfield": letters})


def test_the_general_text_is_about_the_field_that_it_names() -> None:
    general = "CSR_VS_CERTIFICATE_SUBJECT_FIELD_MISMATCH_MISSING_IN_CERTIFICATE"
    assert accepted(general, values={"subjectfield": "OU"})
    assert not accepted(general, evidence=replace(NOTHING, kind=Kind.DV), values={"subjectfield": "CN"})


@pytest.mark.parametrize("name", ["CSR_VS_CERTIFICATE_O_FIELD_MISMATCH", "CSR_VS_CERTIFICATE_SUBJECT_FIELD_MISMATCH"])
def test_another_organization_is_for_a_person(name: str) -> None:
    values = {"csrSubjectValue": "Example Ltd", "certificateSubjectValue": "Example Limited", "subjectfield": "O"}
    assert not accepted(name, evidence=replace(EVERYTHING, kind=Kind.DV), values=values)
    assert accepted(name, policy=Policy(accept_warnings=frozenset({name})), values=values)


@pytest.mark.parametrize(
    ("name", "one", "other"),
    [
        ("CSR_VS_CERTIFICATE_CN_CASE_MISMATCH", "certificateValue", "csrValue"),
        ("CSR_VS_CERTIFICATE_SAN_CASE_MISMATCH", "certificateValue", "csrValue"),
        ("CSR_VS_CERTIFICATE_SUBJECT_FIELD_CASE_MISMATCH", "csrSubjectValue", "certificateSubjectValue"),
    ],
)
def test_a_case_mismatch_must_be_one_of_case_only(name: str, one: str, other: str) -> None:
    assert accepted(name, values={one: "WWW.example.com", other: "www.example.com"})
    assert not accepted(name, values={one: "WWW.example.com", other: "www.example.org"})
    assert not accepted(name, values={one: "www.example.com"})


def test_a_case_mismatch_that_swallowed_another_warning_is_refused() -> None:
    text = (
        "Case mismatch for O. Expected(in CSR): Example, found(in 'RSA' certificate): EXAMPLE, "
        "This certificate has already expired."
    )
    assert not judge_text(text, PUBLIC_FILE, Policy(), EVERYTHING).accepted


@pytest.mark.parametrize(
    ("name", "known"),
    [("example.com", True), ("img.example.com", True), ("www.img.example.com", False), ("evil.example.org", False)],
)
def test_an_additional_name_is_the_bare_one_or_in_the_file(name: str, known: bool) -> None:
    additional = "CSR_VS_CERTIFICATE_ADDITIONAL_SAN_IN_SAN_LIST_IN_CERTIFICATE"
    assert accepted(additional, values={"sanValue": name}) is known
    assert not accepted(additional)


@pytest.mark.parametrize(
    ("name", "fact"),
    [
        ("CROSS_SIGNED_ROOT_IN_TRUST_CHAIN", "cross_kept"),
        ("CERTIFICATE_ADDED_TO_TRUST_CHAIN", "path_verified"),
        ("CERTIFICATE_MISSING_IN_TRUST_CHAIN", "path_verified"),
        ("CERTIFICATE_EXPIRATION_DATE_IN_NEAR_FUTURE", "term_as_ordered"),
        ("CERTIFICATE_EXPIRATION_TOO_SHORT", "term_as_ordered"),
    ],
)
def test_what_our_checks_proved_is_what_counts(name: str, fact: str) -> None:
    facts: dict[str, Any] = {fact: True}
    assert accepted(name, evidence=replace(NOTHING, **facts))
    facts[fact] = False
    assert not accepted(name, evidence=replace(EVERYTHING, **facts))


@pytest.mark.parametrize("name", ids_of(WarningClass.PRIVATE_ONLY))
def test_an_unknown_root_is_accepted_for_a_private_issuer_whose_root_is_allowed(name: str) -> None:
    policy = Policy(accept_warnings=frozenset({name}))
    allowed = Evidence(private_root_allowed=True)
    assert accepted(name, PRIVATE_FILE, allowed)
    assert not accepted(name, PRIVATE_FILE, NOTHING, policy)
    assert not accepted(name, file_that_accepts(name), allowed, policy)


@pytest.mark.parametrize(
    "name", ["CERTIFICATE_EXPIRATION_DATE_BEYOND_MAX_DAYS", "CERTIFICATE_EXPIRATION_DATE_BEYOND_RANGE"]
)
def test_a_long_life_is_accepted_for_a_private_issuer_only(name: str) -> None:
    allowed = Evidence(private_root_allowed=True)
    assert accepted(name, PRIVATE_FILE, allowed)
    assert not accepted(name, PRIVATE_FILE)
    assert not accepted(name, PUBLIC_FILE, allowed)


@pytest.mark.parametrize("name", ids_of(WarningClass.OUR_BUG))
def test_what_cps_repairs_is_accepted_and_reported(name: str) -> None:
    (note,) = judge([CpsWarning(id=name, text=name)], PUBLIC_FILE, Policy(), NOTHING).notes
    assert "please report this" in note


# Removal of names


def test_a_removal_is_accepted_for_exactly_the_names_that_the_file_lists() -> None:
    desired = file_that_accepts(SANS_REMOVED, "old.example.com", "older.example.com")
    assert accepted(SANS_REMOVED, desired, values={"sanString": "older.example.com, OLD.example.com"})
    assert not accepted(SANS_REMOVED, desired, values={"sanString": "old.example.com"})
    assert not accepted(
        SANS_REMOVED, desired, values={"sanString": "old.example.com, older.example.com, oldest.example.com"}
    )


def test_a_removal_that_the_file_does_not_list_is_refused_whatever_policy_says() -> None:
    policy = Policy(accept_warnings=frozenset({SANS_REMOVED, LIVE_REMOVAL}))
    assert not accepted(SANS_REMOVED, policy=policy, values={"sanString": "old.example.com"})
    assert not accepted(LIVE_REMOVAL, policy=policy, values={"sanValue": "old.example.com"})
    assert not accepted(
        SANS_REMOVED, file_that_accepts(SANS_REMOVED), policy=policy, values={"sanString": "old.example.com"}
    )


@pytest.mark.parametrize(
    ("listed", "removed", "said"),
    [
        ((), (), False),
        ((), ("old.example.com",), True),
        (("old.example.com",), ("old.example.com",), False),
        (("old.example.com", "img2.example.com"), ("old.example.com",), True),
        (("img2.example.com",), ("old.example.com",), True),
    ],
)
def test_a_removal_is_announced_unless_the_file_lists_just_its_names(
    listed: tuple[str, ...], removed: tuple[str, ...], said: bool
) -> None:
    file = file_that_accepts(SANS_REMOVED, *listed)
    assert (undeclared_removal(file, frozenset(map(DnsName, removed))) is not None) is said


def test_a_removal_without_names_is_refused() -> None:
    text = "SAN names are being removed from enrollment that still may be live on the network."
    desired = file_that_accepts(SANS_REMOVED, "old.example.com")
    assert not judge_text(text, desired, Policy(), EVERYTHING).accepted
    assert not judge_text(text, PUBLIC_FILE, Policy(), EVERYTHING).accepted
    assert not accepted(LIVE_REMOVAL, desired)


def test_a_name_that_the_file_still_asks_for_is_never_removed() -> None:
    desired = file_that_accepts(SANS_REMOVED, "img.example.com")
    assert not accepted(SANS_REMOVED, desired, values={"sanString": "img.example.com"})


def test_a_name_that_was_live_needs_to_be_among_those_listed() -> None:
    desired = file_that_accepts(SANS_REMOVED, "old.example.com", "older.example.com")
    assert accepted(LIVE_REMOVAL, desired, values={"sanValue": "old.example.com"})
    assert not accepted(LIVE_REMOVAL, desired, values={"sanValue": "oldest.example.com"})


def test_an_acceptance_with_names_holds_for_these_names() -> None:
    desired = file_that_accepts("SNI_DNS_OVERLAP", "www.example.com")
    assert accepted("SNI_DNS_OVERLAP", desired, values={"dnsName": "www.example.com"})
    assert not accepted("SNI_DNS_OVERLAP", desired, values={"dnsName": "img.example.com"})
    assert not accepted("SNI_DNS_OVERLAP", desired)
    assert accepted(OVERLAP, file_that_accepts(OVERLAP, "www.example.com"), values={"sanString": "www.example.com"})


# Texts


def test_one_refusal_refuses_the_whole_text_and_names_itself() -> None:
    text = (
        "[WARNINGS]\nValue for OU differs between the CSR and the certificate: [Web] vs missing.\n"
        "This certificate has already expired.\n"
    )
    verdict = judge_text(text, PUBLIC_FILE, Policy(), EVERYTHING)
    assert verdict.notes == ("CSR_VS_CERTIFICATE_OU_FIELD_MISSING_IN_CERTIFICATE: public CAs write no OU (BR 7.1.2.7)",)
    assert verdict.refusals == ("CERTIFICATE_EXPIRED: is never acknowledged: This certificate has already expired.",)


def test_an_unknown_text_is_refused_though_all_ids_are_accepted() -> None:
    policy = Policy(accept_warnings=frozenset(WARNING_CLASSES))
    verdict = judge_text("The moon is\nfull.", PUBLIC_FILE, policy, EVERYTHING)
    assert verdict.refusals == (
        "unknown warning: CPS says what no known text is: The moon is",
        "unknown warning: CPS says what no known text is: full.",
    )


def test_no_warning_is_accepted_without_a_word() -> None:
    verdict = judge_text("", PUBLIC_FILE, Policy(), NOTHING)
    assert (verdict.accepted, verdict.notes) == (True, ())


def test_a_warning_that_repeats_is_said_once() -> None:
    text = "Unsorted trust chain downloaded, using\n1.  Subject: CN=x\n" * 2
    assert len(judge_text(text, PUBLIC_FILE, Policy(), NOTHING).notes) == 1


def management(errors: tuple[str, ...] = (), warnings: tuple[str, ...] = ()) -> ChangeManagement:
    return ChangeManagement(validation_hash="x", errors=errors, warnings=warnings, deadline=None, pending_pems=())


def test_change_management_s_errors_are_refusals_and_its_warnings_are_judged() -> None:
    listed = (
        "[SAN name [old.example.com] removed from certificate is still live on the network., "
        "SAN name [older.example.com] removed from certificate is still live on the network.]"
    )
    desired = file_that_accepts(SANS_REMOVED, "old.example.com", "older.example.com")
    assert judge_management(management(warnings=(listed,)), desired, Policy(), NOTHING).accepted
    assert not judge_management(management(warnings=(listed,)), PUBLIC_FILE, Policy(), NOTHING).accepted
    verdict = judge_management(management(errors=("Trust chain is empty.",)), desired, Policy(), EVERYTHING)
    assert verdict.refusals == ("CPS calls it an error: Trust chain is empty.",)
