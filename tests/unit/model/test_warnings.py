"""CPS's warnings: every text of the catalogue is known again, alone and in company, and nothing is overlooked."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.model.warning_texts import WARNING_TEXTS
from reconciler.model.warnings import (
    OVERLAP,
    SANS_REMOVED,
    WARNING_CLASSES,
    CpsWarning,
    WarningClass,
    parse_warnings,
    warning_id,
)

# The body of a recorded answer (warnings.v1).
RECORDED = (
    "[WARNINGS]\nThe trust chain terminates with a non-standard root certificate.\nTrust Chain\n"
    "Certificate: Subject: OU=WebEx,O=Akamai,L=Cambridge,ST=MA,C=US,CN=www.example.com\n"
    "  Issuer: C=US,ST=MA,O=Akamai,OU=WebEx,CN=AKAMAI TEST INTERMEDIATE CERT [1]\n"
    "  Serial Number: eb:ad:53:a3:6f:b3:4c:38:85:2f:2c:80:44:06:85:5d:\nThe chain that will be used is:\n"
    "1.  Subject: CN=AKAMAI TEST INTERMEDIATE CERT [1],OU=WebEx,O=Akamai,ST=MA,C=US\n"
    "  Issuer: C=US,ST=MA,O=Akamai,OU=WebEx,CN=www.CPS-Akamai-Test-Root.com\n"
    "  Serial Number: 1d:45:98:c1:83:d2:48:ee:b5:21:36:d7:c8:68:db:7c:\n"
)
CHAIN = "\n".join(RECORDED.splitlines()[2:])

# What CPS could put in; where a placeholder is not here, `SOMETHING` is put in.
VALUES = {
    "trustChainData": CHAIN,
    "issuerX500Principal": "CN=Sectigo Public Server Authentication CA OV R36, O=Sectigo Limited, C=GB",
    "keyAlgorithm": "ECDSA",
    "sanString": "old.example.com, older.example.com",
    "sanValue": "old.example.com",
    "dnsName": "www.example.com",
    "invalidDomainName": "www.example.com",
    "nameOfSuperSet": "example.com",
    "domain": "example.com",
    "certificateValue": "WWW.example.com",
    "csrValue": "www.example.com",
    "subjectfield": "ST",
    "csrSubjectValue": "Example [UK] Ltd, London",
    "certificateSubjectValue": "EXAMPLE [UK] LTD, LONDON",
    "dataType": "Trust chain",
    "trustChainDescription": "Uploaded RSA",
}
NUMBER = re.compile(r"Days$|Years$|Months$|size|maximum")
SOMETHING = "something of CPS's own"


def filled(name: str) -> str:
    def value(placeholder: re.Match[str]) -> str:
        return VALUES.get(placeholder[1]) or ("12" if NUMBER.search(placeholder[1]) else SOMETHING)

    return re.sub(r"<(\w+)>", value, WARNING_TEXTS[name])


def ids(text: str) -> list[str | None]:
    return [warning.id for warning in parse_warnings(text)]


def test_the_recorded_answer_is_one_warning_with_its_chain() -> None:
    (warning,) = parse_warnings(RECORDED)
    assert warning.id == "TRUST_CHAIN_TERMINATES_WITH_NON_STANDARD_CERTIFICATE_DETAILED"
    assert warning.values["trustChainData"] == CHAIN


@pytest.mark.parametrize("name", sorted(WARNING_TEXTS))
def test_each_text_of_the_catalogue_is_known_again(name: str) -> None:
    (warning,) = parse_warnings(filled(name))
    assert (warning.id, warning.text) == (name, filled(name))


@pytest.mark.parametrize("name", sorted(WARNING_TEXTS))
def test_what_follows_a_warning_is_never_swallowed_by_it(name: str) -> None:
    text = f"{filled(name)}\nAll your keys were published.\n{filled('CERTIFICATE_EXPIRED')}"
    assert ids(text) == [name, None, "CERTIFICATE_EXPIRED"]


ONE_LINE = sorted(name for name, text in WARNING_TEXTS.items() if "\n" not in text)
NAMES = st.lists(st.sampled_from(sorted(WARNING_TEXTS)), min_size=1, max_size=8)


@settings(deadline=None)
@given(NAMES, st.sampled_from(["", "[WARNINGS]\n"]), st.sampled_from(["\n", "\r\n", "\n\n"]))
def test_any_warnings_on_lines_of_their_own_are_told_apart(names: list[str], header: str, separator: str) -> None:
    assert ids(header + separator.join(filled(name) for name in names)) == names


# The rest of the line may belong to this one's value: taken whole, it is then unequal and refused.
LISTED = sorted(set(ONE_LINE) - {"CSR_VS_CERTIFICATE_SUBJECT_FIELD_CASE_MISMATCH"})


@settings(deadline=None)
@given(st.lists(st.sampled_from(LISTED), min_size=1, max_size=8), st.booleans())
def test_any_warnings_in_a_list_are_told_apart(names: list[str], bracketed: bool) -> None:
    text = ", ".join(filled(name) for name in names)
    assert ids(f"[{text}]" if bracketed else text) == names


def test_the_list_of_change_management_gives_a_warning_for_each_name() -> None:
    text = (
        "[SAN name [san9.example.com] removed from certificate is still live on the network.,"
        " SAN name [san8.example.com] removed from certificate is still live on the network.]"
    )
    assert [warning.values["sanValue"] for warning in parse_warnings(text)] == ["san9.example.com", "san8.example.com"]


def test_a_warning_does_not_take_the_place_of_the_one_before_it() -> None:
    text = (
        "SAN name [old.example.com] removed from certificate is still live on the network., "
        "SAN name [new.example.com] was added to the certificate."
    )
    assert ids(text) == [
        "CERTIFICATE_VS_NETWORK_SAN_REMOVED_FROM_CERT_LIVE_ON_NETWORK",
        "CSR_VS_CERTIFICATE_ADDITIONAL_SAN_IN_SAN_LIST_IN_CERTIFICATE",
    ]


def test_a_quoted_value_ends_at_its_quote() -> None:
    text = (
        "The 'RSA' certificate will expire in the near future., "
        "The 'RSA' certificate has a short lifetime and will expire within the next 12 days."
    )
    assert ids(text) == ["CERTIFICATE_EXPIRATION_DATE_IN_NEAR_FUTURE", "CERTIFICATE_EXPIRATION_TOO_SHORT"]


@pytest.mark.parametrize(
    "text",
    [
        "Something new.",
        "This certificate has already expired. Or has it?",
        "certificate has already expired.",
        "Certificate Added to the new Trust Chain: CN=x, something that is no part of a name",
        "The trust chain terminates with a non-standard root certificate.\nTrust Chain\nand a secret",
        "SAN name [a] b] was added to the certificate.",
    ],
)
def test_a_text_that_is_not_wholly_known_holds_a_warning_without_id(text: str) -> None:
    assert None in ids(text)


@settings(deadline=None)
@given(st.text(max_size=200).filter(lambda text: "[WARNINGS]" not in text))
def test_no_text_breaks_the_parser_and_none_vanishes(text: str) -> None:
    found = parse_warnings(text)
    assert all(warning.text for warning in found)
    if any(not letter.isspace() and letter not in ",[]" for letter in text):
        assert found


@pytest.mark.parametrize("text", ["", "\n", "[WARNINGS]", "[WARNINGS]\n", "[]"])
def test_no_warning_is_no_warning(text: str) -> None:
    assert parse_warnings(text) == ()


def test_the_overlap_text_of_the_api_description_is_known_with_its_names() -> None:
    text = (
        "Some of the domains being provisioned (www.example.com, img.example.com) exist on another certificate. Akamai "
        "recommends against overlapping names on Enhanced TLS and\nStandard TLS certificates"
    )
    assert ids(text)[0] is None  # cut off
    whole = (
        "Some of the domains being provisioned (www.example.com, img.example.com) exist on another certificate. Akamai "
        "recommends against overlapping names on Enhanced TLS and Standard TLS certificates except during digital "
        "property migrations. Enhanced TLS traffic could be misdirected in the event of DNS misconfiguration and "
        "treated as Standard TLS until the overlap is eliminated."
    )
    (warning,) = parse_warnings(whole)
    assert (warning.id, warning.values["sanString"]) == (OVERLAP, "www.example.com, img.example.com")


def test_the_portal_s_spelling_with_a_code_in_front_is_known() -> None:
    text = (
        "sans-removed-require-acknowledgement: SAN names are being removed from enrollment that still may be live on "
        "the network."
    )
    assert ids(text) == [SANS_REMOVED]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("CSR_VS_CERTIFICATE_KEY_MISMATCH", WarningClass.NEVER),
        ("CERTIFICATE_KMI_DATA_EXPIRES_SOON", WarningClass.NEVER),
        ("TRUST_CHAIN_INVALID_DETAILED", WarningClass.NEVER),
        ("THIRD_PARTY_BLACKLISTED_TRUST_CHAIN_ROOT_CERTIFICATE", WarningClass.NEVER),
        ("CERTIFICATE_SIGNATURE_MISMATCH", WarningClass.NEVER),
        ("SANS_REMOVED_REQUIRE_ACKNOWLEDGEMENT", WarningClass.ONLY_IF_DECLARED),
        ("CERTIFICATE_EXPIRATION_DATE_BEYOND_RANGE", WarningClass.HUMAN),
        (OVERLAP, WarningClass.HUMAN),
        ("TRUST_CHAIN_TERMINATES_WITH_NON_STANDARD_CERTIFICATE_DETAILED", WarningClass.PRIVATE_ONLY),
        ("CSR_VS_CERTIFICATE_SAN_CASE_MISMATCH", WarningClass.EXPECTED),
        ("CERTIFICATE_EXPIRATION_TOO_SHORT", WarningClass.EXPECTED),
        ("UNSORTED_TRUST_CHAIN", WarningClass.OUR_BUG),
        ("TRUST_CHAIN_INCLUDES_STANDARD_ROOT_CERTIFICATE_DETAILED", WarningClass.OUR_BUG),
        ("DNS_NAME_NOT_CNAMED", WarningClass.UNKNOWN),
        ("CSR_VS_CERTIFICATE_L_FIELD_ADDITIONAL_IN_CERTIFICATE", WarningClass.UNKNOWN),
    ],
)
def test_an_id_has_the_class_of_the_first_row_that_fits(name: str, expected: WarningClass) -> None:
    assert WARNING_CLASSES[name] is expected


def test_every_id_has_a_class_and_a_warning_without_id_is_unknown() -> None:
    assert set(WARNING_CLASSES) == {*WARNING_TEXTS, OVERLAP}
    assert len(WARNING_TEXTS) == 114
    assert CpsWarning(id=None, text="?").warning_class is WarningClass.UNKNOWN


@pytest.mark.parametrize(
    ("spelt", "name"),
    [
        ("CSR_EXPIRED", "CSR_EXPIRED"),
        ("csr-expired", "CSR_EXPIRED"),
        (" sans-removed-require-acknowledgement", SANS_REMOVED),
        ("OU_FIELD_MISSING_IN_CERTIFICATE", "CSR_VS_CERTIFICATE_OU_FIELD_MISSING_IN_CERTIFICATE"),
        ("EXPIRATION_TOO_SHORT", "CERTIFICATE_EXPIRATION_TOO_SHORT"),
        ("PARSING_ERROR", None),  # a certificate's or a chain's
        ("NO_SUCH_WARNING", None),
        ("", None),
    ],
)
def test_an_id_may_be_spelt_as_people_do_where_it_is_clear(spelt: str, name: str | None) -> None:
    assert warning_id(spelt) == name
