"""Uploads that are not what our orders brought: repaired while CPS reviews them, reissued once it is past that."""

import pytest

from tests.support.site import BOTH, DV, Site

MORE = "dnsNames: [img.example.com]"


def ordered(site: Site, *lines: str) -> None:
    """Bring a reissue of a live certificate to where its orders are placed and not issued."""
    site.set(issue_dv_s="1h")
    site.write(DV, MORE, *lines)
    site.apply(wait="5m")


def issued_by_now(site: Site) -> None:
    site.advance("1h")
    site.control.delete("/calls")


def done(site: Site) -> None:
    """Check that one apply ends with the new certificate in production, with its own chain, in the same change."""
    finished = site.apply()
    assert finished.exit_code == 0, finished.stdout + finished.stderr
    assert site.left.changes == ("new completed", "names completed")
    assert all(one.trust_chain_pem for one in site.production)
    assert "old" not in " ".join(site.left.production)
    site.assert_settled()


@pytest.mark.parametrize("answer", ["warning", pytest.param("upload-again", marks=pytest.mark.long)])
def test_a_wrong_upload_is_uploaded_over_once_ours_is_issued(live: Site, answer: str) -> None:
    """CPS lets a person look at it, or waits for another one at once."""
    live.set(blocked_upload=answer)
    ordered(live)
    live.at_cps("upload", certificate=live.orders[0].leaf_pem, trust_chain=live.issuing_ca())
    live.advance("5m")
    waiting = live.apply(wait="5m")
    assert waiting.exit_code == 3, waiting.stdout
    issued_by_now(live)
    done(live)


@pytest.mark.parametrize("chain", ["none", pytest.param("the other key type's", marks=pytest.mark.long)])
def test_a_badly_chained_upload_is_uploaded_over(live: Site, chain: str) -> None:
    live.set(blocked_upload="warning")
    ordered(live)
    issued_by_now(live)
    wrong = "" if chain == "none" else live.issuing_ca("EC")
    live.at_cps("upload", certificate=live.orders[-1].leaf_pem, trust_chain=wrong)
    live.advance("5m")
    done(live)


def test_a_partial_upload_is_completed_while_it_is_reviewed(live: Site) -> None:
    ordered(live, BOTH)
    issued_by_now(live)
    live.at_cps("upload", certificate=live.orders[1].leaf_pem, trust_chain=live.issuing_ca(root=True))
    live.advance("5m")
    done(live)
    assert live.left.production == ("RSA", "ECDSA")


def test_a_wrong_upload_past_its_review_is_reissued_and_never_goes_to_production(live: Site) -> None:
    live.set(blocked_upload="warning")
    ordered(live)
    live.at_cps("upload", certificate=live.orders[0].leaf_pem, trust_chain=live.issuing_ca())
    live.advance("5m")
    live.at_cps("acknowledge")
    live.advance("1h")
    assert live.pending.status == "wait-ack-change-management"
    wrong = live.apply(wait="0s")
    assert "past its review" in wrong.stderr
    live.set(issue_dv_s="1m")
    live.apply_until_done()
    assert live.left.changes == ("new completed", "names cancelled", "renewal completed")
    assert live.left.orders == ("RSA Issued", "RSA Issued", "RSA Issued")
    live.assert_settled()


def test_an_upload_of_ours_that_cps_refuses_is_not_repeated_and_is_no_success(live: Site) -> None:
    live.set(blocking_checks="CSR_VS_CERTIFICATE_O_FIELD_MISSING_IN_CERTIFICATE")
    live.write(DV, MORE)
    refused = live.apply()
    assert refused.exit_code == 1
    assert "CPS refused the upload" in refused.stdout
    assert live.mutating["cps.upload_certificate"] == 1
    live.apply()
    assert live.mutating["cps.upload_certificate"] == 1
    live.set(blocking_checks="CERTIFICATE_EXPIRED")
    assert live.apply("--retry", "www.example.com").exit_code == 0
