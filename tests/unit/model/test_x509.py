"""Certificates and CSRs as values: what is read, and that garbage is one error."""

import hashlib
import ipaddress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import certifi
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import ExtendedKeyUsageOID

from reconciler.model.certificate import KeyType, Subject
from reconciler.model.x509 import (
    CLIENT_AUTH,
    SERVER_AUTH,
    MalformedCertificateError,
    lifetime,
    lifetime_days,
    parse_certificates,
    parse_csr,
    parse_roots,
    spki_hash,
)
from tests.support import certs

ISSUER = certs.root_ca()


def spki_of(key: certs.Key) -> str:
    der = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(der).hexdigest()


def test_a_leaf_is_read_whole() -> None:
    key = certs.ec_key()
    leaf = certs.leaf(
        ISSUER,
        "www.example.com",
        "Static.Example.com",
        key=key,
        serial=0xC0FFEE,
        usages=(ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH),
    )
    assert leaf.serial == 0xC0FFEE
    assert leaf.sha256 == hashlib.sha256(leaf.der).hexdigest().upper()
    assert (leaf.not_before, leaf.not_after) == (certs.START, certs.START + timedelta(days=199, seconds=-1))
    assert leaf.common_name == "www.example.com"
    assert leaf.subject == Subject(country="GB", organization="Example Ltd")
    assert leaf.sans == {"www.example.com", "static.example.com"}
    assert leaf.other_names == frozenset()
    assert (leaf.key.spelt, leaf.key.key_type, leaf.spki_sha256) == ("ECDSA-P256", KeyType.ECDSA, spki_of(key))
    assert leaf.usages == frozenset({SERVER_AUTH, CLIENT_AUTH})
    assert leaf.policies == {certs.OV_POLICY}
    assert (leaf.has_ocsp, leaf.has_crl, leaf.must_staple, leaf.sct_count) == (True, True, False, 0)
    assert (leaf.is_ca, leaf.self_signed) == (False, False)
    assert leaf.authority_key_id == ISSUER.value.subject_key_id
    assert leaf.issuer_der == ISSUER.value.subject_der


def test_what_a_leaf_does_not_have_is_not_read_into_it() -> None:
    leaf = certs.leaf(ISSUER, usages=None, policies=(), ocsp=False, crl=False, must_staple=True)
    assert leaf.usages is None
    assert leaf.policies == frozenset()
    assert (leaf.has_ocsp, leaf.has_crl, leaf.must_staple) == (False, False, True)


def test_names_that_are_no_dns_names_are_kept_apart() -> None:
    address = x509.IPAddress(ipaddress.ip_address("192.0.2.1"))
    leaf = certs.leaf(ISSUER, "www.example.com", other_names=[address])
    assert leaf.sans == {"www.example.com"}
    assert leaf.other_names == {"IPAddress: 192.0.2.1"}


def test_a_root_is_self_signed_and_a_namesake_signed_by_another_key_is_not() -> None:
    root = certs.root_ca("Root")
    assert root.value.self_signed
    assert root.value.is_ca
    namesake = certs.sub_ca(certs.root_ca("Root"), "Root")
    assert namesake.certificate.subject == namesake.certificate.issuer
    assert not namesake.value.self_signed


def test_two_organizational_units_do_not_hide_each_other() -> None:
    name = x509.Name([*certs.x500(OU="one"), *certs.x500(OU="two"), *certs.x500(CN="www.example.com")])
    assert certs.leaf(ISSUER, subject=name).subject.organizational_unit == "one + two"


@pytest.mark.parametrize(
    ("key", "spelt", "key_type"),
    [
        (certs.rsa_key(), "RSA-2048", KeyType.RSA),
        (certs.ec_key(), "ECDSA-P256", KeyType.ECDSA),
        (certs.ec_key(ec.SECP384R1()), "ECDSA-P384", KeyType.ECDSA),
        (certs.ec_key(ec.SECP256K1()), "ECDSA-secp256k1", KeyType.ECDSA),
    ],
)
def test_keys_are_spelt_as_users_write_them(key: certs.Key, spelt: str, key_type: KeyType) -> None:
    public = certs.csr(key=key).key
    assert (public.spelt, public.key_type) == (spelt, key_type)


def test_a_key_that_cps_never_makes_has_no_key_type() -> None:
    key = ed25519.Ed25519PrivateKey.generate()
    builder = x509.CertificateSigningRequestBuilder().subject_name(certs.x500(CN="www.example.com"))
    csr = parse_csr(builder.sign(key, None).public_bytes(Encoding.PEM))
    assert (csr.key.spelt, csr.key.key_type) == ("Ed25519", None)


def test_a_csr_is_read_whole() -> None:
    key = certs.rsa_key()
    csr = certs.csr("www.example.com", "IMG.example.com", key=key, C="GB", ST="S", L="L", O="Example Ltd", OU="Web")
    assert csr.signature_valid
    assert csr.common_name == "www.example.com"
    assert csr.subject == Subject(
        country="GB", state="S", locality="L", organization="Example Ltd", organizational_unit="Web"
    )
    assert csr.sans == {"www.example.com", "img.example.com"}
    assert csr.spki_sha256 == spki_of(key)


def test_a_csr_signed_by_another_key_says_so() -> None:
    parsed = x509.load_pem_x509_csr(certs.csr_pem(key=certs.rsa_key()).encode())
    der = bytearray(parsed.public_bytes(Encoding.DER))
    der[-1] ^= 1
    broken = x509.load_der_x509_csr(bytes(der)).public_bytes(Encoding.PEM)
    assert not parse_csr(broken).signature_valid


def test_the_hash_of_a_key_is_equal_for_csr_and_certificate() -> None:
    key = certs.ec_key()
    assert spki_hash(certs.csr_pem(key=key)) == spki_hash(certs.leaf(ISSUER, key=key).pem) == spki_of(key)


def test_certificates_are_read_in_their_order_with_text_between_them() -> None:
    first, second = certs.leaf(ISSUER, "a.example.com"), certs.leaf(ISSUER, "b.example.com")
    text = f"subject=a\n{first.pem}\nsubject=b\r\n{second.pem}trailing"
    assert parse_certificates(text) == (first, second)
    assert parse_certificates(text.encode()) == (first, second)


LEAF_PEM = certs.leaf(ISSUER).pem


def damaged(pem: str) -> str:
    """Return a PEM whose base64 is well but whose DER is not."""
    head, first, *rest = pem.splitlines()
    return "\n".join([head, "AAAA" + first[4:], *rest])


@pytest.mark.parametrize(
    "garbage",
    [
        "",
        "no certificate",
        b"\xff\xfe\x00",
        LEAF_PEM[:200],
        LEAF_PEM + LEAF_PEM[:300],
        LEAF_PEM.replace("END", "BEGIN"),
        LEAF_PEM[:100] + "!" + LEAF_PEM[100:],
        damaged(LEAF_PEM),
        LEAF_PEM.replace("CERTIFICATE", "TRUSTED CERTIFICATE") + LEAF_PEM,
        "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n",
    ],
)
def test_garbage_is_a_malformed_certificate(garbage: str | bytes) -> None:
    with pytest.raises(MalformedCertificateError):
        parse_certificates(garbage)


def test_a_bundle_of_roots_is_read_without_those_that_cannot_be() -> None:
    roots = certs.root_ca("One"), certs.root_ca("Two")
    bundle = certs.pem_of(roots[0].certificate) + damaged(LEAF_PEM) + "\n" + certs.pem_of(roots[1].certificate)
    assert parse_roots(bundle) == (roots[0].value, roots[1].value)
    with pytest.raises(MalformedCertificateError):
        parse_certificates(bundle)


def test_the_roots_that_the_world_uses_are_read_without_a_warning() -> None:
    bundle = Path(certifi.where()).read_bytes()
    roots = parse_roots(bundle)
    assert len(roots) == bundle.count(b"BEGIN CERTIFICATE") > 100
    names = {root.common_name for root in roots if root.self_signed}
    assert "sectigo public server authentication root r46" in names


@pytest.mark.parametrize("garbage", ["", b"\xff", LEAF_PEM, certs.csr_pem()[:150], damaged(certs.csr_pem())])
def test_garbage_is_a_malformed_csr(garbage: str | bytes) -> None:
    with pytest.raises(MalformedCertificateError):
        parse_csr(garbage)


def test_an_extension_that_cannot_be_read_is_a_malformed_certificate() -> None:
    broken = x509.UnrecognizedExtension(x509.ObjectIdentifier("2.5.29.17"), b"\x30\x05\x82\x10")
    key = certs.ec_key()
    builder = (
        x509.CertificateBuilder(certs.x500(CN="a"), certs.x500(CN="b"), key.public_key(), 1)
        .not_valid_before(certs.START)
        .not_valid_after(certs.START)
        .add_extension(broken, critical=False)
    )
    pem = certs.pem_of(builder.sign(key, hashes.SHA256()))
    with pytest.raises(MalformedCertificateError):
        parse_certificates(pem)


@pytest.mark.parametrize(
    ("end", "days"),
    [
        (timedelta(days=200, seconds=-1), 200),
        (timedelta(days=200), 201),
        (timedelta(days=199, seconds=-1), 199),
        (timedelta(0), 1),
    ],
)
def test_the_last_second_counts_and_a_fraction_of_a_day_is_a_day(end: timedelta, days: int) -> None:
    start = datetime(2026, 11, 20, tzinfo=UTC)
    assert lifetime_days(start, start + end) == days


def test_a_lifetime_is_the_difference_and_one_second() -> None:
    assert lifetime(certs.START, certs.START + timedelta(days=1)) == timedelta(days=1, seconds=1)
