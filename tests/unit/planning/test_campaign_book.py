"""When a certificate was requested, by journal and SCM; what the journal says that campaigns have begun."""

import dataclasses
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from reconciler.model.certificate import ChangeId, EnrollmentId, KeyType
from reconciler.model.entry import CauseId
from reconciler.model.journal import CauseRecord, OpenState, OwnOrder
from reconciler.model.order import Order, SslId
from reconciler.model.policy import Campaign, Selection
from reconciler.model.reading import Reading
from reconciler.model.replacement import Replacement, Replacing
from reconciler.planning.campaign_book import CampaignBook
from reconciler.planning.campaigns import Requested
from reconciler.planning.indexes import OrderBook
from reconciler.planning.observed import Observed
from reconciler.planning.tags import bound_orders
from tests.support.live import ISSUED, SERIAL, WANTED, issued_order, look, served
from tests.support.looks import ACCOUNT, CHANGE, ENROLLMENT

ORDERED = ISSUED - timedelta(minutes=5)
CAMPAIGN = Campaign(name="distrust", issued_before=ISSUED, select=Selection(), reason="superseded")
REPLACING = Replacing(campaign="distrust", reason="superseded", serials=("A1",))
OWN = OwnOrder(
    ssl_id=SslId(501),
    enrollment_id=ENROLLMENT,
    change_id=CHANGE,
    key_type=KeyType.ECDSA,
    cause=CauseId("ab12"),
    requested_at=ORDERED,
)


def journal(**orders: OwnOrder) -> OpenState:
    return OpenState(journal_id="j", installation="0a1b2c3d", orders=orders)


def book(known: OpenState | None = None, observed: Observed | None = None) -> CampaignBook:
    journals = {} if known is None else {ACCOUNT: known}
    return CampaignBook.of((Replacement(campaign=CAMPAIGN),), journals, observed)


def requested(known: OpenState | None, *orders: Order) -> Requested | None:
    (half,) = served().production.values()
    orders_seen = OrderBook.of(orders, bound_orders(known) if known is not None else None)
    return book(known).served(half, ENROLLMENT, orders_seen).requested


def test_the_journal_says_it_to_the_second_where_scm_has_a_day_or_nothing() -> None:
    midnight = datetime(2026, 11, 16, tzinfo=UTC)
    for at in (midnight, None):
        assert requested(journal(key=OWN), issued_order(requested_at=at)) == Requested(at=ORDERED)


def test_another_enrollment_s_order_of_that_number_says_nothing() -> None:
    other = dataclasses.replace(OWN, enrollment_id=EnrollmentId(7))
    assert requested(journal(key=other), issued_order(requested_at=None)) == Requested(at=None)


@pytest.mark.parametrize(
    ("rebuilt", "row", "exact"),
    [
        (datetime(1970, 1, 1, tzinfo=UTC), None, True),  # SCM said nothing when the journal was rebuilt, and does not
        (datetime(1970, 1, 1, tzinfo=UTC), ORDERED, True),
        (datetime(2026, 11, 16, tzinfo=UTC), datetime(2026, 11, 16, tzinfo=UTC), False),
    ],
)
def test_a_rebuilt_journal_knows_no_more_than_scm(rebuilt: datetime, row: datetime | None, exact: bool) -> None:
    own = dataclasses.replace(OWN, requested_at=rebuilt)
    assert requested(journal(key=own), issued_order(requested_at=row)) == Requested(at=row, exact=exact)


def test_a_serial_that_nobody_knows_is_nobody_s_order() -> None:
    assert requested(None) is None
    shown = issued_order(serial=0xB2)
    assert requested(journal(key=OWN), shown) is None  # our order led to another certificate


@pytest.mark.parametrize("rows", [[], [issued_order(serial=None)]])
def test_a_serial_that_may_be_of_an_order_that_scm_does_not_show_yet_is_not_nobody_s(rows: list[Order]) -> None:
    assert requested(journal(key=OWN), *rows) == Requested(at=None)


def test_the_latest_order_of_a_key_type_counts() -> None:
    later = dataclasses.replace(
        OWN, ssl_id=SslId(502), change_id=ChangeId(9), requested_at=ORDERED + timedelta(seconds=1)
    )
    for known in (journal(a=OWN, b=later), journal(b=later, a=OWN)):
        assert requested(known, issued_order(serial=0xB2)) == Requested(at=None)
        assert requested(known, issued_order(serial=0xB2), issued_order(ssl_id=502, serial=0xB3)) is None


def test_what_a_campaign_has_begun_is_known_by_the_journal_ended_or_not() -> None:
    causes = {
        CauseId("1"): CauseRecord(
            attempt=1, first_intent_at=ISSUED, ended_at=ISSUED, enrollment_id=ENROLLMENT, replacing=REPLACING
        ),
        CauseId("2"): CauseRecord(attempt=1, first_intent_at=ISSUED),
    }
    found = book(dataclasses.replace(journal(), causes=causes))
    assert found.begun(ENROLLMENT) == (REPLACING,)
    assert found.begun(EnrollmentId(7)) == ()
    assert found.candidate(WANTED, ENROLLMENT, served(), OrderBook.of(())).begun == {"distrust"}


def test_all_that_any_network_serves_is_known_only_by_complete_readings() -> None:
    seen = look(now=ISSUED).observed
    assert book(observed=seen).served_anywhere == frozenset({SERIAL})
    assert book().served_anywhere is None
    account = seen.accounts[ACCOUNT]
    half: Reading[Any] = dataclasses.replace(account.served, complete=False)
    cut = dataclasses.replace(seen, accounts={ACCOUNT: dataclasses.replace(account, served=half)})
    assert book(observed=cut).served_anywhere is None


def test_a_project_without_campaigns_indexes_nothing() -> None:
    assert CampaignBook.of((), {ACCOUNT: journal(key=OWN)}, look(now=ISSUED).observed) == CampaignBook()
