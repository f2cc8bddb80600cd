"""Differences between a file and an enrollment's body, both normalised. A field that no file names has none."""

import enum
from collections.abc import Iterator
from dataclasses import dataclass

from reconciler.model.certificate import Contact, DesiredCertificate, KeyType, PostalOrganization, Subject
from reconciler.model.enrollment import Enrollment, Served
from reconciler.model.names import DnsName


class Effect(enum.StrEnum):
    """What it takes to make a difference go away."""

    NEW_ORDER = "forces a new order"
    REDEPLOY = "redeploys, without a new order"
    STORED = "is stored at once"


@dataclass(frozen=True, slots=True, kw_only=True)
class SansDiffer:
    added: frozenset[DnsName]
    removed: frozenset[DnsName]
    effect: Effect = Effect.NEW_ORDER


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyTypesDiffer:
    added: frozenset[KeyType]
    removed: frozenset[KeyType]
    effect: Effect = Effect.NEW_ORDER


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldDiffers:
    pointer: str  # as the file spells it: "akamai.ocspStapling"
    before: str
    after: str
    effect: Effect


Difference = SansDiffer | KeyTypesDiffer | FieldDiffers


def differences(desired: DesiredCertificate, enrollment: Enrollment, served: Served | None) -> tuple[Difference, ...]:
    """Return what is unequal, names first. Key types are compared with those served; before that they are not."""
    found: list[Difference] = []
    if desired.sans != enrollment.sans:
        found.append(SansDiffer(added=desired.sans - enrollment.sans, removed=enrollment.sans - desired.sans))
    live = frozenset(served.production) if served is not None else frozenset()
    if desired.key_types is not None and live and desired.key_types != live:
        found.append(KeyTypesDiffer(added=desired.key_types - live, removed=live - desired.key_types))
    found.extend(_fields(desired, enrollment))
    return tuple(found)


def _fields(desired: DesiredCertificate, enrollment: Enrollment) -> Iterator[FieldDiffers]:
    wanted = desired.enrollment
    # CPS has this setting for SNI-only enrollments alone, and none for others whatever was asked (akamai-cps 3.2).
    clone_dns_names = wanted.clone_dns_names if wanted.sni_only else None
    yield from _subject(wanted.subject, enrollment.subject)
    for pointer, before, after, effect in (
        ("akamai.excludeSans", enrollment.exclude_sans, wanted.exclude_sans, Effect.NEW_ORDER),
        ("akamai.geography", enrollment.geography, wanted.geography, Effect.REDEPLOY),
        ("akamai.mustHaveCiphers", enrollment.must_have_ciphers, wanted.must_have_ciphers, Effect.REDEPLOY),
        ("akamai.preferredCiphers", enrollment.preferred_ciphers, wanted.preferred_ciphers, Effect.REDEPLOY),
        (
            "akamai.disallowedTlsVersions",
            enrollment.disallowed_tls_versions,
            wanted.disallowed_tls_versions,
            Effect.REDEPLOY,
        ),
        ("akamai.ocspStapling", enrollment.ocsp_stapling, wanted.ocsp_stapling, Effect.REDEPLOY),
        ("akamai.cloneDnsNames", enrollment.clone_dns_names, clone_dns_names, Effect.REDEPLOY),
        (
            "akamai.clientMutualAuthentication",
            enrollment.client_mutual_authentication,
            wanted.client_mutual_authentication,
            Effect.REDEPLOY,
        ),
        ("akamai.fipsMode", enrollment.fips_mode, wanted.fips_mode, Effect.REDEPLOY),
        ("akamai.changeManagement", enrollment.change_management, wanted.change_management, Effect.STORED),
    ):
        if after is not None and before != after:
            yield FieldDiffers(pointer=pointer, before=_shown(before), after=_shown(after), effect=effect)
    yield from _parts("akamai.org", enrollment.org, wanted.org)
    yield from _parts("akamai.adminContact", enrollment.admin_contact, wanted.admin_contact)
    yield from _parts("akamai.techContact", enrollment.tech_contact, wanted.tech_contact)


def _subject(wanted: Subject | None, live: Subject) -> Iterator[FieldDiffers]:
    if wanted is None:
        return
    for field, before, after in (
        ("country", live.country, wanted.country),
        ("state", live.state, wanted.state),
        ("locality", live.locality, wanted.locality),
        ("organization", live.organization, wanted.organization),
        ("organizationalUnit", live.organizational_unit, wanted.organizational_unit),
    ):
        if after is not None and before != after:
            yield FieldDiffers(
                pointer=f"akamai.subject.{field}", before=_shown(before), after=_shown(after), effect=Effect.NEW_ORDER
            )


_Part = Contact | PostalOrganization | None


def _parts(pointer: str, live: _Part, wanted: _Part) -> Iterator[FieldDiffers]:
    if wanted is None:
        return
    for field in wanted.__dataclass_fields__:
        before, after = getattr(live, field, None), getattr(wanted, field)
        if after is not None and before != after:
            camel = "".join(word.capitalize() if place else word for place, word in enumerate(field.split("_")))
            yield FieldDiffers(
                pointer=f"{pointer}.{camel}", before=_shown(before), after=_shown(after), effect=Effect.STORED
            )


def _shown(value: object) -> str:
    match value:
        case None:
            return "(none)"
        case bool():
            return "true" if value else "false"
        case frozenset():
            return ", ".join(sorted(str(item) for item in value)) or "(none)"
        case _:
            return str(value) or '""'
