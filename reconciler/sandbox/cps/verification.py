"""What CPS warns of, before a CSR is made and after a certificate was uploaded."""

from collections.abc import Iterator

from reconciler.sandbox.cps.findings import Findings
from reconciler.sandbox.cps.state import Change, Enrollment, Finding, Upload
from reconciler.sandbox.cps.upload import Checked, check_form, check_upload
from reconciler.sandbox.cps.world import World, deployed_names


def safety_findings(world: World, enrollment: Enrollment) -> list[Finding]:
    """Return the pre-verification warnings: names that other enrollments hold, and live names that are to go."""
    findings = Findings(world.options)
    wanted = {name.lower(): name for name in enrollment.wanted.csr.names}
    network = enrollment.wanted.network_configuration
    other_class: set[str] = set()
    for other, names in _names_of_others(world, enrollment):
        shared = sorted(wanted.keys() & names)
        if other.wanted.network_configuration.secure_network != network.secure_network:
            other_class.update(shared)
        elif network.sni_only:
            for name in shared:
                findings.add("SNI_DNS_OVERLAP", dnsName=wanted[name])
    if other_class:
        findings.add("OVERLAPPING_TRAFFIC_CLASS", sanString=", ".join(sorted(other_class)))
    removed = sorted(deployed_names(enrollment.production) - wanted.keys())
    if removed:
        findings.add("SANS_REMOVED_REQUIRE_ACKNOWLEDGEMENT", sanString=", ".join(removed))
    return findings.all()


def _names_of_others(world: World, enrollment: Enrollment) -> Iterator[tuple[Enrollment, frozenset[str]]]:
    for other in world.state.enrollments.values():
        if other.id != enrollment.id:
            yield other, frozenset(name.lower() for name in other.wanted.csr.names)


def upload_findings(world: World, enrollment: Enrollment, change: Change) -> list[Finding]:
    """Return the post-verification warnings on what was uploaded."""
    findings = Findings(world.options)
    for upload in change.uploads:
        form = Findings(world.options)
        check_form(upload, form)
        if form.all():
            check_form(upload, findings)
        else:
            check_upload(
                _checked(world, enrollment, change, upload), trust=world.trust, options=world.options, findings=findings
            )
    return findings.all()


def _checked(world: World, enrollment: Enrollment, change: Change, upload: Upload) -> Checked:
    key = change.key(upload.algorithm)
    assert key is not None  # checked when it was uploaded
    return Checked(
        upload=upload,
        key=key,
        wanted=enrollment.wanted,
        live_names=deployed_names(enrollment.production),
        at=world.now(),
    )
