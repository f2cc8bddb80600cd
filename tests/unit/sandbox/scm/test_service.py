"""The whole: snapshots, the portal, options."""

import dataclasses
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from reconciler.sandbox.ca import CaState, IssueRequest
from reconciler.sandbox.clock import ClockState, VirtualClock
from reconciler.sandbox.scm.errors import RefusedError
from reconciler.sandbox.scm.options import ScmOptions
from reconciler.sandbox.scm.service import ScmService
from reconciler.sandbox.scm.state import ScmState
from tests.support.csrs import make_csr
from tests.support.scm import Scm


def test_a_snapshot_is_read_back_as_it_was(scm: Scm) -> None:
    ssl_id = scm.issued(subjAltNames="b.example.com", customFields=[{"name": "CostCenter", "value": "1"}])
    scm.post(f"/api/ssl/v1/{ssl_id}/location", {"details": {"a": "b"}})
    scm.post(f"/api/ssl/v1/replace/{ssl_id}", {"csr": make_csr("www.example.com"), "reason": "x"})
    scm.post("/api/dcv/v1/validation/start/domain/cname", {"domain": "example.com"})
    scm.options.pre_validation = False
    scm.enroll("unvalidated-example.com", dcvMode="CNAME")
    scm.token()
    encoded = msgspec.msgpack.encode(scm.state)
    assert msgspec.msgpack.decode(encoded, type=ScmState) == scm.state
    options = msgspec.msgpack.encode(scm.options)
    assert msgspec.msgpack.decode(options, type=ScmOptions) == scm.options


def test_an_order_goes_on_after_a_restart(scm: Scm, ca_state: CaState) -> None:
    ssl_id = scm.enroll()
    scm.advance(seconds=5)
    state = msgspec.msgpack.decode(msgspec.msgpack.encode(scm.state), type=ScmState)
    clock_state = msgspec.msgpack.decode(msgspec.msgpack.encode(scm.clock.state), type=ClockState)
    clock = VirtualClock(clock_state)
    ScmService(
        state, options=ScmOptions(), clock=clock, ids=scm.ids, gate=scm.gate, authority=scm.authority
    ).header_application()
    clock.advance_to(clock.now() + timedelta(minutes=5))
    assert state.orders[ssl_id].status == "Issued"


def test_the_same_seed_gives_the_same_ids(ca_state: CaState) -> None:
    start = datetime(2026, 11, 16, tzinfo=UTC)
    first, second = Scm(ca_state, start=start), Scm(ca_state, start=start)
    assert first.state == second.state
    assert first.post("/api/ssl/v1/enroll", first.form()).json == second.post("/api/ssl/v1/enroll", second.form()).json


def test_every_option_says_what_it_is_for(scm: Scm) -> None:
    for option in dataclasses.fields(ScmOptions):
        assert option.metadata["help"], option.name
        assert 0 <= option.metadata["point"] <= 48


def test_an_order_of_an_earlier_day_can_be_installed(scm: Scm) -> None:
    csr = make_csr("s0001.example.com")
    day = scm.clock.now() - timedelta(days=30)
    certificate = scm.authority.issue(
        IssueRequest(
            csr_pem=csr, kind="DV", common_name="s0001.example.com", sans=("s0001.example.com",), term_days=199, now=day
        )
    )
    order = scm.portal.install(
        org_id=1101,
        profile_id=2002,
        csr_pem=csr,
        common_name="s0001.example.com",
        sans=["s0001.example.com"],
        term_days=199,
        certificate=certificate,
        requested_at=day,
        comments="tag",
    )
    shown = scm.details(order.ssl_id)
    assert (shown["status"], shown["requested"], shown["expires"]) == ("Issued", "10/17/2026", "05/03/2027")
    assert scm.get(f"/api/ssl/v1/collect/{order.ssl_id}?format=x509R").body.startswith(certificate.leaf_pem.encode())
    scm.advance(days=170)
    assert scm.details(order.ssl_id)["status"] == "Expired"


def test_a_person_can_renew_in_the_portal(scm: Scm) -> None:
    old = scm.issued()
    with_old_csr = scm.portal.renew(old)
    assert with_old_csr.csr_pem == scm.order(old).csr_pem
    csr = make_csr("www.example.com")
    assert scm.portal.renew(old, csr_pem=csr).csr_pem == csr


def test_the_portal_refuses_what_scm_would(scm: Scm) -> None:
    ssl_id = scm.enroll()
    with pytest.raises(RefusedError, match="-1112"):
        scm.portal.approve(ssl_id)
    with pytest.raises(RefusedError, match="-102"):
        scm.portal.revoke(ssl_id)
    with pytest.raises(RefusedError, match="-1112"):
        scm.portal.invalidate(scm.issued())
    with pytest.raises(RefusedError, match="-1112"):
        scm.portal.reject(scm.enroll(certType=2022))


@pytest.mark.parametrize("deed", ["domain", "organization"])
def test_the_portal_knows_no_strangers(scm: Scm, deed: str) -> None:
    with pytest.raises(KeyError):
        getattr(scm.portal, deed)("nobody")


def test_organizations_can_be_validated_and_expired_by_hand(scm: Scm) -> None:
    scm.portal.validate_organization("Example GmbH", level="EV_SSL")
    assert scm.enroll(certType=2022, orgId=1201) in scm.state.orders
    scm.portal.expire_organization(1201, level="EV_SSL")
    assert scm.post("/api/ssl/v1/enroll", scm.form(certType=2022, orgId=1201)).refusal == (400, -843)
    with pytest.raises(KeyError):
        scm.portal.expire_organization(1201, level="OV_SMIME")
