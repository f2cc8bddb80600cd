"""The next step of one certificate, from each state that a look can show. Values in, values out."""

import dataclasses
from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from typing import Any

import pytest

from reconciler.model.certificate import (
    CertificateName,
    Contact,
    DesiredCertificate,
    EnrollmentId,
    KeyType,
    MutualAuthentication,
    PostalOrganization,
    Promote,
)
from reconciler.model.enrollment import (
    ChangeManagement,
    ChangeState,
    Enrollment,
    InputKind,
    Served,
    UploadHalf,
)
from reconciler.model.entry import CauseId, Intent, IntentId
from reconciler.model.journal import Answer, OpenIntent, OpenState, OwnChange, identity_key
from reconciler.model.names import DnsName
from reconciler.model.order import Order, OrderStatus
from reconciler.model.policy import Policy
from reconciler.model.x509 import Certificate, parse_csr
from reconciler.planning.causes import update_cause
from reconciler.planning.diff import Effect, FieldDiffers
from reconciler.planning.observed import ChangeView
from reconciler.planning.plan import Plan, plan_for
from reconciler.planning.steps import (
    AcknowledgeWarnings,
    Act,
    ActionKind,
    Actor,
    Blocked,
    CreateEnrollment,
    Decision,
    Done,
    Phase,
    PromoteToProduction,
    Step,
    SubmitOrder,
    Unread,
    UpdateEnrollment,
    UploadCertificates,
    Wait,
)
from reconciler.planning.tags import key_of
from tests.support.certs import csr_pem, desired, ec_key, leaf, root_ca, rsa_key, sub_ca
from tests.support.looks import (
    ACCOUNT,
    CHANGE,
    ENROLLMENT,
    NOW,
    account_view,
    change,
    context,
    enrollment_for,
    instance_view,
    order_for,
    served_by,
    waiting_for_certificate,
)

ADA = Contact(first_name="Ada", last_name="Byron", email="tls@example.com", phone="+44 161 000 0000")
ARI = Contact(first_name="Ari", last_name="Kam", email="ari@akamai.com", phone="+1 617 000 0000")
ORG = PostalOrganization(
    name="Example Ltd",
    address_line_one="1 Main Street",
    city="Manchester",
    region="Greater Manchester",
    postal_code="M1 1AA",
    country="GB",
    phone="+44 161 000 0000",
)


def wanted_certificate(*names: str) -> DesiredCertificate:
    made = desired(*names)
    return dataclasses.replace(
        made, enrollment=dataclasses.replace(made.enrollment, admin_contact=ADA, tech_contact=ARI, org=ORG)
    )


WANTED = wanted_certificate()
ROOT = root_ca()
ISSUER = sub_ca(ROOT)
EC = ec_key()
CSR = csr_pem(key=EC)
LEAF = leaf(ISSUER, "www.example.com", key=EC)
ISSUED = order_for(WANTED, CSR, status=OrderStatus.ISSUED, status_text="Issued", serial=LEAF.serial, issued_at=NOW)
GIVEN = (ROOT.value, LEAF, ISSUER.value)


def plan(
    wanted: DesiredCertificate = WANTED,
    *,
    enrollments: Iterable[Enrollment] = (),
    served: Mapping[str, Any] | None = None,
    orders: Iterable[Order] = (),
    view: ChangeView | None = None,
    collected: Mapping[int, Iterable[Certificate]] | None = None,
    **fields: Any,
) -> Plan:
    account = account_view(*enrollments, served={ENROLLMENT: Served(**served)} if served else {})
    return plan_for(
        (wanted,),
        context(account, instance_view(*orders), view=view, collected=collected, roots=(ROOT.value,), **fields),
    )


def decision(*arguments: Any, **fields: Any) -> Decision:
    (standing,) = plan(*arguments, **fields).standings
    return standing.decision


def pending(view: ChangeView, wanted: DesiredCertificate = WANTED, **fields: Any) -> Decision:
    """Decide on an enrollment that was created for `wanted` and whose change is as `view` says."""
    return decision(wanted, enrollments=[enrollment_for(WANTED)], view=view, **fields)


def only_step(found: Decision) -> Step:
    assert isinstance(found, Act), found
    (step,) = found.steps
    return step


# Nothing there yet


def test_an_absent_certificate_is_created() -> None:
    assert only_step(decision()) == CreateEnrollment(desired=WANTED)


@pytest.mark.parametrize("missing", [{"admin_contact": None}, {"tech_contact": None}, {"org": None}])
def test_a_create_without_what_cps_demands_is_blocked_before_it_is_sent(missing: dict[str, Any]) -> None:
    bare = dataclasses.replace(WANTED.enrollment, **missing)
    found = decision(dataclasses.replace(WANTED, enrollment=bare))
    assert isinstance(found, Blocked)
    assert found.error


def test_a_name_in_use_elsewhere_is_blocked() -> None:
    found = decision(enrollments=[enrollment_for(WANTED, sni_only=False)])
    assert isinstance(found, Blocked)
    assert (found.phase, found.actor) == (Phase.ABSENT, Actor.AUTHOR)


@pytest.mark.parametrize(
    ("order", "enrollment", "pointer", "remedy"),
    [
        ({"profile": "OV Multi-Domian"}, {}, "sectigo.profile", 'Did you mean "OV Multi-Domain"?'),
        ({"organization": "Exampel Ltd"}, {}, "sectigo.organization", 'Did you mean "Example Ltd"?'),
        ({"term_days": 10}, {}, "sectigo.term", ""),
        ({}, {"contract": "C-9"}, "akamai.contract", "It has: C-1."),
    ],
)
def test_what_the_services_do_not_have_is_a_problem_in_the_file(
    order: dict[str, Any], enrollment: dict[str, Any], pointer: str, remedy: str
) -> None:
    wanted = dataclasses.replace(
        WANTED,
        order=dataclasses.replace(WANTED.order, **order),
        enrollment=dataclasses.replace(WANTED.enrollment, **enrollment),
    )
    found = plan(wanted)
    (problem,) = found.problems
    assert (problem.pointer, problem.remedy) == (pointer, remedy)
    assert found.actions == ()
    assert found.exit_code(detailed=True) == 1


def test_what_defaults_name_wrongly_is_told_once() -> None:
    wrong = dataclasses.replace(WANTED, order=dataclasses.replace(WANTED.order, profile="OV Multi-Domian"))
    another = dataclasses.replace(wrong, name=CertificateName("another"), common_name=DnsName("another.example.com"))
    found = plan_for((wrong, another), context(account_view(), instance_view()))
    assert len(found.problems) == 1
    assert [type(standing.decision) for standing in found.standings] == [Blocked, Blocked]


def test_an_incomplete_reading_leads_to_no_action() -> None:
    readings = [
        context(account_view(complete=False), instance_view()),
        context(account_view(), instance_view(complete=False)),
    ]
    for incomplete in readings:
        found = plan_for((WANTED,), incomplete)
        assert isinstance(found.standings[0].decision, Unread)
        assert found.actions == ()
        assert found.exit_code(detailed=True) == 1


# The change that a create opened


@pytest.mark.parametrize(
    ("status", "phase"),
    [
        ("pre-verification-safety-checks", Phase.PRECHECKS),
        ("generate-csr", Phase.CSR),
        ("verify-third-party-cert", Phase.CHECKING),
        ("deploy-cert-to-staging", Phase.STAGING),
        ("deploy-cert-to-production", Phase.PRODUCTION),
        ("a-word-that-nobody-documented", Phase.CHECKING),
    ],
)
def test_a_running_change_is_waited_for(status: str, phase: Phase) -> None:
    found = pending(ChangeView(change=change(ChangeState.RUNNING, status)))
    assert isinstance(found, Wait)
    assert (found.phase, found.actor) == (phase, Actor.CPS)


@pytest.mark.parametrize(
    "state", [ChangeState.ERROR, ChangeState.CANCELLED, ChangeState.SUSPENDED, ChangeState.UNKNOWN]
)
def test_a_stopped_change_is_blocked(state: ChangeState) -> None:
    found = pending(ChangeView(change=change(state, "verify-third-party-cert", error="E1: no")))
    assert isinstance(found, Blocked)
    assert "E1: no" in found.text


def test_a_change_that_could_not_be_read_leads_to_no_action() -> None:
    assert pending(ChangeView(change=None, problem="cps: no answer")) == Unread(text="cps: no answer")


def test_a_file_that_changed_before_the_order_supersedes_the_change() -> None:
    wanted = wanted_certificate("www.example.com", "img.example.com")
    found = decision(wanted, enrollments=[enrollment_for(WANTED)], view=waiting_for_certificate(CSR))
    assert only_step(found) == UpdateEnrollment(
        desired=wanted, enrollment_id=ENROLLMENT, cancel_pending=True, replaces=CHANGE
    )
    assert isinstance(found, Act)
    assert found.phase is Phase.CSR


def test_a_file_that_changed_while_an_order_may_have_been_placed_waits_until_that_is_known() -> None:
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
        desired_digest="",
        at=NOW - timedelta(minutes=5),
        key=key_of(parse_csr(CSR).spki_sha256),
    )
    journal = OpenState(
        journal_id="j",
        installation="0a1b2c3d",
        open=(OpenIntent(intent=intent, written_at=NOW),),
        changes={CHANGE: OwnChange(enrollment_id=ENROLLMENT, cause=CauseId("ab12"), opened_at=NOW)},
    )
    found = decision(
        wanted_certificate("www.example.com", "img.example.com"),
        enrollments=[enrollment_for(WANTED)],
        view=waiting_for_certificate(CSR),
        journal=journal,
    )
    assert isinstance(found, Wait), found
    assert "may show yet" in found.text


def test_a_file_that_changed_after_the_order_is_queued_behind_it() -> None:
    wanted = wanted_certificate("www.example.com", "img.example.com")
    found = decision(
        wanted,
        enrollments=[enrollment_for(WANTED)],
        view=waiting_for_certificate(CSR),
        orders=[ISSUED],
        collected={501: GIVEN},
    )
    assert isinstance(only_step(found), UploadCertificates)
    assert isinstance(found, Act)
    assert any("queued" in note for note in found.notes)


def test_mutual_authentication_follows_the_create_and_precedes_the_order() -> None:
    settings = MutualAuthentication(set_id="4711")
    wanted = dataclasses.replace(
        WANTED, enrollment=dataclasses.replace(WANTED.enrollment, client_mutual_authentication=settings)
    )
    found = pending(waiting_for_certificate(CSR), wanted)
    assert only_step(found) == UpdateEnrollment(
        desired=wanted, enrollment_id=ENROLLMENT, cancel_pending=True, replaces=CHANGE
    )


# Orders


def test_a_csr_without_an_order_is_ordered_with_its_tag() -> None:
    step = only_step(pending(waiting_for_certificate(CSR)))
    assert isinstance(step, SubmitOrder)
    assert step.request.comments.startswith(f"certrecon/1 i=0a1b2c3d e={ENROLLMENT} c={CHANGE} k=ECDSA key={step.key}")
    assert step.request.csr_pem == CSR
    assert step.request.sans == ("www.example.com",)
    assert step.request.term_days == 199


def test_only_the_wanted_key_type_is_ordered_where_cps_shows_two_csrs() -> None:
    step = only_step(pending(waiting_for_certificate(csr_pem(key=rsa_key()), CSR)))
    assert isinstance(step, SubmitOrder)
    assert step.key_type is KeyType.ECDSA


def test_both_key_types_are_ordered_at_once() -> None:
    wanted = dataclasses.replace(WANTED, key_types=frozenset(KeyType))
    found = pending(waiting_for_certificate(csr_pem(key=rsa_key()), CSR), wanted)
    assert isinstance(found, Act)
    assert [step.key_type for step in found.steps if isinstance(step, SubmitOrder)] == [KeyType.RSA, KeyType.ECDSA]


def succeeded(wanted: DesiredCertificate, *live: Certificate) -> Mapping[KeyType, frozenset[int]]:
    """Return, by key type of the orders for a change, which orders of the live certificates they succeed."""
    served = served_by(*live)["production"]
    long_ago = NOW - timedelta(days=100)
    orders = [order_for(WANTED, ssl_id=one.serial, serial=one.serial, requested_at=long_ago) for one in live]
    account = account_view(enrollment_for(WANTED), served={ENROLLMENT: Served(production=served)})
    journal = OpenState(
        journal_id="j",
        installation="0a1b2c3d",
        changes={CHANGE: OwnChange(enrollment_id=ENROLLMENT, cause=CauseId("ab12"), opened_at=NOW)},
    )
    view = waiting_for_certificate(csr_pem(key=rsa_key()), CSR)
    look = context(account, instance_view(*orders), view=view, roots=(ROOT.value,), journal=journal)
    (standing,) = plan_for((wanted,), look).standings
    assert isinstance(standing.decision, Act), standing.decision
    steps = [step for step in standing.decision.steps if isinstance(step, SubmitOrder)]
    return {step.key_type: step.succeeds for step in steps}


LIVE_RSA = leaf(ISSUER, "www.example.com", key=rsa_key(), serial=71)
LIVE_EC = leaf(ISSUER, "www.example.com", key=ec_key(), serial=72)
BOTH_TYPES = dataclasses.replace(WANTED, key_types=frozenset(KeyType))


@pytest.mark.parametrize(
    ("wanted", "live", "expected"),
    [
        (WANTED, (LIVE_EC,), {KeyType.ECDSA: {72}}),
        (WANTED, (LIVE_RSA,), {KeyType.ECDSA: {71}}),  # RSA is not wanted any more
        (WANTED, (LIVE_RSA, LIVE_EC), {KeyType.ECDSA: {71, 72}}),
        (BOTH_TYPES, (LIVE_RSA, LIVE_EC), {KeyType.RSA: {71}, KeyType.ECDSA: {72}}),
        (BOTH_TYPES, (LIVE_RSA,), {KeyType.RSA: {71}, KeyType.ECDSA: set()}),
    ],
)
def test_an_order_names_those_whose_certificates_its_own_will_replace(
    wanted: DesiredCertificate, live: tuple[Certificate, ...], expected: Mapping[KeyType, set[int]]
) -> None:
    assert succeeded(wanted, *live) == expected


def test_an_order_for_the_csr_is_never_placed_again() -> None:
    found = pending(waiting_for_certificate(CSR), orders=[order_for(WANTED, CSR)])
    assert isinstance(found, Wait)
    assert (found.phase, found.actor) == (Phase.VALIDATING, Actor.SCM)


def test_an_order_that_waits_for_approval_names_the_approver() -> None:
    order = order_for(WANTED, CSR, status=OrderStatus.REQUESTED, status_text="Requested")
    found = pending(waiting_for_certificate(CSR), orders=[order])
    assert isinstance(found, Wait)
    assert (found.phase, found.actor, found.since) == (Phase.ORDERED, Actor.APPROVER, NOW)


def test_a_status_that_is_not_known_is_not_taken_for_success() -> None:
    order = order_for(WANTED, CSR, status=OrderStatus.UNKNOWN, status_text="Blessed")
    found = pending(waiting_for_certificate(CSR), orders=[order])
    assert isinstance(found, Wait)
    assert "Blessed" in found.text


@pytest.mark.parametrize(
    "status", [OrderStatus.DECLINED, OrderStatus.REJECTED, OrderStatus.INVALID, OrderStatus.REVOKED]
)
def test_a_dead_order_blocks_and_is_not_ordered_again(status: OrderStatus) -> None:
    found = pending(waiting_for_certificate(CSR), orders=[order_for(WANTED, CSR, status=status)])
    assert isinstance(found, Blocked)
    assert found.phase is Phase.REFUSED


def test_two_live_orders_for_one_key_are_named_and_the_run_fails() -> None:
    orders = [order_for(WANTED, CSR, ssl_id=501), order_for(WANTED, CSR, ssl_id=502)]
    (standing,) = plan(enrollments=[enrollment_for(WANTED)], orders=orders, view=waiting_for_certificate(CSR)).standings
    assert standing.failure is not None
    assert "revoke 502 in SCM" in standing.failure
    assert isinstance(standing.decision, Wait)  # for the first of them: nothing more is ordered


def test_of_two_live_orders_for_one_key_the_one_that_is_issued_is_used() -> None:
    orders = [order_for(WANTED, CSR, ssl_id=500), ISSUED]
    (standing,) = plan(
        enrollments=[enrollment_for(WANTED)], orders=orders, view=waiting_for_certificate(CSR), collected={501: GIVEN}
    ).standings
    assert isinstance(only_step(standing.decision), UploadCertificates)
    assert standing.failure is not None
    assert "revoke 500 in SCM" in standing.failure


@pytest.mark.parametrize(("minutes", "blocks"), [(-6 * 60, False), (-6, True), (0, True)])
def test_an_untagged_order_since_the_change_was_opened_blocks(minutes: int, blocks: bool) -> None:
    stranger = order_for(WANTED, requested_at=NOW + timedelta(minutes=minutes))
    found = pending(waiting_for_certificate(CSR, opened_at=NOW - timedelta(minutes=5)), orders=[stranger])
    assert isinstance(found, Blocked if blocks else Act)


def test_a_csr_with_other_names_is_not_ordered_for() -> None:
    found = pending(waiting_for_certificate(csr_pem("www.example.com", "evil.example.com", key=EC)))
    assert isinstance(found, Blocked)
    assert "CSR-01" in found.text
    assert "evil.example.com" in found.text


def test_a_csr_that_is_too_old_is_not_ordered_for_but_gives_way_to_a_new_one() -> None:
    found = pending(waiting_for_certificate(CSR, opened_at=NOW - timedelta(days=15)))
    assert isinstance(found, Act)
    assert (found.kind, found.reason) == (ActionKind.RESUME, "csr-too-old")
    (step,) = found.steps
    assert isinstance(step, UpdateEnrollment)
    assert (step.force_renewal, step.cancel_pending, step.replaces) == (True, True, CHANGE)


def test_a_csr_that_is_old_and_wrong_is_for_a_person() -> None:
    wrong = csr_pem("www.example.com", "evil.example.com", key=EC)
    found = pending(waiting_for_certificate(wrong, opened_at=NOW - timedelta(days=15)))
    assert isinstance(found, Blocked)
    assert "CPS-02" in found.text


def test_an_old_csr_that_is_ordered_for_stays() -> None:
    waiting = waiting_for_certificate(CSR, opened_at=NOW - timedelta(days=15))
    found = pending(waiting, orders=[order_for(WANTED, CSR, status=OrderStatus.REQUESTED)])
    assert isinstance(found, Wait)


# Uploads


def test_an_issued_certificate_is_uploaded_with_its_chain_and_without_the_root() -> None:
    found = pending(waiting_for_certificate(CSR), orders=[ISSUED], collected={501: GIVEN})
    assert only_step(found) == UploadCertificates(
        account=ACCOUNT,
        enrollment_id=ENROLLMENT,
        change_id=CHANGE,
        halves=(UploadHalf(key_type=KeyType.ECDSA, leaf_pem=LEAF.pem, chain_pem=ISSUER.value.pem),),
    )


@pytest.mark.parametrize(
    ("operation", "minutes", "phase"),
    [
        ("upload certificate", 14, Phase.UPLOADED),
        ("upload certificate", 15, Phase.ISSUED),  # it has settled: CPS would show it
        ("acknowledge warnings", 1, Phase.ISSUED),
    ],
)
def test_an_answer_that_cps_took_is_not_given_again_before_it_must_have_shown(
    operation: str, minutes: int, phase: Phase
) -> None:
    answer = Answer(operation=operation, at=NOW - timedelta(minutes=minutes))
    journal = OpenState(journal_id="j", installation="0a1b2c3d", answers={CHANGE: answer})
    found = pending(waiting_for_certificate(CSR), orders=[ISSUED], collected={501: GIVEN}, journal=journal)
    assert isinstance(found, Wait if phase is Phase.UPLOADED else Act)
    assert isinstance(found, Wait | Act)
    assert found.phase is phase


def test_an_issued_order_that_cannot_be_collected_yet_is_waited_for() -> None:
    found = pending(waiting_for_certificate(CSR), orders=[ISSUED])
    assert isinstance(found, Wait)
    assert found.phase is Phase.ISSUED


@pytest.mark.parametrize(
    ("given", "rule"),
    [
        ((ROOT.value, ISSUER.value, leaf(ISSUER, "www.example.com")), "CERT-01"),
        ((ROOT.value, ISSUER.value, leaf(ISSUER, "other.example.com", key=EC)), "CERT-02"),
        ((ROOT.value, ISSUER.value, leaf(ISSUER, "www.example.com", key=EC, days=201)), "CERT-03"),
        ((leaf(root_ca("Stranger"), "www.example.com", key=EC),), "CERT-04"),
    ],
)
def test_a_certificate_that_fails_a_check_is_never_uploaded(given: tuple[Certificate, ...], rule: str) -> None:
    found = pending(waiting_for_certificate(CSR), orders=[ISSUED], collected={501: given})
    assert isinstance(found, Blocked)
    assert found.error
    assert rule in found.text


def both_halves(*, ecdsa: OrderStatus, rsa_issued_hours_ago: float, **fields: Any) -> Decision:
    """Decide where the RSA half is issued and the ECDSA half is as told."""
    wanted = dataclasses.replace(WANTED, key_types=frozenset(KeyType))
    rsa_csr = csr_pem(key=rsa_key())
    rsa_leaf = leaf(ISSUER, "www.example.com", key=rsa_key())
    rsa = order_for(
        wanted,
        rsa_csr,
        ssl_id=502,
        status=OrderStatus.ISSUED,
        serial=rsa_leaf.serial,
        issued_at=NOW - timedelta(hours=rsa_issued_hours_ago),
    )
    other = dataclasses.replace(ISSUED, status=ecdsa, status_text=ecdsa.value)
    collected = {502: (rsa_leaf, *GIVEN)} | ({501: GIVEN} if ecdsa is OrderStatus.ISSUED else {})
    return pending(waiting_for_certificate(rsa_csr, CSR), wanted, orders=[rsa, other], collected=collected, **fields)


def uploaded_kinds(found: Decision) -> list[KeyType]:
    step = only_step(found)
    assert isinstance(step, UploadCertificates)
    return [half.key_type for half in step.halves]


def test_both_halves_are_uploaded_together() -> None:
    assert uploaded_kinds(both_halves(ecdsa=OrderStatus.ISSUED, rsa_issued_hours_ago=1)) == [KeyType.RSA, KeyType.ECDSA]


@pytest.mark.parametrize("ecdsa", [OrderStatus.APPLIED, OrderStatus.REJECTED])
def test_the_other_half_is_waited_for_a_day_and_then_rsa_goes_alone(ecdsa: OrderStatus) -> None:
    early = both_halves(ecdsa=ecdsa, rsa_issued_hours_ago=23.9)
    assert isinstance(early, Wait)
    late = both_halves(ecdsa=ecdsa, rsa_issued_hours_ago=24)
    assert uploaded_kinds(late) == [KeyType.RSA]
    assert isinstance(late, Act)
    assert "RSA is uploaded alone" in " ".join(late.notes)


@pytest.mark.parametrize("ecdsa", [OrderStatus.APPLIED, OrderStatus.REJECTED])
def test_where_a_certificate_is_served_the_other_half_is_waited_for_until_the_level_of_warnings(
    ecdsa: OrderStatus,
) -> None:
    def served_for(days: float) -> Mapping[str, Any]:
        return served_by(leaf(ISSUER, "www.example.com", key=rsa_key()), expires_at=NOW + timedelta(days=days))

    early = both_halves(ecdsa=ecdsa, rsa_issued_hours_ago=72, served=served_for(21.1))  # warn: at 21 days
    assert isinstance(early, Wait)
    late = both_halves(ecdsa=ecdsa, rsa_issued_hours_ago=72, served=served_for(20.9))
    assert uploaded_kinds(late) == [KeyType.RSA]


def test_ecdsa_does_not_go_alone_where_rsa_was_refused() -> None:
    wanted = dataclasses.replace(WANTED, key_types=frozenset(KeyType))
    rsa_csr = csr_pem(key=rsa_key())
    refused = order_for(wanted, rsa_csr, ssl_id=502, status=OrderStatus.REJECTED, status_text="Rejected")
    found = pending(waiting_for_certificate(rsa_csr, CSR), wanted, orders=[refused, ISSUED], collected={501: GIVEN})
    assert isinstance(found, Blocked)
    assert "502 (RSA) is Rejected" in found.text


# Warnings and promotion

_OU_MISSING = "Value for OU differs between the CSR and the certificate: [Web] vs missing."
_KEY_MISMATCH = "'ECDSA' certificate was not generated from the CSR that Akamai generated."


def warned(text: str | None, *, kind: InputKind = InputKind.POST_WARNINGS, **fields: Any) -> Decision:
    view = ChangeView(
        change=change(ChangeState.AWAITING_INPUT, "wait-review-third-party-cert", kind),
        csrs=waiting_for_certificate(CSR).csrs,
        warnings=text,
    )
    return pending(view, orders=[ISSUED], collected={501: GIVEN}, **fields)


def test_warnings_that_policy_accepts_are_acknowledged_as_they_were_read() -> None:
    assert only_step(warned(_OU_MISSING)) == AcknowledgeWarnings(
        account=ACCOUNT, enrollment_id=ENROLLMENT, change_id=CHANGE, input=InputKind.POST_WARNINGS, text=_OU_MISSING
    )


@pytest.mark.parametrize("text", [_KEY_MISMATCH, f"{_OU_MISSING}\n{_KEY_MISMATCH}", "Something new."])
def test_one_warning_that_policy_does_not_accept_blocks_all(text: str) -> None:
    found = warned(text, policy=Policy(accept_warnings=frozenset({"CSR_VS_CERTIFICATE_KEY_MISMATCH"})))
    assert isinstance(found, Blocked)
    assert found.phase is Phase.WARNINGS


def test_warnings_that_cps_does_not_show_yet_are_waited_for() -> None:
    assert isinstance(warned(None), Wait)


def on_staging(
    staging: Mapping[str, Any] | None, *, promote: Promote = Promote.AUTO, errors: tuple[str, ...] = (), **fields: Any
) -> Decision:
    wanted = dataclasses.replace(WANTED, enrollment=dataclasses.replace(WANTED.enrollment, promote=promote))
    view = ChangeView(
        change=change(ChangeState.AWAITING_INPUT, "wait-ack-change-management", InputKind.CHANGE_MANAGEMENT),
        management=ChangeManagement(
            validation_hash="da39", errors=errors, warnings=(), deadline=None, pending_pems=(LEAF.pem,)
        ),
    )
    return pending(view, wanted, orders=[ISSUED], served=staging, **fields)


SHOWN = served_by(LEAF, network="staging")


def test_a_certificate_that_staging_shows_is_promoted() -> None:
    assert only_step(on_staging(SHOWN)) == PromoteToProduction(
        account=ACCOUNT, enrollment_id=ENROLLMENT, change_id=CHANGE, validation_hash="da39"
    )


@pytest.mark.parametrize("staging", [None, served_by(leaf(ISSUER, "www.example.com"), network="staging")])
def test_a_certificate_that_staging_does_not_show_is_not_promoted(staging: Mapping[str, Any] | None) -> None:
    assert isinstance(on_staging(staging), Wait)


REVOKED = dataclasses.replace(ISSUED, status=OrderStatus.REVOKED, status_text="Revoked")


def review_of(*leaves: Certificate) -> ChangeView:
    """Return a change whose uploads CPS reviews."""
    shown = waiting_for_certificate(CSR)
    assert shown.record is not None
    uploads = tuple(
        UploadHalf(key_type=one.key.key_type or KeyType.RSA, leaf_pem=one.pem, chain_pem="") for one in leaves
    )
    return dataclasses.replace(
        shown,
        change=change(ChangeState.AWAITING_INPUT, "wait-review-third-party-cert", InputKind.POST_WARNINGS),
        record=dataclasses.replace(shown.record, uploads=uploads),
        warnings=_OU_MISSING,
    )


def management_of(*leaves: Certificate) -> ChangeView:
    """Return a change that has these on staging, and waits for the word to go on."""
    return ChangeView(
        change=change(ChangeState.AWAITING_INPUT, "wait-ack-change-management", InputKind.CHANGE_MANAGEMENT),
        management=ChangeManagement(
            validation_hash="da39", errors=(), warnings=(), deadline=None, pending_pems=tuple(one.pem for one in leaves)
        ),
    )


@pytest.mark.parametrize("view", [review_of(LEAF), management_of(LEAF), management_of()])
def test_what_was_revoked_on_its_way_is_not_promoted_and_begins_again_only_by_retry(view: ChangeView) -> None:
    found = pending(view, orders=[REVOKED], served=SHOWN)
    assert isinstance(found, Blocked)
    assert (found.phase, found.reason) == (Phase.REFUSED, "order-revoked")
    assert "--retry www.example.com" in found.remedy
    again = only_step(pending(view, orders=[REVOKED], served=SHOWN, retry=frozenset({WANTED.name})))
    assert isinstance(again, UpdateEnrollment)
    assert (again.cancel_pending, again.force_renewal, again.replaces) == (True, True, CHANGE)


def beside_rsa(ecdsa: Order, view: Callable[..., ChangeView], *, both: bool) -> Decision:
    """Decide where the RSA half is on its way, alone or with the ECDSA half."""
    wanted = dataclasses.replace(WANTED, key_types=frozenset(KeyType))
    rsa = leaf(ISSUER, "www.example.com", key=rsa_key())
    order = order_for(
        wanted, csr_pem(key=rsa_key()), ssl_id=502, status=OrderStatus.ISSUED, serial=rsa.serial, issued_at=NOW
    )
    shown = (rsa, LEAF) if both else (rsa,)
    return pending(view(*shown), wanted, orders=[order, ecdsa], served=served_by(*shown, network="staging"))


def test_one_of_two_that_was_revoked_on_its_way_stops_both() -> None:
    found = beside_rsa(REVOKED, management_of, both=True)
    assert isinstance(found, Blocked)
    assert "501 (ECDSA) is Revoked" in found.text


def test_rsa_goes_on_alone_where_the_other_was_revoked_before_its_upload() -> None:
    assert isinstance(only_step(beside_rsa(REVOKED, management_of, both=False)), PromoteToProduction)


def test_what_cps_calls_an_error_is_not_promoted() -> None:
    assert isinstance(on_staging(SHOWN, errors=("no",)), Blocked)


def test_a_manual_promotion_waits_for_its_name_on_the_command_line() -> None:
    found = on_staging(SHOWN, promote=Promote.MANUAL)
    assert isinstance(found, Wait)
    assert "--promote www.example.com" in found.remedy
    let_go = frozenset({CertificateName("www.example.com")})
    assert isinstance(on_staging(SHOWN, promote=Promote.MANUAL, context_promote=let_go), Act)


def test_a_verified_promotion_waits_for_a_handshake_that_shows_the_serial() -> None:
    assert isinstance(on_staging(SHOWN, promote=Promote.VERIFIED), Wait)
    wrong = {(ACCOUNT, ENROLLMENT): frozenset({1})}
    assert isinstance(on_staging(SHOWN, promote=Promote.VERIFIED, handshakes=wrong), Wait)
    right = {(ACCOUNT, ENROLLMENT): frozenset({LEAF.serial})}
    assert isinstance(on_staging(SHOWN, promote=Promote.VERIFIED, handshakes=right), Act)


def test_a_certificate_of_no_known_order_is_not_promoted() -> None:
    view = ChangeView(
        change=change(ChangeState.AWAITING_INPUT, "wait-ack-change-management", InputKind.CHANGE_MANAGEMENT),
        management=ChangeManagement(
            validation_hash=None, errors=(), warnings=(), deadline=None, pending_pems=(LEAF.pem,)
        ),
    )
    assert isinstance(pending(view, served=SHOWN), Blocked)


# What is served


def settled(wanted: DesiredCertificate = WANTED, **fields: Any) -> Decision:
    return decision(wanted, enrollments=[enrollment_for(WANTED, **fields)], served=served_by(LEAF), orders=[ISSUED])


def test_what_is_served_as_wanted_is_done() -> None:
    assert settled(pending=()) == Done()


def test_a_live_certificate_with_other_names_is_reissued() -> None:
    wanted = wanted_certificate("www.example.com", "img.example.com")
    found = settled(wanted, pending=())
    assert isinstance(found, Act)
    assert (found.kind, found.reason) == (ActionKind.REISSUE, "names-differ")
    assert only_step(found) == UpdateEnrollment(desired=wanted, enrollment_id=ENROLLMENT)


def test_a_served_certificate_that_lacks_what_the_body_has_is_reissued_by_force() -> None:
    wanted = wanted_certificate("www.example.com", "img.example.com")
    found = decision(wanted, enrollments=[enrollment_for(wanted, pending=())], served=served_by(LEAF), orders=[ISSUED])
    assert only_step(found) == UpdateEnrollment(desired=wanted, enrollment_id=ENROLLMENT, force_renewal=True)


def test_settings_that_differ_are_updated_without_an_order() -> None:
    wanted = dataclasses.replace(WANTED, enrollment=dataclasses.replace(WANTED.enrollment, ocsp_stapling="off"))
    found = plan(wanted, enrollments=[enrollment_for(WANTED, pending=())], served=served_by(LEAF), orders=[ISSUED])
    (action,) = found.actions
    assert (action.kind, action.orders) == (ActionKind.UPDATE, None)


def test_equal_updates_of_two_enrollments_have_causes_of_their_own() -> None:
    differs = (FieldDiffers(pointer="akamai.ocspStapling", before="on", after="off", effect=Effect.REDEPLOY),)
    assert update_cause(ENROLLMENT, differs) == update_cause(ENROLLMENT, differs)
    assert update_cause(ENROLLMENT, differs) != update_cause(EnrollmentId(10003), differs)


@pytest.mark.parametrize(("days", "kind"), [(165, None), (170, ActionKind.RENEW), (200, ActionKind.RENEW)])
def test_a_certificate_is_renewed_by_force_when_its_age_says_so(days: int, kind: ActionKind | None) -> None:
    found = decision(
        enrollments=[enrollment_for(WANTED, pending=())],
        served=served_by(LEAF),
        orders=[dataclasses.replace(ISSUED, issued_at=LEAF.not_before + timedelta(hours=3))],
        now=LEAF.not_before + timedelta(days=days),
    )
    assert isinstance(found, Act) == (kind is not None)
    if isinstance(found, Act):
        assert found.kind is kind
        step = only_step(found)
        assert isinstance(step, UpdateEnrollment)
        assert step.force_renewal


def test_a_revoked_certificate_is_renewed_at_once() -> None:
    found = decision(enrollments=[enrollment_for(WANTED, pending=())], served=served_by(LEAF), orders=[REVOKED])
    assert isinstance(found, Act)
    assert (found.kind, found.reason) == (ActionKind.RENEW, "revoked")


def test_a_change_that_somebody_else_opened_on_a_live_certificate_is_left_alone() -> None:
    view = ChangeView(change=None)
    served = served_by(LEAF)
    found = decision(enrollments=[enrollment_for(WANTED)], served=served, view=view)
    assert isinstance(found, Done)
    assert "left alone" in found.notes[0]


def test_our_change_goes_on_while_production_already_shows_the_certificate() -> None:
    view = ChangeView(change=change(ChangeState.RUNNING, "deploy-cert-to-production"))
    found = decision(enrollments=[enrollment_for(WANTED)], served=served_by(LEAF), orders=[ISSUED], view=view)
    assert isinstance(found, Wait)
    assert found.phase is Phase.PRODUCTION


@pytest.mark.parametrize(("minutes", "waits"), [(0, True), (14, True), (15, False), (600, False)])
def test_an_enrollment_that_we_have_just_created_is_not_gone_because_the_list_lags(minutes: int, waits: bool) -> None:
    journal = OpenState(
        journal_id="j",
        installation="0a1b2c3d",
        enrollments={identity_key(WANTED.identity): ENROLLMENT},
        changes={
            CHANGE: OwnChange(
                enrollment_id=ENROLLMENT, cause=CauseId("ab12"), opened_at=NOW - timedelta(minutes=minutes)
            )
        },
    )
    found = decision(journal=journal)
    assert isinstance(found, Wait if waits else Blocked), found
