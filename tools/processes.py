"""Child processes that never outlive us, and signals that reach us only where we can clean up."""

import contextlib
import os
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import FrameType

_STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_GRACE_S = 15.0  # `apply` finishes the step in hand before it ends
_LOOK_S = 1.0


class Stopped(BaseException):
    """A signal asked us to end. Not an `Exception`: nothing that handles failures may swallow it."""

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.exit_code = 128 + number


class Signals:
    """Turn the first stopping signal into `Stopped`; the others change nothing, since we are ending already."""

    def __init__(self) -> None:
        self._held = False
        self._pending: int | None = None
        self._raised = False
        for number in _STOPPING:
            signal.signal(number, self._arrived)

    def _arrived(self, number: int, _frame: FrameType | None) -> None:
        if self._held:
            self._pending = number
        elif not self._raised:
            self._raised = True
            raise Stopped(number)

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Let a signal wait until the block is done: for making what must be known before it can be removed."""
        self._held = True
        try:
            yield
        finally:
            self._held = False
        if self._pending is not None:
            self._arrived(self._pending, None)

    def ignore(self) -> None:
        """Ignore them from now on: for cleaning up."""
        for number in _STOPPING:
            signal.signal(number, signal.SIG_IGN)


class Children:
    """The processes that we start, each the leader of a group of its own, so that ending one ends what it started."""

    def __init__(self, signals: Signals) -> None:
        self._signals = signals
        self._running: list[subprocess.Popen[bytes]] = []

    def start(
        self, command: Sequence[str], *, env: Mapping[str, str], cwd: Path, log: Path | None = None
    ) -> "subprocess.Popen[bytes]":
        """Start `command`; its output goes to ours, or to the file `log`."""
        with self._signals.held(), contextlib.ExitStack() as files:
            output = files.enter_context(log.open("wb")) if log else None
            child = subprocess.Popen(
                command,
                env=env,
                cwd=cwd,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
            self._running.append(child)
        return child

    def run(self, command: Sequence[str], *, env: Mapping[str, str], cwd: Path, log: Path | None = None) -> int:
        """Run `command` to its end and return its exit code."""
        child = self.start(command, env=env, cwd=cwd, log=log)
        while True:
            # Python acts on a signal between two instructions: one that comes just before a system call that waits
            # for ever would be acted on after it, so none of ours does.
            with contextlib.suppress(subprocess.TimeoutExpired):
                code = child.wait(_LOOK_S)
                break
        self._running.remove(child)
        return code

    def end(self) -> None:
        """End all that still run, the youngest first: they stop what they do before the services under them go."""
        while self._running:
            _end(self._running.pop())


def _end(child: "subprocess.Popen[bytes]") -> None:
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(_GRACE_S)
            break
    # The group may outlive its leader: a helper of git, a worker of a pool.
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(child.pid, signal.SIGKILL)
