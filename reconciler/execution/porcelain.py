"""What `git push --porcelain` says, read without trust: a push counts when each ref is said to have *moved*."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from reconciler.execution.store import StoreUnreachableError, SwapRejectedError

_MOVED = frozenset(" +*")  # fast-forward, forced, new; not "=": the ref was equal before we came


@dataclass(frozen=True, slots=True)
class Move:
    ref: str
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class Row:
    flag: str
    summary: str


def pushed_rows(porcelain: str) -> dict[str, Row]:
    """Return what `git push --porcelain` says of each ref: FLAG TAB FROM:TO TAB SUMMARY."""
    rows = {}
    for line in porcelain.splitlines():
        parts = line.split("\t")
        if len(parts) == 3 and len(parts[0]) == 1:
            rows[parts[1].rpartition(":")[2]] = Row(parts[0], parts[2])
    return rows


def judge(rows: Mapping[str, Row], moves: Iterable[Move], code: int, said: str) -> None:
    """Tell whether a push moved all refs.

    Raises:
        SwapRejectedError: it moved none.
        StoreUnreachableError: it is not known.
    """
    found = [(move, rows.get(move.ref)) for move in moves]
    if any(row is None or row.summary.startswith("[remote failure]") for _, row in found):
        raise StoreUnreachableError(said)
    for move, row in found:
        assert row is not None
        # A ref that was absent must be *new*: "up to date" means that another one pushed an equal object first.
        moved = row.flag == "*" if move.before is None else row.flag in _MOVED
        if not moved:
            raise SwapRejectedError(f"{move.ref}: {row.summary}.")
    if code != 0:
        raise StoreUnreachableError(said)
