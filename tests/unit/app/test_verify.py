"""Verify asks the right host: the file's edge hostname, else the name itself, or for staging where its aliases lead."""

from dataclasses import dataclass, field

from reconciler.app.verify import NETWORKS, Verifier
from reconciler.model.certificate import State
from reconciler.model.dns import AliasLookup, CaaLookup
from reconciler.model.handshake import Handshake
from reconciler.model.names import DnsName
from reconciler.model.policy import Policy
from reconciler.planning.case import Trust
from tests.support import certs


@dataclass
class AnEdge:
    asked: list[tuple[str, str, str | None]] = field(default_factory=list)

    def serials(self, network: str, server_name: str, host: str | None) -> frozenset[int]:
        raise AssertionError

    def handshakes(self, network: str, server_name: str, host: str | None) -> tuple[Handshake, ...]:
        self.asked.append((network, server_name, host))
        return ()


@dataclass
class ADns:
    known: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def aliases(self, name: DnsName) -> AliasLookup:
        return AliasLookup(aliases=tuple(map(DnsName, self.known.get(name, ()))))

    def caa(self, name: DnsName) -> CaaLookup:
        raise AssertionError

    def validates(self) -> bool | None:
        raise AssertionError


def verifier(edge: AnEdge, dns: ADns, addressed: frozenset[str] = frozenset()) -> Verifier:
    trust = Trust(public_roots=(), private_roots={})
    return Verifier(edge=edge, dns=dns, trust=trust, policy=Policy(), now=certs.START, addressed=addressed)


def test_production_is_asked_at_the_name_and_staging_where_it_leads() -> None:
    edge = AnEdge()
    dns = ADns({"www.example.com": ("www.example.com.edgekey.net", "e1.a.akamaiedge.net")})
    verifier(edge, dns).verify([certs.desired()], NETWORKS)
    assert edge.asked == [
        ("staging", "www.example.com", "www.example.com.edgekey.net"),
        ("production", "www.example.com", "www.example.com"),
    ]


def test_a_wildcard_is_asked_for_by_a_name_that_it_covers() -> None:
    edge = AnEdge()
    verifier(edge, ADns()).verify([certs.desired("*.example.com")], ["production"])
    assert edge.asked == [("production", "*.example.com", "www.example.com")]


def test_the_host_of_the_file_comes_first() -> None:
    edge = AnEdge()
    verifier(edge, ADns()).verify([certs.desired(verify_edge_host="x.edgekey.net")], NETWORKS)
    assert {host for _, _, host in edge.asked} == {"x.edgekey.net"}


def test_a_network_whose_address_is_not_known_is_skipped_and_says_how_to_name_it() -> None:
    (verdict,) = verifier(AnEdge(), ADns()).verify([certs.desired()], ["staging"])
    assert verdict.skipped is not None
    assert "verify.edgeHost" in verdict.skipped
    assert verdict.wrong == ()


def test_what_is_to_be_removed_is_not_asked_for() -> None:
    edge = AnEdge()
    assert verifier(edge, ADns()).verify([certs.desired(state=State.ABSENT)], NETWORKS) == ()
    assert edge.asked == []
