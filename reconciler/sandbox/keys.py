"""Private keys of the sandbox: really generated ones, and quick ones that share their primes."""

import json
import os
import random
import threading
from functools import lru_cache
from pathlib import Path
from typing import Literal

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
Mode = Literal["fresh", "pooled"]
Curve = Literal["P-256", "P-384"]

_E = 65537
_POOLED_BITS = 2048
_CURVES: dict[Curve, type[ec.EllipticCurve]] = {"P-256": ec.SECP256R1, "P-384": ec.SECP384R1}


class PrimePool:
    """Primes of 1024 bits, taken from really generated RSA-2048 keys, and the pairs of them that are not used yet.

    For the sandbox only: who has two keys of one pool has a fair chance to factor both by a gcd. Each pair is handed
    out once in a process, so that no two moduli are equal. The pool grows by one generated key (two primes) when its
    pairs run out: 23 generated keys carry 1,000 pooled ones. Safe to use from several threads.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._primes: list[int] = []
        self._unused: list[tuple[int, int]] = []

    def pair(self) -> tuple[int, int]:
        """Return two distinct primes that were not handed out together before."""
        with self._lock:
            if not self._unused:
                self._add(_fresh_primes())
            return self._unused.pop()

    def fill(self, count: int) -> None:
        """Have at least `count` primes: `count * (count - 1) / 2` keys."""
        with self._lock:
            while len(self._primes) < count:
                self._add(_fresh_primes())

    def save(self, path: Path) -> None:
        """Write the primes to `path` in one step, readable by nobody else."""
        with self._lock:
            text = json.dumps([f"{prime:x}" for prime in self._primes])
        temporary = path.with_name(f"{path.name}.{os.getpid()}")
        temporary.touch(mode=0o600)
        temporary.write_text(text)
        temporary.replace(path)

    def load(self, path: Path) -> None:
        """Add the primes of a saved pool. Who shares a file makes keys of the same primes, each in its own order."""
        loaded = [int(text, 16) for text in json.loads(path.read_text())]
        with self._lock:
            self._add([prime for prime in loaded if prime not in self._primes])

    def _add(self, primes: list[int]) -> None:
        for prime in primes:
            self._unused.extend((prime, other) for other in self._primes)
            self._primes.append(prime)
        random.shuffle(self._unused)


def _fresh_primes() -> list[int]:
    numbers = rsa.generate_private_key(_E, _POOLED_BITS).private_numbers()
    return [numbers.p, numbers.q]


SHARED_POOL = PrimePool()


class KeyMaker:
    """Makes key pairs: `fresh` ones as anybody would, or RSA-2048 ones from a pool of primes, in a millisecond."""

    def __init__(self, mode: Mode = "fresh", *, pool: PrimePool = SHARED_POOL) -> None:
        self._mode = mode
        self._pool = pool

    def rsa(self, bits: int = _POOLED_BITS) -> rsa.RSAPrivateKey:
        """Return an RSA key. Only 2048 bits come from the pool; other sizes are always generated."""
        if self._mode == "pooled" and bits == _POOLED_BITS:
            return _combined(*self._pool.pair())
        return rsa.generate_private_key(_E, bits)

    def ec(self, curve: Curve = "P-256") -> ec.EllipticCurvePrivateKey:
        return ec.generate_private_key(_CURVES[curve]())

    def private_pem(self, key: PrivateKey) -> str:
        """Return the key as unencrypted PKCS#8."""
        return key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ).decode()

    def load(self, pem: str) -> PrivateKey:
        return load_private_key(pem)


@lru_cache(maxsize=4096)
def load_private_key(pem: str) -> PrivateKey:
    """Return the key that `private_pem` wrote. Its numbers are not checked again: that costs more than a signature."""
    key = serialization.load_pem_private_key(pem.encode(), password=None, unsafe_skip_rsa_key_validation=True)
    if not isinstance(key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey):
        raise TypeError(f"the sandbox makes RSA and EC keys only, not {type(key).__name__}")
    return key


def _combined(p: int, q: int) -> rsa.RSAPrivateKey:
    d = pow(_E, -1, (p - 1) * (q - 1))
    return rsa.RSAPrivateNumbers(
        p=p,
        q=q,
        d=d,
        dmp1=rsa.rsa_crt_dmp1(d, p),
        dmq1=rsa.rsa_crt_dmq1(d, q),
        iqmp=rsa.rsa_crt_iqmp(p, q),
        public_numbers=rsa.RSAPublicNumbers(_E, p * q),
    ).private_key(unsafe_skip_rsa_key_validation=True)
