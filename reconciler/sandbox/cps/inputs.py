"""What a waiting change is asked for: reading CSRs and warnings, uploading, acknowledging."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Literal

import msgspec

from reconciler.sandbox.cps.chains import load_certificate
from reconciler.sandbox.cps.changes import Changes
from reconciler.sandbox.cps.findings import Findings
from reconciler.sandbox.cps.network_views import change_management_hash
from reconciler.sandbox.cps.problems import Refused, invalid_request, invalid_state, not_found
from reconciler.sandbox.cps.state import Algorithm, Change, Enrollment, Finding, KeyPair, Status, Upload
from reconciler.sandbox.cps.upload import algorithm_of, check_form
from reconciler.sandbox.cps.world import World

Answer = Literal["acknowledge", "deny"]

_CSR_READABLE = (Status.WAIT_UPLOAD, Status.VERIFY, Status.WAIT_REVIEW)
_UPLOAD = "upload"


class Acknowledgement(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    acknowledgement: Answer


class AcknowledgementWithHash(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    acknowledgement: Answer
    hash: str


class CertificateV1(msgspec.Struct, kw_only=True, frozen=True, rename="camel", forbid_unknown_fields=True):
    certificate: str | None
    trust_chain: str | None = None


class CertificateV2(CertificateV1, kw_only=True, frozen=True):
    key_algorithm: Algorithm


class CertificatesV2(msgspec.Struct, kw_only=True, frozen=True, rename="camel", forbid_unknown_fields=True):
    certificates_and_trust_chains: list[CertificateV2]


class Inputs:
    """The inputs of changes. Who asks for what a change does not wait for gets 404, or 409 if it was just given."""

    def __init__(self, world: World, changes: Changes) -> None:
        self._world = world
        self._changes = changes

    def csrs(self, change: Change) -> list[KeyPair]:
        """Return the CSRs, in the order of the options."""
        if change.outcome != "open" or change.status not in _CSR_READABLE or not change.keys:
            raise not_found()
        return change.keys if self._world.options.csr_order == "rsa-first" else change.keys[::-1]

    def pre_verification_warnings(self, change: Change) -> list[Finding]:
        if change.outcome != "open" or change.status is not Status.WAIT_PRE_VERIFICATION:
            raise not_found()
        return change.findings

    def post_verification_warnings(self, change: Change) -> list[Finding]:
        """Return what was found on the upload; readable too while a better one is waited for."""
        waits = change.status in (Status.WAIT_REVIEW, Status.WAIT_UPLOAD) or change.outcome == "error"
        if change.outcome not in ("open", "error") or not waits or not change.findings:
            raise not_found()
        return change.findings

    def change_management(self, change: Change) -> None:
        """Refuse to show change management where it is not waited for."""
        if change.outcome != "open" or change.status is not Status.WAIT_CHANGE_MANAGEMENT:
            raise not_found()

    def upload(self, change: Change, uploads: Sequence[Upload]) -> None:
        """Take certificates for a change; an earlier upload that is still reviewed is replaced.

        Raises:
            Refused: 400 for what can't be a certificate for this change, 404 or 409 at the wrong moment.
        """
        self._expect(change, _UPLOAD, Status.WAIT_UPLOAD, Status.WAIT_REVIEW)
        self._check_uploads(change, uploads)
        kept: list[Upload] = []
        if change.status is Status.WAIT_REVIEW and self._world.options.second_upload == "merge":
            replaced = {upload.algorithm for upload in uploads}
            kept = [upload for upload in change.uploads if upload.algorithm not in replaced]
        change.uploads = [*kept, *uploads]
        change.findings = []
        change.error = None
        self._move(change, _UPLOAD, Status.VERIFY)

    def acknowledge_pre_verification(self, enrollment: Enrollment, change: Change, answer: Answer) -> None:
        self._expect(change, "pre-verification", Status.WAIT_PRE_VERIFICATION)
        if answer == "acknowledge":
            self._move(change, "pre-verification", Status.GENERATE_CSR)
        elif self._world.options.deny_pre_verification == "cancel":
            self._changes.cancel(enrollment, change)

    def acknowledge_post_verification(self, enrollment: Enrollment, change: Change, answer: Answer) -> None:
        self._expect(change, "post-verification", Status.WAIT_REVIEW)
        if answer == "acknowledge":
            self._move(change, "post-verification", Status.SLOT_FILES)
        elif self._world.options.deny_post_verification == "cancel":
            self._changes.cancel(enrollment, change)
        elif self._world.options.deny_post_verification == "upload-again":
            change.findings = []
            self._move(change, None, Status.WAIT_UPLOAD)

    def acknowledge_change_management(
        self, enrollment: Enrollment, change: Change, answer: Answer, result_hash: str | None
    ) -> None:
        self._expect(change, "change-management", Status.WAIT_CHANGE_MANAGEMENT)
        if result_hash is not None and result_hash != change_management_hash(enrollment):
            raise invalid_state("The hash is not that of the validation result.")
        if answer == "acknowledge":
            self._show_for_a_while(change)
            change.answered.append("change-management")
            self._changes.to_production(change)
        elif self._world.options.deny_change_management == "cancel":
            self._changes.cancel(enrollment, change)

    def _expect(self, change: Change, name: str, *statuses: Status) -> None:
        if change.outcome == "open" and change.status in statuses:
            return
        if change.outcome == "open" and name in change.answered:
            raise invalid_state("The change does not wait for this input any more.")
        raise not_found()

    def _check_uploads(self, change: Change, uploads: Sequence[Upload]) -> None:
        algorithms = [upload.algorithm for upload in uploads]
        if not algorithms or len(set(algorithms)) != len(algorithms):
            raise invalid_request("One certificate for each key algorithm is needed, and one at least.")
        for upload in uploads:
            if change.key(upload.algorithm) is None:
                raise invalid_request(f"The change has no CSR with key algorithm {upload.algorithm}.")
            findings = Findings(self._world.options)
            check_form(upload, findings)
            if findings.all():
                if self._world.options.malformed_pem == "400":
                    raise invalid_certificate("\n".join(finding.text for finding in findings.all()))
            elif algorithm_of(load_certificate(upload.certificate_pem)) != upload.algorithm:
                raise invalid_certificate(f"The certificate's key is not of the algorithm {upload.algorithm}.")

    def _move(self, change: Change, answered: str | None, status: Status) -> None:
        self._show_for_a_while(change)
        if answered is not None:
            change.answered.append(answered)
        self._changes.enter(change, status)

    def _show_for_a_while(self, change: Change) -> None:
        """Have the change show the present status for as long as the options say the new one lags."""
        lag = timedelta(seconds=self._world.options.status_lag_s)
        change.shown_status, change.shown_until = change.status, self._world.now() + lag


def invalid_certificate(detail: str) -> Refused:
    # The slug is invented: no source shows how a malformed upload is refused.
    return Refused(400, "invalid-certificate", "Invalid certificate.", detail)


def uploads_of_v2(body: CertificatesV2) -> list[Upload]:
    return [
        Upload(
            algorithm=item.key_algorithm, certificate_pem=item.certificate or "", trust_chain_pem=item.trust_chain or ""
        )
        for item in body.certificates_and_trust_chains
    ]


def uploads_of_v1(body: CertificateV1) -> list[Upload]:
    """Return the upload of the form that names no key algorithm: the certificate tells it."""
    pem = body.certificate or ""
    try:
        algorithm = algorithm_of(load_certificate(pem)) or "RSA"
    except ValueError:
        algorithm = "RSA"
    return [Upload(algorithm=algorithm, certificate_pem=pem, trust_chain_pem=body.trust_chain or "")]
