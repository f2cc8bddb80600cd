"""A plan: every certificate's standing after one look, and the actions that could run now, in a fixed order."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from reconciler.errors import ExitCode, Problem, worst
from reconciler.model.certificate import CertificateName, DesiredCertificate, InstanceName, KeyType, State
from reconciler.model.digest import settings_digest
from reconciler.model.enrollment import Enrollment
from reconciler.model.entry import CauseId
from reconciler.model.names import DnsName
from reconciler.model.policy import Campaign
from reconciler.planning.campaign_progress import CampaignState, Exposure, exposure
from reconciler.planning.campaigning import candidate_of
from reconciler.planning.campaigns import Candidate, must_go_in, worked_for
from reconciler.planning.case import Case, Context
from reconciler.planning.causes import digest
from reconciler.planning.compared import Compared
from reconciler.planning.diff import Difference, Effect, SansDiffer
from reconciler.planning.freezes import ignores_freeze
from reconciler.planning.guards import Guarded, GuardState, Refusal, guard_states, refusals
from reconciler.planning.links import Links, link_text
from reconciler.planning.matching import Found, match_enrollment
from reconciler.planning.needs import Serving
from reconciler.planning.only import held_back
from reconciler.planning.ordering import OrderTerms, order_terms
from reconciler.planning.ownership import Owner
from reconciler.planning.profiles import ca_additions
from reconciler.planning.selectors import EVERYTHING, Selectors
from reconciler.planning.steps import (
    Act,
    ActionKind,
    Actor,
    Blocked,
    CreateEnrollment,
    Decision,
    Done,
    LinkOrders,
    Phase,
    Step,
    SubmitOrder,
    Unread,
    UpdateEnrollment,
    Wait,
)
from reconciler.planning.throttle import on_day, throttle
from reconciler.planning.warnings import undeclared_removal
from reconciler.planning.workflow import decide


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
    differences: tuple[Difference, ...]
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
    refused: Refusal | None = None  # by a guard: its action does not run
    throttled: str | None = None  # why its action waits for a later run
    held: str | None = None  # by `--only`: the run neither carries it out nor waits for it
    candidate: Candidate | None = None  # for the campaigns, where there are any
    campaign: Campaign | None = None  # the one that the work on it is for
    must_go_in: timedelta | None = None  # the time in which what is served must be replaced; None: nothing is served
    housekeeping: tuple[LinkOrders, ...] = ()  # for what is done: nothing waits for it or fails with it

    @property
    def name(self) -> CertificateName:
        return self.desired.name

    @property
    def may_run(self) -> bool:
        """Whether there is an action that nothing holds."""
        return self.action is not None and self.refused is None and self.throttled is None and self.held is None


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What one look leads to. `standings` are in the order in which work is done: most urgent first, then by name."""

    at: datetime
    standings: tuple[Standing, ...]
    problems: tuple[Problem, ...]  # in files, as far as the services told
    unread: tuple[str, ...]  # what could not be read completely
    selectors: Selectors = EVERYTHING
    guards: tuple[GuardState, ...] = ()
    shared: tuple[str, ...] = ()  # findings about what several certificates depend on
    campaigns: tuple[CampaignState, ...] = ()  # in the order of the configuration
    seen_at: datetime | None = None  # where `at` is still to come: when everything was seen
    compared: Compared | None = None  # with the plan of another revision

    @property
    def partial(self) -> str | None:
        """The selectors, where not everything was planned."""
        return self.selectors.text

    @property
    def actions(self) -> tuple[Action, ...]:
        """The actions of what the run is about: what `--only` holds back is none of them."""
        return tuple(one.action for one in self.standings if one.action is not None and one.held is None)

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
        if any(standing.refused is not None for standing in self.standings):
            codes.append(ExitCode.REFUSED)
        if detailed and any(standing.may_run for standing in self.standings):
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
) -> Plan:
    """Decide on each certificate. `problems`: what the files already said."""
    standings, found = [], list(problems)
    links = Links.of(context)
    for desired in certificates:
        case, wrong = _case(desired, context)
        found.extend(wrong)
        standings.append(_standing(case, links))
    standings, states = guarded(sorted(standings, key=_urgency), context)
    return Plan(
        at=context.observed.at,
        standings=tuple(standings),
        problems=tuple(dict.fromkeys(found)),  # what defaults say wrongly is wrong once, not once a certificate
        unread=_unread(context, standings),
        selectors=context.selectors,
        guards=states,
        seen_at=context.observed.seen_at,
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


def _standing(case: Case, links: Links) -> Standing:
    found = match_enrollment(case.desired, case.account.index)
    enrollment = found.enrollment if isinstance(found, Found) else None
    serving = case.serving(enrollment) if enrollment is not None else None
    decision = decide(case)
    candidate = _candidate(case, enrollment)
    worked = worked_for(case.context.campaigns.replacements, candidate) if candidate is not None else None
    campaign = worked.campaign if worked is not None else None
    remaining = serving.remaining if serving is not None else None
    housekeeping = _housekeeping(case, enrollment, decision, links)
    return Standing(
        desired=case.desired,
        enrollment=enrollment,
        serving=serving,
        phase=_phase(decision, serving),
        decision=decision,
        action=_action(case, enrollment, decision),
        attention=(*_attention(decision, serving), *map(link_text, housekeeping)),
        failure=_doubled(case, enrollment) or (serving.wrong_override if serving is not None else None),
        held=held_back(case, enrollment, decision),
        candidate=candidate,
        campaign=campaign,
        must_go_in=remaining if campaign is None else must_go_in(campaign, remaining, now=case.now),
        housekeeping=housekeeping,
    )


def _housekeeping(
    case: Case, enrollment: Enrollment | None, decision: Decision, links: Links
) -> tuple[LinkOrders, ...]:
    """Return what is left to tell where all else is done; a run of `--only` some kinds leaves it to a whole one."""
    if enrollment is None or not isinstance(decision, Done) or case.desired.state is State.ABSENT:
        return ()
    return () if case.context.selectors.only else links.due(case.desired, enrollment)


def _candidate(case: Case, enrollment: Enrollment | None) -> Candidate | None:
    if not case.context.campaigns.replacements or enrollment is None or case.desired.state is State.ABSENT:
        return None
    candidate = candidate_of(case, enrollment, changing=case.owner(enrollment) is Owner.OURS)
    serving = case.serving(enrollment)
    if serving is None:
        return candidate
    return replace(candidate, revoked=serving.revoked, remaining=serving.remaining)


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


def _attention(decision: Decision, serving: Serving | None) -> tuple[str, ...]:
    found = list(decision.notes) if isinstance(decision, Done) else []
    if serving is None:
        return tuple(found)
    if serving.remaining <= timedelta():
        found.append("the served certificate has EXPIRED")
    if serving.revoked:
        found.append("SCM says that the served certificate is revoked")
    if serving.below_warn and not isinstance(decision, Act):
        found.append(f"{serving.remaining // timedelta(days=1)} days are left, fewer than the level of warnings")
    return tuple(found)


# Actions


def _action(case: Case, enrollment: Enrollment | None, decision: Decision) -> Action | None:
    if not isinstance(decision, Act):
        return None
    return Action(
        certificate=case.desired.name,
        kind=decision.kind,
        cause=decision.cause,
        reason=decision.reason,
        text=decision.text,
        differences=decision.differences,
        orders=_orders(case, enrollment, decision),
        notes=(*decision.notes, *_removal_notes(case, enrollment, decision)),
        desired_digest=case.digest,
        precondition=_precondition(case, enrollment),
    )


def _removal_notes(case: Case, enrollment: Enrollment | None, decision: Act) -> list[str]:
    if enrollment is None or case.serving(enrollment) is None:
        return []  # CPS asks about names that are live
    removed = [one.removed for one in decision.differences if isinstance(one, SansDiffer)]
    return [note for names in removed if (note := undeclared_removal(case.desired, names)) is not None]


def _orders(case: Case, enrollment: Enrollment | None, decision: Act) -> OrdersPlanned | None:
    """Return the orders that the action leads to: those of a new change come later, and are counted all the same."""
    key_types = [key_type for step in decision.steps for key_type in _ordered_by(case, enrollment, decision, step)]
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


def _ordered_by(case: Case, enrollment: Enrollment | None, decision: Act, step: Step) -> Sequence[KeyType]:
    live = frozenset(case.served(enrollment).production) if enrollment is not None else frozenset()
    wanted = case.desired.key_types or live or case.desired.wanted_key_types
    match step:
        case SubmitOrder(key_type=key_type):
            return [key_type]
        case CreateEnrollment():
            return sorted(wanted, reverse=True)
        case UpdateEnrollment(add_missing=True):
            return sorted(wanted - live, reverse=True)
        case UpdateEnrollment() if decision.kind is not ActionKind.UPDATE and _new_order(decision):
            return sorted(wanted, reverse=True)
        case _:
            return []


def _new_order(decision: Act) -> bool:
    forced = any(isinstance(step, UpdateEnrollment) and step.force_renewal for step in decision.steps)
    return forced or any(one.effect is Effect.NEW_ORDER for one in decision.differences)


def _precondition(case: Case, enrollment: Enrollment | None) -> str:
    """Return a digest of the live objects: the settings, the deployed serials, a foreign change (safety 4)."""
    if enrollment is None:
        return digest(["absent"])[:16]
    served = case.served(enrollment)
    serials = sorted(f"{one.serial:x}" for one in (*served.staging.values(), *served.production.values()))
    foreign = case.owner(enrollment) not in (Owner.OURS, Owner.CPS)
    changes = [enrollment.pending[-1].id] if enrollment.pending and foreign else []
    return digest([enrollment.id, settings_digest(enrollment), serials, changes])[:16]


# Order of work


def _urgency(standing: Standing) -> tuple[bool, timedelta, Exposure | tuple[()], DnsName]:
    """Sort by the time to expiry or to a campaign's deadline, what serves nothing yet last.

    Equal ones are sorted by exposure in a campaign, and by name.
    """
    candidate = standing.candidate if standing.campaign is not None else None
    return (
        standing.must_go_in is None,
        standing.must_go_in or timedelta(),
        exposure(candidate) if candidate is not None else (),
        standing.desired.common_name,
    )


# Guards


def guarded(standings: Sequence[Standing], context: Context) -> tuple[list[Standing], tuple[GuardState, ...]]:
    """Return the standings with what the guards hold, and the guards' own state."""
    actions = {
        standing.name: _guarded(standing, standing.action)
        for standing in standings
        if standing.action is not None and standing.held is None
    }
    total = max(context.certificates, len(standings))
    refused = refusals(actions.values(), context.policy, certificates=total, now=context.observed.at)
    rest = [action for action in actions.values() if action.key not in refused]
    names_refused = {action.name for action in actions.values() if action.key in refused}
    to_come = sum(_to_come(standing) for standing in standings if standing.name not in names_refused)
    throttled = throttle(
        rest,
        context.policy.budgets,
        placed_in_run=context.placed_in_run + to_come,
        placed_today=placed_today(context) + to_come,
    )
    states = guard_states(actions.values(), context.policy, certificates=total, now=context.observed.at)
    held = [
        standing
        if (action := actions.get(standing.name)) is None
        else replace(standing, refused=refused.get(action.key), throttled=throttled.waits.get(action.key))
        for standing in standings
    ]
    return held, (*states, *throttled.states)


def _to_come(standing: Standing) -> int:
    """Return the orders that what is begun still needs, beside those that its action is throttled by."""
    counted = standing.action is not None and standing.action.orders is not None
    return standing.decision.to_order if isinstance(standing.decision, Act | Wait) and not counted else 0


def placed_today(context: Context) -> int:
    """Count the orders of ours that were placed on the day of the look."""
    placed = [
        tagged.order.requested_at
        for view in context.observed.instances.values()
        for of_key in view.book.by_key.values()
        for tagged in of_key
        if tagged.order.requested_at is not None
    ]
    return on_day(placed, context.observed.at)


def _guarded(standing: Standing, action: Action) -> Guarded:
    serving = standing.serving
    urgent = serving is not None and (serving.below_warn or serving.revoked or serving.remaining <= timedelta())
    return Guarded(
        name=standing.name,
        kind=action.kind.value,
        orders=action.orders.count if action.orders is not None else 0,
        removed=removed_names(standing.desired, serving) if serving is not None else frozenset(),
        protect=standing.desired.protect,
        remaining=standing.must_go_in,
        ignores_freeze=ignores_freeze(action.kind.value, urgent=urgent, campaign=standing.campaign is not None),
    )


def removed_names(desired: DesiredCertificate, serving: Serving) -> frozenset[DnsName]:
    """Return the served names that the file no longer has, without what a CA adds unasked."""
    served = serving.names if serving.names is not None else frozenset()
    return served - desired.sans - ca_additions(desired.common_name)


def waits(plan: Plan) -> Mapping[Actor, int]:
    """Count, by actor, the certificates that wait for somebody."""
    counted: dict[Actor, int] = {}
    for standing in plan.standings:
        if isinstance(standing.decision, Wait | Blocked):
            counted[standing.decision.actor] = counted.get(standing.decision.actor, 0) + 1
    return counted
