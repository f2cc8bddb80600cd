"""The static checks of the catalogue, each at its boundary, in a whole file with defaults."""

import importlib
from datetime import date
from pathlib import Path

import pytest
from iso3166 import countries

from reconciler.desired.check_people import COUNTRIES
from reconciler.errors import Severity
from tests.support.files import CERTIFICATE, CONFIGURATION, TODAY, Files, loaded, problems

PRIVATE = "sectigo: {issuer: private}\n"


def rules(root: Path, more: str, today: date = TODAY) -> list[tuple[str, Severity]]:
    return [(problem.rule, problem.severity) for problem in problems(root, more, today=today)]


def test_the_file_without_more_is_good(tmp_path: Path) -> None:
    assert problems(tmp_path) == ()


def test_what_no_file_names_is_asked_for_field_by_field(tmp_path: Path) -> None:
    tree = Files(tmp_path)
    tree.write("certrecon.yaml", CONFIGURATION)
    tree.write("certificates/www.yaml", CERTIFICATE + "akamai: {geography: core}\n")
    found = tree.desired().problems
    assert [(str(problem.location), problem.pointer) for problem in found] == [
        ("certificates/www.yaml:1:1", "sectigo.organization"),
        ("certificates/www.yaml:1:1", "sectigo.profile"),
        ("certificates/www.yaml:3:9", "akamai.contract"),
        ("certificates/www.yaml:3:9", "akamai.secureNetwork"),
    ]
    assert found[2].text == '"contract" is named neither in the certificate nor in its defaults.'
    assert found[2].remedy == "Add contract under akamai, as contract: C-1ABCDEF."


@pytest.mark.parametrize(
    ("profile", "found"),
    [
        ("EV Multi-Domain", True),
        ("Sectigo EV SSL", True),
        ("OV Wildcard", False),
        ("EVERYTHING", False),
    ],
)
def test_a_wildcard_under_a_profile_called_ev_is_name_07(tmp_path: Path, profile: str, found: bool) -> None:
    more = f"dnsNames: ['*.example.com']\nsectigo: {{profile: {profile}}}\n"
    assert (("NAME-07", Severity.ERROR) in rules(tmp_path, more)) is found


def test_names_are_told_at_their_own_place(tmp_path: Path) -> None:
    (problem,) = problems(tmp_path, "dnsNames:\n  - a.example.com\n  - b_c.example.com\n")
    assert (str(problem.location), problem.rule) == ("certificates/www.yaml:5:5", "NAME-02")


def test_the_count_of_names_includes_the_common_name(tmp_path: Path) -> None:
    def with_more(count: int) -> str:
        return "dnsNames: [" + ", ".join(f"h{index}.example.com" for index in range(count)) + "]\n"

    assert rules(tmp_path, with_more(99)) == [("NAME-11", Severity.WARNING)]
    assert rules(tmp_path, with_more(100)) == [("NAME-11", Severity.ERROR)]


@pytest.mark.parametrize(
    ("subject", "rule"),
    [
        ("organizationalUnit: Web", "SUBJ-01"),
        ("locality: '-'", "SUBJ-03"),
        ("state: N/A", "SUBJ-03"),
        ("state: '.'", "SUBJ-03"),
        ("locality: none", "SUBJ-03"),
        (f"organization: {'x' * 65}", "SUBJ-03"),
        ("country: UK", "SUBJ-03"),
        ("country: ZZ", "SUBJ-03"),
    ],
)
def test_a_subject_that_no_ca_may_issue_is_an_error(tmp_path: Path, subject: str, rule: str) -> None:
    (problem,) = problems(tmp_path, f"akamai:\n  subject:\n    {subject}\n")
    assert (problem.severity, problem.rule) == (Severity.ERROR, rule)
    assert problem.pointer == f"akamai.subject.{subject.partition(':')[0]}"


@pytest.mark.parametrize(
    "subject", [f"organization: {'x' * 64}", f"state: {'x' * 128}", "country: XX", "organization: N.A. Smith Ltd"]
)
def test_a_subject_at_the_limits_is_good(tmp_path: Path, subject: str) -> None:
    loaded(tmp_path, f"akamai:\n  subject:\n    {subject}\n")


def test_a_private_issuer_may_carry_an_organizational_unit(tmp_path: Path) -> None:
    assert problems(tmp_path, PRIVATE + "akamai: {subject: {organizationalUnit: Web}}\n") == ()


def test_the_country_codes_are_those_of_iso_3166() -> None:
    user_assigned = {"XK"}  # Kosovo, as the library has it; the standard has no code
    assert {country.alpha2 for country in countries} - user_assigned | {"XX"} == COUNTRIES


CONTACT = "{firstName: Ada, lastName: Byron, email: tls@example.com, phone: '%s'}"


@pytest.mark.parametrize("phone", ["+44 161 000 0000", "617-555-0111", "(617) 555.0111"])
def test_a_phone_number_is_digits_and_their_punctuation(tmp_path: Path, phone: str) -> None:
    loaded(tmp_path, f"akamai: {{adminContact: {CONTACT % phone}}}\n")


@pytest.mark.parametrize("phone", ["call me", "+44 161 CERTS", " ", "---", "617-555-0111 ext 5"])
def test_a_phone_that_cps_refuses_is_an_error(tmp_path: Path, phone: str) -> None:
    (problem,) = problems(tmp_path, f"akamai: {{adminContact: {CONTACT % phone}}}\n")
    assert (problem.severity, problem.pointer) == (Severity.ERROR, "akamai.adminContact.phone")


def test_a_technical_contact_elsewhere_is_a_warning(tmp_path: Path) -> None:
    (problem,) = problems(tmp_path, f"akamai: {{techContact: {CONTACT % '+44 161 000 0000'}}}\n")
    assert (problem.severity, problem.pointer) == (Severity.WARNING, "akamai.techContact.email")


@pytest.mark.parametrize(
    ("section", "missing"),
    [
        ("adminContact", ["lastName", "email", "phone"]),
        ("org", ["addressLineOne", "city", "region", "postalCode", "phone"]),
    ],
)
def test_contacts_and_address_are_complete_or_not_there(tmp_path: Path, section: str, missing: list[str]) -> None:
    given = "{name: Example Ltd, country: GB}" if section == "org" else "{firstName: Ada}"
    found = problems(tmp_path, f"akamai: {{{section}: {given}}}\n")
    assert [problem.pointer for problem in found] == [f"akamai.{section}.{field}" for field in missing]


def test_sha_1_is_refused_for_public_and_warned_of_for_private_issuers(tmp_path: Path) -> None:
    sha_1 = "akamai: {signatureAlgorithm: SHA-1}\n"
    assert rules(tmp_path, sha_1) == [("KEY-02", Severity.ERROR)]
    assert rules(tmp_path, sha_1 + PRIVATE) == [("KEY-02", Severity.WARNING)]


@pytest.mark.parametrize(
    ("today", "term", "severity"),
    [
        (date(2026, 3, 11), 398, None),
        (date(2026, 3, 11), 399, Severity.ERROR),
        (date(2026, 3, 12), 199, None),
        (date(2026, 3, 12), 200, Severity.WARNING),
        (date(2026, 3, 12), 398, Severity.WARNING),
        (date(2026, 3, 12), 399, Severity.ERROR),
        (date(2026, 9, 26), 398, Severity.WARNING),
        (date(2026, 9, 27), 398, Severity.ERROR),
        (date(2026, 11, 23), 199, None),
        (date(2026, 11, 23), 200, Severity.ERROR),
        (date(2027, 3, 14), 199, None),
        (date(2027, 3, 15), 100, None),
        (date(2027, 3, 15), 199, Severity.WARNING),
        (date(2029, 3, 15), 47, None),
        (date(2029, 3, 15), 48, Severity.WARNING),
        (date(2030, 1, 1), 48, Severity.ERROR),
    ],
)
def test_a_term_over_the_limit_of_the_day_is_term_01(
    tmp_path: Path, today: date, term: int, severity: Severity | None
) -> None:
    expected = [] if severity is None else [("TERM-01", severity)]
    assert rules(tmp_path, f"sectigo: {{term: {term}}}\n", today) == expected


def test_a_private_term_has_no_limit(tmp_path: Path) -> None:
    assert rules(tmp_path, "sectigo: {issuer: private, term: 3650}\n") == []


@pytest.mark.parametrize(
    ("before", "severity"),
    [
        ("8d", Severity.ERROR),
        ("9d", None),
        ("30", None),
        ("99d", None),
        ("100d", Severity.WARNING),
        ("197d", Severity.WARNING),
        ("198d", Severity.ERROR),
        ("4%", Severity.ERROR),
        ("5%", None),
        ("33%", None),
        ("50%", None),
        ("51%", Severity.WARNING),
        ("100%", Severity.ERROR),
    ],
)
def test_renewing_too_late_or_always_is_renew_01(tmp_path: Path, before: str, severity: Severity | None) -> None:
    expected = [] if severity is None else [("RENEW-01", severity)]
    assert rules(tmp_path, f"renewal: {{before: {before}}}\n") == expected


@pytest.mark.parametrize(
    ("sectigo", "before", "severity"),
    [
        ("{term: 20}", "8d", None),
        ("{term: 20}", "11d", Severity.WARNING),
        ("{term: 24}", "8d", Severity.ERROR),
        ("{issuer: private}", "8d", Severity.ERROR),
        ("{issuer: private}", "300d", None),
        ("{issuer: private, term: 365}", "183d", Severity.WARNING),
    ],
)
def test_the_lifetime_that_renewing_is_measured_by_follows_the_term(
    tmp_path: Path, sectigo: str, before: str, severity: Severity | None
) -> None:
    expected = [] if severity is None else [("RENEW-01", severity)]
    assert rules(tmp_path, f"sectigo: {sectigo}\nrenewal: {{before: {before}}}\n") == expected


@pytest.mark.parametrize(
    ("more", "pointer", "text"),
    [
        ("state: absent", "state", "Add akamai.enrollmentId"),
        ("state: absent\nprotect: true\nakamai: {enrollmentId: 1}", "state", "protected and absent at once"),
        ("akamai: {disallowedTlsVersions: [TLSv1_2, TLSv1_3]}", "akamai.disallowedTlsVersions", "No TLS version"),
        ("akamai: {deploy: {notBefore: 2026-11-31}}", "akamai.deploy.notBefore", 'no day "2026-11-31"'),
        ("sectigo: {dcv: {mode: EMAIL}}", "sectigo.dcv", "Add dcv.email"),
        ("acceptWarnings: [{id: CSR_EXPIRED}]", "acceptWarnings.0.id", "never accepted"),
        ("acceptWarnings: [{id: CROSS_SIGNED}]", "acceptWarnings.0.id", "CPS has no warning"),
        ("acceptWarnings: [{id: SANS_REMOVED_REQUIRE_ACKNOWLEDGEMENT}]", "acceptWarnings.0", "List them"),
        (
            "acceptWarnings: [{id: SANS_REMOVED_REQUIRE_ACKNOWLEDGEMENT, names: ['a..b']}]",
            "acceptWarnings.0.names.0",
            "empty label",
        ),
    ],
)
def test_what_contradicts_itself_is_an_error(tmp_path: Path, more: str, pointer: str, text: str) -> None:
    (problem,) = problems(tmp_path, more + "\n")
    assert (problem.severity, problem.pointer) == (Severity.ERROR, pointer)
    assert text in str(problem)


def test_stapling_for_a_private_issuer_is_a_warning(tmp_path: Path) -> None:
    (problem,) = problems(tmp_path, PRIVATE + 'akamai: {ocspStapling: "on"}\n')
    assert (problem.severity, problem.pointer) == (Severity.WARNING, "akamai.ocspStapling")


def test_every_static_rule_of_the_catalogue_is_in_the_code() -> None:
    modules = ("model.names", "desired.check_people", "desired.check_terms", "desired.verdicts")
    sources = "".join(
        Path(str(importlib.import_module(f"reconciler.{module}").__file__)).read_text(encoding="utf-8")
        for module in modules
    )
    static = [f"NAME-{n:02}" for n in range(1, 13)] + ["SUBJ-01", "SUBJ-03", "KEY-01", "KEY-02", "TERM-01", "RENEW-01"]
    assert [rule for rule in static if f'"{rule}"' not in sources] == []
