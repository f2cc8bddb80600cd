"""The life cycle of a change: statuses entered one after the other, as events of the clock."""

from collections.abc import Callable
from datetime import datetime, timedelta

from reconciler.sandbox.clock import Payload
from reconciler.sandbox.cps import deployments
from reconciler.sandbox.cps.csr import make_csr, make_key
from reconciler.sandbox.cps.problems import pending_change
from reconciler.sandbox.cps.state import (
    ALGORITHMS,
    Algorithm,
    Change,
    ChangeError,
    Enrollment,
    KeyPair,
    Kind,
    Status,
)
from reconciler.sandbox.cps.verification import safety_findings, upload_findings
from reconciler.sandbox.cps.world import World, acknowledgement_deadline

FIRST_CHANGE = 2041001
REMOVAL_STATUSES = (Status.ABANDON_SLOTS, Status.DEPROVISION, Status.DELETE_CSR)
MID_DEPLOYMENT = (
    Status.SLOT_FILES,
    Status.LIVE_CHECK,
    Status.STAGE_SETTINGS,
    Status.STAGE_CERTIFICATE,
    Status.DEPLOY_PRODUCTION,
)


class Changes:
    """Opens, moves and ends changes. What waits for a person is moved by `enter` from outside."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._done: dict[Status, Callable[[Enrollment, Change], None]] = {
            Status.SAFETY_CHECKS: self._safety_checks_done,
            Status.GENERATE_CSR: self._csr_done,
            Status.VERIFY: self._verify_done,
            Status.SLOT_FILES: self._slot_files_done,
            Status.LIVE_CHECK: self._live_check_done,
            Status.STAGE_SETTINGS: self._staging_done,
            Status.STAGE_CERTIFICATE: self._staging_done,
            Status.DEPLOY_PRODUCTION: self._production_done,
            Status.ABANDON_SLOTS: lambda _, change: self.enter(change, Status.DEPROVISION),
            Status.DEPROVISION: lambda _, change: self.enter(change, Status.DELETE_CSR),
            Status.DELETE_CSR: lambda enrollment, _: self.remove(enrollment),
        }
        world.clock.on("cps.change.step", self._on_step)
        world.clock.on("cps.change.deadline", self._on_deadline)

    def open(
        self,
        enrollment: Enrollment,
        kind: Kind,
        *,
        created_by: str,
        algorithms: tuple[Algorithm, ...] | None = None,
        not_before: datetime | None = None,
        not_after: datetime | None = None,
    ) -> Change:
        """Start a change. There must be no pending one."""
        world = self._world
        change = Change(
            id=world.ids.next("cps.change", first=FIRST_CHANGE),
            enrollment_id=enrollment.id,
            kind=kind,
            created_by=created_by,
            created_at=world.now(),
            status=Status.SAFETY_CHECKS,
            algorithms=list(algorithms or self._algorithms(enrollment)),
            not_before=not_before,
            not_after=not_after,
        )
        world.state.changes[change.id] = change
        enrollment.change_ids.append(change.id)
        enrollment.pending = change.id
        self._start(change)
        return change

    def enter(self, change: Change, status: Status) -> None:
        """Move a change to a status; if CPS works there, the end of that work is an event."""
        change.status = status
        change.updated_at = self._world.now()
        change.step += 1
        seconds = self._duration_s(status)
        if seconds is not None:
            self._world.clock.after(timedelta(seconds=seconds), "cps.change.step", change=change.id, step=change.step)
        if status is Status.WAIT_CHANGE_MANAGEMENT:
            self.plan_deadline(change)

    def plan_deadline(self, change: Change) -> None:
        """Plan the push of a staged certificate that nobody acknowledges."""
        deadline = acknowledgement_deadline(self._enrollment(change), change, self._world.options)
        if deadline is not None:
            self._world.clock.schedule(deadline, "cps.change.deadline", change=change.id, step=change.step)

    def reschedule(self, change: Change, not_before: datetime | None, not_after: datetime | None) -> None:
        """Set the deploy dates of an open change; what it waits for at present follows them."""
        change.not_before, change.not_after = not_before, not_after
        if change.held:
            self._resume(change)
        elif change.status is Status.WAIT_CHANGE_MANAGEMENT:
            self.plan_deadline(change)

    def to_production(self, change: Change) -> None:
        """Deploy to production, or wait for the deploy date, or fail because the last one has passed."""
        now = self._world.now()
        change.held = change.not_before is not None and change.not_before > now
        if change.held:
            self._hold(change, Status.DEPLOY_PRODUCTION)
        elif change.not_after is not None and now > change.not_after:
            change.status = Status.DEPLOY_PRODUCTION
            self.fail(change, "DEPLOYMENT_WINDOW_PASSED", "The last deploy date of this change has passed.")
        else:
            self.enter(change, Status.DEPLOY_PRODUCTION)

    def fail(self, change: Change, code: str, description: str) -> None:
        change.step += 1
        change.outcome = "error"
        change.error = ChangeError(code=code, description=description, timestamp=self._world.now())

    def suspend(self, change: Change) -> None:
        """Stop an open change where it stands, without an end."""
        change.outcome = "suspended"
        change.step += 1

    def resume(self, change: Change) -> None:
        """Have a suspended change go on; the work of its status begins anew."""
        change.outcome = "open"
        if change.held:
            self._resume(change)
        else:
            self.enter(change, change.status)

    def cancel(self, enrollment: Enrollment, change: Change) -> None:
        """Cancel a pending change. An enrollment that was never in production goes with it.

        Raises:
            Refused: 409, since it is past cancelling.
        """
        running = change.kind is Kind.REMOVAL or change.status is Status.DEPLOY_PRODUCTION
        if running and not change.held and change.outcome == "open":
            raise pending_change()
        self._end(enrollment, change)
        if enrollment.production is None and self._world.options.cancel_never_deployed == "removed":
            self.remove(enrollment)
        elif change.body_before is not None and self._world.options.body_after_cancel == "revert":
            enrollment.wanted = change.body_before

    def supersede(self, enrollment: Enrollment, change: Change) -> None:
        """Cancel a change to make place for another; the enrollment stays in any case."""
        superseded = [*enrollment.superseded, change.id]
        self._end(enrollment, change)
        enrollment.superseded = superseded

    def remove(self, enrollment: Enrollment) -> None:
        """Forget an enrollment and its changes: there is no archive."""
        for change_id in enrollment.change_ids:
            self._world.state.changes.pop(change_id, None)
        self._world.state.enrollments.pop(enrollment.id, None)

    def _start(self, change: Change) -> None:
        if change.kind is Kind.REMOVAL:
            self._resume(change)
        else:
            self.enter(change, Status.SAFETY_CHECKS if change.kind.needs_certificate else Status.SLOT_FILES)

    def _resume(self, change: Change) -> None:
        """Go on with what a deploy date holds back, if it does not any more."""
        if change.kind is not Kind.REMOVAL:
            self.to_production(change)
            return
        change.held = change.not_before is not None and change.not_before > self._world.now()
        if change.held:
            self._hold(change, Status.ABANDON_SLOTS)
        else:
            self.enter(change, Status.ABANDON_SLOTS)

    def _hold(self, change: Change, status: Status) -> None:
        assert change.not_before is not None
        change.status = status
        change.updated_at = self._world.now()
        change.step += 1
        self._world.clock.schedule(change.not_before, "cps.change.step", change=change.id, step=change.step)

    def _end(self, enrollment: Enrollment, change: Change) -> None:
        """Discard a change with its keys, and take back what it staged."""
        change.outcome = "cancelled"
        change.held = False
        change.step += 1
        change.updated_at = self._world.now()
        for key in change.keys:
            key.private_key_pem = ""
        enrollment.pending = None
        enrollment.superseded = []
        deployments.withdraw_from_staging(enrollment)

    def _on_step(self, payload: Payload) -> None:
        change = self._world.state.changes.get(int(payload["change"]))
        if change is None or change.step != payload["step"]:
            return
        if change.held:
            self._resume(change)
        else:
            self._done[change.status](self._enrollment(change), change)

    def _on_deadline(self, payload: Payload) -> None:
        change = self._world.state.changes.get(int(payload["change"]))
        if change is None or change.step != payload["step"]:
            return
        deadline = acknowledgement_deadline(self._enrollment(change), change, self._world.options)
        if deadline is not None and deadline <= self._world.now():
            self.to_production(change)

    def _safety_checks_done(self, enrollment: Enrollment, change: Change) -> None:
        change.findings = safety_findings(self._world, enrollment)
        self.enter(change, Status.WAIT_PRE_VERIFICATION if change.findings else Status.GENERATE_CSR)

    def _csr_done(self, enrollment: Enrollment, change: Change) -> None:
        change.findings = []
        change.keys = [self._key_pair(enrollment, algorithm) for algorithm in change.algorithms]
        self.enter(change, Status.WAIT_UPLOAD)

    def _verify_done(self, enrollment: Enrollment, change: Change) -> None:
        change.findings = upload_findings(self._world, enrollment, change)
        blocking = [finding for finding in change.findings if finding.blocking]
        mode = self._world.options.blocked_upload
        if blocking and mode != "warning":
            text = "\n".join(finding.text for finding in blocking)
            if mode == "error":
                self.fail(change, blocking[0].code, text)
                return
            change.error = ChangeError(code=blocking[0].code, description=text, timestamp=self._world.now())
            self.enter(change, Status.WAIT_UPLOAD)
        else:
            self.enter(change, Status.WAIT_REVIEW if change.findings else Status.SLOT_FILES)

    def _slot_files_done(self, enrollment: Enrollment, change: Change) -> None:
        deployments.assign_slot(self._world, enrollment)
        self.enter(change, Status.LIVE_CHECK)

    def _live_check_done(self, _: Enrollment, change: Change) -> None:
        if change.bypass_staging:
            self.to_production(change)
        else:
            self.enter(change, Status.STAGE_CERTIFICATE if change.kind.needs_certificate else Status.STAGE_SETTINGS)

    def _staging_done(self, enrollment: Enrollment, change: Change) -> None:
        deployments.deploy_to_staging(self._world, enrollment, change)
        if enrollment.wanted.change_management:
            self.enter(change, Status.WAIT_CHANGE_MANAGEMENT)
        else:
            self.to_production(change)

    def _production_done(self, enrollment: Enrollment, change: Change) -> None:
        change.outcome = "completed"
        change.status = Status.COMPLETE
        change.updated_at = self._world.now()
        enrollment.pending = None
        enrollment.superseded = []
        deployments.deploy_to_production(self._world, enrollment, change)

    def _algorithms(self, enrollment: Enrollment) -> tuple[Algorithm, ...]:
        both = self._world.options.csrs == "both" or enrollment.wanted.enable_multi_stacked_certificates
        return ALGORITHMS if both else ("RSA",)

    def _key_pair(self, enrollment: Enrollment, algorithm: Algorithm) -> KeyPair:
        world = self._world
        reused = None
        if world.options.key_reuse == "reused" and enrollment.production is not None:
            in_use = {known.algorithm: known.private_key_pem for known in enrollment.production.certificates}
            reused = in_use.get(algorithm)
        key = make_key(algorithm, world.keys) if reused is None else world.keys.load(reused)
        return KeyPair(
            algorithm=algorithm,
            private_key_pem=world.keys.private_pem(key),
            csr_pem=make_csr(enrollment.wanted, key),
            made_at=world.now(),
        )

    def _duration_s(self, status: Status) -> float | None:
        options = self._world.options
        return {
            Status.SAFETY_CHECKS: options.checks_s,
            Status.GENERATE_CSR: options.csr_s,
            Status.VERIFY: options.verify_s,
            Status.SLOT_FILES: options.slot_files_s,
            Status.LIVE_CHECK: options.live_check_s,
            Status.STAGE_SETTINGS: options.staging_s,
            Status.STAGE_CERTIFICATE: options.staging_s,
            Status.DEPLOY_PRODUCTION: options.production_s,
            **dict.fromkeys(REMOVAL_STATUSES, options.removal_s / len(REMOVAL_STATUSES)),
        }.get(status)

    def _enrollment(self, change: Change) -> Enrollment:
        return self._world.state.enrollments[change.enrollment_id]
