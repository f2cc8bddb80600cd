"""Send the notifications of an apply, and write down what was told. Nothing of this fails a run."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from reconciler.app.notify import RUN, Condition, Notice, message, notices, run_condition, wants
from reconciler.errors import CertreconError, ExitCode
from reconciler.model.certificate import AccountName, CertificateName
from reconciler.model.journal import Level
from reconciler.model.journal_entries import LevelReported
from reconciler.planning.plan import Plan
from reconciler.ports import Clock, Journal, Notifier


@dataclass(frozen=True, slots=True, kw_only=True)
class Receiver:
    """One entry of `notify`. Without a notifier its variable is not set."""

    variable: str
    on: frozenset[str]
    notifier: Notifier | None


@dataclass(kw_only=True)
class Announcer:
    """Tells the receivers. What they were told is known from `journals`, those that the run holds, if any."""

    project: str | None
    receivers: Sequence[Receiver]
    clock: Clock
    warn: Callable[[str], None]
    journals: Mapping[AccountName, Journal] = field(default_factory=dict)
    _told_of: CertreconError | None = None

    @contextmanager
    def telling(self, journals: Mapping[AccountName, Journal]) -> Iterator[None]:
        """Tell of an error that goes through, once, while the journals can be written."""
        self.journals = journals
        try:
            yield
        except CertreconError as error:
            self._failed(error)
            raise
        finally:
            self.journals = {}

    def _failed(self, error: CertreconError) -> None:
        """Tell of a run that ended with an error. A lock that another has is none, nor is a wrong command line."""
        if error.exit_code is ExitCode.ERROR and error is not self._told_of:
            self._told_of = error
            self._announce([run_condition(str(error), failed=True)], {})

    def ended(self, found: Sequence[Condition], plan: Plan) -> None:
        """Tell of a run that came to its end."""
        accounts = {standing.name: standing.desired.enrollment.account for standing in plan.standings}
        self._announce(found, accounts)

    def _announce(self, found: Sequence[Condition], accounts: Mapping[CertificateName, AccountName]) -> None:
        if not self.receivers:
            return
        wanted = frozenset[str]().union(*(wants(one.on) for one in self.receivers))
        told = notices(found, self._levels(), wanted, now=self.clock.now())
        if told and self._send(told):
            self._remember(told, accounts)

    def _levels(self) -> Mapping[CertificateName, Level]:
        states = [state for name in sorted(self.journals) if (state := self.journals[name].state) is not None]
        return {name: level for state in reversed(states) for name, level in state.levels.items()}

    def _send(self, told: Sequence[Notice]) -> bool:
        """Return whether anybody was told, or nobody had to be; who could not be reached is told the next day."""
        reached = []
        for one in self.receivers:
            made = message(self.project, told, wants(one.on))
            if made is None:
                continue
            if one.notifier is None:
                self.warn(f"notification: {one.variable} is not set, or empty: nobody was told.")
                reached.append(False)
                continue
            try:
                one.notifier.send(made.title, made.body, urgent=made.urgent)
                reached.append(True)
            except CertreconError as error:
                self.warn(f"notification: {error}")
                reached.append(False)
        return any(reached) or not reached

    def _remember(self, told: Sequence[Notice], accounts: Mapping[CertificateName, AccountName]) -> None:
        at = self.clock.now()
        for account, journal in self.journals.items():
            entries = [
                LevelReported(certificate=one.condition.name, level=one.level, at=at)
                for one in told
                if one.condition.name == RUN or accounts.get(one.condition.name) == account
            ]
            try:
                journal.note(entries)
            except CertreconError as error:
                self.warn(f"notification: it was sent, and could not be written down: {error}")
