"""What was uploaded to a change, compared with what should have been: by certrecon, a person or another tool."""

from collections.abc import Mapping

from reconciler.model.certificate import ChangeId, EnrollmentId, KeyType
from reconciler.model.enrollment import Change, ChangeManagement, Enrollment, InputKind, UploadHalf
from reconciler.model.entry import CauseId
from reconciler.model.x509 import MalformedCertificateError, parse_certificates
from reconciler.planning.case import Case
from reconciler.planning.halves import Halves, Upload
from reconciler.planning.observed import ChangeView
from reconciler.planning.steps import (
    Act,
    ActionKind,
    Actor,
    Blocked,
    Phase,
    UpdateEnrollment,
    UploadCertificates,
    Wait,
)


def upload_step(case: Case, enrollment: EnrollmentId, change: ChangeId, upload: Upload) -> UploadCertificates:
    return UploadCertificates(
        account=case.desired.enrollment.account, enrollment_id=enrollment, change_id=change, halves=upload.halves
    )


def refused_upload(case: Case, view: ChangeView, change: Change, upload: Upload) -> Blocked | None:
    """Tell that CPS refused just what would be uploaded: sent again, it would be refused again."""
    uploads = view.record.uploads if view.record is not None else ()
    if change.error is None or not uploads or _wrong(uploads, upload) is not None:
        return None
    return Blocked(
        phase=Phase.ISSUED,
        actor=Actor.OPERATOR,
        text=f"CPS refused the upload: {change.error}",
        remedy=f"Clear what it says; then `certrecon apply --retry {case.desired.name}` makes a new change and order.",
        reason="upload-refused",
        error=True,
    )


def repaired(
    case: Case, enrollment: Enrollment, view: ChangeView, change: Change, halves: Halves, cause: CauseId
) -> Act | Wait | Blocked | None:
    """Upload over what CPS reviews, if that is not what our orders brought; None where it is, or nobody can tell.

    CPS takes another upload as long as it waits for a word on its findings (akamai-cps 3.5).
    """
    uploads = view.record.uploads if view.record is not None else ()
    if not uploads or not all(half.live or half.dead for half in halves.halves):
        return None
    ours = halves.issued()
    if not isinstance(ours, Upload):
        return ours or halves.waiting()  # whatever is there, it is not of our orders
    why = _wrong(uploads, ours)
    if why is None:
        return None
    return Act(
        phase=Phase.WARNINGS,
        kind=ActionKind.UPLOAD,
        cause=cause,
        steps=(upload_step(case, enrollment.id, change.id, ours),),
        reason="upload-repaired",
        text=f"what waits for review in change {change.id} is not right: {why}",
        notes=ours.notes,
    )


def replaced_past_review(
    case: Case, enrollment: Enrollment, management: ChangeManagement, change: Change, halves: Halves, cause: CauseId
) -> Act | None:
    """Begin anew where staging has another certificate than our orders brought: past review nothing can be uploaded."""
    ours = halves.serials()
    live = {one.serial for one in case.served(enrollment).production.values()}
    there = _serials(management.pending_pems)
    wrong = there - ours - live if there & ours else there  # a change that adds a half has the served one beside it
    if not ours or not wrong:
        return None
    serials = ", ".join(sorted(f"{serial:x}" for serial in wrong))
    return Act(
        phase=Phase.PROMOTE,
        kind=ActionKind.REISSUE,
        cause=cause,
        steps=(UpdateEnrollment.with_new_keys(case.desired, enrollment.id, replaces=change.id),),
        reason="wrong-upload",
        text=f"change {change.id} has another certificate on staging (serial {serials}), and is past its review",
    )


def died_in_review(view: ChangeView, halves: Halves) -> Blocked | None:
    """Tell that what CPS reviews was revoked meanwhile, or that no order of the change lives."""
    uploads = view.record.uploads if view.record is not None else ()
    return halves.died(_serials(tuple(one.leaf_pem for one in uploads)))


def died_past_review(
    case: Case, enrollment: Enrollment, management: ChangeManagement, halves: Halves
) -> Blocked | None:
    """Tell that what waits for production was revoked meanwhile, or that no order of the change lives."""
    on_staging = {one.serial for one in case.served(enrollment).staging.values()}
    return halves.died(_serials(management.pending_pems) | on_staging)


def reviewed(change: Change) -> bool:
    """Tell whether CPS has an upload that another may replace, or has refused one."""
    refused = InputKind.CERTIFICATE in change.inputs and change.error is not None
    return InputKind.POST_WARNINGS in change.inputs or refused


def _wrong(uploads: tuple[UploadHalf, ...], ours: Upload) -> str | None:
    found: Mapping[KeyType, UploadHalf] = {half.key_type: half for half in uploads}
    for half in ours.halves:
        there = found.get(half.key_type)
        if there is None:
            return f"the {half.key_type} certificate is missing"
        if _ders(there.leaf_pem) != _ders(half.leaf_pem):
            return f"the {half.key_type} certificate is another one"
        if _ders(there.chain_pem) != _ders(half.chain_pem):
            return f"the {half.key_type} certificate has another chain"
    return None


def _ders(pem: str) -> tuple[bytes, ...] | None:
    """Return the certificates of a PEM text; None where it is none."""
    try:
        return tuple(one.der for one in parse_certificates(pem)) if pem.strip() else ()
    except MalformedCertificateError:
        return None


def _serials(pems: tuple[str, ...]) -> frozenset[int]:
    """Return the serials of the leaves; each text has its leaf first."""
    found = set()
    for pem in pems:
        try:
            found.add(parse_certificates(pem)[0].serial)
        except MalformedCertificateError:
            continue
    return frozenset(found)
