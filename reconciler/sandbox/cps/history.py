"""The histories of an enrollment's changes and certificates. Neither shows change ids."""

from reconciler.sandbox.cps.body import Document
from reconciler.sandbox.cps.chains import load_certificate
from reconciler.sandbox.cps.deployments import primary_first
from reconciler.sandbox.cps.options import CpsOptions
from reconciler.sandbox.cps.problems import iso
from reconciler.sandbox.cps.state import (
    ALGORITHMS,
    Change,
    DeployedCertificate,
    Enrollment,
    Kind,
    LoggedCertificates,
)
from reconciler.sandbox.cps.views import chain_member
from reconciler.sandbox.cps.world import World

_KEY_ALGORITHM_SINCE = 5

ACTIONS: dict[Kind, tuple[str, str]] = {
    Kind.NEW: ("new-certificate", "Create New Certificate"),
    Kind.NAMES: ("modify-san", "Modify Subject Alternative Names"),
    Kind.SUBJECT: ("renew", "Renew Certificate"),
    Kind.RENEWAL: ("renew", "Renew Certificate"),
    Kind.ADDITION: ("renew", "Renew Certificate"),
    Kind.SETTINGS: ("update-network-configuration", "Update Network Configuration"),
}
_STATUSES = {
    "open": "incomplete",
    "suspended": "incomplete",
    "error": "incomplete",
    "cancelled": "cancelled",
    "completed": "completed",
}


def change_history(world: World, enrollment: Enrollment, version: int, *, include_all: bool) -> list[Document]:
    """Return the changes, newest first. A removal is none of them: with it the history goes."""
    changes = [world.state.changes[change_id] for change_id in reversed(enrollment.change_ids)]
    rows = [_change_row(change, version, world.options) for change in changes if change.kind in ACTIONS]
    cut = world.options.change_history_cut
    return rows if include_all or cut == 0 else rows[:cut]


def certificate_history(world: World, enrollment: Enrollment, *, include_all: bool) -> list[Document]:
    """Return the certificates that were on a network, newest first."""
    rows = [_certificate_row(enrollment, entry, world.options) for entry in reversed(enrollment.log)]
    cut = world.options.certificate_history_cut
    return rows if include_all or cut == 0 else rows[:cut]


def _change_row(change: Change, version: int, options: CpsOptions) -> Document:
    action, description = ACTIONS[change.kind]
    certificates = _change_certificates(change, version, options)
    return {
        "action": action,
        "actionDescription": description,
        "status": _STATUSES[change.outcome],
        "createdBy": change.created_by,
        "createdOn": iso(change.created_at),
        "lastUpdated": change.updated_at and iso(change.updated_at),
        "ra": "third-party",
        "businessCaseId": None,
        "primaryCertificate": certificates[0] if certificates else None,
        "multiStackedCertificates": certificates[1:],
        "primaryCertificateOrderDetails": None,
    }


def _change_certificates(change: Change, version: int, options: CpsOptions) -> list[Document]:
    """Return the keys of a change as far as they got, the ECDSA one first; a completed one shows what was uploaded."""
    uploads = {upload.algorithm: upload for upload in change.uploads}
    documents = []
    for key in sorted(change.keys, key=lambda key: ALGORITHMS.index(key.algorithm), reverse=True):
        upload = uploads.get(key.algorithm)
        if upload is None and change.outcome == "completed":
            continue
        document: Document = {"csr": key.csr_pem, "certificate": upload and upload.certificate_pem}
        document |= chain_member(upload.trust_chain_pem if upload else "", options.empty_chain_in_change_history)
        if version >= _KEY_ALGORITHM_SINCE:
            document["keyAlgorithm"] = key.algorithm
        documents.append(document)
    return documents


def _certificate_row(enrollment: Enrollment, entry: LoggedCertificates, options: CpsOptions) -> Document:
    certificates = [_logged(certificate, options) for certificate in primary_first(entry.certificates)]
    active_on = {
        network: (deployment := enrollment.on(network)) is not None and deployment.certificates_of == entry.change_id
        for network in ("staging", "production")
    }
    return {
        "type": enrollment.wanted.certificate_type,
        "deploymentStatus": "active" if active_on["production"] else "inactive",
        "stagingStatus": "active" if active_on["staging"] else "inactive",
        "slots": [] if enrollment.slot is None else [enrollment.slot],
        "geography": options.certificate_history_geography,
        "ra": enrollment.wanted.ra,
        "primaryCertificate": certificates[0],
        "multiStackedCertificates": certificates[1:],
    }


def _logged(certificate: DeployedCertificate, options: CpsOptions) -> Document:
    return {
        "certificate": certificate.certificate_pem,
        "expiry": iso(load_certificate(certificate.certificate_pem).not_valid_after_utc),
        "keyAlgorithm": certificate.algorithm,
        **chain_member(certificate.trust_chain_pem, options.empty_chain_in_certificate_history),
    }
