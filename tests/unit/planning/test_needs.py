"""What a served certificate needs for its age, where dates are missing or a setting makes no sense."""

import dataclasses
from datetime import UTC, datetime, timedelta
from typing import Any

from reconciler.errors import ExitCode
from reconciler.model.certificate import RenewBefore
from reconciler.model.policy import Policy
from reconciler.planning.plan import Standing
from reconciler.planning.steps import Act, ActionKind, Done
from tests.support.live import WANTED, issued_order, look, planned, served
from tests.support.live import standing as standing_of
from tests.support.looks import ENROLLMENT

DAY = timedelta(days=1)
ISSUED = datetime(2026, 11, 16, 20, tzinfo=UTC)
EXPIRES = datetime(2026, 11, 24, 23, 59, 59, tzinfo=UTC)  # 9 days, from 00:00 of the day of issue
MONTH = Policy(renew_before=RenewBefore(days=30))


def standing(*, age: timedelta, policy: Policy = MONTH, **order: Any) -> Standing:
    """Return how a certificate of 9 days stands at some age."""
    orders = [dataclasses.replace(issued_order(issued_at=ISSUED, expires_at=EXPIRES, term_days=9), **order)]
    live = {ENROLLMENT: served(expires_at=EXPIRES)}
    return standing_of(look(now=ISSUED + age, live=live, orders=orders, policy=policy))


def test_a_window_longer_than_the_life_does_not_renew_all_the_time() -> None:
    assert isinstance(standing(age=4.4 * DAY).decision, Done)
    decision = standing(age=4.6 * DAY).decision
    assert isinstance(decision, Act)
    assert decision.kind is ActionKind.RENEW


def test_a_window_longer_than_the_life_fails_the_run_and_says_why() -> None:
    failure = standing(age=DAY).failure
    assert failure is not None
    assert "renewal.before is 30 days, but the certificate lives 9 days" in failure
    assert standing(age=DAY, policy=Policy()).failure is None
    orders = [issued_order(issued_at=ISSUED, expires_at=EXPIRES)]
    seen = look(now=ISSUED + DAY, live={ENROLLMENT: served(expires_at=EXPIRES)}, orders=orders, policy=MONTH)
    assert planned(seen).exit_code(detailed=False) is ExitCode.ERROR


def test_the_file_may_say_it_better_than_the_policy() -> None:
    wanted = dataclasses.replace(WANTED, renew_before=RenewBefore(days=3))
    orders = [issued_order(issued_at=ISSUED, expires_at=EXPIRES)]
    seen = look(now=ISSUED + DAY, live={ENROLLMENT: served(expires_at=EXPIRES)}, orders=orders, policy=MONTH)
    assert standing_of(seen, wanted).failure is None


def test_without_a_date_of_issue_the_day_of_the_order_counts() -> None:
    young = standing(age=4.4 * DAY, policy=Policy(), issued_at=None, requested_at=ISSUED)
    assert isinstance(young.decision, Done)
    old = standing(age=4.6 * DAY, policy=Policy(), issued_at=None, requested_at=ISSUED)
    assert isinstance(old.decision, Act)
