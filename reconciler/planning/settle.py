"""When a call whose outcome is unknown counts as not having happened, if no look has shown it (design: safety 2)."""

from datetime import datetime, timedelta

from reconciler.model.journal import OpenIntent

SOON = timedelta(seconds=30)  # until CPS shows what it is about to show
SETTLE = timedelta(minutes=15)  # of service time; the lock's part, in real time, is the executor's to add


def settled_at(intent: OpenIntent) -> datetime:
    """Return the service time from which two complete looks without its effect mean that there is none."""
    return intent.intent.at + SETTLE
