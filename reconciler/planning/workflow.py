"""The next step of one certificate, from what is wanted and what was seen: pure, and the same at every look."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from reconciler.model.certificate import (
    AccountName,
    CertificateName,
    DesiredCertificate,
    DesiredEnrollment,
    EnrollmentId,
    InstanceName,
    Promote,
)
from reconciler.model.enrollment import Change, ChangeState, Enrollment, InputKind, Served
from reconciler.model.names import DnsName
from reconciler.model.policy import Policy
from reconciler.model.x509 import Certificate
from reconciler.planning.causes import create_cause
from reconciler.planning.diff import Difference, FieldDiffers, differences
from reconciler.planning.halves import Halves, Ordering, Surroundings, Upload, halves_of
from reconciler.planning.matching import Absent, Found, InTheWay, match_enrollment
from reconciler.planning.observed import AccountView, ChangeView, InstanceView, Observed
from reconciler.planning.ordering import OrderTerms
from reconciler.planning.steps import (
    AcknowledgeWarnings,
    Act,
    Actor,
    Blocked,
    CreateEnrollment,
    Decision,
    Done,
    Phase,
    PromoteToProduction,
    SetMutualAuthentication,
    Unread,
    UploadCertificates,
    Wait,
)
from reconciler.planning.warnings import judge_management, judge_text

_MUTUAL_AUTHENTICATION = "akamai.clientMutualAuthentication"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trust:
    """Which roots a certificate may lead to: public ones as certificates, private ones by SHA-256 an instance."""

    public_roots: tuple[Certificate, ...]
    private_roots: Mapping[InstanceName, frozenset[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What all decisions of one look share."""

    observed: Observed
    policy: Policy
    trust: Trust
    installation: str
    claimed: Mapping[AccountName, frozenset[EnrollmentId]]  # enrollments that files name by id
    promote: frozenset[CertificateName] = frozenset()  # those with `promote: manual` that a person lets go now


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One certificate with what the look says of it. `terms` is None where SCM's names could not be resolved."""

    desired: DesiredCertificate
    account: AccountView
    instance: InstanceView
    terms: OrderTerms | None
    context: Context

    @property
    def now(self) -> datetime:
        return self.context.observed.at

    def served(self, enrollment: Enrollment) -> Served:
        return self.account.served.values.get(enrollment.id, Served())

    def view(self, enrollment: Enrollment) -> ChangeView | None:
        return self.context.observed.changes.get((self.desired.enrollment.account, enrollment.id))


def decide(case: Case) -> Decision:
    """Return what is to be done, waited for, or in the way of one certificate."""
    if unread := _unread(case):
        return unread
    own = case.desired.enrollment.enrollment_id
    claimed = case.context.claimed.get(case.desired.enrollment.account, frozenset()) - {own}
    match match_enrollment(case.desired, case.account.index, claimed=frozenset(claimed)):
        case InTheWay(why=why, remedy=remedy):
            return Blocked(phase=Phase.ABSENT, actor=Actor.AUTHOR, text=why, remedy=remedy, reason="in-the-way")
        case Absent():
            return _create(case)
        case Found(enrollment=enrollment):
            return _existing(case, enrollment)


def _unread(case: Case) -> Unread | None:
    parts = (
        case.account.contracts,
        case.account.enrollments,
        case.account.served,
        case.instance.organizations,
        case.instance.profiles,
        case.instance.orders,
    )
    problems = [problem for part in parts if not part.complete for problem in part.problems or ("not complete",)]
    return Unread(text="; ".join(dict.fromkeys(problems))) if problems else None


def _create(case: Case) -> Decision:
    if case.terms is None:
        return _unresolved()
    if missing := _missing_for_create(case.desired.enrollment):
        return Blocked(
            phase=Phase.ABSENT,
            actor=Actor.AUTHOR,
            text=f"CPS creates no enrollment without {', '.join(missing)}, and no file names it",
            remedy="Name it in the file or in certificates/_defaults.yaml.",
            reason="incomplete",
            error=True,
        )
    return Act(
        phase=Phase.ABSENT,
        steps=(CreateEnrollment(desired=case.desired),),
        reason="no-enrollment",
        text="no enrollment has this identity",
        notes=case.terms.notes,
    )


def _missing_for_create(wanted: DesiredEnrollment) -> list[str]:
    """Return what CPS demands of a create and no built-in default can give (akamai-cps 3.1)."""
    needed = {
        "akamai.adminContact": wanted.admin_contact,
        "akamai.techContact": wanted.tech_contact,
        "akamai.org": wanted.org,
    }
    return [pointer for pointer, value in needed.items() if value is None]


def _unresolved() -> Blocked:
    return Blocked(
        phase=Phase.ABSENT,
        actor=Actor.AUTHOR,
        text="its file names something that SCM or CPS does not have",
        remedy="See the problems listed above.",
        reason="unresolved",
        error=True,
    )


def _existing(case: Case, enrollment: Enrollment) -> Decision:
    served = case.served(enrollment)
    view = case.view(enrollment)
    if enrollment.pending and (view is None or view.problem is not None):
        return Unread(text=view.problem if view is not None and view.problem else "its pending change was not read")
    deployed = bool(served.production)
    if view is not None and (not deployed or _is_ours(case, enrollment)):
        return _pending(case, enrollment, view)
    if deployed:
        return _settled(case, enrollment, served)
    return Blocked(
        phase=Phase.ERROR,
        actor=Actor.OPERATOR,
        text=f"enrollment {enrollment.id} has neither a certificate nor a pending change",
        remedy="Renew or remove it in the portal.",
        reason="idle-enrollment",
    )


def _is_ours(case: Case, enrollment: Enrollment) -> bool:
    """Tell whether an order of ours was placed for the pending change: its tag names the change."""
    return any((enrollment.id, change.id) in case.instance.book.by_change for change in enrollment.pending)


# What is served


def _settled(case: Case, enrollment: Enrollment, served: Served) -> Decision:
    found = differences(case.desired, enrollment, served)
    if found:
        return Blocked(
            phase=Phase.PRODUCTION,
            actor=Actor.OPERATOR,
            text=f"enrollment {enrollment.id} differs from its file: {_listed(found)}",
            remedy="This version creates certificates and leaves live ones alone: change it in the portal.",
            reason="differs",
        )
    if lacking := case.desired.sans - _served_names(case, served):
        return Blocked(
            phase=Phase.PRODUCTION,
            actor=Actor.OPERATOR,
            text=f"the served certificate lacks names that enrollment {enrollment.id} already asks for:"
            f" {', '.join(sorted(lacking))}",
            remedy="This version creates certificates and leaves live ones alone: renew it in the portal.",
            reason="served-differs",
        )
    notes = []
    if enrollment.pending:
        notes.append(f"change {enrollment.pending[0].id} is pending and was not opened for this file: left alone")
    return Done(notes=tuple(notes))


def _served_names(case: Case, served: Served) -> frozenset[DnsName]:
    """Return the names that every served certificate has, by SCM's word; all wanted ones where SCM does not know it."""
    orders = (case.instance.book.by_serial.get(one.serial) for one in served.production.values())
    known = [order.sans | {order.common_name} for order in orders if order is not None]
    return frozenset.intersection(*known) if known else case.desired.sans


def _listed(found: Sequence[Difference]) -> str:
    return ", ".join(one.pointer if isinstance(one, FieldDiffers) else _named(one) for one in found)


def _named(difference: Difference) -> str:
    return "names" if type(difference).__name__ == "SansDiffer" else "key types"


# A change that is under way


def _pending(case: Case, enrollment: Enrollment, view: ChangeView) -> Decision:
    change = view.change
    if change is None:
        return Unread(text="its pending change was not read")
    halves = halves_of(_surroundings(case, enrollment, change, view))
    found = differences(case.desired, enrollment, None)
    if not halves.ordered and (step := _mutual_authentication(case, enrollment, found, change)):
        return step
    unequal = tuple(one for one in found if not halves.ordered or not _is_mutual_authentication(one))
    if unequal:
        return Blocked(
            phase=_running_phase(change),
            actor=Actor.OPERATOR,
            text=f"enrollment {enrollment.id} is new and differs from its file: {_listed(unequal)}",
            remedy="Make the file equal to what was asked for, or cancel the change in the portal and run again.",
            reason="differs",
        )
    match change.state:
        case ChangeState.NEW | ChangeState.RUNNING:
            return _running(change)
        case ChangeState.AWAITING_INPUT:
            return _answer(case, enrollment, view, change, halves)
        case ChangeState.COMPLETED:
            return Wait(
                phase=Phase.PRODUCTION,
                actor=Actor.CPS,
                text="the change is complete; the networks' list is to follow",
                poll=timedelta(minutes=1),
            )
        case ChangeState.CANCELLED | ChangeState.SUSPENDED | ChangeState.ERROR | ChangeState.UNKNOWN:
            return _stopped(enrollment, change)


def _surroundings(case: Case, enrollment: Enrollment, change: Change, view: ChangeView) -> Surroundings:
    trust = case.context.trust
    return Surroundings(
        desired=case.desired,
        enrollment=enrollment,
        change_id=change.id,
        view=view,
        book=case.instance.book,
        collected=case.context.observed.collected,
        live_serials=frozenset(one.serial for one in case.served(enrollment).production.values()),
        public_roots=trust.public_roots,
        private_roots=trust.private_roots.get(case.desired.order.instance, frozenset()),
        csr_max_age=case.context.policy.csr_max_age,
        now=case.now,
    )


def _is_mutual_authentication(difference: Difference) -> bool:
    return isinstance(difference, FieldDiffers) and difference.pointer == _MUTUAL_AUTHENTICATION


def _mutual_authentication(
    case: Case, enrollment: Enrollment, found: Sequence[Difference], change: Change
) -> Decision | None:
    """A POST may not carry mutual authentication: it follows by PUT, before any order (a new change, a new CSR)."""
    settings = case.desired.enrollment.client_mutual_authentication
    if settings is None or not any(_is_mutual_authentication(one) for one in found):
        return None
    step = SetMutualAuthentication(
        account=case.desired.enrollment.account,
        enrollment_id=enrollment.id,
        settings=settings,
        fips_mode=case.desired.enrollment.fips_mode,
    )
    return Act(
        phase=_running_phase(change),
        steps=(step,),
        reason="mutual-authentication",
        text="CPS takes mutual authentication only after the enrollment was created",
    )


_RUNNING: Mapping[str, tuple[Phase, timedelta]] = {
    "pre-verification-safety-checks": (Phase.PRECHECKS, timedelta(seconds=30)),
    "generate-csr": (Phase.CSR, timedelta(minutes=1)),
    "verify-third-party-cert": (Phase.CHECKING, timedelta(minutes=1)),
    "create-slot-files": (Phase.STAGING, timedelta(minutes=5)),
    "forward-create-slot-files": (Phase.STAGING, timedelta(minutes=5)),
    "live-check-action": (Phase.STAGING, timedelta(minutes=5)),
    "forward-live-check-action": (Phase.STAGING, timedelta(minutes=5)),
    "deploy-changes-to-staging": (Phase.STAGING, timedelta(minutes=10)),
    "deploy-cert-to-staging": (Phase.STAGING, timedelta(minutes=10)),
    "deploy-cert-to-production": (Phase.PRODUCTION, timedelta(minutes=15)),
}


def _running_phase(change: Change) -> Phase:
    return _RUNNING.get(change.status, (Phase.CHECKING, timedelta()))[0]


def _running(change: Change) -> Wait:
    phase, poll = _RUNNING.get(change.status, (Phase.CHECKING, timedelta(minutes=5)))
    return Wait(phase=phase, actor=Actor.CPS, text=change.description or change.status, poll=poll)


def _stopped(enrollment: Enrollment, change: Change) -> Decision:
    phase = Phase.SUSPENDED if change.state is ChangeState.SUSPENDED else Phase.ERROR
    said = f": {change.error}" if change.error else ""
    return Blocked(
        phase=phase,
        actor=Actor.OPERATOR,
        text=f"change {change.id} of enrollment {enrollment.id} is {change.state} at {change.status}{said}",
        remedy="Look at it in the portal; cancel it there and run again, or ask Akamai's support.",
        reason=f"change-{change.state}",
    )


def _answer(case: Case, enrollment: Enrollment, view: ChangeView, change: Change, halves: Halves) -> Decision:
    """Answer what CPS asks. The status may be shown before the input is offered: then wait a moment."""
    if InputKind.PRE_WARNINGS in change.inputs:
        return _warnings(case, enrollment, view, change, halves, InputKind.PRE_WARNINGS)
    if InputKind.POST_WARNINGS in change.inputs:
        return _warnings(case, enrollment, view, change, halves, InputKind.POST_WARNINGS)
    if InputKind.CHANGE_MANAGEMENT in change.inputs:
        return _promotion(case, enrollment, view, change, halves)
    if InputKind.CERTIFICATE in change.inputs:
        return _certificate(case, enrollment, change, halves)
    return Wait(
        phase=Phase.CHECKING,
        actor=Actor.CPS,
        text=f"CPS says {change.status} and offers no input yet",
        poll=timedelta(seconds=30),
    )


def _certificate(case: Case, enrollment: Enrollment, change: Change, halves: Halves) -> Decision:
    """Order what has no order, then upload what is issued and checked."""
    if case.terms is None:
        return _unresolved()
    cause = create_cause(case.desired.identity)
    ordering = Ordering(terms=case.terms, installation=case.context.installation, cause=cause)
    following = halves.next_step(ordering)
    if not isinstance(following, Upload):
        return following
    step = UploadCertificates(
        account=case.desired.enrollment.account,
        enrollment_id=enrollment.id,
        change_id=change.id,
        halves=following.halves,
    )
    kinds = " and ".join(half.key_type for half in following.halves)
    passed = "certificate is issued and passes" if len(following.halves) == 1 else "certificates are issued and pass"
    return Act(
        phase=Phase.ISSUED,
        steps=(step,),
        reason="certificate-issued",
        text=f"the {kinds} {passed} all checks",
        notes=following.notes,
    )


def _warnings(
    case: Case, enrollment: Enrollment, view: ChangeView, change: Change, halves: Halves, kind: InputKind
) -> Decision:
    phase = Phase.PREWARNINGS if kind is InputKind.PRE_WARNINGS else Phase.WARNINGS
    if view.warnings is None:
        return Wait(phase=phase, actor=Actor.CPS, text="CPS has warnings and does not show them yet", poll=_SOON)
    verdict = judge_text(view.warnings, case.desired, case.context.policy, halves.evidence())
    if verdict.refusals:
        return Blocked(
            phase=phase,
            actor=Actor.OPERATOR,
            text=f"CPS warns, and policy does not accept it: {'; '.join(verdict.refusals)}",
            remedy="Review it; accept what may be accepted in `acceptWarnings`, or cancel the change in the portal.",
            reason="warning-refused",
        )
    step = AcknowledgeWarnings(
        account=case.desired.enrollment.account,
        enrollment_id=enrollment.id,
        change_id=change.id,
        input=kind,
        text=view.warnings,
    )
    return Act(
        phase=phase,
        steps=(step,),
        reason="warnings-accepted",
        text="policy accepts each of CPS's warnings",
        notes=verdict.notes,
    )


_SOON = timedelta(seconds=30)


def _promotion(case: Case, enrollment: Enrollment, view: ChangeView, change: Change, halves: Halves) -> Decision:
    if view.management is None:
        return Wait(phase=Phase.PROMOTE, actor=Actor.CPS, text="CPS prepares its change management", poll=_SOON)
    verdict = judge_management(view.management, case.desired, case.context.policy, halves.evidence())
    if verdict.refusals:
        return Blocked(
            phase=Phase.PROMOTE,
            actor=Actor.OPERATOR,
            text=f"CPS's validation says: {'; '.join(verdict.refusals)}",
            remedy="Review it in the portal; cancel the change there, or accept it in `acceptWarnings`.",
            reason="validation-refused",
        )
    if held := _held_back(case, enrollment, halves):
        return held
    step = PromoteToProduction(
        account=case.desired.enrollment.account,
        enrollment_id=enrollment.id,
        change_id=change.id,
        validation_hash=view.management.validation_hash,
    )
    return Act(
        phase=Phase.PROMOTE,
        steps=(step,),
        reason="staging-serves-it",
        text="staging serves the new certificate",
        notes=verdict.notes,
    )


def _held_back(case: Case, enrollment: Enrollment, halves: Halves) -> Wait | Blocked | None:
    """Tell what keeps a certificate on staging: the certificate is not seen there, or a person lets it go by hand."""
    serials = halves.serials()
    if not serials:
        return Blocked(
            phase=Phase.PROMOTE,
            actor=Actor.OPERATOR,
            text="the certificate on staging is of no order that certrecon knows",
            remedy="Acknowledge or cancel the change in the portal.",
            reason="unknown-certificate",
        )
    on_staging = {one.serial for one in case.served(enrollment).staging.values()}
    if not on_staging or not on_staging <= serials:
        return Wait(phase=Phase.STAGING, actor=Actor.CPS, text="staging does not show the certificate yet", poll=_LATER)
    match case.desired.enrollment.promote:
        case Promote.AUTO:
            return None
        case Promote.VERIFIED:
            seen = case.context.observed.staging_handshakes.get((case.desired.enrollment.account, enrollment.id))
            if seen and seen <= serials:
                return None
            text = "no handshake with the staging edge has shown the certificate"
            return Wait(phase=Phase.PROMOTE, actor=Actor.OPERATOR, text=text, poll=_LATER, remedy=_HANDSHAKE)
        case Promote.MANUAL:
            if case.desired.name in case.context.promote:
                return None
            return Wait(
                phase=Phase.PROMOTE,
                actor=Actor.OPERATOR,
                text="it is on staging and waits for a person's go",
                poll=timedelta(hours=1),
                remedy=f"Run `certrecon apply --promote {case.desired.name}`.",
            )


_LATER = timedelta(minutes=5)
_HANDSHAKE = "Check `verify.edgeHost` and that the staging edge can be reached from here."
