"""Where lock and journal are kept: two versioned objects that move together, or not at all.

A store knows nothing of leases, owners or epochs: it reads both objects, and swaps them if they still are what the
caller saw. `MemoryStore` is the backend `none`; the others are in `gitrefs` and `filestore`.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NewType, Protocol

from reconciler.errors import JournalError

Version = NewType("Version", str)  # names one content of an object: equal exactly when nobody has replaced it


class SwapRejectedError(JournalError):
    """Nothing was written: an object is not what the caller saw, or the store refuses to have it written."""


class StoreUnreachableError(JournalError):
    """The store did not answer. After a swap: it may have happened."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Versioned:
    version: Version
    text: str  # the lock's record; the journal's open.json


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """Both objects at one look. While someone writes, one may be newer than the other."""

    lock: Versioned | None
    journal: Versioned | None

    @property
    def versions(self) -> "Versions":
        return Versions(
            lock=None if self.lock is None else self.lock.version,
            journal=None if self.journal is None else self.journal.version,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Versions:
    """What a swap expects; None: the object is not there."""

    lock: Version | None
    journal: Version | None


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalWrite:
    """The journal's next content. `lines` go to the end of the files of their months ("2026-11")."""

    state: str  # open.json
    lines: Mapping[str, str] = field(default_factory=dict)
    message: str = ""  # one line for people
    anew: bool = False  # begin a journal that has nothing of the one before


class Store(Protocol):
    """One account's lock and journal."""

    place: str  # for people: the remote, or the folder; without credentials

    def read(self) -> Snapshot:
        """Return both objects.

        Raises:
            StoreUnreachableError: they could not be read.
        """
        ...

    def swap(self, before: Versions, lock: str, journal: JournalWrite | None) -> Versions:
        """Replace the lock, and the journal where one is given, if both still are as in `before`; else neither.

        `lock` is never equal to any text that was there before (it holds a nonce).

        Raises:
            SwapRejectedError: nothing was written.
            StoreUnreachableError: it is not known whether they were written.
        """
        ...

    def months(self) -> tuple[str, ...]:
        """Return the months that the journal, as last read or written here, has a file of; oldest first."""
        ...

    def month(self, name: str) -> str:
        """Return the lines of one month; empty where there are none."""
        ...

    def hold(self, epoch: int, /) -> bool:
        """Become known as the living holder of an epoch, where the store can know; False: another one lives."""
        ...

    def holder_gone(self, epoch: int, /) -> bool | None:
        """Tell whether the holder of an epoch is known to have ended; None: the store cannot know."""
        ...

    def close(self) -> None: ...


class MemoryStore:
    """Lives as long as the process: the backend `none`, and tests."""

    place = "memory"

    def __init__(self) -> None:
        self._lock: Versioned | None = None
        self._journal: Versioned | None = None
        self._months: dict[str, str] = {}

    def read(self) -> Snapshot:
        return self._snapshot()

    def swap(self, before: Versions, lock: str, journal: JournalWrite | None) -> Versions:
        if before != self._snapshot().versions:
            raise SwapRejectedError("lock or journal were changed by another run.")
        self._lock = Versioned(version=_new_version(), text=lock)
        if journal is not None:
            self._write(journal)
        return self._snapshot().versions

    def _snapshot(self) -> Snapshot:
        return Snapshot(lock=self._lock, journal=self._journal)

    def _write(self, journal: JournalWrite) -> None:
        self._journal = Versioned(version=_new_version(), text=journal.state)
        if journal.anew:
            self._months.clear()
        for month, lines in journal.lines.items():
            self._months[month] = self._months.get(month, "") + lines

    def months(self) -> tuple[str, ...]:
        return tuple(sorted(self._months))

    def month(self, name: str) -> str:
        return self._months.get(name, "")

    def hold(self, _epoch: int, /) -> bool:
        return True

    def holder_gone(self, _epoch: int, /) -> bool | None:
        return None

    def close(self) -> None:
        """Nothing is held."""


def _new_version() -> Version:
    return Version(secrets.token_hex(8))
