"""Names that lose their certificate: what DNS says of them, and what nobody looked at."""

import dataclasses
from datetime import timedelta
from typing import Any

import pytest

from reconciler.model.certificate import KeyType, State
from reconciler.model.dns import AliasLookup, LookupFailure
from reconciler.model.enrollment import Served, ServedCertificate
from reconciler.model.names import DnsName
from reconciler.model.order import Order, OrderStatus
from reconciler.planning.edge_names import asked_as, to_ask, with_leaving_names
from reconciler.planning.plan import Standing, plan_for
from reconciler.planning.steps import Actor, Blocked
from tests.support.certs import desired
from tests.support.looks import (
    ENROLLMENT,
    NOW,
    account_view,
    context,
    enrollment_for,
    instance_view,
    names,
    order_for,
)

EDGE = AliasLookup(aliases=(DnsName("www.example.com.edgekey.net"), DnsName("e1.a.akamaiedge.net")))
ELSEWHERE = AliasLookup(aliases=(DnsName("host.example.net"),))
SILENT = AliasLookup(failure=LookupFailure.TIMEOUT)
LIVE = desired("www.example.com", "old.example.com", "*.example.org")
SERVED = ServedCertificate(
    key_type=KeyType.ECDSA, serial=71, sha256="ab", expires_at=NOW + timedelta(days=150), issuer="CA"
)
ORDER = order_for(LIVE, serial=71, status=OrderStatus.ISSUED, issued_at=NOW - timedelta(days=49))


def standing(*wanted: str, state: State = State.PRESENT, orders: tuple[Order, ...] = (ORDER,)) -> Standing:
    """Return the standing of a certificate that is served with three names, and is to have those `wanted`."""
    wish = dataclasses.replace(desired(*wanted), state=state)
    account = account_view(
        enrollment_for(LIVE, pending=()), served={ENROLLMENT: Served(production={KeyType.ECDSA: SERVED})}
    )
    (found,) = plan_for((wish,), context(account, instance_view(*orders))).standings
    assert found.action is not None
    return found


def notes(found: Standing, lookups: dict[DnsName, AliasLookup] | None) -> tuple[str, ...]:
    action = with_leaving_names(found, lookups).action
    assert action is not None
    return action.notes


def test_only_names_that_go_are_asked_for() -> None:
    assert to_ask([standing("www.example.com", "*.example.org", "new.example.com")]) == {"old.example.com"}
    assert to_ask([standing("www.example.com", "old.example.com", "*.example.org", "new.example.com")]) == set()


def test_of_a_wildcard_a_name_that_it_covers_is_asked_for() -> None:
    assert to_ask([standing("www.example.com", "old.example.com")]) == {"certrecon-probe.example.org"}
    assert asked_as(DnsName("old.example.com")) == "old.example.com"


def test_names_go_also_from_an_enrollment_whose_certificate_scm_does_not_know() -> None:
    found = standing("www.example.com", "*.example.org", orders=())
    assert found.serving is not None
    assert found.serving.names is None
    assert to_ask([found]) == {"old.example.com"}


@pytest.mark.parametrize(
    ("lookups", "expected"),
    [
        ({"old.example.com": EDGE}, "DNS-02: DNS still points at the edge, which will have no certificate for old.exa"),
        ({"old.example.com": SILENT}, "DNS-02: skipped: DNS did not tell whether it still points at the edge for old."),
        (None, "DNS-02: skipped: nobody looked whether DNS still points at the edge for old.example.com (--dns)"),
    ],
    ids=["at the edge", "silent", "not asked"],
)
def test_a_name_that_goes_is_a_note_and_holds_nothing_back(lookups: Any, expected: str) -> None:
    found = standing("www.example.com", "*.example.org")
    (note,) = set(notes(found, lookups)) - set(notes(found, {DnsName("old.example.com"): ELSEWHERE}))
    assert note.startswith(expected)


def test_a_name_that_points_elsewhere_is_not_worth_a_word() -> None:
    found = standing("www.example.com", "*.example.org")
    assert found.action is not None
    assert notes(found, {DnsName("old.example.com"): ELSEWHERE}) == found.action.notes


def test_a_removal_is_refused_while_a_name_points_at_the_edge() -> None:
    found = standing("www.example.com", state=State.ABSENT)
    asked = to_ask([found])
    assert asked == names("www.example.com", "old.example.com", "certrecon-probe.example.org")
    lookups = {name: EDGE if name == "certrecon-probe.example.org" else ELSEWHERE for name in asked}
    refused = with_leaving_names(found, lookups)
    assert refused.action is None
    assert isinstance(refused.decision, Blocked)
    assert (refused.decision.actor, refused.decision.reason) == (Actor.OPERATOR, "names-at-edge")
    assert "*.example.org" in refused.decision.text
    assert with_leaving_names(found, dict.fromkeys(asked, ELSEWHERE)) == found


def test_a_removal_without_dns_says_that_nobody_looked() -> None:
    found = standing("www.example.com", state=State.ABSENT)
    assert notes(found, None)[-1].startswith("DNS-02: skipped: nobody looked")
