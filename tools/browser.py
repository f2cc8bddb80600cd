"""Chromium without a window, spoken to over two pipes: pictures of pages, and questions to them.

DevTools' own protocol, a JSON message up to a NUL byte each way: no driver and no port that others could reach.
"""

import base64
import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
_OPTIONS = (
    "--headless=new",
    "--remote-debugging-pipe",
    "--no-first-run",
    "--no-default-browser-check",
    "--disable-extensions",
    "--disable-background-networking",
    "--disable-gpu",
    "--hide-scrollbars",
    "--force-device-scale-factor=1",
    "--font-render-hinting=none",
    "--disable-lcd-text",
)
_END_S = 10.0
# Chromium takes its pipes as 3 and 4. `preexec_fn` would not be safe beside threads, and a shell knows no fd above 9.
_AS_3_AND_4 = """
import fcntl, os, sys
reads, writes = (fcntl.fcntl(int(one), fcntl.F_DUPFD, 10) for one in sys.argv[1:3])
os.dup2(reads, 3)
os.dup2(writes, 4)
os.execv(sys.argv[3], sys.argv[3:])
"""


class BrowserError(Exception):
    """Chromium said no, or went away."""


def chromium() -> str | None:
    """Return the Chromium of this machine; None where there is none."""
    return next((found for name in _NAMES if (found := shutil.which(name)) is not None), None)


class Page:
    """One tab."""

    def __init__(self, pipe: "_Pipe", session: str) -> None:
        self._pipe = pipe
        self._session = session

    def call(self, method: str, **params: Any) -> dict[str, Any]:
        return self._pipe.call(method, params, session=self._session)

    def open(self, url: str) -> None:
        """Go to `url` and wait until all of it is loaded."""
        self._pipe.forget()
        self.call("Page.navigate", url=url)
        self._pipe.wait_for("Page.loadEventFired")

    def screen(self, width: int, height: int, *, dark: bool = False, scale: float = 1) -> None:
        """Choose the size in CSS pixels, the colours that the reader prefers, and how many dots a pixel has."""
        self.call(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=scale, mobile=False
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", features=[scheme])

    def run(self, script: str) -> Any:
        """Return what an expression of JavaScript comes to, or its promise."""
        answer = self.call("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in answer:
            raise BrowserError(json.dumps(answer["exceptionDetails"])[:2000])
        return answer["result"].get("value")

    def picture(self, clip: Mapping[str, float] | None = None) -> bytes:
        """Return a PNG of what is on the screen, or of a part of the page."""
        part = {"clip": {**clip, "scale": 1}, "captureBeyondViewport": True} if clip is not None else {}
        return base64.b64decode(self.call("Page.captureScreenshot", format="png", **part)["data"])

    def paper(self) -> bytes:
        """Return the page as it prints, a PDF."""
        return base64.b64decode(self.call("Page.printToPDF", preferCSSPageSize=True, printBackground=False)["data"])


@contextlib.contextmanager
def browser(program: str) -> Iterator[Page]:
    """Run Chromium with a profile of its own, and end it afterwards."""
    with tempfile.TemporaryDirectory(prefix="certrecon-chromium-", ignore_cleanup_errors=True) as profile:
        for_it, ours = os.pipe(), os.pipe()
        process = _start(program, profile, reads=for_it[0], writes=ours[1])
        os.close(for_it[0])
        os.close(ours[1])
        pipe = _Pipe(writes=for_it[1], reads=ours[0])
        try:
            yield _first_page(pipe)
        finally:
            with contextlib.suppress(BrowserError, OSError):
                pipe.call("Browser.close", {})
            pipe.close()
            _end(process)


def _start(program: str, profile: str, *, reads: int, writes: int) -> "subprocess.Popen[bytes]":
    # A container's root has no namespaces to build the sandbox of; the pages are our own, and ask no network.
    root = ["--no-sandbox"] if os.geteuid() == 0 else []
    command = [sys.executable, "-c", _AS_3_AND_4, str(reads), str(writes), program]
    return subprocess.Popen(
        [*command, *_OPTIONS, *root, f"--user-data-dir={profile}"],
        pass_fds=(reads, writes),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=os.environ | {"TZ": "UTC", "LC_ALL": "C.UTF-8"},
    )


def _end(process: "subprocess.Popen[bytes]") -> None:
    try:
        process.wait(_END_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _first_page(pipe: "_Pipe") -> Page:
    target = pipe.call("Target.createTarget", {"url": "about:blank"})["targetId"]
    session = pipe.call("Target.attachToTarget", {"targetId": target, "flatten": True})["sessionId"]
    page = Page(pipe, session)
    page.call("Page.enable")
    page.call("Runtime.enable")
    return page


class _Pipe:
    """Messages to Chromium and from it."""

    def __init__(self, *, writes: int, reads: int) -> None:
        self._writes = writes
        self._reads = reads
        self._rest = b""
        self._number = 0
        self._events: list[dict[str, Any]] = []

    def call(self, method: str, params: Mapping[str, Any], *, session: str | None = None) -> dict[str, Any]:
        """Send one request and return its result; events that come before it are kept."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": params}
        self._send(message | ({"sessionId": session} if session is not None else {}))
        while (answer := self._next()).get("id") != self._number:
            self._events.append(answer)
        if "error" in answer:
            raise BrowserError(f"{method}: {answer['error'].get('message')}")
        result: dict[str, Any] = answer["result"]
        return result

    def forget(self) -> None:
        self._events.clear()

    def wait_for(self, event: str) -> None:
        while not any(one.get("method") == event for one in self._events):
            self._events.append(self._next())

    def close(self) -> None:
        os.close(self._writes)
        os.close(self._reads)

    def _send(self, message: Mapping[str, Any]) -> None:
        data = json.dumps(message).encode() + b"\0"
        while data:
            data = data[os.write(self._writes, data) :]

    def _next(self) -> dict[str, Any]:
        while b"\0" not in self._rest:
            read = os.read(self._reads, 1 << 20)
            if not read:
                raise BrowserError("Chromium ended")
            self._rest += read
        one, _, self._rest = self._rest.partition(b"\0")
        message: dict[str, Any] = json.loads(one)
        return message


def page_url(path: Path) -> str:
    return path.resolve().as_uri()
