"""What the edge shows, judged: names, key types, dates, the path to an allowed root."""

import dataclasses
from datetime import timedelta

import pytest

from reconciler.model.certificate import InstanceName, IssuerClass, KeyType
from reconciler.model.handshake import Handshake
from reconciler.model.names import DnsName
from reconciler.model.policy import Policy
from reconciler.model.x509 import Certificate
from reconciler.planning.case import Trust
from reconciler.planning.edge_checks import EdgeVerdict, judge_edge
from tests.support import certs

ROOT = certs.root_ca()
ISSUING = certs.sub_ca(ROOT)
PRIVATE = certs.root_ca("Private Root")
NAME, STATIC = DnsName("www.example.com"), DnsName("static.example.com")
NOW = certs.START + timedelta(days=10)
TRUST = Trust(
    public_roots=(ROOT.value,),
    private_roots={InstanceName("enterprise"): frozenset({PRIVATE.value.sha256})},
    private_certificates=(PRIVATE.value,),
)
LEAF = certs.leaf(ISSUING, NAME, STATIC)
RSA_LEAF = certs.leaf(ISSUING, NAME, STATIC, key=certs.rsa_key())
REFUSED = Handshake(key_type=KeyType.RSA, failure="handshake failure")


def ecdsa(*chain: Certificate) -> Handshake:
    return Handshake(key_type=KeyType.ECDSA, chain=chain or (LEAF, ISSUING.value))


def judged(
    *shown: Handshake, days: float = 10, static: tuple[Handshake, ...] | None = None, **fields: object
) -> EdgeVerdict:
    wanted = dataclasses.replace(certs.desired(NAME, STATIC), **fields)  # type: ignore[arg-type]
    names = {NAME: shown, STATIC: shown if static is None else static}
    now = certs.START + timedelta(days=days)
    return judge_edge(wanted, "production", names, trust=TRUST, policy=Policy(), now=now)


def test_the_wanted_certificate_for_every_name_is_fine() -> None:
    verdict = judged(REFUSED, ecdsa())
    assert (verdict.wrong, verdict.warnings, verdict.skipped) == ((), (), None)
    assert [(leaf.certificate, leaf.key_type, leaf.names) for leaf in verdict.leaves] == [(LEAF, KeyType.ECDSA, 2)]


def test_a_root_that_is_sent_too_does_no_harm() -> None:
    assert judged(ecdsa(LEAF, ISSUING.value, ROOT.value)).wrong == ()


def test_a_name_for_which_nothing_is_served_is_told_with_the_reason() -> None:
    gone = Handshake(key_type=KeyType.ECDSA, reached=False, failure="Connection refused")
    assert judged(ecdsa(), static=(gone,)).wrong == ("nothing is served for static.example.com (Connection refused)",)


def test_a_wanted_key_type_that_is_missing_is_told() -> None:
    verdict = judged(REFUSED, ecdsa(), key_types=frozenset({KeyType.RSA, KeyType.ECDSA}))
    assert verdict.wrong == ("no RSA-2048 certificate is served for static.example.com, www.example.com",)


def test_a_key_type_that_is_not_wanted_is_told() -> None:
    rsa = Handshake(key_type=KeyType.RSA, chain=(RSA_LEAF, ISSUING.value))
    assert judged(rsa, ecdsa()).wrong == (
        f"the RSA certificate {RSA_LEAF.serial:x} is served, and the file does not want RSA-2048",
    )
    assert judged(rsa, ecdsa(), key_types=None).wrong == ()


def test_a_leaf_without_a_wanted_name_is_told() -> None:
    other = certs.leaf(ISSUING, NAME)
    assert judged(ecdsa(other, ISSUING.value)).wrong == (
        f"the ECDSA certificate {other.serial:x} does not hold static.example.com",
    )


def test_a_wildcard_in_the_leaf_holds_the_names_below_it() -> None:
    assert judged(ecdsa(certs.leaf(ISSUING, "*.example.com"), ISSUING.value)).wrong == ()


@pytest.mark.parametrize(
    ("days", "said"), [(199, "expired on 2027-06-03 23:59 UTC"), (-1, "is not valid before 2026-11-17 00:00 UTC")]
)
def test_dates_count(days: float, said: str) -> None:
    (wrong,) = judged(ecdsa(), days=days).wrong
    assert wrong.partition(f"{LEAF.serial:x} ")[2] == said.replace(
        "2027-06-03 23:59", f"{LEAF.not_after:%Y-%m-%d %H:%M}"
    ).replace("2026-11-17 00:00", f"{LEAF.not_before:%Y-%m-%d %H:%M}")


def test_few_days_that_are_left_are_a_warning() -> None:
    assert judged(ecdsa(), days=190).warnings == ("8 days are left",)
    assert judged(ecdsa(), days=190).wrong == ()


def test_a_chain_that_lacks_an_intermediate_is_wrong() -> None:
    (wrong,) = judged(ecdsa(LEAF)).wrong
    assert "whose issuer is no allowed root" in wrong


def test_a_chain_to_another_root_is_wrong() -> None:
    stranger = certs.root_ca("Somebody")
    assert len(judged(ecdsa(certs.leaf(stranger, NAME, STATIC))).wrong) == 1


def test_a_private_issuer_is_judged_by_the_private_roots() -> None:
    private = certs.leaf(PRIVATE, NAME, STATIC)
    order = dataclasses.replace(certs.desired().order, issuer=IssuerClass.PRIVATE)
    assert judged(ecdsa(private), order=order).wrong == ()
    assert len(judged(ecdsa(private)).wrong) == 1
    assert len(judged(ecdsa(), order=order).wrong) == 1


def test_names_that_are_served_by_different_certificates_are_told() -> None:
    other = certs.leaf(ISSUING, NAME, STATIC)
    assert judged(ecdsa(), static=(ecdsa(other, ISSUING.value),)).wrong == (
        "not all names are served by the same certificate",
    )
