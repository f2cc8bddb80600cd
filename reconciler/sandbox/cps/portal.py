"""What a person does in Akamai's portal, behind the back of who uses the API."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec

from reconciler.sandbox.cps import body as enrollment_body
from reconciler.sandbox.cps.body import EnrollmentBody
from reconciler.sandbox.cps.changes import FIRST_CHANGE, Changes
from reconciler.sandbox.cps.csr import make_csr
from reconciler.sandbox.cps.deployments import assign_slot, deploy_to_production, deploy_to_staging
from reconciler.sandbox.cps.enrollments import FIRST_ENROLLMENT, Enrollments, Wishes
from reconciler.sandbox.cps.inputs import Answer, Inputs
from reconciler.sandbox.cps.problems import invalid_state, not_found
from reconciler.sandbox.cps.state import (
    Algorithm,
    Change,
    DeployedCertificate,
    Enrollment,
    KeyPair,
    Kind,
    Outcome,
    Status,
    Upload,
)
from reconciler.sandbox.cps.world import World

USER = "portal-user"


class CpsPortal:
    """The deeds of a person. CPS refuses them as it refuses calls: `Refused`."""

    def __init__(self, world: World, changes: Changes, enrollments: Enrollments, inputs: Inputs) -> None:
        self._world = world
        self._changes = changes
        self._enrollments = enrollments
        self._inputs = inputs

    def open_renewal(self, enrollment_id: int, cancel_pending: bool = False) -> int:
        """Start a renewal and return its change id."""
        enrollment = self._world.enrollment(enrollment_id)
        wishes = Wishes(
            force_renewal=True, renewal_date_check_override=True, allow_cancel_pending_changes=cancel_pending
        )
        written = self._enrollments.update(enrollment, enrollment.wanted, wishes, USER)
        assert written.change is not None  # forced
        return written.change.id

    def edit(self, enrollment_id: int, changes: dict[str, Any], cancel_pending: bool = False) -> int | None:
        """Change members of the enrollment's document, given as a merge patch. Return the change that it opened."""
        enrollment = self._world.enrollment(enrollment_id)
        document = _merged(msgspec.to_builtins(enrollment.wanted), changes)
        body = enrollment_body.parse(document, enrollment_body.CURRENT_VERSION)
        wishes = Wishes(allow_cancel_pending_changes=cancel_pending, renewal_date_check_override=True)
        written = self._enrollments.update(enrollment, body, wishes, USER)
        return None if written.change is None else written.change.id

    def edit_names(self, enrollment_id: int, names: list[str], cancel_pending: bool = False) -> int | None:
        """Replace the SANs; the common name stays."""
        return self.edit(enrollment_id, {"csr": {"sans": names}}, cancel_pending)

    def cancel_change(self, enrollment_id: int) -> None:
        enrollment, change = self._pending(enrollment_id)
        self._changes.cancel(enrollment, change)

    def suspend(self, enrollment_id: int) -> None:
        """Have Akamai's support stop the pending change."""
        self._changes.suspend(self._pending_in(enrollment_id, "open"))

    def resume(self, enrollment_id: int) -> None:
        """Have a suspended change go on."""
        self._changes.resume(self._pending_in(enrollment_id, "suspended"))

    def fail(self, enrollment_id: int, code: str = "INTERNAL_ERROR", description: str = "CPS could not go on.") -> None:
        """Have the pending change end in an error."""
        self._changes.fail(self._pending_in(enrollment_id, "open"), code, description)

    def remove(self, enrollment_id: int) -> None:
        """Remove an enrollment; one that was deployed takes its time."""
        wishes = Wishes(allow_cancel_pending_changes=True)
        self._enrollments.delete(self._world.enrollment(enrollment_id), wishes, USER)

    def upload(
        self, enrollment_id: int, certificate: str, trust_chain: str = "", key_algorithm: Algorithm = "RSA"
    ) -> None:
        _, change = self._pending(enrollment_id)
        upload = Upload(algorithm=key_algorithm, certificate_pem=certificate, trust_chain_pem=trust_chain)
        self._inputs.upload(change, [upload])

    def acknowledge(self, enrollment_id: int) -> None:
        """Say yes to whatever acknowledgement the pending change waits for."""
        self._answer(enrollment_id, "acknowledge")

    def deny(self, enrollment_id: int) -> None:
        """Say no to whatever acknowledgement the pending change waits for."""
        self._answer(enrollment_id, "deny")

    def install(
        self, *, contract: str, body: EnrollmentBody, certificates: Sequence[DeployedCertificate], at: datetime
    ) -> Enrollment:
        """Put a deployed enrollment in place as it would be, had it been made at that time in the past."""
        world = self._world
        change_id = world.ids.next("cps.change", first=FIRST_CHANGE)
        enrollment = Enrollment(
            id=world.ids.next("cps.enrollment", first=FIRST_ENROLLMENT),
            contract=contract,
            wanted=enrollment_body.normalized(body, world.options),
            created_at=at,
            change_ids=[change_id],
        )
        change = self._completed_change(change_id, enrollment, certificates, at)
        world.state.enrollments[enrollment.id] = enrollment
        world.state.changes[change_id] = change
        assign_slot(world, enrollment)
        deploy_to_staging(world, enrollment, change)
        deploy_to_production(world, enrollment, change)
        for deployment in (enrollment.staging, enrollment.production):
            assert deployment is not None
            deployment.deployed_at = at
        return enrollment

    def _completed_change(
        self, change_id: int, enrollment: Enrollment, certificates: Sequence[DeployedCertificate], at: datetime
    ) -> Change:
        change = Change(
            id=change_id,
            enrollment_id=enrollment.id,
            kind=Kind.NEW,
            created_by=USER,
            created_at=at,
            updated_at=at,
            status=Status.COMPLETE,
            outcome="completed",
            algorithms=[certificate.algorithm for certificate in certificates],
        )
        for certificate in certificates:
            key = self._world.keys.load(certificate.private_key_pem)
            change.keys.append(
                KeyPair(
                    algorithm=certificate.algorithm,
                    private_key_pem=certificate.private_key_pem,
                    csr_pem=make_csr(enrollment.wanted, key),
                    made_at=at,
                )
            )
            change.uploads.append(
                Upload(
                    algorithm=certificate.algorithm,
                    certificate_pem=certificate.certificate_pem,
                    trust_chain_pem=certificate.trust_chain_pem,
                )
            )
        return change

    def _pending(self, enrollment_id: int) -> tuple[Enrollment, Change]:
        enrollment = self._world.enrollment(enrollment_id)
        change = self._world.pending(enrollment)
        if change is None:
            raise not_found()
        return enrollment, change

    def _pending_in(self, enrollment_id: int, outcome: Outcome) -> Change:
        _, change = self._pending(enrollment_id)
        if change.outcome != outcome:
            raise invalid_state(f"The change is {change.outcome}.")
        return change

    def _answer(self, enrollment_id: int, answer: Answer) -> None:
        enrollment, change = self._pending(enrollment_id)
        match change.status:
            case Status.WAIT_PRE_VERIFICATION:
                self._inputs.acknowledge_pre_verification(enrollment, change, answer)
            case Status.WAIT_REVIEW:
                self._inputs.acknowledge_post_verification(enrollment, change, answer)
            case _:
                self._inputs.acknowledge_change_management(enrollment, change, answer, None)


def _merged(document: object, patch: object) -> object:
    """Return `document` with a merge patch applied (RFC 7396), but null is a value here, as it is in the API."""
    if not isinstance(patch, Mapping) or not isinstance(document, Mapping):
        return patch
    return {**document, **{name: _merged(document.get(name), value) for name, value in patch.items()}}
