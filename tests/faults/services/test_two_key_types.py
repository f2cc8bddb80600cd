"""RSA and ECDSA of one certificate: what is wanted is ordered, and one half alone is uploaded only by the rules."""

import pytest

from tests.support.site import BOTH, DV, Site


@pytest.mark.parametrize("csrs", ["both", pytest.param("by-enrollment", marks=pytest.mark.long)])
def test_with_only_rsa_wanted_one_order_is_placed_whichever_csrs_cps_shows(site: Site, csrs: str) -> None:
    site.set(csrs=csrs)
    site.apply_until_done()
    assert site.left.orders == ("RSA Issued",)
    assert site.left.production == ("RSA",)


def reject(site: Site, algorithm: str) -> None:
    """Have the CA refuse the newest order for a key type."""
    key = next(key for key in site.pending.keys if key.algorithm == algorithm)
    (order,) = [order for order in site.orders if order.csr_pem.strip() == key.csr_pem.strip()]
    site.at_scm("reject", order.ssl_id)


def order_both(site: Site) -> None:
    """Bring a new certificate with two keys to where both are ordered and none is issued."""
    site.write(DV, BOTH)
    site.set(issue_dv_s="1h")
    site.apply(wait="2m")
    assert len(site.orders) == 2


def test_a_new_certificate_whose_ecdsa_half_is_rejected_goes_with_rsa_alone_after_a_day_and_gets_the_half_later(
    site: Site,
) -> None:
    order_both(site)
    reject(site, "ECDSA")
    waiting = site.apply(wait="20h")
    assert waiting.exit_code == 3
    assert "RSA is uploaded alone if ECDSA is not issued 24 h after the RSA half" in waiting.stdout
    assert "cps.upload_certificate" not in site.mutating
    site.advance("25h")
    site.apply_until_done()
    assert [upload.algorithm for upload in site.changes[0].uploads] == ["RSA"]
    assert site.left.changes == ("new completed", "addition completed")
    assert site.left.orders == ("RSA Issued", "ECDSA Rejected", "ECDSA Issued")
    assert site.left.production == ("RSA", "ECDSA")
    site.assert_settled()


@pytest.mark.long
def test_a_renewal_whose_ecdsa_half_is_rejected_waits_for_it_until_the_level_of_warnings(site: Site) -> None:
    site.write(DV, BOTH)
    site.deploy()
    site.set(issue_dv_s="1h", auto_renewal_days=0)
    site.advance("170d")
    site.apply(wait="2m")
    reject(site, "ECDSA")
    waiting = site.apply(wait="72h")
    assert waiting.exit_code == 3
    assert "the level of warnings" in waiting.stdout
    assert "cps.upload_certificate" not in site.mutating
    site.advance("12d")
    site.apply(wait="6h")
    assert [upload.algorithm for upload in site.changes[1].uploads] == ["RSA"]
    assert site.changes[1].outcome == "completed"


def test_ecdsa_is_never_uploaded_alone_where_rsa_is_wanted(site: Site) -> None:
    order_both(site)
    reject(site, "RSA")
    blocked = site.apply(wait="48h")
    assert blocked.exit_code == 4
    assert "(RSA) is Rejected" in blocked.stdout
    site.advance("30d")
    site.apply(wait="48h")
    assert "cps.upload_certificate" not in site.mutating
    assert len(site.orders) == 2
