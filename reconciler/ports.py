"""What the deciding and acting parts ask of the outside, in model types. `services` answers; `wiring` joins the two.

Reads may be repeated and say whether they are complete. Calls under "Steps" change something: they are made once,
after their intent is in the journal, and raise one of these (see `errors`):

    ServiceRejectedError     refused: nothing was done, the same call will be refused again
    ServiceUnavailableError  not sent: it may be made again at once
    AuthenticationError      not sent: credentials or rights
    LookAgainError           not possible now: look
    OutcomeUnknownError      unknown: look before anything else
"""

from datetime import datetime, timedelta
from typing import Protocol

from reconciler.model.certificate import ChangeId, ContractId, DesiredCertificate, EnrollmentId, MutualAuthentication
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
from reconciler.model.order import Order, OrderRequest, Organization, PlacedOrder, Profile, SslId
from reconciler.model.reading import Reading


class Clock(Protocol):
    """Service time: the machine's, or the sandbox's. Lock and tokens follow real time, which is not asked here."""

    def now(self) -> datetime: ...

    def sleep(self, duration: timedelta) -> None: ...


class Cps(Protocol):
    """One Akamai account's certificate provisioning."""

    def contracts(self) -> Reading[frozenset[ContractId]]: ...

    def enrollments(self, contracts: frozenset[ContractId]) -> Reading[tuple[Enrollment, ...]]:
        """Return the enrollments of `contracts`, each with its contract: a call for each, since CPS does not say it."""
        ...

    def served(self) -> Reading[dict[EnrollmentId, Served]]: ...

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

    def set_mutual_authentication(
        self, enrollment_id: EnrollmentId, settings: MutualAuthentication, *, fips_mode: bool | None
    ) -> ChangeOpened:
        """Replace the first change of a new enrollment by one with these settings (a POST may not carry them)."""
        ...

    def upload(self, enrollment_id: EnrollmentId, change_id: ChangeId, halves: tuple[UploadHalf, ...]) -> None: ...

    def acknowledge_warnings(self, enrollment_id: EnrollmentId, change_id: ChangeId, kind: InputKind) -> None: ...

    def acknowledge_change_management(
        self, enrollment_id: EnrollmentId, change_id: ChangeId, validation_hash: str | None
    ) -> None: ...


class Scm(Protocol):
    """One SCM instance. `submit_order` may not be repeated: every call can cost a certificate."""

    def organizations(self) -> Reading[tuple[Organization, ...]]: ...

    def profiles(self) -> Reading[tuple[Profile, ...]]: ...

    def orders(self) -> Reading[tuple[Order, ...]]: ...

    def order(self, ssl_id: SslId) -> Order | None:
        """Return the order by its id; None where SCM does not know it."""
        ...

    def collect(self, ssl_id: SslId) -> tuple[str, ...] | None:
        """Return the certificates of an issued order as PEM, in no order; None while SCM says that it is not ready."""
        ...

    # Steps

    def submit_order(self, request: OrderRequest) -> PlacedOrder: ...


class Edge(Protocol):
    """The CDN's TLS endpoints."""

    def serials(self, network: str, server_name: str, host: str | None) -> frozenset[int]:
        """Return the serials that `network` serves for `server_name`, RSA and ECDSA; empty where none could be had."""
        ...


class Journal(Protocol):
    """What was meant and what came of it. An intent is durable when `intend` returns; it can only stop a step."""

    def intend(self, intents: tuple[Intent, ...]) -> None: ...

    def record(self, outcomes: tuple[Outcome, ...]) -> None: ...

    def intents(self) -> tuple[Intent, ...]: ...

    def outcomes(self) -> tuple[Outcome, ...]: ...
