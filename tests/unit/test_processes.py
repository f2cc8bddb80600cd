"""`tools.processes`: children end with us, with all that they started."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def script(body: str) -> "subprocess.Popen[str]":
    """Run `body` in a process of its own, with `signals` and `children` ready and its cleanup around it."""
    frame = """
    import sys, time
    from pathlib import Path
    from tools.processes import Children, Signals, Stopped
    signals = Signals()
    children = Children(signals)

    def sleep():
        # A signal just before a system call is acted on after it: no call lasts long.
        while True:
            time.sleep(0.05)

    try:
        {body}
    except Stopped as stopped:
        code = stopped.exit_code
    finally:
        signals.ignore()
        children.end()
    sys.exit(code)
    """
    return subprocess.Popen(
        [
            sys.executable,
            "-c",
            textwrap.dedent(frame).format(body=textwrap.indent(textwrap.dedent(body), "    ").strip()),
        ],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )


def read_line(running: "subprocess.Popen[str]") -> str:
    assert running.stdout is not None
    return running.stdout.readline().strip()


def gone(pid: int) -> bool:
    """Tell whether `pid` ends within a few seconds; a zombie of another parent counts as gone."""
    for _ in range(100):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        status = Path(f"/proc/{pid}/stat")
        if status.exists() and status.read_text().split(") ")[-1][0] == "Z":
            return True
        time.sleep(0.05)  # noqa: TID251 - waits for the machine, not for a service
    return False


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_signal_ends_the_child_and_what_the_child_started(number: signal.Signals, tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    with script(
        f"""
        children.start(["/bin/sh", "-c", "sleep 300 & echo $! $$ > '{pids}.new' && mv '{pids}.new' '{pids}'; wait"],
                       env={{"PATH": "/usr/bin:/bin"}}, cwd=Path("."))
        while not Path("{pids}").exists():
            time.sleep(0.01)
        print("ready", flush=True)
        sleep()
        """
    ) as running:
        assert read_line(running) == "ready"
        running.send_signal(number)
        assert running.wait(timeout=30) == 128 + number
    assert [pid for pid in map(int, pids.read_text().split()) if not gone(pid)] == []


def test_signal_waits_while_something_is_made() -> None:
    with script(
        """
        with signals.held():
            print("ready", flush=True)
            time.sleep(0.5)
            print("made", flush=True)
        print("too late", flush=True)
        sleep()
        """
    ) as running:
        assert read_line(running) == "ready"
        running.send_signal(signal.SIGTERM)
        assert running.communicate(timeout=30)[0].split() == ["made"]
        assert running.returncode == 128 + signal.SIGTERM


def test_second_signal_does_not_cut_the_cleanup_short() -> None:
    with script(
        """
        children.start(["/bin/sh", "-c", "trap 'sleep 0.5; echo cleaned; exit' TERM; echo ready; "
                        "while :; do sleep 0.05; done"], env={"PATH": "/usr/bin:/bin"}, cwd=Path("."))
        sleep()
        """
    ) as running:
        assert read_line(running) == "ready"
        running.send_signal(signal.SIGINT)
        time.sleep(0.1)  # noqa: TID251 - the second signal falls into the cleanup of the first
        running.send_signal(signal.SIGINT)
        assert running.communicate(timeout=30)[0].split() == ["cleaned"]
        assert running.returncode == 128 + signal.SIGINT


def test_child_that_ignores_the_request_is_killed() -> None:
    with script(
        """
        import tools.processes
        tools.processes._GRACE_S = 0.5
        children.start(["/bin/sh", "-c", "trap '' TERM; echo $$; while :; do sleep 1; done"],
                       env={"PATH": "/usr/bin:/bin"}, cwd=Path("."))
        sleep()
        """
    ) as running:
        pid = int(read_line(running))
        running.send_signal(signal.SIGTERM)
        assert running.wait(timeout=30) == 128 + signal.SIGTERM
    assert gone(pid)
