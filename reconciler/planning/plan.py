"""A plan: every certificate's standing after one look, and the actions that could run now, in a fixed order."""

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from reconciler.errors import ExitCode, Problem, worst
from reconciler.model.certificate import CertificateName, DesiredCertificate, InstanceName, KeyType
from reconciler.model.digest import desired_digest
from reconciler.model.enrollment import Enrollment, ServedCertificate
from reconciler.model.entry import CauseId
from reconciler.model.names import DnsName
from reconciler.planning.causes import create_cause, digest
from reconciler.planning.lifetime import RenewBeforeError, due_at, renew_before, warn_days
from reconciler.planning.matching import Found, match_enrollment
from reconciler.planning.ordering import OrderTerms, order_terms
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
    SubmitOrder,
    Unread,
    UploadCertificates,
    Wait,
)
from reconciler.planning.workflow import Case, Context, decide


class ActionKind(enum.StrEnum):
    """What a person approves, worst first."""

    CREATE = "create"
    UPLOAD = "upload"
    ACKNOWLEDGE = "acknowledge"
    PROMOTE = "promote"
    RESUME = "resume"


@dataclass(frozen=True, slots=True, kw_only=True)
class Serving:
    """What production serves for one certificate: the first axis. Absent certificates serve nothing."""

    expires_at: datetime
    remaining: timedelta
    key_types: frozenset[KeyType]
    serials: frozenset[int]
    issued_at: datetime | None  # None where SCM does not know the serial
    due_at: datetime | None
    below_warn: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class OrdersPlanned:
    """The orders that an action will place, now or later."""

    count: int
    key_types: tuple[KeyType, ...]
    instance: InstanceName
    organization: str
    profile: str
    term_days: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """What would be done for one certificate, and why."""

    certificate: CertificateName
    kind: ActionKind
    cause: CauseId
    reason: str  # code: "no-enrollment"
    text: str  # the same for people
    orders: OrdersPlanned | None
    notes: tuple[str, ...]
    desired_digest: str
    precondition: str  # digest of the live objects it starts from; no times, no phases


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """One certificate after the look: what is wanted, what is served, where the work is."""

    desired: DesiredCertificate
    enrollment: Enrollment | None
    serving: Serving | None
    phase: Phase
    decision: Decision
    action: Action | None
    attention: tuple[str, ...]  # worth a person's eye, whatever the decision
    failure: str | None = None  # what makes the run fail, whatever the decision

    @property
    def name(self) -> CertificateName:
        return self.desired.name


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What one look leads to. `standings` are in the order in which work is done: most urgent first, then by name."""

    at: datetime
    standings: tuple[Standing, ...]
    problems: tuple[Problem, ...]  # in files, as far as the services told
    unread: tuple[str, ...]  # what could not be read completely
    partial: str | None  # the selectors, where not everything was planned

    @property
    def actions(self) -> tuple[Action, ...]:
        return tuple(standing.action for standing in self.standings if standing.action is not None)

    @property
    def orders(self) -> int:
        return sum(action.orders.count for action in self.actions if action.orders is not None)

    @property
    def digest(self) -> str:
        """The plan in 16 digits: equal exactly when the actions and what they start from are equal."""
        return digest([[a.certificate, a.kind, a.cause, a.desired_digest, a.precondition] for a in self.actions])[:16]

    def exit_code(self, *, detailed: bool) -> ExitCode:
        """Return `plan`'s exit code: changes count only where they were asked for, and waiting alone is done."""
        codes = [state for standing in self.standings if (state := _code(standing)) is not None]
        codes.extend(ExitCode.ERROR for standing in self.standings if standing.failure is not None)
        if self.problems or self.unread:
            codes.append(ExitCode.ERROR)
        if detailed and self.actions:
            codes.append(ExitCode.CHANGES)
        return worst(codes)


def _code(standing: Standing) -> ExitCode | None:
    match standing.decision:
        case Unread():
            return ExitCode.ERROR
        case Blocked(error=True):
            return ExitCode.ERROR
        case Blocked() if standing.serving is None or standing.serving.below_warn:
            return ExitCode.REFUSED
        case _:
            return None


def plan_for(
    certificates: Sequence[DesiredCertificate],
    context: Context,
    *,
    problems: Sequence[Problem] = (),
    partial: str | None = None,
) -> Plan:
    """Decide on each certificate. `problems`: what the files already said."""
    standings, found = [], list(problems)
    for desired in certificates:
        case, wrong = _case(desired, context)
        found.extend(wrong)
        standings.append(_standing(case))
    return Plan(
        at=context.observed.at,
        standings=tuple(sorted(standings, key=_urgency)),
        problems=tuple(found),
        unread=_unread(context, standings),
        partial=partial,
    )


def _case(desired: DesiredCertificate, context: Context) -> tuple[Case, tuple[Problem, ...]]:
    account = context.observed.accounts[desired.enrollment.account]
    instance = context.observed.instances[desired.order.instance]
    readable = instance.organizations.complete and instance.profiles.complete
    terms: OrderTerms | None = None
    problems: tuple[Problem, ...] = ()
    if readable:
        terms, problems = order_terms(desired, instance, today=context.observed.at.date())
    if account.contracts.complete and desired.enrollment.contract not in account.contracts.values:
        terms, problems = None, (*problems, _contract_problem(desired, sorted(account.contracts.values)))
    return Case(desired=desired, account=account, instance=instance, terms=terms, context=context), problems


def _contract_problem(desired: DesiredCertificate, visible: Sequence[str]) -> Problem:
    return Problem(
        location=desired.source("akamai.contract"),
        pointer="akamai.contract",
        text=f'The credential of {desired.enrollment.account} sees no contract "{desired.enrollment.contract}".',
        remedy=f"It has: {', '.join(visible)}." if visible else "It sees none: check the API client's grants.",
    )


def _unread(context: Context, standings: Sequence[Standing]) -> tuple[str, ...]:
    texts = [*context.observed.problems]
    texts.extend(standing.decision.text for standing in standings if isinstance(standing.decision, Unread))
    return tuple(dict.fromkeys(texts))


def _standing(case: Case) -> Standing:
    found = match_enrollment(case.desired, case.account.index)
    enrollment = found.enrollment if isinstance(found, Found) else None
    serving = _serving(case, enrollment) if enrollment is not None else None
    decision = decide(case)
    return Standing(
        desired=case.desired,
        enrollment=enrollment,
        serving=serving,
        phase=_phase(decision, serving),
        decision=decision,
        action=_action(case, enrollment, decision),
        attention=_attention(case, decision, serving),
        failure=_doubled(case, enrollment),
    )


def _doubled(case: Case, enrollment: Enrollment | None) -> str | None:
    """Tell of two live orders for one key: neither is ordered again, and a person revokes one (safety 2)."""
    doubled = case.instance.book.doubled.get(enrollment.id, ()) if enrollment is not None else ()
    if not doubled:
        return None
    ids = [str(one.order.ssl_id) for one in doubled]
    return f"orders {', '.join(ids)} hold one key: decline or revoke {', '.join(ids[1:])} in SCM, unless it is served"


def _phase(decision: Decision, serving: Serving | None) -> Phase:
    match decision:
        case Act(phase=phase) | Wait(phase=phase) | Blocked(phase=phase):
            return phase
        case Done() | Unread():
            return Phase.PRODUCTION if serving is not None else Phase.ABSENT


# The first axis: what is served


def _serving(case: Case, enrollment: Enrollment) -> Serving | None:
    live = case.served(enrollment).production
    if not live:
        return None
    first = min(live.values(), key=lambda one: one.expires_at)
    issued_at, due = _age(case, first)
    remaining = first.expires_at - case.now
    return Serving(
        expires_at=first.expires_at,
        remaining=remaining,
        key_types=frozenset(live),
        serials=frozenset(one.serial for one in live.values()),
        issued_at=issued_at,
        due_at=due,
        below_warn=remaining <= timedelta(days=_warn(case, first, issued_at)),
    )


def _age(case: Case, served: ServedCertificate) -> tuple[datetime | None, datetime | None]:
    """Return when the served certificate was issued and is due, as far as SCM knows its serial."""
    order = case.instance.book.by_serial.get(served.serial)
    if order is None or order.issued_at is None:
        return None, None
    override = case.desired.renew_before or case.context.policy.renew_before
    try:
        return order.issued_at, due_at(order.issued_at, served.expires_at, case.desired.common_name, override)
    except RenewBeforeError:
        return order.issued_at, None


_UNKNOWN_LIFE_WARN_DAYS = 21.0  # pki-rules 2.2 for 199 days, where the lifetime is not known


def _warn(case: Case, served: ServedCertificate, issued_at: datetime | None) -> float:
    if case.context.policy.warn_days is not None:
        return case.context.policy.warn_days
    if issued_at is None:
        return _UNKNOWN_LIFE_WARN_DAYS
    life = served.expires_at - issued_at
    try:
        before = renew_before(life, case.desired.renew_before or case.context.policy.renew_before)
    except RenewBeforeError:
        return _UNKNOWN_LIFE_WARN_DAYS
    return warn_days(life, before)


def _attention(case: Case, decision: Decision, serving: Serving | None) -> tuple[str, ...]:
    if serving is None or not isinstance(decision, Done):
        return ()
    found = list(decision.notes)
    if serving.remaining <= timedelta():
        found.append("the served certificate has EXPIRED")
    elif serving.due_at is not None and serving.due_at <= case.now:
        found.append(f"due for renewal since {serving.due_at:%Y-%m-%d}; this version does not renew")
    revoked = [
        f"{serial:X}"
        for serial in sorted(serving.serials)
        if (order := case.instance.book.by_serial.get(serial)) is not None and not order.status.live
    ]
    if revoked:
        found.append(f"SCM says that the served certificate is revoked: serial {', '.join(revoked)}")
    return tuple(found)


# Actions


def _action(case: Case, enrollment: Enrollment | None, decision: Decision) -> Action | None:
    if not isinstance(decision, Act):
        return None
    return Action(
        certificate=case.desired.name,
        kind=_kind(decision),
        cause=create_cause(case.desired.identity),
        reason=decision.reason,
        text=decision.text,
        orders=_orders(case, decision),
        notes=decision.notes,
        desired_digest=desired_digest(case.desired),
        precondition=_precondition(case, enrollment),
    )


def _kind(decision: Act) -> ActionKind:
    match decision.steps[0]:
        case CreateEnrollment():
            return ActionKind.CREATE
        case SetMutualAuthentication() | SubmitOrder():
            return ActionKind.RESUME
        case UploadCertificates():
            return ActionKind.UPLOAD
        case AcknowledgeWarnings():
            return ActionKind.ACKNOWLEDGE
        case PromoteToProduction():
            return ActionKind.PROMOTE


def _orders(case: Case, decision: Act) -> OrdersPlanned | None:
    """Return the orders that the action leads to: a create's are all the wanted key types, though they come later."""
    key_types: list[KeyType] = []
    for step in decision.steps:
        match step:
            case SubmitOrder(key_type=key_type):
                key_types.append(key_type)
            case CreateEnrollment() | SetMutualAuthentication():
                key_types.extend(sorted(case.desired.wanted_key_types, reverse=True))
            case _:
                pass
    if not key_types or case.terms is None:
        return None
    return OrdersPlanned(
        count=len(key_types),
        key_types=tuple(key_types),
        instance=case.desired.order.instance,
        organization=case.desired.order.organization,
        profile=case.terms.profile.name,
        term_days=case.terms.term_days,
    )


def _precondition(case: Case, enrollment: Enrollment | None) -> str:
    """Return a digest of the live objects: the enrollment and its pending change, the deployed serials."""
    if enrollment is None:
        return digest(["absent"])[:16]
    served = case.served(enrollment)
    serials = sorted(f"{one.serial:x}" for one in (*served.staging.values(), *served.production.values()))
    return digest([enrollment.id, [change.id for change in enrollment.pending], serials])[:16]


# Order of work


def _urgency(standing: Standing) -> tuple[bool, float, DnsName]:
    """Sort by time to expiry, what serves nothing yet last, equal ones by name."""
    serving = standing.serving
    return (serving is None, serving.remaining.total_seconds() if serving else 0.0, standing.desired.common_name)


def waits(plan: Plan) -> Mapping[Actor, int]:
    """Count, by actor, the certificates that wait for somebody."""
    counted: dict[Actor, int] = {}
    for standing in plan.standings:
        if isinstance(standing.decision, Wait | Blocked):
            counted[standing.decision.actor] = counted.get(standing.decision.actor, 0) + 1
    return counted
