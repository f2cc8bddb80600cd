"""Causes: why an action is needed, as a hash that is stable as long as its inputs are (design: safety 1)."""

import hashlib
import json
from collections.abc import Iterable

from reconciler.model.certificate import ChangeId, DesiredCertificate, EnrollmentId, Identity
from reconciler.model.entry import CauseId

_DIGITS = 16


def digest(value: object) -> str:
    """Return the SHA-256 in hex of `value`'s canonical JSON. Only texts, numbers, booleans, None, lists and maps."""
    return hashlib.sha256(json.dumps(value, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def create_cause(identity: Identity) -> CauseId:
    """Return the cause of a create, and of all that continues it: the identity of what is wanted."""
    return _cause(
        "create",
        identity.account,
        identity.contract,
        identity.common_name,
        identity.secure_network,
        identity.sni_only,
    )


def renew_cause(served_serials: Iterable[int]) -> CauseId:
    """Return the cause of a renew: what is served."""
    return _cause("renew", sorted(served_serials))


def reissue_cause(
    desired: DesiredCertificate,
    served_serials: Iterable[int],
    *,
    campaign: str | None,
    replaces: ChangeId | None = None,
) -> CauseId:
    """Return the cause of a reissue: what is wanted of a new certificate, or by which campaign; and what is served.

    Args:
        replaces: the pending change with an order of its own that gives way to it.
    """
    subject = desired.enrollment.subject
    wanted: object = campaign
    if campaign is None:
        parts = [getattr(subject, name) for name in subject.__dataclass_fields__] if subject is not None else None
        wanted = [sorted(desired.sans), parts, sorted(desired.key_types or ())]
    over = [] if replaces is None else [replaces]
    return _cause("reissue", wanted, sorted(served_serials), *over)


def update_cause(enrollment_id: EnrollmentId, differences: Iterable[object]) -> CauseId:
    """Return the cause of an update: the settings that differ, both sides of each.

    And the enrollment: a default that changes makes equal differences on many.
    """
    return _cause("update", enrollment_id, sorted(str(difference) for difference in differences))


def adopt_cause(enrollment_id: EnrollmentId, desired_digest: str) -> CauseId:
    return _cause("adopt", enrollment_id, desired_digest)


def delete_cause(enrollment_id: EnrollmentId) -> CauseId:
    return _cause("delete", enrollment_id)


def cancel_cause(change_id: ChangeId) -> CauseId:
    return _cause("cancel", change_id)


def revoke_cause(serial: str) -> CauseId:
    return _cause("revoke", serial)


def _cause(*parts: object) -> CauseId:
    return CauseId(digest(list(parts))[:_DIGITS])
