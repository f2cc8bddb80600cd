"""What runs on the networks: how a change gets there, and what the edge serves."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from reconciler.sandbox.cps.chains import used_chain
from reconciler.sandbox.cps.state import (
    ALGORITHMS,
    Algorithm,
    Change,
    DeployedCertificate,
    Deployment,
    Enrollment,
    Kind,
    LoggedCertificates,
    Network,
)
from reconciler.sandbox.cps.world import World, deployed_names, renewal_start

FIRST_SLOT = 45013


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveCertificate:
    algorithm: Algorithm
    leaf_pem: str
    chain_pem: str
    key_pem: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveCertificates:
    """What one network serves for a name: one certificate for each key type."""

    enrollment_id: int
    certificates: tuple[LiveCertificate, ...]


def assign_slot(world: World, enrollment: Enrollment) -> None:
    if enrollment.slot is None:
        enrollment.slot = world.ids.next("cps.slot", first=FIRST_SLOT)


def deploy_to_staging(world: World, enrollment: Enrollment, change: Change) -> None:
    """Put a change on staging, and what it brought into the certificate history."""
    world.before_deployment(enrollment.id)
    enrollment.staging = _deployment(world, enrollment, change)
    if change.kind.needs_certificate:
        enrollment.log.append(LoggedCertificates(change_id=change.id, certificates=enrollment.staging.certificates))


def deploy_to_production(world: World, enrollment: Enrollment, change: Change) -> None:
    """Put a change on production; staging shows the same then. Plan the next automatic renewal."""
    world.before_deployment(enrollment.id)
    enrollment.production = _deployment(world, enrollment, change)
    enrollment.staging = replace(enrollment.production)
    enrollment.deployed_body = enrollment.wanted
    start = renewal_start(enrollment, world.options)
    if start is not None:
        world.clock.schedule(start, "cps.renewal.due", enrollment=enrollment.id)


def withdraw_from_staging(enrollment: Enrollment) -> None:
    """Have staging show what is in production, since the change that moved it ahead is cancelled."""
    enrollment.staging = None if enrollment.production is None else replace(enrollment.production)


def live(enrollments: Sequence[Enrollment], network: Network, server_name: str) -> LiveCertificates | None:
    """Return what a network serves for a name: an exact match before a one-label wildcard, of several the newest."""
    name = server_name.lower().rstrip(".")
    wildcard = f"*.{name.partition('.')[2]}"
    for wanted in (name, wildcard):
        found = [
            (deployment.deployed_at, enrollment.id, deployment)
            for enrollment in enrollments
            if (deployment := enrollment.on(network)) is not None and wanted in deployed_names(deployment)
        ]
        if found:
            _, enrollment_id, deployment = max(found, key=lambda item: item[:2])
            return LiveCertificates(
                enrollment_id=enrollment_id,
                certificates=tuple(
                    LiveCertificate(
                        algorithm=certificate.algorithm,
                        leaf_pem=certificate.certificate_pem,
                        chain_pem=certificate.trust_chain_pem,
                        key_pem=certificate.private_key_pem,
                    )
                    for certificate in deployment.certificates
                ),
            )
    return None


def primary_first(certificates: Sequence[DeployedCertificate]) -> list[DeployedCertificate]:
    """Return certificates in CPS's order: of two, the ECDSA one is primary."""
    return sorted(certificates, key=lambda certificate: ALGORITHMS.index(certificate.algorithm), reverse=True)


def _deployment(world: World, enrollment: Enrollment, change: Change) -> Deployment:
    current = enrollment.production
    if change.kind.needs_certificate:
        certificates = _certificates(change)
        if change.kind is Kind.ADDITION and current is not None:
            new = {certificate.algorithm for certificate in certificates}
            certificates += [certificate for certificate in current.certificates if certificate.algorithm not in new]
        certificates_of = change.id
    else:
        assert current is not None  # settings change on deployed enrollments only
        certificates, certificates_of = current.certificates, current.certificates_of
    return Deployment(
        certificates=primary_first(certificates),
        certificates_of=certificates_of,
        network_configuration=enrollment.wanted.network_configuration,
        deployed_at=world.now(),
    )


def _certificates(change: Change) -> list[DeployedCertificate]:
    deployed = []
    for upload in change.uploads:
        key = change.key(upload.algorithm)
        assert key is not None  # checked when it was uploaded
        deployed.append(
            DeployedCertificate(
                algorithm=upload.algorithm,
                certificate_pem=upload.certificate_pem,
                trust_chain_pem=used_chain(upload.certificate_pem, upload.trust_chain_pem),
                private_key_pem=key.private_key_pem,
            )
        )
    return deployed
