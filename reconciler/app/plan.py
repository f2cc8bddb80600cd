"""Plan: look at everything once and say what would be done. Nothing here changes anything."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from reconciler.app.compare import Base, both, compared_with, interest_of_both
from reconciler.app.preflight import with_preflight
from reconciler.desired.load import Desired
from reconciler.errors import Problem, Severity, UsageError
from reconciler.execution.observe import Interest, Observer
from reconciler.model.certificate import AccountName, CertificateName, DesiredCertificate, EnrollmentId
from reconciler.model.enrollment import Enrollment, Served
from reconciler.model.journal import OpenIntent, OpenState
from reconciler.model.order import Order
from reconciler.model.policy import Policy
from reconciler.model.replacement import Replacement
from reconciler.planning.campaign_book import CampaignBook
from reconciler.planning.campaign_states import with_campaigns
from reconciler.planning.case import Context, Trust
from reconciler.planning.observed import AccountView, InstanceView, Observed
from reconciler.planning.plan import Plan, plan_for
from reconciler.planning.selectors import EVERYTHING, Selectors
from reconciler.planning.served import change_matters
from reconciler.planning.settle import settled_at
from reconciler.planning.tags import installation_of
from reconciler.ports import Dns


@dataclass(frozen=True, slots=True, kw_only=True)
class Planner:
    """Turns looks at some of the desired certificates into plans. `new_installation` is used where no tag names one."""

    desired: Desired
    policy: Policy
    trust: Trust
    new_installation: str
    selectors: Selectors = EVERYTHING
    promote: frozenset[CertificateName] = frozenset()
    retry: frozenset[CertificateName] = frozenset()
    supersede: frozenset[CertificateName] = frozenset()
    replacements: tuple[Replacement, ...] = ()  # the campaigns that can be carried out
    calls_per_minute: Mapping[AccountName, int] = field(default_factory=dict)

    @property
    def certificates(self) -> tuple[DesiredCertificate, ...]:
        return tuple(one for one in self.desired.certificates if self.selectors.takes(one))

    def interest(self, journals: Mapping[AccountName, OpenState], at: datetime | None = None) -> Interest:
        """Return what tells whether a served certificate's pending change is worth its reads: now, or as of `at`."""
        campaigns = CampaignBook.of(self.replacements, journals)

        def interested(
            desired: DesiredCertificate,
            enrollment: Enrollment,
            account: AccountView,
            instance: InstanceView,
            now: datetime,
        ) -> bool:
            return change_matters(
                desired,
                enrollment,
                account.served.values.get(enrollment.id, Served()),
                instance.book,
                self.policy,
                journals.get(desired.enrollment.account),
                at or now,
                campaigns,
            )

        return interested

    def plan(
        self,
        observed: Observed,
        journals: Mapping[AccountName, OpenState] | None = None,
        settles: Callable[[OpenIntent], datetime] = settled_at,
        placed_in_run: int = 0,
        retried: frozenset[CertificateName] = frozenset(),
    ) -> tuple[Plan, Context]:
        """Decide from one look; return the plan, and what it was decided with.

        `retried`: what this run has begun already. A person's `--retry` is for one new attempt, not for all that fail.
        """
        journals = journals or {}
        orders = [order for view in observed.instances.values() for order in view.orders.values]
        context = Context(
            observed=observed,
            policy=self.policy,
            trust=self.trust,
            installation=self._installation(journals, orders),
            claimed=_claimed(self.desired.certificates),
            journals=journals,
            promote=self.promote,
            retry=self.retry - retried,
            settles=settles,
            supersede=self.supersede,
            certificates=len(self.desired.certificates),
            placed_in_run=placed_in_run,
            selectors=self.selectors,
            campaigns=CampaignBook.of(self.replacements, journals, observed),
            calls_per_minute=self.calls_per_minute,
        )
        problems = _errors(self.desired.problems)
        looked_at = [one for one in self.certificates if one.enrollment.account in observed.accounts]
        return with_campaigns(plan_for(looked_at, context, problems=problems), context), context

    def _installation(self, journals: Mapping[AccountName, OpenState], orders: Sequence[Order]) -> str:
        """Return the id for our tags: the journal's, else what tags name, else a new one."""
        for name in sorted(journals):
            return journals[name].installation
        return installation_of(orders) or self.new_installation


def make_plan(
    planner: Planner,
    observer: Observer,
    journals: Mapping[AccountName, OpenState] | None = None,
    dns: Dns | None = None,
    *,
    at: datetime | None = None,
    base: Base | None = None,
) -> Plan:
    """Look once and plan; with `at` as of an instant to come, as if nothing were done until then.

    With `base` the same look is planned by both revisions, and the plan says what the change between them causes.

    Raises:
        AuthenticationError: a service did not accept the credentials.
        UsageError: `at` is not to come.
    """
    known = journals or {}
    if at is not None and at <= (now := observer.clock.now()):
        raise UsageError(f"--at {at:%Y-%m-%dT%H:%MZ} is not to come: it is {now:%Y-%m-%dT%H:%MZ}.")
    certificates, interest = planner.certificates, planner.interest(known, at)
    if base is not None:
        certificates, interest = both(planner, base), interest_of_both(planner, base, known, at)
    observed = observer.look(certificates, interest=interest, journals=known)
    if at is not None:
        observed = replace(observed, at=at, seen_at=observed.at)
    plan, context = planner.plan(observed, known)
    if base is not None:  # before what preflight finds, which is asked for the head alone
        plan = replace(plan, compared=compared_with(base, plan, context, planner))
    return with_preflight(plan, context, observer.services.scm, planner.desired.certificates, dns)


def _errors(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    return tuple(problem for problem in problems if problem.severity is Severity.ERROR)


def _claimed(certificates: Sequence[DesiredCertificate]) -> dict[AccountName, frozenset[EnrollmentId]]:
    """Return the enrollments that files name by id: no other file is matched with them by name."""
    claimed: dict[AccountName, set[EnrollmentId]] = {}
    for one in certificates:
        if one.enrollment.enrollment_id is not None:
            claimed.setdefault(one.enrollment.account, set()).add(one.enrollment.enrollment_id)
    return {account: frozenset(ids) for account, ids in claimed.items()}
