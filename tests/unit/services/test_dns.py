"""CAA lookups against a resolver on loopback: what an answer, an alias, a missing name and a failure are taken for."""

from collections.abc import Iterator
from contextlib import contextmanager

import dns.resolver
import pytest

from reconciler.errors import ServiceUnavailableError
from reconciler.model.dns import AliasLookup, CaaLookup, CaaRecord, LookupFailure
from reconciler.model.names import DnsName
from reconciler.services.dns import Resolver
from tests.support.nameserver import Zone, nameserver
from tests.support.scripted import closed_port

DS = "60485 13 2 " + "D4" * 32
KEY = "257 3 13 " + "mdsswUyr3DPW132mOi8V9xESWE8jTo0dxCjjnopKl+GqJxpVXckHAeF+KkxLbxILfDLUT0rAK9iUzy1L53eKGQ=="
EXAMPLE = DnsName("example.com")


@contextmanager
def resolver(zone: Zone) -> Iterator[Resolver]:
    """Ask a server for `zone`: with patience, for a busy machine, unless it is one that never answers."""
    lifetime_s = 0.4 if zone.silent else 30.0
    with nameserver(zone) as server:
        yield Resolver(("127.0.0.1",), port=server.port, try_s=lifetime_s / 2, lifetime_s=lifetime_s)


def caa(zone: Zone, name: str = EXAMPLE) -> CaaLookup:
    with resolver(zone) as asking:
        return asking.caa(DnsName(name))


def test_records_are_read_with_their_tag_value_and_flag() -> None:
    zone = Zone(records={("example.com", "CAA"): ('0 ISSUE "sectigo.com; accounturi=x"', '128 future ""')})
    assert set(caa(zone).records) == {
        CaaRecord(tag="issue", value="sectigo.com; accounturi=x"),
        CaaRecord(tag="future", value="", critical=True),
    }


def test_a_name_without_caa_and_a_missing_name_have_no_records() -> None:
    zone = Zone(records={("example.com", "A"): ("192.0.2.1",)})
    assert caa(zone) == CaaLookup()
    assert caa(zone, "www.example.com") == CaaLookup()


def test_an_alias_is_followed_and_named() -> None:
    zone = Zone(
        records={
            ("www.example.com", "CNAME"): ("Edge.example.NET.",),
            ("Edge.example.NET", "CAA"): ('0 issue "letsencrypt.org"',),
        }
    )
    lookup = caa(zone, "www.example.com")
    assert lookup.canonical == "edge.example.net"
    assert [record.value for record in lookup.records] == ["letsencrypt.org"]


def test_only_the_name_itself_is_asked_for() -> None:
    zone = Zone(records={("example.com", "CAA"): ('0 issue "sectigo.com"',)})
    assert caa(zone, "www.example.com").records == ()
    assert zone.asked == [("www.example.com", "CAA")]


def test_a_bogus_answer_is_told_from_a_broken_server() -> None:
    records = {("example.com", "CAA"): ('0 issue "sectigo.com"',)}
    assert caa(Zone(records=records, bogus=frozenset({EXAMPLE}))).failure is LookupFailure.BOGUS
    assert caa(Zone(records=records, broken=frozenset({EXAMPLE}))).failure is LookupFailure.SERVFAIL


def test_a_silent_server_is_a_timeout() -> None:
    assert caa(Zone(silent=frozenset({EXAMPLE}))).failure is LookupFailure.TIMEOUT


def test_a_refusing_server_gives_no_usable_answer() -> None:
    assert caa(Zone(refused=frozenset({EXAMPLE}))).failure is LookupFailure.UNUSABLE


def test_no_server_at_all_gives_no_usable_answer() -> None:
    lookup = Resolver(("127.0.0.1",), port=closed_port(), try_s=0.2, lifetime_s=0.4).caa(EXAMPLE)
    assert lookup.failure in {LookupFailure.UNUSABLE, LookupFailure.TIMEOUT}
    assert lookup.signed is None


def test_a_failure_says_whether_the_registered_domain_is_signed() -> None:
    name = "a.b.example.com"
    broken = frozenset({name})
    signed = Zone(records={("example.com", "DS"): (DS,)}, broken=broken)
    unsigned = Zone(records={("example.com", "A"): ("192.0.2.1",)}, broken=broken)
    unknown = Zone(broken=broken, refused=frozenset({"example.com"}))
    assert [caa(zone, name).signed for zone in (signed, unsigned, unknown)] == [True, False, None]


def test_an_answer_needs_no_second_question() -> None:
    zone = Zone(records={("example.com", "CAA"): ('0 issue "sectigo.com"',)})
    assert caa(zone).signed is None
    assert len(zone.asked) == 1


def test_a_resolver_that_checks_dnssec_says_so_about_the_root() -> None:
    root = {(".", "DNSKEY"): (KEY,)}
    with resolver(Zone(records=root)) as asking:
        assert asking.validates() is True
    with resolver(Zone(records=root, validating=False)) as asking:
        assert asking.validates() is False
    with resolver(Zone(refused=frozenset({"."}))) as asking:
        assert asking.validates() is None


def test_aliases_are_followed_to_the_edge_in_order() -> None:
    zone = Zone(
        records={
            ("www.example.com", "CNAME"): ("www.example.com.edgekey.net.",),
            ("www.example.com.edgekey.net", "CNAME"): ("e1.a.akamaiedge.net.",),
            ("e1.a.akamaiedge.net", "A"): ("192.0.2.1",),
            ("old.example.com", "CNAME"): ("host.notedgekey.net.",),
            ("host.notedgekey.net", "A"): ("192.0.2.2",),
            ("example.com", "A"): ("192.0.2.3",),
        },
        broken=frozenset({"broken.example.com"}),
    )
    with resolver(zone) as asking:
        led = {name: asking.aliases(DnsName(f"{name}example.com")) for name in ("www.", "old.", "", "gone.", "broken.")}
    assert led["www."].aliases == ("www.example.com.edgekey.net", "e1.a.akamaiedge.net")
    assert led["old."].aliases == ("host.notedgekey.net",)
    assert led[""] == led["gone."] == AliasLookup()
    assert led["broken."].failure is LookupFailure.SERVFAIL
    assert {name: lookup.at_edge for name, lookup in led.items()} == {
        "www.": True, "old.": False, "": False, "gone.": False, "broken.": None,
    }  # fmt: skip


def test_a_machine_without_name_servers_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def unconfigured(self: dns.resolver.Resolver, *_: object) -> None:
        raise dns.resolver.NoResolverConfiguration

    monkeypatch.setattr(dns.resolver.Resolver, "read_resolv_conf", unconfigured)
    with pytest.raises(ServiceUnavailableError, match="dns: find a name server"):
        Resolver()
