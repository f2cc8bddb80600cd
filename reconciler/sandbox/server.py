"""A sandbox that runs: in the foreground for the command, in a thread for tests and benchmarks."""

import asyncio
import contextlib
import shlex
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

from reconciler.sandbox.app import DEFAULT_SEED, Sandbox, SandboxState, default_start, fresh_state
from reconciler.sandbox.clock import VirtualClock
from reconciler.sandbox.cps.service import CpsService
from reconciler.sandbox.faults import Faults
from reconciler.sandbox.keys import KeyMaker, Mode
from reconciler.sandbox.listeners import running
from reconciler.sandbox.outfiles import Written
from reconciler.sandbox.scm.service import ScmService
from reconciler.sandbox.store import DirectoryLock, Store, StoreError

__all__ = ["BackgroundSandbox", "StoreError", "serve_forever"]

_SAVE_PAUSE_S = 0.5
_START_TIMEOUT_S = 60.0

Result = TypeVar("Result")


def serve_forever(
    directory: Path,
    *,
    start: datetime | None = None,
    seed: int | None = None,
    speed: float = 0.0,
    keys: Mode = "fresh",
    announce: Callable[[str], None],
) -> None:
    """Serve until SIGINT or SIGTERM. `start` and `seed` belong to a fresh world; a saved one has its own.

    Raises:
        StoreError: the directory is in use, or what was saved there can't be read, or `start` or `seed` came too late.
    """
    directory.mkdir(parents=True, exist_ok=True)
    with DirectoryLock(directory):
        store = Store(directory, SandboxState)
        maker = KeyMaker(keys)
        state = store.load()
        if state is None:
            state = fresh_state(
                start=start.astimezone(UTC) if start else default_start(),
                seed=DEFAULT_SEED if seed is None else seed,
                keys=maker,
            )
        elif start is not None or seed is not None:
            raise StoreError(
                f"{directory}: a world is saved here and stands at {state.clock.now.isoformat()}; "
                "--start and --seed are for a fresh one"
            )
        sandbox = Sandbox(state, keys=maker, speed=speed)
        asyncio.run(_serve_until_signal(sandbox, directory, store, announce))


async def _serve_until_signal(
    sandbox: Sandbox, directory: Path, store: Store[SandboxState], announce: Callable[[str], None]
) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    saver = Saver(store, sandbox.state)
    sandbox.on_change = saver.touch
    saving = asyncio.create_task(saver.run())
    stopping = asyncio.create_task(stop.wait())
    try:
        async with running(sandbox, directory):
            saver.touch()
            announce(
                f"The sandbox is ready, its clock shows {sandbox.clock.now().isoformat()}. Point clients at it with:\n"
                f'  eval "$(certrecon sandbox env --dir {shlex.quote(str(directory))})"'
            )
            await asyncio.wait({stopping, saving}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        stopping.cancel()
        saver.end()
        await saving  # its last act is to save; a disk that is full is told here


class Saver:
    """Writes the world to the disk soon after it has changed, and once more at the end."""

    def __init__(self, store: Store[SandboxState], state: SandboxState) -> None:
        self._store = store
        self._state = state
        self._dirty = asyncio.Event()
        self._ended = asyncio.Event()

    def touch(self) -> None:
        self._dirty.set()

    def end(self) -> None:
        self._ended.set()
        self._dirty.set()

    async def run(self) -> None:
        pause_s = _SAVE_PAUSE_S
        while not self._ended.is_set():
            await self._dirty.wait()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._ended.wait(), pause_s)
            self._dirty.clear()
            began = time.monotonic()
            snapshot = self._store.encode(self._state)
            pause_s = max(_SAVE_PAUSE_S, 10 * (time.monotonic() - began))  # a large world is saved less often
            await asyncio.to_thread(self._store.write, snapshot)


class BackgroundSandbox:
    """A sandbox in a thread of this process, not saved. Use it as a context manager.

    Its clock, services and faults may be read from any thread; what changes them while calls are in flight goes
    through `run`, as `advance` and `set` do.
    """

    def __init__(self, sandbox: Sandbox, directory: Path) -> None:
        self.sandbox = sandbox
        self.dir = directory
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop = asyncio.Event()
        self._ready = threading.Event()
        self._written: Written | None = None
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._main, name="sandbox", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        if not self._ready.wait(_START_TIMEOUT_S) or self._error is not None:
            raise RuntimeError("the sandbox did not start") from self._error
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._loop is not None and self._error is None:
            self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()
        if self._error is not None:
            raise RuntimeError("the sandbox failed") from self._error

    @property
    def urls(self) -> dict[str, Any]:
        """Return the content of `sandbox.json`."""
        return self._said.facts

    @property
    def environment(self) -> dict[str, str]:
        """Return what the file `env` exports."""
        return self._said.environment

    @property
    def clock(self) -> VirtualClock:
        return self.sandbox.clock

    @property
    def faults(self) -> Faults:
        return self.sandbox.faults

    @property
    def cps(self) -> CpsService:
        return self.sandbox.cps

    @property
    def scm(self) -> ScmService:
        return self.sandbox.scm

    @property
    def calls(self) -> Counter[str]:
        """Return the live counts by operation: `calls["scm.enroll"]`. `calls.clear()` starts anew."""
        return self.sandbox.gate.calls

    def run(self, act: Callable[[], Result]) -> Result:
        """Have the sandbox's own thread do `act`, between two calls, and return what it returns."""

        async def acting() -> Result:
            return act()

        assert self._loop is not None, "the sandbox runs inside `with` only"
        return asyncio.run_coroutine_threadsafe(acting(), self._loop).result()

    def advance(self, *, days: float = 0, hours: float = 0, minutes: float = 0, seconds: float = 0) -> datetime:
        """Advance the clock by so much and return what it shows."""
        return self.run(lambda: self.sandbox.advance(days=days, hours=hours, minutes=minutes, seconds=seconds))

    def advance_to(self, instant: datetime) -> datetime:
        return self.run(lambda: self.sandbox.advance_to(instant))

    def set(self, **options: object) -> None:
        """Set options by name: `set(approvals="manual")`."""
        self.run(lambda: self.sandbox.options.set_all(options))

    @property
    def _said(self) -> Written:
        assert self._written is not None, "the sandbox runs inside `with` only"
        return self._written

    def _main(self) -> None:
        try:
            asyncio.run(self._serve())
        except BaseException as error:  # noqa: BLE001 - told to the thread that waits
            self._error = error
        finally:
            self._ready.set()

    async def _serve(self) -> None:
        async with running(self.sandbox, self.dir) as written:
            self._written = written
            self._loop = asyncio.get_running_loop()
            self._ready.set()
            await self._stop.wait()
