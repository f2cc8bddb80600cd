"""What the lock's ref says: who holds an account, since when, and how far the journal was."""

import hashlib
import json
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from reconciler.errors import JournalError
from reconciler.model.codec import CodecError, from_json, to_json

VERSION = 1
_DIGITS = 16
PATIENCE = 1.2  # lifetimes for which a holder must have been silent before another may take its place


class NewerFormatError(JournalError):
    """A later version of certrecon wrote this: it is neither read nor replaced."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """Who runs: for people, and for the journal."""

    name: str  # "alice@build7", or the actor of a CI run
    run_url: str = ""
    commit: str = ""  # of the desired state


@dataclass(frozen=True, slots=True, kw_only=True)
class LockRecord:
    """The lock as it is kept. Two records are never equal: each has a nonce of its own.

    Two runs that push *equal* objects would both succeed, since git calls the second one up to date.
    """

    v: int = VERSION
    nonce: str
    free: bool
    broken: bool = False  # freed by a person, not by its holder: that one may still be at work
    owner: Owner
    epoch: int  # raised by every taking
    ttl_s: float
    since: datetime  # wall clock; for people, like `beat_at`
    beat_at: datetime
    journal_id: str
    sequence: int  # of the journal's last append

    @property
    def takeover_after(self) -> timedelta:
        """How long the same record must have been seen before it counts as left behind."""
        return timedelta(seconds=self.ttl_s * PATIENCE)

    def freed(self, *, nonce: str, broken: bool, at: datetime) -> "LockRecord":
        return replace(self, nonce=nonce, free=True, broken=broken, beat_at=at)


def account_digest(account_id: str) -> str:
    """Return the part of the refs' names that stands for an Akamai account, by Akamai's own id of it."""
    return hashlib.sha256(account_id.encode()).hexdigest()[:_DIGITS]


def encode_lock(record: LockRecord) -> str:
    return json.dumps(to_json(record) | {"v": record.v}, sort_keys=True)


def decode_lock(text: str) -> LockRecord:
    """Read the lock's text.

    Raises:
        JournalError: it was written by a newer certrecon, or is none of ours.
    """
    try:
        data = json.loads(text)
        refuse_newer(data, "the lock")
        return from_json(LockRecord, data)
    except (CodecError, ValueError) as error:
        raise JournalError(
            f"the lock's content cannot be read ({error}).", remedy="Run 'certrecon lock repair'."
        ) from error


def refuse_newer(data: object, what: str) -> None:
    """Refuse what a later version wrote, or what has no version: nobody may guess what it means.

    Raises:
        CodecError: there is no version.
        NewerFormatError: the version is newer than this program knows.
    """
    version = data.get("v") if isinstance(data, dict) else None
    if not isinstance(version, int) or isinstance(version, bool):
        raise CodecError("it has no version")
    if version > VERSION:
        raise NewerFormatError(
            f"{what} was written by a newer certrecon (version {version}, this one knows {VERSION}).",
            remedy="Update certrecon.",
        )
