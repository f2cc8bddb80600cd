"""Plan two revisions on one look, so that what differs is what the change of the files causes."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from reconciler.execution.observe import Interest
from reconciler.model.certificate import AccountName, DesiredCertificate, InstanceName
from reconciler.model.digest import desired_digest
from reconciler.model.journal import OpenState
from reconciler.model.policy import Account, Instance, Project
from reconciler.planning.case import Context
from reconciler.planning.compared import Compared
from reconciler.planning.origins import origins, releases
from reconciler.planning.plan import Plan, Standing

if TYPE_CHECKING:
    from reconciler.app.plan import Planner


@dataclass(frozen=True, slots=True, kw_only=True)
class Base:
    """The revision that a plan is compared with."""

    revision: str
    reference: str  # as the command line has it
    planner: "Planner | None"  # of what can be seen through the head's accounts; None where it could not be planned
    unseen: tuple[DesiredCertificate, ...] = ()  # of accounts that the head does not have, or has as another account
    note: str = ""

    @property
    def certificates(self) -> tuple[DesiredCertificate, ...]:
        return self.planner.certificates if self.planner is not None else ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Sorted:
    """Certificates of a base, by whether the head's configuration leads to the same services."""

    seen: list[DesiredCertificate] = field(default_factory=list)
    unseen: list[DesiredCertificate] = field(default_factory=list)  # of another account


def compared_certificates(certificates: Iterable[DesiredCertificate], base: Project, head: Project) -> Sorted:
    """Sort the certificates of the base. What is of another SCM instance is left out: it is neither seen nor gone."""
    found = Sorted()
    for one in certificates:
        if not _same_account(one.enrollment.account, base, head):
            found.unseen.append(one)
        elif _same_instance(one.order.instance, base, head):
            found.seen.append(one)
    return found


def _same_account(name: AccountName, base: Project, head: Project) -> bool:
    return name in head.accounts and _account(base.accounts[name]) == _account(head.accounts[name])


def _account(account: Account) -> tuple[str | None, str | None]:
    return account.account_id, account.account_switch_key


def _same_instance(name: InstanceName, base: Project, head: Project) -> bool:
    return name in head.instances and _instance(base.instances[name]) == _instance(head.instances[name])


def _instance(instance: Instance) -> tuple[str, str | None]:
    return instance.base_url, instance.login.customer_uri


def both(planner: "Planner", base: Base) -> tuple[DesiredCertificate, ...]:
    """Return what a look for both must cover: the head's certificates, then those that the base has otherwise."""
    known = {_key(one) for one in planner.certificates}
    return (*planner.certificates, *(one for one in base.certificates if _key(one) not in known))


def _key(one: DesiredCertificate) -> tuple[str, str]:
    return one.name, desired_digest(one)


def interest_of_both(
    planner: "Planner", base: Base, journals: Mapping[AccountName, OpenState], at: datetime | None
) -> Interest:
    """Return what tells whether a pending change matters to one of the two."""
    head = planner.interest(journals, at)
    if base.planner is None:
        return head
    other = base.planner.interest(journals, at)
    return lambda *seen: head(*seen) or other(*seen)


def compared_with(base: Base, plan: Plan, context: Context, planner: "Planner") -> Compared:
    """Return how a plan relates to its base, which is planned on the same look."""
    before: tuple[Standing, ...] = ()
    if base.planner is not None:
        before = base.planner.plan(context.observed, context.journals)[0].standings
    gone = (*base.certificates, *(one for one in base.unseen if planner.selectors.takes(one)))
    # What a broken file claims is not known: nothing is read as released.
    released = () if planner.desired.broken else releases(gone, planner.desired.certificates, context)
    return Compared(
        revision=base.revision,
        reference=base.reference,
        origins=origins(plan.standings, before),
        released=released,
        note=base.note,
    )
