"""Bare repositories in the cache folder, one for each process at a time."""

import fcntl
import shutil
from pathlib import Path
from typing import BinaryIO

_MOST_OBJECTS = 5_000  # with more, fetching anew is cheaper than collecting


class Slot:
    """A bare repository of the cache that this process alone uses: runs on one machine do not meet in git's own locks.

    The kernel frees a slot when its process ends, however it ends; the next run finds the objects there.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        number = 0
        while not self._take(folder / f"{number}.lock"):
            number += 1
        self.path = folder / f"{number}.git"
        self._tidy()

    def _take(self, path: Path) -> bool:
        file = path.open("ab")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            return False
        self._file: BinaryIO = file
        return True

    def _tidy(self) -> None:
        """Remove what a killed process left, and a repository that has grown large."""
        for left in (*self.path.glob("*.lock"), *self.path.glob("refs/**/*.lock")):
            left.unlink(missing_ok=True)
        if sum(1 for _ in self.path.glob("objects/??/*")) > _MOST_OBJECTS:
            shutil.rmtree(self.path)
        self._init()

    def _init(self) -> None:
        """Make an empty bare repository (gitrepository-layout(5)); `git init` refuses to where GIT_WORK_TREE is set."""
        for name in ("objects", "refs"):
            (self.path / name).mkdir(mode=0o700, parents=True, exist_ok=True)
        (self.path / "config").write_text("[core]\n\trepositoryformatversion = 0\n\tbare = true\n")
        (self.path / "HEAD").write_text("ref: refs/heads/none\n")

    def close(self) -> None:
        self._file.close()
