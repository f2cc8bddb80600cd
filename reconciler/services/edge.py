"""The CDN's TLS endpoints: which certificates they serve for a name. What cannot be reached serves nothing."""

import logging
import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from reconciler.errors import CertreconError
from reconciler.model.certificate import KeyType
from reconciler.model.handshake import Handshake
from reconciler.model.x509 import parse_certificates

log = logging.getLogger(__name__)

_TIMEOUT_S = 10.0
_HTTPS = 443
# One handshake a key type: what the server shows depends on what the client can verify.
_CIPHERS = {KeyType.RSA: "ECDHE+aRSA", KeyType.ECDSA: "ECDHE+aECDSA"}
_STAGING = {".edgekey.net": ".edgekey-staging.net", ".edgesuite.net": ".edgesuite-staging.net"}


@dataclass(frozen=True, slots=True, kw_only=True)
class EdgeProbe:
    """Shakes hands with the edge. `endpoints` ("staging" -> "host:port") replace the edge's own addresses."""

    endpoints: Mapping[str, str] = field(default_factory=dict)

    def serials(self, network: str, server_name: str, host: str | None) -> frozenset[int]:
        """Return the serials that `network` serves for `server_name`. Nothing is verified: they are only compared.

        Args:
            network: "staging" or "production".
            server_name: the name to ask for; of a wildcard, one that it covers.
            host: the edge hostname, as "www.example.com.edgekey.net".
        """
        shown = self.handshakes(network, server_name, host)
        return frozenset(one.chain[0].serial for one in shown if one.chain)

    def handshakes(self, network: str, server_name: str, host: str | None) -> tuple[Handshake, ...]:
        """Return what `network` shows for `server_name`, a handshake a key type; none where its address is not known.

        The arguments are those of `serials`.
        """
        address = _address(self.endpoints.get(network), network, host)
        if address is None:
            return ()
        name = server_name.replace("*", "www", 1)
        return tuple(_handshake(address, name, key_type) for key_type in _CIPHERS)


def _address(endpoint: str | None, network: str, host: str | None) -> tuple[str, int] | None:
    if endpoint is not None:
        name, _, port = endpoint.rpartition(":")
        return name, int(port)
    if host is None:
        return None
    if network == "staging":
        for ending, staging in _STAGING.items():
            if host.endswith(ending):
                return host.removesuffix(ending) + staging, _HTTPS
    return host, _HTTPS


def _handshake(address: tuple[str, int], server_name: str, key_type: KeyType) -> Handshake:
    try:
        with socket.create_connection(address, timeout=_TIMEOUT_S) as connection:
            return _shaken(connection, server_name, key_type)
    except OSError as error:
        log.debug("edge: %s for %s: %s", address, server_name, error)
        return Handshake(key_type=key_type, reached=False, failure=str(error))


def _shaken(connection: socket.socket, server_name: str, key_type: KeyType) -> Handshake:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.maximum_version = ssl.TLSVersion.TLSv1_2  # in 1.3 the cipher no longer says which key signs
    context.set_ciphers(_CIPHERS[key_type])
    try:
        with context.wrap_socket(connection, server_hostname=server_name) as tls:
            ders = _unverified_chain(tls)
        chain = tuple(parse_certificates(ssl.DER_cert_to_PEM_cert(der))[0] for der in ders)
    except (OSError, CertreconError) as error:
        log.debug("edge: %s, %s: %s", server_name, key_type, error)
        return Handshake(key_type=key_type, failure=str(error))
    return Handshake(key_type=key_type, chain=chain)


def _unverified_chain(tls: ssl.SSLSocket) -> list[bytes]:
    """Return all certificates as they were sent. There is a public way since Python 3.13, and an inner one in all."""
    if hasattr(tls, "get_unverified_chain"):
        return list(tls.get_unverified_chain())
    inner: Any = tls._sslobj  # type: ignore[attr-defined]  # noqa: SLF001
    return [ssl.PEM_cert_to_DER_cert(one.public_bytes()) for one in inner.get_unverified_chain() or ()]
