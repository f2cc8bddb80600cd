"""What the deciding and acting parts ask of the outside, in model types. `services` answers; `wiring` joins the two.

Reads may be repeated and say whether they are complete. Calls under "Steps" change something: they are made once,
after their intent is in the journal, and raise one of these (see `errors`):

    ServiceRejectedError     refused: nothing was done, the same call will be refused again
    ServiceUnavailableError  not sent: it may be made again at once
    AuthenticationError      not sent: credentials or rights
    LookAgainError           not possible now: look
    OutcomeUnknownError      unknown: look before anything else
"""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Protocol

from reconciler.model.access import Rights
from reconciler.model.certificate import ChangeId, ContractId, DesiredCertificate, EnrollmentId
from reconciler.model.dns import AliasLookup, CaaLookup
from reconciler.model.domain import Domain, OrganizationDetails, OrganizationValidation, PasswordState
from reconciler.model.enrollment import (
    Change,
    ChangeManagement,
    ChangeOpened,
    ChangeRecord,
    Csr,
    Enrollment,
    InputKind,
    Served,
    UploadHalf,
)
from reconciler.model.entry import Intent, Outcome
from reconciler.model.forge import Artifact, Comment, MergedRequest
from reconciler.model.handshake import Handshake
from reconciler.model.journal import OpenState
from reconciler.model.journal_entries import Entry
from reconciler.model.names import DnsName
from reconciler.model.order import Order, OrderRequest, Organization, OrganizationId, PlacedOrder, Profile, SslId
from reconciler.model.reading import Reading


class Clock(Protocol):
    """Service time: the machine's, or the sandbox's. Lock and tokens follow real time, which is not asked here."""

    def now(self) -> datetime: ...

    def sleep(self, duration: timedelta) -> None: ...


class Cps(Protocol):
    """One Akamai account's certificate provisioning."""

    def rights(self) -> Rights:
        """Return what this client may do with CPS."""
        ...

    def contracts(self) -> Reading[frozenset[ContractId]]: ...

    def enrollments(
        self, contracts: frozenset[ContractId], *, with_fips_mode: frozenset[DnsName] = frozenset()
    ) -> Reading[tuple[Enrollment, ...]]:
        """Return the enrollments of `contracts`, each with its contract: a call for each, since CPS does not say it.

        Those of the common names `with_fips_mode` say it; others may not, since older versions of the list do not.
        """
        ...

    def served(self, contracts: frozenset[ContractId]) -> Reading[dict[EnrollmentId, Served]]:
        """Return what the networks serve, for all `contracts`."""
        ...

    def change(self, enrollment_id: EnrollmentId, change_id: ChangeId) -> Change: ...

    def csrs(self, enrollment_id: EnrollmentId, change_id: ChangeId) -> tuple[Csr, ...] | None:
        """Return the change's CSRs; None while they are not ready."""
        ...

    def warnings(self, enrollment_id: EnrollmentId, change_id: ChangeId, kind: InputKind) -> str | None:
        """Return the whole text of the warnings that wait; None where none do."""
        ...

    def change_management(self, enrollment_id: EnrollmentId, change_id: ChangeId) -> ChangeManagement | None: ...

    def history(self, enrollment_id: EnrollmentId) -> tuple[ChangeRecord, ...]: ...

    # Steps

    def create_enrollment(self, desired: DesiredCertificate) -> ChangeOpened: ...

    def update_enrollment(
        self,
        enrollment_id: EnrollmentId,
        desired: DesiredCertificate,
        *,
        force_renewal: bool,
        cancel_pending: bool,
        add_missing: bool,
    ) -> ChangeOpened:
        """PUT the body as it is, with only the fields replaced that files name."""
        ...

    def cancel_change(self, enrollment_id: EnrollmentId, change_id: ChangeId) -> None:
        """Cancel a change. Never while production is null: it would remove the enrollment."""
        ...

    def delete_enrollment(self, enrollment_id: EnrollmentId, *, cancel_pending: bool) -> ChangeOpened:
        """Remove an enrollment; what is deployed goes by a change that takes its time."""
        ...

    def upload(self, enrollment_id: EnrollmentId, change_id: ChangeId, halves: tuple[UploadHalf, ...]) -> None: ...

    def acknowledge_warnings(self, enrollment_id: EnrollmentId, change_id: ChangeId, kind: InputKind) -> None: ...

    def acknowledge_change_management(
        self, enrollment_id: EnrollmentId, change_id: ChangeId, validation_hash: str | None
    ) -> None: ...


class Scm(Protocol):
    """One SCM instance. `submit_order` may not be repeated: every call can cost a certificate."""

    def rights(self) -> Rights:
        """Return whether this login may order certificates."""
        ...

    def organizations(self) -> Reading[tuple[Organization, ...]]: ...

    def profiles(self) -> Reading[tuple[Profile, ...]]: ...

    def orders(self) -> Reading[tuple[Order, ...]]: ...

    def order(self, ssl_id: SslId) -> Order | None:
        """Return the order by its id; None where SCM does not know it."""
        ...

    def collect(self, ssl_id: SslId) -> tuple[str, ...] | None:
        """Return the certificates of an issued order as PEM, in no order; None while SCM says that it is not ready."""
        ...

    def chain(self, ssl_id: SslId) -> tuple[str, ...] | None:
        """Return what SCM sends above the leaf of an issued order, in a format of its own: it may have the root."""
        ...

    # Reads before an order

    def domains(self, names: frozenset[DnsName]) -> Reading[tuple[Domain, ...]]:
        """Return the domains that cover `names`; where complete, a name without one is of no domain of the customer."""
        ...

    def validations(self, organization_id: OrganizationId) -> Reading[tuple[OrganizationValidation, ...]]: ...

    def organization_details(self, organization_id: OrganizationId) -> Reading[OrganizationDetails | None]:
        """Return the details; None only where the reading is not complete."""
        ...

    def password_state(self) -> Reading[PasswordState | None]:
        """Return the state of this login's password; None, completely read, where it logs in without one."""
        ...

    # Steps

    def submit_order(self, request: OrderRequest) -> PlacedOrder: ...

    def revoke(self, ssl_id: SslId, reason: str) -> None: ...

    def link_orders(self, old: SslId, new: SslId) -> None:
        """Note that order `new` succeeds `old`, so that mails about the older one's end stop; the CA is not asked."""
        ...


class Edge(Protocol):
    """The CDN's TLS endpoints."""

    def serials(self, network: str, server_name: str, host: str | None) -> frozenset[int]:
        """Return the serials that `network` serves for `server_name`, RSA and ECDSA; empty where none could be had."""
        ...

    def handshakes(self, network: str, server_name: str, host: str | None) -> tuple[Handshake, ...]:
        """Return what `network` shows for `server_name`, RSA and ECDSA; none where its address is not known."""
        ...


class Dns(Protocol):
    """A resolver. A name server that does not answer is an answer too: nothing is raised."""

    def caa(self, name: DnsName) -> CaaLookup:
        """Return the CAA records at exactly this name, aliases followed; it does not climb to the parent."""
        ...

    def validates(self) -> bool | None:
        """Tell whether the resolver checks DNSSEC; None where it cannot be told."""
        ...

    def aliases(self, name: DnsName) -> AliasLookup:
        """Return the aliases that `name` leads to; of a wildcard ask for a name that it covers."""
        ...


class Journal(Protocol):
    """What was meant and what came of it. An intent is durable when `intend` returns; it can only stop a step."""

    @property
    def state(self) -> OpenState | None:
        """What all runs together left; None where each run has only itself."""
        ...

    def intend(self, intents: tuple[Intent, ...]) -> None: ...

    def record(self, outcomes: tuple[Outcome, ...]) -> None: ...

    def note(self, entries: Iterable[Entry]) -> None:
        """Write what a look has told: ended causes, managed enrollments, contracts."""
        ...


class Lease(Protocol):
    """A lock that is held. Real time counts here, not service time."""

    @property
    def epoch(self) -> int: ...

    def confirm(self) -> None:
        """Prove that the lock is still ours; called just before each step.

        Raises:
            LockLostError: it is not, or that cannot be found out: nothing may be sent any more.
        """
        ...

    def release(self) -> None: ...


class Lock(Protocol):
    """Excludes other runs on one account, of this project or of another."""

    def take(self, *, at: datetime, timeout: timedelta, create: bool, stop: Callable[[], bool]) -> Lease:
        """Take the lock, waiting for it as long as `timeout`, or until `stop`; `at` is service time.

        `create` allows to begin a journal where there is none: only if no order carries our tag.

        Raises:
            LockHeldError: another run has it.
            JournalError: there is no journal that the lock could go with.
        """
        ...


class Notifier(Protocol):
    """One receiver of notifications."""

    def send(self, title: str, body: str, *, urgent: bool) -> None:
        """Send a message, once.

        Raises:
            NotificationError: it was not delivered, or nobody knows.
        """
        ...


class Forge(Protocol):
    """Where the repository lives: GitHub or GitLab. What is read or set may be repeated; `create` may not be."""

    @property
    def service(self) -> str: ...

    def head(self, number: int) -> str:
        """Return the commit that a pull request's branch stands on now."""
        ...

    def comments(self, number: int) -> tuple[Comment, ...]:
        """Return our own comments on a pull request, oldest first; those of others never."""
        ...

    def create(self, number: int, body: str) -> None:
        """Write a new comment.

        Raises:
            OutcomeUnknownError: it may stand there for all that.
        """
        ...

    def update(self, number: int, comment: int, body: str, /) -> None: ...

    def delete(self, number: int, comment: int, /) -> None: ...


class PlanArchive(Protocol):
    """Plans that workflow runs of pull requests kept, and which of these were merged."""

    def merged_by(self, commit: str, branch: str) -> tuple[MergedRequest, ...]:
        """Return the pull requests whose merge into `branch` brought `commit`: by merge, squash or rebase."""
        ...

    def artifacts(self, name: str) -> tuple[Artifact, ...]:
        """Return what runs kept under this name and is still there."""
        ...

    def archive(self, artifact: int) -> bytes:
        """Return an artifact's ZIP archive."""
        ...
