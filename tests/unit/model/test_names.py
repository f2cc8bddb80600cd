"""Names are normalised once, and each rule of the catalogue finds what it is there for, and nothing else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.errors import Severity
from reconciler.model.names import (
    BadNameError,
    DnsName,
    common_name_findings,
    covers,
    dns_name,
    ev_wildcard_findings,
    name_findings,
    registrable_domain,
    set_findings,
)

LABEL_63 = "a" * 63


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("www.example.com", "www.example.com"),
        ("WWW.Example.COM.", "www.example.com"),
        ("  www.example.com ", "www.example.com"),
        ("*.Example.com", "*.example.com"),
        ("bücher.example.com", "xn--bcher-kva.example.com"),
        ("BÜCHER.example.com", "xn--bcher-kva.example.com"),
        ("*.bücher.example.com", "*.xn--bcher-kva.example.com"),
        ("straße.example.com", "xn--strae-oqa.example.com"),
        ("www。example。com", "www.example.com"),
        ("XN--BCHER-KVA.example.com", "xn--bcher-kva.example.com"),
        ("_dmarc.example.com", "_dmarc.example.com"),
        ("192.0.2.1", "192.0.2.1"),
    ],
)
def test_a_name_is_read_as_certificates_carry_it(text: str, name: str) -> None:
    assert dns_name(text) == name


@pytest.mark.parametrize(
    "text", ["", ".", "a..b", ".example.com", "https://example.com", "a b.com", "example.com:443", "☃.example.com"]
)
def test_what_no_name_can_be_is_refused(text: str) -> None:
    with pytest.raises(BadNameError):
        dns_name(text)


label = st.from_regex(r"[a-zA-Z0-9]([a-zA-Z0-9]{0,10}[a-zA-Z0-9])?", fullmatch=True)


@given(st.lists(label, min_size=1, max_size=5).map(".".join))
def test_reading_a_name_twice_changes_nothing(text: str) -> None:
    assert dns_name(dns_name(text)) == dns_name(text) == text.lower()


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("https://www.example.com/", "NAME-01"),
        ("www.example.com/path", "NAME-01"),
        ("www.example.com:443", "NAME-01"),
        ("admin@example.com", "NAME-01"),
        ("www.example.com.", "NAME-01"),
        ("www..example.com", "NAME-01"),
        (".example.com", "NAME-01"),
        ("www.exa mple.com", "NAME-01"),
        (" www.example.com", "NAME-01"),
        ("", "NAME-01"),
        ("-www.example.com", "NAME-01"),
        ("www-.example.com", "NAME-01"),
        ("wäw!.example.com", "NAME-09"),
        ("www!.example.com", "NAME-01"),
        ("a" * 64 + ".example.com", "NAME-01"),
        (".".join([LABEL_63] * 4) + ".com", "NAME-01"),
        ("my_host.example.com", "NAME-02"),
        ("intranet", "NAME-03"),
        ("host.local", "NAME-03"),
        ("host.internal", "NAME-03"),
        ("host.corp", "NAME-03"),
        ("host.lan", "NAME-03"),
        ("host.test", "NAME-03"),
        ("host.example", "NAME-03"),
        ("host.invalid", "NAME-03"),
        ("host.localhost", "NAME-03"),
        ("router.home.arpa", "NAME-03"),
        ("com", "NAME-03"),
        ("10.0.0.1", "NAME-04"),
        ("127.0.0.1", "NAME-04"),
        ("100.64.0.1", "NAME-04"),
        ("192.0.2.1", "NAME-04"),
        ("8.8.8.8", "NAME-04"),
        ("fd00::1", "NAME-04"),
        ("[::1]", "NAME-04"),
        ("*", "NAME-05"),
        ("w*.example.com", "NAME-05"),
        ("a.*.example.com", "NAME-05"),
        ("*.*.example.com", "NAME-05"),
        ("*example.com", "NAME-05"),
        ("*.com", "NAME-06"),
        ("*.co.uk", "NAME-06"),
        ("*.example.ck", "NAME-06"),
        ("ab--cd.example.com", "NAME-09"),
        ("xn--999999999.example.com", "NAME-09"),
        ("☃.example.com", "NAME-09"),
        ("1.0.0.10.in-addr.arpa", "NAME-10"),
        ("1.ip6.arpa", "NAME-10"),
        ("expyuzz4wqqyqhjn.onion", "NAME-10"),
    ],
)
def test_a_name_that_breaks_a_rule_is_found_by_it_alone(text: str, rule: str) -> None:
    findings = name_findings(text, public=True)
    assert [finding.rule for finding in findings] == [rule]
    assert findings[0].severity is Severity.ERROR
    assert findings[0].remedy


@pytest.mark.parametrize(
    "text",
    [
        "www.example.com",
        "EXAMPLE.com",
        "*.example.com",
        "*.a.b.example.co.uk",
        "a.b.c.d.e.example.com",
        "1.example.com",
        "xn--bcher-kva.example.com",
        "bücher.example.com",
        "пример.рф",
        "example.xn--p1ai",
        LABEL_63 + ".example.com",
        ".".join([LABEL_63] * 3 + ["a" * 57, "com"]),  # 253 characters
        "github.io",
        "www.github.io",
        "www.ck",
        "a-b--c.example.com",
    ],
)
def test_a_good_name_is_found_by_no_rule(text: str) -> None:
    assert name_findings(text, public=True) == ()


@pytest.mark.parametrize("text", ["my_host.corp", "intranet", "host.local", "*.lan", "router.home.arpa", "x.onion"])
def test_a_private_issuer_is_not_bound_by_the_rules_for_public_names(text: str) -> None:
    assert name_findings(text, public=False) == ()


@pytest.mark.parametrize("text", ["a..b", "w*.corp", "ab--cd.corp", "-a.corp", "☃.corp"])
def test_a_private_issuer_is_bound_by_the_syntax(text: str) -> None:
    assert [finding.severity for finding in name_findings(text, public=False)] == [Severity.ERROR]


def test_a_private_address_for_a_private_issuer_is_a_warning() -> None:
    assert [(one.rule, one.severity) for one in name_findings("10.0.0.1", public=False)] == [
        ("NAME-04", Severity.WARNING)
    ]


@pytest.mark.parametrize("text", ["*.github.io", "*.blogspot.com"])
def test_a_wildcard_on_a_private_suffix_is_a_warning(text: str) -> None:
    assert [(one.rule, one.severity) for one in name_findings(text, public=True)] == [("NAME-06", Severity.WARNING)]


def test_a_scheme_is_answered_with_the_name_to_write() -> None:
    (finding,) = name_findings("https://user@www.example.com:8443/x", public=True)
    assert finding.remedy == 'Write only "www.example.com".'


@pytest.mark.parametrize(("length", "rules"), [(64, []), (65, ["NAME-08"])])
def test_a_common_name_has_at_most_64_characters(length: int, rules: list[str]) -> None:
    name = DnsName(("a" * 40 + "." + "b" * 60)[: length - len(".example.com")] + ".example.com")
    assert len(name) == length
    assert [finding.rule for finding in common_name_findings(name)] == rules


@pytest.mark.parametrize(
    ("count", "severities"),
    [(40, []), (41, [Severity.WARNING]), (100, [Severity.WARNING]), (101, [Severity.ERROR])],
)
def test_the_number_of_names_is_advised_at_40_and_limited_at_100(count: int, severities: list[Severity]) -> None:
    findings = set_findings(DnsName(f"h{index}.example.com") for index in range(count))
    assert [(one.rule, one.severity) for one in findings] == [("NAME-11", severity) for severity in severities]


def test_repetitions_and_names_under_their_own_wildcard_are_warnings() -> None:
    names = [DnsName(name) for name in ("a.example.com", "b.example.com", "a.example.com", "*.example.com")]
    findings = set_findings(names)
    assert {one.severity for one in findings} == {Severity.WARNING}
    assert [one.text for one in findings] == [
        '"a.example.com" is named 2 times.',
        '"a.example.com" is covered by "*.example.com" already.',
        '"b.example.com" is covered by "*.example.com" already.',
    ]


def test_a_wildcard_does_not_cover_its_own_domain() -> None:
    assert set_findings([DnsName("*.example.com"), DnsName("example.com"), DnsName("a.b.example.com")]) == ()


@pytest.mark.parametrize(
    ("name", "covered"),
    [("a.example.com", True), ("example.com", False), ("a.b.example.com", False), ("*.example.com", False)],
)
def test_a_star_stands_for_one_label(name: str, covered: bool) -> None:
    assert covers(DnsName("*.example.com"), DnsName(name)) is covered


def test_every_wildcard_is_told_for_ev() -> None:
    findings = ev_wildcard_findings([DnsName("www.example.com"), DnsName("*.example.com")])
    assert [finding.rule for finding in findings] == ["NAME-07"]


@pytest.mark.parametrize(
    ("name", "domain"),
    [
        ("a.b.example.co.uk", "example.co.uk"),
        ("*.example.com", "example.com"),
        ("a.github.io", "github.io"),
        ("co.uk", None),
        ("host.local", None),
    ],
)
def test_the_registrable_domain_lies_below_the_icann_suffix(name: str, domain: str | None) -> None:
    assert registrable_domain(DnsName(name)) == domain
