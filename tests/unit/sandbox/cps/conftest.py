"""The fixture of all CPS tests."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from reconciler.sandbox.keys import KeyMaker

if TYPE_CHECKING:
    from reconciler.sandbox.app import SandboxState
    from tests.unit.sandbox.cps.harness import Cps


@pytest.fixture
def cps(make_state: Callable[..., "SandboxState"]) -> "Cps":
    """Return a client of a fresh CPS without rate limits; its clock stands at 2026-11-16T00:00Z."""
    from reconciler.sandbox.app import Sandbox
    from tests.unit.sandbox.cps.harness import Cps

    cps = Cps(Sandbox(make_state(), keys=KeyMaker("pooled")))
    cps.options.rate_limits = "unlimited"
    return cps
