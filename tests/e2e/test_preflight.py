"""Checks before an order: what SCM would refuse is said by the plan, before anything is sent."""

import pytest

from reconciler.model.dns import AliasLookup, CaaLookup, CaaRecord
from reconciler.model.names import DnsName
from tests.support.control import Control
from tests.support.program import Program


def test_an_expired_domain_blocks_the_order_and_says_so(program: Program, control: Control) -> None:
    control.post("/scm/expire_domain", {"name": "example.com"})
    planned = program.plan()
    assert "DCV-01" in planned.stdout
    assert planned.exit_code == 4
    finished = program.apply()
    assert "DCV-01" in finished.stdout
    assert control.get("/calls")["mutating_total"] == 0
    control.post("/scm/validate_domain", {"name": "example.com"})
    assert program.apply().exit_code == 0


def test_a_plan_without_orders_asks_for_no_domain(program: Program, control: Control) -> None:
    assert program.apply().exit_code == 0
    control.delete("/calls")
    assert program.plan().exit_code == 0
    assert not [name for name in control.get("/calls")["calls"] if "domain" in name or "password" in name]


class Nameserver:
    """A resolver that knows one CAA answer for every name."""

    def __init__(self, answer: CaaLookup) -> None:
        self._answer = answer

    def caa(self, _: DnsName) -> CaaLookup:
        return self._answer

    def aliases(self, _: DnsName) -> AliasLookup:
        raise AssertionError("nobody asked")

    def validates(self) -> bool | None:
        return True


def test_caa_records_that_forbid_sectigo_block_only_where_dns_is_asked(
    program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = CaaLookup(records=(CaaRecord(tag="issue", value="other-ca.example.net"),))
    monkeypatch.setattr("reconciler.services.dns.Resolver", lambda: Nameserver(answer))
    assert program.plan().exit_code == 2
    planned = program.plan("--dns")
    assert "CAA-01" in planned.stdout
    assert planned.exit_code == 4
