"""Plan: look at everything once and say what would be done. Nothing here changes anything."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from reconciler.desired.load import Desired
from reconciler.errors import Problem, Severity
from reconciler.execution.observe import Observer
from reconciler.model.certificate import AccountName, CertificateName, DesiredCertificate, EnrollmentId
from reconciler.model.policy import Policy
from reconciler.planning.observed import Observed
from reconciler.planning.plan import Plan, plan_for
from reconciler.planning.tags import installation_of
from reconciler.planning.workflow import Context, Trust


@dataclass(frozen=True, slots=True, kw_only=True)
class Planner:
    """Turns looks at some of the desired certificates into plans. `new_installation` is used where no tag names one."""

    desired: Desired
    policy: Policy
    trust: Trust
    new_installation: str
    targets: Callable[[DesiredCertificate], bool] = lambda _: True
    partial: str | None = None
    promote: frozenset[CertificateName] = frozenset()

    @property
    def certificates(self) -> tuple[DesiredCertificate, ...]:
        return tuple(one for one in self.desired.certificates if self.targets(one))

    def plan(self, observed: Observed) -> Plan:
        orders = [order for view in observed.instances.values() for order in view.orders.values]
        context = Context(
            observed=observed,
            policy=self.policy,
            trust=self.trust,
            installation=installation_of(orders) or self.new_installation,
            claimed=_claimed(self.desired.certificates),
            promote=self.promote,
        )
        return plan_for(self.certificates, context, problems=_errors(self.desired.problems), partial=self.partial)


def make_plan(planner: Planner, observer: Observer) -> Plan:
    """Look once and plan.

    Raises:
        AuthenticationError: a service did not accept the credentials.
    """
    return planner.plan(observer.look(planner.certificates))


def _errors(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    return tuple(problem for problem in problems if problem.severity is Severity.ERROR)


def _claimed(certificates: Sequence[DesiredCertificate]) -> dict[AccountName, frozenset[EnrollmentId]]:
    """Return the enrollments that files name by id: no other file is matched with them by name."""
    claimed: dict[AccountName, set[EnrollmentId]] = {}
    for one in certificates:
        if one.enrollment.enrollment_id is not None:
            claimed.setdefault(one.enrollment.account, set()).add(one.enrollment.enrollment_id)
    return {account: frozenset(ids) for account, ids in claimed.items()}
