"""The CDN's TLS endpoints: which certificates they serve for a name. What cannot be reached serves nothing."""

import logging
import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field

from reconciler.errors import CertreconError
from reconciler.model.x509 import parse_certificates

log = logging.getLogger(__name__)

_TIMEOUT_S = 10.0
_HTTPS = 443
# One handshake a key type: what the server shows depends on what the client can verify.
_CIPHERS = ("ECDHE+aRSA", "ECDHE+aECDSA")
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
        address = _address(self.endpoints.get(network), network, host)
        if address is None:
            return frozenset()
        name = server_name.replace("*", "www", 1)
        found = (_serial(address, name, ciphers) for ciphers in _CIPHERS)
        return frozenset(serial for serial in found if serial is not None)


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


def _serial(address: tuple[str, int], server_name: str, ciphers: str) -> int | None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.maximum_version = ssl.TLSVersion.TLSv1_2  # in 1.3 the cipher no longer says which key signs
    context.set_ciphers(ciphers)
    try:
        with (
            socket.create_connection(address, timeout=_TIMEOUT_S) as connection,
            context.wrap_socket(connection, server_hostname=server_name) as tls,
        ):
            der = tls.getpeercert(binary_form=True)
    except OSError as error:
        log.debug("edge: %s for %s: %s", address, server_name, error)
        return None
    if der is None:
        return None
    try:
        return parse_certificates(ssl.DER_cert_to_PEM_cert(der))[0].serial
    except CertreconError as error:
        log.warning("edge: %s for %s: %s", address, server_name, error)
        return None
