"""What CPS says about trust chains, and which chain it deploys."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

from reconciler.sandbox.cps.state import Enrollment
from reconciler.sandbox.keys import load_private_key
from tests.unit.sandbox.cps.harness import Cps, colons, lines, verified

REVIEW = "wait-review-third-party-cert awaiting-input"
AGAIN = "wait-upload-third-party awaiting-input"


@pytest.fixture
def enrollment(cps: Cps) -> Enrollment:
    """Return an enrollment for www.example.com that waits for its certificate."""
    enrollment = cps.create("www.example.com")
    cps.to_csr(enrollment)
    return enrollment


def _bundle(cps: Cps, enrollment: Enrollment) -> dict[str, str]:
    issued = cps.issue(enrollment, chain="cross")
    end = "-----END CERTIFICATE-----\n"
    issuing, cross = (f"{part}{end}" for part in issued.chain_pem.split(end)[:2])
    return {"leaf": issued.leaf_pem, "issuing": issuing, "cross": cross, "root": cps.root(issued.leaf_pem)}


CHAINS: dict[str, tuple[Callable[[dict[str, str]], str], list[str]]] = {
    "with the cross certificate": (
        lambda pem: pem["issuing"] + pem["cross"],
        ["Crossed signed roots found in the trust chain."],
    ),
    "with the root": (
        lambda pem: pem["issuing"] + pem["root"],
        ["The trust chain includes a standard root certificate. This is not a typical practice."],
    ),
    "with the leaf": (
        lambda pem: pem["leaf"] + pem["issuing"],
        [
            "The end-entity certificate appears in the trust chain. This is not allowed. It is being automatically "
            "removed from the trust chain."
        ],
    ),
    "upside down": (
        lambda pem: pem["cross"] + pem["issuing"],
        ["Unsorted trust chain downloaded, using", "Crossed signed roots found in the trust chain."],
    ),
    "twice": (
        lambda pem: pem["issuing"] * 2,
        ["Extra certificates were found in the chain and are being removed."],
    ),
    "with two ways to a root": (
        lambda pem: pem["issuing"] + pem["root"] + pem["cross"],
        [
            "There are multiple trust chains in",
            "Extra certificates were found in the chain and are being removed.",
            "The trust chain includes a standard root certificate. This is not a typical practice.",
        ],
    ),
}


@pytest.mark.parametrize(("chain", "texts"), CHAINS.values(), ids=CHAINS)
def test_chain_that_is_not_as_it_should_be_is_a_warning(
    cps: Cps, enrollment: Enrollment, chain: Callable[[dict[str, str]], str], texts: list[str]
) -> None:
    pems = _bundle(cps, enrollment)
    item = {"certificate": pems["leaf"], "keyAlgorithm": "RSA", "trustChain": chain(pems)}
    assert verified(cps, enrollment, item) == REVIEW
    block = (
        "Trust Chain",
        "Certificate: Subject:",
        "  Issuer:",
        "  Serial Number:",
        "The chain that will",
        "1.",
        "2.",
        "3.",
    )
    assert [line for line in lines(cps, enrollment) if not line.startswith(block)] == texts


def test_chain_is_deployed_sorted_and_clean(cps: Cps, enrollment: Enrollment) -> None:
    pems = _bundle(cps, enrollment)
    item = {
        "certificate": pems["leaf"],
        "keyAlgorithm": "RSA",
        "trustChain": pems["cross"] + pems["leaf"] + pems["issuing"],
    }
    cps.upload(enrollment, item)
    cps.to_staging(enrollment)
    live = cps.service.live("staging", "www.example.com")
    assert live is not None
    assert live.certificates[0].chain_pem == pems["issuing"] + pems["cross"]


def test_private_chain_ends_with_a_non_standard_root(cps: Cps, enrollment: Enrollment) -> None:
    issued = cps.issue(enrollment, kind="PRIVATE", term_days=365)
    leaf = x509.load_pem_x509_certificate(issued.leaf_pem.encode())
    above = x509.load_pem_x509_certificate(issued.chain_pem.encode())
    assert verified(cps, enrollment, issued.item()) == REVIEW
    text = "\n".join(lines(cps, enrollment))
    assert text == (
        "The trust chain terminates with a non-standard root certificate.\n"
        "Trust Chain\n"
        f"Certificate: Subject: {leaf.subject.rfc4514_string()}\n"
        f"  Issuer: {','.join(part.rfc4514_string() for part in leaf.issuer.rdns)}\n"
        f"  Serial Number: {colons(leaf)}:\n"
        "The chain that will be used is:\n"
        f"1.  Subject: {above.subject.rfc4514_string()}\n"
        f"  Issuer: {','.join(part.rfc4514_string() for part in above.issuer.rdns)}\n"
        f"  Serial Number: {colons(above)}:"
    )


def test_texts_on_roots_may_be_short(cps: Cps, enrollment: Enrollment) -> None:
    cps.options.detailed_chain_warnings = False
    verified(cps, enrollment, cps.issue(enrollment, kind="PRIVATE", term_days=365).item())
    assert lines(cps, enrollment) == ["The trust chain terminates with a non-standard root certificate."]


def test_chain_of_another_issuer_is_blocked(cps: Cps, enrollment: Enrollment) -> None:
    other = cps.issue(enrollment, kind="DV")
    issued = cps.issue(enrollment)
    assert verified(cps, enrollment, issued.item(trustChain=other.chain_pem)) == AGAIN
    name = _common_name(other.chain_pem)
    assert lines(cps, enrollment) == [
        f"The trust chain [{name}] and the end entity [www.example.com] failed to verify."
    ]


def test_chain_that_ends_before_the_leaf_is_a_warning(cps: Cps, enrollment: Enrollment) -> None:
    cps.options.blocking_checks = ""
    issuing = _reissued(cps, "OV RSA", not_after=datetime(2026, 12, 1, tzinfo=UTC))
    item = cps.issue(enrollment).item(trustChain=issuing)
    assert verified(cps, enrollment, item) == REVIEW
    name = _common_name(issuing)
    assert lines(cps, enrollment) == [
        "End entity certificate [www.example.com] with expiration [2027-06-02T23:59:59Z] expires after the trust chain "
        f"certificate #[{name}] that expires [2026-12-01T00:00:00Z]."
    ]


def test_chain_that_is_over_is_a_warning(cps: Cps, enrollment: Enrollment) -> None:
    issuing = _reissued(cps, "OV RSA", not_after=datetime(2026, 11, 1, tzinfo=UTC))
    certificate = x509.load_pem_x509_certificate(issuing.encode())
    assert verified(cps, enrollment, cps.issue(enrollment).item(trustChain=issuing)) == REVIEW
    assert lines(cps, enrollment)[0] == (
        f"Trust chain certificate #[1] issuer [{certificate.issuer.rfc4514_string()}] "
        f"serial number [{colons(certificate)}]: [NotAfter: Sun Nov 01 00:00:00 UTC 2026]."
    )


def test_roots_that_signed_each_other_end_the_chain(cps: Cps, enrollment: Enrollment) -> None:
    cps.options.detailed_chain_warnings = False
    pems = _bundle(cps, enrollment)
    back = _reissued(cps, "old root RSA", not_after=datetime(2038, 1, 18, tzinfo=UTC))
    item = {"certificate": pems["leaf"], "keyAlgorithm": "RSA", "trustChain": pems["issuing"] + pems["cross"] + back}
    assert verified(cps, enrollment, item) == REVIEW
    assert lines(cps, enrollment)[0] == "Crossed signed roots found in the trust chain."


def _reissued(cps: Cps, name: str, *, not_after: datetime) -> str:
    """Return a CA's certificate again, signed by the RSA root, with another end."""
    cas = cps.sandbox.authority.state.cas
    old = x509.load_pem_x509_certificate(cas[name].certificate_pem.encode())
    root = load_private_key(cas["root RSA"].key_pem)
    issuer = x509.load_pem_x509_certificate(cas["root RSA"].certificate_pem.encode())
    public_key = old.public_key()
    assert isinstance(public_key, rsa.RSAPublicKey | ec.EllipticCurvePublicKey)
    builder = x509.CertificateBuilder(
        subject_name=old.subject,
        issuer_name=issuer.subject,
        public_key=public_key,
        serial_number=old.serial_number,
        not_valid_before=old.not_valid_before_utc,
        not_valid_after=not_after,
        extensions=list(old.extensions),
    )
    return builder.sign(root, hashes.SHA384()).public_bytes(serialization.Encoding.PEM).decode()


def _common_name(pem: str) -> str:
    certificate = x509.load_pem_x509_certificate(pem.encode())
    return str(certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value)
