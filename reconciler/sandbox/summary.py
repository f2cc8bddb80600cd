"""The sandbox's world in short, for people and tests: `GET /state` of the control API."""

from functools import lru_cache
from typing import Any

from cryptography import x509

from reconciler.sandbox.app import Sandbox
from reconciler.sandbox.cps.state import Deployment, Enrollment
from reconciler.sandbox.scm.state import Order


def of(sandbox: Sandbox) -> dict[str, Any]:
    """Return the clock, the enrollments with what they serve and wait for, and the orders."""
    return {
        "now": sandbox.clock.now(),
        "enrollments": [_enrollment(sandbox, enrollment) for enrollment in sandbox.cps.state.enrollments.values()],
        "orders": [_order(sandbox, order) for order in sandbox.scm.state.orders.values()],
    }


def _enrollment(sandbox: Sandbox, enrollment: Enrollment) -> dict[str, Any]:
    change = None if enrollment.pending is None else sandbox.cps.state.changes[enrollment.pending]
    return {
        "id": enrollment.id,
        "common_name": enrollment.wanted.csr.cn,
        "names": enrollment.wanted.csr.names,
        "contract": enrollment.contract,
        "change": change
        and {"id": change.id, "kind": change.kind, "status": change.status, "created_by": change.created_by},
        "staging": _served(enrollment.staging),
        "production": _served(enrollment.production),
    }


def _served(deployment: Deployment | None) -> list[dict[str, Any]]:
    certificates = [] if deployment is None else deployment.certificates
    return [{"algorithm": served.algorithm, **_facts(served.certificate_pem)} for served in certificates]


@lru_cache(maxsize=8192)
def _facts(pem: str) -> dict[str, Any]:
    leaf = x509.load_pem_x509_certificate(pem.encode())
    return {"serial": f"{leaf.serial_number:x}", "not_after": leaf.not_valid_after_utc}


def _order(sandbox: Sandbox, order: Order) -> dict[str, Any]:
    profile = sandbox.scm.state.profiles.get(order.profile_id)  # none for what was imported
    return {
        "ssl_id": order.ssl_id,
        "common_name": order.common_name,
        "names": sorted({order.common_name, *order.sans}),
        "profile": None if profile is None else profile.name,
        "status": order.status,
        "requester": order.requester,
        "requested": order.requested,
        "issued": order.issued,
        "expires": order.expires,
        "serial": order.serial,
        "comments": order.comments,
    }
