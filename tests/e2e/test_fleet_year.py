"""A year of a fleet of short-lived certificates, with slow approvers, refused orders and expired validations.

certrecon runs once a day. Nothing may expire, and nothing be ordered twice. `FLEET_DAYS` plays fewer days.
"""

import logging
import os
import random
import statistics
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

import pytest

from reconciler.sandbox.cps.state import Enrollment
from reconciler.sandbox.cps.world import expiry
from reconciler.sandbox.scm.state import Order, Status
from reconciler.sandbox.scm.terms import validation_status
from reconciler.sandbox.server import BackgroundSandbox
from tests.support.estate import Estate
from tests.support.program import Program, small_repository
from tests.support.referee import Referee
from tests.support.told import TOLD

log = logging.getLogger(__name__)

CERTIFICATES = 300
TERM_DAYS = 46
DAYS = 365
DOMAIN = "example.com"
APPROVALS_DAYS = (0.5, 1.0, 2.0, 4.0)  # after the order, by a person
REFUSED = 0.04  # of all orders: half are declined by the approver, half rejected by the CA
CLEARED_AFTER = timedelta(days=2)  # a person looks into a refusal, and lets certrecon begin again
LAPSES = 30  # days between two expiries that come unannounced
DAY = timedelta(days=1)
# What CPS does by itself takes minutes instead of hours: each look at 300 certificates costs a quarter of a second.
_AT_ONCE = {"slot_files_s": 1.0, "live_check_s": 1.0, "staging_s": 60.0, "production_s": 60.0}


@dataclass(kw_only=True)
class People:
    """Those who approve, refuse, look into refusals and validate domains: late, and by chance (which is seeded)."""

    estate: Estate
    chance: random.Random = field(default_factory=lambda: random.Random(46))
    decisions: dict[int, tuple[datetime, str]] = field(default_factory=dict)  # by order: when, and which
    refused_at: dict[int, datetime] = field(default_factory=dict)
    lapses: int = 0

    def decide(self) -> None:
        """Decide on the orders whose time has come."""
        now, portal = self.estate.sandbox.clock.now(), self.estate.sandbox.scm.portal
        for order in self.estate.orders(Status.REQUESTED):
            at, deed = self.decisions.setdefault(order.ssl_id, self._decision(order))
            if at > now:
                continue
            if deed == "reject":  # by the CA, which sees only what was approved
                self.estate.deed(partial(portal.approve, order.ssl_id))
            self.estate.deed(partial(getattr(portal, deed), order.ssl_id))
            if deed != "approve":
                self.refused_at[order.ssl_id] = now

    def _decision(self, order: Order) -> tuple[datetime, str]:
        at = order.requested + self.chance.choice(APPROVALS_DAYS) * DAY
        refused = self.chance.random() < REFUSED
        return at, self.chance.choice(("decline", "reject")) if refused else "approve"

    def let_begin_again(self) -> list[str]:
        """Return the names whose refused order somebody has looked into by now."""
        now = self.estate.sandbox.clock.now()
        due = [number for number, at in self.refused_at.items() if at + CLEARED_AFTER <= now]
        for number in due:
            del self.refused_at[number]
        return [self.estate.sandbox.scm.state.orders[number].common_name for number in due]

    def validate(self, day: int) -> None:
        """Let a validation lapse now and then; a day after it has expired somebody notices, and validates."""
        portal, now = self.estate.sandbox.scm.portal, self.estate.sandbox.clock.now()
        domain = portal.domain(DOMAIN)
        if validation_status(domain, now) == "VALIDATED":
            if day % LAPSES == LAPSES - 1:
                self.lapses += 1
                self.estate.deed(partial(portal.expire_domain, DOMAIN))
            return
        self.estate.deed(partial(portal.validate_domain, DOMAIN))


@dataclass(kw_only=True)
class Ledger:
    """How many days each certificate had left when another took its place."""

    estate: Estate
    ends: dict[int, datetime] = field(default_factory=dict)  # of what production serves, by enrollment
    slack: list[timedelta] = field(default_factory=list)

    def note(self) -> None:
        """Note what was replaced since the last time; nothing that is served has expired."""
        now = self.estate.sandbox.clock.now()
        for enrollment in self.estate.sandbox.cps.state.enrollments.values():
            ends, deployed_at = _in_production(enrollment)
            before = self.ends.get(enrollment.id, ends)
            if before != ends:
                self.slack.append(before - deployed_at)
            assert ends > now, f"{enrollment.wanted.csr.cn} expired at {ends}"
            self.ends[enrollment.id] = ends


def _in_production(enrollment: Enrollment) -> tuple[datetime, datetime]:
    assert enrollment.production is not None
    return expiry(enrollment.production), enrollment.production.deployed_at


@pytest.mark.long
@pytest.mark.nonconforming("to lint thousands of leaves of one kind takes longer than the year; others lint that kind")
def test_no_certificate_of_a_fleet_expires_within_a_year_and_none_is_ordered_twice(
    sandbox: BackgroundSandbox, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    days = int(os.environ.get("FLEET_DAYS", DAYS))
    estate = _fleet(sandbox, tmp_path)
    people, ledger, referee = People(estate=estate), Ledger(estate=estate), Referee(estate=estate)
    referee.begin()
    for day in range(days):
        people.decide()
        people.validate(day)
        retry = people.let_begin_again()
        referee.asked(retry=retry)
        referee.check_run(estate.apply(retry=retry, wait="1h"))
        referee.look()
        ledger.note()
        log.info("fleet day %d: %d replaced, %d orders", day, len(ledger.slack), len(estate.orders()))
        sandbox.advance_to(sandbox.clock.now().replace(hour=6, minute=0, second=0, microsecond=0) + DAY)
    record_property(TOLD, report(estate, people, ledger, days))
    assert len(ledger.slack) >= CERTIFICATES * (days - TERM_DAYS) // TERM_DAYS
    assert all(left > timedelta() for left in ledger.slack)


def _fleet(sandbox: BackgroundSandbox, folder: Path) -> Estate:
    program = Program(repository=small_repository(folder / "repository"), environment=sandbox.environment)
    estate = Estate(sandbox=sandbox, program=program)
    sandbox.run(lambda: _offer_only(sandbox, TERM_DAYS))
    sandbox.set(approvals="manual", **_AT_ONCE)
    estate.seed(CERTIFICATES, term_days=TERM_DAYS)
    return estate


def _offer_only(sandbox: BackgroundSandbox, term_days: int) -> None:
    for profile in sandbox.scm.state.profiles.values():
        profile.terms = [term_days]


def report(estate: Estate, people: People, ledger: Ledger, days: int) -> str:
    """Return the figures of the year: orders, calls, days of slack."""
    gate = estate.sandbox.sandbox.gate
    statuses = Counter(order.status.value for order in estate.orders())
    calls = Counter[str]()
    for name, count in gate.calls.items():
        calls[name.partition(".")[0]] += count
    lines = [
        f"fleet year: {CERTIFICATES} certificates of {TERM_DAYS} days, {days} days, {people.lapses} lapsed validations",
        f"  orders: {statuses.total()} ({', '.join(f'{count} {name}' for name, count in sorted(statuses.items()))})",
        f"  calls: {calls['cps']} to CPS, {calls['scm']} to SCM; {gate.mutating_calls.total()} changed something",
    ]
    if slack := sorted(one / DAY for one in ledger.slack):
        days_left = f"min {slack[0]:.1f}, median {statistics.median(slack):.1f}"
        lines.append(f"  replaced: {len(slack)}, with days of slack: {days_left}")
    return "\n".join(lines)
