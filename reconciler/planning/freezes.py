"""Freeze windows: days on which nothing is begun or deployed unless it must be (design: DESIGN 3, due for age)."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from reconciler.model.policy import Freeze

_DAY = timedelta(days=1)

# What is begun must be deployed before the window opens. Sectigo takes up to two working days for OV and EV
# (CP/CPS 4.2.3), which a weekend makes four; staging, promotion and production take the fifth.
LEAD = timedelta(days=5)

_CONTINUING = frozenset({"resume", "upload", "acknowledge", "promote"})


@dataclass(frozen=True, slots=True)
class _Window:
    """The instants of one or more freezes: the start is inside, the end is not."""

    start: datetime
    end: datetime


def frozen(freezes: Iterable[Freeze], now: datetime) -> Freeze | None:
    """Return the freeze that holds at an instant; where several do, the one that ends last. Days are those of UTC."""
    today = now.astimezone(UTC).date()
    holding = [one for one in freezes if one.first <= today <= one.last]
    return max(holding, key=lambda one: one.last, default=None)


def ignores_freeze(kind: str, *, urgent: bool, campaign: bool = False) -> bool:
    """Tell whether an action runs in a freeze all the same.

    Args:
        kind: of the action, as `guards.KINDS` has it.
        urgent: its certificate has less left than `warn`, or is expired or revoked.
        campaign: its certificate is to be replaced by a campaign, which rekeys at once (pki-rules 5.5).
    """
    continuing = kind in _CONTINUING
    return (urgent and (kind == "renew" or continuing)) or (campaign and (kind in {"reissue", "renew"} or continuing))


def pull_forward(
    due_at: datetime, freezes: Iterable[Freeze], *, warn_at: datetime, earliest: datetime | None = None
) -> datetime:
    """Return when a certificate is to be renewed, in view of the freezes: early enough before the one it falls in.

    What falls into a freeze, or into the `LEAD` before it, is due `LEAD` before it. Freezes with less than that
    between them are one.

    Args:
        due_at: when it is due for age.
        freezes: in any order; they may overlap.
        warn_at: when its remaining time falls below `warn`, from where on no freeze holds it.
        earliest: before this it is never due: half of its life. Where that leaves no day before the freeze, it is due
            at the end of it, or at `warn_at` if that is earlier; else what is renewed in a long freeze would be due
            again at once.
    """
    window = next((one for one in _windows(freezes) if one.start - LEAD <= due_at < one.end), None)
    if window is None:
        return due_at
    before = window.start - LEAD
    if earliest is None or earliest <= before:
        return before
    if earliest < window.start:
        return min(due_at, earliest)
    return min(window.end, max(due_at, warn_at))


def _windows(freezes: Iterable[Freeze]) -> list[_Window]:
    """Return the freezes in the order of time, those without room between them joined."""
    joined: list[_Window] = []
    for freeze in sorted(freezes, key=lambda one: one.first):
        start, end = _midnight(freeze.first), _midnight(freeze.last) + _DAY
        if joined and start - LEAD <= joined[-1].end:
            joined[-1] = _Window(joined[-1].start, max(joined[-1].end, end))
        else:
            joined.append(_Window(start, end))
    return joined


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), tzinfo=UTC)
