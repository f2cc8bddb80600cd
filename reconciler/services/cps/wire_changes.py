"""CPS's JSON of changes: their status, inputs, history, and the answers to steps. See `wire` for the rules."""

from collections.abc import Iterable
from typing import Literal

from reconciler.model.access import Rights
from reconciler.model.certificate import ChangeId, ContractId, EnrollmentId, KeyType
from reconciler.model.enrollment import (
    Change,
    ChangeManagement,
    ChangeOpened,
    ChangeRecord,
    ChangeState,
    Csr,
    InputKind,
    UploadHalf,
)
from reconciler.services.cps.wire import Wire, last_id
from reconciler.services.decode import BodyError, decode, instant, optional_instant, text_or_none


class WireError(Wire):
    code: str | None = None
    description: str | None = None


class WireSchedule(Wire):
    not_before: str | None = None


class WireStatusInfo(Wire):
    state: str
    status: str | None = None
    description: str | None = None
    error: WireError | None = None
    deployment_schedule: WireSchedule | None = None


class WireInput(Wire):
    type: str | None = None


class WireChange(Wire):
    status_info: WireStatusInfo
    allowed_input: list[WireInput] | None = None


_STATES = {state.value: state for state in ChangeState}
_INPUTS = {kind.value: kind for kind in InputKind}


def change(body: bytes, change_id: ChangeId) -> Change:
    wire = decode(body, WireChange)
    info = wire.status_info
    error = ": ".join(part for part in (info.error.code, info.error.description) if part) if info.error else None
    return Change(
        id=change_id,
        state=_STATES.get(info.state.lower(), ChangeState.UNKNOWN),
        status=info.status or "",
        inputs=frozenset(_INPUTS[entry.type] for entry in wire.allowed_input or () if entry.type in _INPUTS),
        description=info.description or "",
        error=error,
        deploy_not_before=optional_instant(info.deployment_schedule.not_before) if info.deployment_schedule else None,
    )


class WireKeyCsr(Wire):
    csr: str
    key_algorithm: Literal["RSA", "ECDSA"]


class WireCsrs(Wire):
    csrs: list[WireKeyCsr]


def csrs(body: bytes) -> tuple[Csr, ...]:
    return tuple(Csr(key_type=KeyType(wire.key_algorithm), pem=wire.csr) for wire in decode(body, WireCsrs).csrs)


class WireWarnings(Wire):
    warnings: str | None


def warnings(body: bytes) -> str | None:
    return text_or_none(decode(body, WireWarnings).warnings)


class WireFinding(Wire):
    message: str | None = None
    message_code: str | None = None


class WireValidation(Wire):
    errors: list[WireFinding] | None = None
    warnings: list[WireFinding] | None = None


class WirePendingCertificate(Wire):
    full_certificate: str | None = None


class WirePendingState(Wire):
    pending_certificates: list[WirePendingCertificate] | None = None


class WireChangeManagement(Wire):
    validation_result_hash: str | None = None
    acknowledgement_deadline: str | None = None
    validation_result: WireValidation | None = None
    pending_state: WirePendingState | None = None


def change_management(body: bytes) -> ChangeManagement:
    wire = decode(body, WireChangeManagement)
    result = wire.validation_result or WireValidation()
    pending = (wire.pending_state.pending_certificates if wire.pending_state else None) or ()
    return ChangeManagement(
        validation_hash=text_or_none(wire.validation_result_hash),
        errors=_messages(result.errors),
        warnings=_messages(result.warnings),
        deadline=optional_instant(wire.acknowledgement_deadline),
        pending_pems=tuple(certificate.full_certificate for certificate in pending if certificate.full_certificate),
    )


def _messages(findings: Iterable[WireFinding] | None) -> tuple[str, ...]:
    return tuple(finding.message or finding.message_code or "no text" for finding in findings or ())


class WireHistoryCertificate(Wire):
    csr: str | None = None
    certificate: str | None = None
    trust_chain: str | None = None
    key_algorithm: str | None = None


class WireRecord(Wire):
    action: str | None = None
    status: str | None = None
    created_by: str | None = None
    created_on: str | None = None
    last_updated: str | None = None
    primary_certificate: WireHistoryCertificate | None = None
    multi_stacked_certificates: list[WireHistoryCertificate] | None = None


class WireHistory(Wire):
    changes: list[WireRecord]


def history(body: bytes) -> tuple[ChangeRecord, ...]:
    return tuple(_record(wire) for wire in decode(body, WireHistory).changes)


def _record(wire: WireRecord) -> ChangeRecord:
    if wire.created_on is None:
        raise BodyError("a change without createdOn")
    several = [wire.primary_certificate, *(wire.multi_stacked_certificates or ())]
    return ChangeRecord(
        action=wire.action or "",
        status=wire.status or "",
        created_by=wire.created_by or "",
        created_at=instant(wire.created_on),
        csrs=tuple(
            Csr(key_type=_key_type(certificate), pem=certificate.csr)
            for certificate in several
            if certificate and certificate.csr
        ),
        uploads=tuple(
            UploadHalf(
                key_type=_key_type(certificate),
                leaf_pem=certificate.certificate,
                chain_pem=certificate.trust_chain or "",
            )
            for certificate in several
            if certificate and certificate.certificate
        ),
        updated_at=optional_instant(wire.last_updated),
    )


def _key_type(certificate: WireHistoryCertificate) -> KeyType:
    # Rows of before dual-stack certificates have no label: RSA was all that there was.
    return KeyType.ECDSA if certificate.key_algorithm == "ECDSA" else KeyType.RSA


class WireOpened(Wire):
    enrollment: str
    changes: list[str] | None = None


def opened(body: bytes) -> ChangeOpened:
    """Return the answer to a create, an update or a delete. The newest change stands last."""
    wire = decode(body, WireOpened)
    number = last_id(wire.enrollment)
    if number is None:
        raise BodyError(f"no enrollment id in {wire.enrollment!r}")
    change_id = last_id(wire.changes[-1]) if wire.changes else None
    if wire.changes and change_id is None:
        raise BodyError(f"no change id in {wire.changes[-1]!r}")
    return ChangeOpened(
        enrollment_id=EnrollmentId(number), change_id=ChangeId(change_id) if change_id is not None else None
    )


class WireAccepted(Wire):
    change: str


def accepted(body: bytes) -> None:
    """Check the answer to an input: CPS names the change that took it."""
    if last_id(decode(body, WireAccepted).change) is None:
        raise BodyError("no change id")


def contracts(body: bytes) -> frozenset[ContractId]:
    """Return the ids of `/contract-api`, without the "ctr_" that CPS does not know."""
    return frozenset(ContractId(contract.removeprefix("ctr_")) for contract in decode(body, list[str]))


class WireGrants(Wire):
    name: str | None = None
    scope: str | None = None


def grants(body: bytes) -> Rights:
    """Return what the scopes say of CPS: ".../-/scope/cps/-/READ-WRITE". What is spelt otherwise says nothing."""
    wire = decode(body, WireGrants)
    words = [word.rstrip("/").split("/") for word in (wire.scope or "").split()]
    access = {word[-1].upper().replace("_", "-") for word in words if len(word) > 2 and word[-3].lower() == "cps"}
    says = {frozenset({"READ-WRITE"}): True, frozenset({"READ-ONLY"}): False}
    who = f'API client "{wire.name}"' if wire.name else "the API client"
    return Rights(who=who, may_write=says.get(frozenset(access)))
