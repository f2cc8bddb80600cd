"""A journal rebuilt from tags and serials: what is found, what is said to be lost, and what is left to others."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from reconciler.model.certificate import ChangeId, EnrollmentId, KeyType
from reconciler.model.enrollment import PendingChange, Served, ServedCertificate
from reconciler.model.entry import CauseId
from reconciler.model.journal import OpenState, OwnOrder, identity_key
from reconciler.model.order import Order, OrderStatus, SslId
from reconciler.planning.rebuild import Rebuilt, rebuild
from reconciler.planning.tags import OrderTag
from tests.support.certs import desired
from tests.support.looks import CHANGE, ENROLLMENT, NOW, enrollment_for, order_for

BEGIN = OpenState(journal_id="new", installation="ffffffff")
WANTED = desired()
CAUSE = CauseId("ab12")


def tag(key: str = "0c", *, enrollment: int = ENROLLMENT, change: int = CHANGE, cause: str = "ab12") -> str:
    return str(
        OrderTag(
            installation="0a1b2c3d",
            enrollment_id=EnrollmentId(enrollment),
            change_id=ChangeId(change),
            key_type=KeyType.RSA,
            key=key,
            cause=CauseId(cause),
        )
    )


def order(ssl_id: int = 501, *, comments: str | None = None, **fields: Any) -> Order:
    return order_for(WANTED, ssl_id=ssl_id, comments=tag() if comments is None else comments, **fields)


def rebuilt(*orders: Order, begin: OpenState = BEGIN, **fields: Any) -> Rebuilt:
    served: Mapping[EnrollmentId, Served] = fields.pop("served", {})
    return rebuild(orders, (enrollment_for(WANTED, **fields),), served, begin=begin)


def test_a_tagged_order_brings_back_its_key_change_cause_and_enrollment() -> None:
    state = rebuilt(order()).state
    assert state.installation == "0a1b2c3d"
    assert (state.orders["0c"].ssl_id, state.orders["0c"].change_id) == (501, CHANGE)
    assert state.changes[CHANGE].cause == CAUSE
    assert state.causes[CAUSE].first_intent_at == NOW
    assert state.enrollments == {identity_key(WANTED.identity): ENROLLMENT}
    assert state.contracts == {WANTED.enrollment.contract}


def test_without_any_tag_nothing_is_ours_and_the_new_installation_stays() -> None:
    found = rebuilt(order(comments="ordered by hand"))
    state = found.state
    assert (state.installation, state.orders, state.changes, state.enrollments) == ("ffffffff", {}, {}, {})
    assert any(str(ENROLLMENT) in one for one in found.lost)


def test_orders_of_another_account_at_the_same_instance_are_left_to_its_journal() -> None:
    state = rebuilt(order(), order(502, comments=tag("0d", enrollment=99999, cause="cd34"))).state
    assert set(state.orders) == {"0c"}
    assert set(state.causes) == {CAUSE}


def test_a_change_that_is_not_pending_any_more_is_not_ours_to_lose() -> None:
    state = rebuilt(order(comments=tag(change=1))).state
    assert state.changes == {}
    assert state.orders["0c"].change_id == 1


def test_a_pending_change_without_an_order_counts_as_foreign_and_is_named() -> None:
    pending = (PendingChange(id=ChangeId(777), change_type="renewal"),)
    found = rebuilt(order(), pending=pending)
    assert ChangeId(777) not in found.state.changes
    assert any("777" in one and "foreign" in one for one in found.lost)


@pytest.mark.parametrize("first_dead", [True, False])
def test_of_two_orders_for_one_key_the_live_one_holds_it(first_dead: bool) -> None:
    statuses = [OrderStatus.REJECTED, OrderStatus.APPLIED]
    one, two = statuses if first_dead else reversed(statuses)
    state = rebuilt(order(501, status=one), order(502, status=two)).state
    assert state.orders["0c"].ssl_id == (502 if first_dead else 501)


def test_of_two_live_orders_for_one_key_the_older_holds_it_and_both_are_named() -> None:
    later = NOW + timedelta(hours=1)
    found = rebuilt(order(502, requested_at=later), order(501))
    assert found.state.orders["0c"].ssl_id == 501
    assert any("501, 502" in one and "revoke" in one for one in found.lost)


def test_the_first_order_of_a_cause_dates_it() -> None:
    later = NOW + timedelta(hours=1)
    state = rebuilt(order(501, requested_at=later, comments=tag("0d")), order(502)).state
    assert state.causes[CAUSE].first_intent_at == NOW


def test_an_enrollment_that_serves_what_we_ordered_was_managed(tagged_elsewhere: Order) -> None:
    leaf = ServedCertificate(
        key_type=KeyType.RSA, serial=4711, sha256="AA", expires_at=NOW + timedelta(days=90), issuer="CN=CA"
    )
    served = {ENROLLMENT: Served(production={KeyType.RSA: leaf})}
    assert rebuilt(tagged_elsewhere).state.enrollments == {}
    assert rebuilt(tagged_elsewhere, served=served).state.enrollments == {identity_key(WANTED.identity): ENROLLMENT}


@pytest.fixture
def tagged_elsewhere() -> Order:
    """Return an order whose tag names an enrollment that is no more; its certificate was uploaded to another one."""
    return order(comments=tag(enrollment=1), serial=4711)


def test_what_is_left_of_the_journal_is_kept() -> None:
    known = OwnOrder(
        ssl_id=SslId(400),
        enrollment_id=ENROLLMENT,
        change_id=None,
        key_type=KeyType.RSA,
        cause=CAUSE,
        requested_at=NOW - timedelta(days=1),
    )
    begin = replace(BEGIN, orders={"0c": known}, last_applied_commit="1a2b", sequence=9)
    state = rebuilt(order(), begin=begin).state
    assert state.orders["0c"] is known
    assert (state.last_applied_commit, state.sequence, state.journal_id) == ("1a2b", 9, "new")


def test_what_stood_in_the_journal_only_is_always_said() -> None:
    assert any("Intents that were open" in one for one in rebuilt(order()).lost)
