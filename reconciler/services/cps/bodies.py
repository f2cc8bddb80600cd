"""What we send to CPS: the bodies of creates, updates, uploads and acknowledgements."""

from collections.abc import Mapping
from typing import Any, TypeVar

from reconciler.model.certificate import (
    Contact,
    DesiredCertificate,
    DesiredEnrollment,
    IssuerClass,
    MutualAuthentication,
    PostalOrganization,
    Subject,
)
from reconciler.model.enrollment import UploadHalf

Value = TypeVar("Value")

# What a create uses for a field that no file names; afterwards such a field is never touched.
_GEOGRAPHY = "core"
_CIPHERS = "ak-akamai-2020q1"
_DISALLOWED_TLS_VERSIONS = ("TLSv1", "TLSv1_1")
_SIGNATURE_ALGORITHM = "SHA-256"


def create(desired: DesiredCertificate) -> dict[str, Any]:
    """Return the enrollment to ask for. Mutual authentication is not in it: CPS refuses it in a POST."""
    wanted = desired.enrollment
    return {
        "ra": "third-party",
        "validationType": "third-party",
        "certificateType": "third-party",
        "certificateChainType": "default",
        "signatureAlgorithm": wanted.signature_algorithm or _SIGNATURE_ALGORITHM,
        "changeManagement": _or(wanted.change_management, True),
        "enableMultiStackedCertificates": len(desired.wanted_key_types) > 1,
        "csr": _csr(desired),
        "networkConfiguration": _network(desired),
        "org": _org(wanted.org),
        "adminContact": _contact(wanted.admin_contact),
        "techContact": _contact(wanted.tech_contact),
        "thirdParty": {"excludeSans": _or(wanted.exclude_sans, False)},
    }


def update(enrollment: Mapping[str, Any], desired: DesiredCertificate) -> dict[str, Any]:
    """Return `enrollment`, as a GET gave it, with only the fields replaced that files name; the rest stays."""
    wanted = desired.enrollment
    changed = dict(enrollment)
    changed["csr"] = _updated_csr(enrollment["csr"], desired)
    changed["networkConfiguration"] = _updated_network(enrollment["networkConfiguration"], desired)
    if wanted.change_management is not None:
        changed["changeManagement"] = wanted.change_management
    if desired.key_types is not None and len(desired.key_types) > 1:
        changed["enableMultiStackedCertificates"] = True
    if wanted.exclude_sans is not None:
        changed["thirdParty"] = {**(enrollment.get("thirdParty") or {}), "excludeSans": wanted.exclude_sans}
    for name, named in (
        ("org", _org(wanted.org)),
        ("adminContact", _contact(wanted.admin_contact)),
        ("techContact", _contact(wanted.tech_contact)),
    ):
        if named is not None:
            changed[name] = {**(enrollment.get(name) or {}), **_without_none(named)}
    return changed


def _updated_csr(csr: Mapping[str, Any], desired: DesiredCertificate) -> dict[str, Any]:
    subject = desired.enrollment.subject or Subject()
    named = {
        "c": subject.country,
        "st": subject.state,
        "l": subject.locality,
        "o": subject.organization,
        "ou": subject.organizational_unit,
    }
    return {**csr, "sans": [desired.common_name, *sorted(desired.sans - {desired.common_name})], **_without_none(named)}


def _updated_network(network: Mapping[str, Any], desired: DesiredCertificate) -> dict[str, Any]:
    wanted = desired.enrollment
    named = {
        "geography": wanted.geography,
        "mustHaveCiphers": wanted.must_have_ciphers,
        "preferredCiphers": wanted.preferred_ciphers,
        "disallowedTlsVersions": None
        if wanted.disallowed_tls_versions is None
        else sorted(wanted.disallowed_tls_versions),
        "ocspStapling": wanted.ocsp_stapling,
        "fipsMode": wanted.fips_mode,
    }
    changed = {**network, **_without_none(named)}
    settings = network.get("dnsNameSettings")
    if settings is not None:
        changed["dnsNameSettings"] = _updated_dns_names(settings, desired)
    if wanted.client_mutual_authentication is not None:
        changed["clientMutualAuthentication"] = _mutual_authentication(
            network.get("clientMutualAuthentication") or {}, wanted.client_mutual_authentication
        )
    return changed


def _updated_dns_names(settings: Mapping[str, Any], desired: DesiredCertificate) -> dict[str, Any]:
    """Return the names to serve. With cloneDnsNames CPS fills them in; without, they stay unless named."""
    named, cloned = desired.enrollment.clone_dns_names, bool(settings.get("cloneDnsNames"))
    known = {str(name).lower() for name in settings.get("dnsNames") or ()}
    if _or(named, cloned):
        kept = settings.get("dnsNames") if cloned and known == desired.sans else None
        return {"cloneDnsNames": True, "dnsNames": kept}
    return {"cloneDnsNames": False, "dnsNames": settings.get("dnsNames") if named is None else sorted(desired.sans)}


def _without_none(named: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in named.items() if value is not None}


def upload(halves: tuple[UploadHalf, ...]) -> dict[str, Any]:
    return {
        "certificatesAndTrustChains": [
            {"certificate": half.leaf_pem, "trustChain": half.chain_pem, "keyAlgorithm": half.key_type.value}
            for half in halves
        ]
    }


def acknowledgement(validation_hash: str | None = None) -> dict[str, str]:
    answer = {"acknowledgement": "acknowledge"}
    return answer if validation_hash is None else {**answer, "hash": validation_hash}


def _csr(desired: DesiredCertificate) -> dict[str, Any]:
    subject = desired.enrollment.subject or Subject()
    others = sorted(desired.sans - {desired.common_name})
    return {
        "cn": desired.common_name,
        "sans": [desired.common_name, *others],
        "c": subject.country,
        "st": subject.state,
        "l": subject.locality,
        "o": subject.organization,
        "ou": subject.organizational_unit,
    }


def _network(desired: DesiredCertificate) -> dict[str, Any]:
    wanted = desired.enrollment
    network: dict[str, Any] = {
        "geography": wanted.geography or _GEOGRAPHY,
        "secureNetwork": wanted.secure_network,
        "sniOnly": wanted.sni_only,
        "quicEnabled": False,
        "mustHaveCiphers": wanted.must_have_ciphers or _CIPHERS,
        "preferredCiphers": wanted.preferred_ciphers or _CIPHERS,
        "disallowedTlsVersions": sorted(_or(wanted.disallowed_tls_versions, frozenset(_DISALLOWED_TLS_VERSIONS))),
        "ocspStapling": wanted.ocsp_stapling or _ocsp_stapling(desired),
        "dnsNameSettings": _dns_names(desired, wanted) if wanted.sni_only else None,
    }
    if wanted.fips_mode is not None:
        network["fipsMode"] = wanted.fips_mode
    return network


def _ocsp_stapling(desired: DesiredCertificate) -> str:
    # Certificates of a private CA name no OCSP responder, so there is nothing to staple.
    return "off" if desired.order.issuer is IssuerClass.PRIVATE else "on"


def _dns_names(desired: DesiredCertificate, wanted: DesiredEnrollment) -> dict[str, Any]:
    if _or(wanted.clone_dns_names, True):
        return {"cloneDnsNames": True}  # CPS fills in the names of the certificate
    return {"cloneDnsNames": False, "dnsNames": sorted(desired.sans)}


def _org(org: PostalOrganization | None) -> dict[str, Any] | None:
    if org is None:
        return None
    return {
        "name": org.name,
        "addressLineOne": org.address_line_one,
        "addressLineTwo": org.address_line_two,
        "city": org.city,
        "region": org.region,
        "postalCode": org.postal_code,
        "country": org.country,
        "phone": org.phone,
    }


def _contact(contact: Contact | None) -> dict[str, Any] | None:
    if contact is None:
        return None
    return {
        "firstName": contact.first_name,
        "lastName": contact.last_name,
        "email": contact.email,
        "phone": contact.phone,
    }


def _mutual_authentication(existing: Mapping[str, Any], settings: MutualAuthentication) -> dict[str, Any]:
    options = dict(existing.get("authenticationOptions") or {})
    ocsp = dict(options.get("ocsp") or {})
    options["sendCaListToClient"] = _or(settings.send_ca_list_to_client, options.get("sendCaListToClient"))
    options["ocsp"] = {"enabled": _or(settings.ocsp_enabled, ocsp.get("enabled"))}
    return {"setId": _or(settings.set_id, existing.get("setId")), "authenticationOptions": options}


def _or(value: Value | None, default: Value) -> Value:
    """Return `value`, or `default` where no file names it; False and an empty set are values."""
    return default if value is None else value
