"""Levels, the two axes and drift of one certificate. Values in, values out."""

import dataclasses
from datetime import datetime
from typing import Any

import pytest

from reconciler.errors import Location
from reconciler.model.certificate import CertificateName, DesiredCertificate, KeyType, RenewBefore, State
from reconciler.model.enrollment import ChangeState, PendingChange
from reconciler.model.order import OrderStatus
from reconciler.model.policy import Policy
from reconciler.planning.case import Context
from reconciler.planning.diff import FieldDiffers, KeyTypesDiffer
from reconciler.planning.health import Health, Level, Work, health_of, worst_first
from reconciler.planning.observed import ChangeView
from tests.support.certs import desired
from tests.support.live import (
    EXPIRES,
    ISSUED,
    WANTED,
    before_end,
    complete,
    enrollment,
    issued_order,
    look,
    standing,
)
from tests.support.live import with_enrollment as wanted_with
from tests.support.looks import CHANGE, INSTANCE, change, instance_view, names


def health(seen: Context, wanted: DesiredCertificate = WANTED) -> Health:
    return health_of(standing(seen, wanted), seen.observed, seen.policy)


@pytest.mark.parametrize(
    ("now", "level"),
    [
        (before_end(days=22), Level.OK),
        (before_end(days=21, seconds=1), Level.OK),
        (before_end(days=21), Level.WARN),  # 0.7 x 30 d
        (before_end(days=10, seconds=1), Level.WARN),
        (before_end(days=10), Level.CRITICAL),
        (EXPIRES, Level.CRITICAL),
        (before_end(days=-3), Level.CRITICAL),
    ],
)
def test_the_level_follows_the_days_that_are_left(now: datetime, level: Level) -> None:
    assert health(look(now=now)).level is level


def test_policy_sets_the_levels() -> None:
    seen = look(now=before_end(days=40), policy=Policy(warn_days=60, critical_days=45))
    assert health(seen).level is Level.CRITICAL
    seen = look(now=before_end(days=50), policy=Policy(warn_days=60, critical_days=45))
    assert health(seen).level is Level.WARN


def test_a_longer_renewal_window_raises_warn_but_not_critical_beyond_ten_days() -> None:
    wanted = dataclasses.replace(WANTED, renew_before=RenewBefore(days=20))
    assert health(look(now=before_end(days=14.1)), wanted).level is Level.OK  # warn: 0.7 x 20 d
    assert health(look(now=before_end(days=13.9)), wanted).level is Level.WARN
    assert health(look(now=before_end(days=9.9)), wanted).level is Level.CRITICAL  # 20 d / 2


def test_where_scm_does_not_know_the_serial_the_levels_are_those_of_199_days() -> None:
    unknown = look(now=before_end(days=20), orders=())
    assert (health(unknown).level, health(unknown).wanted) == (Level.WARN, None)
    assert health(look(now=before_end(days=10), orders=())).level is Level.CRITICAL


def test_revoked_is_critical_whatever_is_left() -> None:
    revoked = issued_order(status=OrderStatus.REVOKED, status_text="Revoked")
    found = health(look(now=ISSUED, orders=[revoked]))
    assert found.level is Level.CRITICAL
    assert found.reasons == ("SCM says that the served certificate is revoked",)


def test_a_new_certificate_under_way_is_ok_and_a_blocked_one_a_warning() -> None:
    nothing = look(now=ISSUED, enrollments=(), live={}, orders=())
    whole = complete(WANTED)
    assert (health(nothing, whole).level, health(nothing, whole).work) == (Level.OK, Work.ACTION)
    in_the_way = look(now=ISSUED, enrollments=[enrollment(sni_only=False)], live={}, orders=())
    assert (health(in_the_way, whole).level, health(in_the_way, whole).work) == (Level.WARN, Work.BLOCKED)
    assert health(nothing, dataclasses.replace(whole, state=State.ABSENT)).level is Level.OK


def test_what_is_served_is_as_wanted_or_not() -> None:
    assert health(look(now=ISSUED)).wanted is True
    more = desired("www.example.com", "img.example.com")
    assert health(look(now=ISSUED, enrollments=[enrollment(more)]), more).wanted is False
    added = issued_order(sans=names("www.example.com", "example.com"))
    assert health(look(now=ISSUED, orders=[added])).wanted is True  # what a CA adds unasked is no difference
    strange = issued_order(sans=names("www.example.com", "else.example.com"))
    assert health(look(now=ISSUED, orders=[strange])).wanted is False


def test_work_is_action_when_due_and_none_when_not() -> None:
    assert health(look(now=ISSUED)).work is Work.NONE
    assert health(look(now=before_end(days=12))).work is Work.ACTION


def test_drift_is_what_differs_between_file_and_enrollment() -> None:
    wanted = wanted_with(geography="china+core")
    (difference,) = health(look(now=ISSUED), wanted).drift
    assert isinstance(difference, FieldDiffers)
    assert (difference.pointer, difference.before, difference.after) == ("akamai.geography", "core", "china+core")
    assert health(look(now=ISSUED)).drift == ()


def test_worst_first_is_level_then_blocked_then_time() -> None:
    def of(name: str, **fields: Any) -> Health:
        found = health(look(**{"now": ISSUED, **fields}))
        renamed = dataclasses.replace(found.standing.desired, name=CertificateName(name), location=Location(name))
        return dataclasses.replace(found, standing=dataclasses.replace(found.standing, desired=renamed))

    critical = of("critical", now=before_end(days=5))
    warn, fine = of("warn", now=before_end(days=15)), of("fine")
    stuck = dataclasses.replace(fine, work=Work.BLOCKED)
    ordered = sorted([fine, warn, stuck, critical], key=worst_first)
    assert ordered == [critical, warn, stuck, fine]


def test_a_change_that_could_not_be_read_is_not_taken_for_drift() -> None:
    view = ChangeView(change=None, problem="cps: read change: no answer")
    pending = enrollment(geography="china+core", pending=(PendingChange(id=CHANGE, change_type=None),))
    found = health(look(now=ISSUED, enrollments=[pending], view=view), wanted_with(geography="core"))
    assert (found.work, found.drift) == (Work.UNREAD, ())
    running = ChangeView(change=change(ChangeState.RUNNING, "generate-csr"))
    assert health(look(now=ISSUED, enrollments=[pending], view=running), wanted_with(geography="core")).drift


def test_an_incomplete_reading_is_not_read() -> None:
    seen = look(now=ISSUED)
    partly = dataclasses.replace(seen.observed, instances={INSTANCE: instance_view(complete=False)})
    assert health(dataclasses.replace(seen, observed=partly)).work is Work.UNREAD


def test_key_types_count_as_drift_only_while_nothing_is_pending() -> None:
    both = dataclasses.replace(WANTED, key_types=frozenset(KeyType))
    assert [type(one) for one in health(look(now=ISSUED), both).drift] == [KeyTypesDiffer]
    pending = enrollment(pending=(PendingChange(id=CHANGE, change_type="modify-san"),))
    view = ChangeView(change=change(ChangeState.RUNNING, "generate-csr"))
    assert health(look(now=ISSUED, enrollments=[pending], view=view), both).drift == ()
