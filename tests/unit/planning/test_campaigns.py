"""Campaigns replace what was requested before an instant: once, by proof, and nothing else."""

import dataclasses
import itertools
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.model.certificate import AccountName, CertificateName, ChangeId, EnrollmentId, KeyType, Promote
from reconciler.model.entry import CauseId
from reconciler.model.journal import OwnOrder
from reconciler.model.names import DnsName
from reconciler.model.order import Order, OrderStatus, SslId
from reconciler.model.policy import Campaign, Selection
from reconciler.model.replacement import Replacement
from reconciler.planning.campaigns import (
    Candidate,
    Issued,
    Judged,
    Progress,
    Requested,
    fit,
    judge,
    must_go_in,
    promotion,
    replacement_for,
    requested,
    revocation_refusal,
    upload_refusal,
)

CUT = datetime(2026, 11, 20, 9, tzinfo=UTC)
SECOND, HOUR, DAY = timedelta(seconds=1), timedelta(hours=1), timedelta(days=1)
MIDNIGHT = datetime(2026, 11, 20, tzinfo=UTC)
BEFORE, SINCE = Requested(at=CUT - SECOND), Requested(at=CUT)
UNDATED = Requested(at=None)
R36 = "CN=Sectigo Public Server Authentication CA OV R36,O=Sectigo Limited,C=GB"
DONE, IN_FLIGHT, WAITING = (Judged(progress=one) for one in (Progress.DONE, Progress.IN_FLIGHT, Progress.WAITING))


def replacement(select: Selection | None = None, serials: frozenset[int] = frozenset(), **fields: Any) -> Replacement:
    """Return a campaign that selects everything, where nothing else is said."""
    campaign = Campaign(name="distrust", issued_before=CUT, select=select or Selection(), reason="superseded")
    return Replacement(campaign=dataclasses.replace(campaign, **fields), serials=serials)


def issued(when: Requested | None = BEFORE, serial: int | None = 0xA1, **fields: Any) -> Issued:
    return dataclasses.replace(Issued(serial=serial, issuer=R36, profile="OV Single", requested=when), **fields)


def candidate(*served: Issued, **fields: Any) -> Candidate:
    made = Candidate(
        name=CertificateName("www"),
        account=AccountName("main"),
        labels={"team": "web", "tier": "1"},
        names=frozenset({DnsName("www.example.com"), DnsName("example.net")}),
        served=served,
    )
    return dataclasses.replace(made, **fields)


def progress(found: Judged | None) -> Progress | None:
    return None if found is None else found.progress


# When it was requested


def order(requested_at: datetime | None) -> Order:
    return Order(
        ssl_id=SslId(501),
        common_name=DnsName("www.example.com"),
        sans=frozenset(),
        status=OrderStatus.ISSUED,
        status_text="Issued",
        organization_id=None,
        profile_id=None,
        profile_name="OV Single",
        term_days=199,
        comments="",
        serial=0xA1,
        requested_at=requested_at,
        issued_at=CUT + DAY,  # means nothing here
        expires_at=None,
    )


def test_the_journal_is_believed_before_scm() -> None:
    own = OwnOrder(
        ssl_id=SslId(501),
        enrollment_id=EnrollmentId(1),
        change_id=ChangeId(2),
        key_type=KeyType.RSA,
        cause=CauseId("ab12"),
        requested_at=MIDNIGHT,
    )
    assert requested(own, order(CUT + DAY)) == Requested(at=MIDNIGHT, exact=True)


def test_scm_s_report_has_timestamps_and_its_details_have_days() -> None:
    assert requested(None, order(CUT)) == Requested(at=CUT, exact=True)
    assert requested(None, order(MIDNIGHT)) == Requested(at=MIDNIGHT, exact=False)
    assert requested(None, order(MIDNIGHT + timedelta(milliseconds=1))) == Requested(
        at=MIDNIGHT + timedelta(milliseconds=1)
    )


def test_an_order_without_any_date_is_not_taken_for_no_order() -> None:
    assert requested(None, order(None)) == UNDATED
    assert requested(None, None) is None


@pytest.mark.parametrize(
    ("when", "since", "before", "maybe"),
    [
        (Requested(at=CUT - SECOND), False, True, True),
        (Requested(at=CUT), True, False, False),
        (Requested(at=CUT + SECOND), True, False, False),
        (Requested(at=MIDNIGHT, exact=False), False, False, True),
        (Requested(at=MIDNIGHT + DAY, exact=False), False, False, False),  # a date proves only that it was not before
        (Requested(at=MIDNIGHT + 300 * DAY, exact=False), False, False, False),
        (Requested(at=MIDNIGHT - DAY, exact=False), False, False, True),  # the day may have ended at noon, by UTC
        (Requested(at=MIDNIGHT - 2 * DAY, exact=False), False, True, True),
        (UNDATED, False, False, True),
    ],
)
def test_what_is_proved_by_a_timestamp_and_by_a_day(when: Requested, since: bool, before: bool, maybe: bool) -> None:
    assert (when.surely_since(CUT), when.surely_before(CUT), when.maybe_before(CUT)) == (since, before, maybe)


@given(hour=st.integers(0, 23), earlier_min=st.integers(-4000, 4000), offset=st.integers(-12, 14))
def test_what_a_day_proves_holds_wherever_the_day_was_written(hour: int, earlier_min: int, offset: int) -> None:
    instant = MIDNIGHT + hour * HOUR
    at = instant - timedelta(minutes=earlier_min)
    day = datetime.combine((at + offset * HOUR).date(), datetime.min.time(), tzinfo=UTC)
    told = Requested(at=day, exact=False)
    assert at < instant or not told.surely_before(instant)
    assert at >= instant or told.maybe_before(instant)
    assert not told.surely_since(instant)


@pytest.mark.parametrize(("instant", "maybe"), [(MIDNIGHT - 14 * HOUR, False), (MIDNIGHT - 14 * HOUR + SECOND, True)])
def test_a_day_begins_first_fourteen_hours_east(instant: datetime, maybe: bool) -> None:
    assert Requested(at=MIDNIGHT, exact=False).maybe_before(instant) is maybe


@pytest.mark.parametrize(("instant", "before"), [(MIDNIGHT + 36 * HOUR, False), (MIDNIGHT + 36 * HOUR + SECOND, True)])
def test_a_day_ends_last_twelve_hours_west(instant: datetime, before: bool) -> None:
    assert Requested(at=MIDNIGHT, exact=False).surely_before(instant) is before


# Selection


@pytest.mark.parametrize(
    ("select", "fits"),
    [
        (Selection(), True),
        (Selection(labels={"team": "web"}), True),
        (Selection(labels={"team": "web", "tier": "1"}), True),
        (Selection(labels={"team": "web", "tier": "2"}), False),
        (Selection(labels={"owner": "web"}), False),
        (Selection(names=("www.example.com",)), True),
        (Selection(names=("WWW.Example.com",)), True),
        (Selection(names=("example.com",)), False),
        (Selection(names=("*.example.com",)), True),
        (Selection(names=("*.example.org", "*.net")), True),  # one pattern for one name is enough
        (Selection(names=("*",)), True),
        (Selection(names=("www.*.com",)), True),
        (Selection(names=("*.example.co",)), False),
        (Selection(names=("www?example.com",)), False),  # only stars are special
        (Selection(names=("www.[a-z]xample.com",)), False),
        (Selection(serials_file="affected.txt"), True),
        (Selection(issuer="Sectigo Public Server Authentication CA OV R36"), True),
        (Selection(issuer="sectigo public server authentication ca ov r36"), True),
        (Selection(issuer=R36), True),
        (Selection(issuer="Sectigo Public Server Authentication CA OV E36"), False),
        (Selection(issuer="Sectigo Limited"), False),
        (Selection(profile="OV Single"), True),
        (Selection(profile="OV"), False),
        (Selection(labels={"team": "web"}, names=("*.example.org",)), False),  # every part must fit
        (Selection(labels={"team": "web"}, names=("*.net",), issuer=R36, profile="OV Single"), True),
    ],
)
def test_every_named_part_must_fit(select: Selection, fits: bool) -> None:
    assert fit(replacement(select, frozenset({0xA1})), candidate(), issued()) is fits


def test_a_wildcard_of_a_certificate_is_matched_by_its_own_text() -> None:
    wildcard = candidate(names=frozenset({DnsName("*.example.com")}))
    assert fit(replacement(Selection(names=("*.example.com",))), wildcard, issued())
    assert fit(replacement(Selection(names=("www.example.com",))), wildcard, issued()) is False


def test_a_serial_that_is_not_listed_does_not_fit() -> None:
    by_serial = replacement(Selection(serials_file="affected.txt"), frozenset({0xA1}))
    assert fit(by_serial, candidate(), issued(serial=0xA2)) is False
    assert fit(replacement(Selection(serials_file="affected.txt")), candidate(), issued()) is False


@pytest.mark.parametrize(
    ("said", "fits"),
    [
        ("Example CA", True),
        ("C=US, O=Example, CN=Example CA", True),
        ("cn = Example CA , O=Example", True),
        (r"CN=Example\, Inc. CA,O=Example", False),
        ("O=Example CA,CN=Other", False),
        ("O=x\\,CN=Example CA,CN=Other", False),  # inside a value it is no common name
    ],
)
def test_the_issuer_is_compared_by_its_common_name(said: str, fits: bool) -> None:
    assert fit(replacement(Selection(issuer="Example CA")), candidate(), issued(issuer=said)) is fits


def test_an_escaped_comma_belongs_to_the_issuer_s_name() -> None:
    select = replacement(Selection(issuer="Example, Inc. CA"))
    assert fit(select, candidate(), issued(issuer=r"CN=Example\, Inc. CA,O=Example"))


@pytest.mark.parametrize(
    ("select", "half"),
    [
        (Selection(issuer="Example CA"), issued(issuer=None)),
        (Selection(issuer="Example CA"), issued(issuer="")),
        (Selection(profile="OV Single"), issued(profile=None)),
        (Selection(profile="OV Single"), issued(profile="")),
        (Selection(serials_file="affected.txt"), issued(serial=None)),
    ],
)
def test_what_is_not_known_neither_fits_nor_does_not(select: Selection, half: Issued) -> None:
    assert fit(replacement(select), candidate(), half) is None
    but = dataclasses.replace(select, labels={"team": "mail"})
    assert fit(replacement(but), candidate(), half) is False


# How far


@pytest.mark.parametrize(
    ("when", "found"),
    [
        (Requested(at=CUT - SECOND), Progress.WAITING),
        (Requested(at=CUT), Progress.DONE),
        (Requested(at=CUT + DAY), Progress.DONE),
        (None, Progress.WAITING),  # nobody here ordered it: its successor will be known
        (Requested(at=MIDNIGHT - 2 * DAY, exact=False), Progress.WAITING),
        (Requested(at=MIDNIGHT, exact=False), Progress.STUCK),
        (Requested(at=MIDNIGHT + 30 * DAY, exact=False), Progress.STUCK),  # a bare date never satisfies
        (UNDATED, Progress.STUCK),
    ],
)
def test_only_the_time_of_the_request_satisfies(when: Requested | None, found: Progress) -> None:
    assert progress(judge(replacement(), candidate(issued(when)))) is found


def test_a_certificate_whose_request_is_not_dated_says_what_to_do() -> None:
    judged = judge(replacement(), candidate(issued(UNDATED)))
    assert judged is not None
    assert "give SCM's admin the right to read reports" in judged.cause


def test_what_is_not_selected_or_serves_nothing_is_not_in_the_campaign() -> None:
    assert judge(replacement(Selection(labels={"team": "mail"})), candidate(issued())) is None
    assert judge(replacement(), candidate()) is None


def test_every_half_that_is_selected_must_be_new() -> None:
    old, new = issued(BEFORE), issued(SINCE, serial=0xB1)
    assert judge(replacement(), candidate(old, new)) == WAITING
    assert judge(replacement(), candidate(new, issued(SINCE, serial=0xB2))) == DONE
    by_serial = replacement(Selection(serials_file="affected.txt"), frozenset({0xB1}))
    assert judge(by_serial, candidate(old, new)) == DONE
    assert judge(by_serial, candidate(old)) is None


def test_a_certificate_in_flight_counts_and_is_not_begun_again() -> None:
    assert judge(replacement(), candidate(issued(), changing=True)) == IN_FLIGHT
    assert judge(replacement(), candidate(issued(), changing=True, ordered=(issued(SINCE, None),))) == IN_FLIGHT


def test_a_change_whose_order_is_from_before_has_to_be_begun_again() -> None:
    halves = (issued(SINCE, None), issued(BEFORE, None))
    assert judge(replacement(), candidate(issued(), changing=True, ordered=halves)) == WAITING


@pytest.mark.parametrize("when", [None, UNDATED, Requested(at=MIDNIGHT, exact=False)])
def test_a_change_whose_order_may_be_from_before_is_stuck_and_not_ordered_again(when: Requested | None) -> None:
    found = judge(replacement(), candidate(issued(), changing=True, ordered=(issued(when, None),)))
    assert progress(found) is Progress.STUCK


def test_an_order_of_a_later_day_is_in_flight() -> None:
    later = issued(Requested(at=MIDNIGHT + DAY, exact=False), None)
    assert judge(replacement(), candidate(issued(), changing=True, ordered=(later,))) == IN_FLIGHT


def test_what_is_blocked_is_stuck_with_its_cause_unless_it_is_done() -> None:
    stuck = Judged(progress=Progress.STUCK, cause="order 501 was declined")
    assert judge(replacement(), candidate(issued(), blocked="order 501 was declined", changing=True)) == stuck
    assert judge(replacement(), candidate(issued(SINCE), blocked="order 501 was declined")) == DONE


def test_what_a_campaign_began_it_goes_on_with_although_the_selection_has_moved_on() -> None:
    select = Selection(issuer="Old CA", serials_file="affected.txt")
    new = issued(SINCE, serial=0xB1)
    assert judge(replacement(select, frozenset({0xA1})), candidate(new)) is None
    assert judge(replacement(select, frozenset({0xA1})), candidate(new, begun=frozenset({"distrust"}))) == DONE
    assert judge(replacement(select, frozenset({0xA1})), candidate(new, begun=frozenset({"other"}))) is None


def test_a_selection_that_cannot_be_checked_is_shown_and_not_passed_over() -> None:
    found = judge(replacement(Selection(issuer="Old CA", profile="OV Single")), candidate(issued(issuer=None)))
    assert found == Judged(
        progress=Progress.STUCK,
        cause="the campaign selects by issuer and profile, and the services do not say that of its certificate",
    )


def test_the_replaced_certificate_is_not_replaced_again() -> None:
    """Walk through a replacement: each look but the first must not begin anything."""
    old, new = issued(BEFORE), issued(SINCE, serial=0xB1)
    walk = [
        candidate(old),
        candidate(old, changing=True),
        candidate(old, changing=True, ordered=(dataclasses.replace(new, serial=None),)),
        candidate(old, changing=True, ordered=(new,)),
        candidate(new),
    ]
    assert [replacement_for([replacement()], one) is not None for one in walk] == [True, False, False, False, False]


# Which campaign


def test_of_several_campaigns_the_first_deadline_counts_then_the_order_of_the_file() -> None:
    none, late, soon = (
        replacement(name=name, deadline=deadline)
        for name, deadline in (("none", None), ("late", CUT + 5 * DAY), ("soon", CUT + DAY))
    )
    for several in itertools.permutations([none, late, soon]):
        assert replacement_for(several, candidate(issued())) == soon
    assert replacement_for([none, replacement(name="other")], candidate(issued())) == none
    assert replacement_for([none, soon], candidate(issued(SINCE))) is None


def test_a_deadline_makes_a_certificate_as_urgent_as_itself() -> None:
    campaign = replacement(deadline=CUT + DAY).campaign
    assert must_go_in(campaign, 100 * DAY, now=CUT + HOUR) == 23 * HOUR
    assert must_go_in(campaign, 2 * HOUR, now=CUT + HOUR) == 2 * HOUR
    assert must_go_in(campaign, 100 * DAY, now=CUT + 2 * DAY) == -DAY
    assert must_go_in(replacement().campaign, 100 * DAY, now=CUT) == 100 * DAY


# Upload


@pytest.mark.parametrize(
    ("when", "uploaded"),
    [
        (Requested(at=CUT - SECOND), False),
        (Requested(at=CUT), True),
        (Requested(at=MIDNIGHT, exact=False), False),
        (Requested(at=MIDNIGHT + DAY, exact=False), True),  # proved not to be from before: renewals go on
        (UNDATED, False),
        (None, False),
    ],
)
def test_a_certificate_requested_before_the_campaign_is_not_uploaded(when: Requested | None, uploaded: bool) -> None:
    found = upload_refusal([replacement()], candidate(), issued(when))
    assert (found is None) is uploaded


def test_the_refusal_of_an_upload_names_campaign_and_instant() -> None:
    refusal = upload_refusal([replacement()], candidate(), issued(BEFORE))
    assert refusal is not None
    assert refusal.startswith("campaign distrust replaces what was requested before 2026-11-20 09:00:00 UTC")


def test_a_new_certificate_is_not_uploaded_either_and_one_of_another_issuer_is() -> None:
    by_issuer = replacement(Selection(issuer="Old CA"))
    assert upload_refusal([by_issuer], candidate(), issued(issuer="CN=Old CA")) is not None
    assert upload_refusal([by_issuer], candidate(), issued(issuer="CN=New CA")) is None
    assert upload_refusal([by_issuer], candidate(), issued(issuer=None)) is not None
    assert upload_refusal([], candidate(), issued()) is None


def test_any_campaign_can_be_against_an_upload() -> None:
    assert upload_refusal([replacement(issued_before=CUT - DAY), replacement()], candidate(), issued()) is not None


# Promotion, revocation


def test_a_campaign_may_say_how_to_promote() -> None:
    assert promotion(replacement(promote="auto").campaign, Promote.MANUAL) is Promote.AUTO
    assert promotion(replacement().campaign, Promote.MANUAL) is Promote.MANUAL


NEW = issued(SINCE, serial=0xB1)


@pytest.mark.parametrize(
    ("campaign", "old", "networks", "why"),
    [
        ({}, issued(), {}, None),
        ({"revoke_old": False}, issued(), {}, "the campaign does not say revokeOld: true"),
        ({}, issued(), {"served_anywhere": {0xA1}}, "it is served, or its serial is not known"),
        ({}, issued(), {"staging": (issued(),)}, "it is served, or its serial is not known"),
        ({}, issued(), {"production": (NEW, issued())}, "it is served, or its serial is not known"),
        ({}, issued(serial=None), {}, "it is served, or its serial is not known"),
        ({}, issued(serial=0xA2), {"staging": ()}, "staging does not serve the new certificate yet"),
        ({}, issued(serial=0xA2), {"production": ()}, "production does not serve the new certificate yet"),
        ({}, issued(serial=0xA2), {"staging": (NEW, issued())}, "staging does not serve the new certificate yet"),
        ({}, issued(serial=0xA2), {"production": (issued(),)}, "production does not serve the new certificate yet"),
        (
            {},
            issued(serial=0xA2),
            {"production": (issued(Requested(at=MIDNIGHT + DAY, exact=False)),)},
            "production does not serve the new certificate yet",
        ),
        ({}, issued(SINCE), {}, "it is not proved that it was requested before the campaign's instant"),
        ({}, issued(UNDATED), {}, "it is not proved that it was requested before the campaign's instant"),
        ({}, issued(None), {}, "it is not proved that it was requested before the campaign's instant"),
    ],
)
def test_the_old_certificate_is_revoked_only_when_both_networks_serve_the_new_one(
    campaign: dict[str, Any], old: Issued, networks: dict[str, Any], why: str | None
) -> None:
    around = {"staging": (NEW,), "production": (NEW,), "served_anywhere": {0xB1, 0xC1}} | networks
    assert revocation_refusal(replacement(**{"revoke_old": True} | campaign).campaign, old, **around) == why


# Properties

whens = st.sampled_from([None, BEFORE, SINCE, UNDATED, Requested(at=MIDNIGHT, exact=False), Requested(at=CUT + DAY)])
halves = st.builds(issued, whens, st.sampled_from([None, 0xA1, 0xA2]), issuer=st.sampled_from([None, R36, "CN=Other"]))
candidates = st.builds(
    lambda served, ordered, **fields: candidate(*served, ordered=tuple(ordered), **fields),
    st.lists(halves, max_size=2),
    st.lists(halves, max_size=2),
    changing=st.booleans(),
    blocked=st.none() | st.just("declined"),
    begun=st.sampled_from([frozenset[str](), frozenset({"distrust"})]),
)
selections = st.sampled_from(
    [Selection(), Selection(issuer=R36), Selection(serials_file="a.txt"), Selection(labels={"team": "web"})]
)


@given(select=selections, one=candidates)
def test_what_is_replaced_is_served_and_not_proved_to_be_new(select: Selection, one: Candidate) -> None:
    chosen = replacement(select, frozenset({0xA1}))
    if replacement_for([chosen], one) is None:
        return
    assert any(half.requested is None or half.requested.maybe_before(CUT) for half in one.served)
    assert not one.changing or any(half.requested == BEFORE for half in one.ordered)
    assert one.blocked is None


@given(select=selections, one=candidates, half=halves)
def test_what_may_be_uploaded_satisfies_or_is_not_selected(select: Selection, one: Candidate, half: Issued) -> None:
    chosen = replacement(select, frozenset({0xA1}))
    if upload_refusal([chosen], one, half) is None and half.requested is not None and half.requested.exact:
        served = dataclasses.replace(one, served=(half,), changing=False, blocked=None, begun=frozenset())
        assert judge(chosen, served) in (None, DONE) or fit(chosen, served, half) is None
