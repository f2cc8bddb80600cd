"""Doctor's own judgements: clocks, notifications, and a configuration that cannot be used."""

from datetime import timedelta

import pytest

from reconciler.app.doctor import _clock, broken_configuration
from reconciler.errors import ConfigurationError, Location, Problem
from reconciler.report.doctor import Check, State, doctor_text


@pytest.mark.parametrize(
    ("offset_s", "state", "text"),
    [
        (0, State.OK, "as CPS's, to the second"),
        (10, State.OK, "this machine's clock is 10 s behind CPS's"),
        (-11, State.WARN, "this machine's clock is 11 s before CPS's"),
        (30, State.WARN, "this machine's clock is 30 s behind CPS's"),
        (31, State.FAIL, "this machine's clock is 31 s behind CPS's"),
        (None, State.SKIPPED, "CPS does not say what time it has"),
    ],
)
def test_a_clock_fails_where_cps_would_refuse_its_signatures(offset_s: int | None, state: State, text: str) -> None:
    check = _clock("account main", None if offset_s is None else timedelta(seconds=offset_s))
    assert (check.state, check.text) == (state, text)


def test_what_needs_a_broken_configuration_is_skipped() -> None:
    problem = Problem(location=Location("certrecon.yaml", 3, 1), text="It is wrong.", remedy="Mend it.")
    checks = list(broken_configuration(ConfigurationError([problem])))
    assert [(one.topic, one.state) for one in checks] == [
        ("configuration", State.FAIL),
        ("files", State.SKIPPED),
        ("credentials", State.SKIPPED),
        ("lock and journal", State.SKIPPED),
    ]
    assert (checks[0].text, checks[0].remedy) == ("certrecon.yaml:3:1: error: It is wrong", "Mend it.")


def test_what_a_service_said_cannot_move_the_cursor() -> None:
    check = Check(topic="credentials", state=State.FAIL, text="\x1b[2J\u202egone", remedy="a\nb")
    shown = "\n".join(line.plain for line in doctor_text([check]))
    assert "\\u001b[2J\\u202egone" in shown
    assert "a\\nb" in shown
