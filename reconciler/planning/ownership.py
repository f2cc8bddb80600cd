"""Whose change is it: ours, CPS's own, or a stranger's (design: safety 3 and the change rule)."""

import enum
from datetime import timedelta

from reconciler.model.certificate import ChangeId, DesiredCertificate
from reconciler.model.digest import desired_digest
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
    desired: DesiredCertificate,
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
    if journal is not None and intent_of(enrollment, desired, record, journal) is not None:
        return Owner.OURS
    return Owner.FOREIGN


def intent_of(
    enrollment: Enrollment, desired: DesiredCertificate, record: ChangeRecord, journal: OpenState
) -> Intent | None:
    """Return the open intent of ours that a change fits (the change rule of safety 2).

    It is of this enrollment, and older than the change but for two minutes of slack; the change is of an author that
    our earlier ones had, once one is known, and asks for the names that the intent is about. Where the file has changed
    since, nobody knows these names, and only the author tells.
    """
    if journal.authors and record.created_by not in journal.authors:
        return None
    for one in journal.open:
        intent = one.intent
        creates = intent.enrollment_id is None
        same = intent.certificate == desired.name if creates else intent.enrollment_id == enrollment.id
        if not same or intent.operation not in OPENING or record.created_at < intent.at - CLOCK_SLACK:
            continue
        if intent.desired_digest == desired_digest(desired):
            fits = desired.sans == enrollment.sans
        else:
            fits = creates or bool(journal.authors)
        if fits:
            return intent
    return None
