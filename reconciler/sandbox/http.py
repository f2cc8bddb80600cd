"""HTTP over TLS for one application: uvicorn's protocol without its server."""

import asyncio
import ssl
import time
from email.utils import formatdate

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

_DRAIN_S = 2.0  # what a stop grants to calls in hand
_KEEP_ALIVE_S = 75


class Protocol(H11Protocol):
    """uvicorn's HTTP/1.1, which tells the application about its connection."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in uvicorn's own
        super().connection_made(transport)
        connection: ssl.SSLObject = transport.get_extra_info("ssl_object")
        self.app_state = {"transport": transport, "peer_certificate_der": connection.getpeercert(binary_form=True)}

    def data_received(self, data: bytes) -> None:
        self.server_state.default_headers = [(b"date", formatdate(time.time(), usegmt=True).encode())]
        super().data_received(data)


class HttpListener:
    """Serves one application. uvicorn's `Server` is left out: it takes the signals and waits for idle connections."""

    def __init__(self, application: ASGIApp) -> None:
        self._config = uvicorn.Config(
            application,
            lifespan="off",
            ws="none",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_keep_alive=_KEEP_ALIVE_S,
        )
        self._config.load()
        self._state = ServerState()

    def protocol(self) -> Protocol:
        return Protocol(self._config, self._state, {})

    async def drain(self) -> None:
        """Let calls in hand end, then close every connection."""
        if self._state.tasks:
            await asyncio.wait(self._state.tasks, timeout=_DRAIN_S)
        for connection in list(self._state.connections):
            connection.transport.abort()
