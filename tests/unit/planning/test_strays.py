"""What no file claims, and orders that serve nowhere. Values in, values out."""

import dataclasses
from datetime import timedelta
from typing import Any

from reconciler.model.certificate import DesiredCertificate, EnrollmentId
from reconciler.model.enrollment import PendingChange
from reconciler.model.journal import OpenState, identity_key
from reconciler.model.order import Order, OrderStatus
from reconciler.planning.case import Context
from reconciler.planning.strays import Claim, stray_orders, unclaimed_enrollments
from tests.support.certs import csr_pem, desired, ec_key
from tests.support.live import EXPIRES, ISSUED, SERIAL, WANTED, enrollment, issued_order, look, served
from tests.support.looks import ACCOUNT, CHANGE, ENROLLMENT, INSTANCE, account_view, instance_view

OTHER = desired("old.example.com")
OTHER_ID = EnrollmentId(10009)
CSR = csr_pem(key=ec_key())
JOURNAL = OpenState(journal_id="j", installation="0a1b2c3d")


def unclaimed(seen: Context, *files: DesiredCertificate) -> dict[int, Claim]:
    return {one.enrollment.id: one.claim for one in unclaimed_enrollments(seen, files or (WANTED,))}


def two(**fields: Any) -> Context:
    """Return a look at two enrollments, of which a file claims the first."""
    return look(now=ISSUED, enrollments=[enrollment(), enrollment(OTHER, id=OTHER_ID)], **fields)


def test_an_enrollment_without_file_is_unmanaged() -> None:
    assert unclaimed(two()) == {OTHER_ID: Claim.UNMANAGED}
    assert unclaimed(two(), WANTED, OTHER) == {}


def test_one_that_the_journal_knows_was_released() -> None:
    journal = dataclasses.replace(JOURNAL, enrollments={identity_key(OTHER.identity): OTHER_ID})
    assert unclaimed(two(journal=journal)) == {OTHER_ID: Claim.RELEASED}


def test_one_that_only_the_tag_of_an_order_knows_was_managed_before() -> None:
    tagged = issued_order(OTHER, csr_pem=CSR, comments=tag(OTHER_ID))
    assert unclaimed(two(orders=[tagged])) == {OTHER_ID: Claim.FORMERLY_MANAGED}
    strange = dataclasses.replace(tagged, comments=tagged.comments.replace("0a1b2c3d", "ffffffff"))
    assert unclaimed(two(orders=[strange])) == {OTHER_ID: Claim.UNMANAGED}


def tag(enrollment_id: int, change_id: int = CHANGE) -> str:
    return f"certrecon/1 i=0a1b2c3d e={enrollment_id} c={change_id} k=RSA key={'ab' * 16} cause=cd12"


def test_what_a_file_names_by_id_or_cannot_tell_apart_is_claimed() -> None:
    pinned = dataclasses.replace(
        desired("else.example.com"),
        enrollment=dataclasses.replace(WANTED.enrollment, enrollment_id=OTHER_ID),
    )
    seen = dataclasses.replace(two(), claimed={ACCOUNT: frozenset({OTHER_ID})})
    assert unclaimed(seen, WANTED, pinned) == {}
    twins = look(now=ISSUED, enrollments=[enrollment(), enrollment(id=OTHER_ID)])
    assert unclaimed(twins) == {}


def test_other_kinds_and_incomplete_accounts_are_none_of_it() -> None:
    seen = look(now=ISSUED, enrollments=[enrollment(), enrollment(OTHER, id=OTHER_ID, third_party=False)])
    assert unclaimed(seen) == {}
    partly = dataclasses.replace(
        seen.observed, accounts={ACCOUNT: account_view(enrollment(OTHER, id=OTHER_ID), complete=False)}
    )
    assert unclaimed(dataclasses.replace(seen, observed=partly)) == {}


def test_those_that_end_first_come_first_and_what_serves_nothing_last() -> None:
    third = EnrollmentId(10010)
    seen = look(
        now=ISSUED,
        enrollments=[
            enrollment(OTHER, id=EnrollmentId(1)),
            enrollment(OTHER, id=OTHER_ID),
            enrollment(OTHER, id=third),
        ],
        live={OTHER_ID: served(1, EXPIRES), third: served(2, EXPIRES - timedelta(days=1))},
    )
    found = unclaimed_enrollments(seen, ())
    assert [one.enrollment.id for one in found] == [third, OTHER_ID, 1]
    assert [one.expires_at for one in found] == [EXPIRES - timedelta(days=1), EXPIRES, None]


# Orders


def strays(*orders: Order, **fields: Any) -> dict[int, bool]:
    return {one.order.ssl_id: one.superseded for one in stray_orders(look(now=ISSUED, orders=orders, **fields))}


def test_an_order_whose_certificate_is_served_is_no_stray() -> None:
    assert strays(issued_order()) == {}


def test_an_issued_order_that_serves_nowhere_is_a_stray_until_its_end() -> None:
    idle = issued_order(ssl_id=777, serial=0xB2, issued_at=ISSUED + timedelta(minutes=5))
    assert strays(issued_order(), idle) == {777: False}
    ended = dataclasses.replace(idle, expires_at=ISSUED)
    assert strays(issued_order(), ended) == {}


def test_what_was_served_before_the_present_one_is_superseded() -> None:
    before = issued_order(ssl_id=400, serial=0xB0, issued_at=ISSUED - timedelta(days=150))
    assert strays(issued_order(), before) == {400: True}


def test_an_order_for_a_pending_change_is_under_way_and_one_for_a_change_that_is_gone_is_a_stray() -> None:
    going = issued_order(ssl_id=500, comments=tag(ENROLLMENT), status=OrderStatus.APPLIED, serial=None, issued_at=None)
    pending = enrollment(pending=(PendingChange(id=CHANGE, change_type="renewal"),))
    assert strays(issued_order(), going, enrollments=[pending]) == {}
    assert strays(issued_order(), going) == {500: False}
    declined = dataclasses.replace(going, status=OrderStatus.DECLINED)
    assert strays(issued_order(), declined) == {}


def test_orders_of_other_servers_and_of_other_installations_are_not_ours_to_list() -> None:
    elsewhere = issued_order(desired("mail.example.com"), ssl_id=600, serial=0xC1)
    assert strays(issued_order(), elsewhere) == {}
    strange = issued_order(ssl_id=601, serial=0xC2, comments=tag(ENROLLMENT).replace("0a1b2c3d", "ffffffff"))
    assert strays(issued_order(), strange) == {}
    unread_account = issued_order(ssl_id=602, serial=0xC3, comments=tag(99999))
    assert strays(issued_order(), unread_account) == {}


def test_an_untagged_order_of_a_name_with_a_pending_change_may_be_for_it() -> None:
    by_hand = issued_order(ssl_id=603, serial=None, status=OrderStatus.REQUESTED, issued_at=None)
    pending = enrollment(pending=(PendingChange(id=CHANGE, change_type="renewal"),))
    assert strays(issued_order(), by_hand, enrollments=[pending]) == {}
    assert strays(issued_order(), by_hand) == {603: False}


def test_an_incomplete_reading_gives_no_strays() -> None:
    seen = look(now=ISSUED, orders=[issued_order(ssl_id=777, serial=SERIAL + 1)])
    assert len(stray_orders(seen)) == 1
    for part in (
        {"accounts": {ACCOUNT: account_view(enrollment(), complete=False)}},
        {"instances": {INSTANCE: instance_view(issued_order(ssl_id=777, serial=SERIAL + 1), complete=False)}},
    ):
        partly = dataclasses.replace(seen.observed, **part)
        assert stray_orders(dataclasses.replace(seen, observed=partly)) == ()
