"""Perform one step: make its call and say what came of it. Nothing here decides, retries or waits."""

import hashlib
import logging
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import datetime
from typing import assert_never

from reconciler.errors import (
    AuthenticationError,
    LookAgainError,
    OutcomeUnknownError,
    ServiceError,
    ServiceRejectedError,
    ServiceUnavailableError,
    UnexpectedAnswerError,
)
from reconciler.model.certificate import AccountName, ChangeId, EnrollmentId, InstanceName
from reconciler.model.digest import desired_digest
from reconciler.model.entry import IntentId, OrderLink, Outcome, OutcomeKind
from reconciler.model.order import SslId
from reconciler.planning.steps import (
    AcknowledgeWarnings,
    CancelChange,
    CreateEnrollment,
    DeleteEnrollment,
    LinkOrders,
    PromoteToProduction,
    RevokeCertificate,
    Step,
    SubmitOrder,
    UpdateEnrollment,
    UploadCertificates,
    operation_of,
)
from reconciler.ports import Cps, Scm

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """The services of one run, by the user's own names for them.

    Inside of `asking(question)` they call `question` just before they send what changes something, after every wait:
    what it raises ends the call, and nothing was sent.
    """

    cps: Mapping[AccountName, Cps]
    scm: Mapping[InstanceName, Scm]
    asking: Callable[[Callable[[], None]], AbstractContextManager[object]] = nullcontext


@dataclass(frozen=True, slots=True, kw_only=True)
class Gained:
    """The ids that a step brought."""

    enrollment_id: EnrollmentId | None = None
    change_id: ChangeId | None = None
    ssl_id: SslId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """What came of a step, for the journal; `error` is what the service said where it did not do it."""

    outcome: Outcome
    error: ServiceError | None = None


def perform(step: Step, services: Services, *, intent: IntentId, now: datetime) -> Made:
    """Make the step's call once and map what happened to an outcome (design: safety 1)."""
    try:
        gained = _call(step, services)
    except ServiceError as error:
        kind = _kind(error)
        log.warning("%s: %s: %s", operation_of(step), kind, error)
        return Made(outcome=Outcome(intent=intent, kind=kind, at=now, detail=str(error)), error=error)
    done = Outcome(
        intent=intent,
        kind=OutcomeKind.DONE,
        at=now,
        enrollment_id=gained.enrollment_id,
        change_id=gained.change_id,
        ssl_id=gained.ssl_id,
    )
    return Made(outcome=done)


def _kind(error: ServiceError) -> OutcomeKind:
    match error:
        case LookAgainError():
            return OutcomeKind.LOOK_AGAIN
        case ServiceRejectedError():
            return OutcomeKind.REFUSED
        case ServiceUnavailableError() | AuthenticationError():
            return OutcomeKind.NOT_SENT
        case OutcomeUnknownError() | UnexpectedAnswerError():
            return OutcomeKind.UNKNOWN
        case _:  # a class that nobody has thought of yet: the careful reading
            return OutcomeKind.UNKNOWN


def _call(step: Step, services: Services) -> Gained:
    match step:
        case CreateEnrollment(desired=desired):
            opened = services.cps[desired.enrollment.account].create_enrollment(desired)
            return Gained(enrollment_id=opened.enrollment_id, change_id=opened.change_id)
        case UpdateEnrollment(desired=desired, enrollment_id=enrollment_id):
            opened = services.cps[desired.enrollment.account].update_enrollment(
                enrollment_id,
                desired,
                force_renewal=step.force_renewal,
                cancel_pending=step.cancel_pending,
                add_missing=step.add_missing,
            )
            return Gained(enrollment_id=enrollment_id, change_id=opened.change_id)
        case SubmitOrder(instance=instance, request=request):
            return Gained(ssl_id=services.scm[instance].submit_order(request).ssl_id)
        case UploadCertificates(account=account, enrollment_id=enrollment_id, change_id=change_id, halves=halves):
            services.cps[account].upload(enrollment_id, change_id, halves)
            return Gained()
        case AcknowledgeWarnings():
            _acknowledge(step, services.cps[step.account])
            return Gained()
        case PromoteToProduction(
            account=account, enrollment_id=enrollment_id, change_id=change_id, validation_hash=validation_hash
        ):
            services.cps[account].acknowledge_change_management(enrollment_id, change_id, validation_hash)
            return Gained()
        case CancelChange(account=account, enrollment_id=enrollment_id, change_id=change_id):
            services.cps[account].cancel_change(enrollment_id, change_id)
            return Gained()
        case DeleteEnrollment(account=account, enrollment_id=enrollment_id, cancel_pending=cancel_pending):
            opened = services.cps[account].delete_enrollment(enrollment_id, cancel_pending=cancel_pending)
            return Gained(enrollment_id=enrollment_id, change_id=opened.change_id)
        case RevokeCertificate(instance=instance, ssl_id=ssl_id, reason=reason):
            services.scm[instance].revoke(ssl_id, reason)
            return Gained()
        case LinkOrders(instance=instance, link=link):
            _link(link, services.scm[instance])
            return Gained()
        case _:
            assert_never(step)


def _link(link: OrderLink, scm: Scm) -> None:
    """Tell SCM of a successor, unless it knows of one: from a call whose answer was lost, or from a person."""
    order = scm.order(link.old)
    if order is not None and not order.renewed:
        scm.link_orders(link.old, link.new)


def _acknowledge(step: AcknowledgeWarnings, cps: Cps) -> None:
    """Acknowledge the warnings that policy accepted, if they are still exactly those."""
    text = cps.warnings(step.enrollment_id, step.change_id, step.input)
    if text != step.text:
        raise LookAgainError("cps", "acknowledge warnings", "the warnings are no longer those that were judged.")
    cps.acknowledge_warnings(step.enrollment_id, step.change_id, step.input)


def body_digest(step: Step) -> str:
    """Return a digest of what the step would send: equal exactly when two steps would do the same.

    Which change an update replaces is no part of it: were it, an update without effect would be a new step each time.
    """
    match step:
        case CreateEnrollment(desired=desired):
            sent = desired_digest(desired)
        case UpdateEnrollment(desired=desired):
            sent = f"{desired_digest(desired)} {step.force_renewal} {step.cancel_pending} {step.add_missing}"
        case _:
            sent = repr(step)
    return hashlib.sha256(sent.encode()).hexdigest()[:16]
