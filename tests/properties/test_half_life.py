"""With no new input a fleet orders nothing twice within half a life, and nothing of it expires."""

import json
import tempfile
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from reconciler.model.certificate import RenewBefore
from reconciler.model.policy import Freeze, Policy
from tests.support.certs import desired
from tests.support.live import issued_order, look, served, standing
from tests.support.looks import ENROLLMENT
from tests.support.program import Program, small_repository
from tests.support.standing import standing_sandbox

if TYPE_CHECKING:
    from reconciler.sandbox.app import Sandbox, SandboxState

MakeState = Callable[..., "SandboxState"]
DAY = timedelta(days=1)
MIDNIGHT = datetime(2026, 11, 16, tzinfo=UTC)
LIVES = (7, 9, 30, 46, 199, 397)  # days
WANTED = desired()
PRIVATE_TLS = 2031

# The rule alone: values in, values out


@dataclass(frozen=True, kw_only=True)
class Issued:
    """What is served: an order, and the certificate that came of it, dated back to midnight."""

    serial: int
    requested_at: datetime
    issued_at: datetime
    expires_at: datetime


def order(serial: int, at: datetime, *, life: int, delay: timedelta) -> Issued:
    issued_at = at + delay
    midnight = issued_at.replace(hour=0, minute=0, second=0, microsecond=0)
    expires_at = midnight + life * DAY - timedelta(seconds=1)
    return Issued(serial=serial, requested_at=at, issued_at=issued_at, expires_at=expires_at)


def renews(live: Issued, *, life: int, now: datetime, policy: Policy) -> bool:
    """Tell whether a run at this instant would order."""
    row = issued_order(
        serial=live.serial,
        requested_at=live.requested_at,
        issued_at=live.issued_at,
        expires_at=live.expires_at,
        term_days=life,
    )
    seen = look(now=now, live={ENROLLMENT: served(live.serial, live.expires_at)}, orders=[row], policy=policy)
    return standing(seen).may_run


policies = st.builds(
    Policy,
    renew_before=st.none()
    | st.builds(RenewBefore, days=st.sampled_from((9, 30, 45, 300)))
    | st.builds(RenewBefore, percent=st.sampled_from((10, 33, 50, 100))),
    freezes=st.lists(
        st.builds(
            lambda first, days: Freeze(first=first, last=first + days * DAY, reason="quiet"),
            st.dates(min_value=date(2026, 11, 16), max_value=date(2028, 1, 1)),
            st.integers(min_value=0, max_value=40),
        ),
        max_size=2,
    ).map(tuple),
)


@settings(max_examples=60, derandomize=True, deadline=None)
@given(
    life=st.sampled_from(LIVES),
    policy=policies,
    hour=st.floats(min_value=0, max_value=23.9),
    cadence=st.floats(min_value=0.02, max_value=0.1),  # of a life
)
def test_the_rule_orders_nothing_twice_within_half_a_life(
    life: int, policy: Policy, hour: float, cadence: float
) -> None:
    now = MIDNIGHT + timedelta(hours=hour)
    live = order(1, now, life=life, delay=timedelta(minutes=10))
    while now < MIDNIGHT + 3 * life * DAY:
        now += cadence * life * DAY
        assert now < live.expires_at
        if renews(live, life=life, now=now, policy=policy):
            assert now - live.requested_at >= life * DAY / 2
            live = order(live.serial + 1, now, life=life, delay=timedelta(minutes=10))
    assert live.serial > 1


# The whole program, on the sandbox


@dataclass(frozen=True, kw_only=True)
class Fleet:
    """Certificates of one life, and how a run comes along again and again."""

    life: int
    key_types: Sequence[Sequence[str]]  # of each certificate
    change_management: bool
    start: datetime
    steps: Sequence[float]  # shares of a life

    def files(self) -> dict[str, str]:
        return {
            f"certificates/c{place}.yaml": json.dumps(
                {
                    "apiVersion": "certrecon/v1",
                    "commonName": f"c{place}.example.com",
                    "keyTypes": key_types,
                    "sectigo": {"profile": "Private TLS", "issuer": "private"},
                    "akamai": {"ocspStapling": "off", "changeManagement": self.change_management},
                }
            )
            for place, key_types in enumerate(self.key_types)
        }


RSA, ECDSA = "RSA-2048", "ECDSA-P256"
fleets = st.builds(
    Fleet,
    life=st.sampled_from(LIVES),
    key_types=st.lists(st.sampled_from(([RSA], [ECDSA], [RSA, ECDSA])), min_size=1, max_size=3),
    change_management=st.booleans(),
    start=st.floats(min_value=0, max_value=23.9).map(lambda hours: MIDNIGHT + timedelta(hours=hours)),
    steps=st.lists(st.floats(min_value=0.05, max_value=0.1), min_size=20, max_size=30),
)


@pytest.mark.parametrize(
    "fleet",
    [
        Fleet(life=7, key_types=[[RSA, ECDSA]], change_management=True, start=MIDNIGHT + DAY / 2, steps=[0.1] * 12),
        Fleet(life=46, key_types=[[RSA]], change_management=False, start=MIDNIGHT, steps=[0.3, 0.3, 0.1, 0.3]),
    ],
    ids=lambda fleet: f"{fleet.life} days",
)
def test_a_fleet_orders_nothing_twice_within_half_a_life(make_state: MakeState, fleet: Fleet) -> None:
    check_fleet(make_state, fleet)


@pytest.mark.long
@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=(HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large),
    phases=(Phase.explicit, Phase.generate),
)
@given(fleet=fleets)
def test_any_fleet_orders_nothing_twice_within_half_a_life(make_state: MakeState, fleet: Fleet) -> None:
    check_fleet(make_state, fleet)


def check_fleet(make_state: MakeState, fleet: Fleet) -> None:
    """Let time pass with runs in between: after each there is nothing to do, and at the end few were ordered."""
    from reconciler.sandbox.app import Sandbox
    from reconciler.sandbox.keys import KeyMaker

    world = Sandbox(make_state(start=fleet.start), keys=KeyMaker("pooled"))
    world.scm.state.profiles[PRIVATE_TLS].terms = [fleet.life]
    with tempfile.TemporaryDirectory() as folder, standing_sandbox(world, Path(folder)) as sandbox:
        program = Program(repository=small_repository(Path(folder) / "repository"), environment=sandbox.environment)
        for path, text in fleet.files().items():
            program.write(path, text)
        run(program)
        for share in fleet.steps:
            # Who comes along less often than a window is long, 30 days of the longest life, comes too late for some.
            sandbox.advance(days=min(share * fleet.life, 25))
            check_that_nothing_expired(world)
            run(program)
    check_orders(world, fleet)


def run(program: Program) -> None:
    """Have one run do all that is due; a plan after it is empty."""
    finished = program.apply(wait="8h")
    assert finished.exit_code == 0, finished.stdout + finished.stderr
    planned = program.plan()
    assert (planned.exit_code, "No changes." in planned.stdout) == (0, True), planned.stdout


def check_that_nothing_expired(world: "Sandbox") -> None:
    from reconciler.sandbox import summary

    found: dict[str, Any] = summary.of(world)
    for enrollment in found["enrollments"]:
        assert enrollment["production"]
        assert min(one["not_after"] for one in enrollment["production"]) > found["now"], enrollment


def check_orders(world: "Sandbox", fleet: Fleet) -> None:
    """Of each certificate and key type, no order lies within half a life of the one before."""
    ordered: defaultdict[tuple[str, str], list[datetime]] = defaultdict(list)
    for one in world.scm.state.orders.values():
        key_type = "EC" if "k=ECDSA" in one.comments else "RSA"
        ordered[one.common_name, key_type].append(one.requested)
    assert len(ordered) == sum(len(key_types) for key_types in fleet.key_types)
    for instants in ordered.values():
        assert len(instants) > 1
        gaps = [after - before for before, after in pairwise(instants)]
        assert min(gaps) >= fleet.life * DAY / 2, gaps
