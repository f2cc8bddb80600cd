"""What a campaign makes of one certificate, from each state that a look can show."""

import dataclasses
from datetime import date, timedelta
from typing import Any

import pytest

from reconciler.model.certificate import (
    ChangeId,
    DesiredCertificate,
    EnrollmentId,
    InstanceName,
    KeyType,
    Promote,
)
from reconciler.model.digest import desired_digest
from reconciler.model.enrollment import ChangeManagement, ChangeRecord, ChangeState, InputKind, Served
from reconciler.model.entry import CauseId, Intent, IntentId
from reconciler.model.journal import CauseRecord, OpenIntent, OpenState, OwnChange
from reconciler.model.order import Order, OrderStatus, SslId
from reconciler.model.policy import Campaign, Freeze, Policy, Selection
from reconciler.model.replacement import Replacement, Replacing
from reconciler.model.x509 import parse_csr
from reconciler.planning.campaign_book import CampaignBook
from reconciler.planning.campaign_progress import CampaignState
from reconciler.planning.campaign_states import with_campaigns
from reconciler.planning.case import Context
from reconciler.planning.causes import reissue_cause
from reconciler.planning.housekeeping import lessons
from reconciler.planning.observed import ChangeView
from reconciler.planning.ownership import AUTO_RENEWAL
from reconciler.planning.plan import Standing
from reconciler.planning.served import change_matters
from reconciler.planning.steps import (
    Act,
    ActionKind,
    Blocked,
    Decision,
    Done,
    PromoteToProduction,
    RevokeCertificate,
    SubmitOrder,
    UpdateEnrollment,
    UploadCertificates,
    Wait,
)
from reconciler.planning.tags import key_of
from tests.support.certs import csr_pem, desired, ec_key, leaf, root_ca, sub_ca
from tests.support.live import EXPIRES, ISSUED, SERIAL, enrollment, issued_order, look, planned, served, with_enrollment
from tests.support.looks import ACCOUNT, CHANGE, ENROLLMENT, change, enrollment_for, order_for, waiting_for_certificate

CUT = ISSUED + timedelta(days=1)
NOW = CUT + timedelta(hours=3)
MIDNIGHT = CUT.replace(hour=0, minute=0, second=0)
SECOND, DAY = timedelta(seconds=1), timedelta(days=1)
WANTED = desired()
ROOT = root_ca()
ISSUER = sub_ca(ROOT)
KEY = ec_key()
CSR = csr_pem(key=KEY)
LEAF = leaf(ISSUER, "www.example.com", key=KEY, not_before=MIDNIGHT)
OLD = issued_order(requested_at=CUT - SECOND)
REPLACING = Replacing(campaign="distrust", reason="superseded", serials=("A1",))
CAUSE = reissue_cause(WANTED, [SERIAL], campaign="distrust")


def campaign(select: Selection | None = None, **fields: Any) -> Campaign:
    made = Campaign(name="distrust", issued_before=CUT, select=select or Selection(), reason="superseded")
    return dataclasses.replace(made, **fields)


def seen(
    *orders: Order,
    of: Campaign | None = None,
    view: ChangeView | None = None,
    journal: OpenState | None = None,
    serials: frozenset[int] = frozenset(),
    live: Served | None = None,
    **fields: Any,
) -> Context:
    """Return a look in a campaign: of a certificate that is served, its change pending where a view is given."""
    pending: dict[str, Any] = {} if view is None else {"pending": enrollment_for(WANTED).pending}
    made = look(
        now=NOW,
        enrollments=fields.pop("enrollments", [enrollment(**pending)]),
        live={ENROLLMENT: served() if live is None else live},
        orders=orders or [OLD],
        view=view,
        journal=journal,
        roots=(ROOT.value,),
        calls_per_minute={ACCOUNT: 30},
        **fields,
    )
    replacements = (Replacement(campaign=of or campaign(), serials=serials),)
    journals = {} if journal is None else {ACCOUNT: journal}
    return dataclasses.replace(made, campaigns=CampaignBook.of(replacements, journals, made.observed))


def standing(context: Context, wanted: DesiredCertificate = WANTED) -> Standing:
    (found,) = planned(context, wanted).standings
    return found


def decided(context: Context, wanted: DesiredCertificate = WANTED) -> Decision:
    return standing(context, wanted).decision


def acted(context: Context, wanted: DesiredCertificate = WANTED) -> Act:
    found = decided(context, wanted)
    assert isinstance(found, Act), found
    return found


def progress(context: Context, wanted: DesiredCertificate = WANTED) -> CampaignState:
    (found,) = with_campaigns(planned(context, wanted), context).campaigns
    return found


def ordered(requested_at: Any, **fields: Any) -> Order:
    """Return the order of the pending change."""
    return order_for(WANTED, CSR, ssl_id=777, requested_at=requested_at, **fields)


def issued(requested_at: Any) -> Order:
    return ordered(requested_at, status=OrderStatus.ISSUED, status_text="Issued", serial=LEAF.serial, issued_at=NOW)


def journal(**fields: Any) -> OpenState:
    opened = {CHANGE: OwnChange(enrollment_id=ENROLLMENT, cause=CauseId("ab12"), opened_at=CUT)}
    return OpenState(journal_id="j", installation="0a1b2c3d", **{"changes": opened} | fields)


def begun(cause: CauseId = CAUSE, ended: bool = False) -> dict[CauseId, CauseRecord]:
    record = CauseRecord(
        attempt=1,
        first_intent_at=CUT,
        ended_at=NOW if ended else None,
        enrollment_id=ENROLLMENT,
        replacing=REPLACING,
    )
    return {cause: record}


# Served


def test_what_was_requested_before_the_instant_gets_a_new_key_although_nothing_differs() -> None:
    act = acted(seen(of=campaign(deadline=CUT + DAY, revoke_old=True)))
    assert (act.kind, act.reason, act.cause) == (ActionKind.REISSUE, "campaign", CAUSE)
    assert act.steps == (UpdateEnrollment(desired=WANTED, enrollment_id=ENROLLMENT, force_renewal=True),)
    assert act.replacing == REPLACING
    assert act.text == "replacement campaign distrust (superseded)"
    assert act.notes[0] == "to be done by 2026-11-18 00:06 UTC"
    assert "what it replaces is revoked once both networks serve" in act.notes[1]


def test_what_was_requested_at_the_instant_or_is_not_selected_is_left_alone() -> None:
    assert decided(seen(issued_order(requested_at=CUT))) == Done()
    assert decided(seen(of=campaign(Selection(labels={"team": "mail"})))) == Done()
    assert decided(seen(of=campaign(Selection(serials_file="a.txt")), serials=frozenset({0xB1}))) == Done()


def test_only_the_selected_half_counts_as_replaced() -> None:
    assert acted(seen(of=campaign(Selection(serials_file="a.txt")), serials=frozenset({SERIAL}))).replacing == REPLACING


def test_what_is_not_dated_is_stuck_with_its_cause_and_never_ordered_again() -> None:
    context = seen(issued_order(requested_at=None))
    found = decided(context)
    assert isinstance(found, Done)
    assert found.notes[0].startswith("campaign distrust: when its certificate was requested is not known")
    (stuck,) = progress(context).burn_down.stuck
    assert "give SCM's admin the right to read reports" in stuck.cause


def test_other_names_satisfy_the_campaign_on_the_way() -> None:
    act = acted(seen(), desired("www.example.com", "img.example.com"))
    assert (act.reason, act.replacing) == ("names-differ", REPLACING)


def test_a_missing_half_is_not_added_but_both_are_made_anew() -> None:
    both = dataclasses.replace(WANTED, key_types=frozenset(KeyType))
    (step,) = acted(seen(), both).steps
    assert isinstance(step, UpdateEnrollment)
    assert (step.force_renewal, step.add_missing) == (True, False)


def test_the_renewal_that_cps_opened_is_read_and_replaced() -> None:
    record = ChangeRecord(action="renew", status="incomplete", created_by=AUTO_RENEWAL, created_at=CUT, csrs=())
    view = dataclasses.replace(waiting_for_certificate(CSR), record=record)
    context = seen(view=view)
    (step,) = acted(context).steps
    assert isinstance(step, UpdateEnrollment)
    assert (step.cancel_pending, step.replaces) == (True, CHANGE)
    pending, book = enrollment(pending=enrollment_for(WANTED).pending), context.observed.instances
    (instance,) = book.values()

    def matters(campaigns: CampaignBook) -> bool:
        return change_matters(WANTED, pending, served(), instance.book, Policy(), None, NOW, campaigns)

    assert matters(context.campaigns)
    assert not matters(CampaignBook())


# Under way


def test_a_change_whose_order_is_from_before_gives_way_to_a_new_one() -> None:
    dead = dataclasses.replace(ordered(CUT - SECOND, status=OrderStatus.REJECTED), ssl_id=SslId(776))
    act = acted(seen(OLD, dead, ordered(CUT - SECOND), view=waiting_for_certificate(CSR)))
    expected = UpdateEnrollment(
        desired=WANTED, enrollment_id=ENROLLMENT, force_renewal=True, cancel_pending=True, replaces=CHANGE
    )
    assert (act.kind, act.steps, act.replacing) == (ActionKind.REISSUE, (expected,), REPLACING)
    assert act.cause == reissue_cause(WANTED, [SERIAL], campaign="distrust", replaces=CHANGE) != CAUSE
    assert act.notes == ("order 777 is lost by it",)


def test_a_change_whose_certificate_is_on_staging_gives_way_too() -> None:
    assert acted(seen(OLD, issued(CUT - SECOND), view=_on_staging())).reason == "campaign"


def test_what_deploys_already_is_deployed_first() -> None:
    view = ChangeView(change=change(ChangeState.RUNNING, "deploy-cert-to-production"))
    assert isinstance(decided(seen(OLD, issued(CUT - SECOND), view=view)), Wait)


def test_a_change_is_not_replaced_while_the_answer_to_an_order_is_unknown() -> None:
    both = dataclasses.replace(WANTED, key_types=frozenset(KeyType))
    other = csr_pem(key=ec_key())
    intent = Intent(
        id=IntentId("1"),
        certificate=WANTED.name,
        cause=CauseId("ab12"),
        attempt=1,
        operation="submit order",
        enrollment_id=ENROLLMENT,
        change_id=CHANGE,
        key_type="ECDSA",
        body_digest="",
        desired_digest=desired_digest(WANTED),
        at=NOW - timedelta(minutes=5),
        key=key_of(parse_csr(other).spki_sha256),
    )
    known = journal(open=(OpenIntent(intent=intent, written_at=NOW),))
    context = seen(OLD, ordered(CUT - SECOND), view=waiting_for_certificate(other), journal=known)
    assert isinstance(decided(context, both), Wait)


def test_a_new_certificate_ordered_before_is_never_uploaded_although_nothing_is_served() -> None:
    fields: dict[str, Any] = {"enrollments": [enrollment_for(WANTED)], "live": Served()}
    collected = {777: (ROOT.value, LEAF, ISSUER.value)}
    old, new = (
        seen(issued(at), view=waiting_for_certificate(CSR), collected=collected, **fields) for at in (CUT - SECOND, CUT)
    )
    assert acted(old).reason == "campaign"
    assert progress(old).burn_down.total == 0  # it replaces nothing that is served
    (step,) = acted(new).steps
    assert isinstance(step, UploadCertificates)


def test_an_issued_certificate_of_which_only_the_day_is_known_waits_for_a_person() -> None:
    order = dataclasses.replace(issued(MIDNIGHT), expires_at=None)
    context = seen(
        OLD,
        order,
        view=waiting_for_certificate(CSR),
        collected={777: (ROOT.value, LEAF, ISSUER.value)},
    )
    found = decided(context)
    assert isinstance(found, Blocked), found
    assert (found.reason, "--retry www.example.com" in found.remedy) == ("campaign", True)
    assert [one.name for one in progress(context).burn_down.stuck] == ["www.example.com"]
    again = acted(dataclasses.replace(context, retry=frozenset({WANTED.name})))
    assert again.reason == "retry"


def test_a_change_begun_since_is_in_flight_and_goes_on_for_the_campaign() -> None:
    context = seen(OLD, ordered(CUT), view=waiting_for_certificate(CSR))
    assert isinstance(decided(context), Wait)
    assert progress(context).burn_down.in_flight == ("www.example.com",)
    collected = {777: (ROOT.value, LEAF, ISSUER.value)}
    upload = acted(seen(OLD, issued(CUT), view=waiting_for_certificate(CSR), collected=collected))
    assert (upload.kind, upload.replacing) == (ActionKind.UPLOAD, REPLACING)
    fresh = acted(seen(view=waiting_for_certificate(CSR), journal=journal()))
    assert isinstance(fresh.steps[0], SubmitOrder)
    assert fresh.replacing == REPLACING


def test_a_change_of_settings_alone_is_not_taken_for_a_replacement() -> None:
    """It would count as lost, since what it was opened for, by the journal, would never be served."""
    context = seen(view=_on_staging(), journal=journal())
    assert acted(context).kind is ActionKind.PROMOTE
    assert acted(context).replacing is None


def _on_staging() -> ChangeView:
    return ChangeView(
        change=change(ChangeState.AWAITING_INPUT, "wait-ack-change-management", InputKind.CHANGE_MANAGEMENT),
        record=waiting_for_certificate(CSR).record,
        management=ChangeManagement(validation_hash="x", errors=(), warnings=(), deadline=None, pending_pems=()),
    )


@pytest.mark.parametrize(
    ("own", "said", "promoted"),
    [
        (Promote.MANUAL, "auto", True),
        (Promote.MANUAL, None, False),
        (Promote.AUTO, "manual", False),
        (Promote.AUTO, "verified", False),
        (Promote.AUTO, None, True),
    ],
)
def test_a_campaign_says_how_to_promote(own: Promote, said: str | None, promoted: bool) -> None:
    staged = served(LEAF.serial).staging
    context = seen(
        OLD,
        issued(CUT),
        of=campaign(promote=said),
        view=_on_staging(),
        live=Served(staging=staged, production=served().production),
    )
    found = decided(context, with_enrollment(WANTED, promote=own))
    assert isinstance(found, Act) is promoted, found
    if isinstance(found, Act):
        assert isinstance(found.steps[0], PromoteToProduction)


def test_a_change_that_a_person_cancelled_is_lost_also_where_it_had_replaced_another() -> None:
    over = reissue_cause(WANTED, [SERIAL], campaign="distrust", replaces=ChangeId(1))
    for cause in (CAUSE, over):
        opened = {CHANGE: OwnChange(enrollment_id=ENROLLMENT, cause=cause, opened_at=CUT)}
        found = decided(seen(journal=journal(changes=opened, causes=begun(cause))))
        assert isinstance(found, Blocked), found
        assert found.reason == "lost-change"


# Freeze, order of work


def test_a_campaign_goes_on_in_a_freeze_and_other_reissues_do_not() -> None:
    freeze = Freeze(first=date(2026, 11, 1), last=date(2026, 11, 30), reason="peak")
    policy = Policy(freezes=(freeze,))
    assert standing(seen(policy=policy)).may_run
    more = desired("www.example.com", "img.example.com")
    assert standing(seen(policy=policy), more).may_run
    assert not standing(seen(issued_order(requested_at=CUT), policy=policy), more).may_run


def test_the_deadline_makes_a_certificate_more_urgent_than_one_that_ends_sooner() -> None:
    old, short = standing(seen(of=campaign(deadline=NOW + DAY))), standing(seen(of=campaign()))
    assert old.must_go_in == DAY
    assert short.must_go_in == short.serving.remaining if short.serving is not None else False


def two(
    first: DesiredCertificate, second: DesiredCertificate, *, ends: timedelta, of: Campaign, **fields: Any
) -> Context:
    """Return a look at two certificates of before the instant; the second ends that soon."""
    wanted = dict(enumerate((first, second), 1))
    expires_at = {1: EXPIRES, 2: NOW + ends}
    made = look(
        now=NOW,
        enrollments=[enrollment(one, id=EnrollmentId(number)) for number, one in wanted.items()],
        live={EnrollmentId(number): served(0xA0 + number, expires_at[number]) for number in wanted},
        orders=[
            issued_order(
                one,
                ssl_id=number,
                serial=0xA0 + number,
                requested_at=CUT - SECOND,
                issued_at=expires_at[number] - 199 * DAY,
            )
            for number, one in wanted.items()
        ],
        **fields,
    )
    return dataclasses.replace(made, campaigns=CampaignBook.of((Replacement(campaign=of),), {}, made.observed))


def test_of_one_deadline_the_most_exposed_certificate_comes_first_and_what_serves_nothing_last() -> None:
    plain, more, new = desired("a.example.com"), desired("z.example.com", "y.example.com"), desired("0.example.com")
    context = two(plain, more, ends=EXPIRES - NOW, of=campaign(deadline=NOW + DAY))
    assert [one.name for one in planned(context, new, plain, more).standings] == [more.name, plain.name, new.name]


def test_the_deadline_has_the_orders_of_a_run_before_a_renewal_that_is_due() -> None:
    chosen, due = desired("z.example.com"), desired("a.example.com")
    urgent = campaign(Selection(names=("z.example.com",)), deadline=NOW + DAY)
    budget = Policy(budgets=dataclasses.replace(Policy().budgets, orders=1))
    context = two(chosen, due, ends=25 * DAY, of=urgent, policy=budget)
    found = planned(context, due, chosen).standings
    assert [(one.name, one.may_run) for one in found] == [(chosen.name, True), (due.name, False)]


# Revocation

NEW_ORDER = issued_order(ssl_id=777, serial=0xB1, requested_at=CUT)
REVOKING = campaign(revoke_old=True)


def after(*orders: Order, of: Campaign = REVOKING, live: Served | None = None, ended: bool = True) -> Context:
    known = journal(changes={}, causes=begun(ended=ended))
    return seen(*(orders or (OLD, NEW_ORDER)), of=of, live=live or served(0xB1), journal=known)


def test_the_old_certificate_is_revoked_with_the_campaign_s_reason() -> None:
    act = acted(after())
    step = RevokeCertificate(instance=InstanceName("enterprise"), ssl_id=SslId(501), serial="A1", reason="superseded")
    assert (act.kind, act.reason, act.steps) == (ActionKind.REVOKE, "campaign", (step,))


def test_what_is_revoked_already_is_not_revoked_again() -> None:
    revoked = dataclasses.replace(OLD, status=OrderStatus.REVOKED, status_text="Revoked")
    assert decided(after(revoked, NEW_ORDER)) == Done()


def test_nothing_is_revoked_unless_the_campaign_says_so() -> None:
    assert decided(after(of=campaign())) == Done()


def test_what_staging_serves_still_is_not_revoked_and_that_is_said() -> None:
    old, new = served().staging, served(0xB1).production
    found = decided(after(live=Served(staging=old, production=new)))
    assert isinstance(found, Done)
    assert found.notes == ("campaign distrust does not revoke serial A1: it is served, or its serial is not known",)


def test_what_another_enrollment_serves_is_not_revoked() -> None:
    context = after()
    served_too = dataclasses.replace(context.campaigns, served_anywhere=frozenset({0xA1, 0xB1}))
    assert isinstance(decided(dataclasses.replace(context, campaigns=served_too)), Done)
    unread = dataclasses.replace(context.campaigns, served_anywhere=None)
    found = decided(dataclasses.replace(context, campaigns=unread))
    assert isinstance(found, Done)
    assert "could not be read completely" in found.notes[0]


def test_a_revocation_that_waits_for_its_budget_leaves_no_cause_open() -> None:
    opened = {CHANGE: OwnChange(enrollment_id=ENROLLMENT, cause=CAUSE, opened_at=CUT)}
    known = journal(changes=opened, causes=begun())
    context = seen(OLD, NEW_ORDER, of=REVOKING, live=served(0xB1), journal=known)
    plan = planned(context, WANTED)
    assert plan.standings[0].refused is not None
    after_it = known.after(lessons(plan, context)[ACCOUNT])
    assert after_it.causes[CAUSE].ended_at == NOW
    assert after_it.changes == {}


# All campaigns of a plan


def test_the_estimate_follows_the_account_s_rate_and_the_orders_of_the_day() -> None:
    found = progress(seen(of=campaign(deadline=NOW + DAY)))
    assert (found.estimate.certificates, found.estimate.orders, found.estimate.calls) == (1, 1, 30)
    assert found.estimate.finishes_at == NOW + timedelta(minutes=1) + timedelta(hours=2)
    assert found.burn_down.waiting == ("www.example.com",)


def test_what_a_guard_refuses_is_stuck_and_not_in_the_estimate() -> None:
    context = seen(certificates=12, policy=Policy(budgets=dataclasses.replace(Policy().budgets, changed_percent=0)))
    state = progress(context)
    (stuck,) = state.burn_down.stuck
    assert stuck.cause.startswith("guard changedPercent: 1 of 12 certificates changed")
    assert state.estimate.certificates == 0
