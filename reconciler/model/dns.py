"""What DNS says about a name: who may issue for it (CAA, RFC 8659), and where it points."""

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field

from reconciler.model.names import DnsName


@dataclass(frozen=True, slots=True, kw_only=True)
class CaaRecord:
    tag: str  # lower case: "issue"
    value: str
    critical: bool = False


# Endings of the names that a property's edge hostname, and what it leads to, can have (techdocs, "Edge hostnames").
_EDGE = ("edgekey.net", "edgesuite.net", "akamaized.net", "akamaiedge.net", "akamai.net", "edgekey-staging.net",
         "edgesuite-staging.net", "akamaiedge-staging.net", "akamaized-staging.net")  # fmt: skip


class LookupFailure(enum.StrEnum):
    """Why a name server gave no answer that counts."""

    TIMEOUT = "no answer in time"
    SERVFAIL = "SERVFAIL"
    BOGUS = "DNSSEC does not validate"
    UNUSABLE = "no usable answer from the name servers"


@dataclass(frozen=True, slots=True, kw_only=True)
class CaaLookup:
    """The CAA records at one name, aliases followed; none where there are none. A failure is not an empty answer."""

    records: tuple[CaaRecord, ...] = ()
    canonical: DnsName | None = None  # where an alias led; None: the name is no alias
    failure: LookupFailure | None = None
    signed: bool | None = None  # of a failure: whether the domain has a DS; None: not known


@dataclass(frozen=True, slots=True, kw_only=True)
class CaaLookups:
    """All that was asked for."""

    by_name: Mapping[DnsName, CaaLookup] = field(default_factory=dict)
    validating: bool | None = None  # whether the resolver checks DNSSEC; None: not known


@dataclass(frozen=True, slots=True, kw_only=True)
class AliasLookup:
    """Where a name points: the chain of its aliases, in order; none for a name with addresses of its own, or none."""

    aliases: tuple[DnsName, ...] = ()
    failure: LookupFailure | None = None

    @property
    def at_edge(self) -> bool | None:
        """Whether the name points at the CDN's edge; None where that could not be read.

        A zone's apex is no alias: Akamai's DNS maps it to the edge in a way that nobody sees from outside.
        """
        if self.failure is not None:
            return None
        return any(alias.endswith(tuple(f".{ending}" for ending in _EDGE)) for alias in self.aliases)
