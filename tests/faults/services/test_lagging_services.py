"""What the services show late is not begun, renewed or ordered a second time."""

import time

from tests.support.site import DV, Site


def test_a_lost_answer_to_force_renewal_opens_one_change_while_the_list_shows_none_for_some_time(live: Site) -> None:
    live.at_scm("revoke", 5001)
    live.set(list_lag_s="10m")
    live.fault("cps.update_enrollment", "lose-answer")
    assert live.apply(wait="5m").exit_code == 1  # an outcome is unknown still
    live.apply_until_done()
    assert live.left.changes == ("new completed", "renewal completed")
    assert live.left.orders == ("RSA Revoked", "RSA Issued")
    live.assert_settled()


def test_a_change_that_the_list_shows_only_after_the_settle_time_is_nobodys_and_still_the_only_one(live: Site) -> None:
    """Nothing proves any more that it is ours: it counts as foreign, and a person takes it over."""
    live.at_scm("revoke", 5001)
    live.set(list_lag_s="40m")
    live.fault("cps.update_enrollment", "lose-answer")
    live.apply(wait="2h")
    live.advance("1h")
    assert live.left.changes == ("new completed", "renewal open")
    number = live.pending.id
    assert f"akamai.adoptChange: {number}" in live.plan().stdout
    live.write(DV, f"akamai: {{adoptChange: {number}}}")
    live.apply_until_done()
    assert live.left.changes == ("new completed", "renewal completed")
    assert live.left.orders == ("RSA Revoked", "RSA Issued")


def test_active_certificates_that_are_stale_after_completion_lead_to_no_second_renewal(live: Site) -> None:
    live.at_scm("revoke", 5001)
    live.set(active_lag_s="2h")
    waiting = live.apply(wait="4h")
    assert live.left.changes == ("new completed", "renewal completed"), waiting.stdout
    stale = live.apply(wait="0s")
    assert stale.exit_code == 3, stale.stdout
    assert "the networks' list is to follow" in stale.stdout
    live.apply_until_done()
    assert live.left.orders == ("RSA Revoked", "RSA Issued")
    live.assert_settled()


def test_active_certificates_that_are_stale_after_a_create_are_waited_for(site: Site) -> None:
    site.set(active_lag_s="1h")
    site.apply_until_done()
    assert site.left.changes == ("new completed",)
    site.assert_settled()


def test_a_report_later_than_the_settle_time_leads_to_no_second_order(site: Site) -> None:
    site.set(visible_after_s="3h", issue_dv_s="2h")
    site.apply(wait="5m")
    assert len(site.orders) == 1
    site.advance("30m")
    site.apply(wait="30m")
    site.apply_until_done()
    assert site.left.orders == ("RSA Issued",)
    site.assert_settled()


def test_an_order_whose_answer_was_lost_is_found_by_a_report_that_comes_within_the_settle_time(site: Site) -> None:
    site.set(visible_after_s="10m")
    site.fault("scm.enroll", "lose-answer")
    assert site.apply(wait="5m").exit_code == 1
    site.apply_until_done()
    assert site.left.orders == ("RSA Issued",)


def test_an_order_whose_answer_was_lost_and_that_shows_after_the_settle_time_leads_to_two_and_to_no_third(
    site: Site,
) -> None:
    """What is seen nowhere for longer than the settle time counts as not placed: found later, both are named."""
    site.set(visible_after_s="2h")
    site.fault("scm.enroll", "lose-answer")
    site.apply(wait="5m")
    time.sleep(2.5)  # noqa: TID251 - it settles in real time too: 1.2 times the lock's 2 s
    site.apply(wait="1h")
    site.advance("3h")
    found = site.apply()
    assert found.exit_code == 1
    assert "orders 5001, 5002 hold one key: decline or revoke 5002 in SCM" in found.stdout
    assert len(site.orders) == 2
