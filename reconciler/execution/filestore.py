"""Lock and journal in a folder of this machine's user: the backend `file`.

Writers exclude each other by `fcntl` for the moment of a swap. A holder also keeps `holder-EPOCH` locked for as long as
it lives, so that the kernel tells at once when it has died: nobody waits for a lock to expire here.
"""

import fcntl
import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from reconciler.errors import JournalError
from reconciler.execution.store import JournalWrite, Snapshot, SwapRejectedError, Version, Versioned, Versions

_LOCK, _OPEN, _MUTEX, _HOLDER, _MONTH = "lock.json", "open.json", "mutex", "holder-", ".jsonl"


class FileStore:
    """One account's folder. The journal's version is that of its open.json."""

    def __init__(self, folder: Path) -> None:
        self.place = str(folder)
        self._folder = folder
        self._held: dict[int, BinaryIO] = {}
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise JournalError(f"the folder {folder} cannot be made ({error.strerror}).") from error

    def read(self) -> Snapshot:
        with self._mutex():
            return self._snapshot()

    def swap(self, before: Versions, lock: str, journal: JournalWrite | None) -> Versions:
        with self._mutex():
            if before != self._snapshot().versions:
                raise SwapRejectedError("lock or journal were changed by another run.")
            if journal is not None:
                self._write_journal(journal)
            # Last: a crash before it leaves a lock that names a lower sequence than the journal has, which is allowed.
            self._replace(_LOCK, lock)
            return self._snapshot().versions

    def months(self) -> tuple[str, ...]:
        return tuple(sorted(path.stem for path in self._folder.glob(f"*{_MONTH}")))

    def month(self, name: str) -> str:
        try:
            return (self._folder / f"{name}{_MONTH}").read_text(encoding="utf-8")
        except FileNotFoundError:
            return ""

    def hold(self, epoch: int, /) -> bool:
        if epoch in self._held:
            return True
        file = (self._folder / f"{_HOLDER}{epoch}").open("ab")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            return False
        self._held[epoch] = file
        self._forget_before(epoch)
        return True

    def holder_gone(self, epoch: int, /) -> bool | None:
        if epoch in self._held:
            return False
        try:
            with (self._folder / f"{_HOLDER}{epoch}").open("rb") as file:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except FileNotFoundError:
            return None
        except BlockingIOError:
            return False
        return True

    def close(self) -> None:
        for file in self._held.values():
            file.close()
        self._held.clear()

    @contextmanager
    def _mutex(self) -> Iterator[None]:
        try:
            with (self._folder / _MUTEX).open("ab") as file:
                fcntl.flock(file, fcntl.LOCK_EX)
                yield
        except OSError as error:
            raise JournalError(f"{self.place} cannot be used ({error.strerror}: {error.filename}).") from error

    def _snapshot(self) -> Snapshot:
        return Snapshot(lock=self._versioned(_LOCK), journal=self._versioned(_OPEN))

    def _versioned(self, name: str) -> Versioned | None:
        try:
            content = (self._folder / name).read_bytes()
        except FileNotFoundError:
            return None
        return Versioned(version=Version(hashlib.sha256(content).hexdigest()), text=content.decode(errors="replace"))

    def _write_journal(self, journal: JournalWrite) -> None:
        if journal.anew:
            for name in self.months():
                (self._folder / f"{name}{_MONTH}").rename(self._folder / f"{name}{_MONTH}.before-{os.getpid()}")
        for month, lines in journal.lines.items():
            with (self._folder / f"{month}{_MONTH}").open("a", encoding="utf-8") as file:
                file.write(lines)
                file.flush()
                os.fsync(file.fileno())
        self._replace(_OPEN, journal.state)

    def _replace(self, name: str, text: str) -> None:
        """Write a file whole or not at all, and have it on the disk when this returns."""
        new = self._folder / f"{name}.new"
        with new.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        new.replace(self._folder / name)
        descriptor = os.open(self._folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def _forget_before(self, epoch: int, /) -> None:
        for path in self._folder.glob(f"{_HOLDER}*"):
            number = path.name.removeprefix(_HOLDER)
            # One epoch is spared: a run that lost the race for this one may just be asking for the holder before it.
            if number.isdigit() and int(number) < epoch - 1:
                with suppress(FileNotFoundError):
                    path.unlink()
