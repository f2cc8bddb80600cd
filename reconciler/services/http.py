"""One HTTP call: sent once, its answer read to the end, and every failure of the way turned into one class of errors.

What the answer says is judged elsewhere (`refusals`); here is decided what it means that there is none. A call that
changes something was *not sent* only if no connection came about. Everything later may have reached the service.
"""

import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests
import urllib3
from requests.adapters import HTTPAdapter
from requests.structures import CaseInsensitiveDict
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

import reconciler
from reconciler.errors import OutcomeUnknownError, ServiceError, ServiceUnavailableError
from reconciler.model.access import is_loopback
from reconciler.services import permit

log = logging.getLogger(__name__)

Authorize = Callable[[requests.PreparedRequest], requests.PreparedRequest]

CONNECT_TIMEOUT_S = 10.0
ANSWER_TIMEOUT_S = 60.0  # between two pieces of an answer, and before the first
LOOK_FIRST = "It may have happened: run 'certrecon plan', which looks before it does anything."


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One operation of a service. Whether it changes something is said here: SCM's report is a POST that reads."""

    operation: str  # in certrecon's words: "submit order"
    method: str
    path: str  # below the base address
    mutates: bool = False
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """An answer, read to its end."""

    status: int
    headers: Mapping[str, str]  # names in any case
    body: bytes
    received_at: float  # real time, seconds since the epoch

    @property
    def media_type(self) -> str:
        return self.headers.get("Content-Type", "").partition(";")[0].strip().lower()

    @property
    def sent_at(self) -> float | None:
        """The service's own time, from the Date header, in seconds since the epoch."""
        try:
            return parsedate_to_datetime(self.headers["Date"]).timestamp()
        except (KeyError, ValueError, OverflowError):
            return None


class Transport:
    """Sends to one base address. Never follows a redirect: credentials go where they are meant to, and nowhere else."""

    def __init__(
        self,
        service: str,
        base_url: str,
        *,
        authorize: Authorize | None = None,
        ca_file: Path | None = None,
        client_certificate: tuple[Path, Path] | None = None,
        answer_timeout_s: float = ANSWER_TIMEOUT_S,
    ) -> None:
        self.service = service
        self._base_url = base_url.rstrip("/")
        self._authorize = authorize
        self._verify: bool | str = str(ca_file) if ca_file else True
        self._timeouts = (CONNECT_TIMEOUT_S, answer_timeout_s)
        self._guard = threading.Lock()  # accounts side by side share an instance, and a session is of one thread
        self._adapter = _Adapter()
        self._session = _session(self._adapter, local=is_loopback(base_url))
        if client_certificate:
            self._session.cert = (str(client_certificate[0]), str(client_certificate[1]))

    def send(self, request: Request) -> Answer:
        """Send once and return the whole answer, whatever its status.

        Before a change is sent, `permit` is asked; what that raises ends the call, and nothing was sent.

        Raises:
            ServiceUnavailableError: nothing was sent, or nothing came back from a read.
            OutcomeUnknownError: a change was sent, and its answer did not arrive whole.
        """
        with self._guard:
            return self._send(request)

    def _send(self, request: Request) -> Answer:
        if request.mutates:
            self._session.close()  # a fresh connection: one kept alive may be half dead, and leave us not knowing
        started = time.monotonic()
        self._adapter.progress.failed_to_connect = False
        try:
            answer = self._exchange(request)
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
            log.debug("%s: %s: %s", self.service, request.operation, type(error).__name__)
            raise self._failure(request, error) from error
        log.debug(
            "%s: %s: %d in %.0f ms", self.service, request.operation, answer.status, (time.monotonic() - started) * 1000
        )
        return answer

    def _exchange(self, request: Request) -> Answer:
        response = self._session.request(
            request.method,
            self._base_url + request.path,
            params=dict(request.query),
            headers={**_USER_AGENT, **request.headers},
            data=request.body,
            auth=self._permitted if request.mutates else self._login,
            timeout=self._timeouts,
            allow_redirects=False,
            verify=self._verify,  # said for each call: of a session, REQUESTS_CA_BUNDLE would win
        )
        with response:
            headers: CaseInsensitiveDict[str] = response.headers
            return Answer(status=response.status_code, headers=headers, body=response.content, received_at=time.time())

    def _login(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Authorize a request; with no login as well, since requests would look into ~/.netrc for one."""
        return request if self._authorize is None else self._authorize(request)

    def _permitted(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Authorize a change, for which a token may have to be fetched, and ask last of all whether it may be sent."""
        authorized = self._login(request)
        permit.ask()
        return authorized

    def _failure(self, request: Request, error: Exception) -> ServiceError:
        not_sent = self._adapter.progress.failed_to_connect
        detail = f"{urlsplit(self._base_url).netloc}: {self._reason(error, not_sent=not_sent)}"
        if request.mutates and not not_sent:
            return OutcomeUnknownError(self.service, request.operation, detail, remedy=LOOK_FIRST)
        return ServiceUnavailableError(self.service, request.operation, detail)

    def _reason(self, error: Exception, *, not_sent: bool) -> str:
        root = _root_cause(error)
        if not_sent:
            return f"cannot connect: {root}"
        if isinstance(error, requests.Timeout) or isinstance(root, TimeoutError | urllib3.exceptions.ReadTimeoutError):
            return f"no answer after {self._timeouts[1]:g} s"
        return f"the connection broke before the answer was complete: {root}"

    def close(self) -> None:
        self._session.close()


_USER_AGENT = {"User-Agent": f"certrecon/{reconciler.__version__}"}


def _session(adapter: HTTPAdapter, *, local: bool) -> requests.Session:
    session = requests.Session()
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    session.trust_env = not local  # proxies are for the world outside
    return session


def _root_cause(error: BaseException) -> BaseException:
    """Return what requests and urllib3 have wrapped."""
    inner = error.__cause__ or error.__context__
    return _root_cause(inner) if inner is not None and isinstance(inner, Exception) else error


class _Progress(threading.local):
    """How far the call of this thread came."""

    failed_to_connect = False


class _Adapter(HTTPAdapter):
    """Repeats nothing by itself, and notes a failure in the making of a connection: TCP, proxy, TLS.

    It is noted where it happens since it can't be told from the error afterwards: `requests.ConnectionError` is both
    "refused" and "closed after reading the request". Should urllib3 ever change, nothing is noted, and the outcome
    counts as unknown, which is the safe side.
    """

    def __init__(self) -> None:
        self.progress = _Progress()
        super().__init__(max_retries=0)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = _noting_pools(self.progress)

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:
        manager = super().proxy_manager_for(proxy, **kwargs)
        manager.pool_classes_by_scheme = _noting_pools(self.progress)
        return manager


def _noting_pools(progress: _Progress) -> dict[str, type[HTTPConnectionPool]]:
    class PlainConnection(HTTPConnection):
        def connect(self) -> None:
            with _Noting(progress):
                super().connect()

    class TlsConnection(HTTPSConnection):
        def connect(self) -> None:
            with _Noting(progress):
                super().connect()

    class PlainPool(HTTPConnectionPool):
        ConnectionCls = PlainConnection

    class TlsPool(HTTPSConnectionPool):
        ConnectionCls = TlsConnection

    return {"http": PlainPool, "https": TlsPool}


class _Noting:
    def __init__(self, progress: _Progress) -> None:
        self._progress = progress

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: object) -> None:
        self._progress.failed_to_connect = kind is not None
