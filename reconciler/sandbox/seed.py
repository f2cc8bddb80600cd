"""A fleet that has been there for a while: deployed enrollments, each with its certificate and issued order."""

import asyncio
import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from cryptography.hazmat.primitives import serialization

from reconciler.sandbox.app import Sandbox
from reconciler.sandbox.ca import IssuedCertificate, IssueRequest, SubjectFields
from reconciler.sandbox.cps import body as cps_body
from reconciler.sandbox.cps.csr import make_csr
from reconciler.sandbox.cps.state import DeployedCertificate
from reconciler.sandbox.keys import KeyMaker, PrivateKey
from reconciler.sandbox.scm.terms import longest_term

_CONTRACT = "C-1ABCDEF"
_DOMAIN = "example.com"
_ORGANIZATION_ID = 1101
_PROFILE_ID = 2012  # OV Multi-Domain
_MAX_COUNT = 100_000
_RENEWAL_WINDOW = timedelta(days=30)
_YOUNG_SHARE = 0.4  # of a lifetime: a certificate is not due in the first half of its life


class SeedError(ValueError):
    """The fleet can't be made as asked."""


@dataclass(frozen=True, kw_only=True)
class SeedRequest:
    count: int = 100
    due: int = 0  # how many of them are inside their renewal window
    spread_days: int = 60  # over which the issue dates of the others lie
    term_days: int = 0  # at most so many; 0: the longest that the day of issue allows
    tagged: bool = False  # whether the orders carry certrecon's tag, as if it had placed them
    files: bool = False  # whether to answer with certificate files that ask for just these


@dataclass(frozen=True, slots=True, kw_only=True)
class Plant:
    """One enrollment to be."""

    common_name: str
    dns_names: tuple[str, ...]
    issued_at: datetime
    term_days: int

    @property
    def sans(self) -> tuple[str, ...]:
        return (self.common_name, *self.dns_names)


async def sow(sandbox: Sandbox, request: SeedRequest) -> list[Plant]:
    """Put a fleet in place; between two enrollments other calls get their turn. Return what was put there.

    Raises:
        SeedError: `count`, `due`, `spread_days` or `term_days` make no sense.
    """
    _check(request)
    keys = KeyMaker("pooled")
    plants = [_plant(sandbox, request, place) for place in range(request.count)]
    for plant in plants:
        _put_in_place(sandbox, plant, keys, tagged=request.tagged)
        await asyncio.sleep(0)
    return plants


def _check(request: SeedRequest) -> None:
    if not 1 <= request.count <= _MAX_COUNT:
        raise SeedError(f"count must lie between 1 and {_MAX_COUNT}")
    if not 0 <= request.due <= request.count:
        raise SeedError("due can't be more than count")
    if request.spread_days < 1:
        raise SeedError("spread_days must be 1 or more")
    if request.term_days < 0:
        raise SeedError("term_days can't be negative")


def _plant(sandbox: Sandbox, request: SeedRequest, place: int) -> Plant:
    label = f"s{sandbox.ids.next('seed', first=1):04d}"
    now = sandbox.clock.now()
    if place < request.due:
        age = _due_age(now, request)
    else:
        share = (place - request.due) / max(request.count - request.due, 1)
        age = min(timedelta(days=request.spread_days), _term(now, request) * _YOUNG_SHARE * timedelta(days=1)) * share
    issued_at = now - age - timedelta(hours=1)
    return Plant(
        common_name=f"{label}.{_DOMAIN}",
        dns_names=(f"{label}-static.{_DOMAIN}",),
        issued_at=issued_at,
        term_days=_term(issued_at, request),
    )


def _term(issued_at: datetime, request: SeedRequest) -> int:
    longest = longest_term(issued_at)
    return min(request.term_days, longest) if request.term_days else longest


def _due_age(now: datetime, request: SeedRequest) -> timedelta:
    """Return the age at which two thirds of the renewal window are left, whatever term was valid at that time."""
    age = timedelta()
    for _ in range(3):  # the term depends on the date of issue, and that on the term
        lifetime = timedelta(days=_term(now - age, request))
        age = lifetime - min(_RENEWAL_WINDOW, lifetime / 3) * 2 / 3
    return age


def _put_in_place(sandbox: Sandbox, plant: Plant, keys: KeyMaker, *, tagged: bool) -> None:
    body = cps_body.normalized(cps_body.parse(_document(plant), cps_body.CURRENT_VERSION), sandbox.state.cps_options)
    key = keys.rsa()
    csr_pem = make_csr(body, key)
    issued = _issued(sandbox, plant, csr_pem)
    enrollment = sandbox.cps.portal.install(
        contract=_CONTRACT,
        body=body,
        certificates=[
            DeployedCertificate(
                algorithm="RSA",
                certificate_pem=issued.leaf_pem,
                trust_chain_pem="".join(sandbox.authority.chain("OV", "RSA", cross=False).intermediates),
                private_key_pem=keys.private_pem(key),
            )
        ],
        at=plant.issued_at,
    )
    sandbox.scm.portal.install(
        org_id=_ORGANIZATION_ID,
        profile_id=_PROFILE_ID,
        csr_pem=csr_pem,
        common_name=plant.common_name,
        sans=plant.sans,
        term_days=plant.term_days,
        certificate=issued,
        requested_at=plant.issued_at,
        comments=_tag(enrollment.id, enrollment.change_ids[-1], key) if tagged else "",
    )


def _issued(sandbox: Sandbox, plant: Plant, csr_pem: str) -> IssuedCertificate:
    organization = sandbox.scm.state.organizations[_ORGANIZATION_ID]
    return sandbox.authority.issue(
        IssueRequest(
            csr_pem=csr_pem,
            kind="OV",
            common_name=plant.common_name,
            sans=plant.sans,
            subject=SubjectFields(
                organization=organization.name,
                locality=organization.city,
                state=organization.state_or_province,
                country=organization.country,
            ),
            term_days=plant.term_days,
            now=plant.issued_at,
        )
    )


def _tag(enrollment_id: int, change_id: int, key: PrivateKey) -> str:
    """Return the comment that certrecon's own orders carry: an interface of its own, not its code."""
    spki = key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    key_hash = hashlib.sha256(spki).hexdigest()[:32]
    return f"certrecon/1 i=seed e={enrollment_id} c={change_id} k=RSA key={key_hash} cause={'0' * 16}"


_ADDRESS = {
    "addressLineOne": "1 Example Street",
    "city": "Manchester",
    "region": "Greater Manchester",
    "postalCode": "M1 1AA",
    "country": "GB",
    "phone": "+44 161 000 0000",
}


def _document(plant: Plant) -> dict[str, Any]:
    return {
        "ra": "third-party",
        "validationType": "third-party",
        "certificateType": "third-party",
        "changeManagement": True,
        "enableMultiStackedCertificates": False,
        "csr": {
            "cn": plant.common_name,
            "sans": list(plant.sans),
            "c": "GB",
            "st": "Greater Manchester",
            "l": "Manchester",
            "o": "Example Ltd",
        },
        "networkConfiguration": {
            "geography": "core",
            "secureNetwork": "enhanced-tls",
            "sniOnly": True,
            "quicEnabled": False,
            "mustHaveCiphers": "ak-akamai-2020q1",
            "preferredCiphers": "ak-akamai-2020q1",
            "disallowedTlsVersions": ["TLSv1", "TLSv1_1"],
            "ocspStapling": "on",
            "dnsNameSettings": {"cloneDnsNames": True},
        },
        "org": {"name": "Example Ltd", **_ADDRESS},
        "adminContact": {
            "firstName": "Ada",
            "lastName": "Byron",
            "email": "tls@example.com",
            "phone": "+44 161 000 0000",
        },
        "techContact": {
            "firstName": "Ari",
            "lastName": "Kam",
            "email": "ari@akamai.com",
            "phone": "+1 617 000 0000",
        },
        "thirdParty": {"excludeSans": False},
    }


_DEFAULTS_YAML = """\
# What the certificates beside this file have in common: just what `certrecon sandbox seed` put in place.
apiVersion: certrecon/v1
keyTypes: [RSA-2048]
sectigo:
  instance: enterprise
  organization: Example Ltd
  profile: OV Multi-Domain
  issuer: public
  term: max
akamai:
  account: main
  contract: C-1ABCDEF
  secureNetwork: enhanced-tls
  sniOnly: true
  geography: core
  mustHaveCiphers: ak-akamai-2020q1
  preferredCiphers: ak-akamai-2020q1
  disallowedTlsVersions: [TLSv1, TLSv1_1]
  ocspStapling: "on"
  cloneDnsNames: true
  changeManagement: true
  subject: {country: GB, state: Greater Manchester, locality: Manchester, organization: Example Ltd}
  adminContact: {firstName: Ada, lastName: Byron, email: tls@example.com, phone: "+44 161 000 0000"}
  techContact: {firstName: Ari, lastName: Kam, email: ari@akamai.com, phone: "+1 617 000 0000"}
  org:
    name: Example Ltd
    addressLineOne: 1 Example Street
    city: Manchester
    region: Greater Manchester
    postalCode: "M1 1AA"
    country: GB
    phone: "+44 161 000 0000"
"""


def certificate_files(plants: list[Plant]) -> dict[str, str]:
    """Return the files of a folder of certificates by name: a plan over them finds nothing to do."""
    files = {f"{plant.common_name}.yaml": _yaml(plant) for plant in plants}
    return {"_defaults.yaml": _DEFAULTS_YAML, **files}


def _yaml(plant: Plant) -> str:
    return (
        "apiVersion: certrecon/v1\n"
        f"commonName: {plant.common_name}\n"
        f"dnsNames: [{', '.join(plant.dns_names)}]\n"
        "labels: {team: seeded}\n"
    )
