"""The CDN's edge: two TLS listeners that serve, by SNI, what is deployed on their network at this instant."""

import asyncio
import contextlib
import logging
import ssl
from collections.abc import Callable
from typing import Literal, TypeVar

from cryptography import x509

from reconciler.sandbox import tls
from reconciler.sandbox.cps.deployments import LiveCertificates

log = logging.getLogger(__name__)

Network = Literal["staging", "production"]
Result = TypeVar("Result")
Live = Callable[[Network, str], LiveCertificates | None]

_TIMEOUT_S = 5.0
_LONGEST_HEAD = 65536
_CACHED_CONTEXTS = 256


class ServedContext(ssl.SSLContext):
    """A context that knows what it serves."""

    serials: str


class Edge:
    """One network's listener."""

    def __init__(self, network: Network, live: Live, *, before: Callable[[], None]) -> None:
        self._network = network
        self._live = live
        self._before = before  # lets a running clock catch up
        self._writers: set[asyncio.StreamWriter] = set()
        self._contexts: dict[tuple[str, ...], ServedContext] = {}
        self._listening = ServedContext(ssl.PROTOCOL_TLS_SERVER)  # holds no certificate: each name brings its own
        self._listening.sni_callback = self._choose
        _without_resumption(self._listening)

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Shake hands, answer one request whatever it asks, and close."""
        self._writers.add(writer)
        connection = _Connection(self._listening, reader, writer)
        with contextlib.suppress(OSError, TimeoutError):  # ssl.SSLError is an OSError
            async with asyncio.timeout(_TIMEOUT_S):
                await connection.do(connection.tls.do_handshake)
                await connection.read_head()
                await connection.do(lambda: connection.tls.write(self._answer(connection.tls.context)))
                await connection.say_goodbye()
        writer.close()
        self._writers.discard(writer)

    def close(self) -> None:
        """Cut what is still open."""
        for writer in self._writers:
            writer.transport.abort()

    def _answer(self, context: ssl.SSLContext) -> bytes:
        serials = context.serials if isinstance(context, ServedContext) else ""
        return _http_answer(f"network={self._network} serial={serials}\n")

    def _choose(self, connection: ssl.SSLObject | ssl.SSLSocket, name: str | None, _: ssl.SSLContext) -> int | None:
        try:
            self._before()
            served = None if name is None else self._live(self._network, name)
            if served is None:
                return ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME
            connection.context = self._context_of(served)
        except Exception:  # an exception that leaves the callback is lost in OpenSSL
            log.exception("%s edge: can't serve %s", self._network, name)
            return ssl.ALERT_DESCRIPTION_INTERNAL_ERROR
        return None

    def _context_of(self, served: LiveCertificates) -> ServedContext:
        key = tuple(certificate.leaf_pem + certificate.chain_pem for certificate in served.certificates)
        if key not in self._contexts:
            if len(self._contexts) >= _CACHED_CONTEXTS:
                self._contexts.clear()
            self._contexts[key] = _context_for(served)
        return self._contexts[key]


class _Connection:
    """TLS over a plain stream. asyncio's own TLS drops the alert that tells a client why its handshake failed."""

    def __init__(self, context: ssl.SSLContext, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self.tls = context.wrap_bio(self._incoming, self._outgoing, server_side=True)

    async def do(self, act: Callable[[], Result]) -> Result:
        """Carry out one act of TLS, with as many messages to and fro as it takes; alerts go out also when it fails."""
        while True:
            try:
                return act()
            except ssl.SSLWantReadError:
                await self._flush()
                await self._fill()
            finally:
                await self._flush()

    async def read_head(self) -> None:
        head = b""
        while b"\r\n\r\n" not in head and len(head) < _LONGEST_HEAD:
            part = await self.do(lambda: self.tls.read(4096))
            if not part:
                return
            head += part

    async def say_goodbye(self) -> None:
        with contextlib.suppress(ssl.SSLError):  # the other side's farewell is not waited for
            self.tls.unwrap()
        await self._flush()

    async def _fill(self) -> None:
        data = await self._reader.read(65536)
        if data:
            self._incoming.write(data)
        else:
            self._incoming.write_eof()

    async def _flush(self) -> None:
        self._writer.write(self._outgoing.read())
        await self._writer.drain()


def _context_for(served: LiveCertificates) -> ServedContext:
    context = ServedContext(ssl.PROTOCOL_TLS_SERVER)
    for certificate in served.certificates:
        sent = f"{certificate.leaf_pem.strip()}\n{certificate.chain_pem}"
        tls.load(context, sent, certificate.key_pem)
    leaves = [x509.load_pem_x509_certificate(each.leaf_pem.encode()) for each in served.certificates]
    context.serials = ",".join(f"{leaf.serial_number:x}" for leaf in leaves)
    return _without_resumption(context)


def _without_resumption(context: ServedContext) -> ServedContext:
    # A resumed session would skip the certificate, and so hide what is served now.
    context.options |= ssl.OP_NO_TICKET
    context.num_tickets = 0
    return context


def _http_answer(text: str) -> bytes:
    head = f"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: {len(text)}\r\nConnection: close\r\n\r\n"
    return (head + text).encode()
