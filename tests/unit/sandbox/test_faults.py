"""Which call a fault hits."""

import pytest

from reconciler.sandbox.faults import Fault, FaultKind, Faults


def struck(fault: Fault, calls: list[str]) -> list[bool]:
    faults = Faults()
    faults.arm(fault)
    return [faults.strike(call) is fault for call in calls]


def test_a_fault_hits_the_first_matching_call_and_no_other() -> None:
    fault = Fault(kind=FaultKind.REFUSE, operation="scm.enroll")
    assert struck(fault, ["scm.collect", "scm.enroll", "scm.enroll"]) == [False, True, False]


@pytest.mark.parametrize(
    ("nth", "times", "hits"),
    [
        (1, 1, [True, False, False, False]),
        (3, 1, [False, False, True, False]),
        (2, 2, [False, True, True, False]),
        (2, 0, [False, True, True, True]),
    ],
)
def test_nth_and_times_say_which_calls_are_hit(nth: int, times: int, hits: list[bool]) -> None:
    fault = Fault(kind=FaultKind.STATUS, operation="scm.*", nth=nth, times=times)
    assert struck(fault, ["scm.enroll"] * 4) == hits


def test_a_glob_matches_a_service() -> None:
    fault = Fault(kind=FaultKind.STATUS, operation="cps.*", times=0)
    assert struck(fault, ["scm.enroll", "cps.get_csr"]) == [False, True]


def test_of_two_faults_the_first_armed_hits_and_the_other_still_counts() -> None:
    faults = Faults()
    first = Fault(kind=FaultKind.REFUSE, operation="scm.enroll", times=2)
    second = Fault(kind=FaultKind.STATUS, operation="scm.enroll", nth=3)
    faults.arm(first)
    faults.arm(second)
    assert [faults.strike("scm.enroll") for _ in range(4)] == [first, first, second, None]


def test_clear_disarms() -> None:
    faults = Faults()
    faults.arm(Fault(kind=FaultKind.REFUSE, operation="*", times=0))
    faults.clear()
    assert faults.strike("scm.enroll") is None
