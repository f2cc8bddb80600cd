"""GitLab, as far as comments need it (REST API v4): a merge request's head, and notes on it."""

from collections.abc import Iterator

import msgspec

from reconciler.model.forge import Comment, ForgeAccess
from reconciler.services.caller import Caller
from reconciler.services.decode import decode, encode
from reconciler.services.http import Request

_PAGE = 100
_MOST_PAGES = 50


class _User(msgspec.Struct, frozen=True):
    id: int


class _Note(msgspec.Struct, frozen=True):
    id: int
    body: str
    author: _User


class _MergeRequest(msgspec.Struct, frozen=True):
    sha: str


class GitLab:
    """One project."""

    service = "gitlab"

    def __init__(self, access: ForgeAccess, caller: Caller) -> None:
        self._caller = caller
        self._root = f"/projects/{access.repository}/merge_requests"

    def head(self, number: int) -> str:
        """Return the commit that a merge request's branch stands on now."""
        request = Request(operation="read the merge request", method="GET", path=f"{self._root}/{number}")
        return self._caller.call(request, lambda answer: decode(answer.body, _MergeRequest)).sha

    def comments(self, number: int) -> tuple[Comment, ...]:
        """Return our own notes on a merge request, oldest first; whatever others write is never touched."""
        who = Request(operation="ask who the token is of", method="GET", path="/user")
        me = self._caller.call(who, lambda answer: decode(answer.body, _User)).id
        return tuple(Comment(id=one.id, body=one.body) for one in self._notes(number) if one.author.id == me)

    def create(self, number: int, body: str) -> None:
        self._send("write the note", "POST", f"/{number}/notes", body, mutates=True)

    def update(self, number: int, comment: int, body: str, /) -> None:
        self._send("replace the note", "PUT", f"/{number}/notes/{comment}", body)

    def delete(self, number: int, comment: int, /) -> None:
        request = Request(operation="remove a note", method="DELETE", path=f"{self._root}/{number}/notes/{comment}")
        self._caller.call(request, lambda _: None)

    def close(self) -> None:
        self._caller.close()

    def _notes(self, number: int) -> Iterator[_Note]:
        for page in range(1, _MOST_PAGES + 1):
            query = {"per_page": str(_PAGE), "page": str(page), "sort": "asc", "order_by": "created_at"}
            path = f"{self._root}/{number}/notes"
            request = Request(operation="read the notes", method="GET", path=path, query=query)
            several = self._caller.call(request, lambda answer: decode(answer.body, list[_Note]))
            yield from several
            if len(several) < _PAGE:
                return

    def _send(self, operation: str, method: str, path: str, body: str, *, mutates: bool = False) -> None:
        request = Request(
            operation=operation,
            method=method,
            path=self._root + path,
            mutates=mutates,
            headers={"Content-Type": "application/json"},
            body=encode({"body": body}),
        )
        self._caller.call(request, lambda _: None)
