"""Whatever is wanted, and however the services behave: apply until done, and then there is nothing left to do."""

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from tests.support.left import Left, keys_of_changes, left_by_name, orders_by_key
from tests.support.program import Finished, Program, small_repository
from tests.support.standing import standing_sandbox
from tests.support.wishes import Case, cases

if TYPE_CHECKING:
    from reconciler.sandbox.app import SandboxState

MakeState = Callable[..., "SandboxState"]
RUNS = 6
_SLOW = HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large

# The same examples every time, so that `make test` never fails by chance; the nightly ones are new each night.
quickly = settings(
    max_examples=4,
    derandomize=True,
    deadline=None,
    suppress_health_check=_SLOW,
    phases=(Phase.explicit, Phase.generate),
)
nightly = settings(max_examples=400, deadline=None, suppress_health_check=_SLOW)


@quickly
@given(case=cases(certificates=3, options=6))
def test_any_certificates_come_to_their_end_with_one_order_for_each_key(make_state: MakeState, case: Case) -> None:
    check_convergence(make_state, case)


@pytest.mark.long
@nightly
@given(case=cases(certificates=5, options=12))
def test_any_more_certificates_come_to_their_end_with_one_order_for_each_key(make_state: MakeState, case: Case) -> None:
    check_convergence(make_state, case)


def check_convergence(make_state: MakeState, case: Case) -> None:
    """Have one fleet applied until it is done; each name has then one order for each key, on both networks."""
    from reconciler.sandbox.app import Sandbox
    from reconciler.sandbox.keys import KeyMaker

    world = Sandbox(make_state(), keys=KeyMaker("pooled"))
    with tempfile.TemporaryDirectory() as folder, standing_sandbox(world, Path(folder)) as sandbox:
        sandbox.set(**case.behaviour)
        program = Program(repository=small_repository(Path(folder) / "repository"), environment=sandbox.environment)
        for place, wish in enumerate(case.fleet):
            program.write(f"certificates/c{place}.yaml", wish.text)
        last = apply_until_done(program, sandbox.advance, [f"c{place}" for place in range(len(case.fleet))])
        planned = program.plan()
    assert last.exit_code == 0, last.stdout + last.stderr
    assert (planned.exit_code, "No changes." in planned.stdout) == (0, True), planned.stdout
    assert {name: ends(left) for name, left in left_by_name(world).items()} == {
        wish.ascii_name: (wish.key_types, wish.key_types, wish.key_types) for wish in case.fleet
    }
    assert max(orders_by_key(world).values()) == 1
    assert set(orders_by_key(world)) <= keys_of_changes(world)


def apply_until_done(program: Program, advance: Callable[..., Any], names: Sequence[str]) -> Finished:
    """Run apply until it says that nothing is left, an hour apart, letting go to production whatever is held back."""
    let_go = [argument for name in names for argument in ("--promote", name)]
    finished = program.apply(*let_go)
    for _ in range(RUNS - 1):
        if finished.exit_code == 0:
            break
        advance(hours=1)
        finished = program.apply(*let_go)
    return finished


def ends(left: Left) -> tuple[frozenset[str], frozenset[str], frozenset[str]]:
    """Return the key types that were ordered, and those that each network serves; doubles show as "NAME, again"."""
    ordered = [text.removesuffix(" Issued") for text in left.orders]
    assert len(ordered) == len(set(ordered)), left
    return frozenset(ordered), frozenset(left.staging), frozenset(left.production)
