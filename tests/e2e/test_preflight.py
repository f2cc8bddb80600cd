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


def test_what_a_check_has_blocked_is_not_begun_where_plans_are_approved_either(
    program: Program, control: Control
) -> None:
    configuration = (program.repository / "certrecon.yaml").read_text()
    program.write("certrecon.yaml", configuration.replace("policy:\n", "policy:\n  approval: plan\n"))
    assert program.run("plan", "--output", "json=plan.json").exit_code == 0
    control.post("/scm/expire_domain", {"name": "example.com"})
    assert "DCV-01" in program.apply("plan.json").stdout
    assert control.get("/calls")["mutating_total"] == 0


def test_a_plan_without_orders_asks_for_no_domain(program: Program, control: Control) -> None:
    assert program.apply().exit_code == 0
    control.delete("/calls")
    assert program.plan().exit_code == 0
    assert not [name for name in control.get("/calls")["calls"] if "domain" in name or "password" in name]


class Nameserver:
    """A resolver that has one answer for every name."""

    def __init__(self, caa: CaaLookup | None = None, aliases: AliasLookup | None = None) -> None:
        self._caa, self._aliases = caa or CaaLookup(), aliases or AliasLookup()

    def caa(self, _: DnsName) -> CaaLookup:
        return self._caa

    def aliases(self, _: DnsName) -> AliasLookup:
        return self._aliases

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


def test_a_name_at_the_edge_keeps_its_enrollment_where_dns_is_asked(
    program: Program, control: Control, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert program.apply().exit_code == 0
    control.delete("/calls")
    (enrollment,) = control.get("/state")["enrollments"]
    head = "apiVersion: certrecon/v1\ncommonName: www.example.com\nstate: absent\n"
    program.write("certificates/www.example.com.yaml", f"{head}akamai: {{enrollmentId: {enrollment['id']}}}\n")
    configuration = (program.repository / "certrecon.yaml").read_text()
    program.write("certrecon.yaml", configuration.replace("budgets: {", "budgets: {deletes: 1, "))
    assert "DNS-02: skipped: nobody looked" in program.plan().stdout
    at_edge = AliasLookup(aliases=(DnsName("www.example.com.edgekey.net"),))
    monkeypatch.setattr("reconciler.services.dns.Resolver", lambda: Nameserver(aliases=at_edge))
    refused = program.apply("--dns")
    assert "DNS still points at the edge for www.example.com" in refused.stdout, refused.stdout
    assert control.get("/calls")["mutating_total"] == 0
    monkeypatch.setattr("reconciler.services.dns.Resolver", Nameserver)
    finished = program.apply("--dns")
    assert control.get("/calls")["mutating"] == {"cps.delete_enrollment": 1}, finished.stdout + finished.stderr
