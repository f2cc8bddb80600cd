"""A run in a process of its own, reduced to lock and journal: take, write an intent, send, and so on until told to end.

    python -m tests.support.lock_driver REMOTE CACHE NAME [--ttl S] [--timeout S] [--steps N] [--pace S] [--sent FILE]

It says what it does on stdout, a line each: "taken EPOCH", "intent ID", "sent ID". A *sent* call is a line in FILE:
what a service would have got. With --until FILE it keeps the lock at the end until that file is there.
"""

import argparse
import sys
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

from reconciler.errors import CertreconError, ExitCode
from reconciler.execution.durable import DurableJournal
from reconciler.execution.lock import Locker
from reconciler.model.entry import OutcomeKind
from reconciler.model.lock import Owner
from tests.support.locks import git_store, intent, outcome


class Clock:
    """Service time that is moved by sleeping, as a sandbox's is."""

    def __init__(self) -> None:
        self._time = datetime(2026, 11, 20, 12, tzinfo=UTC)

    def now(self) -> datetime:
        return self._time

    def sleep(self, duration: timedelta) -> None:
        self._time += duration


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("remote", type=Path)
    parser.add_argument("cache", type=Path)
    parser.add_argument("name")
    parser.add_argument("--ttl", type=float, default=3.0)
    parser.add_argument("--timeout", type=float, default=0.0)
    parser.add_argument("--steps", type=int, default=1)
    parser.add_argument("--pace", type=float, default=0.0)
    parser.add_argument("--sent", type=Path)
    parser.add_argument("--until", type=Path)
    return parser.parse_args()


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def run(options: argparse.Namespace) -> None:
    store = git_store(options.remote, options.cache)
    clock, never = Clock(), threading.Event()
    locker = Locker(store, account="main", owner=Owner(name=options.name), ttl=timedelta(seconds=options.ttl))
    try:
        timeout = timedelta(seconds=options.timeout)
        with locker.take(at=clock.now(), timeout=timeout, create=True) as lease:
            say(f"taken {lease.epoch}")
            journal = DurableJournal(lease, clock)
            for number in range(options.steps):
                name = f"{options.name}-{number}"
                journal.intend((intent(name, at=clock.now()),))
                say(f"intent {name}")
                never.wait(options.pace)
                lease.confirm()
                if options.sent is not None:
                    with options.sent.open("a") as file:
                        file.write(f"{name}\n")
                say(f"sent {name}")
                journal.record((outcome(OutcomeKind.DONE, name, at=clock.now()),))
            while options.until is not None and not options.until.exists():
                never.wait(0.05)
    finally:
        store.close()


def main() -> int:
    try:
        run(parsed())
    except CertreconError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    return ExitCode.DONE


if __name__ == "__main__":
    sys.exit(main())
