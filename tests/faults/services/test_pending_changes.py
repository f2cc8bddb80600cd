"""Changes that end or begin without certrecon, and files that change meanwhile."""

import pytest

from tests.support.site import DV, NAME, Site

MORE = "dnsNames: [img.example.com]"
OV = "sectigo: {profile: OV Multi-Domain}"


def test_a_change_cancelled_in_the_portal_after_its_order_is_lost_and_begun_again_only_by_retry(live: Site) -> None:
    live.set(issue_dv_s="6h")
    live.write(DV, MORE)
    live.apply(wait="1h")
    assert live.left.orders == ("RSA Issued", "RSA Applied")
    live.at_cps("cancel_change")
    live.control.delete("/calls")
    lost = live.apply()
    assert "lost change" in lost.stdout
    assert f"certrecon apply --retry {NAME}" in lost.stdout
    assert live.mutating == {}
    assert live.apply("--retry", NAME).exit_code == 0
    assert [order.status for order in live.orders] == ["Issued", "Issued", "Issued"]
    assert [change.outcome for change in live.changes] == ["completed", "cancelled", "completed"]
    live.assert_settled()


def test_a_renewal_that_cps_opened_early_is_not_read_before_it_is_needed_and_used_while_it_is_young(site: Site) -> None:
    site.set(auto_renewal_days=38)
    site.deploy()
    site.advance("162d")
    change = site.pending
    site.control.delete("/calls")
    assert "No changes." in site.plan().stdout
    assert {"cps.get_change", "cps.get_csr", "cps.get_change_history"} & set(site.calls) == set()
    site.advance("8d")
    site.deploy()
    assert site.left.changes == ("new completed", "renewal completed")
    assert site.changes[-1].id == change.id
    assert site.left.orders == ("RSA Issued", "RSA Issued")
    site.assert_settled()


def test_a_renewal_that_cps_opened_60_days_before_is_replaced_once_its_csr_is_too_old(live: Site) -> None:
    live.advance("145d")
    assert live.pending.created_by == "<auto-renewal>"
    assert "No changes." in live.plan().stdout
    live.advance("25d")
    assert live.apply().exit_code == 0
    assert live.mutating["cps.update_enrollment"] == 1
    assert live.left.changes == ("new completed", "renewal cancelled", "renewal completed")
    assert live.left.orders == ("RSA Issued", "RSA Issued")
    live.assert_settled()


def five_days(site: Site) -> None:
    """Have a reissue wait for its OV order, which Sectigo takes five days for."""
    site.write(OV)
    site.deploy()
    site.set(issue_ov_s="120h")
    site.write(OV, MORE)
    site.apply(wait="1h")
    assert site.left.orders == ("RSA Issued", "RSA Applied")


def test_a_file_that_changes_while_an_ov_order_waits_five_days_is_queued_and_reissued_after_it(site: Site) -> None:
    five_days(site)
    site.write(OV, "dnsNames: [img.example.com, shop.example.com]")
    site.advance("48h")
    assert "queued behind change 2041002: names" in site.plan().stdout
    assert site.apply(wait="1h").exit_code == 3
    assert len(site.orders) == 2
    site.set(issue_ov_s="5m")
    site.advance("72h")
    site.apply_until_done()
    assert site.left.changes == ("new completed", "names completed", "names completed")
    assert site.left.orders == ("RSA Issued", "RSA Issued", "RSA Issued")
    assert site.left.production == ("RSA",)
    site.assert_settled()


def test_supersede_gives_up_the_waiting_order_and_says_which_is_lost(site: Site) -> None:
    five_days(site)
    site.write(OV, "dnsNames: [img.example.com, shop.example.com]")
    lost = site.orders[-1].ssl_id
    site.set(issue_ov_s="5m")
    finished = site.apply("--supersede", NAME)
    assert finished.exit_code == 0
    assert f"order {lost} is lost by it" in finished.stderr
    assert site.left.changes == ("new completed", "names cancelled", "names completed")
    assert len(site.orders) == 3


@pytest.mark.parametrize("days", [0, pytest.param(170, marks=pytest.mark.long)])
def test_a_renewal_for_which_cps_made_no_new_key_is_not_ordered_for(live: Site, days: int) -> None:
    live.set(key_reuse="reused", auto_renewal_days=0)
    live.advance(f"{days}d")
    if not days:
        live.at_scm("revoke", 5001)
    blocked = live.apply(wait="6h")
    assert blocked.exit_code == 1
    assert "a renewal must make a new one" in blocked.stdout
    assert len(live.orders) == 1
    assert "cps.upload_certificate" not in live.mutating
