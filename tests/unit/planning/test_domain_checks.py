"""DOM-01, DCV-01, DCV-02: whether SCM will take an order for these names, at the boundary of each rule."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from reconciler.model.domain import DcvMethod, DcvStatus, Domain, Privilege, covering_domain, privilege_for
from reconciler.model.names import DnsName
from reconciler.model.order import OrganizationId
from reconciler.model.reading import Reading
from reconciler.planning.domain_checks import domain_findings, usable_until
from reconciler.planning.prospects import Prospect
from tests.support.prospects import WEB, delegation, domain, prospect


def found(of: Prospect, *domains: Domain, problem: str | None = None) -> list[str]:
    reading = Reading(values=domains, complete=problem is None, problems=(problem,) if problem else ())
    return [f"{one.finding.severity} {one.finding}" for one in domain_findings(of, reading)]


@pytest.mark.parametrize(
    ("name", "covering"),
    [
        ("example.com", "example.com"),
        ("www.example.com", "example.com"),
        ("*.example.com", "example.com"),
        ("a.b.shop.example.com", "shop.example.com"),
        ("*.shop.example.com", "shop.example.com"),
        ("myexample.com", None),
        ("com", None),
    ],
)
def test_the_longest_domain_covers_a_name(name: str, covering: str | None) -> None:
    domains = frozenset(map(DnsName, ("example.com", "shop.example.com", "example.net")))
    assert covering_domain(DnsName(name), domains) == covering


@pytest.mark.parametrize(
    ("name", "privilege"),
    [
        ("example.com", Privilege.DOMAIN),
        ("www.example.com", Privilege.SUBDOMAIN),
        ("a.b.example.com", Privilege.SUBDOMAIN),
        ("*.example.com", Privilege.WILDCARD_AT_DOMAIN),
        ("*.shop.example.com", Privilege.WILDCARD_BELOW),
    ],
)
def test_each_kind_of_name_needs_its_privilege(name: str, privilege: Privilege) -> None:
    assert privilege_for(DnsName(name), DnsName("example.com")) is privilege


def test_a_domain_in_order_gives_no_finding() -> None:
    assert found(prospect("example.com", "www.example.com", "*.example.com", "*.a.example.com"), domain()) == []


def test_an_unknown_domain_is_named_once_as_it_is_registered() -> None:
    assert found(prospect("www.example.org", "a.example.org", "www.example.com"), domain()) == [
        'error DOM-01: SCM knows no domain "example.org" for this login: create it there and delegate it to Example Ltd'
    ]


def test_a_domain_that_was_not_read_is_skipped_and_not_unknown() -> None:
    assert found(prospect("www.example.org"), domain(), problem="scm: read domain example.org: no answer.") == [
        f"note {rule}: skipped: the domain of www.example.org could not be read: scm: read domain example.org: "
        "no answer."
        for rule in ("DOM-01", "DCV-01")
    ]


def test_a_suspended_domain_blocks() -> None:
    assert found(prospect(), domain(active=False)) == ["error DOM-01: domain example.com is suspended in SCM"]


@pytest.mark.parametrize(
    ("given", "why"),
    [
        (delegation(organization_id=OrganizationId(1201)), "is missing"),
        (delegation(ssl=False), "is missing"),
        (delegation(active=False), "waits for approval"),
    ],
)
def test_a_domain_must_be_delegated_to_who_orders(given: object, why: str) -> None:
    assert found(prospect(), domain(delegations=(given,))) == [
        f"error DOM-01: the delegation of domain example.com to Example Ltd for SSL {why}"
    ]


def test_a_department_needs_a_delegation_of_its_own() -> None:
    assert found(prospect(organization=WEB), domain()) == [
        "error DOM-01: the delegation of domain example.com to Example Ltd / Web for SSL is missing"
    ]
    assert found(prospect(organization=WEB), domain(delegations=(delegation(organization_id=WEB.id),))) == []


def test_each_missing_privilege_names_those_that_need_it() -> None:
    names = ("example.com", "www.example.com", "a.example.com", "*.example.com", "*.shop.example.com")
    assert found(prospect(*names), domain("example.com", delegation(Privilege.DOMAIN))) == [
        "error DOM-01: the delegation of domain example.com to Example Ltd lacks SUBDOMAIN, which a.example.com, "
        "www.example.com need",
        "error DOM-01: the delegation of domain example.com to Example Ltd lacks WILDCARD_1ST_LEVEL, which "
        "*.example.com need",
        "error DOM-01: the delegation of domain example.com to Example Ltd lacks WILDCARD_2ND_LEVEL, which "
        "*.shop.example.com need",
    ]


def test_two_delegations_to_one_organization_add_up() -> None:
    both = (delegation(Privilege.DOMAIN), delegation(Privilege.SUBDOMAIN))
    assert found(prospect("example.com", "www.example.com"), domain(delegations=both)) == []


@pytest.mark.parametrize("given", [delegation(privileges=None), delegation(ssl=None)])
def test_a_delegation_that_scm_does_not_show_whole_is_skipped(given: object) -> None:
    assert found(prospect(), domain(delegations=(given,))) == [
        "note DOM-01: skipped: SCM does not say what the delegation of example.com allows"
    ]


# Validation


@pytest.mark.parametrize(
    ("done_on", "until", "issue_on", "usable"),
    [
        (date(2026, 11, 6), date(2027, 5, 23), date(2026, 11, 20), date(2027, 5, 21)),  # as shown
        (date(2026, 4, 1), date(2027, 5, 1), date(2026, 11, 20), date(2026, 10, 14)),  # 198 days, whatever is shown
        (date(2026, 11, 6), date(2027, 5, 23), date(2027, 3, 15), date(2027, 2, 12)),  # 100 days from the cut on
        (date(2026, 11, 6), date(2027, 5, 23), date(2027, 3, 14), date(2027, 5, 21)),
        (None, date(2027, 5, 23), date(2026, 11, 20), date(2027, 5, 21)),
        (date(2026, 11, 6), None, date(2026, 11, 20), date(2027, 5, 21)),
        (None, None, date(2026, 11, 20), None),
    ],
)
def test_a_validation_is_of_use_by_the_rule_of_the_day_of_issue(
    done_on: date | None, until: date | None, issue_on: date, usable: date | None
) -> None:
    assert usable_until(domain(dcv_done_on=done_on, dcv_until=until), issue_on) == usable


@pytest.mark.parametrize(
    ("until", "expected"),
    [
        (date(2026, 11, 29), []),  # usable to the 27th: a week after the 20th
        (
            date(2026, 11, 28),
            [
                "warning DCV-02: the validation of domain example.com can be used until 2026-11-26; the order is "
                "planned for 2026-11-20, with 7 days to spare"
            ],
        ),
        (
            date(2026, 11, 22),
            [
                "warning DCV-02: the validation of domain example.com can be used until 2026-11-20; the order is "
                "planned for 2026-11-20, with 7 days to spare"
            ],
        ),
        (
            date(2026, 11, 21),
            [
                "error DCV-01: the validation of domain example.com can be used until 2026-11-19; issue is expected on "
                "2026-11-20: validate it in SCM first"
            ],
        ),
    ],
)
def test_a_validation_must_last_until_issue_and_should_a_week_longer(until: date, expected: list[str]) -> None:
    assert found(prospect(), domain(dcv_until=until)) == expected


def test_the_week_counts_from_when_the_order_is_due() -> None:
    later = prospect(due_at=datetime(2026, 12, 1, tzinfo=UTC))
    earlier = prospect(due_at=datetime(2026, 11, 1, tzinfo=UTC))
    until = date(2026, 12, 9)  # usable to the 7th
    assert found(later, domain(dcv_until=until)) == [
        "warning DCV-02: the validation of domain example.com can be used until 2026-12-07; the order is planned for "
        "2026-12-01, with 7 days to spare"
    ]
    assert found(later, domain(dcv_until=date(2026, 12, 10))) == []
    assert found(earlier, domain(dcv_until=until)) == []


@pytest.mark.parametrize(
    ("status", "text"), [(DcvStatus.NOT_VALIDATED, "is missing"), (DcvStatus.EXPIRED, "has expired")]
)
def test_a_domain_without_validation_blocks(status: DcvStatus, text: str) -> None:
    assert found(prospect(), domain(dcv_status=status)) == [
        f"error DCV-01: the validation of domain example.com {text}: validate it in SCM first"
    ]


def test_an_order_that_brings_its_own_validation_waits_for_it() -> None:
    with_order = prospect(dcv_mode="CNAME")
    assert found(with_order, domain(dcv_status=DcvStatus.EXPIRED)) == [
        "warning DCV-01: the validation of domain example.com has expired: the order will wait for it"
    ]
    assert found(with_order, domain(dcv_status=None)) == []


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"dcv_status": None}, "SCM does not show whether example.com is validated"),
        ({"dcv_status": DcvStatus.UNKNOWN}, "SCM gives example.com a validation status that is not known"),
        ({"dcv_done_on": None, "dcv_until": None}, "SCM does not say until when example.com is validated"),
    ],
)
def test_what_scm_does_not_say_is_skipped(fields: dict[str, Any], why: str) -> None:
    assert found(prospect(), domain(**fields)) == [f"note DCV-01: skipped: {why}"]


def test_e_mail_is_warned_of_and_ends() -> None:
    by_mail = domain(dcv_method=DcvMethod.EMAIL)
    assert found(prospect(), by_mail) == [
        "warning DCV-02: domain example.com is validated by e-mail: no machine can repeat it, and it ends on 2028-03-15"
    ]
    late = prospect(issue_at=datetime(2028, 3, 15, tzinfo=UTC))
    fresh = domain(dcv_method=DcvMethod.EMAIL, dcv_done_on=date(2028, 3, 1), dcv_until=date(2028, 6, 1))
    assert found(late, fresh)[0] == (
        "error DCV-01: domain example.com was validated by e-mail, which does not count from 2028-03-15 on: "
        "validate it in SCM first"
    )


@pytest.mark.parametrize("method", [DcvMethod.HTTP, DcvMethod.HTTPS])
def test_methods_for_one_name_do_not_cover_others(method: DcvMethod) -> None:
    of_host = domain(dcv_method=method)
    assert found(prospect("example.com", "*.example.com"), of_host) == [
        f"warning DCV-02: domain example.com is validated over {method}, which shows control of that name alone, not "
        "of *.example.com"
    ]
    assert found(prospect("example.com"), of_host) == []


@pytest.mark.parametrize("method", [DcvMethod.CNAME, DcvMethod.TXT, None])
def test_dns_methods_cover_all_below(method: DcvMethod | None) -> None:
    assert found(prospect("example.com", "*.example.com"), domain(dcv_method=method)) == []
