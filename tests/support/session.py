"""A shell as a reader of the documentation has it, whose `certrecon` runs in the process of the test.

A program of that name is on the shell's PATH: it hands its arguments, folder, environment and streams over a socket to
the test, which runs the command with them. So redirections, pipes and variables work as everywhere, and no interpreter
has to import the whole of certrecon for each command.
"""

import contextlib
import json
import os
import select
import shlex
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Self

from reconciler.cli.main import main

_PATIENCE_S = 240.0
_READY_IN_S = 60.0
_CLIENT = """\
#!{python} -ISE
import json, os, signal, socket, sys
with socket.socket(socket.AF_UNIX) as line:
    line.connect({address!r})
    asked = {{"arguments": sys.argv[1:], "folder": os.getcwd(), "environment": dict(os.environ)}}
    socket.send_fds(line, [b"!"], [0, 1, 2])
    line.sendall(json.dumps(asked).encode() + b"\\n")
    answer = line.recv(16)
if answer == b"stay":
    signal.pause()
sys.exit(int(answer))
"""
_READY = """\
The sandbox is ready, its clock shows 2026-11-16T00:00:00+00:00. Point clients at it with:
  eval "$(certrecon sandbox env --dir {directory})"
"""
# What pages take for granted is brought about by these: a running sandbox, a project on it, certificates in place.
_PRELUDE = """\
a_sandbox() {
    certrecon sandbox serve --dir ~/sandbox --start 2026-11-16T00:00Z >~/sandbox.log 2>&1 &
    until grep -q 'is ready' ~/sandbox.log; do sleep 0.05; done
    eval "$(certrecon sandbox env --dir ~/sandbox)"
}
a_project() {
    a_sandbox
    mkdir ~/web && cd ~/web && git init --quiet --initial-branch main
    certrecon init --no-github --project web
    for name in "$@"; do printf 'apiVersion: certrecon/v1\\ncommonName: %s\\n' "$name" >"certificates/$name.yaml"; done
    certrecon fmt && git add --all && git commit --quiet --message 'Begin'
}
a_fleet() {
    a_project
    certrecon sandbox seed --count "$1" --write certificates/seeded
    git add --all && git commit --quiet --message 'Fleet'
}
served() { certrecon apply --auto-approve --wait 48h; }
"""

Serve = Callable[[Path], None]


@dataclass(frozen=True, kw_only=True)
class Typed:
    """What came of one command: all that it wrote, on both streams."""

    exit_code: int
    output: str


class Session:
    """One bash, from the first command of a page to its last. A context manager.

    `serve` starts a sandbox with its files in a folder; None: certrecon runs as processes of its own, sandbox and all.
    """

    def __init__(self, home: Path, *, serve: Serve | None) -> None:
        self._home, self._serve = home, serve
        self._files = home.parent / f"{home.name}.session"
        self._stack = contextlib.ExitStack()

    def __enter__(self) -> Self:
        self._home.mkdir(parents=True)
        self._files.mkdir()
        self._listener = self._stack.enter_context(socket.socket(socket.AF_UNIX))
        path = self._programs()
        self._ended, ended = os.pipe()
        self._stack.callback(os.close, self._ended)
        self._shell = subprocess.Popen(
            ["bash", "--noprofile", "--norc"],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=self._home,
            env=_environment(self._home, path),
            pass_fds=[ended],
            start_new_session=True,
            text=True,
        )
        self._stack.callback(self._end)
        self._say = f"echo $? >&{ended}"
        os.close(ended)
        self.type(_PRELUDE)
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def type(self, command: str, *, until: Callable[[str], bool] | None = None) -> Typed:
        """Run a command to its end; of one that goes on in the background wait `until` its output is as it should."""
        typed, written = self._files / "typed", self._files / f"written-{time.monotonic_ns()}"
        typed.write_text(f"{command}\n")
        stdin = self._shell.stdin
        assert stdin is not None
        stdin.write(f". {shlex.quote(str(typed))} >>{shlex.quote(str(written))} 2>&1 </dev/null; {self._say}\n")
        stdin.flush()
        code = self._answered(command)
        began = time.monotonic()
        while until is not None and not until(written.read_text()) and time.monotonic() < began + _READY_IN_S:
            self._attend(0.02)
        return Typed(exit_code=code, output=written.read_text())

    def _answered(self, command: str) -> int:
        said, began = b"", time.monotonic()
        while not said.endswith(b"\n"):
            if time.monotonic() > began + _PATIENCE_S or self._shell.poll() is not None:
                raise AssertionError(f"the shell did not end: {command}")
            if self._attend(0.5):
                said += os.read(self._ended, 16)
        return int(said)

    def _attend(self, timeout_s: float) -> bool:
        """Run what the shell's programs ask for, one after the other; tell whether the shell itself says something."""
        ready, _, _ = select.select([self._listener.fileno(), self._ended], [], [], timeout_s)
        if self._listener.fileno() in ready:
            line, _ = self._listener.accept()
            with line:
                self._answer(line)
        return self._ended in ready

    def _answer(self, line: socket.socket) -> None:
        _, handed, _, _ = socket.recv_fds(line, 1, 3)
        with contextlib.ExitStack() as stack:
            streams = [stack.enter_context(open(fd, mode, 1)) for fd, mode in zip(handed, "rww", strict=True)]  # noqa: PTH123
            asked = json.loads(stack.enter_context(line.makefile("rb")).readline())
            said = self._run(asked, streams)
            for stream in streams[1:]:
                with contextlib.suppress(BrokenPipeError):
                    stream.flush()
        line.sendall(said)

    def _run(self, asked: dict[str, Any], streams: list[IO[str]]) -> bytes:
        arguments = asked["arguments"]
        with _instead(asked, streams):
            if self._serve is not None and arguments[:2] == ["sandbox", "serve"]:
                directory = Path(arguments[arguments.index("--dir") + 1])
                self._serve(directory)
                sys.stderr.write(_READY.format(directory=directory))
                return b"stay"
            return str(main(arguments)).encode()

    def _programs(self) -> str:
        """Make the folder of programs that comes first on the shell's PATH, and return the whole of it."""
        folder = self._files / "bin"
        folder.mkdir()
        # A socket's address is short: about a hundred characters are all that there may be.
        address = str(Path(self._stack.enter_context(tempfile.TemporaryDirectory(prefix="docs-"))) / "socket")
        self._listener.bind(address)
        self._listener.listen()
        program = folder / "certrecon"
        if self._serve is None:
            program.symlink_to(Path(sys.executable).with_name("certrecon"))
        else:
            program.write_text(_CLIENT.format(python=os.path.realpath(sys.executable), address=address))
            program.chmod(0o755)
        return f"{folder}:{os.environ['PATH']}"

    def _end(self) -> None:
        """End the shell and all that it has left running, a sandbox for one."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._shell.pid, 15)
        assert self._shell.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self._shell.stdin.close()
        self._shell.wait(_PATIENCE_S)


def _environment(home: Path, path: str) -> dict[str, str]:
    person = {f"GIT_{role}_{what}": value for role in ("AUTHOR", "COMMITTER") for what, value in _PERSON.items()}
    kept = {name: value for name, value in os.environ.items() if name.startswith(("COVERAGE", "LANG", "LC_"))}
    return {**kept, **person, "HOME": str(home), "PATH": path, "TMPDIR": str(home.parent), **_SET}


_SET = {"GIT_CONFIG_NOSYSTEM": "1", "PYTHONUNBUFFERED": "1"}  # lines come in the order of a terminal
_PERSON = {"NAME": "Ada", "EMAIL": "ada@example.com"}


@contextlib.contextmanager
def _instead(asked: dict[str, Any], streams: list[IO[str]]) -> Iterator[None]:
    """Take on folder, environment and streams of another process."""
    before, folder, own = dict(os.environ), Path.cwd(), (sys.stdin, sys.stdout, sys.stderr)
    try:
        os.environ.clear()
        os.environ.update(asked["environment"])
        os.chdir(asked["folder"])
        sys.stdin, sys.stdout, sys.stderr = streams
        yield
    finally:
        sys.stdin, sys.stdout, sys.stderr = own
        os.chdir(folder)
        os.environ.clear()
        os.environ.update(before)
