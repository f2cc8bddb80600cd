"""What people do to orders in SCM: their comments, orders by hand, renewals by the button."""

from collections.abc import Callable
from unittest import mock

import pytest

from reconciler.sandbox.cps.state import Status
from reconciler.services.http import Answer, Request, Transport
from tests.support.site import BOTH, DV, NAME, Site

_EDITS: dict[str, Callable[[str], str]] = {
    "text added": lambda comments: f"ticket 4711\n{comments}\napproved by Ada",
    "emptied": lambda _: "",
    "tag removed": lambda _: "for the shop",
    "tag cut": lambda comments: comments[:40],
}


@pytest.mark.parametrize(
    "edit", [pytest.param(edit, marks=() if edit == "emptied" else pytest.mark.long) for edit in _EDITS]
)
def test_an_order_whose_comments_a_person_edited_is_still_ours_and_is_not_doubled(site: Site, edit: str) -> None:
    site.set(issue_dv_s="2h")
    site.apply(wait="5m")
    (order,) = site.orders
    site.at_scm("edit_comments", order.ssl_id, comments=_EDITS[edit](order.comments))
    site.apply_until_done()
    assert site.left.orders == ("RSA Issued",)
    site.assert_settled()


def test_an_order_without_its_tag_does_not_stop_the_order_for_the_other_key(site: Site) -> None:
    site.write(DV, BOTH)
    site.fault("scm.enroll", "status", nth=2, status=429, times=0)
    site.set(issue_dv_s="2h")
    site.apply(wait="2m")
    site.control.delete("/faults")
    (order,) = site.orders
    site.at_scm("edit_comments", order.ssl_id, comments="")
    site.apply_until_done()
    assert site.left.orders == ("RSA Issued", "ECDSA Issued")


def wait_for_csr(site: Site) -> str:
    """Bring a new certificate's change to where CPS waits for a certificate, with nothing ordered."""
    site.fault("scm.enroll", "status", status=429, times=0)
    site.apply(wait="2m")
    site.control.delete("/faults")
    return next(key.csr_pem for key in site.pending.keys if key.algorithm == "RSA")


def test_an_order_by_hand_since_our_first_intent_blocks_ours_until_a_person_lets_it_go_on(site: Site) -> None:
    csr = wait_for_csr(site)
    by_hand = site.control.post("/scm/order_by_hand", {"csr_pem": csr})["result"]
    blocked = site.apply(wait="1h")
    assert blocked.exit_code == 4, blocked.stdout
    assert f"order {by_hand} of equal name, organization and profile" in blocked.stdout
    assert f"certrecon apply --retry {NAME}" in blocked.stdout
    assert len(site.orders) == 1
    assert site.apply("--retry", NAME).exit_code == 0
    assert len(site.orders) == 2
    site.assert_settled()


@pytest.mark.parametrize("what", [{"org_id": 1102}, pytest.param({"profile_id": 2001}, marks=pytest.mark.long)])
def test_an_order_by_hand_of_another_organization_or_profile_is_none_of_our_business(
    site: Site, what: dict[str, int]
) -> None:
    csr = wait_for_csr(site)
    site.control.post("/scm/order_by_hand", {"csr_pem": csr, **what})
    site.apply_until_done()
    assert len(site.orders) == 2


def test_an_order_by_hand_that_appears_between_look_and_order_stops_ours(site: Site) -> None:
    send, readings = Transport.send, 0

    def with_a_hand_in_it(transport: Transport, request: Request) -> Answer:
        nonlocal readings
        if "report of all orders" in request.operation and site.changes and site.pending.status is Status.WAIT_UPLOAD:
            readings += 1
            if readings == 2:  # the first is the look that decides, the second is made after the intent
                site.control.post("/scm/order_by_hand", {"csr_pem": site.pending.keys[0].csr_pem})
        return send(transport, request)

    with mock.patch.object(Transport, "send", with_a_hand_in_it):
        assert site.apply(wait="1h").exit_code == 4
    assert "scm.enroll" not in site.mutating
    assert len(site.orders) == 1


def test_the_button_for_renewal_leads_to_no_order_of_ours_and_the_next_renewal_rekeys(live: Site) -> None:
    live.at_scm("renew", 5001)
    said = live.plan()
    assert said.exit_code == 1
    assert "decline or revoke 5002 in SCM" in said.stdout
    live.apply()
    assert live.mutating == {}
    live.advance("1h")
    live.at_scm("revoke", 5002)
    live.assert_settled()


def test_after_the_button_for_renewal_one_certificate_for_the_pending_csr_is_uploaded(site: Site) -> None:
    site.set(issue_dv_s="10m")
    site.apply(wait="2m")
    site.advance("11m")
    site.at_scm("renew", 5001)
    finished = site.apply()
    assert finished.exit_code == 1
    assert "decline or revoke 5002 in SCM" in finished.stdout
    assert site.left.production == ("RSA, old",)  # that of 5001
    assert len(site.orders) == 2


def test_after_the_button_for_renewal_the_certificate_that_a_person_leaves_is_uploaded(site: Site) -> None:
    site.set(issue_dv_s="10m")
    site.apply(wait="2m")
    site.advance("11m")
    site.at_scm("renew", 5001)
    site.at_scm("revoke", 5001)
    site.apply_until_done()
    assert site.left.production == ("RSA",)
    assert len(site.orders) == 2
