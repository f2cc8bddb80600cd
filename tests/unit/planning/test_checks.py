"""The checks of issued certificates: one by one on certificates made wrong, and on those of a CA of Sectigo's shape."""

import ipaddress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from reconciler.model.certificate import DesiredCertificate, IssuerClass, KeyType
from reconciler.model.x509 import Certificate, CsrInfo, parse_certificates, parse_csr
from reconciler.planning.checks import Examined, check_halves, examine
from reconciler.planning.findings import errors
from reconciler.planning.profiles import Kind
from reconciler.sandbox import ca as sandbox_ca
from reconciler.sandbox.ids import Ids, IdState
from reconciler.sandbox.keys import KeyMaker
from tests.support import certs

PUBLIC, PRIVATE = IssuerClass.PUBLIC, IssuerClass.PRIVATE
SERVER, CLIENT = ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH

KEY = certs.ec_key()
CSR = certs.csr("www.example.com", key=KEY)
ROOT = certs.root_ca("Public Root")
ISSUING = certs.sub_ca(ROOT)
PRIVATE_ROOT = certs.root_ca("Private Root")
PRIVATE_ISSUING = certs.sub_ca(PRIVATE_ROOT, "Private CA", usages=None)
NOON = certs.START + timedelta(hours=12)


def good(*names: str, issuer: certs.Ca = ISSUING, scts: int = 3, **kind: Any) -> Certificate:
    """Return a leaf that no check finds fault with, but for what `kind` says."""
    leaf = certs.leaf(issuer, *(names or ("www.example.com",)), key=kind.pop("key", KEY), **kind)
    return replace(leaf, sct_count=scts)


def examined(leaf: Certificate, desired: DesiredCertificate | None = None, **known: Any) -> Examined:
    arguments: dict[str, Any] = {
        "given": (ISSUING.value, leaf, ROOT.value),
        "csr": CSR,
        "kind": Kind.OV,
        "term_days": 199,
        "public_roots": (ROOT.value,),
        "private_roots": frozenset({PRIVATE_ROOT.value.sha256}),
        "live_serials": frozenset(),
        "revoked": False,
        "now": NOON,
    } | known
    given, csr = arguments.pop("given"), arguments.pop("csr")
    return examine(leaf, given, csr, desired or certs.desired(), **arguments)


def said(leaf: Certificate, desired: DesiredCertificate | None = None, **known: Any) -> list[str]:
    return [str(finding) for finding in examined(leaf, desired, **known).findings]


def blocking(leaf: Certificate, desired: DesiredCertificate | None = None, **known: Any) -> set[str]:
    return {finding.rule for finding in errors(examined(leaf, desired, **known).findings)}


def test_a_good_certificate_passes_with_its_chain() -> None:
    result = examined(good())
    assert (result.findings, result.path, result.chain) == ((), PUBLIC, (ISSUING.value,))


def test_a_certificate_for_another_key_is_an_error() -> None:
    assert blocking(good(key=certs.ec_key())) == {"CERT-01"}


def test_missing_names_are_an_error() -> None:
    wanted = certs.desired("www.example.com", "img.example.com", "cdn.example.com")
    assert said(good("www.example.com", "img.example.com"), wanted) == [
        "CERT-02: names are missing in the certificate: cdn.example.com"
    ]


def test_the_bare_name_added_by_the_ca_is_noted_and_another_is_an_error() -> None:
    found = examined(good("www.example.com", "example.com", "evil.example.org")).findings
    assert [(str(finding), finding.severity.value) for finding in found] == [
        ("CERT-02: the CA added example.com", "note"),
        ("CERT-02: the certificate has names that nobody asked for: evil.example.org", "error"),
    ]


def test_another_common_name_is_an_error() -> None:
    wanted = certs.desired("www.example.com", "img.example.com")
    leaf = good("www.example.com", "img.example.com", cn="img.example.com")
    assert said(leaf, wanted) == ["CERT-02: the common name is img.example.com, not www.example.com"]


def test_a_name_that_is_no_dns_name_is_an_error() -> None:
    address = x509.IPAddress(ipaddress.ip_address("192.0.2.1"))
    assert blocking(good(other_names=[address])) == {"CERT-02"}


def test_names_are_compared_without_case() -> None:
    assert said(good("WWW.Example.com")) == []


@pytest.mark.parametrize("offset", [timedelta(0), timedelta(days=199, seconds=-1)])
def test_a_certificate_is_valid_in_its_first_and_last_second(offset: timedelta) -> None:
    assert blocking(good(), now=certs.START + offset) == set()


@pytest.mark.parametrize("offset", [timedelta(seconds=-1), timedelta(days=199)])
def test_a_second_before_and_behind_it_is_not(offset: timedelta) -> None:
    assert blocking(good(), now=certs.START + offset) == {"CERT-03", "CERT-05"}


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("not_before", "days"),
    [
        ("2026-03-14T23:59:59", 398),
        ("2026-03-15T00:00:00", 200),
        ("2027-03-14T23:59:59", 200),
        ("2027-03-15T00:00:00", 100),
        ("2029-03-14T23:59:59", 100),
        ("2029-03-15T00:00:00", 47),
    ],
)
def test_a_public_certificate_may_live_as_long_as_the_rule_of_its_first_second_says(not_before: str, days: int) -> None:
    start = utc(not_before)
    longest = good(not_before=start, days=days)
    assert "CERT-03" not in blocking(longest, now=start, term_days=days)
    a_second_more = good(not_before=start, not_after=start + timedelta(days=days))
    assert "CERT-03" in blocking(a_second_more, now=start, term_days=days)


def test_a_private_certificate_may_live_longer() -> None:
    assert private_findings(days=398) == []


def private_findings(**kind: Any) -> list[str]:
    leaf = good(issuer=PRIVATE_ISSUING, scts=0, ocsp=False, crl=False, policies=(), usages=None, **kind)
    given = (PRIVATE_ROOT.value, PRIVATE_ISSUING.value, leaf)
    return said(leaf, certs.desired(issuer=PRIVATE), given=given, kind=Kind.PRIVATE)


@pytest.mark.parametrize(("days", "short"), [(160, False), (159, True)])
def test_less_than_four_fifths_of_the_term_is_a_warning(days: int, short: bool) -> None:
    found = [finding for finding in examined(good(days=days)).findings if finding.rule == "CERT-03"]
    assert bool(found) is short
    assert errors(found) == ()


def test_an_unknown_term_is_skipped() -> None:
    assert said(good(), term_days=None) == ["CERT-03: skipped: the ordered term is not known"]


def test_a_private_certificate_for_a_public_one_is_an_error() -> None:
    leaf = good(issuer=PRIVATE_ISSUING)
    result = examined(leaf, given=(PRIVATE_ROOT.value, PRIVATE_ISSUING.value))
    assert result.path is PRIVATE
    assert [str(finding) for finding in errors(result.findings)] == [
        "CERT-04: a private CA issued it (CN=Private CA,O=Test CA); the file says issuer: public"
    ]


def test_a_public_certificate_for_a_private_one_is_an_error() -> None:
    result = examined(good(), certs.desired(issuer=PRIVATE))
    assert result.path is PUBLIC
    assert [finding.rule for finding in errors(result.findings)] == ["CERT-04"]


@pytest.mark.parametrize("issuer", list(IssuerClass))
def test_a_path_to_a_root_that_nobody_allowed_is_an_error(issuer: IssuerClass) -> None:
    known = {"public_roots": (certs.root_ca("Public Root").value,), "private_roots": frozenset[str]()}
    result = examined(good(), certs.desired(issuer=issuer), **known)
    assert result.path is None
    assert [finding.rule for finding in errors(result.findings)] == ["CERT-04"]
    assert [finding.rule for finding in result.findings if finding.skipped] == ["CERT-05"]


def test_without_any_known_root_nothing_is_proved() -> None:
    assert blocking(good(), public_roots=(), private_roots=frozenset()) == {"CERT-04"}


def test_the_fingerprint_of_an_intermediate_does_not_make_it_a_root() -> None:
    leaf = good(issuer=PRIVATE_ISSUING)
    known = {"private_roots": frozenset({PRIVATE_ISSUING.value.sha256})}
    result = examined(leaf, certs.desired(issuer=PRIVATE), given=(PRIVATE_ISSUING.value, PRIVATE_ROOT.value), **known)
    assert result.path is None


def test_a_private_root_that_scm_does_not_send_may_be_had_here() -> None:
    leaf, wanted = good(issuer=PRIVATE_ISSUING), certs.desired(issuer=PRIVATE)
    sent = (PRIVATE_ISSUING.value, leaf)
    result = examined(leaf, wanted, given=sent, private_certificates=(ROOT.value, PRIVATE_ROOT.value))
    assert (result.path, result.chain, result.remedy) == (PRIVATE, (PRIVATE_ISSUING.value,), "")


def test_a_root_that_is_had_here_is_trusted_by_its_fingerprint_alone() -> None:
    leaf, wanted = good(issuer=PRIVATE_ISSUING), certs.desired(issuer=PRIVATE)
    had = {"private_certificates": (PRIVATE_ROOT.value,), "private_roots": frozenset[str]()}
    assert examined(leaf, wanted, given=(PRIVATE_ISSUING.value, leaf), **had).path is None


def test_without_an_allowed_private_root_it_is_said_how_to_allow_one() -> None:
    leaf, wanted = good(issuer=PRIVATE_ISSUING), certs.desired(issuer=PRIVATE)
    absent = examined(leaf, wanted, given=(PRIVATE_ISSUING.value, leaf))
    assert "add its root's PEM file to sectigo.enterprise.privateRoots" in absent.remedy
    sent = examined(leaf, wanted, given=(PRIVATE_ISSUING.value, leaf, PRIVATE_ROOT.value), private_roots=frozenset())
    assert "If CN=Private Root" in sent.remedy
    assert sent.remedy.count(PRIVATE_ROOT.value.sha256) == 1
    assert examined(good(issuer=PRIVATE_ISSUING), given=(PRIVATE_ISSUING.value,)).remedy == ""


def test_an_incomplete_bundle_says_what_is_missing() -> None:
    result = examined(good(), given=())
    assert result.chain == ()
    assert "nothing that was given issued www.example.com" in str(errors(result.findings)[0])


def test_an_intermediate_that_ends_first_is_an_error() -> None:
    early = certs.sub_ca(ROOT, "Early", not_after=certs.START + timedelta(days=100))
    leaf = good(issuer=early)
    (finding,) = examined(leaf, given=(early.value,)).findings
    assert str(finding).startswith("CERT-05: its path is not valid at its end")


def test_an_intermediate_for_something_else_is_an_error() -> None:
    for_mail = certs.sub_ca(PRIVATE_ROOT, "Mail", usages=(ExtendedKeyUsageOID.EMAIL_PROTECTION,))
    leaf = good(issuer=for_mail)
    found = blocking(leaf, certs.desired(issuer=PRIVATE), given=(for_mail.value, PRIVATE_ROOT.value), kind=Kind.PRIVATE)
    assert "CERT-05" in found


def test_a_ca_is_no_leaf() -> None:
    leaf = good(issuer=PRIVATE_ISSUING, ca=True)
    given = (PRIVATE_ROOT.value, PRIVATE_ISSUING.value)
    result = examined(leaf, certs.desired(issuer=PRIVATE), given=given, kind=Kind.PRIVATE)
    assert errors(result.findings) != ()


@pytest.mark.parametrize(("days", "scts", "warned"), [(180, 2, False), (180, 1, True), (181, 2, True), (181, 3, False)])
def test_browsers_want_two_scts_and_three_for_more_than_180_days(days: int, scts: int, warned: bool) -> None:
    found = [text for text in said(good(days=days, scts=scts), term_days=days) if text.startswith("CERT-06")]
    assert bool(found) is warned


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ({"ocsp": False}, "CERT-06: no OCSP responder is named: nothing can be stapled"),
        ({"crl": False}, "CERT-06: no CRL is named"),
        ({"policies": ()}, "CERT-06: its policies do not say OV: there are none"),
        ({"policies": ("2.23.140.1.2.1",)}, "CERT-06: its policies do not say OV: 2.23.140.1.2.1"),
    ],
)
def test_what_a_public_certificate_should_have_is_a_warning(kind: dict[str, Any], text: str) -> None:
    leaf = good(**kind)
    assert said(leaf) == [text]
    assert blocking(leaf) == set()


def test_a_certificate_of_a_week_needs_no_crl() -> None:
    assert said(good(days=7, crl=False), term_days=7) == []


def test_a_kind_that_nobody_knows_is_skipped() -> None:
    assert said(good(), kind=None) == ["CERT-06: skipped: the profile's name does not tell DV, OV or EV"]


def test_must_staple_is_an_error() -> None:
    assert blocking(good(must_staple=True)) == {"CERT-06"}


def test_a_private_certificate_needs_nothing_of_that() -> None:
    assert private_findings(days=199) == []


@pytest.mark.parametrize(("start", "blocks"), [("2027-03-14T23:59:59", False), ("2027-03-15T00:00:00", True)])
def test_client_authentication_ends_for_public_certificates(start: str, blocks: bool) -> None:
    leaf = good(not_before=utc(start), days=47, usages=(SERVER, CLIENT))
    found = [one for one in examined(leaf, now=utc(start), term_days=47).findings if one.rule == "EKU-01"]
    assert len(found) == 1
    assert bool(errors(found)) is blocks


def test_a_certificate_that_is_not_for_servers_is_an_error() -> None:
    assert "EKU-01" in blocking(good(usages=(CLIENT,)))
    assert "EKU-01" in blocking(good(usages=None))


def test_a_serial_that_is_served_already_is_an_error() -> None:
    assert blocking(good(serial=77), live_serials=frozenset({76, 77})) == {"CERT-07"}
    assert blocking(good(serial=77), live_serials=frozenset({76})) == set()


def test_a_revoked_certificate_is_an_error() -> None:
    assert blocking(good(), revoked=True) == {"CERT-07"}


def test_unknown_serials_and_states_are_skipped_not_passed() -> None:
    found = examined(good(), live_serials=None, revoked=None).findings
    assert [(finding.rule, finding.skipped) for finding in found] == [("CERT-07", True), ("CERT-07", True)]


# Both halves of a dual certificate


RSA_CSR = certs.csr("www.example.com", key=certs.rsa_key())
HALVES = {
    KeyType.RSA: examined(good(key=certs.rsa_key()), csr=RSA_CSR),
    KeyType.ECDSA: examined(good()),
}


def test_halves_of_equal_names_and_own_keys_stand_together() -> None:
    assert check_halves(HALVES) == ()
    assert check_halves({KeyType.ECDSA: HALVES[KeyType.ECDSA]}) == ()


def test_halves_in_each_other_s_place_are_an_error() -> None:
    swapped = {KeyType.RSA: HALVES[KeyType.ECDSA], KeyType.ECDSA: HALVES[KeyType.RSA]}
    assert [str(finding) for finding in check_halves(swapped)] == [
        "DUAL-01: the ECDSA half has a RSA-2048 key",
        "DUAL-01: the RSA half has a ECDSA-P256 key",
    ]


def test_halves_of_unequal_names_are_an_error() -> None:
    other = examined(good("www.example.com", "example.com"))
    (finding,) = check_halves({**HALVES, KeyType.ECDSA: other})
    assert str(finding) == "DUAL-01: the halves differ in names: example.com"


def test_a_half_with_the_other_half_s_chain_is_an_error() -> None:
    mixed = replace(HALVES[KeyType.ECDSA], chain=(PRIVATE_ISSUING.value,))
    (finding,) = check_halves({**HALVES, KeyType.ECDSA: mixed})
    assert str(finding) == "DUAL-01: the ECDSA half has a chain that is not its own"


# What a CA of Sectigo's shape issues and sends


KEY_TYPES: list[sandbox_ca.KeyType] = ["RSA", "EC"]
KINDS: list[sandbox_ca.Kind] = ["DV", "OV", "EV", "PRIVATE"]


@pytest.mark.parametrize("key_type", KEY_TYPES)
@pytest.mark.parametrize("kind", KINDS)
def test_what_a_faithful_ca_issues_passes_every_check(
    ca_state: sandbox_ca.CaState, kind: sandbox_ca.Kind, key_type: sandbox_ca.KeyType
) -> None:
    authority = sandbox_ca.Authority(ca_state, ids=Ids(IdState(seed=3)), keys=KeyMaker("pooled"))
    csr = certs.csr("www.example.com", key=certs.rsa_key() if key_type == "RSA" else KEY)
    issued = authority.issue(_request(csr, kind))
    leaf, *above = parse_certificates("".join((issued.leaf_pem, *issued.chain.issuer_first)))
    issuer = PRIVATE if kind == "PRIVATE" else PUBLIC
    result = examine(
        leaf,
        reversed(above),  # SCM sends the root first
        csr,
        certs.desired(issuer=issuer),
        kind=Kind.PRIVATE if kind == "PRIVATE" else Kind(kind),
        term_days=199,
        public_roots=parse_certificates(authority.public_roots_pem()),
        private_roots=frozenset({authority.private_root_fingerprint()}),
        live_serials=frozenset(),
        revoked=False,
        now=NOON,
    )
    assert result.findings == ()
    assert result.path is issuer
    assert result.chain == parse_certificates(issued.chain.issuing)
    assert leaf.sct_count == (0 if kind == "PRIVATE" else 3)


def _request(csr: CsrInfo, kind: sandbox_ca.Kind) -> sandbox_ca.IssueRequest:
    return sandbox_ca.IssueRequest(
        csr_pem=csr.pem,
        kind=kind,
        common_name="www.example.com",
        sans=("www.example.com",),
        subject=sandbox_ca.SubjectFields(
            organization="Example Ltd",
            locality="Manchester",
            state="Greater Manchester",
            country="GB",
            business_category="Private Organization",
            registration_number="01234567",
            jurisdiction_country="GB",
        ),
        term_days=199,
        now=NOON,
    )


def test_a_csr_from_the_request_is_what_the_checks_compare_with() -> None:
    assert parse_csr(CSR.pem).spki_sha256 == good().spki_sha256
