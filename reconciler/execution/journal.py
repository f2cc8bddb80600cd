"""The journal of one run, in memory: what was meant and what came of it, so that no step is repeated blindly."""

from reconciler.model.entry import Intent, IntentId, Outcome


class RunJournal:
    """Intents and outcomes in the order in which they were written. It lives as long as the process."""

    def __init__(self) -> None:
        self._intents: dict[IntentId, Intent] = {}
        self._outcomes: dict[IntentId, Outcome] = {}

    def intend(self, intents: tuple[Intent, ...]) -> None:
        self._intents.update({intent.id: intent for intent in intents})

    def record(self, outcomes: tuple[Outcome, ...]) -> None:
        self._outcomes.update({outcome.intent: outcome for outcome in outcomes})

    def intents(self) -> tuple[Intent, ...]:
        return tuple(self._intents.values())

    def outcomes(self) -> tuple[Outcome, ...]:
        return tuple(self._outcomes.values())
