"""The enrollment document: its members, its versions, and what the server fills in."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import msgspec

from reconciler.sandbox.cps.options import CpsOptions
from reconciler.sandbox.cps.problems import Refused, invalid_enrollment

Document = dict[str, Any]

OLDEST_VERSION = 4
CURRENT_VERSION = 12
VERSIONS = (4, 7, 9, 10, 11, 12)

# Members that only the server sets. A body may hold them, as PUT bodies made of a GET do; they are not read.
READ_ONLY = frozenset(
    {
        "id",
        "location",
        "pendingChanges",
        "autoRenewalStartTime",
        "maxAllowedSanNames",
        "maxAllowedWildcardSanNames",
        "assignedSlots",
        "stagingSlots",
        "productionSlots",
    }
)

# The version that brought a member; older bodies neither show nor take it.
SINCE: Mapping[tuple[str, ...], int] = {
    ("maxAllowedSanNames",): 7,
    ("maxAllowedWildcardSanNames",): 7,
    ("networkConfiguration", "dnsNameSettings"): 7,
    ("networkConfiguration", "sniOnly"): 7,
    ("networkConfiguration", "quicEnabled"): 7,
    ("networkConfiguration", "ocspStapling"): 7,
    ("autoRenewalStartTime",): 9,
    ("networkConfiguration", "clientMutualAuthentication"): 9,
    ("csr", "preferredTrustChain"): 10,
    ("id",): 11,
    ("orgId",): 11,
    ("assignedSlots",): 11,
    ("stagingSlots",): 11,
    ("productionSlots",): 11,
    ("networkConfiguration", "fipsMode"): 12,
}
SNI_UNTIL = 4  # "sni" was what later became sniOnly and dnsNameSettings
PATHS_UNTIL = 9  # pendingChanges were paths


class Wire(msgspec.Struct, kw_only=True, frozen=True, rename="camel", forbid_unknown_fields=True):
    """A part of the document. CPS refuses members it does not know, at every level."""


class Address(Wire, kw_only=True, frozen=True):
    phone: str | None = None
    address_line_one: str | None = None
    address_line_two: str | None = None
    city: str | None = None
    region: str | None = None
    postal_code: str | None = None
    country: str | None = None


class Org(Address, kw_only=True, frozen=True):
    name: str | None = None


class Contact(Address, kw_only=True, frozen=True):
    first_name: str | None = None
    last_name: str | None = None
    email: str | None = None
    title: str | None = None
    organization_name: str | None = None


class Csr(Wire, kw_only=True, frozen=True):
    cn: str
    c: str | None = None
    st: str | None = None
    l: str | None = None  # noqa: E741 - the wire's name
    o: str | None = None
    ou: str | None = None
    sans: list[str] | None = None
    preferred_trust_chain: str | None = None

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self.sans or (self.cn,))


class DnsNameSettings(Wire, kw_only=True, frozen=True):
    clone_dns_names: bool
    dns_names: list[str] | None = None


class Ocsp(Wire, kw_only=True, frozen=True):
    enabled: bool | None = None


class AuthenticationOptions(Wire, kw_only=True, frozen=True):
    send_ca_list_to_client: bool | None = None
    ocsp: Ocsp | None = None


class ClientMutualAuthentication(Wire, kw_only=True, frozen=True):
    set_id: str | None = None
    authentication_options: AuthenticationOptions | None = None


class NetworkConfiguration(Wire, kw_only=True, frozen=True):
    geography: Literal["core", "china+core", "russia+core"]
    secure_network: Literal["enhanced-tls", "standard-tls"]
    sni_only: bool
    quic_enabled: bool
    must_have_ciphers: str | None = None
    preferred_ciphers: str | None = None
    disallowed_tls_versions: list[Literal["TLSv1", "TLSv1_1", "TLSv1_2", "TLSv1_3"]] | None = None
    ocsp_stapling: Literal["on", "off", "not-set"] | None = None
    dns_name_settings: DnsNameSettings | None = None
    client_mutual_authentication: ClientMutualAuthentication | None = None
    fips_mode: bool | None = None

    @property
    def dns_names(self) -> list[str] | None:
        return None if self.dns_name_settings is None else self.dns_name_settings.dns_names


class ThirdParty(Wire, kw_only=True, frozen=True):
    exclude_sans: bool


class EnrollmentBody(Wire, kw_only=True, frozen=True):
    """What is wanted, in the current version, without the members that the server sets."""

    ra: Literal["third-party", "symantec", "lets-encrypt"]
    validation_type: Literal["third-party", "dv", "ev", "ov"]
    certificate_type: Literal["third-party", "san", "single", "wildcard", "wildcard-san"]
    certificate_chain_type: Literal["default", "symantec1kroot"] | None = None
    signature_algorithm: Literal["SHA-1", "SHA-256"] | None = None
    change_management: bool
    enable_multi_stacked_certificates: bool
    csr: Csr
    network_configuration: NetworkConfiguration
    org: Org | None = None
    org_id: int | None = None
    admin_contact: Contact | None = None
    tech_contact: Contact | None = None
    third_party: ThirdParty | None = None

    @property
    def exclude_sans(self) -> bool:
        return self.third_party is not None and self.third_party.exclude_sans


def parse(document: object, version: int) -> EnrollmentBody:
    """Return the wanted state of a body of `version`.

    Raises:
        Refused: 400, naming the first member that is wrong.
    """
    if not isinstance(document, dict):
        raise invalid_enrollment("Expected `object`")
    _refuse_later_members(document, version)
    upgraded = {name: value for name, value in document.items() if name not in READ_ONLY}
    if version <= SNI_UNTIL:
        upgraded["networkConfiguration"] = _with_sni_upgraded(upgraded.get("networkConfiguration"))
    try:
        return msgspec.convert(upgraded, EnrollmentBody)
    except msgspec.ValidationError as error:
        if "$.certificateChainType" in str(error):
            raise Refused(
                400, "invalid-certificate-chain-type", "Invalid certificate chain type.", str(error)
            ) from error
        raise invalid_enrollment(str(error)) from error


def _refuse_later_members(document: Document, version: int) -> None:
    for path, since in SINCE.items():
        holder = document if len(path) == 1 else document.get(path[0])
        if version < since and isinstance(holder, dict) and path[-1] in holder:
            place = "" if len(path) == 1 else f" - at `$.{path[0]}`"
            raise invalid_enrollment(f"Object contains unknown field `{path[-1]}`{place}")


def _with_sni_upgraded(network: object) -> object:
    if not isinstance(network, dict):
        return network
    rest = {name: value for name, value in network.items() if name != "sni"}
    sni = network.get("sni")
    return {**rest, "sniOnly": sni is not None, "quicEnabled": False, "dnsNameSettings": sni}


def downgraded(document: Document, version: int) -> Document:
    """Return a document of the current version as `version` shows it."""
    shown = {**document, "csr": {**document["csr"]}, "networkConfiguration": {**document["networkConfiguration"]}}
    if version <= SNI_UNTIL:
        shown["networkConfiguration"]["sni"] = shown["networkConfiguration"]["dnsNameSettings"]
    if version <= PATHS_UNTIL:
        shown["pendingChanges"] = [change["location"] for change in shown["pendingChanges"]]
    for path, since in SINCE.items():
        if version < since:
            holder = shown if len(path) == 1 else shown[path[0]]
            holder.pop(path[-1], None)
    return shown


def normalized(body: EnrollmentBody, options: CpsOptions) -> EnrollmentBody:
    """Return the body as CPS keeps it: the common name among the SANs, DNS names cloned, defaults in place of nulls."""
    names = _with_common_name(body.csr.cn, body.csr.sans or ())
    network = body.network_configuration
    ciphers = None if options.null_ciphers == "as-null" else options.null_ciphers
    stapling = None if options.null_ocsp_stapling == "as-null" else options.null_ocsp_stapling
    return msgspec.structs.replace(
        body,
        csr=msgspec.structs.replace(body.csr, sans=names),
        certificate_chain_type=body.certificate_chain_type or "default",
        network_configuration=msgspec.structs.replace(
            network,
            must_have_ciphers=network.must_have_ciphers or ciphers,
            preferred_ciphers=network.preferred_ciphers or ciphers,
            disallowed_tls_versions=network.disallowed_tls_versions or [],
            ocsp_stapling=network.ocsp_stapling or stapling,
            dns_name_settings=_cloned(network.dns_name_settings, names),
        ),
    )


def _with_common_name(cn: str, sans: Sequence[str]) -> list[str]:
    seen: dict[str, str] = {}
    for name in (cn, *sans):
        seen.setdefault(name.lower(), name)
    return list(seen.values())


def _cloned(settings: DnsNameSettings | None, names: list[str]) -> DnsNameSettings | None:
    if settings is None or not settings.clone_dns_names:
        return settings
    return DnsNameSettings(clone_dns_names=True, dns_names=list(names))
