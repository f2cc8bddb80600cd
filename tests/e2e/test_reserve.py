"""A plan beside a busy account leaves the last calls to renewals, and says so; apply uses them."""

from reconciler.sandbox.server import BackgroundSandbox
from tests.support.control import Control
from tests.support.program import Program


def test_a_plan_stops_at_the_reserve_and_apply_goes_on(
    program: Program, control: Control, sandbox: BackgroundSandbox
) -> None:
    control.post("/options", {"rate_limits": "per-hour", "rate_limit_headers": "all"})
    limits = sandbox.cps._limits
    limits._hour.calls.extend([limits._clock.limiter_s()] * 900)  # of 1000, by other clients
    for look in ("plan", "status"):
        stopped = program.run(look)
        assert (stopped.exit_code, stopped.stdout) == (1, "")
        assert "calls left, even after a minute without a call of ours" in stopped.stderr
        assert "run this again later" in stopped.stderr
    assert program.apply(wait="0s").exit_code == 3
    assert control.get("/calls")["mutating"] == {"cps.create_enrollment": 1}
