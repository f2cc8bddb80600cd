"""`certrecon sandbox`: serve both services on this machine, and move their world: clock, faults, options, seed."""

import json
import os
import ssl
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from reconciler.cli.options import say
from reconciler.model import times

app = typer.Typer(
    name="sandbox",
    rich_markup_mode=None,
    add_completion=False,
    no_args_is_help=True,
    help="Run both services and the edge on this machine, to try things out.\n\n"
    "Examples: `certrecon sandbox serve --dir /tmp/sandbox`; `certrecon sandbox advance 36h`.",
)

_SEED_TIMEOUT_S = 1800.0
_EXTRA = ("starlette", "uvicorn")

ServeDirectory = Annotated[Path, typer.Option("--dir", help="Where the sandbox keeps its state and writes its files.")]
Directory = Annotated[
    Path | None,
    typer.Option("--dir", help="Directory of the running sandbox. Default: the one CERTRECON_SANDBOX points at."),
]


@app.command()
def serve(
    directory: ServeDirectory,
    start: Annotated[
        str | None, typer.Option(help="Instant at which a fresh world begins. Default: 00:00 UTC seven days ago.")
    ] = None,
    speed: Annotated[float, typer.Option(min=0.0, help="Times real time; 0: the clock stands until advanced.")] = 0.0,
    seed: Annotated[int | None, typer.Option(help="Ids and serials of a fresh world follow from it.")] = None,
    pooled_keys: Annotated[
        bool, typer.Option("--pooled-keys", help="Make RSA keys quickly, from shared primes. For large fleets.")
    ] = False,
) -> None:
    """Serve CPS, SCM and the edge on loopback until SIGINT or SIGTERM. The world survives a restart.

    Examples: `certrecon sandbox serve --dir /tmp/sandbox`; `certrecon sandbox serve --dir .sandbox --speed 60`.
    """
    try:
        from reconciler.sandbox import server  # an extra of the package: the other commands do without it
    except ModuleNotFoundError as error:
        if error.name not in _EXTRA:
            raise
        _fail(f"the sandbox needs {error.name}: pip install 'certrecon[sandbox]'")
    try:
        server.serve_forever(
            directory,
            start=None if start is None else _instant(start),
            speed=speed,
            seed=seed,
            keys="pooled" if pooled_keys else "fresh",
            announce=say,
        )
    except server.StoreError as error:
        _fail(str(error))


@app.command()
def env(directory: ServeDirectory) -> None:
    """Print shell exports that point certrecon and other clients at the sandbox; give them to `eval`.

    Examples: `certrecon sandbox env --dir /tmp/sandbox`, as in: eval "$(certrecon sandbox env --dir /tmp/sandbox)".
    """
    _running(directory)
    typer.echo((directory / "env").read_text(), nl=False)


@app.command()
def seed(
    directory: Directory = None,
    count: Annotated[int, typer.Option(min=1, help="How many deployed enrollments, each with its issued order.")] = 100,
    due: Annotated[int, typer.Option(min=0, help="How many of them are inside their renewal window.")] = 0,
    spread: Annotated[int, typer.Option(min=1, help="Days over which the issue dates of the others lie.")] = 60,
    tagged: Annotated[bool, typer.Option("--tagged", help="Give the orders certrecon's tag.")] = False,
    write: Annotated[Path | None, typer.Option(help="Write certificate files that ask for just these.")] = None,
) -> None:
    """Put deployed enrollments with certificates and orders in place, as if they had been there for a while.

    Examples: `certrecon sandbox seed --count 1000`; `certrecon sandbox seed --due 5 --write certificates/seeded`.
    """
    control = _control(directory)
    answer = control.call(
        "POST",
        "/seed",
        {"count": count, "due": due, "spread_days": spread, "tagged": tagged, "files": write is not None},
        timeout_s=_SEED_TIMEOUT_S,
    )
    if write is not None:
        write.mkdir(parents=True, exist_ok=True)
        for name, text in answer["files"].items():
            (write / name).write_text(text)
    typer.echo(f"{answer['seeded']} enrollments in {answer['seconds']:.1f} s")


@app.command()
def advance(
    by: Annotated[str | None, typer.Argument(help="How far: 90s, 15m, 36h, 2d12h.")] = None,
    to: Annotated[str | None, typer.Option("--to", help="The instant to reach, in ISO 8601.")] = None,
    directory: Directory = None,
) -> None:
    """Advance the sandbox's clock; what falls due on the way happens. Without arguments: print the clock.

    Examples: `certrecon sandbox advance 36h`; `certrecon sandbox advance --to 2027-03-15T00:00Z`.
    """
    if by is not None and to is not None:
        raise typer.BadParameter("give a duration or --to, not both")
    control = _control(directory)
    if by is None and to is None:
        typer.echo(control.call("GET", "/clock")["now"])
    else:
        body = {"by": by} if to is None else {"to": _instant(to).isoformat()}
        typer.echo(control.call("POST", "/advance", body)["now"])


@app.command()
def fault(
    kind: Annotated[str | None, typer.Argument(help="lose-answer, refuse, delay, status, half-body, ...")] = None,
    operation: Annotated[str | None, typer.Argument(help="Which calls: scm.enroll, cps.*, ...")] = None,
    nth: Annotated[int, typer.Option(min=1, help="The first matching call that is hit.")] = 1,
    times: Annotated[int, typer.Option(min=0, help="How many in a row; 0: for ever.")] = 1,
    status: Annotated[int | None, typer.Option(help="The status that `status` answers.")] = None,
    body: Annotated[str | None, typer.Option(help="The body that `status` answers.")] = None,
    content_type: Annotated[str | None, typer.Option(help="The content type of that body.")] = None,
    header: Annotated[list[str] | None, typer.Option(help="A header of that answer: 'Retry-After: 60'.")] = None,
    seconds: Annotated[float | None, typer.Option(min=0.0, help="How long `delay` waits.")] = None,
    clear: Annotated[bool, typer.Option("--clear", help="Disarm all faults.")] = False,
    directory: Directory = None,
) -> None:
    """Arm a fault: what goes wrong, at which call, how often. Without arguments: list what is armed.

    Examples: `certrecon sandbox fault lose-answer scm.enroll`; `certrecon sandbox fault status cps.* --status 503`;
    `certrecon sandbox fault --clear`.
    """
    control = _control(directory)
    if clear:
        control.call("DELETE", "/faults")
    elif kind is None:
        for armed in control.call("GET", "/faults")["faults"]:
            typer.echo(f"{armed['kind']} {armed['operation']} nth={armed['nth']} times={armed['times']}")
    elif operation is None:
        raise typer.BadParameter("name the calls that it hits: scm.enroll, cps.*, ...")
    else:
        given = {"status": status, "body": body, "content_type": content_type, "seconds": seconds}
        chosen = {name: value for name, value in given.items() if value is not None}
        fixed = {"kind": kind, "operation": operation, "nth": nth, "times": times, "headers": _headers(header or [])}
        control.call("POST", "/faults", fixed | chosen)


@app.command("set")
def set_options(
    assignments: Annotated[list[str] | None, typer.Argument(metavar="NAME=VALUE...")] = None,
    directory: Directory = None,
) -> None:
    """Set options of the services while they run. Without arguments: list them all.

    Examples: `certrecon sandbox set`; `certrecon sandbox set approvals=manual`.
    """
    control = _control(directory)
    if assignments:
        control.call("POST", "/options", dict(_assignment(text) for text in assignments))
        return
    for option in control.call("GET", "/options")["options"]:
        point = "" if option["point"] is None else f" [{option['point']}]"
        typer.echo(f"{option['name']}={option['value']}  ({option['takes']}){point} {option['help']}")


class _Control:
    """The control API of one running sandbox."""

    def __init__(self, url: str, ca_file: str) -> None:
        self._url = url.rstrip("/")
        self._context = ssl.create_default_context(cafile=ca_file)

    def call(self, method: str, path: str, body: Mapping[str, Any] | None = None, *, timeout_s: float = 600.0) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(  # noqa: S310 - the URL is checked to be https on loopback
            self._url + path, data, {"Content-Type": "application/json"}, method=method
        )
        try:
            with urllib.request.urlopen(request, timeout=timeout_s, context=self._context) as answer:  # noqa: S310
                return json.load(answer)
        except urllib.error.HTTPError as error:
            with error:
                _fail(_error_text(error))
        except (urllib.error.URLError, OSError) as error:
            reason = error.reason if isinstance(error, urllib.error.URLError) else error
            _fail(f"no sandbox answers at {self._url} ({reason}); start it with 'certrecon sandbox serve --dir DIR'")


def _error_text(error: urllib.error.HTTPError) -> str:
    try:
        return str(json.load(error)["error"])
    except (ValueError, KeyError, TypeError):
        return f"the sandbox answered {error.code}; its log says why"


def _control(directory: Path | None) -> _Control:
    if directory is not None:
        facts = _running(directory)
        return _Control(_checked(facts["control"]), facts["ca_file"])
    url, ca_file = os.environ.get("CERTRECON_SANDBOX"), os.environ.get("CERTRECON_CA_FILE")
    if not url or not ca_file:
        _fail('which sandbox? give --dir, or run: eval "$(certrecon sandbox env --dir DIR)"')
    if not Path(ca_file).is_file():
        _fail(f"CERTRECON_CA_FILE names {ca_file}, which is not there; is the sandbox still running?")
    return _Control(_checked(url), ca_file)


def _checked(url: str) -> str:
    parts = urllib.parse.urlsplit(url)
    if parts.scheme != "https" or parts.hostname not in ("localhost", "127.0.0.1", "::1"):
        _fail(f"{url} is not a sandbox: it would be https on this machine")
    return url


def _running(directory: Path) -> dict[str, Any]:
    try:
        facts: dict[str, Any] = json.loads((directory / "sandbox.json").read_text())
    except FileNotFoundError:
        _fail(f"no sandbox runs in {directory}: start it with 'certrecon sandbox serve --dir {directory}'")
    except (OSError, ValueError) as error:
        _fail(f"{directory / 'sandbox.json'}: {error}")
    return facts


def _instant(text: str) -> datetime:
    instant = times.instant(text)
    if instant is None:
        years = f"the years {times.YEARS.start} to {times.YEARS.stop - 1}"
        raise typer.BadParameter(f"{text!r} is no instant in {years}: write 2026-11-16T00:00:00Z")
    if instant.tzinfo is None:
        raise typer.BadParameter(f"{text!r} names no time zone: write {text}Z for UTC")
    return instant


def _assignment(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise typer.BadParameter(f"{text!r}: write NAME=VALUE")
    return name.strip(), value.strip()


def _headers(texts: list[str]) -> dict[str, str]:
    pairs = [text.partition(":") for text in texts]
    return {name.strip(): value.strip() for name, _, value in pairs}


def _fail(message: str) -> NoReturn:
    say(f"certrecon: {message}")
    raise typer.Exit(1)
