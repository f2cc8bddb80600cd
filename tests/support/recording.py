"""What any client that uses requests says to one server, and what it hears."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from unittest import mock
from urllib.parse import parse_qsl, urlsplit

import requests


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """One request with its answer, as they were on the wire."""

    method: str
    path: str
    query: tuple[tuple[str, str], ...]
    request_type: str | None  # media types without parameters
    request_body: bytes
    status: int
    answer_type: str | None
    answer_body: bytes

    def __str__(self) -> str:
        return f"{self.method} {self.path} -> {self.status}"


@contextmanager
def recorded(base_url: str) -> Iterator[list[Exchange]]:
    """Record all exchanges below `base_url` inside the block, whatever session makes them."""
    exchanges: list[Exchange] = []
    send = requests.Session.send

    def recording_send(
        self: requests.Session, request: requests.PreparedRequest, **options: object
    ) -> requests.Response:
        answer: requests.Response = send(self, request, **options)  # type: ignore[arg-type]
        if (request.url or "").startswith(base_url):
            exchanges.append(_exchange(request, answer))
        return answer

    with mock.patch.object(requests.Session, "send", recording_send):
        yield exchanges


def _exchange(request: requests.PreparedRequest, answer: requests.Response) -> Exchange:
    url = urlsplit(request.url or "")
    body = request.body or b""
    return Exchange(
        method=request.method or "",
        path=str(url.path),
        query=tuple(parse_qsl(str(url.query), keep_blank_values=True)),
        request_type=_media_type(request.headers.get("Content-Type")),
        request_body=body.encode() if isinstance(body, str) else bytes(body),
        status=answer.status_code,
        answer_type=_media_type(answer.headers.get("Content-Type")),
        answer_body=answer.content,
    )


def _media_type(header: str | None) -> str | None:
    return None if header is None else header.split(";")[0].strip().lower()
