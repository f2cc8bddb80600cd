"""Chains: the same from any bundle, never with leaf or root, and only what leads to an allowed root."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.model.chains import BrokenChainError, find_leaf, issued_by, order_chain, verify_chain
from reconciler.model.x509 import Certificate
from tests.support import certs

# leaf <- issuing <- root; root also signed by old_root, as USERTrust signed Sectigo's R46.
OLD_ROOT = certs.root_ca("Old Root")
ROOT = certs.root_ca("Root")
CROSS = certs.sub_ca(OLD_ROOT, key=ROOT.key, name=ROOT.name)
ISSUING = certs.sub_ca(ROOT, "Issuing")
LEAF = certs.leaf(ISSUING)
STRANGER = certs.sub_ca(certs.root_ca("Strange Root"), "Strange CA")

SHORT = (ISSUING.value,)
LONG = (ISSUING.value, CROSS.value)
DELIVERED = (LEAF, ISSUING.value, CROSS.value, OLD_ROOT.value)  # as SCM sends it: the old root, not the new one


@settings(deadline=None)
@given(st.permutations((*DELIVERED, ROOT.value, STRANGER.value, ISSUING.value)))
def test_every_order_of_the_bundle_gives_the_same_chain(bundle: list[Certificate]) -> None:
    assert order_chain(LEAF, bundle) == SHORT
    assert order_chain(LEAF, bundle, cross=True) == LONG


@settings(deadline=None)
@given(st.permutations(DELIVERED))
def test_a_known_root_ends_the_chain_though_it_was_not_delivered(bundle: list[Certificate]) -> None:
    assert order_chain(LEAF, bundle, roots=[ROOT.value]) == SHORT
    assert order_chain(LEAF, bundle, roots=[ROOT.value], cross=True) == LONG


def test_without_knowing_the_new_root_the_chain_goes_on_to_the_old_one() -> None:
    assert order_chain(LEAF, DELIVERED) == LONG


def test_cross_keeps_nothing_where_nothing_was_delivered() -> None:
    assert order_chain(LEAF, [ISSUING.value], roots=[ROOT.value], cross=True) == SHORT


def test_a_leaf_of_the_root_has_an_empty_chain() -> None:
    leaf = certs.leaf(ROOT)
    assert order_chain(leaf, [leaf, ROOT.value]) == ()


def test_a_missing_issuer_breaks_the_chain() -> None:
    with pytest.raises(BrokenChainError, match="nothing that was given issued"):
        order_chain(LEAF, [LEAF, CROSS.value, OLD_ROOT.value])


def test_a_missing_root_breaks_the_chain() -> None:
    with pytest.raises(BrokenChainError, match="CN=Root"):
        order_chain(LEAF, [ISSUING.value])


def test_two_issuers_of_one_key_break_the_chain_and_are_both_named() -> None:
    again = certs.sub_ca(ROOT, key=ISSUING.key, name=ISSUING.name)
    with pytest.raises(BrokenChainError, match="2 certificates") as caught:
        order_chain(LEAF, [ISSUING.value, again.value, ROOT.value])
    assert f"{again.value.serial:x}" in str(caught.value)
    assert f"{ISSUING.value.serial:x}" in str(caught.value)


def test_a_namesake_with_another_key_is_no_issuer() -> None:
    namesake = certs.sub_ca(ROOT, "Issuing")
    assert namesake.value.subject_der == LEAF.issuer_der
    assert not issued_by(LEAF, namesake.value)
    assert order_chain(LEAF, [namesake.value, ISSUING.value, ROOT.value]) == SHORT


def test_a_leaf_that_names_another_key_was_not_issued_by_this_one() -> None:
    odd = certs.leaf(ISSUING, authority_key=certs.ec_key())
    assert not issued_by(odd, ISSUING.value)


def test_a_broken_signature_is_no_issue() -> None:
    der = bytearray(LEAF.der)
    der[-1] ^= 1
    assert issued_by(LEAF, ISSUING.value)
    assert not issued_by(replace(LEAF, der=bytes(der)), ISSUING.value)


def test_cross_goes_one_root_up_and_no_further() -> None:
    oldest = certs.root_ca("Oldest Root")
    old_crossed = certs.sub_ca(oldest, key=OLD_ROOT.key, name=OLD_ROOT.name)
    assert order_chain(LEAF, [*DELIVERED, old_crossed.value], roots=[ROOT.value], cross=True) == LONG


def test_a_leaf_is_no_issuer_though_it_signed() -> None:
    key = certs.ec_key()
    impostor = certs.Ca(x509.load_der_x509_certificate(certs.leaf(ISSUING, key=key).der), key)
    forged = certs.leaf(impostor, "www.example.org")
    with pytest.raises(BrokenChainError, match="nothing that was given issued"):
        order_chain(forged, [impostor.value, ISSUING.value, ROOT.value])


def test_two_roots_that_signed_each_other_do_not_hang() -> None:
    one, two = certs.root_ca("One"), certs.root_ca("Two")
    one_by_two = certs.sub_ca(two, key=one.key, name=one.name)
    two_by_one = certs.sub_ca(one, key=two.key, name=two.name)
    leaf = certs.leaf(one)
    with pytest.raises(BrokenChainError):
        order_chain(leaf, [one_by_two.value, two_by_one.value])


def test_the_leaf_is_the_certificate_of_the_key_and_not_a_ca() -> None:
    assert find_leaf(DELIVERED, LEAF.spki_sha256) is LEAF
    assert find_leaf(DELIVERED, ISSUING.value.spki_sha256) is None
    assert find_leaf(DELIVERED, STRANGER.value.spki_sha256) is None


def test_of_two_certificates_of_one_key_the_newer_is_the_leaf() -> None:
    key = certs.ec_key()
    older = certs.leaf(ISSUING, key=key)
    newer = certs.leaf(ISSUING, key=key, not_before=certs.START + timedelta(days=1))
    assert find_leaf([newer, older], newer.spki_sha256) is newer


def why_not(
    leaf: Certificate = LEAF,
    chain: tuple[Certificate, ...] = SHORT,
    roots: Iterable[certs.Ca] = (ROOT,),
    at: datetime = certs.START,
    *,
    private: bool = False,
) -> str | None:
    return verify_chain(leaf, chain, [root.value for root in roots], at, private=private)


@pytest.mark.parametrize("private", [False, True])
@pytest.mark.parametrize(("chain", "root"), [(SHORT, ROOT), (LONG, OLD_ROOT)])
def test_a_good_chain_verifies_from_its_first_to_its_last_second(
    chain: tuple[Certificate, ...], root: certs.Ca, private: bool
) -> None:
    for at in (LEAF.not_before, LEAF.not_after):
        assert why_not(chain=chain, roots=[root], at=at, private=private) is None


@pytest.mark.parametrize("private", [False, True])
def test_a_second_outside_of_its_life_it_does_not(private: bool) -> None:
    for at in (LEAF.not_before - timedelta(seconds=1), LEAF.not_after + timedelta(seconds=1)):
        assert why_not(at=at, private=private) is not None


def test_a_chain_in_the_wrong_order_does_not_verify() -> None:
    assert "not in order" in (why_not(chain=LONG[::-1], roots=[OLD_ROOT]) or "")


def test_a_chain_to_another_root_does_not_verify() -> None:
    assert "no allowed root" in (why_not(roots=[OLD_ROOT]) or "")
    assert "no allowed root" in (why_not(roots=[]) or "")


def test_a_namesake_of_the_root_is_not_the_root() -> None:
    assert "no allowed root" in (why_not(roots=[certs.root_ca("Root")]) or "")


def test_an_intermediate_that_ends_before_the_leaf_does_not_verify_at_the_end() -> None:
    short_lived = certs.sub_ca(ROOT, "Short", not_after=certs.START + timedelta(days=30))
    leaf = certs.leaf(short_lived)
    chain = (short_lived.value,)
    assert why_not(leaf, chain) is None
    assert why_not(leaf, chain, at=leaf.not_after) is not None


def test_a_leaf_that_signs_certificates_does_not_verify() -> None:
    key = certs.ec_key()
    impostor = certs.Ca(x509.load_der_x509_certificate(certs.leaf(ISSUING, key=key).der), key)
    forged = certs.leaf(impostor, "www.example.org")
    assert issued_by(forged, impostor.value)
    for private in (False, True):
        assert why_not(forged, (impostor.value, ISSUING.value), private=private) is not None


def test_a_wildcard_and_an_idn_verify() -> None:
    for name in ("*.example.com", "xn--mnchen-3ya.example.com"):
        assert why_not(certs.leaf(ISSUING, name)) is None


def test_a_certificate_without_a_dns_name_does_not_verify() -> None:
    assert why_not(replace(LEAF, sans=frozenset())) == "the certificate has no DNS name"


def test_only_a_public_path_must_keep_to_the_web_profile() -> None:
    plain = certs.leaf(ISSUING, usages=(ExtendedKeyUsageOID.CLIENT_AUTH,))
    assert why_not(plain) is not None
    assert why_not(plain, private=True) is None
