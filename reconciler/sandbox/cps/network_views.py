"""How deployments look on the wire, those that are and the one that waits for an acknowledgement."""

import hashlib
from functools import lru_cache

import msgspec
from cryptography.hazmat.primitives import hashes

from reconciler.sandbox.cps.body import Document, NetworkConfiguration
from reconciler.sandbox.cps.chains import colons, load_certificate
from reconciler.sandbox.cps.findings import TEXTS
from reconciler.sandbox.cps.options import CpsOptions
from reconciler.sandbox.cps.problems import iso
from reconciler.sandbox.cps.state import Change, DeployedCertificate, Deployment, Enrollment, Network
from reconciler.sandbox.cps.upload import signature_algorithm
from reconciler.sandbox.cps.views import enrollment_path, pending_changes, shown_id, slots
from reconciler.sandbox.cps.world import World, acknowledgement_deadline, deployed_names


def deployment_document(deployment: Deployment, version: int) -> Document:
    """Return what runs on a network as media type `deployment` of that version shows it."""
    certificates = [_certificate(certificate, version) for certificate in deployment.certificates]
    network = _deployed_network(deployment.network_configuration, version)
    if version <= 3:
        primary = certificates[0]
        return {
            "certificate": primary["certificate"],
            "signatureAlgorithm": primary["signatureAlgorithm"],
            "trustChain": primary["trustChain"],
            "networkConfiguration": network,
        }
    return {
        "ocspStapled": False,
        "ocspUris": [],
        "networkConfiguration": network,
        "primaryCertificate": certificates[0],
        "multiStackedCertificates": certificates[1:],
    }


def empty_deployment_document(enrollment: Enrollment, version: int) -> Document:
    """Return the form of a deployment without certificate, which one client guards against."""
    network = _deployed_network(enrollment.wanted.network_configuration, version)
    if version <= 3:
        return {"certificate": None, "signatureAlgorithm": None, "trustChain": None, "networkConfiguration": network}
    return {
        "ocspStapled": False,
        "ocspUris": None,
        "networkConfiguration": network,
        "primaryCertificate": None,
        "multiStackedCertificates": [],
    }


def active_certificates_document(world: World, enrollment: Enrollment, version: int) -> Document:
    return {
        "id": shown_id(enrollment, world.options),
        "location": enrollment_path(enrollment.id, world.options.location_prefix),
        "certificateType": enrollment.wanted.certificate_type,
        "enableMultiStackedCertificates": enrollment.wanted.enable_multi_stacked_certificates,
        **slots(enrollment),
        "csr": {"cn": enrollment.wanted.csr.cn, "sans": list(enrollment.wanted.csr.names)},
        "pendingChanges": pending_changes(world, enrollment),
        "production": _active(enrollment, "production", world.options, version),
        "staging": _active(enrollment, "staging", world.options, version),
    }


def change_management_document(world: World, enrollment: Enrollment, change: Change, version: int) -> Document:
    """Return what an acknowledgement of change management would let go to production."""
    warnings = change_management_warnings(enrollment)
    deadline = acknowledgement_deadline(enrollment, change, world.options)
    certificates = [] if enrollment.staging is None else enrollment.staging.certificates
    pending = [_pending_certificate(world, enrollment, certificate, version) for certificate in certificates]
    state: Document = {"pendingNetworkConfiguration": _pending_network(world, enrollment, version)}
    if version >= 5:
        state["pendingCertificates"] = pending
    elif pending:
        state["pendingCertificate"] = pending[0]
    return {
        "acknowledgementDeadline": deadline and iso(deadline),
        "validationResultHash": change_management_hash(enrollment),
        "validationResult": {"errors": None, "warnings": warnings} if warnings else None,
        "pendingState": state,
    }


def change_management_warnings(enrollment: Enrollment) -> list[Document]:
    """Return the warnings on names that production serves and staging does not: all in one, as recorded."""
    gone = sorted(deployed_names(enrollment.production) - deployed_names(enrollment.staging))
    if not gone:
        return []
    text = TEXTS["CERTIFICATE_VS_NETWORK_SAN_REMOVED_FROM_CERT_LIVE_ON_NETWORK"]
    message = ", ".join(text.format(sanValue=name) for name in gone)
    return [{"message": f"[{message}]", "messageCode": "no-code"}]


def change_management_hash(enrollment: Enrollment) -> str:
    """Return the SHA-1 of the messages: without any, that of nothing, as Akamai's examples show."""
    messages = "".join(warning["message"] for warning in change_management_warnings(enrollment))
    return hashlib.sha1(messages.encode(), usedforsecurity=False).hexdigest()


def _certificate(certificate: DeployedCertificate, version: int) -> Document:
    leaf = load_certificate(certificate.certificate_pem)
    document = {
        "certificate": certificate.certificate_pem,
        "trustChain": certificate.trust_chain_pem,
        "expiry": iso(leaf.not_valid_after_utc),
        "signatureAlgorithm": signature_algorithm(leaf),
    }
    return document if version < 7 else {**document, "keyAlgorithm": certificate.algorithm}


def _deployed_network(network: NetworkConfiguration, version: int) -> Document:
    document: Document = {
        "mustHaveCiphers": network.must_have_ciphers,
        "preferredCiphers": network.preferred_ciphers,
    }
    if version == 1:
        return {**document, "networkType": network_type(network), "sni": _sni(network)}
    document |= {
        "geography": network.geography,
        "secureNetwork": network.secure_network,
        "disallowedTlsVersions": list(network.disallowed_tls_versions or ()),
    }
    if version <= 3:
        return {**document, "sni": _sni(network)}
    document |= {
        "ocspStapling": network.ocsp_stapling,
        "sniOnly": network.sni_only,
        "quicEnabled": network.quic_enabled,
        "dnsNames": network.dns_names,
    }
    return document if version < 8 else {**document, "fipsMode": network.fips_mode}


def network_type(network: NetworkConfiguration) -> str:
    """Return the old word for geography and network together."""
    if network.secure_network == "standard-tls":
        return "standard-worldwide"
    return "worldwide-russia" if network.geography == "russia+core" else "worldwide"


def _sni(network: NetworkConfiguration) -> Document | None:
    return None if network.dns_name_settings is None else msgspec.to_builtins(network.dns_name_settings)


def _active(enrollment: Enrollment, network: Network, options: CpsOptions, version: int) -> Document | None:
    deployment = enrollment.on(network)
    if deployment is None:
        return None
    certificates = [_fingerprints(certificate) for certificate in deployment.certificates]
    return {
        "location": f"{enrollment_path(enrollment.id, options.location_prefix)}/deployments/{network}",
        "networkConfiguration": _deployed_network(deployment.network_configuration, 8 if version >= 2 else 7),
        "primaryCertificate": certificates[0],
        "multiStackedCertificates": certificates[1:],
    }


def _fingerprints(certificate: DeployedCertificate) -> Document:
    return {**_described(certificate.certificate_pem), "keyAlgorithm": certificate.algorithm}


@lru_cache(maxsize=8192)
def _described(certificate_pem: str) -> Document:
    leaf = load_certificate(certificate_pem)
    return {
        "serial": colons(leaf.serial_number),
        "sha256Fingerprint": leaf.fingerprint(hashes.SHA256()).hex(":").upper(),
        "expiry": iso(leaf.not_valid_after_utc),
        "issuer": leaf.issuer.rfc4514_string(),
        "signatureAlgorithm": signature_algorithm(leaf),
    }


def _pending_certificate(
    world: World, enrollment: Enrollment, certificate: DeployedCertificate, version: int
) -> Document:
    document: Document = {
        "certificateType": enrollment.wanted.certificate_type,
        "fullCertificate": certificate.certificate_pem,
        "signatureAlgorithm": signature_algorithm(load_certificate(certificate.certificate_pem)),
    }
    if version >= 4:
        document |= {"ocspStapled": _boolean(False, world.options), "ocspUris": None}
    return document if version < 5 else {**document, "keyAlgorithm": certificate.algorithm}


def _pending_network(world: World, enrollment: Enrollment, version: int) -> Document:
    network = enrollment.wanted.network_configuration
    document: Document = {
        "mustHaveCiphers": network.must_have_ciphers,
        "preferredCiphers": network.preferred_ciphers,
        "networkType": network_type(network) if version < 4 else None,
    }
    if version >= 2:
        document["disallowedTlsVersions"] = list(network.disallowed_tls_versions or ())
    if version < 4:
        return {**document, "sni": _sni(network)}
    document |= {
        "dnsNameSettings": _sni(network),
        "ocspStapling": network.ocsp_stapling,
        "quicEnabled": _boolean(network.quic_enabled, world.options),
        "sniOnly": _boolean(network.sni_only, world.options),
    }
    return document if version < 6 else {**document, "fipsMode": network.fips_mode}


def _boolean(value: bool, options: CpsOptions) -> bool | str:
    return value if options.change_management_booleans == "booleans" else str(value).lower()
