"""Metrics of a run, read back by Prometheus' own parser."""

import dataclasses

import pytest
from prometheus_client.parser import text_string_to_metric_families

from reconciler.errors import ExitCode
from reconciler.model.certificate import CertificateName
from reconciler.model.policy import Policy
from reconciler.planning.guards import Guard, GuardState
from reconciler.planning.plan import Plan
from reconciler.planning.steps import Phase
from reconciler.report.metrics import Ran, metrics_text
from tests.support.certs import desired
from tests.support.live import EXPIRES, ISSUED, WANTED, before_end, complete, look, planned

WWW = {"certificate": "www.example.com", "account": "main"}


def text(plan: Plan, *, command: str = "status", code: ExitCode = ExitCode.DONE, before: str = "") -> str:
    return metrics_text(plan, Policy(), Ran(command=command, exit_code=code, tool_version="1.2.3", before=before))


def value(shown: str, name: str, **labels: str) -> float | None:
    samples = [one for family in text_string_to_metric_families(shown) for one in family.samples if one.name == name]
    found = [one.value for one in samples if one.labels == labels]
    assert len(found) <= 1
    return found[0] if found else None


def test_a_certificate_has_its_dates_and_its_level() -> None:
    new = complete(desired("new.example.com"))
    shown = text(planned(look(now=before_end(days=15)), WANTED, new))
    assert value(shown, "certrecon_certificate_expiry_timestamp_seconds", **WWW) == EXPIRES.timestamp()
    due = value(shown, "certrecon_certificate_due_timestamp_seconds", **WWW)
    assert due is not None
    assert due < before_end(days=15).timestamp()
    assert value(shown, "certrecon_certificate_level", **WWW) == 1
    of_new = {"certificate": "new.example.com", "account": "main"}
    assert value(shown, "certrecon_certificate_level", **of_new) == 0
    assert value(shown, "certrecon_certificate_expiry_timestamp_seconds", **of_new) is None


def test_no_count_vanishes_when_it_is_0() -> None:
    shown = text(planned(look(now=ISSUED)))
    for phase in Phase:
        expected = 1 if phase is Phase.PRODUCTION else 0
        assert value(shown, "certrecon_certificates_by_phase", phase=phase.value) == expected
    assert value(shown, "certrecon_certificates_by_work", work="blocked") == 0
    assert value(shown, "certrecon_orders_under_way") == 0
    assert value(shown, "certrecon_incomplete_readings") == 0


def test_orders_under_way_are_those_not_uploaded_yet() -> None:
    plan = planned(look(now=ISSUED), WANTED, complete(desired("b.example.com")), complete(desired("c.example.com")))
    phases = [Phase.VALIDATING, Phase.ORDERED, Phase.STAGING]
    standings = [dataclasses.replace(one, phase=phase) for one, phase in zip(plan.standings, phases, strict=True)]
    assert value(text(dataclasses.replace(plan, standings=tuple(standings))), "certrecon_orders_under_way") == 2


def test_guards_have_use_and_limit() -> None:
    states = (
        GuardState(guard=Guard.DELETES, limit=2, used=3, text=""),
        GuardState(guard=Guard.PROTECT, limit=None, used=1, text=""),
    )
    shown = text(dataclasses.replace(planned(look(now=ISSUED)), guards=states))
    assert value(shown, "certrecon_guard_used", guard="deletes") == 3
    assert value(shown, "certrecon_guard_limit", guard="deletes") == 2
    assert value(shown, "certrecon_guard_used", guard="protect") == 1
    assert value(shown, "certrecon_guard_limit", guard="protect") is None


@pytest.mark.parametrize(
    ("code", "success"),
    [(ExitCode.DONE, True), (ExitCode.UNDER_WAY, True), (ExitCode.ERROR, False), (ExitCode.LOCKED, False)],
)
def test_the_last_success_outlives_a_failure_and_runs_of_other_commands(code: ExitCode, success: bool) -> None:
    early, late = planned(look(now=ISSUED)), planned(look(now=before_end(days=60)))
    first = text(early, command="apply")
    shown = text(late, command="apply", code=code, before=text(early, before=first))
    last = (late if success else early).at.timestamp()
    assert value(shown, "certrecon_last_success_timestamp_seconds", command="apply") == last
    assert value(shown, "certrecon_last_run_timestamp_seconds", command="apply") == late.at.timestamp()
    assert value(shown, "certrecon_last_run_exit_code", command="apply") == code
    assert value(shown, "certrecon_last_success_timestamp_seconds", command="status") == early.at.timestamp()


@pytest.mark.parametrize("before", ["", "not { metrics", "a_metric_of_others 1\n", "\x00"])
def test_a_file_that_is_none_of_ours_is_nothing_to_go_by(before: str) -> None:
    shown = text(planned(look(now=ISSUED)), code=ExitCode.ERROR, before=before)
    assert value(shown, "certrecon_last_success_timestamp_seconds", command="status") is None
    assert "a_metric_of_others" not in shown


def test_no_name_breaks_out_of_its_label() -> None:
    hostile = 'a"} 1\nb{c="\\'
    plan = planned(look(now=ISSUED), dataclasses.replace(WANTED, name=CertificateName(hostile)))
    shown = text(plan)
    assert value(shown, "certrecon_certificate_level", certificate=hostile, account="main") == 0
    assert not any(line.startswith("b{") for line in shown.splitlines())
