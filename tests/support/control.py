"""A plain client of the sandbox's control API."""

import json
import ssl
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Answered:
    status: int
    json: Any


class Control:
    """Calls one sandbox; `get`, `post` and `delete` fail on anything but 200, `ask` does not."""

    def __init__(self, url: str, ca_file: str) -> None:
        self._url = url
        self._context = ssl.create_default_context(cafile=ca_file)

    def ask(self, method: str, path: str, body: Mapping[str, Any] | bytes | None = None) -> Answered:
        data = json.dumps(body).encode() if isinstance(body, Mapping) else body
        request = urllib.request.Request(self._url + path, data, method=method)
        try:
            with urllib.request.urlopen(request, timeout=120, context=self._context) as answer:
                return Answered(status=answer.status, json=json.load(answer))
        except urllib.error.HTTPError as error:
            with error:
                return Answered(status=error.code, json=json.load(error))

    def get(self, path: str) -> Any:
        return self._good("GET", path, None)

    def post(self, path: str, body: Mapping[str, Any]) -> Any:
        return self._good("POST", path, body)

    def delete(self, path: str) -> Any:
        return self._good("DELETE", path, None)

    def _good(self, method: str, path: str, body: Mapping[str, Any] | None) -> Any:
        answered = self.ask(method, path, body)
        assert answered.status == 200, answered
        return answered.json
