"""What a run that goes on has under way, as one line."""

from collections.abc import Mapping
from datetime import datetime

from reconciler.planning.steps import Phase


def progress_text(at: datetime, phases: Mapping[Phase, int], next_look: datetime | None) -> str:
    """Return the counts by phase, most first, and when there will be another look; None: work is done right now."""
    counted = sorted(phases.items(), key=lambda item: (-item[1], item[0]))
    under_way = ", ".join(f"{count} {phase}" for phase, count in counted) or "nothing"
    then = "at work" if next_look is None else f"next look {_time(next_look, at)}"
    return f"{at:%Y-%m-%d %H:%M:%S}  under way: {under_way}; {then}"


def _time(instant: datetime, now: datetime) -> str:
    return f"{instant:%H:%M:%S}" if instant.date() == now.date() else f"{instant:%Y-%m-%d %H:%M:%S}"
