"""The checks of an upload: each text, rendered, and what each leads to."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509.oid import NameOID

from reconciler.sandbox.cps.state import Enrollment
from reconciler.sandbox.keys import load_private_key
from tests.support.enrollments import enrollment_body
from tests.unit.sandbox.cps.harness import SUBJECT, Cps, colons, lines, media, verified

NOW = datetime(2026, 11, 16, tzinfo=UTC)
STAGED = "create-slot-files running"
REVIEW = "wait-review-third-party-cert awaiting-input"
AGAIN = "wait-upload-third-party awaiting-input"


@pytest.fixture
def enrollment(cps: Cps) -> Enrollment:
    """Return an enrollment for www.example.com and shop.example.com that waits for its certificate."""
    enrollment = cps.create("www.example.com", "shop.example.com")
    cps.to_csr(enrollment)
    return enrollment


def test_fitting_certificate_with_its_short_chain_raises_no_warning(cps: Cps, enrollment: Enrollment) -> None:
    items = [cps.issue(enrollment, algorithm).item() for algorithm in ("RSA", "ECDSA")]
    assert verified(cps, enrollment, *items) == STAGED


@pytest.mark.parametrize("kind", ["OV", "EV"])
def test_each_public_kind_with_the_full_subject_fits(cps: Cps, enrollment: Enrollment, kind: Any) -> None:
    subject = SUBJECT
    if kind == "EV":
        subject = replace(
            SUBJECT,
            business_category="Private Organization",
            registration_number="01234567",
            jurisdiction_country="GB",
        )
    assert verified(cps, enrollment, cps.issue(enrollment, kind=kind, subject=subject).item()) == STAGED


NAMES = ("www.example.com", "shop.example.com")
WARNED = {
    "missing name": (
        {"sans": ("www.example.com",)},
        ["SAN name [shop.example.com] is missing from the certificate."],
    ),
    "additional name": (
        {"sans": (*NAMES, "example.com")},
        ["SAN name [example.com] was added to the certificate."],
    ),
    "name in another case": (
        {"sans": ("www.example.com", "Shop.example.com")},
        ["Shop.example.com [shop.example.com] differs in case on the 'RSA' certificate."],
    ),
    "other common name": (
        {"common_name": "shop.example.com"},
        ["The Common Name (CN) on 'RSA' certificate [shop.example.com] does not match the CSR [www.example.com]."],
    ),
    "common name in another case": (
        {"common_name": "WWW.example.com"},
        [
            "The case of the Common Name (CN) on the 'RSA' certificate [WWW.example.com] does not match the CN on the "
            "CSR [www.example.com]."
        ],
    ),
    "common name not among the names": (
        {"common_name": "api.example.com"},
        [
            "The Common Name (CN) is missing from the SAN list for 'RSA' certificate.",
            "The Common Name (CN) on 'RSA' certificate [api.example.com] does not match the CSR [www.example.com].",
        ],
    ),
    "no subject but the name, as DV": (
        {"kind": "DV"},
        [
            "Value for C differs between the CSR and the certificate: [GB] vs missing.",
            "Value for ST differs between the CSR and the certificate: [Greater Manchester] vs missing.",
            "Value for L differs between the CSR and the certificate: [Manchester] vs missing.",
            "Value for O differs between the CSR and the certificate: [Example Ltd] vs missing.",
        ],
    ),
    "other organization": (
        {"subject": replace(SUBJECT, organization="Example Limited")},
        ["Value for O differs between the CSR and the certificate: [Example Ltd] vs [Example Limited]."],
    ),
    "organization in another case": (
        {"subject": replace(SUBJECT, organization="EXAMPLE LTD")},
        ["Case mismatch for O. Expected(in CSR): Example Ltd, found(in 'RSA' certificate): EXAMPLE LTD"],
    ),
    "short life": (
        {"term_days": 10},
        ["The 'RSA' certificate has a short lifetime and will expire within the next 9 days."],
    ),
    "nearly over": (
        {"term_days": 2},
        ["The 'RSA' certificate will expire in the near future."],
    ),
    "over 397 days": (
        {"term_days": 800},
        [
            "The 'RSA' certificate is set to expire in [2] years, [2] months. The certificate has a validity period of "
            "greater than 397 days. This certificate will not be accepted by all major browsers for SSL/TLS "
            "connections. Please work with your Certificate Authority to reissue the certificate with an acceptable "
            "lifetime."
        ],
    ),
    "no chain": (
        {"chain": "none"},
        [
            "Trust chain is empty.",
            "The trust chain is empty and the end-entity certificate may have been signed by a non-standard root "
            "certificate.",
        ],
    ),
}


# What no CA may issue: the test names it, and the lint of all leaves leaves it out.
UNLAWFUL = {"common name in another case", "common name not among the names", "over 397 days"}
_UNLAWFUL = pytest.mark.nonconforming(reason="no CA may issue this; CPS must say so")


@pytest.mark.parametrize(
    ("changes", "texts"),
    [pytest.param(*case, id=name, marks=_UNLAWFUL if name in UNLAWFUL else ()) for name, case in WARNED.items()],
)
def test_difference_is_a_warning_to_acknowledge(
    cps: Cps, enrollment: Enrollment, changes: dict[str, Any], texts: list[str]
) -> None:
    assert verified(cps, enrollment, cps.issue(enrollment, **changes).item()) == REVIEW
    assert lines(cps, enrollment) == texts
    assert cps.acknowledge(enrollment, "post-verification-warnings").status == 200
    assert cps.status(enrollment) == STAGED


@_UNLAWFUL
def test_exactly_397_days_are_not_too_long(cps: Cps, enrollment: Enrollment) -> None:
    assert verified(cps, enrollment, cps.issue(enrollment, term_days=397).item()) == STAGED


def test_ou_that_a_public_ca_drops_is_a_warning(cps: Cps) -> None:
    body = enrollment_body("www.example.com")
    body["csr"]["ou"] = "Web"
    enrollment = _created(cps, body)
    assert verified(cps, enrollment, cps.issue(enrollment).item()) == REVIEW
    assert lines(cps, enrollment) == ["Value for OU differs between the CSR and the certificate: [Web] vs missing."]


def test_field_that_the_csr_lacks_is_a_warning(cps: Cps) -> None:
    body = enrollment_body("www.example.com")
    body["csr"]["st"] = None
    enrollment = _created(cps, body)
    assert verified(cps, enrollment, cps.issue(enrollment).item()) == REVIEW
    assert lines(cps, enrollment) == [
        "Value for ST differs between the CSR and the certificate: missing vs [Greater Manchester]."
    ]


def test_names_are_checked_though_the_csr_leaves_them_out(cps: Cps) -> None:
    body = enrollment_body("www.example.com", "shop.example.com", thirdParty={"excludeSans": True})
    enrollment = _created(cps, body)
    assert verified(cps, enrollment, cps.issue(enrollment, sans=("www.example.com",)).item()) == REVIEW
    assert lines(cps, enrollment) == ["SAN name [shop.example.com] is missing from the certificate."]


BLOCKED = {
    "expired": ({"now": NOW - timedelta(days=200)}, "CERTIFICATE_EXPIRED", "This certificate has already expired."),
    "other key": (
        {"csr_pem": ""},
        "CSR_VS_CERTIFICATE_KEY_MISMATCH",
        "'RSA' certificate was not generated from the CSR that Akamai generated.",
    ),
}


@pytest.mark.parametrize(("changes", "code", "text"), BLOCKED.values(), ids=BLOCKED)
def test_blocked_upload_leads_back_to_the_upload_and_says_why(
    cps: Cps, enrollment: Enrollment, changes: dict[str, Any], code: str, text: str
) -> None:
    if "csr_pem" in changes:
        changes = {"csr_pem": _other_csr(cps)}
    assert verified(cps, enrollment, cps.issue(enrollment, **changes).item()) == AGAIN
    assert lines(cps, enrollment) == [text]
    error = cps.get(cps.change_path(enrollment), "change", 2)["statusInfo"]["error"]
    assert (error["code"], error["description"]) == (code, text)
    assert verified(cps, enrollment, cps.issue(enrollment).item()) == STAGED
    assert cps.get(cps.change_path(enrollment), "change", 2)["statusInfo"]["error"] is None


def test_certificate_of_tomorrow_is_blocked(cps: Cps, enrollment: Enrollment) -> None:
    issued = cps.issue(enrollment, now=NOW + timedelta(days=1))
    leaf = x509.load_pem_x509_certificate(issued.leaf_pem.encode())
    assert verified(cps, enrollment, issued.item()) == AGAIN
    serial = colons(leaf)
    assert lines(cps, enrollment) == [
        f"Certificate not yet valid; issuer [{leaf.issuer.rfc4514_string()}] serial number [{serial}]: "
        "[NotBefore: Tue Nov 17 00:00:00 UTC 2026]."
    ]


def test_self_signed_certificate_is_blocked(cps: Cps, enrollment: Enrollment) -> None:
    item = cps.issue(enrollment).item(certificate=_crafted(cps, enrollment, self_signed=True), trustChain=None)
    assert verified(cps, enrollment, item) == AGAIN
    assert "The Issuer and Subject of the end-entity certificate are identical. This is not allowed." in lines(
        cps, enrollment
    )


def test_other_signature_algorithm_is_a_warning(cps: Cps, enrollment: Enrollment) -> None:
    item = cps.issue(enrollment).item(certificate=_crafted(cps, enrollment, algorithm=hashes.SHA384()))
    assert verified(cps, enrollment, item) == REVIEW
    assert lines(cps, enrollment) == [
        "Requested certificate signed with SHA-256 signature algorithm, but got SHA-384 (SHA384withRSA)."
    ]


def test_certificate_without_common_name_is_a_warning(cps: Cps, enrollment: Enrollment) -> None:
    item = cps.issue(enrollment).item(certificate=_crafted(cps, enrollment, common_name=None))
    assert verified(cps, enrollment, item) == REVIEW
    assert lines(cps, enrollment) == [
        "The Common Names (CN) for 'RSA' certificate and CSR must be non-null and non-empty. "
        "Certificate CN: [], CSR CN: [www.example.com]."
    ]


@pytest.mark.parametrize(("mode", "status"), [("error", "verify-third-party-cert error"), ("warning", REVIEW)])
def test_what_blocks_may_be_an_error_or_a_warning(cps: Cps, enrollment: Enrollment, mode: str, status: str) -> None:
    cps.sandbox.options.set("blocked_upload", mode)
    assert verified(cps, enrollment, cps.issue(enrollment, now=NOW - timedelta(days=200)).item()) == status
    assert lines(cps, enrollment) == ["This certificate has already expired."]


def test_what_blocks_is_a_list_of_codes(cps: Cps, enrollment: Enrollment) -> None:
    cps.options.blocking_checks = "CSR_VS_CERTIFICATE_MISSING_SAN_FROM_SAN_LIST_IN_CERTIFICATE"
    assert verified(cps, enrollment, cps.issue(enrollment, sans=("www.example.com",)).item()) == AGAIN


def test_csr_may_grow_too_old(cps: Cps, enrollment: Enrollment) -> None:
    cps.options.csr_max_age_days = 30
    cps.advance(days=31)
    assert verified(cps, enrollment, cps.issue(enrollment).item()) == AGAIN
    assert lines(cps, enrollment) == [
        "The key for 'RSA' certificate has expired. You need to create and submit a new certificate."
    ]


def test_live_name_that_goes_is_warned_of_before_and_after(cps: Cps) -> None:
    enrollment = cps.create("www.example.com", "shop.example.com")
    cps.deploy(enrollment)
    cps.portal.edit_names(enrollment.id, ["www.example.com"])
    cps.advance(seconds=30)
    assert cps.warnings(enrollment, "pre") == (
        "[WARNINGS]\nThe SANs [shop.example.com] are scheduled to be removed with this operation. Removing SANs from "
        "this enrollment may result in a disruption of your service for TLS connections."
    )
    cps.acknowledge(enrollment, "pre-verification-warnings")
    cps.advance(seconds=60)
    text = "SAN name [shop.example.com] removed from certificate is still live on the network."
    assert verified(cps, enrollment, cps.issue(enrollment).item()) == REVIEW
    assert lines(cps, enrollment) == [text]
    cps.to_staging(enrollment)
    path = f"{cps.change_path(enrollment)}/input/info/change-management-info"
    info = cps.get(path, "change-management-info", 6)
    assert info["validationResult"] == {
        "errors": None,
        "warnings": [{"message": f"[{text}]", "messageCode": "no-code"}],
    }


# Form.

MALFORMED = {
    "blank": ({"certificate": " "}, "Certificate data is blank or missing."),
    "null": ({"certificate": None}, "Certificate data is blank or missing."),
    "no PEM": (
        {"certificate": "MIIB"},
        "This certificate format is not supported. The supported format for certificates and trust chains is PEM "
        "(base64).",
    ),
    "chain no PEM": (
        {"trustChain": "MIIB"},
        "This trust chain format is not supported. The supported format for certificates and trust chains is PEM "
        "(base64).",
    ),
    "chain broken": (
        {"trustChain": "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"},
        "Failed to parse trust chain.",
    ),
}


@pytest.mark.parametrize(("changes", "text"), MALFORMED.values(), ids=MALFORMED)
@pytest.mark.parametrize("when", ["400", "later"])
def test_malformed_upload_is_refused_at_once_or_later(
    cps: Cps, enrollment: Enrollment, changes: dict[str, Any], text: str, when: str
) -> None:
    cps.sandbox.options.set("malformed_pem", when)
    item = cps.issue(enrollment).item(**changes)
    if when == "400":
        reply = cps.upload(enrollment, item)
        assert (reply.status, reply.body["detail"]) == (400, text)
        assert cps.status(enrollment) == AGAIN
    else:
        assert verified(cps, enrollment, item) == AGAIN
        assert lines(cps, enrollment) == [text]


def test_broken_certificate_is_quoted(cps: Cps, enrollment: Enrollment) -> None:
    broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----"
    reply = cps.upload(enrollment, cps.issue(enrollment).item(certificate=broken))
    assert reply.status == 400
    assert reply.body["detail"].startswith(f"Error parsing certificate: [{broken}]. Cause: [")


def test_key_algorithm_must_be_the_certificates(cps: Cps, enrollment: Enrollment) -> None:
    reply = cps.upload(enrollment, cps.issue(enrollment).item(keyAlgorithm="ECDSA"))
    assert (reply.status, reply.body["detail"]) == (400, "The certificate's key is not of the algorithm ECDSA.")


def test_one_certificate_for_an_algorithm(cps: Cps, enrollment: Enrollment) -> None:
    item = cps.issue(enrollment).item()
    assert cps.upload(enrollment, item, item).status == 400
    assert cps.upload(enrollment).status == 400


@pytest.mark.parametrize(
    "body",
    [{}, {"certificatesAndTrustChains": [{"certificate": "x"}]}, {"certificatesAndTrustChains": [], "note": 1}, []],
)
def test_body_of_another_form_is_refused(cps: Cps, enrollment: Enrollment, body: object) -> None:
    content = media("certificate-and-trust-chain", 2)
    assert cps.post(enrollment, "third-party-cert-and-trust-chain", content, body).status == 400


def test_old_form_of_the_body_takes_one_certificate(cps: Cps, enrollment: Enrollment) -> None:
    issued = cps.issue(enrollment, "ECDSA")
    body = {"certificate": issued.leaf_pem, "trustChain": issued.chain_pem}
    content = media("certificate-and-trust-chain", 1)
    assert cps.post(enrollment, "third-party-cert-and-trust-chain", content, body).status == 200
    assert [upload.algorithm for upload in cps.pending(enrollment).uploads] == ["ECDSA"]


def test_old_form_that_can_not_be_read_is_refused(cps: Cps, enrollment: Enrollment) -> None:
    content = media("certificate-and-trust-chain", 1)
    reply = cps.post(enrollment, "third-party-cert-and-trust-chain", content, {"certificate": "MIIB"})
    assert reply.status == 400


@pytest.mark.parametrize(("mode", "kept"), [("replace", ["ECDSA"]), ("merge", ["RSA", "ECDSA"])])
def test_second_upload_during_review_replaces_the_first(
    cps: Cps, enrollment: Enrollment, mode: str, kept: list[str]
) -> None:
    cps.sandbox.options.set("second_upload", mode)
    assert verified(cps, enrollment, cps.issue(enrollment, chain="root").item()) == REVIEW
    assert cps.upload(enrollment, cps.issue(enrollment, "ECDSA").item()).status == 200
    assert [upload.algorithm for upload in cps.pending(enrollment).uploads] == kept


def test_upload_after_the_review_is_refused(cps: Cps, enrollment: Enrollment) -> None:
    item = cps.issue(enrollment).item()
    assert verified(cps, enrollment, item) == STAGED
    assert cps.upload(enrollment, item).status == 409


def test_upload_before_the_csr_is_not_found(cps: Cps) -> None:
    waiting = cps.create("early.example.com")
    item = {"certificate": "x", "keyAlgorithm": "RSA", "trustChain": ""}
    assert cps.upload(waiting, item).status == 404


def _created(cps: Cps, body: dict[str, Any]) -> Enrollment:
    reply = cps.try_create(body)
    enrollment = cps.enrollment(int(reply.body["enrollment"].rsplit("/", 1)[1]))
    cps.to_csr(enrollment)
    return enrollment


def _other_csr(cps: Cps) -> str:
    other = cps.create("other.example.com")
    cps.to_csr(other)
    return cps.csrs(other)["RSA"]


def _crafted(
    cps: Cps,
    enrollment: Enrollment,
    *,
    self_signed: bool = False,
    algorithm: hashes.SHA256 | hashes.SHA384 | None = None,
    common_name: str | None = "www.example.com",
) -> str:
    """Return a leaf for the pending RSA key with a property that the authority never gives."""
    record = cps.sandbox.authority.state.cas["OV RSA"]
    issuer, key = x509.load_pem_x509_certificate(record.certificate_pem.encode()), load_private_key(record.key_pem)
    issued = x509.load_pem_x509_certificate(cps.issue(enrollment).leaf_pem.encode())
    subject = x509.Name([part for part in issued.subject if common_name or part.oid != NameOID.COMMON_NAME])
    if self_signed:
        own = next(pair for pair in cps.pending(enrollment).keys if pair.algorithm == "RSA")
        key = load_private_key(own.private_key_pem)
    builder = x509.CertificateBuilder(
        subject_name=subject,
        issuer_name=subject if self_signed else issuer.subject,
        public_key=issued.public_key(),
        serial_number=1234,
        not_valid_before=issued.not_valid_before_utc,
        not_valid_after=issued.not_valid_after_utc,
        extensions=list(issued.extensions),
    )
    return builder.sign(key, algorithm or hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode()
