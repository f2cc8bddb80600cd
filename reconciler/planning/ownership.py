"""Whose change is it: ours, CPS's own, or a stranger's (design: safety 3 and the change rule)."""

import enum
from datetime import timedelta

from reconciler.model.certificate import CertificateName, ChangeId
from reconciler.model.enrollment import ChangeRecord, Enrollment
from reconciler.model.entry import Intent
from reconciler.model.journal import OpenState
from reconciler.planning.indexes import OrderBook

AUTO_RENEWAL = "<auto-renewal>"  # who opened it, in the history, where CPS did by itself
OPENING = frozenset({"create enrollment", "update enrollment"})  # the operations that open a change
CLOCK_SLACK = timedelta(minutes=2)  # between our clock and that of a service


class Owner(enum.Enum):
    OURS = "ours"
    CPS = "CPS's own"
    FOREIGN = "foreign"


def owner_of(
    enrollment: Enrollment,
    change_id: ChangeId,
    certificate: CertificateName,
    *,
    record: ChangeRecord | None,
    deployed: bool,
    book: OrderBook,
    journal: OpenState | None,
) -> Owner | None:
    """Tell whose a pending change is; None where that needs its history, and `record` was not read.

    Ours: its id is in the journal, an order with our tag names it, or an open intent of ours fits it. Without a
    journal a change that creates an enrollment just as a file wants it counts as ours: nobody else can have begun it
    with less than all of the file.
    """
    if (enrollment.id, change_id) in book.by_change:
        return Owner.OURS
    if journal is not None and change_id in journal.changes:
        return Owner.OURS
    if record is not None and record.created_by == AUTO_RENEWAL:
        return Owner.CPS
    if journal is None and not deployed:
        return Owner.OURS
    if record is None:
        return None
    if journal is not None and intent_of(enrollment, certificate, record, journal) is not None:
        return Owner.OURS
    return Owner.FOREIGN


def intent_of(
    enrollment: Enrollment, certificate: CertificateName, record: ChangeRecord, journal: OpenState
) -> Intent | None:
    """Return the open intent of ours that a change fits: of this enrollment, and not older than the change by more
    than two minutes of slack."""
    for one in journal.open:
        intent = one.intent
        same = (
            intent.enrollment_id == enrollment.id
            if intent.enrollment_id is not None
            else (intent.certificate == certificate)
        )
        if same and intent.operation in OPENING and record.created_at >= intent.at - CLOCK_SLACK:
            return intent
    return None
