"""The journal of `lock.backend: none`: nothing outlives the run, which remembers its own steps in the executor."""

from collections.abc import Iterable

from reconciler.model.entry import Intent, Outcome
from reconciler.model.journal import OpenState
from reconciler.model.journal_entries import Entry


class RunJournal:
    """Keeps nothing. Ownership and orders are then read from live data alone: tags, and what was just created."""

    @property
    def state(self) -> OpenState | None:
        return None

    def intend(self, intents: tuple[Intent, ...]) -> None:
        """Nobody could read it later."""

    def record(self, outcomes: tuple[Outcome, ...]) -> None:
        """Nobody could read it later."""

    def note(self, entries: Iterable[Entry]) -> None:
        """Nobody could read it later."""
