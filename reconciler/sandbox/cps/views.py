"""How what CPS knows looks on the wire, in each version that is served."""

from typing import Literal

import msgspec

from reconciler.sandbox.cps.body import Document, downgraded
from reconciler.sandbox.cps.options import CpsOptions
from reconciler.sandbox.cps.problems import iso
from reconciler.sandbox.cps.state import Change, Enrollment, Kind, Status
from reconciler.sandbox.cps.world import World, renewal_start

MAX_WILDCARD_NAMES = 100

CHANGE_TYPES: dict[Kind, str | None] = {
    Kind.NEW: "new-certificate",
    Kind.NAMES: "modify-san",
    Kind.SUBJECT: "modify-certificate",
    Kind.RENEWAL: "renewal",
    Kind.ADDITION: "modify-certificate",
    Kind.SETTINGS: "modify-certificate",
    Kind.REMOVAL: None,  # the definition has no word for it
}

DESCRIPTIONS: dict[Status, str] = {
    Status.SAFETY_CHECKS: "Validating the requested changes.",
    Status.WAIT_PRE_VERIFICATION: "Waiting for you to acknowledge the pre-verification warnings.",
    Status.GENERATE_CSR: "Generating a certificate signing request (CSR).",
    Status.WAIT_UPLOAD: "Waiting for you to upload and submit your third party certificate and trust chain.",
    Status.VERIFY: "Verifying your third party certificate and trust chain.",
    Status.WAIT_REVIEW: "Waiting for you to acknowledge the post-verification warnings.",
    Status.SLOT_FILES: "Assembling deployment information.",
    Status.LIVE_CHECK: "Validating deployment information.",
    Status.STAGE_SETTINGS: "Deploying your changes to the staging network.",
    Status.STAGE_CERTIFICATE: "Deploying your certificate to the staging network.",
    Status.WAIT_CHANGE_MANAGEMENT: "Waiting for you to acknowledge the deployment to the production network.",
    Status.DEPLOY_PRODUCTION: "Deploying your certificate to the production network.",
    Status.COMPLETE: "All of your requested changes are complete.",
    Status.ABANDON_SLOTS: "Abandoning deployment identifier.",
    Status.DEPROVISION: "Deprovisioning your certificate.",
    Status.DELETE_CSR: "Deleting the certificate signing request (CSR).",
}

# What a waiting status asks for: type, segment of the info path, segment of the update path.
INPUTS: dict[Status, tuple[str, str, str]] = {
    Status.WAIT_PRE_VERIFICATION: (
        "pre-verification-warnings-acknowledgement",
        "pre-verification-warnings",
        "pre-verification-warnings-ack",
    ),
    Status.WAIT_UPLOAD: ("third-party-certificate", "third-party-csr", "third-party-cert-and-trust-chain"),
    Status.WAIT_REVIEW: (
        "post-verification-warnings-acknowledgement",
        "post-verification-warnings",
        "post-verification-warnings-ack",
    ),
    Status.WAIT_CHANGE_MANAGEMENT: ("change-management", "change-management-info", "change-management-ack"),
}


def enrollment_path(enrollment_id: int, prefix: str = "/cps/v2") -> str:
    return f"{prefix}/enrollments/{enrollment_id}"


def change_path(change: Change, prefix: str = "/cps/v2") -> str:
    return f"{enrollment_path(change.enrollment_id, prefix)}/changes/{change.id}"


def enrollment_document(world: World, enrollment: Enrollment, version: int) -> Document:
    """Return an enrollment as media type `enrollment` of that version shows it."""
    options = world.options
    document: Document = msgspec.to_builtins(enrollment.wanted)
    if options.signature_algorithm_echo == "as-null":
        document["signatureAlgorithm"] = None
    document |= {
        "id": shown_id(enrollment, options),
        "location": enrollment_path(enrollment.id, options.location_prefix),
        "pendingChanges": pending_changes(world, enrollment),
        "autoRenewalStartTime": _auto_renewal_start(world, enrollment),
        "maxAllowedSanNames": options.max_names,
        "maxAllowedWildcardSanNames": MAX_WILDCARD_NAMES,
        **slots(enrollment),
    }
    return downgraded(document, version)


def pending_changes(world: World, enrollment: Enrollment) -> list[Document]:
    ids = [] if enrollment.pending is None else [enrollment.pending]
    if world.options.pending_changes == "several":
        ids = [*enrollment.superseded, *ids]
    changes = [world.state.changes[change_id] for change_id in ids]
    return [
        {"location": change_path(change, world.options.location_prefix), "changeType": CHANGE_TYPES[change.kind]}
        for change in changes
    ]


def slots(enrollment: Enrollment) -> Document:
    numbers = [] if enrollment.slot is None else [enrollment.slot]
    return {
        "assignedSlots": numbers,
        "stagingSlots": numbers if enrollment.staging else [],
        "productionSlots": numbers if enrollment.production else [],
    }


def change_document(world: World, change: Change) -> Document:
    """Return a change's status; versions 1 and 2 look alike. For a while it may show what was before an input."""
    status = change.status
    if change.shown_status is not None and change.shown_until is not None and world.now() < change.shown_until:
        status = change.shown_status
    state = state_of(change, status)
    error = change.error and {
        "code": change.error.code,
        "description": change.error.description,
        "timestamp": iso(change.error.timestamp),
    }
    return {
        "statusInfo": {
            "status": world.options.review_status if status is Status.WAIT_REVIEW else status.value,
            "state": state,
            "description": DESCRIPTIONS[status],
            "error": error,
            "deploymentSchedule": schedule_document(change),
        },
        "allowedInput": [_allowed_input(change, status)] if state == "awaiting-input" else [],
    }


def state_of(change: Change, status: Status) -> str:
    if change.outcome != "open":
        return str(change.outcome)
    return "awaiting-input" if status in INPUTS else "running"


def schedule_document(change: Change) -> Document:
    return {
        "notBefore": change.not_before and iso(change.not_before),
        "notAfter": change.not_after and iso(change.not_after),
    }


def chain_member(chain_pem: str, form: Literal["empty-text", "as-null", "absent"]) -> Document:
    """Return the member `trustChain`, in the form chosen for a certificate that has none."""
    if chain_pem:
        return {"trustChain": chain_pem}
    return {} if form == "absent" else {"trustChain": "" if form == "empty-text" else None}


def shown_id(enrollment: Enrollment, options: CpsOptions) -> int | str:
    return str(enrollment.id) if options.id_type == "string" else enrollment.id


def _auto_renewal_start(world: World, enrollment: Enrollment) -> str | None:
    start = renewal_start(enrollment, world.options)
    if start is None or enrollment.pending is not None or start <= world.now():
        return None
    return iso(start)


def _allowed_input(change: Change, status: Status) -> Document:
    kind, info, update = INPUTS[status]
    return {
        "type": kind,
        "requiredToProceed": True,
        "info": f"{change_path(change)}/input/info/{info}",
        "update": f"{change_path(change)}/input/update/{update}",
    }
