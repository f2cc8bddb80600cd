"""A small stand-in for the APIs of GitHub and GitLab, on loopback: what certrecon uses of them, with their limits."""

import io
import json
import re
import threading
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

TOKEN = "a-token-of-one-job"
BOT = "github-actions[bot]"
REPOSITORY = "example/certificates"
PROJECT = "77"  # at GitLab
OUR_ID, OTHER_ID = 5, 6  # users of GitLab


@dataclass(kw_only=True)
class Pull:
    head: str
    base: str = "main"
    merged: bool = False
    comments: list[dict[str, Any]] = field(default_factory=list)


@dataclass(kw_only=True)
class Kept:
    """An artifact."""

    name: str
    head: str
    files: dict[str, bytes]
    fork: bool = False
    expired: bool = False

    def archive(self) -> bytes:
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as archive:
            for name, content in self.files.items():
                archive.writestr(name, content)
        return packed.getvalue()


@dataclass(kw_only=True)
class Fault:
    """Answers `times` calls that match with a status; 0 carries the call out and then drops the answer."""

    match: str  # of "METHOD path"
    status: int
    times: int = 1
    body: str = '{"message": "Server Error"}'
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(kw_only=True)
class ForgeStandIn:
    url: str = ""
    pulls: dict[int, Pull] = field(default_factory=dict)
    artifacts: list[Kept] = field(default_factory=list)
    brought: dict[str, int] = field(default_factory=dict)  # commit of the base -> pull request
    faults: list[Fault] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    heads_later: list[str] = field(default_factory=list)  # what the branch stands on at each later look

    @property
    def github(self) -> dict[str, str]:
        """What a job of GitHub has in its environment."""
        return {
            "CERTRECON_FORGE_TOKEN": TOKEN,
            "GITHUB_API_URL": self.url,
            "GITHUB_REPOSITORY": REPOSITORY,
            "GITHUB_SERVER_URL": "https://github.example",
            "GITHUB_RUN_ID": "4711",
        }

    @property
    def gitlab(self) -> dict[str, str]:
        """What a job of GitLab has in its environment."""
        return {
            "CERTRECON_FORGE_TOKEN": TOKEN,
            "GITLAB_CI": "true",
            "CI_API_V4_URL": self.url,
            "CI_PROJECT_ID": PROJECT,
            "CI_JOB_URL": "https://gitlab.example/-/jobs/1",
        }

    def say(self, number: int, body: str, *, author: str = BOT) -> int:
        """Let somebody comment; return the comment's id."""
        comments = self.pulls[number].comments
        ident = 1000 * number + len(comments)
        comments.append({"id": ident, "body": body, "user": {"login": author}, "author": {"id": OUR_ID}})
        if author != BOT:
            comments[-1]["author"] = {"id": OTHER_ID}
        return ident

    def bodies(self, number: int) -> list[str]:
        return [one["body"] for one in self.pulls[number].comments]

    def written(self) -> list[str]:
        return [call for call in self.calls if not call.startswith("GET")]

    # answers

    def answer(self, method: str, target: str, headers: Any, body: bytes) -> tuple[int, dict[str, str], bytes] | None:
        """Return status, headers and body; None drops the connection."""
        parts = urlsplit(target)
        self.calls.append(f"{method} {parts.path}")
        if parts.path.startswith("/store/"):
            assert "Authorization" not in headers, "the token went to the store"
            return 200, {}, self.artifacts[int(parts.path.removeprefix("/store/"))].archive()
        if TOKEN not in (headers.get("Authorization", "") + headers.get("PRIVATE-TOKEN", "")):
            return 401, {}, b'{"message": "Bad credentials"}'
        fault = next((one for one in self.faults if one.times and re.search(one.match, f"{method} {parts.path}")), None)
        if fault is not None:
            fault.times -= 1
            if fault.status:
                return fault.status, fault.headers, fault.body.encode()
        made = self._made(method, parts.path, {key: one[0] for key, one in parse_qs(parts.query).items()}, body)
        return None if fault is not None else made

    def _made(
        self, method: str, path: str, query: dict[str, str], body: bytes
    ) -> tuple[int, dict[str, str], bytes]:  # fmt: skip
        routes: list[tuple[str, Callable[..., Any]]] = [
            (rf"GET /repos/{REPOSITORY}/pulls/(\d+)", self._pull),
            (rf"GET /repos/{REPOSITORY}/issues/(\d+)/comments", self._comments),
            (rf"POST /repos/{REPOSITORY}/issues/(\d+)/comments", self._create),
            (rf"(?:PATCH|DELETE) /repos/{REPOSITORY}/issues/comments/(\d+)", self._change),
            (rf"GET /repos/{REPOSITORY}/commits/([0-9a-f]+)/pulls", self._brought_by),
            (rf"GET /repos/{REPOSITORY}/actions/artifacts", self._artifacts),
            (rf"GET /repos/{REPOSITORY}/actions/artifacts/(\d+)/zip", self._zip),
            (r"GET /user", lambda **_: {"id": OUR_ID}),
            (rf"GET /projects/{PROJECT}/merge_requests/(\d+)", self._merge_request),
            (rf"GET /projects/{PROJECT}/merge_requests/(\d+)/notes", self._comments),
            (rf"POST /projects/{PROJECT}/merge_requests/(\d+)/notes", self._create),
            (rf"(?:PUT|DELETE) /projects/{PROJECT}/merge_requests/\d+/notes/(\d+)", self._change),
        ]
        for pattern, serve in routes:
            found = re.fullmatch(pattern, f"{method} {path}")
            if found:
                answer = serve(*found.groups(), method=method, query=query, body=body)
                if isinstance(answer, tuple):
                    return answer
                return 200, {}, json.dumps(answer).encode()
        return 501, {}, f"{method} {path} is not known here".encode()

    def _head(self, number: str) -> str:
        pull = self.pulls[int(number)]
        if self.heads_later:
            pull.head = self.heads_later.pop(0)
        return pull.head

    def _pull(self, number: str, **_: Any) -> Any:
        return self._shown(int(number)) | {"head": {"sha": self._head(number), "ref": "topic"}}

    def _merge_request(self, number: str, **_: Any) -> Any:
        return {"iid": int(number), "sha": self._head(number)}

    def _shown(self, number: int) -> dict[str, Any]:
        pull = self.pulls[number]
        return {
            "number": number,
            "head": {"sha": pull.head, "ref": "topic"},
            "base": {"ref": pull.base, "sha": ""},
            "merged_at": "2026-11-23T12:00:00Z" if pull.merged else None,
        }

    def _comments(self, number: str, *, query: dict[str, str], **_: Any) -> Any:
        size, page = int(query["per_page"]), int(query["page"])
        return self.pulls[int(number)].comments[size * (page - 1) : size * page]

    def _create(self, number: str, *, body: bytes, **_: Any) -> Any:
        text = json.loads(body)["body"]
        if len(text) > 65_536:
            return 422, {}, b'{"message": "body is too long (maximum is 65536 characters)"}'
        return 201, {}, json.dumps({"id": self.say(int(number), text)}).encode()

    def _change(self, ident: str, *, method: str, body: bytes, **_: Any) -> Any:
        for pull in self.pulls.values():
            for one in pull.comments:
                if one["id"] == int(ident) and method == "DELETE":
                    pull.comments.remove(one)
                    return 204, {}, b""
                if one["id"] == int(ident):
                    one["body"] = json.loads(body)["body"]
                    return {"id": one["id"]}
        return 404, {}, b'{"message": "Not Found"}'

    def _brought_by(self, commit: str, **_: Any) -> Any:
        return [self._shown(self.brought[commit])] if commit in self.brought else []

    def _artifacts(self, *, query: dict[str, str], **_: Any) -> Any:
        return {
            "artifacts": [
                {
                    "id": place,
                    "name": one.name,
                    "expired": one.expired,
                    "created_at": f"2026-11-23T12:00:{place:02}Z",
                    "workflow_run": {
                        "head_sha": one.head,
                        "repository_id": 1,
                        "head_repository_id": 2 if one.fork else 1,
                    },
                }
                for place, one in enumerate(self.artifacts)
                if one.name == query["name"]
            ]
        }

    def _zip(self, ident: str, **_: Any) -> Any:
        return 302, {"Location": f"{self.url}/store/{ident}"}, b""


@contextmanager
def serving() -> Iterator[ForgeStandIn]:
    """Serve a stand-in on loopback."""
    forge = ForgeStandIn()

    class Handler(BaseHTTPRequestHandler):
        def do(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            answer = forge.answer(self.command, self.path, self.headers, body)
            if answer is None:
                self.close_connection = True
                return
            status, headers, content = answer
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(content))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = do  # noqa: N815 - named by http.server

        def log_message(self, *_: Any) -> None:
            """Nothing is logged."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    forge.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield forge
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
