"""What is left at the services when certrecon is done: changes, orders and what is served, of each name.

It is read from the sandbox's own state, without any of certrecon's eyes.
"""

from collections import Counter, defaultdict
from dataclasses import dataclass
from functools import lru_cache

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from reconciler.sandbox.app import Sandbox
from reconciler.sandbox.cps.state import Enrollment, Network
from reconciler.sandbox.scm.state import Order


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """What is left of one enrollment. Every text is written so that a test can expect it by hand."""

    changes: tuple[str, ...]  # kind and outcome, oldest first: "new completed"
    orders: tuple[str, ...]  # key type and status, RSA first, each in the order of their ids: "RSA Issued"
    staging: tuple[str, ...]  # key types, RSA first; "RSA, old" for a certificate that is not of the newest order
    production: tuple[str, ...]


def left_by_name(sandbox: Sandbox) -> dict[str, Left]:
    """Return what is left, by common name. A second enrollment of a name is called "NAME, again"."""
    orders: defaultdict[str, list[Order]] = defaultdict(list)
    for _, order in sorted(sandbox.scm.state.orders.items()):
        orders[order.common_name].append(order)
    found: dict[str, Left] = {}
    for enrollment in sandbox.cps.state.enrollments.values():
        name = enrollment.wanted.csr.cn
        while name in found:
            name += ", again"
        found[name] = _left(sandbox, enrollment, orders.pop(enrollment.wanted.csr.cn, []))
    for name, without in orders.items():
        nothing: tuple[str, ...] = ()
        found[f"{name}, no enrollment"] = Left(
            changes=nothing, orders=_described(without), staging=nothing, production=nothing
        )
    return found


def orders_by_key(sandbox: Sandbox) -> Counter[str]:
    """Return how many orders hold each public key."""
    return Counter(public_key(order.csr_pem) for order in sandbox.scm.state.orders.values())


def keys_of_changes(sandbox: Sandbox) -> set[str]:
    """Return the public keys that CPS made."""
    return {public_key(key.csr_pem) for change in sandbox.cps.state.changes.values() for key in change.keys}


def _left(sandbox: Sandbox, enrollment: Enrollment, orders: list[Order]) -> Left:
    changes = [change for change in sandbox.cps.state.changes.values() if change.enrollment_id == enrollment.id]
    return Left(
        changes=tuple(f"{change.kind} {change.outcome}" for change in sorted(changes, key=lambda change: change.id)),
        orders=_described(orders),
        staging=_served(enrollment, "staging", orders),
        production=_served(enrollment, "production", orders),
    )


def _described(orders: list[Order]) -> tuple[str, ...]:
    of_types = sorted(orders, key=lambda order: key_type(order.csr_pem), reverse=True)  # one type's stay in order
    return tuple(f"{key_type(order.csr_pem)} {order.status}" for order in of_types)


def _served(enrollment: Enrollment, network: Network, orders: list[Order]) -> tuple[str, ...]:
    newest = {key_type(order.csr_pem): order.leaf_pem for order in orders if order.leaf_pem}
    deployment = enrollment.on(network)
    served = [] if deployment is None else deployment.certificates
    found = (
        one.algorithm if _der(one.certificate_pem) == _der(newest.get(one.algorithm, "")) else f"{one.algorithm}, old"
        for one in served
    )
    return tuple(sorted(found, reverse=True))


def _der(pem: str) -> bytes:
    return x509.load_pem_x509_certificate(pem.encode()).public_bytes(serialization.Encoding.DER) if pem else b""


@lru_cache(maxsize=4096)
def public_key(csr_pem: str) -> str:
    key = x509.load_pem_x509_csr(csr_pem.encode()).public_key()
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return key.public_bytes(serialization.Encoding.DER, form).hex()


@lru_cache(maxsize=4096)
def key_type(csr_pem: str) -> str:
    key = x509.load_pem_x509_csr(csr_pem.encode()).public_key()
    return "RSA" if isinstance(key, rsa.RSAPublicKey) else "ECDSA"
