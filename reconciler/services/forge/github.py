"""GitHub, as far as plans and comments need it (REST API, version 2022-11-28)."""

from collections.abc import Iterator
from urllib.parse import urlsplit

import msgspec
import requests

from reconciler.errors import ServiceUnavailableError, UnexpectedAnswerError
from reconciler.model.access import Secret, is_loopback
from reconciler.model.forge import Artifact, Comment, ForgeAccess, MergedRequest
from reconciler.services.caller import Caller
from reconciler.services.decode import decode, encode
from reconciler.services.forge.refusals import ElsewhereError
from reconciler.services.http import Request, Transport

_HEADERS = {"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": "2022-11-28"}
_PAGE = 100
_MOST_PAGES = 50
STORE = "artifact store"


class _User(msgspec.Struct, frozen=True):
    login: str = ""


class _Comment(msgspec.Struct, frozen=True):
    id: int
    body: str | None = None
    user: _User | None = None


class _Ref(msgspec.Struct, frozen=True):
    ref: str = ""
    sha: str = ""


class _Pull(msgspec.Struct, frozen=True):
    number: int
    head: _Ref
    base: _Ref
    merged_at: str | None = None


class _Run(msgspec.Struct, frozen=True):
    head_sha: str = ""
    repository_id: int = 0
    head_repository_id: int = -1


class _Artifact(msgspec.Struct, frozen=True):
    id: int
    name: str
    created_at: str = ""
    expired: bool = False
    workflow_run: _Run | None = None


class _Artifacts(msgspec.Struct, frozen=True):
    artifacts: list[_Artifact]


class TokenLogin(requests.auth.AuthBase):
    """Adds the token to each call."""

    def __init__(self, token: Secret, *, header: str, prefix: str = "") -> None:
        self._token, self._header, self._prefix = token, header, prefix

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers[self._header] = self._prefix + self._token.reveal()
        return request


class GitHub:
    """One repository. Calls that set something to a value may be repeated; only a new comment may not."""

    service = "github"

    def __init__(self, access: ForgeAccess, caller: Caller) -> None:
        self._access = access
        self._caller = caller
        self._root = f"/repos/{access.repository}"

    def head(self, number: int) -> str:
        """Return the commit that a pull request's branch stands on now."""
        request = self._read("read the pull request", f"/pulls/{number}")
        return self._caller.call(request, lambda answer: decode(answer.body, _Pull)).head.sha

    def comments(self, number: int) -> tuple[Comment, ...]:
        """Return our own comments on a pull request, oldest first; whatever others write is never touched."""
        ours = (one for one in self._all_comments(number) if one.user and one.user.login == self._access.author)
        return tuple(Comment(id=one.id, body=one.body or "") for one in ours)

    def create(self, number: int, body: str) -> None:
        self._send("write the comment", "POST", f"/issues/{number}/comments", body, mutates=True)

    def update(self, _number: int, comment: int, body: str, /) -> None:
        self._send("replace the comment", "PATCH", f"/issues/comments/{comment}", body)

    def delete(self, _number: int, comment: int, /) -> None:
        request = Request(
            operation="remove a comment", method="DELETE", path=f"{self._root}/issues/comments/{comment}",
            headers=_HEADERS,
        )  # fmt: skip
        self._caller.call(request, lambda _: None)

    def merged_by(self, commit: str, branch: str) -> tuple[MergedRequest, ...]:
        """Return the pull requests whose merge into `branch` brought `commit`: by merge, squash or rebase."""
        request = self._read("find the pull request of a commit", f"/commits/{commit}/pulls", per_page=str(_PAGE))
        pulls = self._caller.call(request, lambda answer: decode(answer.body, list[_Pull]))
        return tuple(
            MergedRequest(number=one.number, head=one.head.sha)
            for one in pulls
            if one.merged_at is not None and one.base.ref == branch
        )

    def artifacts(self, name: str) -> tuple[Artifact, ...]:
        """Return what workflow runs kept under a name and is still there."""
        request = self._read("find the saved plan", "/actions/artifacts", name=name, per_page=str(_PAGE))
        found = self._caller.call(request, lambda answer: decode(answer.body, _Artifacts)).artifacts
        return tuple(_artifact(one) for one in found if not one.expired)

    def archive(self, artifact: int) -> bytes:
        """Return an artifact's ZIP archive. It lies elsewhere, under an address of its own; the token stays here."""
        request = self._read("fetch the saved plan", f"/actions/artifacts/{artifact}/zip")
        try:
            return self._caller.call(request, lambda answer: answer.body)
        except ElsewhereError as elsewhere:
            return _fetched(request.operation, elsewhere.address)

    def close(self) -> None:
        self._caller.close()

    def _all_comments(self, number: int) -> Iterator[_Comment]:
        for page in range(1, _MOST_PAGES + 1):
            request = self._read("read the comments", f"/issues/{number}/comments", per_page=str(_PAGE), page=str(page))
            several = self._caller.call(request, lambda answer: decode(answer.body, list[_Comment]))
            yield from several
            if len(several) < _PAGE:
                return

    def _read(self, operation: str, path: str, **query: str) -> Request:
        return Request(operation=operation, method="GET", path=self._root + path, query=query, headers=_HEADERS)

    def _send(self, operation: str, method: str, path: str, body: str, *, mutates: bool = False) -> None:
        request = Request(
            operation=operation,
            method=method,
            path=self._root + path,
            mutates=mutates,
            headers={**_HEADERS, "Content-Type": "application/json"},
            body=encode({"body": body}),
        )
        self._caller.call(request, lambda _: None)


def _artifact(one: _Artifact) -> Artifact:
    run = one.workflow_run or _Run()
    return Artifact(
        id=one.id,
        name=one.name,
        head=run.head_sha,
        own=run.repository_id == run.head_repository_id,
        created_at=one.created_at,
    )


def _fetched(operation: str, address: str) -> bytes:
    parts = urlsplit(address)
    if parts.scheme != "https" and not is_loopback(address):
        raise UnexpectedAnswerError(STORE, operation, f'its address is not HTTPS: "{parts.scheme}://{parts.netloc}"')
    transport = Transport(STORE, f"{parts.scheme}://{parts.netloc}")
    try:
        path = f"{parts.path}?{parts.query}" if parts.query else parts.path
        answer = transport.send(Request(operation=operation, method="GET", path=path))
    finally:
        transport.close()
    if answer.status != 200:
        raise ServiceUnavailableError(STORE, operation, f"HTTP {answer.status}")
    return answer.body
