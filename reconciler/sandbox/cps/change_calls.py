"""The operations on changes: status, inputs, deploy dates."""

from collections.abc import Callable
from typing import Any

from reconciler.sandbox.cps import views
from reconciler.sandbox.cps.changes import Changes
from reconciler.sandbox.cps.endpoints import CHANGE, Answered, Asked, Endpoint, get
from reconciler.sandbox.cps.enrollments import check_schedule, instant
from reconciler.sandbox.cps.findings import warnings_text
from reconciler.sandbox.cps.inputs import (
    Acknowledgement,
    AcknowledgementWithHash,
    CertificatesV2,
    CertificateV1,
    Inputs,
    uploads_of_v1,
    uploads_of_v2,
)
from reconciler.sandbox.cps.network_views import change_management_document, deployment_document
from reconciler.sandbox.cps.problems import invalid_request, invalid_state, not_found
from reconciler.sandbox.cps.state import Change, Enrollment, Status
from reconciler.sandbox.cps.world import World

_INFO = f"{CHANGE}/input/info"
_UPDATE = f"{CHANGE}/input/update"
_SCHEDULE = f"{CHANGE}/deployment-schedule"


class ChangeCalls:
    def __init__(self, world: World, changes: Changes, inputs: Inputs) -> None:
        self._world = world
        self._changes = changes
        self._inputs = inputs

    def endpoints(self) -> list[Endpoint]:
        return [*self._reads(), *self._writes()]

    def _reads(self) -> list[Endpoint]:
        return [
            get("get_change", CHANGE, self._get, "change"),
            get("get_csr", f"{_INFO}/third-party-csr", self._get_csr, "csr"),
            get(
                "get_pre_verification_warnings",
                f"{_INFO}/pre-verification-warnings",
                self._get_pre_warnings,
                "warnings",
            ),
            get(
                "get_post_verification_warnings",
                f"{_INFO}/post-verification-warnings",
                self._get_post_warnings,
                "warnings",
            ),
            get(
                "get_change_management_info",
                f"{_INFO}/change-management-info",
                self._get_change_management,
                "change-management-info",
                "deployment",
            ),
            get("get_dv_challenges", f"{_INFO}/lets-encrypt-challenges", self._not_third_party, "dv-challenges"),
            get("get_deployment_schedule", _SCHEDULE, self._get_schedule, "deployment-schedule"),
        ]

    def _writes(self) -> list[Endpoint]:
        def write(name: str, method: str, path: str, act: Callable[[Asked], Answered], *takes: str) -> Endpoint:
            return Endpoint(name=name, method=method, path=path, act=act, gives=("change-id",), takes=takes)

        hashed = "acknowledgement-with-hash"
        upload = f"{_UPDATE}/third-party-cert-and-trust-chain"
        pre, post = f"{_UPDATE}/pre-verification-warnings-ack", f"{_UPDATE}/post-verification-warnings-ack"
        dv, management = f"{_UPDATE}/lets-encrypt-challenges-completed", f"{_UPDATE}/change-management-ack"
        return [
            write("cancel_change", "DELETE", CHANGE, self._cancel),
            write("update_deployment_schedule", "PUT", _SCHEDULE, self._update_schedule, "deployment-schedule"),
            write("upload_certificate", "POST", upload, self._upload, "certificate-and-trust-chain"),
            write("acknowledge_pre_verification_warnings", "POST", pre, self._acknowledge_pre, "acknowledgement"),
            write("acknowledge_post_verification_warnings", "POST", post, self._acknowledge_post, "acknowledgement"),
            write("acknowledge_dv_challenges", "POST", dv, self._not_third_party, "acknowledgement"),
            write(
                "acknowledge_change_management",
                "POST",
                management,
                self._acknowledge_change_management,
                "acknowledgement",
                hashed,
            ),
        ]

    def _get(self, asked: Asked) -> Answered:
        return Answered(body=views.change_document(self._world, self._change(asked)))

    def _cancel(self, asked: Asked) -> Answered:
        enrollment, change = self._both(asked)
        if change.outcome not in ("open", "suspended", "error"):
            raise invalid_state(f"The change is {change.outcome}.")
        self._world.before_write(enrollment.id)
        self._changes.cancel(enrollment, change)
        return _changed(change)

    def _get_schedule(self, asked: Asked) -> Answered:
        return Answered(body=views.schedule_document(self._change(asked)))

    def _update_schedule(self, asked: Asked) -> Answered:
        change = self._change(asked)
        schedule = asked.decode(dict[str, Any])
        for unknown in sorted(schedule.keys() - {"notBefore", "notAfter"}):
            raise invalid_request(f"Object contains unknown field `{unknown}`")
        not_before = instant(schedule.get("notBefore"), "notBefore")
        not_after = instant(schedule.get("notAfter"), "notAfter")
        check_schedule(not_before, not_after, self._world.now())
        if change.outcome != "open" or (change.status is Status.DEPLOY_PRODUCTION and not change.held):
            raise invalid_state("The change is past scheduling.")
        self._changes.reschedule(change, not_before, not_after)
        return _changed(change)

    def _get_csr(self, asked: Asked) -> Answered:
        keys = self._inputs.csrs(self._change(asked))
        if asked.accept.version == 1:  # of the time before dual certificates
            return Answered(body={"csr": next((key for key in keys if key.algorithm == "RSA"), keys[0]).csr_pem})
        return Answered(body={"csrs": [{"csr": key.csr_pem, "keyAlgorithm": key.algorithm} for key in keys]})

    def _get_pre_warnings(self, asked: Asked) -> Answered:
        findings = self._inputs.pre_verification_warnings(self._change(asked))
        return Answered(body={"warnings": warnings_text(findings, self._world.options)})

    def _get_post_warnings(self, asked: Asked) -> Answered:
        findings = self._inputs.post_verification_warnings(self._change(asked))
        return Answered(body={"warnings": warnings_text(findings, self._world.options)})

    def _get_change_management(self, asked: Asked) -> Answered:
        enrollment, change = self._both(asked)
        self._inputs.change_management(change)
        if asked.accept.name == "deployment":
            assert enrollment.staging is not None  # that is what waits
            return Answered(body=deployment_document(enrollment.staging, asked.accept.version))
        return Answered(body=change_management_document(self._world, enrollment, change, asked.accept.version))

    def _not_third_party(self, asked: Asked) -> Answered:
        """Answer for the inputs of DV certificates, which no change of a third-party enrollment ever waits for."""
        self._change(asked)
        raise not_found()

    def _upload(self, asked: Asked) -> Answered:
        assert asked.content is not None  # the endpoint takes a body
        change = self._change(asked)
        if asked.content.version == 1:
            uploads = uploads_of_v1(asked.decode(CertificateV1))
        else:
            uploads = uploads_of_v2(asked.decode(CertificatesV2))
        self._inputs.upload(change, uploads)
        return _changed(change)

    def _acknowledge_pre(self, asked: Asked) -> Answered:
        enrollment, change = self._both(asked)
        answer = asked.decode(Acknowledgement).acknowledgement
        self._inputs.acknowledge_pre_verification(enrollment, change, answer)
        return _changed(change)

    def _acknowledge_post(self, asked: Asked) -> Answered:
        enrollment, change = self._both(asked)
        answer = asked.decode(Acknowledgement).acknowledgement
        self._inputs.acknowledge_post_verification(enrollment, change, answer)
        return _changed(change)

    def _acknowledge_change_management(self, asked: Asked) -> Answered:
        assert asked.content is not None  # the endpoint takes a body
        enrollment, change = self._both(asked)
        if asked.content.name == "acknowledgement-with-hash":
            hashed = asked.decode(AcknowledgementWithHash)
            answer, result_hash = hashed.acknowledgement, hashed.hash
        else:
            answer, result_hash = asked.decode(Acknowledgement).acknowledgement, None
        self._inputs.acknowledge_change_management(enrollment, change, answer, result_hash)
        return _changed(change)

    def _change(self, asked: Asked) -> Change:
        return self._world.change(asked.call.path["enrollment"], asked.call.path["change"])

    def _both(self, asked: Asked) -> tuple[Enrollment, Change]:
        return self._world.enrollment(asked.call.path["enrollment"]), self._change(asked)


def _changed(change: Change) -> Answered:
    return Answered(body={"change": views.change_path(change)})
