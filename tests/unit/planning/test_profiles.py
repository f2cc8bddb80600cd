"""What a profile's name and SCM's data say about what it will issue."""

import pytest

from reconciler.model.certificate import IssuerClass, KeyType
from reconciler.model.names import DnsName
from reconciler.model.order import Profile, ProfileId
from reconciler.planning.profiles import Kind, ca_additions, check_profile, kind_of
from tests.support import certs

PUBLIC, PRIVATE = IssuerClass.PUBLIC, IssuerClass.PRIVATE
KEYS = {"RSA": frozenset({"2048", "4096"}), "EC": frozenset({"P-256"})}


def profile(name: str, keys: dict[str, frozenset[str]] | None = None) -> Profile:
    return Profile(id=ProfileId(1), name=name, terms_days=frozenset({199}), key_types=KEYS if keys is None else keys)


@pytest.mark.parametrize(
    ("name", "issuer", "kind"),
    [
        ("DV Single", PUBLIC, Kind.DV),
        ("Acme-OV multi", PUBLIC, Kind.OV),
        ("ev_199", PUBLIC, Kind.EV),
        ("Everything", PUBLIC, None),  # "EV" is not a word in it
        ("DV or OV", PUBLIC, None),
        ("Web", PRIVATE, Kind.PRIVATE),
        ("OV Single", PRIVATE, Kind.PRIVATE),
    ],
)
def test_the_kind_is_a_word_of_the_name(name: str, issuer: IssuerClass, kind: Kind | None) -> None:
    assert kind_of(name, issuer) is kind


@pytest.mark.parametrize(
    ("common_name", "added"),
    [
        ("example.com", "www.example.com"),
        ("www.example.com", "example.com"),
        ("*.example.com", "example.com"),
        ("img.example.com", "www.img.example.com"),
    ],
)
def test_cas_add_the_bare_or_the_www_name(common_name: str, added: str) -> None:
    assert ca_additions(DnsName(common_name)) == {added}


@pytest.mark.parametrize(
    ("name", "names", "issuer"),
    [
        ("DV Single", ("www.example.com",), PUBLIC),
        ("DV Single", ("www.example.com", "example.com"), PUBLIC),
        ("OV Multi-Domain", ("www.example.com", "*.example.com", "a.example.net"), PUBLIC),
        ("OV Single Wildcard", ("*.example.com", "example.com"), PUBLIC),
        ("OV Wildcard", ("*.example.com",), PUBLIC),
        ("Single Sign-On", ("www.example.com", "a.example.com"), PUBLIC),
        ("Private TLS", ("www.example.com", "*.example.com"), PRIVATE),
        ("Private Single", ("www.example.com", "*.example.com"), PRIVATE),  # no rule of ours
        ("Web", ("www.example.com",), PRIVATE),
    ],
)
def test_a_fitting_profile_is_silent(name: str, names: tuple[str, ...], issuer: IssuerClass) -> None:
    assert check_profile(certs.desired(*names, issuer=issuer), profile(name), KeyType) == ()


@pytest.mark.parametrize(
    ("name", "names", "issuer", "text"),
    [
        (
            "DV Single",
            ("www.example.com", "a.example.com"),
            PUBLIC,
            'PROF-02: profile "DV Single" issues for one name; further ones are a.example.com',
        ),
        (
            "OV single-domain",
            ("*.example.com",),
            PUBLIC,
            'PROF-02: profile "OV single-domain" issues no wildcard; the file asks for *.example.com',
        ),
        (
            "EV Multi-Domain",
            ("www.example.com", "*.example.com"),
            PUBLIC,
            "PROF-02: EV allows no wildcard (EV Guidelines 7.1.2.7): *.example.com",
        ),
        (
            "Private TLS",
            ("www.example.com",),
            PUBLIC,
            'PROF-01: profile "Private TLS" is a private one by its name; the file says issuer: public',
        ),
        (
            "OV Single",
            ("www.example.com",),
            PRIVATE,
            'PROF-01: profile "OV Single" is a public one by its name; the file says issuer: private',
        ),
    ],
)
def test_a_profile_that_will_not_issue_this_is_an_error(
    name: str, names: tuple[str, ...], issuer: IssuerClass, text: str
) -> None:
    found = check_profile(certs.desired(*names, issuer=issuer), profile(name), KeyType)
    assert [str(finding) for finding in found] == [text]


def test_a_key_type_that_the_profile_does_not_take_is_an_error() -> None:
    rsa_only = profile("OV", {"RSA": frozenset({"2048", "4096"}), "EC": frozenset({"P-384"})})
    found = check_profile(certs.desired(), rsa_only, [KeyType.RSA, KeyType.ECDSA])
    assert [str(finding) for finding in found] == [
        'PROF-01: profile "OV" takes no ECDSA-P256 keys; it takes EC P-384, RSA 2048, RSA 4096'
    ]


def test_a_profile_without_key_types_is_not_checked_for_them() -> None:
    (finding,) = check_profile(certs.desired(), profile("OV", {}), KeyType)
    assert (finding.rule, finding.skipped) == ("PROF-01", True)
