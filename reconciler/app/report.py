"""Report: one look as a page: what would be done, how the fleet is, until when validations hold, orders to come."""

from collections.abc import Mapping

from reconciler.app.looking import Looked
from reconciler.app.plan import Planner
from reconciler.app.status import look_at_status
from reconciler.errors import ExitCode
from reconciler.execution.observe import Observer
from reconciler.execution.survey import survey_scm
from reconciler.model.certificate import AccountName, DesiredCertificate
from reconciler.model.policy import Project
from reconciler.planning.load import fleet_of, forecast
from reconciler.planning.ordering import OrderTerms, order_terms
from reconciler.planning.prospects import Prospect, prospect
from reconciler.planning.validations import validation_ends
from reconciler.report.reportjson import Report


def make_report(
    planner: Planner,
    observer: Observer,
    project: Project,
    accounts: frozenset[AccountName],
    environment: Mapping[str, str],
) -> Report:
    """Look once, and ask SCM for the validations behind all certificates: a list, and a call for each of them.

    Raises:
        AuthenticationError: a service did not accept the credentials.
    """
    status, looked = look_at_status(planner, observer, project, accounts, environment)
    plan = looked.plan
    terms = [_terms(standing.desired, looked) for standing in plan.standings]
    prospects = [
        _prospect(standing.desired, one, looked)
        for standing, one in zip(plan.standings, terms, strict=True)
        if one is not None
    ]
    facts = survey_scm(prospects, observer.services.scm)
    unread = {
        f"validations: {problem}"
        for fact in facts.values()
        for reading in (fact.domains, *fact.validations.values())
        for problem in reading.problems
    }
    return Report(
        status=status,
        forecast=forecast(fleet_of(plan, terms, planner.policy), at=plan.at),
        validations=validation_ends(prospects, facts, plan.at.date()),
        unread=tuple(sorted(unread)),
    )


def exit_code(report: Report) -> ExitCode:
    """Return 1 where something could not be read, or a file has an error."""
    plan = report.status.plan
    return ExitCode.ERROR if plan.problems or plan.unread or report.unread else ExitCode.DONE


def _terms(desired: DesiredCertificate, looked: Looked) -> OrderTerms | None:
    observed = looked.context.observed
    instance = observed.instances[desired.order.instance]
    if not (instance.organizations.complete and instance.profiles.complete):
        return None
    return order_terms(desired, instance, today=observed.at.date())[0]


def _prospect(desired: DesiredCertificate, terms: OrderTerms, looked: Looked) -> Prospect:
    observed = looked.context.observed
    organizations = observed.instances[desired.order.instance].organizations.values
    return prospect(desired, terms, organizations, issue_at=observed.at)
