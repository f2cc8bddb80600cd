"""Which succession SCM is told of: of what production serves, once, and while its mails mean anything."""

import dataclasses
from datetime import timedelta
from typing import Any

from reconciler.model.certificate import CertificateName, ChangeId, KeyType
from reconciler.model.enrollment import Served
from reconciler.model.entry import CauseId, Intent, IntentId, OrderLink
from reconciler.model.journal import LinkRecord, OpenIntent, OpenState, OwnOrder
from reconciler.model.order import Order, OrderStatus
from reconciler.planning.plan import Standing, plan_for
from reconciler.planning.steps import Done
from tests.support.certs import csr_pem, desired, ec_key, leaf, root_ca, sub_ca
from tests.support.looks import (
    CHANGE,
    ENROLLMENT,
    NOW,
    account_view,
    context,
    enrollment_for,
    instance_view,
    order_for,
    served_by,
)

WANTED = desired()
KEY = ec_key()
LIVE = leaf(sub_ca(root_ca()), "www.example.com", key=KEY)
ISSUED: dict[str, Any] = {"status": OrderStatus.ISSUED, "status_text": "Issued", "issued_at": NOW}
NEW = order_for(WANTED, csr_pem(key=KEY), ssl_id=502, serial=LIVE.serial, **ISSUED)
OLD = order_for(WANTED, ssl_id=501, serial=77, expires_at=NOW + timedelta(days=20), **ISSUED)
LINK = OrderLink(old=OLD.ssl_id, new=NEW.ssl_id, until=NOW + timedelta(days=20))
OWN = OwnOrder(
    ssl_id=NEW.ssl_id,
    enrollment_id=ENROLLMENT,
    change_id=CHANGE,
    key_type=KeyType.ECDSA,
    cause=CauseId("ab12"),
    requested_at=NOW,
    succeeds=frozenset({OLD.ssl_id}),
)
JOURNAL = OpenState(
    journal_id="j", installation="0a1b2c3d", orders={"k": OWN}, enrollments={"C-1/www.example.com": ENROLLMENT}
)


def standing(*orders: Order, journal: OpenState | None = JOURNAL, staged: int | None = None) -> Standing:
    """Return the standing of a certificate that production serves, and that nothing is pending for."""
    served = dict(served_by(LIVE))
    if staged is not None:
        served["staging"] = {
            KeyType.ECDSA: dataclasses.replace(served["production"][KeyType.ECDSA], serial=staged),
        }
    account = account_view(enrollment_for(WANTED, pending=()), served={ENROLLMENT: Served(**served)})
    look = context(account, instance_view(*orders), journal=journal)
    (found,) = plan_for((WANTED,), look).standings
    assert isinstance(found.decision, Done), found.decision
    return found


def due(*orders: Order, **fields: Any) -> list[OrderLink]:
    return [step.link for step in standing(*orders, **fields).housekeeping]


def test_the_order_of_what_is_served_succeeds_the_one_before_it() -> None:
    found = standing(OLD, NEW)
    assert [step.link for step in found.housekeeping] == [LINK]
    assert any("order 502 succeeds order 501" in text for text in found.attention)
    assert found.action is None


def test_a_certificate_that_is_still_served_somewhere_keeps_its_mails() -> None:
    assert due(OLD, NEW, staged=77) == []


def test_of_what_has_ended_was_revoked_or_is_not_shown_nobody_is_told() -> None:
    assert due(NEW) == []
    assert due(dataclasses.replace(OLD, status=OrderStatus.REVOKED), NEW) == []
    assert due(dataclasses.replace(OLD, expires_at=NOW), NEW) == []


def test_until_production_serves_the_successor_nothing_is_told() -> None:
    assert due(OLD, dataclasses.replace(NEW, serial=78)) == []


def test_what_was_told_once_or_is_just_being_told_is_not_told_again() -> None:
    assert (
        due(OLD, NEW, journal=dataclasses.replace(JOURNAL, links={OLD.ssl_id: LinkRecord(link=LINK, closed=True)}))
        == []
    )
    unclear = LinkRecord(link=LINK, unclear=1)
    assert due(OLD, NEW, journal=dataclasses.replace(JOURNAL, links={OLD.ssl_id: unclear})) == [LINK]
    telling = Intent(
        id=IntentId("i"),
        certificate=CertificateName("www.example.com"),
        cause=CauseId("ab12"),
        attempt=1,
        operation="link orders",
        enrollment_id=ENROLLMENT,
        change_id=None,
        key_type=None,
        body_digest="0b",
        desired_digest="0d",
        at=NOW,
        link=LINK,
    )
    opened = dataclasses.replace(JOURNAL, open=(OpenIntent(intent=telling, written_at=NOW),))
    assert due(OLD, NEW, journal=opened) == []


def test_an_order_of_another_enrollment_is_nobodys_successor() -> None:
    stranger = dataclasses.replace(OWN, enrollment_id=type(ENROLLMENT)(4711), change_id=ChangeId(1))
    assert due(OLD, NEW, journal=dataclasses.replace(JOURNAL, orders={"k": stranger})) == []


def test_without_a_journal_nothing_is_told() -> None:
    assert due(OLD, NEW, journal=None) == []
