"""The lists of mutating calls and of pushes are what an undisturbed run makes: none is forgotten, none is made up."""

import json
import os
from collections import Counter
from pathlib import Path

import pytest

from reconciler import ports
from tests.faults.crash.conftest import SetStage
from tests.faults.crash.scenarios import CALLS, PUSHES, SCENARIOS, recorded
from tests.support.pushes import recorded_pushes

# What the services' clients can be asked for, and the operations by which it changes something; none: it reads.
PORTS: dict[str, tuple[str, ...]] = {
    "Cps.rights": (),
    "Cps.contracts": (),
    "Cps.enrollments": (),
    "Cps.served": (),
    "Cps.change": (),
    "Cps.csrs": (),
    "Cps.warnings": (),
    "Cps.change_management": (),
    "Cps.history": (),
    "Cps.create_enrollment": ("cps.create_enrollment",),
    "Cps.update_enrollment": ("cps.update_enrollment",),
    "Cps.upload": ("cps.upload_certificate",),
    "Cps.acknowledge_warnings": (
        "cps.acknowledge_pre_verification_warnings",
        "cps.acknowledge_post_verification_warnings",
    ),
    "Cps.acknowledge_change_management": ("cps.acknowledge_change_management",),
    "Scm.rights": (),
    "Scm.organizations": (),
    "Scm.profiles": (),
    "Scm.orders": (),
    "Scm.order": (),
    "Scm.collect": (),
    "Scm.chain": (),
    "Scm.domains": (),
    "Scm.validations": (),
    "Scm.organization_details": (),
    "Scm.password_state": (),
    "Scm.submit_order": ("scm.enroll",),
    "Scm.link_orders": ("scm.mark_renewed",),
}

# What only a file asks for, within a budget: one call that leads to no other. tests/e2e/test_guards.py has them.
DECLARED = {"Cps.cancel_change", "Cps.delete_enrollment", "Scm.revoke"}


@pytest.mark.parametrize("name", [scenario.name for scenario in SCENARIOS])
def test_a_fresh_recording_is_the_recorded_one(name: str, set_stage: SetStage) -> None:
    stage = set_stage(name)
    with stage.recording() as calls:
        finished = stage.run_until_done()
    counted = stage.control.get("/calls")["mutating"]
    assert Counter(calls) == counted, "a call changes something and does not say so in its Request.mutates"
    stage.check_the_end(finished)
    compare(CALLS, name, calls)


@pytest.mark.parametrize("name", [scenario.name for scenario in SCENARIOS if scenario.pushed])
def test_a_fresh_recording_of_pushes_is_the_recorded_one(name: str, set_stage: SetStage) -> None:
    stage = set_stage(name, git=True)
    with recorded_pushes() as pushes:
        finished = stage.run_until_done()
    stage.check_the_end(finished)
    compare(PUSHES, name, pushes)


def compare(recording: Path, name: str, found: list[str]) -> None:
    if "RECORD" in os.environ:
        keep(recording, name, found)
    assert recorded(recording).get(name) == found, f"{recording.name} is old: scenarios.py says how to renew it"


def keep(recording: Path, name: str, found: list[str]) -> None:
    """Write what was found, and let go of scenarios that are gone."""
    everything = {**recorded(recording), name: found}
    kept = {scenario.name: everything[scenario.name] for scenario in SCENARIOS if scenario.name in everything}
    recording.write_text(json.dumps(kept, indent=2) + "\n")


def test_every_call_of_the_clients_is_a_read_or_is_struck_in_some_scenario() -> None:
    methods = {
        f"{port.__name__}.{name}" for port in (ports.Cps, ports.Scm) for name in vars(port) if not name.startswith("_")
    }
    assert methods - DECLARED == set(PORTS), "say of a new method whether it reads, and add a scenario that calls it"
    struck = {call for calls in recorded(CALLS).values() for call in calls}
    assert {operation for operations in PORTS.values() for operation in operations} - struck == set()
