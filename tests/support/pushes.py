"""Pushes to the remote of lock and journal: seen, struck, or held up. Each is known by what it writes.

`GitStore.swap` says what is about to be pushed, and `GitStore._run` is the way that every git command goes; both are
replaced from outside, as `tests.support.crash` does with calls to services.
"""

import contextlib
import enum
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from unittest import mock

from reconciler.execution.gitrefs import GitStore
from reconciler.execution.store import JournalWrite, Versions
from reconciler.model.entry import IntentId
from reconciler.model.journal_entries import Entry, EpochTaken, IntentWritten, OutcomeWritten, decode_entry
from reconciler.model.lock import decode_lock
from reconciler.services.http import Answer, Request, Transport
from tests.support.crash import Moment, Send, at_call, die, intercepted

_NO_ANSWER = (128, "", "fatal: the remote end hung up unexpectedly\n")
_BEAT_LIMIT_S = 30.0

Said = tuple[int, str, str]  # of a git command: its code, stdout, stderr
SendPush = Callable[[], Said]


class PushKind(enum.StrEnum):
    TAKE = "take"
    INTENT = "intent"
    OUTCOME = "outcome"
    NOTE = "note"  # what a look has told
    HEARTBEAT = "heartbeat"
    RELEASE = "release"


@dataclass(frozen=True, slots=True, kw_only=True)
class Push:
    kind: PushKind
    of: str = ""  # the operations that intents or outcomes are of

    def __str__(self) -> str:
        return f"{self.kind} {self.of}".rstrip()


Strike = Callable[[Push, SendPush], Said]


class Pushes:
    """Tells what pushes are made for. It remembers the intents that it has seen, since outcomes only name them."""

    def __init__(self) -> None:
        self._operations: dict[IntentId, str] = {}

    def push_of(self, lock: str, journal: JournalWrite | None) -> Push:
        """Return what a swap of lock and journal is made for."""
        if journal is None:
            return Push(kind=PushKind.RELEASE if decode_lock(lock).free else PushKind.HEARTBEAT)
        entries = [decode_entry(line) for lines in journal.lines.values() for line in lines.splitlines()]
        intents = [one.intent for one in entries if isinstance(one, IntentWritten)]
        self._operations.update({intent.id: intent.operation for intent in intents})
        of = {intent.id for intent in intents} | {
            one.outcome.intent for one in entries if isinstance(one, OutcomeWritten)
        }
        return Push(kind=_kind(entries), of=", ".join(sorted({self._operations.get(one, "?") for one in of})))


def _kind(entries: Iterable[Entry]) -> PushKind:
    kinds = {type(entry) for entry in entries}
    if EpochTaken in kinds:
        return PushKind.TAKE
    if IntentWritten in kinds:
        return PushKind.INTENT
    return PushKind.OUTCOME if OutcomeWritten in kinds else PushKind.NOTE


@contextlib.contextmanager
def intercepted_pushes(intercept: Strike) -> Iterator[None]:
    """Let `intercept` make, or not make, each push of lock and journal."""
    swap, run = GitStore.swap, GitStore._run
    pushes, made_for = Pushes(), threading.local()  # a heartbeat has a thread of its own

    def noting_swap(self: GitStore, before: Versions, lock: str, journal: JournalWrite | None) -> Versions:
        made_for.push = pushes.push_of(lock, journal)
        return swap(self, before, lock, journal)

    def watching_run(self: GitStore, arguments: Iterable[str], input_text: str = "") -> Said:
        arguments = tuple(arguments)
        if arguments[0] != "push":
            return run(self, arguments, input_text)
        return intercept(made_for.push, lambda: run(self, arguments, input_text))

    with mock.patch.object(GitStore, "swap", noting_swap), mock.patch.object(GitStore, "_run", watching_run):
        yield


@contextlib.contextmanager
def recorded_pushes() -> Iterator[list[str]]:
    """Give a list that fills with the pushes of runs in this process; heartbeats come when time has passed, and stay
    out."""
    pushes: list[str] = []

    def note(push: Push, send: SendPush) -> Said:
        if push.kind is not PushKind.HEARTBEAT:
            pushes.append(str(push))
        return send()

    with intercepted_pushes(note):
        yield pushes


@contextlib.contextmanager
def struck_at_push(nth: int, moment: Moment) -> Iterator[None]:
    """Strike this process at its `nth` push (from 1) that is no heartbeat."""
    made: Counter[str] = Counter()

    def intercept(push: Push, send: SendPush) -> Said:
        if push.kind is PushKind.HEARTBEAT:
            return send()
        made["pushes"] += 1
        return _strike(moment, send) if made["pushes"] == nth else send()

    with intercepted_pushes(intercept):
        yield


@contextlib.contextmanager
def struck_at_heartbeat(nth: int, moment: Moment) -> Iterator[None]:
    """Strike this process at a heartbeat that comes while it makes its `nth` mutating call (from 1).

    The call is not sent before the heartbeat has come.
    """
    wanted, met = threading.Event(), threading.Event()

    def hold_up(_transport: Transport, _request: Request, send: Send) -> Answer:
        wanted.set()
        assert met.wait(_BEAT_LIMIT_S), "no heartbeat came"
        return send()

    def intercept(push: Push, send: SendPush) -> Said:
        if push.kind is not PushKind.HEARTBEAT or not wanted.is_set() or met.is_set():
            return send()
        said = _strike(moment, send)
        met.set()
        return said

    with intercepted(at_call(nth, hold_up)), intercepted_pushes(intercept):
        yield


def _strike(moment: Moment, send: SendPush) -> Said:
    if moment is Moment.BEFORE:
        die()
    send()
    if moment is Moment.AFTER:
        die()
    return _NO_ANSWER
