"""What one certificate is decided with: the file, the look, the journal, and what a person lets go now."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from reconciler.model.certificate import (
    AccountName,
    CertificateName,
    DesiredCertificate,
    EnrollmentId,
    InstanceName,
)
from reconciler.model.digest import desired_digest
from reconciler.model.enrollment import Enrollment, Served
from reconciler.model.journal import OpenIntent, OpenState
from reconciler.model.policy import Policy
from reconciler.model.x509 import Certificate
from reconciler.planning.campaign_book import CampaignBook
from reconciler.planning.needs import Serving, serving_of
from reconciler.planning.observed import AccountView, ChangeView, InstanceView, Observed
from reconciler.planning.ordering import OrderTerms
from reconciler.planning.ownership import Owner, owner_of
from reconciler.planning.selectors import EVERYTHING, Selectors
from reconciler.planning.settle import settled_at


@dataclass(frozen=True, slots=True, kw_only=True)
class Trust:
    """Which roots a certificate may lead to: public ones as certificates, private ones by SHA-256 an instance."""

    public_roots: tuple[Certificate, ...]
    private_roots: Mapping[InstanceName, frozenset[str]]
    private_certificates: tuple[Certificate, ...] = ()  # private roots, of any instance, that are had without SCM


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What all decisions of one look share."""

    observed: Observed
    policy: Policy
    trust: Trust
    installation: str
    claimed: Mapping[AccountName, frozenset[EnrollmentId]]  # enrollments that files name by id
    journals: Mapping[AccountName, OpenState] = field(default_factory=dict)  # empty where none is kept
    promote: frozenset[CertificateName] = frozenset()  # those with `promote: manual` that a person lets go now
    retry: frozenset[CertificateName] = frozenset()  # dead or lost work that a person lets begin again
    settles: Callable[[OpenIntent], datetime] = settled_at  # when an intent without an effect had none
    certificates: int = 0  # how many all files ask for, selected or not: the base of a share
    placed_in_run: int = 0  # orders
    supersede: frozenset[CertificateName] = frozenset()  # changes with an order that give way to a changed file
    selectors: Selectors = EVERYTHING  # what the run is about
    campaigns: CampaignBook = field(default_factory=CampaignBook)
    calls_per_minute: Mapping[AccountName, int] = field(default_factory=dict)  # that each account allows us


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

    @property
    def journal(self) -> OpenState | None:
        return self.context.journals.get(self.desired.enrollment.account)

    @property
    def digest(self) -> str:
        return desired_digest(self.desired)

    def served(self, enrollment: Enrollment) -> Served:
        return self.account.served.values.get(enrollment.id, Served())

    def serving(self, enrollment: Enrollment) -> Serving | None:
        return serving_of(self.desired, self.served(enrollment), self.instance.book, self.context.policy, self.now)

    def view(self, enrollment: Enrollment) -> ChangeView | None:
        return self.context.observed.changes.get((self.desired.enrollment.account, enrollment.id))

    def owner(self, enrollment: Enrollment) -> Owner | None:
        """Tell whose the pending change is, one that the file takes over being ours; None where nobody knows."""
        if enrollment.pending and self.desired.enrollment.adopt_change == enrollment.pending[-1].id:
            return Owner.OURS
        return self.opened_by(enrollment)

    def opened_by(self, enrollment: Enrollment) -> Owner | None:
        """Tell who opened the pending change; None where there is none, or that needs its history, which was not read.

        Of several the last one is meant: it is documented to be the most recent.
        """
        if not enrollment.pending:
            return None
        view = self.view(enrollment)
        return owner_of(
            enrollment,
            enrollment.pending[-1].id,
            self.desired,
            record=view.record if view is not None else None,
            deployed=bool(self.served(enrollment).production),
            book=self.instance.book,
            journal=self.journal,
        )
