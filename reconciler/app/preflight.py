"""The checks before an order that need more than the bulk look: domains, validations, the organization's record."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from reconciler.execution.survey import survey_aliases, survey_caa, survey_scm
from reconciler.model.certificate import CertificateName, DesiredCertificate, EnrollmentId, InstanceName
from reconciler.planning.caa import caa_findings
from reconciler.planning.campaign_states import with_campaigns
from reconciler.planning.case import Context
from reconciler.planning.edge_names import NAMES_AT_EDGE, to_ask, with_leaving_names
from reconciler.planning.findings import Finding, errors
from reconciler.planning.matching import Found, match_enrollment
from reconciler.planning.observed import Observed
from reconciler.planning.ordering import order_terms
from reconciler.planning.plan import Plan, Standing, guarded
from reconciler.planning.preflight import Shared, password_finding, preflight_fleet, repeated_names
from reconciler.planning.prospects import Prospect, prospect
from reconciler.planning.steps import Act, Actor, Blocked
from reconciler.ports import Dns, Scm

_PREFLIGHT = "preflight"


def blocks(standing: Standing) -> bool:
    """Tell whether it was a check of here that blocked the certificate: an executor does not make them again."""
    decision = standing.decision
    return isinstance(decision, Blocked) and decision.reason in (_PREFLIGHT, NAMES_AT_EDGE)


def with_preflight(
    plan: Plan,
    context: Context,
    scm: Mapping[InstanceName, Scm],
    desired: Sequence[DesiredCertificate],
    dns: Dns | None = None,
) -> Plan:
    """Return the plan with what its actions would meet: an error blocks its certificate, the rest is said.

    Costs nothing where nothing is ordered and no name goes. `desired` are the certificates of all files, planned or
    not. DNS is asked where `dns` is given.

    Raises:
        AuthenticationError: SCM did not accept the credentials.
    """
    plan = _with_leaving_names(plan, context, dns)
    prospects = [one for standing in plan.standings if (one := _prospect(standing, context.observed)) is not None]
    if not prospects:
        return plan
    found = preflight_fleet(prospects, survey_scm(prospects, scm))
    by_certificate = {name: list(findings) for name, findings in found.by_certificate.items()}
    public = frozenset(name for one in prospects if one.public for name in one.desired.sans)
    lookups = survey_caa(public, dns) if dns is not None else None
    owned = _owned(desired, context)
    for one in prospects:
        more = by_certificate.setdefault(one.desired.name, [])
        more.extend(_repeated(one, owned, context))
        if lookups is not None and one.public:
            more.extend(caa_findings(one.desired.sans, lookups, issue_on=one.issue_at.date()))
    standings = [_with_findings(standing, by_certificate) for standing in plan.standings]
    shared = tuple(
        f"{one.finding}: {', '.join(one.certificates)}" for one in (*found.shared, *_passwords(prospects, scm))
    )
    held, states = guarded(standings, context)
    return with_campaigns(replace(plan, standings=tuple(held), guards=states, shared=shared), context)


def _with_leaving_names(plan: Plan, context: Context, dns: Dns | None) -> Plan:
    """Say of names that lose their certificate whether DNS still points at the edge; refuse a removal of such."""
    names = to_ask(plan.standings)
    if not names:
        return plan
    lookups = survey_aliases(names, dns) if dns is not None else None
    held, states = guarded([with_leaving_names(standing, lookups) for standing in plan.standings], context)
    return replace(plan, standings=tuple(held), guards=states)


def _owned(desired: Sequence[DesiredCertificate], context: Context) -> Mapping[CertificateName, EnrollmentId]:
    """Return the enrollment of each file, as far as there is one: also of files that this run is not about."""
    accounts = context.observed.accounts
    matches = (
        (one.name, match_enrollment(one, accounts[one.enrollment.account].index))
        for one in desired
        if one.enrollment.account in accounts
    )
    return {name: match.enrollment.id for name, match in matches if isinstance(match, Found)}


def _repeated(one: Prospect, owned: Mapping[CertificateName, EnrollmentId], context: Context) -> tuple[Finding, ...]:
    account = one.desired.enrollment.account
    return repeated_names(
        one.desired,
        context.observed.accounts[account].enrollments.values,
        own=owned.get(one.desired.name),
        claimed=frozenset(owned.values()) | context.claimed.get(account, frozenset()),
    )


def _passwords(prospects: Sequence[Prospect], scm: Mapping[InstanceName, Scm]) -> list[Shared]:
    """Return what is wrong with the logins that are about to order."""
    found = []
    for instance in sorted({one.desired.order.instance for one in prospects}):
        of_instance = [one for one in prospects if one.desired.order.instance == instance]
        shared = password_finding(
            instance,
            scm[instance].password_state(),
            [one.desired.name for one in of_instance],
            today=of_instance[0].issue_at.date(),
        )
        found.extend([shared] if shared is not None else [])
    return found


def _prospect(standing: Standing, observed: Observed) -> Prospect | None:
    if standing.action is None or standing.action.orders is None or standing.held is not None:
        return None
    instance = observed.instances[standing.desired.order.instance]
    terms, _ = order_terms(standing.desired, instance, today=observed.at.date())
    if terms is None:
        return None
    due_at = standing.serving.due_at if standing.serving is not None else None
    return prospect(standing.desired, terms, instance.organizations.values, issue_at=observed.at, due_at=due_at)


def _with_findings(standing: Standing, found: Mapping[CertificateName, Sequence[Finding]]) -> Standing:
    findings = found.get(standing.name, ())
    if not findings or standing.action is None or not isinstance(standing.decision, Act):
        return standing
    if wrong := errors(findings):
        blocked = Blocked(
            phase=standing.phase,
            actor=Actor.OPERATOR,
            text=f"an order would be refused: {'; '.join(str(one) for one in wrong)}",
            remedy="Put it right in SCM first; the next run goes on by itself.",
            reason=_PREFLIGHT,
        )
        return replace(standing, decision=blocked, action=None)
    notes = tuple(str(one) for one in findings if not one.skipped)
    return replace(standing, action=replace(standing.action, notes=(*standing.action.notes, *notes)))
