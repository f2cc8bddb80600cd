"""How soon enrollments may follow one another: CPS may let an account create only so often, and says so by a 409."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from reconciler.errors import CreateLimitError, LookAgainError
from reconciler.execution.perform import Made
from reconciler.model.certificate import AccountName
from reconciler.model.entry import OutcomeKind
from reconciler.planning.plan import Standing
from reconciler.planning.steps import CreateEnrollment, Step

_DOCUMENTED = timedelta(minutes=5)  # akamai-cps 2.3; in practice it is not always enforced, or for something narrower
_SHORTEST, _LONGEST = timedelta(seconds=30), timedelta(hours=1)


class CreatePace:
    """What one run has learned of the accounts' create limits. Until CPS refuses one, nothing is held back."""

    def __init__(self) -> None:
        self._spacing: dict[AccountName, timedelta] = {}
        self._created_at: dict[AccountName, datetime] = {}
        self._free_at: dict[AccountName, datetime] = {}

    def free_at(self, step: Step) -> datetime | None:
        """Return from when on a create may be made; None for other steps, and where no limit is known."""
        return self._free_at.get(step.desired.enrollment.account) if isinstance(step, CreateEnrollment) else None

    def holds(self, step: Step, now: datetime) -> str | None:
        """Return why a create has to wait; None where it need not."""
        free_at = self.free_at(step)
        if free_at is None or free_at <= now or not isinstance(step, CreateEnrollment):
            return None
        return (
            f"CPS limits how often account {step.desired.enrollment.account} may create an enrollment:"
            f" this one follows after {free_at:%Y-%m-%d %H:%M:%S} UTC"
        )

    def admitted(self, runnable: Iterable[tuple[Standing, Step]]) -> Sequence[tuple[Standing, Step]]:
        """Leave out what may not be made together: of a limited account's creates all but the first."""
        spent: set[AccountName] = set()
        kept: list[tuple[Standing, Step]] = []
        for standing, step in runnable:
            if isinstance(step, CreateEnrollment):
                account = step.desired.enrollment.account
                if account in spent:
                    continue
                spent |= {account} & self._spacing.keys()
            kept.append((standing, step))
        return kept

    def note(self, step: Step, made: Made) -> bool:
        """Learn from what came of a step. True: a create came too soon, and is made again later."""
        if not isinstance(step, CreateEnrollment):
            return False
        account, at = step.desired.enrollment.account, made.outcome.at
        if made.outcome.kind in (OutcomeKind.DONE, OutcomeKind.UNKNOWN):
            self._created_at[account] = at
            if account in self._spacing:
                self._free_at[account] = at + self._spacing[account]
            return False
        if not self._too_soon(account, made):
            return False
        asked_s = made.error.retry_after_s if isinstance(made.error, CreateLimitError) else None
        self._refused(account, at, None if asked_s is None else timedelta(seconds=asked_s))
        return True

    def _too_soon(self, account: AccountName, made: Made) -> bool:
        """Tell whether the limit refused: CPS says so, or, its words being unknown, refused just after a create."""
        if isinstance(made.error, CreateLimitError):
            return True
        created_at = self._created_at.get(account)
        soon = created_at is not None and made.outcome.at - created_at < _DOCUMENTED
        return soon and isinstance(made.error, LookAgainError)

    def _refused(self, account: AccountName, at: datetime, asked: timedelta | None) -> None:
        """Hold creates back for as long as CPS asks; else as documented, and longer where that was not enough."""
        created_at, known = self._created_at.get(account, at), self._spacing.get(account)
        if asked is not None:
            spacing = max(at + asked - created_at, _DOCUMENTED if created_at == at else _SHORTEST)
            self._free_at[account] = at + asked
        else:
            spacing = _DOCUMENTED if known is None else min(known * 2, _LONGEST)
            self._free_at[account] = max(created_at + spacing, at + _SHORTEST)
        self._spacing[account] = min(spacing, _LONGEST)
