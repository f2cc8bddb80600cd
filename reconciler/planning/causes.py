"""Causes: why an action is needed, as a hash that is stable as long as its inputs are (design: safety 1)."""

import hashlib
import json

from reconciler.model.certificate import Identity
from reconciler.model.entry import CauseId

_DIGITS = 16


def digest(value: object) -> str:
    """Return the SHA-256 in hex of `value`'s canonical JSON. Only texts, numbers, booleans, None, lists and maps."""
    return hashlib.sha256(json.dumps(value, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def create_cause(identity: Identity) -> CauseId:
    """Return the cause of a create, and of all that continues it: the identity of what is wanted."""
    parts = [
        "create",
        identity.account,
        identity.contract,
        identity.common_name,
        identity.secure_network,
        identity.sni_only,
    ]
    return CauseId(digest(parts)[:_DIGITS])
