import math
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from reconciler.sandbox.keys import KeyMaker, PrimePool


def modulus(key: rsa.RSAPrivateKey) -> int:
    return key.public_key().public_numbers().n


@pytest.fixture(scope="module")
def pool() -> PrimePool:
    pool = PrimePool()
    pool.fill(8)
    return pool


def test_pooled_keys_pass_the_full_validation_of_cryptography(pool: PrimePool) -> None:
    key = KeyMaker("pooled", pool=pool).rsa()
    assert key.key_size == 2048
    key.private_numbers().private_key()  # raises ValueError for numbers that do not fit, or primes that are none


def test_pooled_key_signs_what_its_public_key_verifies(pool: PrimePool) -> None:
    key = KeyMaker("pooled", pool=pool).rsa()
    signature = key.sign(b"message", padding.PKCS1v15(), hashes.SHA256())
    key.public_key().verify(signature, b"message", padding.PKCS1v15(), hashes.SHA256())
    with pytest.raises(InvalidSignature):
        key.public_key().verify(signature, b"another", padding.PKCS1v15(), hashes.SHA256())


def test_no_modulus_comes_twice_even_from_several_threads() -> None:
    pool = PrimePool()
    keys = KeyMaker("pooled", pool=pool)
    with ThreadPoolExecutor(4) as threads:
        moduli = list(threads.map(lambda _: modulus(keys.rsa()), range(60)))
    assert len(set(moduli)) == 60


def test_pooled_keys_of_other_sizes_share_no_prime(pool: PrimePool) -> None:
    keys = KeyMaker("pooled", pool=pool)
    first, second = keys.rsa(3072), keys.rsa(3072)
    assert first.key_size == 3072
    assert math.gcd(modulus(first), modulus(second)) == 1


def test_fresh_keys_share_no_prime(pool: PrimePool) -> None:
    keys = KeyMaker("fresh", pool=pool)
    assert math.gcd(modulus(keys.rsa()), modulus(keys.rsa())) == 1


def test_saved_primes_make_the_keys_of_another_pool(tmp_path: Path, pool: PrimePool) -> None:
    path = tmp_path / "primes.json"
    pool.save(path)
    other = PrimePool()
    other.load(path)
    known = KeyMaker("pooled", pool=pool).rsa()
    sharing = [modulus(KeyMaker("pooled", pool=other).rsa()) for _ in range(8 * 7 // 2)]
    assert modulus(known) in sharing
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_loading_a_pool_twice_adds_no_pair(tmp_path: Path, pool: PrimePool) -> None:
    path = tmp_path / "primes.json"
    pool.save(path)
    other = PrimePool()
    other.load(path)
    other.load(path)
    pairs = [frozenset(other.pair()) for _ in range(8 * 7 // 2)]
    assert len(set(pairs)) == 28
    assert all(len(pair) == 2 for pair in pairs)


@pytest.mark.parametrize(("curve", "size"), [("P-256", 256), ("P-384", 384)])
def test_ec_keys_are_on_the_named_curve(curve: str, size: int) -> None:
    key = KeyMaker().ec("P-256" if curve == "P-256" else "P-384")
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    assert key.key_size == size


@pytest.mark.parametrize("kind", ["rsa", "ec"])
def test_a_key_survives_its_pem(kind: str, pool: PrimePool) -> None:
    keys = KeyMaker("pooled", pool=pool)
    key = keys.rsa() if kind == "rsa" else keys.ec()
    pem = keys.private_pem(key)
    assert pem.startswith("-----BEGIN PRIVATE KEY-----\n")
    assert keys.load(pem).private_numbers() == key.private_numbers()
    assert keys.load(pem) is keys.load(pem)


def test_a_key_of_another_kind_is_refused() -> None:
    pem = ed25519.Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    with pytest.raises(TypeError, match="RSA and EC keys only"):
        KeyMaker().load(pem.decode())
