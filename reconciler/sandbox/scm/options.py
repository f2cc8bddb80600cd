"""The choices that the documents leave open: one field each, with the likeliest answer as default.

`point` numbers the open questions, those of 0 being properties of the customer or of the CA that every customer sets
for itself.
"""

from dataclasses import dataclass, field
from typing import Any, Literal


def _option(default: Any, point: int, text: str) -> Any:
    return field(default=default, metadata={"point": point, "help": text})


@dataclass(kw_only=True)
class ScmOptions:
    pending_code: Literal["by_state", "0", "-23", "-103", "-109", "-183", "-1400", "empty"] = _option(
        "by_state", 1, "collect before issue; by_state: 0 at the CA, -23 unapproved"
    )
    list_default_size: int = _option(200, 2, "rows of a list without size, and of size=0")
    list_over_size: Literal["clamp", "refuse"] = _option("clamp", 2, "size above 200")
    list_order: Literal["ascending", "descending", "shuffle"] = _option("ascending", 3, "order of rows, by sslId")
    list_match: Literal["substring", "exact"] = _option("substring", 4, "how text filters match (never by case)")
    visible_after_s: float = _option(0.0, 5, "delay until list and report know a new order")
    rows_between_pages: int = _option(0, 6, "foreign orders that arrive after each page of a list")
    sa_approved_spelling: Literal["SA Approved", "SAApproved"] = _option("SA Approved", 7, "both are understood")
    bad_filter: Literal["refuse", "empty", "ignore"] = _option("refuse", 8, "a filter with a value outside its enum")
    validation_spelling: Literal["header", "admin"] = _option("header", 9, "header: VALIDATED; admin: Validated")
    details_dates: Literal["US", "ISO"] = _option("US", 10, "dates of details without dateFormat")
    unknown_id: Literal["by_operation", "always_404", "always_400"] = _option(
        "by_operation", 11, "by_operation: 404 -5101 for reads, 400 -124 for the rest"
    )
    foreign_id: Literal["as_unknown", "-3", "-37"] = _option("as_unknown", 12, "an order of an organization not seen")
    renew_text_body: Literal["refuse", "accept"] = _option("refuse", 13, 'renewById with the JSON text ""')
    renew_without_csr: Literal["reuse", "refuse"] = _option("reuse", 14, "renewal that brings no CSR")
    renew_id_again: Literal["refuse", "accept"] = _option("refuse", 15, "renew/{renewId} used twice")
    renew_id_of_successor: Literal["new", "same"] = _option("new", 15, "renewId of the new order")
    replace_status: Literal["Applied", "Requested", "Issued"] = _option("Applied", 16, "status during replacement")
    replaced_revoked_after_s: float = _option(0.0, 17, "when the CA revokes the replaced certificate; 0: never")
    duplicate_csr: Literal["accept", "refuse"] = _option("accept", 18, "an order with the CSR of another order")
    csr_sans: Literal["ignore", "merge"] = _option("ignore", 19, "names in the CSR's SAN extension")
    add_www: bool = _option(default=False, point=20, text="the CA adds www., to a wildcard the bare name")
    sans_as_list: Literal["refuse", "accept"] = _option("refuse", 21, "subjAltNames as a JSON array")
    over_long_term: Literal["refuse", "cut"] = _option("refuse", 22, "a term above the public limit of the day")
    legacy_terms: bool = _option(default=False, point=22, text="public profiles offer 365 days whatever the date")
    pemia: Literal["intermediates", "issuer", "all"] = _option("intermediates", 23, "what pemia holds after the leaf")
    chain_root: bool = _option(default=True, point=24, text="chains include the self-signed root")
    chain_root_formats: Literal["all", "chain-alone"] = _option(
        "all", 24, "formats that include it; chain-alone: x509IO and x509IOR"
    )
    chain_cross: bool = _option(default=False, point=24, text="chains go over the cross-certificate to the older root")
    x509_order: Literal["root_first", "leaf_first"] = _option("root_first", 25, "x509 and pem; x509R is the reverse")
    path_collect: Literal["everywhere", "v1_header"] = _option("everywhere", 26, "collect/{id}/{format} on v2, admin")
    reason_code_spelling: Literal["number", "text"] = _option("number", 27, "reasonCode in details")
    order_dcv_shape: Literal["object", "array"] = _option("object", 28, "answer of GET {sslId}/dcv")
    update_custom_fields: Literal["replace", "merge"] = _option("replace", 29, "customFields of an update")
    update_issued: Literal["allow", "refuse"] = _option("allow", 30, "comments and fields of an issued order")
    token_lifetime_s: float = _option(300.0, 31, "lifetime of an access token, in real time")
    logins: Literal["by_host", "anywhere"] = _option("by_host", 32, "bearer on the header host and the reverse")
    both_logins: Literal["bearer", "headers"] = _option("bearer", 33, "which of two logins in one request counts")
    scm_calls_per_minute: int = _option(0, 34, "429 with Retry-After above it; 0: no limit")
    requested_via: Literal["Web API", "REST API", "API"] = _option("Web API", 36, "requestedVia of API orders")
    serials: Literal["colons", "plain"] = _option("colons", 37, "serial numbers of details and list")
    expires_before_issue: bool = _option(default=False, point=40, text="details show expires before there is one")
    details_sans: Literal["with_cn", "without_cn"] = _option("with_cn", 41, "the common name among the SANs")
    no_dcv_mode_code: int = _option(-7, 42, "enroll without dcvMode when the customer does not pre-validate")
    unknown_domain_code: Literal["-1010", "-727"] = _option("-1010", 43, "a name under no domain of the customer")
    not_delegated_code: Literal["-738", "-1010"] = _option("-738", 43, "a domain not delegated for this")
    not_validated_code: Literal["-1137", "-107", "-737"] = _option("-1137", 43, "a domain without valid DCV")
    validation_level_member: Literal["validationLevel", "type"] = _option("validationLevel", 44, "its name")
    report_refusals: Literal["http_400", "status_code"] = _option("http_400", 45, "status_code: 200 with statusCode")
    report_san_separator: str = _option("; ", 45, "between the names of a report row")
    ev_anchor: bool = _option(default=False, point=46, text="EV needs an anchor certificate, which nobody has (-181)")
    lock_out_after: int = _option(0, 47, "refused logins in a row that lock an account; 0: never")
    unknown_members: bool = _option(default=False, point=48, text="details carry members of a later version")

    approvals: Literal["auto", "manual"] = _option("auto", 0, "auto: a second admin approves on the clock")
    approval_s: float = _option(4 * 3600.0, 0, "how long that admin takes")
    apply_s: float = _option(2.0, 0, "Approved to Applied")
    sa_approval_s: float = _option(0.0, 0, "time in SA Approved between the two; 0: the state is skipped")
    issue_dv_s: float = _option(60.0, 0, "Applied to Issued, DV")
    issue_ov_s: float = _option(300.0, 0, "Applied to Issued, OV")
    issue_ev_s: float = _option(20 * 3600.0, 0, "Applied to Issued, EV: with the approval a day")
    issue_private_s: float = _option(10.0, 0, "Applied to Issued, private")
    collect_lag_s: float = _option(0.0, 0, "time after issue in which collect still answers -109")
    pre_validation: bool = _option(default=True, point=0, text="domains are validated before ordering")
    dcv_check_s: float = _option(300.0, 0, "submit to first check of a validation; rechecks are hourly")
    ecc_allowed: bool = _option(default=True, point=0, text="the customer may order with EC keys (-170)")
    external_requester_mandatory: bool = _option(default=False, point=0, text="enroll without one: -139")
    orders_restricted: bool = _option(default=False, point=0, text="the contract bars orders (-993)")
    max_certificates: int = _option(0, 0, "valid certificates of a requester; 0: no limit (-188)")
