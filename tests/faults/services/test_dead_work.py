"""Orders and changes that came to nothing: a person is named, and only a person lets the work begin again, once."""

from collections.abc import Callable

import pytest

from reconciler.services.http import Answer, Request, Transport
from tests.support.crash import Send, intercepted
from tests.support.site import DV, NAME, Site

EV = "sectigo: {profile: EV Multi-Domain}"  # waits for an approver


def decline(site: Site) -> None:
    site.at_scm("decline", site.orders[-1].ssl_id)


def reject(site: Site) -> None:
    site.at_scm("approve", site.orders[-1].ssl_id)
    site.advance("1m")
    site.at_scm("reject", site.orders[-1].ssl_id)


def invalidate(site: Site) -> None:
    site.at_scm("invalidate", site.orders[-1].ssl_id)


def revoke(site: Site) -> None:
    site.at_scm("approve", site.orders[-1].ssl_id)
    site.advance("30h")
    site.at_scm("revoke", site.orders[-1].ssl_id)


ENDS: dict[str, tuple[Callable[[Site], None], str]] = {
    "Declined": (decline, "SCM approver"),
    "Rejected": (reject, "operator"),
    "Invalid": (invalidate, "operator"),
    "Revoked": (revoke, "operator"),
}


@pytest.mark.parametrize(
    "end",
    [pytest.param(end, marks=() if end in ("Declined", "Revoked") else pytest.mark.long) for end in ENDS],
)
def test_an_order_that_died_before_its_upload_blocks_and_begins_again_only_by_retry(site: Site, end: str) -> None:
    kill, actor = ENDS[end]
    site.write(EV)
    site.set(approvals="manual")
    site.apply(wait="5m")
    (order,) = site.orders
    kill(site)
    for _ in range(2):
        blocked = site.apply(wait="6h")
        assert blocked.exit_code == 4
        assert f"order {order.ssl_id} (RSA) is {end}. {actor}: " in blocked.stdout
        assert f"certrecon apply --retry {NAME}" in blocked.stdout
    assert len(site.orders) == 1
    site.set(approvals="auto")
    assert site.apply("--retry", NAME).exit_code == 0
    assert site.left.changes == ("new cancelled", "new completed")
    assert site.left.orders == (f"RSA {end}", "RSA Issued")
    assert "attempt 2" in site.program.run("history", NAME).stdout
    site.assert_settled()


def test_a_certificate_that_is_revoked_on_staging_blocks_and_begins_again_only_by_retry(site: Site) -> None:
    site.write(DV, "akamai: {promote: manual}")
    assert "it is on staging" in site.apply(wait="12h").stdout
    (order,) = site.orders
    site.at_scm("revoke", order.ssl_id)
    blocked = site.apply("--promote", NAME, wait="6h")
    assert blocked.exit_code == 4
    assert f"order {order.ssl_id} (RSA) is Revoked. operator: " in blocked.stdout
    assert (len(site.orders), site.production) == (1, [])
    assert site.apply("--promote", NAME, "--retry", NAME).exit_code == 0
    assert site.left.changes == ("new cancelled", "new completed")
    assert site.left.orders == ("RSA Revoked", "RSA Issued")
    site.assert_settled()


def test_one_retry_is_one_new_attempt_even_if_that_dies_in_the_same_run(site: Site) -> None:
    site.write(EV)
    site.set(approvals="manual")

    def decline_at_once(_transport: Transport, request: Request, send: Send) -> Answer:
        answer = send()
        if request.operation.startswith("submit the order"):
            decline(site)
        return answer

    with intercepted(decline_at_once):
        assert site.apply(wait="6h").exit_code == 4
        assert len(site.orders) == 1
        assert site.apply("--retry", NAME, wait="6h").exit_code == 4
    assert len(site.orders) == 2
    assert len(site.changes) == 2
