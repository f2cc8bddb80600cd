"""`make demo`, interrupted: whatever it was doing, no process and no file stay behind."""

import json
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

pytestmark = pytest.mark.usefixtures("no_cover")

ROOT = Path(__file__).resolve().parents[2]
PHASE_S = 90.0


@contextmanager
def demo(scratch: Path) -> "Iterator[subprocess.Popen[bytes]]":
    """Start the demo with its temporary files under `scratch`, in a process group of its own."""
    running = subprocess.Popen(
        [sys.executable, "-m", "tools.demo"],
        cwd=ROOT,
        env=os.environ | {"TMPDIR": str(scratch)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        with running:
            yield running
    finally:
        running.kill()


def wait_for(text: str, running: "subprocess.Popen[bytes]") -> None:
    """Read the demo's output up to `text`."""
    assert running.stdout is not None
    output, deadline = b"", time.monotonic() + PHASE_S
    with selectors.DefaultSelector() as selector:
        selector.register(running.stdout, selectors.EVENT_READ)
        while text.encode() not in output:
            assert time.monotonic() < deadline, output.decode()
            if selector.select(timeout=1.0):
                read = os.read(running.stdout.fileno(), 65536)
                assert read, f"ended before {text!r}:\n{output.decode()}"
                output += read


def sandbox_pids(scratch: Path) -> list[int]:
    return [json.loads(path.read_text())["pid"] for path in scratch.rglob("sandbox.json")]


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def interrupted(phase: str, number: signal.Signals, scratch: Path) -> None:
    """Send `number` when the demo's output reaches `phase`; check that nothing is left."""
    with demo(scratch) as running:
        wait_for(phase, running)
        started = sandbox_pids(scratch)
        running.send_signal(number)
        running.communicate(timeout=60)
    assert running.returncode == 128 + number
    assert list(scratch.iterdir()) == []
    assert [pid for pid in started if is_alive(pid)] == []


@pytest.mark.parametrize(
    ("phase", "number"),
    [
        ("Starting a sandbox", signal.SIGTERM),
        ("$ certrecon plan", signal.SIGHUP),
        ("$ certrecon apply", signal.SIGINT),
    ],
)
def test_interrupted_demo_leaves_nothing_behind(phase: str, number: signal.Signals, tmp_path: Path) -> None:
    interrupted(phase, number, tmp_path)


@pytest.mark.long
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize(
    "phase",
    [
        "Starting a sandbox",
        "What is wanted",
        "$ certrecon validate",
        "$ certrecon plan",
        "$ certrecon apply",
        "create enrollment: done",
        "submit order RSA: done",
        "upload certificate: done",
        "Look again",
        "What the edge serves",
    ],
)
def test_demo_interrupted_anywhere_leaves_nothing_behind(phase: str, number: signal.Signals, tmp_path: Path) -> None:
    interrupted(phase, number, tmp_path)


def test_failed_demo_leaves_nothing_behind_and_says_so(tmp_path: Path) -> None:
    """Without git on its path the demo cannot make its repository."""
    scratch, empty = tmp_path / "scratch", tmp_path / "empty"
    scratch.mkdir()
    empty.mkdir()
    done = subprocess.run(
        [sys.executable, "-m", "tools.demo"],
        cwd=ROOT,
        env=os.environ | {"TMPDIR": str(scratch), "PATH": str(empty)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "demo failed: " in done.stdout
    assert "git" in done.stdout
    assert list(scratch.iterdir()) == []
