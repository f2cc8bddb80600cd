"""Which lookups are made before orders: each place once, none beyond what decides, and an end to patience."""

from dataclasses import dataclass, field

from reconciler.execution.survey import survey_aliases, survey_caa
from reconciler.model.dns import AliasLookup, CaaLookup, CaaRecord, LookupFailure
from reconciler.model.names import DnsName

OURS = CaaLookup(records=(CaaRecord(tag="issue", value="sectigo.com"),))
SILENT = CaaLookup(failure=LookupFailure.TIMEOUT)


@dataclass
class Table:
    """A resolver that knows these lookups; all else is empty."""

    known: dict[str, CaaLookup]
    asked: list[str] = field(default_factory=list)

    def caa(self, name: DnsName) -> CaaLookup:
        self.asked.append(name)
        return self.known.get(name, CaaLookup())

    def validates(self) -> bool:
        self.asked.append("validates")
        return True

    def aliases(self, name: DnsName) -> AliasLookup:
        self.asked.append(name)
        return AliasLookup(failure=self.caa(name).failure)


def names(*texts: str) -> frozenset[DnsName]:
    return frozenset(map(DnsName, texts))


def test_each_place_is_asked_once_and_no_further_than_it_decides() -> None:
    dns = Table({"example.com": OURS})
    found = survey_caa(names("a.example.com", "b.example.com", "*.example.com", "c.a.example.com"), dns)
    assert dns.asked == ["a.example.com", "b.example.com", "c.a.example.com", "example.com", "validates"]
    assert found.by_name[DnsName("example.com")] == OURS
    assert found.validating is True


def test_without_any_record_the_climb_ends_at_the_top_level_domain() -> None:
    dns = Table({})
    assert set(survey_caa(names("www.example.com"), dns).by_name) == {"www.example.com", "example.com", "com"}


def test_a_failure_ends_the_climb_of_its_names_only() -> None:
    dns = Table({"a.example.com": SILENT, "example.com": OURS})
    assert set(survey_caa(names("a.example.com", "b.example.com"), dns).by_name) == {
        "a.example.com",
        "b.example.com",
        "example.com",
    }


def test_after_three_silent_names_in_a_row_nobody_is_asked_any_more() -> None:
    dns = Table(dict.fromkeys([f"{letter}.example.com" for letter in "abdef"], SILENT))
    found = survey_caa(names(*(f"{letter}.example.com" for letter in "abcdefg")), dns)
    assert dns.asked == [f"{letter}.example.com" for letter in "abcdef"]
    assert found.validating is None


def test_nothing_is_asked_for_nothing() -> None:
    dns = Table({})
    assert survey_caa(frozenset(), dns).by_name == {}
    assert dns.asked == []


def test_where_names_point_is_asked_until_nobody_answers() -> None:
    dns = Table({f"{letter}.example.com": SILENT for letter in "bcd"})
    found = survey_aliases(names(*(f"{letter}.example.com" for letter in "abcdef")), dns)
    assert {name[0]: lookup.at_edge for name, lookup in found.items()} == {
        "a": False,
        **dict.fromkeys("bcdef"),
    }
    assert [name[0] for name in dict.fromkeys(dns.asked)] == ["a", "b", "c", "d"]
