"""What a certificate profile will issue, as far as SCM's data and the profile's name tell."""

import enum
import re
from collections.abc import Iterable, Iterator

from reconciler.model.certificate import DesiredCertificate, IssuerClass, KeyType
from reconciler.model.names import DnsName
from reconciler.model.order import Profile
from reconciler.planning.findings import Finding, error, skipped

_WWW = "www."
_WILDCARD = "*."
_SINGLE = re.compile(r"single([ -]domain)?$|single[ -]domain|single[ -]name", re.IGNORECASE)

# How SCM spells what CPS makes ({"RSA": ["2048"], "EC": ["P-256"]}).
_SCM_KEYS = {KeyType.RSA: ("RSA", "2048"), KeyType.ECDSA: ("EC", "P-256")}


class Kind(enum.StrEnum):
    """What the CA validates beside the names."""

    DV = "DV"
    OV = "OV"
    EV = "EV"
    PRIVATE = "private"


def kind_of(profile_name: str, issuer: IssuerClass) -> Kind | None:
    """Return the kind that a profile's name tells; None where it names none of them, or several. SCM has no field."""
    if issuer is IssuerClass.PRIVATE:
        return Kind.PRIVATE
    named = _kinds_named(profile_name)
    return named.pop() if len(named) == 1 else None


def _kinds_named(profile_name: str) -> set[Kind]:
    words = set(re.findall(r"[a-z]+", profile_name.lower()))
    return {kind for kind in Kind if kind.value.lower() in words}


def ca_additions(common_name: DnsName) -> frozenset[DnsName]:
    """Return the names that a CA adds to single and wildcard products unasked: the bare name, or the one with www."""
    if common_name.startswith((_WILDCARD, _WWW)):
        return frozenset({DnsName(common_name.partition(".")[2])})
    return frozenset({DnsName(_WWW + common_name)})


def check_profile(desired: DesiredCertificate, profile: Profile, key_types: Iterable[KeyType]) -> tuple[Finding, ...]:
    """Return what keeps `profile` from issuing what is desired: PROF-01 and PROF-02."""
    findings = [*_class_findings(desired, profile), *_key_findings(profile, sorted(key_types))]
    if desired.order.issuer is IssuerClass.PUBLIC:
        findings.extend(_name_findings(desired, profile))
    return tuple(findings)


def _class_findings(desired: DesiredCertificate, profile: Profile) -> Iterator[Finding]:
    """What the name gives away; the proof is the issued certificate's path (CERT-04)."""
    named = _kinds_named(profile.name)
    private = desired.order.issuer is IssuerClass.PRIVATE
    if named == {Kind.PRIVATE} and not private:
        yield error("PROF-01", f'profile "{profile.name}" is a private one by its name; the file says issuer: public')
    elif named and Kind.PRIVATE not in named and private:
        yield error("PROF-01", f'profile "{profile.name}" is a public one by its name; the file says issuer: private')


def _key_findings(profile: Profile, key_types: Iterable[KeyType]) -> Iterator[Finding]:
    if not profile.key_types:
        yield skipped("PROF-01", f'SCM does not say which keys profile "{profile.name}" takes')
        return
    for key_type in key_types:
        family, size = _SCM_KEYS[key_type]
        if size not in profile.key_types.get(family, frozenset()):
            offered = ", ".join(
                f"{name} {one}" for name, all_ in sorted(profile.key_types.items()) for one in sorted(all_)
            )
            yield error("PROF-01", f'profile "{profile.name}" takes no {key_type.spelt} keys; it takes {offered}')


def _name_findings(desired: DesiredCertificate, profile: Profile) -> Iterator[Finding]:
    wildcards = sorted(name for name in desired.sans if name.startswith(_WILDCARD))
    kind = kind_of(profile.name, desired.order.issuer)
    if kind is Kind.EV and wildcards:
        yield error("PROF-02", f"EV allows no wildcard (EV Guidelines 7.1.2.7): {', '.join(wildcards)}")
    if not _SINGLE.search(profile.name):
        return
    further = sorted(desired.sans - {desired.common_name} - ca_additions(desired.common_name))
    if further:
        yield error("PROF-02", f'profile "{profile.name}" issues for one name; further ones are {", ".join(further)}')
    if wildcards and "wildcard" not in profile.name.lower():
        yield error("PROF-02", f'profile "{profile.name}" issues no wildcard; the file asks for {", ".join(wildcards)}')
