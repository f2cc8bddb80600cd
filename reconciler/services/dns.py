"""DNS, as `ports.Dns` asks for it: CAA records and aliases, and what a failure to read them means."""

import logging
from collections.abc import Sequence
from typing import cast

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.rdtypes.ANY.CAA
import dns.resolver

from reconciler.errors import ServiceUnavailableError
from reconciler.model.dns import AliasLookup, CaaLookup, CaaRecord, LookupFailure
from reconciler.model.names import DnsName, registrable_domain

log = logging.getLogger(__name__)

_TRY_S = 2.0
_LIFETIME_S = 6.0
_PAYLOAD = 1232  # EDNS bytes that are not fragmented anywhere (DNS flag day 2020)
_CRITICAL = 128


class Resolver:
    """Asks the machine's name servers, or those given.

    Raises:
        ServiceUnavailableError: none is given, and the machine has none.
    """

    def __init__(
        self,
        nameservers: Sequence[str] = (),
        *,
        port: int = 53,
        try_s: float = _TRY_S,
        lifetime_s: float = _LIFETIME_S,
    ) -> None:
        def resolver(flags: int) -> dns.resolver.Resolver:
            made = _configured(nameservers, port)
            made.timeout, made.lifetime = try_s, lifetime_s
            made.use_edns(0, 0, _PAYLOAD)
            made.set_flags(dns.flags.RD | flags)
            return made

        self._resolver = resolver(dns.flags.AD)
        self._unchecked = resolver(dns.flags.CD)

    def caa(self, name: DnsName) -> CaaLookup:
        """Return the CAA records at exactly this name, aliases followed; a failure with what is known of it."""
        try:
            answer = _ask(self._resolver, name, "CAA")
        except dns.exception.DNSException as error:
            log.info("dns: CAA %s: %s", name, error)
            return CaaLookup(failure=self._failure(name, error, "CAA"), signed=self._signed(name))
        if answer is None:
            return CaaLookup()
        canonical = _text(answer.canonical_name)
        records = tuple(_record(cast("dns.rdtypes.ANY.CAA.CAA", rdata)) for rdata in answer.rrset or ())
        return CaaLookup(records=records, canonical=None if canonical == name else canonical)

    def validates(self) -> bool | None:
        """Tell whether the resolver checks DNSSEC: it then says that the answer on the root's keys is authentic."""
        try:
            answer = _ask(self._resolver, ".", "DNSKEY")
        except dns.exception.DNSException as error:
            log.info("dns: DNSKEY of the root: %s", error)
            return None
        return answer is not None and bool(answer.response.flags & dns.flags.AD)

    def aliases(self, name: DnsName) -> AliasLookup:
        """Return the aliases that `name` leads to, in order; a failure where they can't be read."""
        try:
            answer = _ask(self._resolver, name, "A")
        except dns.exception.DNSException as error:
            log.info("dns: A %s: %s", name, error)
            return AliasLookup(failure=self._failure(name, error, "A"))
        chain = () if answer is None else answer.chaining_result.cnames
        return AliasLookup(aliases=tuple(_text(rrset[0].target) for rrset in chain))

    def _failure(self, name: DnsName, error: dns.exception.DNSException, kind: str) -> LookupFailure:
        if isinstance(error, dns.resolver.LifetimeTimeout):
            return LookupFailure.TIMEOUT
        if not _says_servfail(error):
            return LookupFailure.UNUSABLE
        return LookupFailure.BOGUS if self._answers_unchecked(name, kind) else LookupFailure.SERVFAIL

    def _answers_unchecked(self, name: DnsName, kind: str) -> bool:
        """Tell whether there is an answer once DNSSEC is not checked: then it is DNSSEC that fails."""
        try:
            _ask(self._unchecked, name, kind)
        except dns.exception.DNSException:
            return False
        return True

    def _signed(self, name: DnsName) -> bool | None:
        """Tell whether the registered domain has a DS; it stands in the parent's zone, so a broken one has it too."""
        try:
            answer = _ask(self._resolver, registrable_domain(name) or name, "DS")
        except dns.exception.DNSException:
            return None
        return answer is not None and answer.rrset is not None


def _configured(nameservers: Sequence[str], port: int) -> dns.resolver.Resolver:
    try:
        resolver = dns.resolver.Resolver(configure=not nameservers)
    except dns.resolver.NoResolverConfiguration as error:
        raise ServiceUnavailableError("dns", "find a name server", str(error)) from error
    if nameservers:
        resolver.nameservers, resolver.port = list(nameservers), port
    return resolver


def _ask(resolver: dns.resolver.Resolver, name: str, kind: str) -> dns.resolver.Answer | None:
    """Return the answer; None where the name does not exist.

    Raises:
        DNSException: there is none, or one that says nothing.
    """
    try:
        return resolver.resolve(dns.name.from_text(name), kind, raise_on_no_answer=False, search=False)
    except dns.resolver.NXDOMAIN:
        return None


def _says_servfail(error: dns.exception.DNSException) -> bool:
    if not isinstance(error, dns.resolver.NoNameservers):
        return False
    answers = [response for *_, response in error.kwargs["errors"] if response is not None]
    return any(answer.rcode() == dns.rcode.SERVFAIL for answer in answers)


def _record(rdata: dns.rdtypes.ANY.CAA.CAA) -> CaaRecord:
    return CaaRecord(
        tag=rdata.tag.decode("ascii", "replace").lower(),
        value=rdata.value.decode("utf-8", "replace"),
        critical=bool(rdata.flags & _CRITICAL),
    )


def _text(name: dns.name.Name) -> DnsName:
    return DnsName(name.to_text(omit_final_dot=True).lower())
