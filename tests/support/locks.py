"""Stores, clocks and entries for tests of lock and journal."""

import subprocess
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from reconciler.errors import CertreconError
from reconciler.execution.gitrefs import GitStore, Remote
from reconciler.execution.lease import Lease
from reconciler.execution.lock import Locker
from reconciler.execution.realtime import RealTime
from reconciler.execution.store import JournalWrite, MemoryStore, Snapshot, Store, StoreUnreachableError, Versions
from reconciler.model.certificate import AccountName, CertificateName, ChangeId, ContractId, EnrollmentId, Identity
from reconciler.model.entry import CauseId, Intent, IntentId, Outcome, OutcomeKind
from reconciler.model.lock import Owner, account_digest
from reconciler.model.names import DnsName

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
TTL = timedelta(minutes=10)
IDENTITY = Identity(
    account=AccountName("main"),
    contract=ContractId("C-1"),
    common_name=DnsName("www.example.com"),
    secure_network="enhanced-tls",
    sni_only=True,
)


def git(folder: Path, *arguments: str) -> str:
    return subprocess.run(["git", "-C", folder, *arguments], check=True, capture_output=True, text=True).stdout


def bare_remote(folder: Path) -> Path:
    subprocess.run(["git", "init", "--quiet", "--bare", folder], check=True)
    return folder


def git_store(remote: Path | str, cache: Path, **fields: Any) -> GitStore:
    return GitStore(
        Remote(url=str(remote)), prefix="refs/certrecon", account=account_digest("A-1XYZ"), cache=cache, **fields
    )


def ref(kind: str) -> str:
    return f"refs/certrecon/{kind}/{account_digest('A-1XYZ')}"


def intent(number: int | str = 1, **fields: Any) -> Intent:
    values: dict[str, Any] = {
        "id": IntentId(str(number)),
        "certificate": CertificateName("www.example.com"),
        "cause": CauseId("ab12"),
        "attempt": 1,
        "operation": "submit order",
        "enrollment_id": EnrollmentId(10002),
        "change_id": ChangeId(20003),
        "key_type": "RSA",
        "body_digest": "0b",
        "desired_digest": "0d",
        "at": NOW,
        "identity": IDENTITY,
        "key": "c0ffee",
    }
    return Intent(**(values | fields))


def outcome(kind: OutcomeKind, number: int | str = 1, **fields: Any) -> Outcome:
    values: dict[str, Any] = {"intent": IntentId(str(number)), "kind": kind, "at": NOW}
    return Outcome(**(values | fields))


class FakeTime(RealTime):
    """Real time that moves only when somebody waits; heartbeats never come by themselves."""

    def __init__(self) -> None:
        self.now_s = 1000.0

    def seconds(self) -> float:
        return self.now_s

    def wall(self) -> datetime:
        return NOW + timedelta(seconds=self.now_s - 1000)

    def wait(self, seconds: float, woken: threading.Event | None = None) -> bool:
        if woken is not None:
            return woken.wait()
        self.now_s += max(seconds, 0.0)
        return False


class FlakyStore(MemoryStore):
    """A store whose next swaps or reads go wrong as told: `plan.append("lost before")`."""

    def __init__(self) -> None:
        super().__init__()
        self.plan: list[str] = []
        self.unreadable = 0
        self.swaps = 0
        self.before_swap: Callable[[], None] = lambda: None

    def read(self) -> Snapshot:
        if self.unreadable:
            self.unreadable -= 1
            raise StoreUnreachableError("no answer.")
        return super().read()

    def swap(self, before: Versions, lock: str, journal: JournalWrite | None) -> Versions:
        self.swaps += 1
        self.before_swap()
        fault = self.plan.pop(0) if self.plan else None
        if fault == "lost before":
            raise StoreUnreachableError("no answer.")
        versions = super().swap(before, lock, journal)
        if fault == "lost after":
            raise StoreUnreachableError("no answer.")
        return versions


def locker(store: Store, name: str = "alice@build7", *, real: RealTime | None = None, ttl: timedelta = TTL) -> Locker:
    return Locker(
        store, account="main", owner=Owner(name=name, run_url=f"https://ci.example/{name}"), ttl=ttl, real=real
    )


def take(store: Store, name: str = "alice@build7", *, real: RealTime | None = None, **fields: Any) -> Lease:
    """Take the lock; begin the journal where there is none."""
    asked: dict[str, Any] = {"at": NOW, "create": True}
    return locker(store, name, real=real).take(**(asked | fields))


def error_of(call: Callable[[], object]) -> CertreconError:
    try:
        call()
    except CertreconError as error:
        return error
    raise AssertionError("nothing was raised")
