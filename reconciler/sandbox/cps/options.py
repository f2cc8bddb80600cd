"""The choices of the sandbox's CPS: what Akamai does not document, or does in more than one way.

`point` is the row of the reference's table of uncertain points; None where a choice is needed that the table lacks.
Three rows have no option: 12 (signed headers: CPS uses none), 37 (broken answers: arm a fault) and 45 (no maintenance
windows are published).
"""

from dataclasses import dataclass, field
from typing import Any, Literal


def _option(default: Any, point: int | None, text: str) -> Any:
    return field(default=default, metadata={"point": point, "help": text})


@dataclass(kw_only=True)
class CpsOptions:
    """Every option may change while the sandbox runs; a field read later acts later."""

    id_type: Literal["integer", "string"] = _option("integer", 1, "type of an enrollment's id in bodies")
    location_prefix: Literal["/cps/v2", "/cps-api"] = _option("/cps/v2", 2, "prefix of location members")
    contract_on_list: Literal["optional", "required"] = _option("optional", 3, "contractId of the list of enrollments")
    signature_algorithm_echo: Literal["as-null", "as-sent"] = _option("as-null", 4, "signatureAlgorithm read back")
    change_management_booleans: Literal["strings", "booleans"] = _option(
        "strings", 5, "type of ocspStapled, quicEnabled, sniOnly in change-management-info"
    )
    media_type_mismatch: Literal["406-or-415", "404", "lenient"] = _option(
        "406-or-415", 6, "answer to a missing or unknown media type; lenient serves the current version"
    )
    too_many_requests_body: Literal["spec", "docs", "field-report"] = _option("spec", 7, "body of a 429")
    retry_after_header: bool = _option(True, 7, "Retry-After on a 429")
    rate_limit_headers: Literal["next", "all", "omitted"] = _option(
        "next", 7, "X-RateLimit-Next on a 429; all adds X-RateLimit-Limit and -Remaining to every answer"
    )
    rate_limit_clock: Literal["sandbox", "real"] = _option(
        "real", 7, "clock of the instants in X-RateLimit-Next and in the field-report body"
    )
    rate_limits: Literal["per-minute", "per-hour", "unlimited"] = _option(
        "per-minute", 8, "35/min, 20 per 2 s and 10/min for active certificates; or 1000/h; or none"
    )
    create_limit: Literal["unlimited", "per-account", "per-contract"] = _option(
        "unlimited", 9, "one create in create_limit_s; a faster one gets 409"
    )
    create_limit_s: float = _option(300.0, 9, "seconds between two creates")
    nonce_replay: Literal["400", "401", "accepted"] = _option("400", 10, "answer to a nonce used before")
    clock_window_s: float = _option(30.0, 11, "how far a signature's timestamp may be from real time")
    clock_window_status: Literal["400", "403"] = _option("400", 11, "status for a timestamp outside the window")
    large_put: Literal["accepted", "401"] = _option("accepted", 13, "a PUT body over 128 KiB")
    auto_renewal_days: int = _option(
        60, 14, "days before expiry at which CPS opens a renewal, for certificates deployed from now on; 0: never"
    )
    renewal_window: Literal["protected", "open"] = _option(
        "protected", 14, "PUT inside the window without renewal-date-check-override: 409, or accepted"
    )
    key_reuse: Literal["new", "reused"] = _option("new", 15, "keys of a renewal")
    csrs: Literal["both", "by-enrollment"] = _option("both", 16, "which CSRs a change makes")
    csr_order: Literal["rsa-first", "ecdsa-first"] = _option("rsa-first", 17, "order of the CSRs")
    deny_pre_verification: Literal["cancel", "stay"] = _option(
        "cancel", 18, "effect of denying pre-verification warnings"
    )
    deny_post_verification: Literal["upload-again", "cancel", "stay"] = _option(
        "upload-again", 18, "effect of denying post-verification warnings"
    )
    deny_change_management: Literal["cancel", "stay"] = _option("cancel", 18, "effect of denying change management")
    cancel_never_deployed: Literal["removed", "kept"] = _option(
        "removed", 19, "an enrollment that was never in production, after its change is cancelled"
    )
    body_after_cancel: Literal["keep", "revert"] = _option(
        "keep", 20, "an enrollment's body after cancelling a change that came from a PUT"
    )
    pending_changes: Literal["one", "several"] = _option(
        "one", 21, "several: also the changes that the pending one replaced, newest last"
    )
    review_status: Literal["wait-review-third-party-cert", "wait-review-cert-warning"] = _option(
        "wait-review-third-party-cert", 22, "name of the status in which post-verification warnings wait"
    )
    blocking_checks: str = _option(
        "CSR_VS_CERTIFICATE_KEY_MISMATCH,CERTIFICATE_DATA_BLANK_OR_MISSING,CERTIFICATE_NOT_PEM_FORMAT,"
        "CERTIFICATE_PARSING_ERROR,TRUST_CHAIN_NOT_PEM_FORMAT,TRUST_CHAIN_PARSING_ERROR,CERTIFICATE_EXPIRED,"
        "CERTIFICATE_NOT_YET_VALID,TRUST_CHAIN_VERIFY_FAILED,CERTIFICATE_SELF_SIGNED,CSR_EXPIRED",
        23,
        "codes of the upload checks that can't be acknowledged, comma-separated",
    )
    detailed_chain_warnings: bool = _option(True, 23, "use the _DETAILED texts on roots in a chain, as recorded")
    warnings_header: bool = _option(True, 23, "begin the text of warnings with a line [WARNINGS], as recorded")
    short_lifetime_days: int = _option(14, 23, "CERTIFICATE_EXPIRATION_TOO_SHORT under so many days left")
    near_future_days: int = _option(3, 23, "CERTIFICATE_EXPIRATION_DATE_IN_NEAR_FUTURE under so many days left")
    malformed_pem: Literal["400", "later"] = _option("400", 24, "an upload that can't be parsed")
    blocked_upload: Literal["upload-again", "error", "warning"] = _option(
        "upload-again", 25, "what a blocking check leads to; warning: it can be acknowledged after all"
    )
    network_update: Literal["redeploy", "renew"] = _option("redeploy", 26, "PUT of network settings only")
    update_mid_deployment: Literal["409", "500"] = _option("409", 27, "PUT while a change deploys")
    finished_changes: Literal["kept", "404"] = _option("kept", 28, "status of finished and cancelled changes")
    unchanged_update: Literal["empty", "pending"] = _option("empty", 29, "changes in the 200 answer to a PUT")
    never_deployed: Literal["both-null", "empty-objects", "404"] = _option(
        "both-null", 30, "deployments of an enrollment without any"
    )
    production_shape: Literal["single", "wrapped"] = _option("single", 31, "body of deployments/production")
    certificate_history_geography: Literal["core", "standard-worldwide"] = _option(
        "core", 32, "geography in the certificate history"
    )
    empty_chain_in_certificate_history: Literal["empty-text", "as-null", "absent"] = _option(
        "empty-text", 33, "trustChain of a certificate without chain"
    )
    empty_chain_in_change_history: Literal["empty-text", "as-null", "absent"] = _option(
        "as-null", 33, "trustChain of a certificate without chain"
    )
    certificate_history_cut: int = _option(6, 34, "certificates listed without includeAll; 0: all")
    change_history_cut: int = _option(0, 34, "changes listed without includeAll; 0: all")
    delete_deployed: Literal["asynchronous", "refused-live"] = _option(
        "asynchronous", 35, "DELETE of a deployed enrollment: 202, or 409 because its names receive traffic"
    )
    location_header: Literal["omitted", "present"] = _option("omitted", 36, "Location header on a 202")
    checks_s: float = _option(30.0, 38, "duration of the pre-verification checks")
    csr_s: float = _option(60.0, 38, "duration of making keys and CSRs")
    verify_s: float = _option(60.0, 38, "duration of the checks of an upload")
    slot_files_s: float = _option(60.0, 38, "duration of create-slot-files")
    live_check_s: float = _option(60.0, 38, "duration of live-check-action")
    staging_s: float = _option(1800.0, 38, "duration of a deployment to staging")
    production_s: float = _option(3600.0, 38, "duration of a deployment to production")
    removal_s: float = _option(1800.0, 38, "duration of the removal of a deployed enrollment")
    list_lag_s: float = _option(0.0, 39, "how long the list of enrollments shows what was before a write")
    active_lag_s: float = _option(
        0.0, 39, "how long the list of active certificates shows what was before a deployment"
    )
    status_lag_s: float = _option(0.0, 39, "how long a change shows its old status after an input")
    deployment_v9: Literal["as-v8", "refused"] = _option("as-v8", 40, "deployment(s).v9, which one client asks for")
    immutable_field_status: Literal["400", "409"] = _option("400", 41, "PUT of a field that can't change")
    immutable_field_slug: str = _option("invalid-enrollment", 41, "error type of that answer")
    second_upload: Literal["replace", "merge"] = _option(
        "replace", 42, "a second upload of only the other algorithm during review"
    )
    csr_max_age_days: int = _option(0, 43, "age at which a CSR is too old for an upload; 0: never")
    acknowledgement_deadline_days: int = _option(
        7, 44, "days before expiry at which a staged certificate goes to production unacknowledged; 0: never"
    )
    list_version_12: Literal["served", "refused"] = _option("served", 46, "enrollments.v12 on the list")
    cn_max_length: int = _option(64, 47, "longest common name")
    text_max_length: int = _option(255, 47, "longest text in a contact, an organization or a subject")
    null_ciphers: Literal["ak-akamai-default", "ak-akamai-2020q1", "as-null"] = _option(
        "ak-akamai-default", None, "cipher profiles read back when null was sent"
    )
    null_ocsp_stapling: Literal["not-set", "on", "as-null"] = _option(
        "not-set", None, "ocspStapling read back when null was sent"
    )
    max_names: int = _option(100, None, "names of one enrollment, the common name included")
