"""TLS contexts of the listeners. Python reads certificates and keys from files only: they live there for a moment."""

import os
import ssl
import tempfile
from pathlib import Path


def load(context: ssl.SSLContext, certificates_pem: str, key_pem: str) -> None:
    """Add one key with its certificates, leaf first. A context holds one of each key type."""
    with tempfile.TemporaryDirectory(prefix="certrecon-") as directory:
        file = Path(directory, "certificate.pem")
        file.touch(mode=0o600)
        file.write_text(f"{key_pem.strip()}\n{certificates_pem.strip()}\n")
        context.load_cert_chain(os.fspath(file))


def service_context(certificate_pem: str, key_pem: str, client_ca_pem: str) -> ssl.SSLContext:
    """Return the context of the HTTP listeners: a client certificate of `client_ca_pem` is welcome, not asked for."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    load(context, certificate_pem, key_pem)
    context.load_verify_locations(cadata=client_ca_pem)
    context.verify_mode = ssl.CERT_OPTIONAL
    return context
