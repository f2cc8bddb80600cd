import hashlib
import ssl
import subprocess
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar

import msgspec
import pytest
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID, NameOID
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError

from reconciler.sandbox import sct
from reconciler.sandbox.ca import (
    Authority,
    CaState,
    Credential,
    IssuedCertificate,
    IssueRequest,
    KeyType,
    Kind,
    SubjectFields,
)
from reconciler.sandbox.clock import real_now
from reconciler.sandbox.ids import Ids, IdState
from reconciler.sandbox.keys import KeyMaker, PrivateKey, load_private_key
from tests.support.lint import lint_errors

Extension = TypeVar("Extension", bound=x509.ExtensionType)

NOW = datetime(2026, 11, 16, 13, 5, 59, 7, tzinfo=UTC)
KINDS: tuple[Kind, ...] = ("DV", "OV", "EV", "PRIVATE")
PUBLIC: tuple[Kind, ...] = ("DV", "OV", "EV")
KEY_TYPES: tuple[KeyType, ...] = ("RSA", "EC")
every_leaf = pytest.mark.parametrize("kind", KINDS)
every_public_leaf = pytest.mark.parametrize("kind", PUBLIC)
every_key_type = pytest.mark.parametrize("key_type", KEY_TYPES)

EXAMPLE = SubjectFields(
    organization="Example Ltd",
    locality="Manchester",
    state="Greater Manchester",
    country="GB",
    business_category="Private Organization",
    registration_number="01234567",
    jurisdiction_country="GB",
)


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority.create(ids=Ids(IdState(seed=7)), keys=KeyMaker())


@pytest.fixture(scope="module")
def csrs() -> dict[KeyType, str]:
    keys: dict[KeyType, PrivateKey] = {"RSA": KeyMaker("pooled").rsa(), "EC": KeyMaker().ec()}
    return {key_type: csr_pem(key) for key_type, key in keys.items()}


def csr_pem(key: PrivateKey) -> str:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "of.the.csr.example.com")])
    csr = x509.CertificateSigningRequestBuilder().subject_name(name).sign(key, hashes.SHA256())
    return csr.public_bytes(Encoding.PEM).decode()


def parsed(pem: str) -> x509.Certificate:
    return x509.load_pem_x509_certificate(pem.encode())


def issue(authority: Authority, csr: str, kind: Kind, *, sans: tuple[str, ...] | None = None) -> IssuedCertificate:
    names = sans or names_for(kind)
    request = IssueRequest(
        csr_pem=csr, kind=kind, common_name=names[0], sans=names, subject=EXAMPLE, term_days=199, now=NOW
    )
    return authority.issue(request)


def names_for(kind: Kind) -> tuple[str, ...]:
    return ("www.example.com", "example.com") if kind == "EV" else ("www.example.com", "*.example.net")


def extension(certificate: x509.Certificate, kind: type[Extension]) -> Extension:
    return certificate.extensions.get_extension_for_class(kind).value


def openssl_verify(directory: Path, *, root: str, chain: Sequence[str], leaf: str) -> str:
    """Return what `openssl verify` says to a strict check at NOW."""
    for name, text in (("root.pem", root), ("chain.pem", "".join(chain)), ("leaf.pem", leaf)):
        (directory / name).write_text(text)
    command = ["openssl", "verify", "-x509_strict", "-purpose", "sslserver"]
    if chain:
        command += ["-untrusted", "chain.pem"]
    answer = subprocess.run(
        [*command, "-attime", str(int(NOW.timestamp())), "-CAfile", "root.pem", "leaf.pem"],
        cwd=directory,
        capture_output=True,
        text=True,
        check=False,
    )
    return (answer.stdout + answer.stderr).strip()


def verify_with_cryptography(root: str, chain: Sequence[str], leaf: str) -> None:
    store = Store([parsed(root)])
    verifier = PolicyBuilder().store(store).time(NOW).build_server_verifier(x509.DNSName("www.example.com"))
    verifier.verify(parsed(leaf), [parsed(pem) for pem in chain])


@every_leaf
@every_key_type
def test_leaf_lints_without_error(
    authority: Authority, csrs: dict[KeyType, str], kind: Kind, key_type: KeyType
) -> None:
    issued = issue(authority, csrs[key_type], kind)
    assert lint_errors(issued.leaf_pem, private=kind == "PRIVATE") == []


def test_lint_helper_sees_an_error(authority: Authority, csrs: dict[KeyType, str]) -> None:
    wildcard_in_ev = issue(authority, csrs["RSA"], "EV", sans=("*.example.com",))
    assert [error.split(":")[0] for error in lint_errors(wildcard_in_ev.leaf_pem)] == [
        "cabf.ev_guidelines.ev_wildcard_san_present"
    ]


def test_ca_certificates_lint_without_error(authority: Authority) -> None:
    cas = {name: record.certificate_pem for name, record in authority.state.cas.items() if name != "loopback"}
    crosses = {f"cross {key_type}": pem for key_type, pem in authority.state.cross_pems.items()}
    assert len(cas) == 4 + 6 + 3
    assert len(crosses) == 2
    errors = {name: lint_errors(pem, private="PRIVATE" in name) for name, pem in (cas | crosses).items()}
    assert {name: found for name, found in errors.items() if found} == {}


@every_leaf
@every_key_type
@pytest.mark.parametrize("cross", [False, True])
def test_two_verifiers_accept_each_chain(
    authority: Authority, csrs: dict[KeyType, str], kind: Kind, key_type: KeyType, cross: bool, tmp_path: Path
) -> None:
    leaf = issue(authority, csrs[key_type], kind).leaf_pem
    chain = authority.chain(kind, key_type, cross=cross)
    verify_with_cryptography(chain.root, chain.intermediates, leaf)
    assert openssl_verify(tmp_path, root=chain.root, chain=chain.intermediates, leaf=leaf) == "leaf.pem: OK"


@every_key_type
def test_old_root_is_reached_through_the_cross_certificate_only(
    authority: Authority, csrs: dict[KeyType, str], key_type: KeyType
) -> None:
    leaf = issue(authority, csrs[key_type], "OV").leaf_pem
    chain = authority.chain("OV", key_type, cross=True)
    with pytest.raises(VerificationError):
        verify_with_cryptography(chain.root, [chain.issuing], leaf)


def test_chain_pieces_are_in_the_order_leaf_issuer_upward(authority: Authority) -> None:
    long = [parsed(pem) for pem in authority.chain("OV", "RSA", cross=True).issuer_first]
    short = [parsed(pem) for pem in authority.chain("OV", "RSA", cross=False).issuer_first]
    names = ["Sandbox Public Server Authentication CA OV R36", "Sandbox Public Server Authentication Root R46"]
    assert [common_name(ca.subject) for ca in long] == [*names, "Sandbox Old RSA Certification Authority"]
    assert [common_name(ca.issuer) for ca in long[:2]] == [names[1], "Sandbox Old RSA Certification Authority"]
    assert [common_name(ca.subject) for ca in short] == names
    assert short[1].issuer == short[1].subject


def test_private_kind_has_no_cross_certificate(authority: Authority) -> None:
    chain = authority.chain("PRIVATE", "EC", cross=True)
    assert chain.cross is None
    assert chain.root == authority.private_root_pem()


def common_name(name: x509.Name) -> str:
    return str(name.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value)


def test_leaf_holds_the_names_asked_for_and_not_those_of_the_csr(
    authority: Authority, csrs: dict[KeyType, str]
) -> None:
    leaf = parsed(issue(authority, csrs["EC"], "DV").leaf_pem)
    assert extension(leaf, x509.SubjectAlternativeName).get_values_for_type(x509.DNSName) == [
        "www.example.com",
        "*.example.net",
    ]
    assert leaf.subject.rfc4514_string() == "CN=www.example.com"


@pytest.mark.parametrize(
    ("kind", "subject"),
    [
        ("OV", "CN=www.example.com,O=Example Ltd,L=Manchester,ST=Greater Manchester,C=GB"),
        ("PRIVATE", "CN=www.example.com,O=Example Ltd,L=Manchester,ST=Greater Manchester,C=GB"),
        (
            "EV",
            "CN=www.example.com,O=Example Ltd,L=Manchester,ST=Greater Manchester,C=GB,"
            "2.5.4.15=Private Organization,1.3.6.1.4.1.311.60.2.1.3=GB,2.5.4.5=01234567",
        ),
    ],
)
def test_subject_comes_from_the_organization(
    authority: Authority, csrs: dict[KeyType, str], kind: Kind, subject: str
) -> None:
    assert parsed(issue(authority, csrs["EC"], kind).leaf_pem).subject.rfc4514_string() == subject


def test_validity_starts_at_midnight_and_ends_one_second_before_the_term_is_over(
    authority: Authority, csrs: dict[KeyType, str]
) -> None:
    issued = issue(authority, csrs["EC"], "DV")
    assert issued.not_before == datetime(2026, 11, 16, tzinfo=UTC)
    assert issued.not_after == datetime(2027, 6, 2, 23, 59, 59, tzinfo=UTC)
    leaf = parsed(issued.leaf_pem)
    assert (leaf.not_valid_before_utc, leaf.not_valid_after_utc) == (issued.not_before, issued.not_after)
    assert leaf.not_valid_after_utc - leaf.not_valid_before_utc + timedelta(seconds=1) == timedelta(days=199)


@every_leaf
def test_leaf_has_the_key_of_the_csr_and_the_issuer_of_its_type(
    authority: Authority, csrs: dict[KeyType, str], kind: Kind
) -> None:
    for key_type in KEY_TYPES:
        issued = issue(authority, csrs[key_type], kind)
        csr = x509.load_pem_x509_csr(csrs[key_type].encode())
        leaf = parsed(issued.leaf_pem)
        assert leaf.public_key() == csr.public_key()
        assert issued.key_type == key_type
        assert parsed(issued.chain.issuing).public_key().__class__ is csr.public_key().__class__
        leaf.verify_directly_issued_by(parsed(issued.chain.issuing))


def test_csr_key_of_another_type_is_refused(authority: Authority) -> None:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "www.example.com")])
    csr = x509.CertificateSigningRequestBuilder().subject_name(name).sign(Ed25519PrivateKey.generate(), None)
    with pytest.raises(ValueError, match="no issuing CA"):
        issue(authority, csr.public_bytes(Encoding.PEM).decode(), "DV")


@pytest.mark.parametrize(
    ("kind", "policies"),
    [
        ("DV", ["2.23.140.1.2.1", "1.3.6.1.4.1.32473.1.1"]),
        ("OV", ["2.23.140.1.2.2", "1.3.6.1.4.1.32473.1.2"]),
        ("EV", ["2.23.140.1.1", "1.3.6.1.4.1.32473.1.3"]),
        ("PRIVATE", ["1.3.6.1.4.1.32473.1.4"]),
    ],
)
def test_policies_tell_the_kind(
    authority: Authority, csrs: dict[KeyType, str], kind: Kind, policies: list[str]
) -> None:
    leaf = parsed(issue(authority, csrs["EC"], kind).leaf_pem)
    found = [policy.policy_identifier.dotted_string for policy in extension(leaf, x509.CertificatePolicies)]
    assert found == policies


@every_leaf
def test_only_public_leaves_name_a_responder_and_all_name_a_crl(
    authority: Authority, csrs: dict[KeyType, str], kind: Kind
) -> None:
    leaf = parsed(issue(authority, csrs["EC"], kind).leaf_pem)
    methods = [access.access_method for access in extension(leaf, x509.AuthorityInformationAccess)]
    assert (AuthorityInformationAccessOID.OCSP in methods) is (kind != "PRIVATE")
    assert AuthorityInformationAccessOID.CA_ISSUERS in methods
    assert len(list(extension(leaf, x509.CRLDistributionPoints))) == 1
    assert list(extension(leaf, x509.ExtendedKeyUsage)) == [ExtendedKeyUsageOID.SERVER_AUTH]


@every_public_leaf
def test_three_logs_signed_the_precertificate(authority: Authority, csrs: dict[KeyType, str], kind: Kind) -> None:
    issued = issue(authority, csrs["RSA"], kind)
    leaf = parsed(issued.leaf_pem)
    issuer_key_hash = hashlib.sha256(spki(parsed(issued.chain.issuing))).digest()
    logs = {sct.log_id(key): key for key in log_keys(authority)}
    scts = list(extension(leaf, x509.PrecertificateSignedCertificateTimestamps))
    assert {entry.log_id for entry in scts} == set(logs)
    assert len(scts) == 3
    for entry in scts:
        timestamp_ms = int(NOW.timestamp() * 1000)
        assert entry.timestamp == NOW.replace(microsecond=0, tzinfo=None)
        signed = sct.signed_data(issuer_key_hash, leaf.tbs_precertificate_bytes, timestamp_ms)
        logs[entry.log_id].verify(entry.signature, signed, ec.ECDSA(hashes.SHA256()))
        with pytest.raises(InvalidSignature):
            logs[entry.log_id].verify(entry.signature, signed + b"x", ec.ECDSA(hashes.SHA256()))


def spki(certificate: x509.Certificate) -> bytes:
    return certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def log_keys(authority: Authority) -> list[ec.EllipticCurvePublicKey]:
    keys = [load_private_key(pem).public_key() for pem in authority.state.log_key_pems]
    return [key for key in keys if isinstance(key, ec.EllipticCurvePublicKey)]


def test_private_leaf_is_in_no_log(authority: Authority, csrs: dict[KeyType, str]) -> None:
    leaf = parsed(issue(authority, csrs["RSA"], "PRIVATE").leaf_pem)
    with pytest.raises(x509.ExtensionNotFound):
        extension(leaf, x509.PrecertificateSignedCertificateTimestamps)


def test_serials_come_from_the_seed_and_never_twice(csrs: dict[KeyType, str], authority: Authority) -> None:
    def serials(seed: int) -> list[int]:
        again = Authority(authority.state, ids=Ids(IdState(seed=seed)), keys=KeyMaker())
        return [issue(again, csrs["EC"], "DV").serial for _ in range(3)]

    assert serials(1) == serials(1)
    assert len({*serials(1), *serials(2)}) == 6
    assert all(serial.bit_length() == 127 for serial in serials(1))


def test_authority_goes_on_from_its_state(authority: Authority, csrs: dict[KeyType, str], tmp_path: Path) -> None:
    state = msgspec.msgpack.decode(msgspec.msgpack.encode(authority.state), type=CaState)
    again = Authority(state, ids=Ids(IdState(seed=8)), keys=KeyMaker())
    leaf = issue(again, csrs["RSA"], "OV").leaf_pem
    chain = authority.chain("OV", "RSA", cross=False)
    assert openssl_verify(tmp_path, root=chain.root, chain=chain.intermediates, leaf=leaf) == "leaf.pem: OK"


def test_no_name_is_a_real_ca(authority: Authority) -> None:
    for record in authority.state.cas.values():
        assert common_name(parsed(record.certificate_pem).subject).startswith("Sandbox ")


def test_fingerprint_is_that_of_the_private_root(authority: Authority) -> None:
    der = ssl.PEM_cert_to_DER_cert(authority.private_root_pem())
    assert authority.private_root_fingerprint() == hashlib.sha256(der).hexdigest().upper()


def test_intermediates_are_all_that_can_stand_between_leaf_and_root(authority: Authority) -> None:
    found = set(authority.intermediates())
    wanted = {
        pem
        for kind in KINDS
        for key_type in KEY_TYPES
        for pem in authority.chain(kind, key_type, cross=True).intermediates
    }
    assert found == wanted
    assert len(found) == 10


class TestTrustStore:
    @every_public_leaf
    def test_public_leaf_with_its_chain_is_trusted(
        self, authority: Authority, csrs: dict[KeyType, str], kind: Kind
    ) -> None:
        issued = issue(authority, csrs["RSA"], kind)
        chain = [parsed(pem) for pem in issued.chain.intermediates]
        assert authority.trust_store().verify(parsed(issued.leaf_pem), chain, NOW) is None

    def test_wildcard_first_name_is_trusted(self, authority: Authority, csrs: dict[KeyType, str]) -> None:
        issued = issue(authority, csrs["EC"], "DV", sans=("*.example.com",))
        assert authority.trust_store().verify(parsed(issued.leaf_pem), [parsed(issued.chain.issuing)], NOW) is None

    def test_missing_intermediate_is_told(self, authority: Authority, csrs: dict[KeyType, str]) -> None:
        leaf = parsed(issue(authority, csrs["EC"], "DV").leaf_pem)
        reason = authority.trust_store().verify(leaf, [], NOW)
        assert reason is not None
        assert "candidates exhausted" in reason

    def test_expired_leaf_is_told(self, authority: Authority, csrs: dict[KeyType, str]) -> None:
        issued = issue(authority, csrs["EC"], "DV")
        chain = [parsed(issued.chain.issuing)]
        reason = authority.trust_store().verify(parsed(issued.leaf_pem), chain, NOW + timedelta(days=200))
        assert reason is not None
        assert "not valid at validation time" in reason

    def test_private_chain_is_not_trusted(self, authority: Authority, csrs: dict[KeyType, str]) -> None:
        issued = issue(authority, csrs["RSA"], "PRIVATE")
        chain = [parsed(issued.chain.issuing), parsed(issued.chain.root)]
        assert authority.trust_store().verify(parsed(issued.leaf_pem), chain, NOW) is not None

    def test_standard_roots_are_the_four_public_ones(self, authority: Authority) -> None:
        store = authority.trust_store()
        roots = x509.load_pem_x509_certificates(authority.public_roots_pem().encode())
        assert len(roots) == 4
        assert all(store.is_standard_root(root) for root in roots)
        assert not store.is_standard_root(parsed(authority.private_root_pem()))

    def test_cross_certificate_is_told_from_root_and_issuing_ca(self, authority: Authority) -> None:
        store = authority.trust_store()
        long = authority.chain("DV", "EC", cross=True)
        assert long.cross is not None
        assert store.is_cross_signed_root(parsed(long.cross))
        assert not store.is_cross_signed_root(parsed(authority.chain("DV", "EC", cross=False).root))
        assert not store.is_cross_signed_root(parsed(long.issuing))


class TestLoopback:
    def test_server_certificate_is_accepted_in_real_time_for_its_names(
        self, authority: Authority, tmp_path: Path
    ) -> None:
        server = authority.issue_loopback_server(real_now=NOW)
        root = authority.loopback_ca_pem()
        assert openssl_verify(tmp_path, root=root, chain=(), leaf=server.certificate_pem) == "leaf.pem: OK"
        names = extension(parsed(server.certificate_pem), x509.SubjectAlternativeName)
        assert names.get_values_for_type(x509.DNSName) == ["localhost"]
        assert [str(ip) for ip in names.get_values_for_type(x509.IPAddress)] == ["127.0.0.1", "::1"]

    def test_server_and_client_shake_hands(self, authority: Authority, tmp_path: Path) -> None:
        server = authority.issue_loopback_server(real_now=real_now())
        client = authority.issue_loopback_client("api-admin", real_now=real_now())
        server_side = context(ssl.PROTOCOL_TLS_SERVER, authority, server, tmp_path / "server.pem")
        client_side = context(ssl.PROTOCOL_TLS_CLIENT, authority, client, tmp_path / "client.pem")
        assert shake_hands(server_side, client_side) == parsed(client.certificate_pem)

    def test_key_fits_its_certificate(self, authority: Authority) -> None:
        client = authority.issue_loopback_client("api-admin", real_now=NOW)
        assert load_private_key(client.key_pem).public_key() == parsed(client.certificate_pem).public_key()
        assert common_name(parsed(client.certificate_pem).subject) == "api-admin"


def context(protocol: int, authority: Authority, own: Credential, path: Path) -> ssl.SSLContext:
    made = ssl.SSLContext(protocol)
    made.load_verify_locations(cadata=authority.loopback_ca_pem())
    made.verify_mode = ssl.CERT_REQUIRED
    made.verify_flags |= ssl.VERIFY_X509_STRICT
    path.write_text(own.key_pem + own.certificate_pem)
    made.load_cert_chain(path)
    return made


def shake_hands(server_side: ssl.SSLContext, client_side: ssl.SSLContext) -> x509.Certificate:
    """Return the certificate that the server sees of the client."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = client_side.wrap_bio(to_client, to_server, server_hostname="localhost")
    server = server_side.wrap_bio(to_server, to_client, server_side=True)
    for side in (client, server, client, server):
        try:
            side.do_handshake()
        except ssl.SSLWantReadError:
            continue
    der = server.getpeercert(binary_form=True)
    assert der is not None
    return x509.load_der_x509_certificate(der)
