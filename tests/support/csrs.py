"""Certificate signing requests as a person would make them, to order with."""

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from reconciler.sandbox.keys import KeyMaker, PrivateKey


def make_key(key_type: str = "RSA") -> PrivateKey:
    """Return a quick key: RSA-2048, or P-256 for anything else."""
    return KeyMaker("pooled").rsa() if key_type == "RSA" else ec.generate_private_key(ec.SECP256R1())


def make_csr(common_name: str, *sans: str, key: PrivateKey | None = None) -> str:
    """Return a CSR as PEM, with a SAN extension if there are `sans`."""
    builder = x509.CertificateSigningRequestBuilder().subject_name(
        x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
    )
    if sans:
        names = x509.SubjectAlternativeName([x509.DNSName(name) for name in sans])
        builder = builder.add_extension(names, critical=False)
    return builder.sign(key or make_key(), hashes.SHA256()).public_bytes(Encoding.PEM).decode()
