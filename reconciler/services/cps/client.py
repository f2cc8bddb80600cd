"""One Akamai account's CPS over HTTP, as `ports.Cps` asks for it."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date
from typing import Any, TypeVar

from akamai.edgegrid import EdgeGridAuth

from reconciler.errors import (
    AuthenticationError,
    LookAgainError,
    ServiceError,
    ServiceUnavailableError,
    UnexpectedAnswerError,
)
from reconciler.model.access import CpsAccess, Rights
from reconciler.model.certificate import ChangeId, ContractId, DesiredCertificate, EnrollmentId
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
from reconciler.model.names import DnsName
from reconciler.model.reading import Reading
from reconciler.ports import Clock
from reconciler.services.caller import Caller
from reconciler.services.cps import bodies, operations, wire, wire_changes
from reconciler.services.cps.lists import BulkLists
from reconciler.services.decode import decode
from reconciler.services.http import Authorize, Request

# At DEBUG, EdgeGrid's signer logs its signing key and the body: whoever turns logging up does not ask for these.
logging.getLogger("akamai.edgegrid").setLevel(logging.WARNING)

log = logging.getLogger(__name__)

Value = TypeVar("Value")


def signer(access: CpsAccess) -> Authorize:
    """Return what signs a request. Timestamp and nonce are new each time it is called: once for every attempt."""
    signature = EdgeGridAuth(
        access.client_token.reveal(),
        access.client_secret.reveal(),
        access.access_token.reveal(),
        max_body=access.max_body,
    )
    sign: Authorize = signature
    return sign


class CpsClient:
    """Answers for one account. Bulk reads report what is missing; other reads, and all steps, raise."""

    def __init__(self, access: CpsAccess, caller: Caller, clock: Clock) -> None:
        self._access = access
        self._caller = caller
        self._clock = clock
        self._lists = BulkLists(account=access.account, call=self._call)

    def close(self) -> None:
        self._caller.close()

    def _call(self, request: Request, parse: Callable[[bytes], Value], *, group: str = "") -> Value:
        key = self._access.account_switch_key
        if key is not None:
            request = replace(request, query={**request.query, "accountSwitchKey": key})
        return self._caller.call(request, lambda answer: parse(answer.body), group=group)

    def rights(self) -> Rights:
        try:
            return self._call(operations.list_grants(), wire_changes.grants)
        except AuthenticationError:
            raise
        except ServiceError as error:
            log.info("%s", error)
            return Rights(who="the API client", may_write=None)

    # Bulk reads

    def contracts(self) -> Reading[frozenset[ContractId]]:
        try:
            return Reading(values=self._call(operations.list_contracts(), wire_changes.contracts))
        except AuthenticationError:
            raise
        except ServiceError as error:
            return Reading(values=frozenset(), complete=False, problems=(str(error),))

    def enrollments(
        self, contracts: frozenset[ContractId], *, with_fips_mode: frozenset[DnsName] = frozenset()
    ) -> Reading[tuple[Enrollment, ...]]:
        return self._lists.enrollments(contracts, with_fips_mode)

    def served(self, contracts: frozenset[ContractId]) -> Reading[dict[EnrollmentId, Served]]:
        return self._lists.served(contracts)

    # Reads of one enrollment

    def change(self, enrollment_id: EnrollmentId, change_id: ChangeId) -> Change:
        request = operations.read_change(enrollment_id, change_id)
        return self._call(request, lambda body: wire_changes.change(body, change_id))

    def csrs(self, enrollment_id: EnrollmentId, change_id: ChangeId) -> tuple[Csr, ...] | None:
        return self._if_there(operations.read_csrs(enrollment_id, change_id), wire_changes.csrs) or None

    def warnings(self, enrollment_id: EnrollmentId, change_id: ChangeId, kind: InputKind) -> str | None:
        return self._if_there(operations.read_warnings(enrollment_id, change_id, kind), wire_changes.warnings)

    def change_management(self, enrollment_id: EnrollmentId, change_id: ChangeId) -> ChangeManagement | None:
        request = operations.read_change_management(enrollment_id, change_id)
        return self._if_there(request, wire_changes.change_management)

    def _if_there(self, request: Request, parse: Callable[[bytes], Value]) -> Value | None:
        """Read what an input is about; None where CPS says that it is not yet, or no longer, there."""
        try:
            return self._call(request, parse)
        except LookAgainError:
            return None

    def history(self, enrollment_id: EnrollmentId) -> tuple[ChangeRecord, ...]:
        return self._call(operations.read_history(enrollment_id), wire_changes.history)

    # Steps

    def create_enrollment(self, desired: DesiredCertificate) -> ChangeOpened:
        request = operations.create_enrollment(desired, deploy_not_before=self._still_to_come(desired))
        return self._call(request, wire_changes.opened)

    def _still_to_come(self, desired: DesiredCertificate) -> date | None:
        """Return the date before which not to deploy, unless it has passed: then it holds nothing back."""
        wanted = desired.enrollment.deploy_not_before
        return wanted if wanted is not None and wanted > self._clock.now().date() else None

    def update_enrollment(
        self,
        enrollment_id: EnrollmentId,
        desired: DesiredCertificate,
        *,
        force_renewal: bool,
        cancel_pending: bool,
        add_missing: bool,
    ) -> ChangeOpened:
        document = self._read_for_update(enrollment_id)
        flags = {
            "force-renewal": force_renewal,
            "renewal-date-check-override": True,  # else CPS refuses inside its own renewal window
            "allow-cancel-pending-changes": cancel_pending,
            "allow-missing-certificate-addition": add_missing,
        }
        request = operations.update_enrollment(
            enrollment_id, bodies.update(document, desired), flags, self._still_to_come(desired)
        )
        return self._call(request, wire_changes.opened)

    def cancel_change(self, enrollment_id: EnrollmentId, change_id: ChangeId) -> None:
        self._call(operations.cancel_change(enrollment_id, change_id), wire_changes.accepted)

    def delete_enrollment(self, enrollment_id: EnrollmentId, *, cancel_pending: bool) -> ChangeOpened:
        request = operations.delete_enrollment(enrollment_id, cancel_pending=cancel_pending)
        return self._call(request, wire_changes.opened)

    def _read_for_update(self, enrollment_id: EnrollmentId) -> Mapping[str, Any]:
        try:
            return self._call(operations.read_enrollment(enrollment_id), self._document)
        except UnexpectedAnswerError as error:  # of a step, it says that nothing was sent
            raise ServiceUnavailableError(error.service, error.operation, error.detail) from error

    def _document(self, body: bytes) -> Mapping[str, Any]:
        """Return an enrollment as CPS wrote it, to be sent back with some fields replaced; it is known to be one."""
        wire.enrollment(body, self._access.account, None)
        return decode(body, dict[str, Any])

    def upload(self, enrollment_id: EnrollmentId, change_id: ChangeId, halves: tuple[UploadHalf, ...]) -> None:
        self._call(operations.upload(enrollment_id, change_id, halves), wire_changes.accepted)

    def acknowledge_warnings(self, enrollment_id: EnrollmentId, change_id: ChangeId, kind: InputKind) -> None:
        self._call(operations.acknowledge_warnings(enrollment_id, change_id, kind), wire_changes.accepted)

    def acknowledge_change_management(
        self, enrollment_id: EnrollmentId, change_id: ChangeId, validation_hash: str | None
    ) -> None:
        request = operations.acknowledge_change_management(enrollment_id, change_id, validation_hash)
        self._call(request, wire_changes.accepted)
