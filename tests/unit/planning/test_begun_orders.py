"""What is begun will need its orders: they are spoken for, so that a begun fleet does not go beyond its budget."""

import dataclasses

import pytest

from reconciler.model.certificate import CertificateName, Contact, DesiredCertificate, PostalOrganization
from reconciler.model.enrollment import ChangeState, InputKind, Served
from reconciler.model.entry import CauseId, Intent, IntentId
from reconciler.model.journal import OpenIntent, OpenState
from reconciler.model.order import Order, OrderStatus
from reconciler.model.policy import Budgets, Policy
from reconciler.planning.observed import ChangeView
from reconciler.planning.plan import Plan, plan_for
from reconciler.planning.steps import Act, ActionKind, Wait
from tests.support.certs import csr_pem, desired, ec_key, leaf, root_ca, sub_ca
from tests.support.looks import (
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
ORG = PostalOrganization(
    name="Example Ltd",
    address_line_one="1 Main Street",
    city="Manchester",
    region="Greater Manchester",
    postal_code="M1 1AA",
    country="GB",
    phone="+44 161 000 0000",
)
CSR = csr_pem(key=ec_key())
GENERATING = ChangeView(change=change(ChangeState.RUNNING, "generate-csr"))


def wanted(name: str) -> DesiredCertificate:
    made = desired(name)
    enrollment = dataclasses.replace(made.enrollment, admin_contact=ADA, tech_contact=ADA, org=ORG)
    return dataclasses.replace(made, name=CertificateName(name), enrollment=enrollment)


BEGUN, NEW = wanted("www.example.com"), wanted("new.example.com")


def planned(view: ChangeView, *orders: Order, budgets: Budgets | None = None, policy: Policy | None = None) -> Plan:
    """Plan one certificate whose change is as `view` says, and a new one."""
    policy = policy or Policy(budgets=budgets or Budgets())
    seen = context(account_view(enrollment_for(BEGUN)), instance_view(*orders), view=view, policy=policy)
    return plan_for((BEGUN, NEW), seen)


def new_waits_for(plan: Plan) -> str | None:
    return next(one.throttled for one in plan.standings if one.name == NEW.name)


@pytest.mark.parametrize(
    ("budgets", "guard"),
    [(Budgets(orders=1), "policy.budgets.orders"), (Budgets(orders_per_day=1), "policy.budgets.ordersPerDay")],
)
@pytest.mark.parametrize("status", ["pre-verification-safety-checks", "generate-csr"])
def test_the_order_of_a_begun_change_is_spoken_for(budgets: Budgets, guard: str, status: str) -> None:
    plan = planned(ChangeView(change=change(ChangeState.RUNNING, status)), budgets=budgets)
    assert guard in (new_waits_for(plan) or "")


@pytest.mark.parametrize("status", ["verify-third-party-cert", "deploy-cert-to-staging"])
def test_what_has_its_certificate_speaks_for_none(status: str) -> None:
    plan = planned(ChangeView(change=change(ChangeState.RUNNING, status)), budgets=Budgets(orders=1))
    assert new_waits_for(plan) is None


def test_an_order_that_is_placed_counts_once() -> None:
    placed = order_for(BEGUN, CSR, status=OrderStatus.APPLIED)
    assert new_waits_for(planned(waiting_for_certificate(CSR), placed, budgets=Budgets(orders_per_day=2))) is None
    assert new_waits_for(planned(waiting_for_certificate(CSR), placed, budgets=Budgets(orders_per_day=1))) is not None


def test_an_order_that_can_be_placed_now_counts_once() -> None:
    begun_later = planned(waiting_for_certificate(CSR), budgets=Budgets(orders=2))
    assert all(one.throttled is None for one in begun_later.standings)


def test_the_acknowledgement_before_an_order_runs_whatever_is_left_and_its_order_counts() -> None:
    warned = ChangeView(
        change=change(ChangeState.AWAITING_INPUT, "wait-review-pre-verification-safety-checks", InputKind.PRE_WARNINGS),
        warnings="Name [www.example.com] is overlapping DNS name of one or more enrollments.",
    )
    accepting = Policy(budgets=Budgets(orders=1), accept_warnings=frozenset({"SNI_DNS_OVERLAP"}))
    plan = planned(warned, policy=accepting)
    begun = next(one for one in plan.standings if one.name == BEGUN.name)
    assert isinstance(begun.decision, Act), begun.decision
    assert (begun.throttled, begun.decision.kind) == (None, ActionKind.ACKNOWLEDGE)
    assert new_waits_for(plan) is not None


def test_what_waits_for_a_person_speaks_for_none() -> None:
    """Nobody knows for how long: it would hold up the fleet."""
    stopped = ChangeView(change=change(ChangeState.SUSPENDED, "generate-csr"))
    assert new_waits_for(planned(stopped, budgets=Budgets(orders=1))) is None


def test_a_create_whose_answer_was_lost_speaks_for_its_orders() -> None:
    intent = Intent(
        id=IntentId("1"),
        certificate=BEGUN.name,
        cause=CauseId("ab12"),
        attempt=1,
        operation="create enrollment",
        enrollment_id=None,
        change_id=None,
        key_type=None,
        body_digest="",
        desired_digest="",
        at=NOW,
    )
    journal = OpenState(journal_id="j", installation="0a1b2c3d", open=(OpenIntent(intent=intent, written_at=NOW),))
    seen = context(account_view(), instance_view(), policy=Policy(budgets=Budgets(orders=1)), journal=journal)
    plan = plan_for((BEGUN, NEW), seen)
    assert isinstance(next(one.decision for one in plan.standings if one.name == BEGUN.name), Wait)
    assert new_waits_for(plan) is not None


def test_a_renewal_that_is_begun_speaks_for_its_order() -> None:
    old = leaf(sub_ca(root_ca()), "www.example.com", days=20)
    issued = order_for(BEGUN, None, status=OrderStatus.ISSUED, serial=old.serial, issued_at=old.not_before)
    journal = OpenState(journal_id="j", installation="0a1b2c3d")
    served = {ENROLLMENT: Served(**served_by(old))}
    seen = context(
        account_view(enrollment_for(BEGUN), served=served),
        instance_view(issued),
        view=GENERATING,
        policy=Policy(budgets=Budgets(orders=1)),
        journal=journal,
    )
    claimed = dataclasses.replace(BEGUN, enrollment=dataclasses.replace(BEGUN.enrollment, adopt_change=CHANGE))
    plan = plan_for((claimed, NEW), seen)
    assert new_waits_for(plan) is not None
