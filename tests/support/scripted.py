"""An HTTP server on loopback that answers by a script, byte by byte where a fault asks for it; and a clock by hand."""

import socket
import socketserver
import threading
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TypeVar
from urllib.parse import parse_qsl, urlsplit

START = datetime(2026, 11, 16, tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class Reply:
    """What to answer. `cut`: only so many bytes of the body that was announced, then the end of the connection."""

    status: int = 200
    body: bytes = b""
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)
    cut: int | None = None
    drop: bool = False  # reads the request, says nothing
    silence_s: float = 0.0  # before the answer
    keep: bool = False  # the connection stays open for the next request

    def bytes(self) -> bytes:
        head = {
            "Content-Type": self.content_type,
            "Content-Length": str(len(self.body)),
            "Connection": "keep-alive" if self.keep else "close",
        }
        lines = [f"HTTP/1.1 {self.status} X", *(f"{name}: {value}" for name, value in {**head, **self.headers}.items())]
        return "\r\n".join(lines).encode() + b"\r\n\r\n" + self.body[: self.cut]


@dataclass(frozen=True, kw_only=True)
class Seen:
    """A request as it arrived."""

    method: str
    target: str
    headers: Mapping[str, str]  # names in lower case
    body: bytes
    port: int  # of the client: another one is another connection

    @property
    def path(self) -> str:
        return urlsplit(self.target).path

    @property
    def query(self) -> dict[str, str]:
        return dict(parse_qsl(urlsplit(self.target).query, keep_blank_values=True))


class ScriptedServer(socketserver.ThreadingTCPServer):
    """Gives its replies in order; the last one stays. Every request is kept."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.replies: deque[Reply] = deque()
        self.seen: list[Seen] = []
        self.quitting = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def script(self, *replies: Reply) -> None:
        self.replies = deque(replies)

    def answer(self, seen: Seen) -> Reply:
        return self.replies.popleft() if len(self.replies) > 1 else self.replies[0]


class _Handler(socketserver.StreamRequestHandler):
    server: ScriptedServer

    def handle(self) -> None:
        line = self.rfile.readline()
        while line and self._answer(line):
            line = self.rfile.readline()

    def _answer(self, line: bytes) -> bool:
        method, target, _ = line.decode("latin-1").split(" ", 2)
        headers = dict(self._headers())
        body = self.rfile.read(int(headers.get("content-length", "0")))
        seen = Seen(method=method, target=target, headers=headers, body=body, port=self.client_address[1])
        self.server.seen.append(seen)
        reply = self.server.answer(seen)
        self.server.quitting.wait(reply.silence_s)
        if not reply.drop:
            content = reply.bytes()
            self.wfile.write(content.partition(b"\r\n\r\n")[0] + b"\r\n\r\n" if method == "HEAD" else content)
        return reply.keep

    def _headers(self) -> Iterator[tuple[str, str]]:
        while (line := self.rfile.readline()) not in {b"\r\n", b""}:
            name, _, value = line.decode("latin-1").partition(":")
            yield name.strip().lower(), value.strip()


Server = TypeVar("Server", bound=ScriptedServer)


@contextmanager
def scripted_server(server: Server) -> Iterator[Server]:
    """Run a server in a thread."""
    with server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.quitting.set()
            server.shutdown()
            thread.join()


def closed_port() -> int:
    """Return a port of this machine where nobody listens."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


class HandClock:
    """A clock that moves only by sleeping, and remembers each sleep."""

    def __init__(self, now: datetime = START) -> None:
        self._now = now
        self.slept_s: list[float] = []

    def now(self) -> datetime:
        return self._now

    def sleep(self, duration: timedelta) -> None:
        self.slept_s.append(duration.total_seconds())
        self._now += duration
