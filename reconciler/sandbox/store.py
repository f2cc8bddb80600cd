"""The sandbox's directory: one owner at a time, and a snapshot of the world that survives a restart."""

import fcntl
import io
import os
from pathlib import Path
from types import TracebackType
from typing import Generic, Self, TypeVar

import msgspec

STATE_FILE = "state.msgpack"
LOCK_FILE = "lock"
_MAGIC = b"certrecon-sandbox-state"
_VERSION = 1

State = TypeVar("State")


class StoreError(Exception):
    """The directory can't be used as it is; the message says why and what to do."""


def write_private(path: Path, content: bytes) -> None:
    """Replace a file in one step, readable by its owner only. It is on the disk when this returns."""
    temporary = path.with_name(f".{path.name}.tmp")  # the directory has one owner
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)


class DirectoryLock:
    """Holds the directory for this process; the system lets go of it when the process ends, however it ends."""

    def __init__(self, directory: Path) -> None:
        self._path = directory / LOCK_FILE
        self._file: io.TextIOWrapper | None = None

    def __enter__(self) -> Self:
        file = self._path.open("a+")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            file.seek(0)
            owner = file.read().strip() or "unknown"
            file.close()
            raise StoreError(
                f"{self._path.parent}: a sandbox runs here already (process {owner}); stop it, or take another --dir"
            ) from None
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
        self._file = file
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is not None:
            self._file.truncate(0)
            self._file.close()


class Store(Generic[State]):
    """Saves and loads one state. A snapshot that can't be read is an error, never a fresh world."""

    def __init__(self, directory: Path, kind: type[State]) -> None:
        self.path = directory / STATE_FILE
        self._kind = kind
        self._encoder = msgspec.msgpack.Encoder()
        self._decoder = msgspec.msgpack.Decoder(kind)

    def encode(self, state: State) -> bytes:
        return b"%s %d\n%s" % (_MAGIC, _VERSION, self._encoder.encode(state))

    def write(self, snapshot: bytes) -> None:
        """Replace the saved state.

        Raises:
            StoreError: the disk does not take it.
        """
        try:
            write_private(self.path, snapshot)
        except OSError as error:
            raise StoreError(f"{self.path}: the world can't be saved: {error.strerror}") from error

    def save(self, state: State) -> None:
        self.write(self.encode(state))

    def load(self) -> State | None:
        """Return the saved state, or None where nothing was saved yet.

        Raises:
            StoreError: what stands there is not a snapshot that this version can read.
        """
        try:
            content = self.path.read_bytes()
        except FileNotFoundError:
            return None
        head, _, body = content.partition(b"\n")
        self._check_head(head)
        try:
            return self._decoder.decode(body)
        except (msgspec.DecodeError, msgspec.ValidationError) as error:
            raise StoreError(f"{self.path}: damaged ({error}); {self._remedy()}") from error

    def _check_head(self, head: bytes) -> None:
        magic, _, version = head.partition(b" ")
        if magic != _MAGIC or not version.isdigit():
            raise StoreError(f"{self.path}: not a snapshot of a sandbox; {self._remedy()}")
        if int(version) != _VERSION:
            raise StoreError(
                f"{self.path}: written by another version of certrecon (snapshot format {int(version)}, this one reads "
                f"{_VERSION}); {self._remedy()}"
            )

    def _remedy(self) -> str:
        return f"remove {self.path.parent} to start a fresh world, or take another --dir"
