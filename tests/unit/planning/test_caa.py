"""Who may issue for a name, from lookups as values: the climb, the deciding records, and what a failure means."""

from collections.abc import Mapping
from datetime import date

import pytest

from reconciler.errors import Severity
from reconciler.model.dns import CaaLookup, CaaLookups, CaaRecord, LookupFailure
from reconciler.model.names import DnsName
from reconciler.planning.caa import Verdict, caa_findings, judge, not_asked, to_ask

TODAY, BINDING = date(2026, 11, 20), date(2027, 3, 15)
OTHER = 'issue "letsencrypt.org"'


def record(text: str) -> CaaRecord:
    """Return a record from `issue "sectigo.com"`; a "!" in front makes it critical."""
    tag, _, value = text.partition(" ")
    return CaaRecord(tag=tag.removeprefix("!"), value=value.strip('"'), critical=tag.startswith("!"))


def lookups(**at: str | CaaLookup) -> Mapping[DnsName, CaaLookup]:
    """Return lookups of names (dots as "_"): records joined by " | ", "" for none."""
    return {
        DnsName(name.replace("_", ".")): found
        if isinstance(found, CaaLookup)
        else CaaLookup(records=tuple(record(one) for one in found.split(" | ") if one))
        for name, found in at.items()
    }


def verdict(text: str, name: str = "example.com", *, issue_on: date = TODAY) -> Verdict:
    return judge(DnsName(name), lookups(example_com=text, com=""), issue_on=issue_on).verdict


def found(names: str, at: Mapping[DnsName, CaaLookup], *, issue_on: date = TODAY, validating: bool = True) -> list[str]:
    findings = caa_findings(
        frozenset(map(DnsName, names.split())), CaaLookups(by_name=at, validating=validating), issue_on=issue_on
    )
    return [f"{one.severity} {one}" for one in findings]


@pytest.mark.parametrize(
    ("records", "name", "expected"),
    [
        ("", "example.com", Verdict.ALLOWED),
        ('issue "sectigo.com"', "example.com", Verdict.ALLOWED),
        ('issue " Sectigo.COM ; policy=ev"', "example.com", Verdict.ALLOWED),
        ('issue "usertrust.com"', "example.com", Verdict.ALLOWED),
        ('issue "trust-provider.com"', "example.com", Verdict.ALLOWED),
        ('issue "comodoca.com"', "example.com", Verdict.ALLOWED),
        ('issue "entrust.net"', "example.com", Verdict.ALLOWED),
        (f'{OTHER} | issue "sectigo.com"', "example.com", Verdict.ALLOWED),
        (OTHER, "example.com", Verdict.FORBIDDEN),
        ('issue ";"', "example.com", Verdict.FORBIDDEN),
        ('issue ""', "example.com", Verdict.FORBIDDEN),
        ('issue "www.sectigo.com"', "example.com", Verdict.FORBIDDEN),
        ('issue "notsectigo.com"', "example.com", Verdict.FORBIDDEN),
        ('iodef "mailto:a@example.com"', "example.com", Verdict.ALLOWED),
        ('!iodef "mailto:a@example.com"', "example.com", Verdict.ALLOWED),
        ('future "x" | issue "sectigo.com"', "example.com", Verdict.ALLOWED),
        ('!future "x" | issue "sectigo.com"', "example.com", Verdict.FORBIDDEN),
        ('issuewild ";"', "example.com", Verdict.ALLOWED),
        ('issuewild ";"', "*.example.com", Verdict.FORBIDDEN),
        ('issuewild "sectigo.com" | issue ";"', "*.example.com", Verdict.ALLOWED),
        ('issuewild "sectigo.com" | issue ";"', "example.com", Verdict.FORBIDDEN),
        ('issuewild "letsencrypt.org" | issue "sectigo.com"', "*.example.com", Verdict.FORBIDDEN),
        ('issue "sectigo.com"', "*.example.com", Verdict.ALLOWED),
        (OTHER, "*.example.com", Verdict.FORBIDDEN),
    ],
)
def test_one_set_of_records_decides(records: str, name: str, expected: Verdict) -> None:
    assert verdict(records, name) is expected


def test_the_nearest_set_decides() -> None:
    at = lookups(www_example_com="", example_com='issue "sectigo.com"', com='issue ";"', shop_example_com=OTHER)
    assert judge(DnsName("www.example.com"), at, issue_on=TODAY).verdict is Verdict.ALLOWED
    assert judge(DnsName("shop.example.com"), at, issue_on=TODAY).verdict is Verdict.FORBIDDEN


def test_even_the_top_level_domain_can_decide() -> None:
    at = lookups(example_com="", com='issue ";"')
    judgement = judge(DnsName("example.com"), at, issue_on=TODAY)
    assert (judgement.verdict, judgement.at) == (Verdict.FORBIDDEN, "com")


def test_only_what_decides_is_asked_for_next() -> None:
    names = [DnsName("a.example.com"), DnsName("*.example.com"), DnsName("b.a.example.com")]
    assert to_ask(names, {}) == {"a.example.com", "example.com", "b.a.example.com"}
    at = dict(lookups(b_a_example_com="", a_example_com=OTHER, example_com=""))
    assert to_ask(names, at) == {"com"}
    failed = {**at, **lookups(example_com=CaaLookup(failure=LookupFailure.TIMEOUT))}
    assert to_ask(names, failed) == frozenset()
    assert to_ask(names, {**at, **lookups(com="")}) == frozenset()


def test_names_with_one_reason_share_a_finding() -> None:
    at = lookups(a_example_com="", b_example_com="", example_com=f'{OTHER} | issue "pki.goog"')
    assert found("b.example.com a.example.com", at) == [
        "error CAA-01: CAA of example.com does not let Sectigo issue for a.example.com, b.example.com: "
        'issue "letsencrypt.org", issue "pki.goog"'
    ]


def test_an_alias_is_named_since_its_zone_is_where_to_mend() -> None:
    at = lookups(example_com=CaaLookup(records=(record(OTHER),), canonical=DnsName("edge.example.net")))
    assert found("example.com", at) == [
        "error CAA-01: CAA of example.com (an alias of edge.example.net) does not let Sectigo issue for example.com: "
        'issue "letsencrypt.org"'
    ]


def test_what_is_allowed_is_silent() -> None:
    assert found("example.com", lookups(example_com='issue "sectigo.com"')) == []


@pytest.mark.parametrize(
    ("value", "issue_on", "words"),
    [
        ("comodoca.com", TODAY, "a former name of Sectigo"),
        ("affirmtrust.com", TODAY, "only under a contract"),
        ("sectigo.com; accounturi=https://x/1", TODAY, "accounturi in"),
        ("sectigo.com; accounturi=https://x/1", TODAY, "will bind from 2027-03-15 on"),
        ("sectigo.com; accounturi=https://x/1", BINDING, " binds: whether it fits SCM's account is not known"),
        ("sectigo.com;ValidationMethods = dns-01", BINDING, "validationmethods in"),
    ],
)
def test_a_permission_with_a_catch_is_a_warning(value: str, issue_on: date, words: str) -> None:
    (text,) = found("example.com", lookups(example_com=f'issue "{value}"'), issue_on=issue_on)
    assert text.startswith("warning CAA-01: CAA of example.com: ")
    assert words in text


def test_one_clean_record_outweighs_those_with_a_catch() -> None:
    at = lookups(example_com='issue "comodo.com" | issue "sectigo.com; accounturi=x" | issue "sectigo.com"')
    assert found("example.com", at) == []


@pytest.mark.parametrize(
    ("signed", "severity"), [(True, Severity.ERROR), (False, Severity.WARNING), (None, Severity.WARNING)]
)
def test_a_failed_lookup_blocks_where_the_domain_is_signed(signed: bool | None, severity: Severity) -> None:
    at = lookups(example_com=CaaLookup(failure=LookupFailure.TIMEOUT, signed=signed))
    (finding,) = caa_findings({DnsName("example.com")}, CaaLookups(by_name=at, validating=True), issue_on=TODAY)
    assert (finding.rule, finding.severity, finding.skipped) == ("CAA-01", severity, False)
    assert "CAA of example.com could not be read for example.com: no answer in time" in finding.text


def test_a_failure_on_the_way_up_is_not_passed_over() -> None:
    at = lookups(www_example_com="", example_com=CaaLookup(failure=LookupFailure.TIMEOUT), com="")
    assert judge(DnsName("www.example.com"), at, issue_on=TODAY).verdict is Verdict.INDETERMINATE


@pytest.mark.parametrize("failure", [LookupFailure.BOGUS, LookupFailure.SERVFAIL])
def test_failing_dnssec_is_a_finding_of_its_own_told_once(failure: LookupFailure) -> None:
    at = lookups(a_example_com="", b_example_com="", example_com=CaaLookup(failure=failure, signed=True))
    texts = found("a.example.com b.example.com", at)
    assert [text.partition(":")[0] for text in texts] == ["error CAA-01", "warning DNS-01"]
    assert texts[1] == (
        f"warning DNS-01: example.com: {failure}; public CAs refuse to issue where DNSSEC does not validate"
    )


@pytest.mark.parametrize("failure", [LookupFailure.TIMEOUT, LookupFailure.UNUSABLE])
def test_other_failures_say_nothing_of_dnssec(failure: LookupFailure) -> None:
    assert not [
        text for text in found("example.com", lookups(example_com=CaaLookup(failure=failure))) if "DNS-01" in text
    ]


@pytest.mark.parametrize("validating", [False, None])
def test_a_resolver_that_does_not_check_leaves_dnssec_skipped(validating: bool | None) -> None:
    at = CaaLookups(by_name=lookups(example_com='issue "sectigo.com"'), validating=validating)
    (finding,) = caa_findings({DnsName("example.com")}, at, issue_on=TODAY)
    assert (finding.rule, finding.skipped) == ("DNS-01", True)


def test_what_nobody_asked_is_skipped_and_not_allowed() -> None:
    (finding,) = caa_findings({DnsName("www.example.com")}, CaaLookups(validating=True), issue_on=TODAY)
    assert (finding.rule, finding.skipped) == ("CAA-01", True)
    assert [(one.rule, one.skipped, one.text) for one in not_asked("offline")] == [
        ("CAA-01", True, "offline"),
        ("DNS-01", True, "offline"),
    ]
