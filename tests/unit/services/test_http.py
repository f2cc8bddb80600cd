"""What it means that there is no answer."""

import datetime as dt
import ipaddress
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread

import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

import reconciler
from reconciler.errors import OutcomeUnknownError, ServiceError, ServiceUnavailableError
from reconciler.services import http, permit
from reconciler.services.http import Answer, Request, Transport
from tests.support.scripted import Reply, ScriptedServer, closed_port

READ = Request(operation="read a thing", method="POST", path="/things")  # reading is no matter of the method
CHANGE = Request(operation="make a thing", method="POST", path="/things", mutates=True, body=b"{}")


@contextmanager
def transport(url: str, *, ca_file: Path | None = None, answer_timeout_s: float = 5.0) -> Iterator[Transport]:
    sender = Transport("cps", url, ca_file=ca_file, answer_timeout_s=answer_timeout_s)
    try:
        yield sender
    finally:
        sender.close()


def error_of(url: str, request: Request, **options: float) -> ServiceError:
    with transport(url, **options) as sender, pytest.raises(ServiceError) as caught:  # type: ignore[arg-type]
        sender.send(request)
    return caught.value


def test_an_answer_is_read_to_its_end(server: ScriptedServer) -> None:
    server.script(Reply(status=418, body=b"x" * 100_000, headers={"X-Thing": "1"}))
    with transport(server.url) as sender:
        answer = sender.send(READ)
    assert (answer.status, len(answer.body), answer.headers["x-thing"]) == (418, 100_000, "1")
    assert answer.media_type == "application/json"


def test_every_request_names_its_sender(server: ScriptedServer) -> None:
    server.script(Reply())
    with transport(server.url) as sender:
        sender.send(READ)
    assert server.seen[0].headers["user-agent"] == f"certrecon/{reconciler.__version__}"


@pytest.mark.parametrize("request_", [READ, CHANGE], ids=["read", "change"])
def test_a_refused_connection_was_not_sent(request_: Request) -> None:
    error = error_of(f"http://127.0.0.1:{closed_port()}", request_)
    assert type(error) is ServiceUnavailableError
    assert "cannot connect" in error.detail
    assert "refused" in error.detail.lower()


@pytest.mark.parametrize("request_", [READ, CHANGE], ids=["read", "change"])
def test_a_name_that_does_not_resolve_was_not_sent(request_: Request, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_such_name(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", no_such_name)
    error = error_of("https://nowhere.invalid", request_)
    assert type(error) is ServiceUnavailableError
    assert "nowhere.invalid: cannot connect" in error.detail


@pytest.mark.parametrize("request_", [READ, CHANGE], ids=["read", "change"])
def test_a_connection_that_takes_too_long_was_not_sent(request_: Request, monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: object, **__: object) -> None:
        raise TimeoutError("timed out")

    monkeypatch.setattr("urllib3.util.connection.create_connection", never)
    assert type(error_of("http://127.0.0.1:1", request_)) is ServiceUnavailableError


def test_a_server_that_can_not_prove_its_name_was_sent_nothing(tmp_path: Path) -> None:
    with tls_server(tmp_path) as (url, seen):
        error = error_of(url, CHANGE)
    assert type(error) is ServiceUnavailableError
    assert "certificate verify failed" in error.detail
    assert seen == []


def test_a_server_that_speaks_no_tls_was_sent_nothing(server: ScriptedServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "CONNECT_TIMEOUT_S", 1.0)
    server.script(Reply())
    error = error_of(server.url.replace("http:", "https:"), CHANGE)
    assert type(error) is ServiceUnavailableError
    assert "cannot connect" in error.detail


def test_the_ca_file_is_what_is_trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nowhere/else.pem")
    with tls_server(tmp_path) as (url, seen), transport(url, ca_file=tmp_path / "server.pem") as sender:
        assert sender.send(READ).status == 204
    assert len(seen) == 1


FAULTS = {
    "no answer": Reply(drop=True),
    "half a body": Reply(body=b'{"a": "bcdefgh"}', cut=5),
    "headers only": Reply(body=b"{}", cut=0),
    "silence": Reply(silence_s=5.0),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_change_whose_answer_is_lost_has_an_unknown_outcome(server: ScriptedServer, fault: str) -> None:
    server.script(FAULTS[fault])
    error = error_of(server.url, CHANGE, answer_timeout_s=1.0)
    assert type(error) is OutcomeUnknownError
    assert "certrecon plan" in error.remedy
    assert len(server.seen) == 1


@pytest.mark.parametrize("fault", FAULTS)
def test_a_read_whose_answer_is_lost_may_be_made_again(server: ScriptedServer, fault: str) -> None:
    server.script(FAULTS[fault])
    assert type(error_of(server.url, READ, answer_timeout_s=1.0)) is ServiceUnavailableError
    assert len(server.seen) == 1


def test_silence_is_told_with_its_length(server: ScriptedServer) -> None:
    server.script(Reply(silence_s=5.0))
    assert error_of(server.url, CHANGE, answer_timeout_s=1.0).detail.endswith("no answer after 1 s")


def test_a_connection_kept_alive_says_nothing_of_the_next_failure(server: ScriptedServer) -> None:
    """A failure to connect must not make a later lost answer look as if nothing had been sent."""
    server.script(Reply(drop=True))
    with transport(f"http://127.0.0.1:{closed_port()}") as sender:
        with pytest.raises(ServiceUnavailableError):
            sender.send(CHANGE)
        sender._base_url = server.url
        with pytest.raises(OutcomeUnknownError):
            sender.send(CHANGE)


def test_a_kept_connection_that_breaks_did_connect(server: ScriptedServer) -> None:
    server.script(Reply(keep=True), Reply(drop=True))
    with transport(server.url) as sender:
        sender.send(READ)
        sender._adapter.progress.failed_to_connect = True  # what a call before may have left
        with pytest.raises(ServiceUnavailableError, match="connection broke"):
            sender.send(READ)


def test_a_change_handled_while_another_error_is_handled_is_judged_by_itself(server: ScriptedServer) -> None:
    server.script(Reply(drop=True))
    with transport(server.url) as sender:
        try:
            Transport("cps", f"http://127.0.0.1:{closed_port()}").send(CHANGE)
        except ServiceUnavailableError:
            with pytest.raises(OutcomeUnknownError):
                sender.send(CHANGE)
        else:
            pytest.fail("a port where nobody listens took the call")


def test_a_change_has_a_connection_of_its_own(server: ScriptedServer) -> None:
    """One that was kept alive may be half dead: the service closes it while we write, and nobody knows what it read."""
    server.script(Reply(keep=True))
    with transport(server.url) as sender:
        for request in (READ, READ, CHANGE, CHANGE):
            sender.send(request)
    first, second, third, fourth = (seen.port for seen in server.seen)
    assert first == second
    assert len({second, third, fourth}) == 3


def test_a_redirect_is_not_followed(server: ScriptedServer) -> None:
    server.script(Reply(status=307, headers={"Location": "http://127.0.0.1:1/elsewhere"}))
    with transport(server.url) as sender:
        assert sender.send(CHANGE).status == 307
    assert len(server.seen) == 1


def test_netrc_gives_no_credentials(server: ScriptedServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("default login someone password secret\n")
    monkeypatch.setenv("NETRC", str(netrc))
    server.script(Reply())
    with transport(server.url) as sender:
        sender._session.trust_env = True
        sender.send(READ)
    assert "authorization" not in server.seen[0].headers


def test_the_service_time_is_its_date_header(server: ScriptedServer) -> None:
    server.script(Reply(headers={"Date": "Mon, 16 Nov 2026 00:00:00 GMT"}))
    with transport(server.url) as sender:
        assert sender.send(READ).sent_at == dt.datetime(2026, 11, 16, tzinfo=dt.UTC).timestamp()


@contextmanager
def tls_server(directory: Path) -> Iterator[tuple[str, list[bytes]]]:
    """Serve one connection over TLS with a self-signed certificate for 127.0.0.1."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(_self_signed(directory))
    seen: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(5.0)
        thread = Thread(target=_serve_once, args=(listener, context, seen))
        thread.start()
        yield f"https://127.0.0.1:{listener.getsockname()[1]}", seen
        thread.join()


def _serve_once(listener: socket.socket, context: ssl.SSLContext, seen: list[bytes]) -> None:
    plain, _ = listener.accept()
    plain.settimeout(5.0)
    try:
        with context.wrap_socket(plain, server_side=True) as connection:
            seen.append(connection.recv(65_536))
            connection.sendall(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")
    except OSError:
        plain.close()  # the client did not trust us


def _self_signed(directory: Path) -> Path:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test")])
    now = dt.datetime.now(dt.UTC)  # noqa: TID251 - TLS follows real time
    address = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(address, critical=False)
        .sign(key, hashes.SHA256())
    )
    path = directory / "server.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))
    return path


def test_two_threads_send_one_after_the_other(server: ScriptedServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """A change closes the session's connections first: another thread's call must not be on one of them."""
    server.script(Reply(), Reply())
    with transport(server.url) as sender:
        first_is_sending, never = Event(), Event()
        order: list[str] = []
        exchange = sender._exchange

        def slow(request: Request) -> Answer:
            order.append(f"{request.operation} begins")
            first_is_sending.set()
            never.wait(0.2)  # time for the other to come in between, if it can
            answer = exchange(request)
            order.append(f"{request.operation} ends")
            return answer

        monkeypatch.setattr(sender, "_exchange", slow)
        first = Thread(target=sender.send, args=(READ,))
        first.start()
        assert first_is_sending.wait(5)
        sender.send(CHANGE)
        first.join()
    assert order == ["read a thing begins", "read a thing ends", "make a thing begins", "make a thing ends"]


class TooLateError(Exception):
    """The lock was lost, or the intent is too old."""


def refuse() -> None:
    raise TooLateError


def test_a_change_that_is_not_permitted_any_more_is_not_sent(server: ScriptedServer) -> None:
    with transport(server.url) as sender, permit.asking(refuse), pytest.raises(TooLateError):
        sender.send(CHANGE)
    assert server.seen == []


def test_a_read_needs_no_permit(server: ScriptedServer) -> None:
    server.script(Reply())
    with transport(server.url) as sender, permit.asking(refuse):
        assert sender.send(READ).status == 200


def test_the_permit_is_asked_after_the_login_which_may_have_taken_its_time(server: ScriptedServer) -> None:
    server.script(Reply())
    asked: list[str] = []

    def log_in(request: requests.PreparedRequest) -> requests.PreparedRequest:
        asked.append("login")
        return request

    sender = Transport("scm", server.url, authorize=log_in)
    with permit.asking(lambda: asked.append("permit")):
        sender.send(CHANGE)
    sender.close()
    assert asked == ["login", "permit"]


def test_a_permit_is_asked_for_inside_of_its_block_only(server: ScriptedServer) -> None:
    server.script(Reply())
    with permit.asking(refuse):
        pass
    with transport(server.url) as sender:
        assert sender.send(CHANGE).status == 200
