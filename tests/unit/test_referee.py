"""The referee of long stories sees what must never be: without that, no story could fail."""

from pathlib import Path

import pytest

from reconciler.sandbox.server import BackgroundSandbox
from tests.support.estate import Estate
from tests.support.program import Program, small_repository
from tests.support.referee import Referee


@pytest.fixture
def referee(sandbox: BackgroundSandbox, tmp_path: Path) -> Referee:
    program = Program(repository=small_repository(tmp_path / "repository"), environment=sandbox.environment)
    return Referee(estate=Estate(sandbox=sandbox, program=program))


def test_an_order_needs_a_cause_and_a_key_that_has_no_other(referee: Referee) -> None:
    referee.begin()
    referee.estate.seed(1)
    with pytest.raises(AssertionError, match=r"1 RSA orders of s0001\.example\.com, for \[\]"):
        referee.look()
    referee.asked()
    referee.look()
    (order,) = referee.estate.orders()
    assert referee.estate.deed(lambda: referee.estate.sandbox.scm.portal.renew(order.ssl_id))
    with pytest.raises(AssertionError, match="two live orders for one key"):
        referee.look()
    assert referee.estate.deed(lambda: referee.estate.sandbox.scm.portal.revoke(order.ssl_id))
    with pytest.raises(AssertionError, match="two orders for one key"):
        referee.look()


def test_an_equal_file_is_one_cause_however_often_it_is_applied(referee: Referee) -> None:
    referee.estate.seed(1)
    (name,) = referee.estate.asks
    referee.asked()
    referee.asked()
    assert len(referee.causes[name]) == 1
    referee.asked(retry=[name])
    assert len(referee.causes[name]) == 2


def test_a_certificate_may_be_renewed_in_the_second_half_of_its_life_once(referee: Referee) -> None:
    referee.estate.seed(1)
    (name,) = referee.estate.asks
    referee.begin()
    referee.estate.sandbox.advance(days=90)
    referee.look()
    assert not referee.due(name)
    referee.estate.sandbox.advance(days=20)
    referee.look()
    referee.look()
    assert referee.due(name)
    assert len(referee.causes[name]) == 1


def test_what_is_served_may_not_go(referee: Referee) -> None:
    referee.estate.seed(1)
    referee.begin()
    referee.look()
    (name,) = referee.estate.asks
    enrollment = referee.estate.enrollment(name)
    assert enrollment is not None
    enrollment.production = None
    with pytest.raises(AssertionError, match="serves no RSA any more"):
        referee.look()


@pytest.mark.parametrize("operation", ["scm.revoke", "cps.cancel_change", "cps.delete_enrollment"])
def test_a_call_that_no_budget_allows_is_seen(referee: Referee, operation: str) -> None:
    referee.begin()
    gate = referee.estate.sandbox.sandbox.gate
    assert operation in gate.operations
    referee.look()
    gate.mutating_calls[operation] += 1
    with pytest.raises(AssertionError, match=f"no budget allows .*{operation}"):
        referee.look()
