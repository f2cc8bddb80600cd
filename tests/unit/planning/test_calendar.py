"""Dates that come for a whole fleet: a day on which hundreds are due, a freeze that is longer than the slack, a cut."""

import dataclasses
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta

import pytest

from reconciler.errors import ExitCode
from reconciler.model.certificate import CertificateName, DesiredCertificate, EnrollmentId, KeyType
from reconciler.model.enrollment import Enrollment, Served, ServedCertificate
from reconciler.model.names import DnsName
from reconciler.model.order import Order, OrderStatus, Profile
from reconciler.model.policy import Freeze, Policy
from reconciler.planning.freezes import LEAD
from reconciler.planning.guards import Guard
from reconciler.planning.observed import InstanceView
from reconciler.planning.plan import Plan, Standing, plan_for
from reconciler.planning.steps import ActionKind, Done
from tests.support.certs import csr_pem, desired
from tests.support.looks import (
    ENROLLMENT,
    NOW,
    account_view,
    context,
    enrollment_for,
    instance_view,
    order_for,
    tag_for,
)

DAY = timedelta(days=1)
LIFE = 199 * DAY
FLEET = 400


@dataclasses.dataclass
class Live:
    """One certificate of a fleet: what production serves, and the order that it came of."""

    wanted: DesiredCertificate
    enrollment: Enrollment
    serial: int
    expires_at: datetime
    order: Order

    def served(self) -> Served:
        one = ServedCertificate(
            key_type=KeyType.ECDSA, serial=self.serial, sha256="ab", expires_at=self.expires_at, issuer="CA"
        )
        return Served(production={KeyType.ECDSA: one}, staging={KeyType.ECDSA: one})

    def renew(self, at: datetime) -> None:
        """Let all that the renewal leads to have happened."""
        self.serial += FLEET
        self.expires_at = at + LIFE
        tag = dataclasses.replace(TAG, enrollment_id=self.enrollment.id, key=f"{self.serial:032x}")
        self.order = self._order(at, str(tag))

    def _order(self, at: datetime, comments: str) -> Order:
        return issued(self.wanted, self.serial, at=at, expires_at=self.expires_at, comments=comments)


TAG = tag_for(csr_pem())


def issued(wanted: DesiredCertificate, serial: int, *, at: datetime, expires_at: datetime, comments: str = "") -> Order:
    return dataclasses.replace(
        order_for(wanted, ssl_id=serial),
        status=OrderStatus.ISSUED,
        serial=serial,
        requested_at=at,
        issued_at=at,
        expires_at=expires_at,
        comments=comments,
    )


def live(number: int, expires_at: datetime) -> Live:
    wanted = desired(f"n{number:03d}.example.com")
    serial = 1000 + number
    return Live(
        wanted=wanted,
        enrollment=enrollment_for(wanted, id=EnrollmentId(ENROLLMENT + number), pending=()),
        serial=serial,
        expires_at=expires_at,
        order=issued(wanted, serial, at=expires_at - LIFE, expires_at=expires_at),
    )


def plan(fleet: Iterable[Live], at: datetime, policy: Policy) -> Plan:
    fleet = tuple(fleet)
    account = account_view(
        *(one.enrollment for one in fleet), served={one.enrollment.id: one.served() for one in fleet}
    )
    look = context(account, instance_view(*(one.order for one in fleet)), policy=policy, now=at)
    return plan_for([one.wanted for one in fleet], dataclasses.replace(look, certificates=len(fleet)))


# Hundreds on one day


def test_four_hundred_that_are_due_on_one_day_are_renewed_in_two_the_most_urgent_first() -> None:
    ends = NOW + 22 * DAY  # one end for all, minutes apart
    fleet = {CertificateName(f"n{n:03d}.example.com"): live(n, ends + timedelta(minutes=n)) for n in range(FLEET)}
    renewed: list[list[CertificateName]] = []
    at = NOW
    for run in range(12):
        found = plan(fleet.values(), at, Policy())
        assert not any(standing.refused for standing in found.standings)
        assert {standing.action.kind for standing in found.standings if standing.action} <= {ActionKind.RENEW}
        now = [standing.name for standing in found.standings if standing.may_run]
        waiting = [standing for standing in found.standings if standing.throttled is not None]
        if not now and not waiting:
            break
        assert len(now) + len(waiting) == FLEET - sum(map(len, renewed))
        for name in now:
            fleet[name].renew(at)
        renewed.append(now)
        at += DAY if run % 6 == 5 else timedelta(hours=1)
    assert [len(names) for names in renewed] == [50, 50, 50, 50, 0, 0, 50, 50, 50, 50]
    assert [name for names in renewed for name in names] == sorted(fleet)
    assert all(isinstance(standing.decision, Done) for standing in plan(fleet.values(), at, Policy()).standings)


def test_so_many_renewals_are_no_share_of_changes_and_waiting_is_not_refused() -> None:
    found = plan([live(number, NOW + 22 * DAY) for number in range(FLEET)], NOW, Policy())
    (share,) = (state for state in found.guards if state.guard is Guard.CHANGED_PERCENT)
    assert (share.used, share.exceeded) == (0, False)
    assert found.exit_code(detailed=True) is ExitCode.CHANGES
    assert Counter(standing.throttled is not None for standing in found.standings) == {True: 350, False: 50}


# A freeze that is longer than the slack

ENDS = datetime(2027, 6, 1, tzinfo=UTC)  # due by itself on 2027-05-02 less its jitter; warn from 2027-05-11 on
FREEZE = Freeze(first=date(2027, 4, 20), last=date(2027, 6, 20), reason="launch")
FROZEN = Policy(freezes=(FREEZE,))


def standing(at: datetime, policy: Policy = FROZEN) -> Standing:
    (found,) = plan([live(7, ENDS)], at, policy).standings
    return found


@pytest.mark.parametrize(
    ("at", "state"),
    [
        (datetime(2027, 4, 14, 23, 59, tzinfo=UTC), "left alone"),
        (datetime(2027, 4, 15, tzinfo=UTC), "renewed"),  # five days before the freeze
        (datetime(2027, 4, 19, 23, 59, tzinfo=UTC), "renewed"),
        (datetime(2027, 4, 20, tzinfo=UTC), "refused"),
        (datetime(2027, 5, 10, 23, 59, tzinfo=UTC), "refused"),
        (datetime(2027, 5, 12, tzinfo=UTC), "renewed"),  # below warn
        (datetime(2027, 6, 2, tzinfo=UTC), "renewed"),  # expired
    ],
)
def test_a_freeze_that_is_longer_than_the_slack_pulls_forward_and_does_not_let_expire(at: datetime, state: str) -> None:
    found = standing(at)
    refused = found.refused is not None and found.refused.guard is Guard.FREEZE
    assert {"left alone": isinstance(found.decision, Done), "renewed": found.may_run, "refused": refused}[state]


def test_a_renewal_that_is_pulled_forward_says_so_and_what_a_freeze_holds_says_until_when() -> None:
    early, held = standing(datetime(2027, 4, 15, tzinfo=UTC)), standing(datetime(2027, 5, 5, tzinfo=UTC))
    assert early.action is not None
    assert "out of a freeze" in early.action.text
    assert held.refused is not None
    assert "2027-06-20" in held.refused.remedy
    assert "below warn" in held.refused.remedy
    assert LEAD == 5 * DAY


# The cut of 2027-03-15


def with_term(days: int | None) -> DesiredCertificate:
    wanted = desired("www.example.com")
    return dataclasses.replace(wanted, order=dataclasses.replace(wanted.order, term_days=days))


def offering(view: InstanceView, *days: int) -> InstanceView:
    def offer(profile: Profile) -> Profile:
        return dataclasses.replace(profile, terms_days=frozenset(days))

    profiles = dataclasses.replace(view.profiles, values=tuple(offer(one) for one in view.profiles.values))
    return dataclasses.replace(view, profiles=profiles)


@pytest.mark.parametrize(
    ("on", "offered", "ordered"),
    [
        (date(2027, 2, 20), (199,), 199),
        (date(2027, 3, 14), (199, 100), 100),  # its issue may slip over the cut
        (date(2027, 3, 14), (199,), 199),  # SCM offers the shorter term from the day itself on
        (date(2027, 3, 15), (199, 100), 100),
        (date(2027, 3, 16), (100,), 100),
        (date(2027, 6, 1), (100, 90), 100),
    ],
)
def test_the_cut_passes_with_a_longer_term_in_the_defaults(on: date, offered: tuple[int, ...], ordered: int) -> None:
    at = datetime(on.year, on.month, on.day, 12, tzinfo=UTC)
    one = dataclasses.replace(live(1, at + 10 * DAY), wanted=with_term(199))
    one.wanted = dataclasses.replace(one.wanted, common_name=DnsName("n001.example.com"), sans=one.enrollment.sans)
    account = account_view(one.enrollment, served={one.enrollment.id: one.served()})
    found = plan_for((one.wanted,), context(account, offering(instance_view(one.order), *offered), now=at))
    (action,) = found.actions
    assert action.orders is not None
    assert (action.kind, action.orders.term_days) == (ActionKind.RENEW, ordered)
    assert (found.problems, found.exit_code(detailed=True)) == ((), ExitCode.CHANGES)
    assert any("199" in note for note in action.notes) is (ordered != 199)
