"""The listeners of one sandbox on one event loop, and the files that say where they are."""

import asyncio
import contextlib
import socket
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

from starlette.applications import Starlette

from reconciler.sandbox import tls
from reconciler.sandbox.app import Sandbox
from reconciler.sandbox.clock import real_now
from reconciler.sandbox.control import Control
from reconciler.sandbox.edge import Edge, Network
from reconciler.sandbox.http import HttpListener
from reconciler.sandbox.outfiles import Ports, Written, remove_facts, write_files
from reconciler.sandbox.store import StoreError

_HOST = "127.0.0.1"
_GOODBYE_S = 1.0  # how long a TLS connection waits for the other side's farewell


@contextlib.asynccontextmanager
async def running(sandbox: Sandbox, directory: Path) -> AsyncIterator[Written]:
    """Listen, write the files, and yield what they say; stop listening and remove `sandbox.json` at the end."""
    async with contextlib.AsyncExitStack() as stack:
        credential = sandbox.authority.issue_loopback_server(real_now=real_now())
        context = tls.service_context(
            credential.certificate_pem, credential.key_pem, sandbox.authority.loopback_ca_pem()
        )
        applications = {
            "cps": sandbox.cps.application(),
            "scm": sandbox.scm.header_application(),
            "scm_admin": sandbox.scm.admin_application(),
            "control": Control(sandbox).application(),
        }
        ports = {
            name: await stack.enter_async_context(_http(application, context, sandbox.state.ports.get(name, 0)))
            for name, application in applications.items()
        }
        networks: tuple[Network, ...] = ("staging", "production")
        for network in networks:
            edge = Edge(network, sandbox.cps.live, before=sandbox.clock.tick)
            name = f"edge_{network}"
            ports[name] = await stack.enter_async_context(_edge(edge, sandbox.state.ports.get(name, 0)))
        sandbox.state.ports = ports
        stack.callback(remove_facts, directory)
        yield write_files(sandbox, directory, Ports(**ports))


@contextlib.asynccontextmanager
async def _http(application: Starlette, context: ssl.SSLContext, wanted_port: int) -> AsyncIterator[int]:
    listener = HttpListener(application)
    with contextlib.closing(_bound(wanted_port)) as listening:
        server = await asyncio.get_running_loop().create_server(
            listener.protocol, sock=listening, ssl=context, ssl_shutdown_timeout=_GOODBYE_S
        )
        try:
            yield listening.getsockname()[1]
        finally:
            server.close()
            await listener.drain()


@contextlib.asynccontextmanager
async def _edge(edge: Edge, wanted_port: int) -> AsyncIterator[int]:
    with contextlib.closing(_bound(wanted_port)) as listening:
        server = await asyncio.start_server(edge.answer, sock=listening)
        try:
            yield listening.getsockname()[1]
        finally:
            server.close()
            edge.close()


def _bound(wanted_port: int) -> socket.socket:
    """Return a socket on the wanted port or, if that is taken, on any free one."""
    for port in (wanted_port, 0):
        # The protocol is named, since only then asyncio turns Nagle's algorithm off: 40 ms a call otherwise.
        bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            bound.bind((_HOST, port))
        except OSError:
            bound.close()
        else:
            return bound
    raise StoreError("no port is free on loopback")
