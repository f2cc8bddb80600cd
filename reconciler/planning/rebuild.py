"""A lost journal, rebuilt from what the services know: the tags of our orders, and the serials that are served.

What is found can only make later runs more careful: an order that holds its key, a change that is ours, an enrollment
that was managed. What stood nowhere but in the journal is said, not guessed.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from reconciler.model.certificate import ChangeId, EnrollmentId, Identity
from reconciler.model.enrollment import Enrollment, Served
from reconciler.model.entry import CauseId
from reconciler.model.journal import CauseRecord, OpenState, OwnChange, OwnOrder, identity_key
from reconciler.model.order import Order
from reconciler.planning.indexes import TaggedOrder
from reconciler.planning.tags import installation_of, order_tag

_NOWHERE_ELSE = (
    "Intents that were open, refusals and their back-off, attempt numbers, levels that people were told of and the "
    "last applied commit stood in the journal only."
)
LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)  # for an order without a date: too early is the careful side


@dataclass(frozen=True, slots=True, kw_only=True)
class Rebuilt:
    state: OpenState
    lost: tuple[str, ...]  # what could not be found again, one sentence each


def rebuild(
    orders: Iterable[Order],
    enrollments: Sequence[Enrollment],
    served: Mapping[EnrollmentId, Served],
    *,
    begin: OpenState,
) -> Rebuilt:
    """Return `begin` with everything that complete readings of the services show to be ours."""
    orders = tuple(orders)
    tagged = [TaggedOrder(order=one, tag=tag) for one in orders if (tag := order_tag(one.comments)) is not None]
    by_id = {one.id: one for one in enrollments}
    # Another account's orders at the same SCM instance are not this journal's.
    of_account = [one for one in tagged if one.tag.enrollment_id in by_id]
    managed = {one.tag.enrollment_id for one in of_account} | _serving(tagged, served)
    changes = _changes(of_account, by_id)
    state = replace(
        begin,
        installation=installation_of(one.order for one in of_account) or begin.installation,
        causes={**_causes(of_account), **begin.causes},
        enrollments={**_enrollments(by_id, managed), **begin.enrollments},
        changes={**changes, **begin.changes},
        orders={**_orders(of_account), **begin.orders},
        contracts=begin.contracts | frozenset(one.contract for one in enrollments if one.contract is not None),
    )
    return Rebuilt(state=state, lost=tuple(_lost(of_account, by_id, managed, state)))


def _serving(tagged: Iterable[TaggedOrder], served: Mapping[EnrollmentId, Served]) -> set[EnrollmentId]:
    """Return the enrollments that serve a certificate of an order of ours."""
    ours = {one.order.serial for one in tagged if one.order.serial is not None}
    return {
        enrollment_id
        for enrollment_id, one in served.items()
        if any(leaf.serial in ours for network in (one.staging, one.production) for leaf in network.values())
    }


def _enrollments(by_id: Mapping[EnrollmentId, Enrollment], managed: set[EnrollmentId]) -> dict[str, EnrollmentId]:
    return {
        identity_key(identity): number
        for number, one in sorted(by_id.items())
        if number in managed and (identity := _identity(one)) is not None
    }


def _identity(one: Enrollment) -> Identity | None:
    if one.contract is None:
        return None
    return Identity(
        account=one.account,
        contract=one.contract,
        common_name=one.common_name,
        secure_network=one.secure_network,
        sni_only=one.sni_only,
    )


def _changes(tagged: Iterable[TaggedOrder], by_id: Mapping[EnrollmentId, Enrollment]) -> dict[ChangeId, OwnChange]:
    """Return the pending changes that we placed an order for."""
    pending = {(number, change.id) for number, one in by_id.items() for change in one.pending}
    return {
        one.tag.change_id: OwnChange(
            enrollment_id=one.tag.enrollment_id, cause=one.tag.cause, opened_at=_requested(one.order), seen=True
        )
        for one in _oldest_last(tagged)
        if (one.tag.enrollment_id, one.tag.change_id) in pending
    }


def _orders(tagged: Iterable[TaggedOrder]) -> dict[str, OwnOrder]:
    """Return each key's order; where there are several, a live one, then the oldest."""
    ranked = sorted(_oldest_last(tagged), key=lambda one: one.order.status.live)
    return {
        one.tag.key: OwnOrder(
            ssl_id=one.order.ssl_id,
            enrollment_id=one.tag.enrollment_id,
            change_id=one.tag.change_id,
            key_type=one.tag.key_type,
            cause=one.tag.cause,
            requested_at=_requested(one.order),
        )
        for one in ranked
    }


def _causes(tagged: Iterable[TaggedOrder]) -> dict[CauseId, CauseRecord]:
    """Return each cause as open, begun with its first order: the next look that shows its effect ends it."""
    return {
        one.tag.cause: CauseRecord(attempt=1, first_intent_at=_requested(one.order)) for one in _oldest_last(tagged)
    }


def _lost(
    tagged: Sequence[TaggedOrder],
    by_id: Mapping[EnrollmentId, Enrollment],
    managed: set[EnrollmentId],
    state: OpenState,
) -> Iterator[str]:
    yield _NOWHERE_ELSE
    strange = sorted(number for number, one in by_id.items() if one.third_party and number not in managed)
    if strange:
        yield (
            f"{len(strange)} third-party enrollments have no order of ours, so whether they were managed is not known: "
            f"{_some(strange)}."
        )
    for number in sorted(managed & set(by_id)):
        for change in by_id[number].pending:
            if change.id not in state.changes:
                yield f"Who opened change {change.id} of enrollment {number} is not known: it counts as foreign."
    live = Counter(one.tag.key for one in tagged if one.order.status.live)
    for key in sorted(key for key, count in live.items() if count > 1):
        twins = sorted(one.order.ssl_id for one in tagged if one.tag.key == key and one.order.status.live)
        yield f"Orders {_some(twins)} are for one key: revoke all but one."


def _some(numbers: Sequence[int], most: int = 20) -> str:
    shown = ", ".join(str(number) for number in numbers[:most])
    return shown if len(numbers) <= most else f"{shown} and {len(numbers) - most} more"


def _oldest_last(tagged: Iterable[TaggedOrder]) -> list[TaggedOrder]:
    """Return orders in the order in which a dictionary should see them, so that the oldest stays."""
    return sorted(tagged, key=lambda one: (_requested(one.order), one.order.ssl_id), reverse=True)


def _requested(order: Order) -> datetime:
    return order.requested_at or order.issued_at or LONG_AGO
