"""CPS's bulk lists, in the version and by the contract in which CPS serves them: its documents and clients disagree."""

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Protocol, TypeVar

import msgspec

from reconciler.errors import AuthenticationError, ServiceError, ServiceRejectedError
from reconciler.model.certificate import AccountName, ContractId, EnrollmentId
from reconciler.model.enrollment import Enrollment, Served
from reconciler.model.names import DnsName
from reconciler.model.reading import Reading
from reconciler.services.cps import operations, wire
from reconciler.services.decode import BodyError
from reconciler.services.http import Request

log = logging.getLogger(__name__)

ACTIVE_CERTIFICATES = "active-certificates"  # the group of calls that CPS limits for itself

Value = TypeVar("Value")


class Call(Protocol):
    """Makes a call and returns what `parse` makes of its body."""

    def __call__(self, request: Request, parse: Callable[[bytes], Value], *, group: str = "") -> Value: ...


_Rows = list[msgspec.Raw] | ServiceError


@dataclass(kw_only=True)
class BulkLists:
    """Reads the lists of one account, and remembers how CPS wants to be asked. What is missing is a problem."""

    account: AccountName
    call: Call
    _versions: tuple[str, ...] = operations.ENROLLMENT_LISTS  # not refused so far, the best first
    _by_contract: bool = False  # active certificates are listed for a contract only

    def enrollments(
        self, contracts: Iterable[ContractId], with_fips_mode: frozenset[DnsName]
    ) -> Reading[tuple[Enrollment, ...]]:
        found: dict[EnrollmentId, Enrollment] = {}
        problems: list[str] = []
        for contract in sorted(contracts):
            reading = self._enrollments_of(contract)
            problems.extend(reading.problems)
            for enrollment in reading.values:
                known = found.setdefault(enrollment.id, enrollment)
                if known is not enrollment:
                    problems.append(
                        f"cps: enrollment {enrollment.id} is listed under contract {known.contract} and under "
                        f"{contract}: whose it is, is unknown."
                    )
        if self._versions[0] not in operations.SAYING_FIPS_MODE:
            problems.extend(self._add_fips_mode(found, with_fips_mode))
        return Reading(values=tuple(found.values()), complete=not problems, problems=tuple(problems))

    def served(self, contracts: frozenset[ContractId]) -> Reading[dict[EnrollmentId, Served]]:
        request = operations.list_active_certificates()
        rows = [] if self._by_contract else self._rows(request, group=ACTIVE_CERTIFICATES)
        # The documents ask for a contract; clients in the field go without, and get all (akamai-cps 2.3 and 2.11).
        if self._by_contract or (isinstance(rows, ServiceRejectedError) and contracts):
            return self._served_by_contract(contracts)
        reading = _reading(request, rows, wire.served)
        return Reading(values=dict(reading.values), complete=reading.complete, problems=reading.problems)

    def _served_by_contract(self, contracts: Iterable[ContractId]) -> Reading[dict[EnrollmentId, Served]]:
        readings = [self._served_of(contract) for contract in sorted(contracts)]
        self._by_contract = self._by_contract or any(reading.complete for reading in readings)
        return Reading(
            values={number: served for reading in readings for number, served in reading.values},
            complete=all(reading.complete for reading in readings),
            problems=tuple(problem for reading in readings for problem in reading.problems),
        )

    def _served_of(self, contract: ContractId) -> Reading[tuple[tuple[EnrollmentId, Served], ...]]:
        request = operations.list_active_certificates(contract)
        return _reading(request, self._rows(request, group=ACTIVE_CERTIFICATES), wire.served)

    def _enrollments_of(self, contract: ContractId) -> Reading[tuple[Enrollment, ...]]:
        """Read one contract's list in the best version that CPS serves; what it refuses may be the version."""
        request = operations.list_enrollments(contract, self._versions[0])
        rows = self._rows(request)
        for place, older in enumerate(self._versions[1:], 1):
            if not isinstance(rows, ServiceRejectedError):
                break
            tried = self._rows(operations.list_enrollments(contract, older))
            if not isinstance(tried, ServiceError):
                log.info("%s: not served; read in version %s", rows, older)
                self._versions, rows = self._versions[place:], tried
                break
        return _reading(request, rows, lambda raw: wire.enrollment(raw, self.account, contract))

    def _add_fips_mode(self, found: dict[EnrollmentId, Enrollment], wanted: frozenset[DnsName]) -> Iterable[str]:
        """Read one by one what the list's version leaves out, where a file names it; yield what could not be read."""
        for one in [each for each in found.values() if each.common_name in wanted]:
            try:
                alone = self.call(
                    operations.read_enrollment(one.id), lambda body: wire.enrollment(body, self.account, None)
                )
                found[one.id] = replace(one, fips_mode=alone.fips_mode)
            except AuthenticationError:
                raise
            except ServiceError as error:
                yield str(error)

    def _rows(self, request: Request, *, group: str = "") -> _Rows:
        """Return a list's items, or why there are none. Wrong credentials are no gap in a reading: they raise."""
        try:
            return self.call(request, wire.items, group=group)
        except AuthenticationError:
            raise
        except ServiceError as error:
            return error


def _reading(request: Request, rows: _Rows, parse: Callable[[msgspec.Raw], Value]) -> Reading[tuple[Value, ...]]:
    """Return what could be parsed. An item that can't be used is a problem, and the others are there all the same."""
    if isinstance(rows, ServiceError):
        return Reading(values=(), complete=False, problems=(str(rows),))
    values: list[Value] = []
    problems: list[str] = []
    for row in rows:
        try:
            values.append(parse(row))
        except BodyError as error:
            problems.append(f"cps: {request.operation}: {wire.label(row)}: {error}")
    return Reading(values=tuple(values), complete=not problems, problems=tuple(problems))
