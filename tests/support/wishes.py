"""Hypothesis strategies: certificates as users may want them, and services as they may behave.

Everything here can come to its end without a person: what needs one (an unvalidated domain, a refused order) is for
tests that name it.
"""

import dataclasses
import json
import typing
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from reconciler.sandbox.cps.options import CpsOptions
from reconciler.sandbox.scm.options import ScmOptions

DOMAINS = ("example.com", "example.net", "example.org", "example.co.uk")
_LABELS = st.sampled_from(("www", "shop", "api", "a.b", "x-1", "münchen", "0"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    """A certificate profile of the sandbox's customer, and which names it issues for."""

    profile: str
    further: int  # names beside the common name
    wildcards: bool = False
    private: bool = False
    organizations: tuple[str, ...] = ("Example Ltd", "Example Ltd / Web", "Example GmbH")


_BRITISH = ("Example Ltd", "Example Ltd / Web")  # alone validated for EV
PRODUCTS = (
    Product(profile="DV Single", further=0),
    Product(profile="DV Multi-Domain", further=3, wildcards=True),
    Product(profile="DV Wildcard", further=0, wildcards=True),
    Product(profile="OV Single", further=0),
    Product(profile="OV Multi-Domain", further=3, wildcards=True),
    Product(profile="OV Wildcard", further=0, wildcards=True),
    Product(profile="EV Single", further=0, organizations=_BRITISH),
    Product(profile="EV Multi-Domain", further=3, organizations=_BRITISH),
    Product(profile="Private TLS", further=3, wildcards=True, private=True),
)
_GERMAN = {"country": "DE", "state": "Bayern", "locality": "München", "organization": "Example GmbH"}

# One name in two certificates: CPS asks about it before it makes keys.
_OVERLAPS = [{"id": "SNI_DNS_OVERLAP"}, {"id": "OVERLAPPING_TRAFFIC_CLASS"}]

# What may stand under `akamai:` of any certificate; each is named or not.
_AKAMAI: Mapping[str, st.SearchStrategy[Any]] = {
    "contract": st.sampled_from(("C-1ABCDEF", "C-2GHIJKL")),
    "secureNetwork": st.sampled_from(("enhanced-tls", "standard-tls")),
    "sniOnly": st.booleans(),
    "geography": st.just("core"),
    "mustHaveCiphers": st.sampled_from(("ak-akamai-2020q1", "ak-akamai-default")),
    "preferredCiphers": st.sampled_from(("ak-akamai-2020q1", "ak-akamai-default")),
    "disallowedTlsVersions": st.sampled_from(([], ["TLSv1"], ["TLSv1", "TLSv1_1"])),
    "cloneDnsNames": st.booleans(),
    "clientMutualAuthentication": st.just({"setId": "4711", "sendCaListToClient": True, "ocspEnabled": False}),
    "signatureAlgorithm": st.just("SHA-256"),
    "changeManagement": st.booleans(),
    "promote": st.sampled_from(("auto", "manual")),
    "ocspStapling": st.sampled_from(("on", "off", "not-set")),
    "fipsMode": st.booleans(),
    "deploy": st.sampled_from(({"notBefore": "2026-11-10"}, {"notBefore": "2026-11-18"})),  # passed; in two days
}
_SECTIGO: Mapping[str, st.SearchStrategy[Any]] = {
    "customFields": st.sampled_from(({}, {"CostCenter": "4711"}, {"CostCenter": "Zürich & Bern"})),
    "externalRequester": st.sampled_from((["tls@example.com"], ["tls@example.com", "ops@example.net"])),
    "term": st.sampled_from(("max", 199)),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """One certificate file."""

    common_name: str
    key_types: frozenset[str]  # RSA, ECDSA: what is to be ordered
    document: Mapping[str, Any]

    @property
    def private(self) -> bool:
        return "issuer" in self.document["sectigo"]

    @property
    def ascii_name(self) -> str:
        """The common name as services write it."""
        return self.common_name.replace("münchen", "xn--mnchen-3ya")

    @property
    def text(self) -> str:
        return json.dumps(self.document, ensure_ascii=False)  # JSON is YAML


def names(*, wildcards: bool) -> st.SearchStrategy[str]:
    hosts = st.builds("{}.{}".format, _LABELS, st.sampled_from(DOMAINS))
    stars = st.builds("*.{}".format, st.sampled_from(DOMAINS))
    return hosts | st.sampled_from(DOMAINS) | stars if wildcards else hosts | st.sampled_from(DOMAINS)


@st.composite
def wishes(draw: st.DrawFn) -> Wish:
    product = draw(st.sampled_from(PRODUCTS))
    some_name = names(wildcards=product.wildcards)
    common_name = draw(some_name)
    further = draw(st.lists(some_name, max_size=product.further, unique=True))
    key_types = draw(st.sampled_from((None, ["RSA-2048"], ["ECDSA-P256"], ["ECDSA-P256", "RSA-2048"])))
    organization = draw(st.sampled_from(product.organizations))
    akamai = draw(st.fixed_dictionaries({}, optional=dict(_AKAMAI)))
    if akamai.get("fipsMode"):  # CPS takes it with current ciphers only
        akamai |= dict.fromkeys({"mustHaveCiphers", "preferredCiphers"} & akamai.keys(), "ak-akamai-2020q1")
    if organization == "Example GmbH":
        akamai["subject"] = _GERMAN
    sectigo = draw(st.fixed_dictionaries({}, optional=dict(_SECTIGO)))
    sectigo |= {"profile": product.profile, "organization": organization}
    if product.private:
        sectigo |= {"issuer": "private", "term": draw(st.sampled_from((30, 365, "max")))}
        akamai["ocspStapling"] = draw(st.sampled_from(("off", "not-set")))
    document: dict[str, Any] = {
        "apiVersion": "certrecon/v1",
        "commonName": common_name,
        "dnsNames": further,
        "keyTypes": key_types,
        "protect": draw(st.booleans()),
        "acceptWarnings": _OVERLAPS,
        "sectigo": sectigo,
        "akamai": akamai,
    }
    wanted = frozenset(spelt.partition("-")[0] for spelt in key_types or ["RSA-2048"])
    return Wish(common_name=common_name, key_types=wanted, document=document)


# Options that change what a service does, and not only how it says it: with some value of these a person has to act,
# or what is wanted cannot be had.
NOT_VARIANTS: Mapping[str, str] = {
    "clock_window_s": "with none, no signature is in time",
    "token_lifetime_s": "with none, a token has expired before it is used",
    "approvals": "manual: an approver has to act",
    "legacy_terms": "no term of the profile may be issued any more",
    "pre_validation": "without it, the file has to say how domains are validated",
    "ecc_allowed": "without it, ECDSA is refused",
    "external_requester_mandatory": "the file has to name one",
    "orders_restricted": "every order is refused",
    "ev_anchor": "EV orders are refused",
}
# What is not seen for longer than certrecon's settle time (15 min) is a case of its own.
_LAGS = st.sampled_from((0.0, 1.0, 45.0, 600.0))
_TIMES = st.sampled_from((0.0, 1.0, 45.0, 600.0, 5400.0))


@st.composite
def behaviours(draw: st.DrawFn, most: int) -> dict[str, Any]:
    """Return settings of at most `most` of the sandbox's options, by name; the others keep their defaults."""
    options = draw(st.lists(st.sampled_from(sorted(VARIANTS)), max_size=most, unique=True))
    return {name: draw(VARIANTS[name]) for name in sorted(options)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    fleet: Sequence[Wish]
    behaviour: Mapping[str, Any]


@st.composite
def cases(draw: st.DrawFn, *, certificates: int, options: int) -> Case:
    """Return at most so many certificates, no two of one common name, on services with at most so many odd options."""
    fleet = draw(st.lists(wishes(), min_size=1, max_size=certificates, unique_by=lambda wish: wish.common_name))
    return Case(fleet=fleet, behaviour=draw(behaviours(options)))


def _variants() -> Mapping[str, st.SearchStrategy[Any]]:
    """Return the options that a client has to cope with, each with its values: all choices, switches and times."""
    found: dict[str, st.SearchStrategy[Any]] = {}
    for holder in (CpsOptions, ScmOptions):
        hints = typing.get_type_hints(holder)
        for option in dataclasses.fields(holder):
            values = _values(option.name, hints[option.name])
            if values is not None and option.name not in NOT_VARIANTS:
                found[option.name] = values
    return found


def _values(name: str, hint: Any) -> st.SearchStrategy[Any] | None:
    if typing.get_origin(hint) is typing.Literal:
        return st.sampled_from(typing.get_args(hint))
    if hint is bool:
        return st.booleans()
    if hint is not float:
        return None
    return _LAGS if "lag" in name or "visible" in name else _TIMES


VARIANTS: Mapping[str, st.SearchStrategy[Any]] = _variants()
