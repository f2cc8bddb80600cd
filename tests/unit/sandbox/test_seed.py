"""The seeded fleet: deployed, served, with orders, and due or not as asked."""

from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from reconciler.sandbox.cps.state import Enrollment
from reconciler.sandbox.server import BackgroundSandbox
from tests.conftest import START, MakeSandbox
from tests.support.control import Control
from tests.support.lint import lint_errors


def leaf_of(enrollment: Enrollment) -> x509.Certificate:
    assert enrollment.production is not None
    return x509.load_pem_x509_certificate(enrollment.production.certificates[0].certificate_pem.encode())


def leaves(sandbox: BackgroundSandbox) -> list[x509.Certificate]:
    return [leaf_of(enrollment) for enrollment in sandbox.cps.state.enrollments.values()]


def test_a_fleet_is_deployed_and_nothing_is_pending(control: Control, sandbox: BackgroundSandbox) -> None:
    answer = control.post("/seed", {"count": 20})
    assert answer["seeded"] == 20
    enrollments = sandbox.cps.state.enrollments.values()
    assert [enrollment.wanted.csr.cn for enrollment in enrollments] == [f"s{n:04d}.example.com" for n in range(1, 21)]
    assert all(
        enrollment.pending is None and enrollment.staging and enrollment.production for enrollment in enrollments
    )
    sandbox.advance(days=14)
    assert all(enrollment.pending is None for enrollment in enrollments)


def test_each_certificate_has_its_issued_order(control: Control, sandbox: BackgroundSandbox) -> None:
    control.post("/seed", {"count": 5})
    orders = {int(order.serial, 16): order for order in sandbox.scm.state.orders.values()}
    assert len(orders) == 5
    for leaf in leaves(sandbox):
        order = orders[leaf.serial_number]
        assert order.status == "Issued"
        assert order.expires == leaf.not_valid_after_utc
        assert order.leaf_pem.strip() == leaf_pem(leaf)
        assert order.requested <= START


def leaf_pem(leaf: x509.Certificate) -> str:
    return leaf.public_bytes(Encoding.PEM).decode().strip()


def public_der(leaf: x509.Certificate) -> bytes:
    return leaf.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def test_keys_and_serials_are_all_different(control: Control, sandbox: BackgroundSandbox) -> None:
    control.post("/seed", {"count": 60})
    fleet = leaves(sandbox)
    assert len({leaf.serial_number for leaf in fleet}) == 60
    assert len({public_der(leaf) for leaf in fleet}) == 60


def test_nothing_is_due_but_what_was_asked_for(control: Control, sandbox: BackgroundSandbox) -> None:
    control.post("/seed", {"count": 12, "due": 3})
    left = [leaf.not_valid_after_utc - START for leaf in leaves(sandbox)]
    assert [timedelta(days=18) < days < timedelta(days=22) for days in left] == [True] * 3 + [False] * 9
    # 30 days and at most 5 of jitter before the end; and CPS opens its own renewals 60 days before.
    assert min(left[3:]) > timedelta(days=75)


def test_issue_dates_are_spread(control: Control, sandbox: BackgroundSandbox) -> None:
    control.post("/seed", {"count": 30, "spread_days": 30})
    days = {leaf.not_valid_before_utc.date() for leaf in leaves(sandbox)}
    assert len(days) >= 25
    assert min(days) >= (START - timedelta(days=32)).date()


def test_a_shorter_term_than_the_longest_may_be_asked_for(control: Control, sandbox: BackgroundSandbox) -> None:
    control.post("/seed", {"count": 5, "due": 1, "term_days": 46})
    for leaf in leaves(sandbox):
        assert leaf.not_valid_after_utc - leaf.not_valid_before_utc + timedelta(seconds=1) == timedelta(days=46)
        assert leaf.not_valid_after_utc > START
    assert {order.term for order in sandbox.scm.state.orders.values()} == {46}


@pytest.mark.parametrize(
    ("start", "longest"), [(datetime(2027, 3, 20, tzinfo=UTC), 199), (datetime(2029, 9, 1, tzinfo=UTC), 46)]
)
def test_terms_follow_the_rule_of_the_issue_date(make_sandbox: MakeSandbox, start: datetime, longest: int) -> None:
    sandbox = make_sandbox(start=start)
    Control(sandbox.urls["control"], sandbox.urls["ca_file"]).post("/seed", {"count": 10, "due": 2})
    for leaf in leaves(sandbox):
        lasts = leaf.not_valid_after_utc - leaf.not_valid_before_utc + timedelta(seconds=1)
        assert lasts <= timedelta(days=longest)
        assert leaf.not_valid_after_utc > start


def test_seeded_leaves_lint_without_error(control: Control, sandbox: BackgroundSandbox) -> None:
    control.post("/seed", {"count": 2, "due": 1})
    assert [lint_errors(leaf_pem(leaf)) for leaf in leaves(sandbox)] == [[], []]


def test_a_second_seed_adds_other_names(control: Control, sandbox: BackgroundSandbox) -> None:
    control.post("/seed", {"count": 2})
    control.post("/seed", {"count": 2})
    names = [enrollment.wanted.csr.cn for enrollment in sandbox.cps.state.enrollments.values()]
    assert names == ["s0001.example.com", "s0002.example.com", "s0003.example.com", "s0004.example.com"]


def test_files_ask_for_just_these(control: Control) -> None:
    files = control.post("/seed", {"count": 2, "files": True})["files"]
    assert sorted(files) == ["_defaults.yaml", "s0001.example.com.yaml", "s0002.example.com.yaml"]
    assert files["s0002.example.com.yaml"] == (
        "apiVersion: certrecon/v1\n"
        "commonName: s0002.example.com\n"
        "dnsNames: [s0002-static.example.com]\n"
        "labels: {team: seeded}\n"
    )


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"count": 0}, "count must lie between"),
        ({"count": 3, "due": 4}, "due can't be more than count"),
        ({"count": 3, "spread_days": 0}, "spread_days must be 1 or more"),
        ({"count": 3, "term_days": -1}, "term_days can't be negative"),
        ({"many": 3}, "not known: many"),
    ],
)
def test_what_makes_no_sense_is_refused(
    control: Control, sandbox: BackgroundSandbox, body: dict[str, int], message: str
) -> None:
    refused = control.ask("POST", "/seed", body)
    assert refused.status == 400
    assert message in refused.json["error"]
    assert sandbox.cps.state.enrollments == {}
