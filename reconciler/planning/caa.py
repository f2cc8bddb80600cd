"""Whether DNS lets Sectigo issue: CAA-01 and DNS-01, from lookups that somebody made (RFC 8659, pki-rules 4.2).

The records that count for a name are those at the name itself, else at the nearest parent that has any; an alias is
followed at the name, and the parents are those of the name, not of the alias. The CA looks for itself when it issues,
from several places: what is found here is what it is likely to see.
"""

import enum
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from reconciler.errors import Severity
from reconciler.model.dns import CaaLookup, CaaLookups, CaaRecord, LookupFailure
from reconciler.model.names import DnsName, is_wildcard
from reconciler.planning.findings import Finding, error, listed, skipped, warning

# Sectigo TLS CP/CPS 4.2.4, versions 6.2.2 and 6.2.5.
_OURS = frozenset({"sectigo.com", "usertrust.com", "trust-provider.com"})
_DEPRECATED = frozenset({"comodo.com", "comodoca.com"})
_BY_CONTRACT = frozenset({"entrust.net", "affirmtrust.com"})

_KNOWN_TAGS = frozenset({"issue", "issuewild", "issuemail", "issuevmc", "iodef", "contactemail", "contactphone"})
_NARROWING = frozenset({"accounturi", "validationmethods"})  # RFC 8657
_NARROWING_BINDS = date(2027, 3, 15)  # ballot SC-098
_DNSSEC_FAILURES = frozenset({LookupFailure.BOGUS, LookupFailure.SERVFAIL})


class Verdict(enum.Enum):
    ALLOWED = "allowed"
    FORBIDDEN = "forbidden"
    INDETERMINATE = "indeterminate"
    UNASKED = "unasked"


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What DNS says on one name. `at` is where the records that count stand, or the lookup that failed."""

    verdict: Verdict
    at: DnsName | None = None
    why: str = ""  # of an allowed one: what to be careful about; nothing if there is nothing
    grave: bool = False  # of an indeterminate one: the CA will take the failure for a refusal


def to_ask(names: Iterable[DnsName], lookups: Mapping[DnsName, CaaLookup]) -> frozenset[DnsName]:
    """Return which lookups are needed next to judge `names`; empty once all can be judged."""
    return frozenset(place for name in names if (place := _first_unasked(name, lookups)) is not None)


def judge(name: DnsName, lookups: Mapping[DnsName, CaaLookup], *, issue_on: date) -> Judgement:
    """Return what DNS says on `name`."""
    for place in _climb(name):
        lookup = lookups.get(place)
        if lookup is None:
            return Judgement(verdict=Verdict.UNASKED, at=place)
        if lookup.failure is not None:
            return Judgement(
                verdict=Verdict.INDETERMINATE, at=place, why=lookup.failure.value, grave=lookup.signed is True
            )
        if lookup.records:
            return _judge_records(place, lookup.records, wildcard=is_wildcard(name), issue_on=issue_on)
    return Judgement(verdict=Verdict.ALLOWED)


def caa_findings(names: Collection[DnsName], lookups: CaaLookups, *, issue_on: date) -> tuple[Finding, ...]:
    """Return CAA-01 and DNS-01 for the names of a public certificate; names with one cause share a finding."""
    grouped: defaultdict[Judgement, list[DnsName]] = defaultdict(list)
    for name in sorted(names):
        grouped[judge(name, lookups.by_name, issue_on=issue_on)].append(name)
    found = [
        finding
        for judgement, of_names in grouped.items()
        if (finding := _finding(judgement, of_names, lookups.by_name)) is not None
    ]
    return (*found, *_dnssec_findings(grouped, lookups))


def not_asked(why: str) -> tuple[Finding, ...]:
    """Return that nobody asked DNS: offline, or without `--dns`."""
    return (skipped("CAA-01", why), skipped("DNS-01", why))


def _climb(name: DnsName) -> Iterator[DnsName]:
    """Yield the name without its star, then its parents up to the top-level domain."""
    place: str = name.removeprefix("*.")
    while place:
        yield DnsName(place)
        place = place.partition(".")[2]


def _first_unasked(name: DnsName, lookups: Mapping[DnsName, CaaLookup]) -> DnsName | None:
    for place in _climb(name):
        lookup = lookups.get(place)
        if lookup is None:
            return place
        if lookup.records or lookup.failure is not None:
            return None
    return None


# One set of records


def _judge_records(place: DnsName, records: tuple[CaaRecord, ...], *, wildcard: bool, issue_on: date) -> Judgement:
    unknown = sorted({record.tag for record in records if record.critical and record.tag not in _KNOWN_TAGS})
    if unknown:
        why = f"a critical property that CAs do not know: {', '.join(unknown)}"
        return Judgement(verdict=Verdict.FORBIDDEN, at=place, why=why)
    deciding = _deciding(records, wildcard=wildcard)
    if not deciding:
        return Judgement(verdict=Verdict.ALLOWED, at=place)
    ours = [caution for record in deciding if (caution := _caution(record, issue_on)) is not None]
    if not ours:
        why = ", ".join(sorted(f'{record.tag} "{record.value}"' for record in deciding))
        return Judgement(verdict=Verdict.FORBIDDEN, at=place, why=why)
    return Judgement(verdict=Verdict.ALLOWED, at=place, why=min(ours))  # "" is least: one clean record is enough


def _deciding(records: tuple[CaaRecord, ...], *, wildcard: bool) -> list[CaaRecord]:
    """Return the records that say who may issue: `issuewild` for a wildcard, where there is any; else `issue`."""
    wild = [record for record in records if record.tag == "issuewild"]
    return wild if wildcard and wild else [record for record in records if record.tag == "issue"]


def _caution(record: CaaRecord, issue_on: date) -> str | None:
    """Return what to know about a record that lets Sectigo issue, "" for nothing; None for one that does not."""
    issuer, *parameters = (part.strip() for part in record.value.split(";"))
    issuer = issuer.lower()
    if issuer not in _OURS | _DEPRECATED | _BY_CONTRACT:
        return None
    narrowing = sorted(_NARROWING & {parameter.partition("=")[0].strip().lower() for parameter in parameters})
    if narrowing:
        binds = "binds" if issue_on >= _NARROWING_BINDS else f"will bind from {_NARROWING_BINDS} on"
        return f'{" and ".join(narrowing)} in "{record.value}" {binds}: whether it fits SCM\'s account is not known'
    if issuer in _DEPRECATED:
        return f'"{issuer}" is a former name of Sectigo: write "sectigo.com"'
    if issuer in _BY_CONTRACT:
        return f'"{issuer}" lets Sectigo issue only under a contract that says so: write "sectigo.com"'
    return ""


# Findings


def _finding(judgement: Judgement, names: list[DnsName], lookups: Mapping[DnsName, CaaLookup]) -> Finding | None:
    where = _where(judgement.at, lookups)
    match judgement.verdict:
        case Verdict.ALLOWED:
            return warning("CAA-01", f"{where}: {judgement.why} ({listed(names)})") if judgement.why else None
        case Verdict.FORBIDDEN:
            return error("CAA-01", f"{where} does not let Sectigo issue for {listed(names)}: {judgement.why}")
        case Verdict.INDETERMINATE:
            severity = Severity.ERROR if judgement.grave else Severity.WARNING
            signed = ", and the domain is signed: the CA will refuse" if judgement.grave else ""
            text = f"{where} could not be read for {listed(names)}: {judgement.why}{signed}"
            return Finding(rule="CAA-01", severity=severity, text=text)
        case Verdict.UNASKED:
            return skipped("CAA-01", f"{where} was not asked for: {listed(names)}")


def _where(place: DnsName | None, lookups: Mapping[DnsName, CaaLookup]) -> str:
    lookup = lookups.get(place) if place is not None else None
    alias = f" (an alias of {lookup.canonical})" if lookup is not None and lookup.canonical is not None else ""
    return f"CAA of {place}{alias}"


def _dnssec_findings(judgements: Iterable[Judgement], lookups: CaaLookups) -> Iterator[Finding]:
    failures = {
        (one.at, lookup.failure)
        for one in judgements
        if one.at is not None and (lookup := lookups.by_name.get(one.at)) is not None and lookup.failure is not None
    }
    for place, failure in sorted(failures):
        if failure in _DNSSEC_FAILURES:
            yield warning("DNS-01", f"{place}: {failure}; public CAs refuse to issue where DNSSEC does not validate")
    if lookups.validating is None:
        yield skipped("DNS-01", "whether the resolver checks DNSSEC is not known")
    elif not lookups.validating:
        yield skipped("DNS-01", "the resolver does not check DNSSEC")
