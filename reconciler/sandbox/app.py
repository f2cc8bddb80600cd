"""The whole sandbox, put together: one world of both services, its clock and its certificate authority."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from reconciler.sandbox.ca import Authority, CaState
from reconciler.sandbox.clock import ClockState, VirtualClock, real_now
from reconciler.sandbox.cps.options import CpsOptions
from reconciler.sandbox.cps.service import CpsService
from reconciler.sandbox.cps.state import CpsState
from reconciler.sandbox.cps.state import default_state as default_cps_state
from reconciler.sandbox.faults import Faults
from reconciler.sandbox.gate import Gate
from reconciler.sandbox.ids import Ids, IdState
from reconciler.sandbox.keys import KeyMaker
from reconciler.sandbox.options import Options
from reconciler.sandbox.scm.defaults import default_state as default_scm_state
from reconciler.sandbox.scm.options import ScmOptions
from reconciler.sandbox.scm.service import ScmService
from reconciler.sandbox.scm.state import ScmState

DEFAULT_SEED = 1


@dataclass(kw_only=True)
class SandboxState:
    """All that survives a restart. Armed faults and call counts do not: they belong to a session."""

    clock: ClockState
    ids: IdState
    ca: CaState
    cps: CpsState
    scm: ScmState
    cps_options: CpsOptions = field(default_factory=CpsOptions)
    scm_options: ScmOptions = field(default_factory=ScmOptions)
    ports: dict[str, int] = field(default_factory=dict)  # by listener; taken again after a restart


def default_start() -> datetime:
    """Return 00:00 UTC seven days ago."""
    return real_now().replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=7)


def fresh_state(*, start: datetime, seed: int, keys: KeyMaker, ca: CaState | None = None) -> SandboxState:
    """Return a new world at `start`. Making a `ca` takes two seconds; tests hand in one that they share."""
    ids = Ids(IdState(seed=seed))
    return SandboxState(
        clock=ClockState(now=start),
        ids=ids.state,
        ca=ca or Authority.create(ids=ids, keys=keys).state,
        cps=default_cps_state(ids),
        scm=default_scm_state(ids, start),
    )


class Sandbox:
    """Both services on one clock. Not thread-safe: all calls belong to the thread of the event loop that serves it."""

    def __init__(self, state: SandboxState, *, keys: KeyMaker, speed: float = 0.0) -> None:
        self.state = state
        self.keys = keys
        self.ids = Ids(state.ids)
        self.clock = VirtualClock(state.clock, speed=speed)
        self.faults = Faults()
        self.gate = Gate(clock=self.clock, faults=self.faults, after_mutation=self.touch)
        self.options = Options(state.cps_options, state.scm_options)
        self.on_change: Callable[[], None] = lambda: None
        self.authority = Authority(state.ca, ids=self.ids, keys=keys)
        self.cps = CpsService(
            state.cps,
            options=state.cps_options,
            clock=self.clock,
            ids=self.ids,
            gate=self.gate,
            keys=keys,
            trust=self.authority.trust_store(),
        )
        self.scm = ScmService(
            state.scm,
            options=state.scm_options,
            clock=self.clock,
            ids=self.ids,
            gate=self.gate,
            authority=self.authority,
        )

    def touch(self) -> None:
        """Say that the world has changed, so that it gets saved."""
        self.on_change()

    def advance(self, *, days: float = 0, hours: float = 0, minutes: float = 0, seconds: float = 0) -> datetime:
        """Advance the clock by so much and return what it shows."""
        return self.advance_to(self.clock.now() + timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds))

    def advance_to(self, instant: datetime) -> datetime:
        """Advance the clock to `instant`, or not at all if that is past, and return what it shows."""
        self.clock.tick()
        self.clock.advance_to(instant)
        self.touch()
        return self.clock.now()
