"""CPS's operations as requests: paths, queries, and the version of each body. Only what a third-party needs."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from reconciler.model.certificate import ChangeId, ContractId, DesiredCertificate, EnrollmentId
from reconciler.model.enrollment import InputKind, UploadHalf
from reconciler.services.cps import bodies
from reconciler.services.decode import encode
from reconciler.services.http import Request

# Each body is read and written in one version. Enrollments: v12, the first that shows fipsMode, because a PUT in an
# older one would leave it out, and what a PUT leaves out CPS resets. Of the list the newest document says v11, while
# clients ask for v12 (akamai-cps 7, point 46): there the first that CPS serves is taken.
ENROLLMENT_LISTS = ("enrollments.v12", "enrollments.v11")
SAYING_FIPS_MODE = frozenset({"enrollments.v12"})
_ENROLLMENT = "enrollment.v12"
_ENROLLMENT_STATUS = "enrollment-status.v1"
_ACTIVE_CERTIFICATES = "active-certificates.v2"
_CHANGE = "change.v2"
_CHANGE_ID = "change-id.v1"
_CSR = "csr.v2"
_WARNINGS = "warnings.v1"
_CHANGE_MANAGEMENT = "change-management-info.v5"
_HISTORY = "change-history.v5"
_UPLOAD = "certificate-and-trust-chain.v2"
_ACKNOWLEDGEMENT = "acknowledgement.v1"
_ACKNOWLEDGEMENT_WITH_HASH = "acknowledgement-with-hash.v1"

# What stands in a path for the warnings; `allowedInput[].type` has other words.
_WARNING_SEGMENTS = {
    InputKind.PRE_WARNINGS: "pre-verification-warnings",
    InputKind.POST_WARNINGS: "post-verification-warnings",
}


def list_contracts() -> Request:
    """Return the request for the contracts that the client may see. It is not CPS's own, so it has no version."""
    return Request(
        operation="list contracts",
        method="GET",
        path="/contract-api/v1/contracts/identifiers",
        query={"depth": "TOP"},
        headers={"Accept": "application/json"},
    )


def list_grants() -> Request:
    """Return the request for what the client may do. It is the gateway's, and every client may make it."""
    return Request(
        operation="list the client's grants",
        method="GET",
        path="/-/client-api/active-grants/implicit",
        headers={"Accept": "application/json"},
    )


def list_enrollments(contract: ContractId, version: str = ENROLLMENT_LISTS[0]) -> Request:
    return _read(f"list the enrollments of contract {contract}", "/enrollments", version, {"contractId": contract})


def list_active_certificates(contract: ContractId | None = None) -> Request:
    """Return the request for those of one contract, or of all that the client may see."""
    if contract is None:
        return _read("list the active certificates", "/active-certificates", _ACTIVE_CERTIFICATES)
    operation = f"list the active certificates of contract {contract}"
    return _read(operation, "/active-certificates", _ACTIVE_CERTIFICATES, {"contractId": contract})


def read_enrollment(enrollment_id: EnrollmentId) -> Request:
    return _read(f"read enrollment {enrollment_id}", f"/enrollments/{enrollment_id}", _ENROLLMENT)


def read_history(enrollment_id: EnrollmentId) -> Request:
    return _read(
        f"read the change history of enrollment {enrollment_id}",
        f"/enrollments/{enrollment_id}/history/changes",
        _HISTORY,
        {"includeAll": "true"},
    )


def read_change(enrollment_id: EnrollmentId, change_id: ChangeId) -> Request:
    return _read(f"read {_named(enrollment_id, change_id)}", _change(enrollment_id, change_id), _CHANGE)


def read_csrs(enrollment_id: EnrollmentId, change_id: ChangeId) -> Request:
    return _read_input(enrollment_id, change_id, "third-party-csr", _CSR)


def read_warnings(enrollment_id: EnrollmentId, change_id: ChangeId, kind: InputKind) -> Request:
    return _read_input(enrollment_id, change_id, _WARNING_SEGMENTS[kind], _WARNINGS)


def read_change_management(enrollment_id: EnrollmentId, change_id: ChangeId) -> Request:
    return _read_input(enrollment_id, change_id, "change-management-info", _CHANGE_MANAGEMENT)


def create_enrollment(desired: DesiredCertificate, *, deploy_not_before: date | None) -> Request:
    wanted = desired.enrollment
    query: dict[str, str] = {"contractId": wanted.contract}
    if wanted.allow_duplicate_cn:
        query["allow-duplicate-cn"] = "true"
    if deploy_not_before is not None:
        query["deploy-not-before"] = deploy_not_before.isoformat()
    return _step(
        f"create the enrollment of {desired.common_name}",
        ("POST", "/enrollments"),
        (_ENROLLMENT, _ENROLLMENT_STATUS),
        bodies.create(desired),
        query,
    )


def update_enrollment(
    enrollment_id: EnrollmentId, document: Mapping[str, Any], flags: Mapping[str, bool], deploy_not_before: date | None
) -> Request:
    query = {name: "true" for name, wanted in flags.items() if wanted}
    if deploy_not_before is not None:
        query["deploy-not-before"] = deploy_not_before.isoformat()
    return _step(
        f"update enrollment {enrollment_id}",
        ("PUT", f"/enrollments/{enrollment_id}"),
        (_ENROLLMENT, _ENROLLMENT_STATUS),
        document,
        query,
    )


def delete_enrollment(enrollment_id: EnrollmentId, *, cancel_pending: bool) -> Request:
    return Request(
        operation=f"delete enrollment {enrollment_id}",
        method="DELETE",
        path=f"/cps/v2/enrollments/{enrollment_id}",
        mutates=True,
        query={"allow-cancel-pending-changes": "true"} if cancel_pending else {},
        headers={"Accept": _media_type(_ENROLLMENT_STATUS)},
    )


def cancel_change(enrollment_id: EnrollmentId, change_id: ChangeId) -> Request:
    return Request(
        operation=f"cancel {_named(enrollment_id, change_id)}",
        method="DELETE",
        path=f"/cps/v2{_change(enrollment_id, change_id)}",
        mutates=True,
        headers={"Accept": _media_type(_CHANGE_ID)},
    )


def upload(enrollment_id: EnrollmentId, change_id: ChangeId, halves: tuple[UploadHalf, ...]) -> Request:
    return _step(
        f"upload the certificate for {_named(enrollment_id, change_id)}",
        ("POST", f"{_change(enrollment_id, change_id)}/input/update/third-party-cert-and-trust-chain"),
        (_UPLOAD, _CHANGE_ID),
        bodies.upload(halves),
    )


def acknowledge_warnings(enrollment_id: EnrollmentId, change_id: ChangeId, kind: InputKind) -> Request:
    return _step(
        f"acknowledge the warnings of {_named(enrollment_id, change_id)}",
        ("POST", f"{_change(enrollment_id, change_id)}/input/update/{_WARNING_SEGMENTS[kind]}-ack"),
        (_ACKNOWLEDGEMENT, _CHANGE_ID),
        bodies.acknowledgement(),
    )


def acknowledge_change_management(
    enrollment_id: EnrollmentId, change_id: ChangeId, validation_hash: str | None
) -> Request:
    return _step(
        f"promote {_named(enrollment_id, change_id)} to production",
        ("POST", f"{_change(enrollment_id, change_id)}/input/update/change-management-ack"),
        (_ACKNOWLEDGEMENT if validation_hash is None else _ACKNOWLEDGEMENT_WITH_HASH, _CHANGE_ID),
        bodies.acknowledgement(validation_hash),
    )


def _named(enrollment_id: EnrollmentId, change_id: ChangeId) -> str:
    return f"change {change_id} of enrollment {enrollment_id}"


def _change(enrollment_id: EnrollmentId, change_id: ChangeId) -> str:
    return f"/enrollments/{enrollment_id}/changes/{change_id}"


def _media_type(name: str) -> str:
    return f"application/vnd.akamai.cps.{name}+json"


def _read(operation: str, path: str, version: str, query: Mapping[str, str] | None = None) -> Request:
    return Request(
        operation=operation,
        method="GET",
        path=f"/cps/v2{path}",
        query=query or {},
        headers={"Accept": _media_type(version)},
    )


def _read_input(enrollment_id: EnrollmentId, change_id: ChangeId, segment: str, version: str) -> Request:
    return _read(
        f"read {segment} of {_named(enrollment_id, change_id)}",
        f"{_change(enrollment_id, change_id)}/input/info/{segment}",
        version,
    )


def _step(
    operation: str,
    target: tuple[str, str],
    versions: tuple[str, str],
    document: Mapping[str, Any],
    query: Mapping[str, str] | None = None,
) -> Request:
    """Return a request that changes something: method and path, versions of the body and of the answer."""
    method, path = target
    sent, answered = versions
    return Request(
        operation=operation,
        method=method,
        path=f"/cps/v2{path}",
        mutates=True,
        query=query or {},
        headers={"Accept": _media_type(answered), "Content-Type": _media_type(sent)},
        body=encode(document),
    )
