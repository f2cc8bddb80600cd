"""Guards refuse what they concern and nothing else, and never a renewal."""

import dataclasses
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.model.certificate import CertificateName
from reconciler.model.names import DnsName
from reconciler.model.policy import Budgets, Freeze, Policy
from reconciler.planning.freezes import ignores_freeze
from reconciler.planning.guards import (
    KINDS,
    Guard,
    Guarded,
    GuardState,
    Refusal,
    guard_states,
    refusals,
)
from reconciler.planning.steps import ActionKind

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
DAY = timedelta(days=1)
OLD = frozenset({DnsName("old.example.com")})
FROZEN = (Freeze(first=date(2026, 11, 20), last=date(2026, 11, 22), reason="sales"),)


def act(kind: str, name: str = "www", **fields: Any) -> Guarded:
    return dataclasses.replace(Guarded(name=CertificateName(name), kind=kind), **fields)


def many(kind: str, count: int, **fields: Any) -> list[Guarded]:
    return [act(kind, f"{kind}{number:04}", **fields) for number in range(count)]


def refused(
    actions: Iterable[Guarded], policy: Policy | None = None, *, certificates: int = 9, now: datetime = NOW
) -> Mapping[tuple[CertificateName, str, str], Refusal]:
    return refusals(actions, policy or Policy(), certificates=certificates, now=now)


def kinds(found: Iterable[tuple[CertificateName, str, str]]) -> list[str]:
    return sorted(kind for _, kind, _ in found)


def state(states: Iterable[GuardState], guard: Guard) -> GuardState:
    return next(one for one in states if one.guard is guard)


def test_an_unknown_kind_of_action_is_not_let_through_unguarded() -> None:
    with pytest.raises(ValueError, match="no kind of action: 'destroy'"):
        act("destroy")


def test_the_kinds_are_those_of_plans() -> None:
    assert {kind.value for kind in ActionKind} <= KINDS
    assert act(ActionKind.UPLOAD).key == act("upload").key


# Budgets


@pytest.mark.parametrize(
    ("kind", "guard"), [("delete", Guard.DELETES), ("revoke", Guard.REVOKES), ("cancel", Guard.CANCELS)]
)
def test_by_default_nothing_is_deleted_revoked_or_cancelled(kind: str, guard: Guard) -> None:
    action = act(kind)
    assert refused([action]) == {
        action.key: Refusal(
            guard=guard,
            text=f"the plan has 1 {kind}, and policy.budgets.{guard} allows 0",
            remedy=f"Check each of them; if all are meant, set policy.budgets.{guard} to 1.",
        )
    }


@pytest.mark.parametrize("kind", sorted(KINDS - {"delete", "revoke", "cancel"}))
def test_nothing_else_needs_a_budget(kind: str) -> None:
    assert refused([act(kind)]) == {}


@pytest.mark.parametrize(
    ("kind", "budgets"),
    [("delete", Budgets(deletes=2)), ("revoke", Budgets(revokes=2)), ("cancel", Budgets(cancels=2))],
)
def test_a_budget_holds_up_to_its_number_and_then_refuses_all(kind: str, budgets: Budgets) -> None:
    policy = Policy(budgets=budgets)
    assert refused(many(kind, 2), policy) == {}
    assert len(refused(many(kind, 3), policy)) == 3


def test_one_budget_does_not_pay_for_another_and_the_rest_runs() -> None:
    actions = [act("delete", "a"), act("cancel", "b"), act("renew", "c"), act("create", "d")]
    assert kinds(refused(actions, Policy(budgets=Budgets(deletes=1)))) == ["cancel"]


def test_each_revocation_of_one_certificate_counts() -> None:
    actions = [act("revoke", object="0a"), act("revoke", object="0b")]
    assert len(refused(actions, Policy(budgets=Budgets(revokes=1)))) == 2


# Share


@pytest.mark.parametrize(
    ("changed", "certificates", "percent", "stopped"),
    [
        (9, 9, 30, False),  # of fewer than ten no share counts
        (3, 10, 30, False),
        (4, 10, 30, True),
        (30, 100, 30, False),
        (31, 100, 30, True),
        (30, 99, 30, True),  # 30.3 %
        (1, 10, 0, True),
        (10, 10, 100, False),
        (300, 1000, 30, False),
        (301, 1000, 30, True),
    ],
)
def test_more_than_a_share_of_ten_or_more_changed_at_once_is_refused(
    changed: int, certificates: int, percent: int, stopped: bool
) -> None:
    policy = Policy(budgets=Budgets(changed_percent=percent))
    assert len(refused(many("update", changed), policy, certificates=certificates)) == (changed if stopped else 0)


@pytest.mark.parametrize("kind", ["reissue", "update", "delete", "cancel", "revoke"])
def test_these_count_as_changed(kind: str) -> None:
    policy = Policy(budgets=Budgets(deletes=99, cancels=99, revokes=99))
    found = refused(many(kind, 4), policy, certificates=10)
    assert {one.guard for one in found.values()} == {Guard.CHANGED_PERCENT}
    assert len(found) == 4


@pytest.mark.parametrize("kind", ["create", "adopt", "renew", "upload", "acknowledge", "promote", "resume"])
def test_creates_renewals_and_continuing_work_never_count_as_changed(kind: str) -> None:
    actions = [*many(kind, 100), *many("update", 30)]
    assert refused(actions, certificates=100) == {}
    assert kinds(refused([*actions, act("update", "one more")], certificates=100)) == ["update"] * 31


def test_a_certificate_with_two_changes_counts_once() -> None:
    policy = Policy(budgets=Budgets(cancels=3))
    twice = [act(kind, f"c{number}") for number in range(3) for kind in ("update", "cancel")]
    assert refused(twice, policy, certificates=10) == {}


def test_the_refusal_of_a_share_says_how_many_of_how_many() -> None:
    (refusal,) = set(refused(many("reissue", 13), certificates=40).values())
    assert refusal.text == "13 of 40 certificates changed (32.5 %), and policy.budgets.changedPercent allows 30 %"
    assert refusal.remedy.endswith("set policy.budgets.changedPercent to 33.")


def test_what_the_remedy_names_is_enough() -> None:
    raised = Policy(budgets=Budgets(changed_percent=33))
    assert refused(many("reissue", 13), raised, certificates=40) == {}


# protect


@pytest.mark.parametrize("kind", ["delete", "cancel", "revoke"])
def test_a_protected_certificate_is_not_deleted_cancelled_or_revoked(kind: str) -> None:
    policy = Policy(budgets=Budgets(deletes=9, cancels=9, revokes=9))
    actions = [act(kind, "www", protect=True), act(kind, "other")]
    found = refused(actions, policy)
    assert {key[0]: one.guard for key, one in found.items()} == {"www": Guard.PROTECT}


@pytest.mark.parametrize("kind", ["adopt", "reissue", "update", "resume", "upload", "acknowledge", "promote"])
def test_a_protected_certificate_loses_no_name_at_any_step(kind: str) -> None:
    (refusal,) = refused([act(kind, protect=True, removed=OLD)]).values()
    assert refusal.guard is Guard.PROTECT
    assert refusal.text == "www is protected: it would lose old.example.com"
    assert refused([act(kind, protect=True)]) == {}


def test_a_protected_certificate_is_renewed_whatever_name_it_loses() -> None:
    assert refused([act("renew", protect=True, removed=OLD)]) == {}


def test_removing_a_name_needs_no_flag_without_protect() -> None:
    assert refused([act("reissue", removed=OLD)]) == {}


def test_what_several_guards_refuse_names_them_all() -> None:
    (refusal,) = refused([act("delete", protect=True)], Policy(freezes=FROZEN)).values()
    assert refusal.guard is Guard.PROTECT
    assert refusal.text.split("; ") == [
        "www is protected: nothing of it is deleted",
        "the plan has 1 delete, and policy.budgets.deletes allows 0",
        "nothing is changed from 2026-11-20 to 2026-11-22 (sales)",
    ]
    assert "policy.budgets.deletes to 1" in refusal.remedy


# Freezes


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_a_freeze_holds_what_does_not_ignore_it(kind: str) -> None:
    policy = Policy(freezes=FROZEN, budgets=Budgets(deletes=9, cancels=9, revokes=9))
    held, free = act(kind, "held"), act(kind, "free", ignores_freeze=True)
    found = refused([held, free], policy)
    assert {key: one.guard for key, one in found.items()} == {held.key: Guard.FREEZE}
    assert refused([held], policy, now=NOW + 3 * DAY) == {}


def test_a_frozen_renewal_is_told_when_it_runs() -> None:
    (renewal,) = refused([act("renew")], Policy(freezes=FROZEN)).values()
    assert "after 2026-11-22, or once its certificate is below warn" in renewal.remedy
    (update,) = refused([act("update")], Policy(freezes=FROZEN)).values()
    assert "after 2026-11-22; to end the freeze" in update.remedy


# States


def test_every_guard_is_printed_with_limit_and_use() -> None:
    actions = [*many("delete", 2), act("revoke", "www"), *many("update", 4), act("cancel", "www", protect=True)]
    states = guard_states(actions, Policy(budgets=Budgets(deletes=2, changed_percent=80)), certificates=10, now=NOW)
    assert [(one.guard, one.limit, one.used, one.exceeded) for one in states] == [
        (Guard.PROTECT, None, 1, False),
        (Guard.DELETES, 2, 2, False),
        (Guard.REVOKES, 0, 1, True),
        (Guard.CANCELS, 0, 1, True),
        (Guard.CHANGED_PERCENT, 80, 70, False),
    ]
    assert [one.text for one in states] == [
        "protect refuses 1 action",
        "deletes: 2 of at most 2",
        "revokes: 1 of at most 0",
        "cancels: 1 of at most 0",
        "7 of 10 certificates changed (70 %)",
    ]


def test_the_share_is_rounded_up_so_that_a_bit_more_than_the_limit_is_more() -> None:
    states = guard_states(many("update", 301), Policy(), certificates=1000, now=NOW)
    assert (state(states, Guard.CHANGED_PERCENT).used, state(states, Guard.CHANGED_PERCENT).exceeded) == (31, True)


def test_of_a_few_certificates_no_share_is_limited() -> None:
    found = state(guard_states(many("update", 1), Policy(), certificates=1, now=NOW), Guard.CHANGED_PERCENT)
    assert (found.limit, found.text) == (None, "1 of 1 certificate changed (no share of fewer than 10 is refused)")


def test_a_freeze_is_printed_while_it_holds() -> None:
    policy = Policy(freezes=FROZEN)
    actions = [act("renew"), act("upload", ignores_freeze=True)]
    states = guard_states(actions, policy, certificates=9, now=NOW)
    assert state(states, Guard.FREEZE).text == "frozen until 2026-11-22 (sales): holds 1 action"
    later = guard_states(actions, policy, certificates=9, now=NOW + 3 * DAY)
    assert Guard.FREEZE not in {one.guard for one in later}


# Properties

guarded = st.builds(
    Guarded,
    name=st.integers(0, 30).map(lambda number: CertificateName(f"c{number}")),
    kind=st.sampled_from(sorted(KINDS)),
    object=st.integers(0, 10_000).map(str),
    removed=st.sampled_from([frozenset(), OLD]),
    protect=st.booleans(),
    ignores_freeze=st.booleans(),
)
plans = st.lists(guarded, max_size=40, unique_by=lambda action: action.key)
budgets = st.builds(
    Budgets,
    deletes=st.integers(0, 5),
    revokes=st.integers(0, 5),
    cancels=st.integers(0, 5),
    changed_percent=st.integers(0, 100),
)


@given(actions=plans, limits=budgets, certificates=st.integers(1, 100), freezing=st.booleans())
def test_no_guard_refuses_a_renewal_but_a_freeze_that_it_does_not_ignore(
    actions: list[Guarded], limits: Budgets, certificates: int, freezing: bool
) -> None:
    found = refused(actions, Policy(budgets=limits, freezes=FROZEN if freezing else ()), certificates=certificates)
    for action in actions:
        if action.kind == "renew" and action.key in found:
            assert freezing
            assert not action.ignores_freeze
            assert found[action.key].text == "nothing is changed from 2026-11-20 to 2026-11-22 (sales)"


@given(actions=plans, limits=budgets, certificates=st.integers(1, 100))
def test_an_urgent_renewal_and_its_continuation_run_whatever_else_a_plan_holds(
    actions: list[Guarded], limits: Budgets, certificates: int
) -> None:
    urgent = [
        act(kind, "urgent", ignores_freeze=ignores_freeze(kind, urgent=True), protect=True)
        for kind in ("renew", "resume", "upload", "acknowledge", "promote")
    ]
    found = refused([*actions, *urgent], Policy(budgets=limits, freezes=FROZEN), certificates=certificates)
    assert not {one.key for one in urgent} & found.keys()


@given(actions=plans, limits=budgets, certificates=st.integers(1, 100))
def test_what_is_left_is_within_every_budget(actions: list[Guarded], limits: Budgets, certificates: int) -> None:
    found = refused(actions, Policy(budgets=limits), certificates=certificates)
    left = [one for one in actions if one.key not in found]
    assert sum(one.kind == "delete" for one in left) <= limits.deletes
    assert sum(one.kind == "revoke" for one in left) <= limits.revokes
    assert sum(one.kind == "cancel" for one in left) <= limits.cancels
    changed = len({one.name for one in left if one.kind in {"reissue", "update", "delete", "cancel", "revoke"}})
    assert certificates < 10 or 100 * changed <= limits.changed_percent * certificates
    assert not [one for one in left if one.protect and one.kind in {"delete", "revoke", "cancel"}]
