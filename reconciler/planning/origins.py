"""Tell what a change of files causes, from the plans of both revisions on the same look.

Caused is what is absent from the base plan or different in it: by certificate, kind, cause, digest of what is desired,
and differences. Budgets, freezes and `--only` do not count: they hold back what is caused all the same.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime

from reconciler.model.certificate import (
    AccountName,
    CertificateName,
    DesiredCertificate,
    EnrollmentId,
    Identity,
    State,
)
from reconciler.model.digest import desired_digest
from reconciler.model.enrollment import Enrollment, Served
from reconciler.planning.case import Context
from reconciler.planning.compared import Origin, Release
from reconciler.planning.matching import Found, match_enrollment
from reconciler.planning.observed import AccountView
from reconciler.planning.plan import Standing
from reconciler.planning.steps import Act, ActionKind, Blocked, Done, Phase, Unread, Wait
from reconciler.planning.strays import claimed_enrollments

_CONTINUING = frozenset({ActionKind.UPLOAD, ActionKind.ACKNOWLEDGE, ActionKind.PROMOTE, ActionKind.RESUME})
_AT_REST = frozenset({Phase.ABSENT, Phase.PRODUCTION})
_NEVER = datetime.max.replace(tzinfo=UTC)


def origins(head: Iterable[Standing], base: Iterable[Standing]) -> Mapping[CertificateName, Origin]:
    """Return the origin of each certificate of `head` that has any work, or that the change touches."""
    before = _Before(base)
    found = ((one.name, _origin(one, before.of(one.desired))) for one in head)
    return {name: origin for name, origin in found if origin is not None}


class _Before:
    """The standings of the base, found for what is the same certificate: renaming a file changes nothing."""

    def __init__(self, standings: Iterable[Standing]) -> None:
        self._by_identity: dict[Identity, list[Standing]] = {}
        for one in standings:
            self._by_identity.setdefault(one.desired.identity, []).append(one)

    def of(self, desired: DesiredCertificate) -> Standing | None:
        """Return the standing; of several of one identity that with the same name, or the same pinned enrollment."""
        same = self._by_identity.get(desired.identity, [])
        pinned = desired.enrollment.enrollment_id
        named = [one for one in same if one.name == desired.name]
        claimed = [one for one in same if pinned is not None and one.desired.enrollment.enrollment_id == pinned]
        return next(iter((*named, *claimed, *(same if len(same) == 1 else ()))), None)


def _origin(now: Standing, before: Standing | None) -> Origin | None:
    if before is None or _signature(now) != _signature(before):
        return Origin.CHANGE
    match now.decision:
        case Done():
            return None
        case Act(kind=kind) if kind in _CONTINUING:
            return Origin.IN_FLIGHT
        case Act(kind=kind):
            renewal = kind is ActionKind.RENEW or now.campaign is not None
            return Origin.RENEWAL if renewal else Origin.DRIFT
        case Wait(phase=phase) | Blocked(phase=phase):
            return Origin.DRIFT if phase in _AT_REST else Origin.IN_FLIGHT
        case Unread():
            return Origin.DRIFT


def _signature(standing: Standing) -> tuple[object, ...]:
    digest = desired_digest(standing.desired)
    match standing.decision:
        case Act(kind=kind, cause=cause, differences=differences):
            return (digest, "act", kind, cause, differences)
        case Wait(phase=phase, actor=actor):
            return (digest, "wait", phase, actor)
        case Blocked(reason=reason, text=text):
            return (digest, "blocked", reason, text)
        case Unread():
            return (digest, "unread")
        case Done():
            return (digest, "done")


def releases(
    base: Iterable[DesiredCertificate], head: Sequence[DesiredCertificate], context: Context
) -> tuple[Release, ...]:
    """Return which certificates of `base` no file of `head` is about any more; those that end first come first.

    `head` are all that the files ask for, planned or not. `context` is that of the head's plan.
    """
    released = _Released(head, context)
    found = [release for one in base if (release := released.of(one)) is not None]
    return tuple(sorted(found, key=lambda one: (one.expires_at or _NEVER, one.desired.common_name)))


class _Released:
    """Looks for each certificate of the base whether a file of the head still claims its enrollment."""

    def __init__(self, head: Sequence[DesiredCertificate], context: Context) -> None:
        self._head, self._context = head, context
        self._same = {(one.identity, one.enrollment.enrollment_id) for one in head}
        self._identities = {one.identity for one in head}
        self._claimed: dict[AccountName, frozenset[EnrollmentId]] = {}

    def of(self, gone: DesiredCertificate) -> Release | None:
        if (gone.identity, gone.enrollment.enrollment_id) in self._same:
            return None
        view = self._context.observed.accounts.get(gone.enrollment.account)
        if view is None or not (view.enrollments.complete and view.served.complete):
            return self._without_enrollment(gone, looked_at=False)
        match match_enrollment(gone, view.index):
            case Found(enrollment=enrollment) if enrollment.id in self._claimed_of(gone.enrollment.account, view):
                return None
            case Found(enrollment=enrollment):
                return _release(gone, enrollment, view)
            case _:
                return self._without_enrollment(gone, looked_at=True)

    def _without_enrollment(self, gone: DesiredCertificate, *, looked_at: bool) -> Release | None:
        if gone.identity in self._identities or (looked_at and gone.state is State.ABSENT):
            return None
        return Release(desired=gone, enrollment_id=None, expires_at=None, pending=False, looked_at=looked_at)

    def _claimed_of(self, account: AccountName, view: AccountView) -> frozenset[EnrollmentId]:
        if account not in self._claimed:
            self._claimed[account] = claimed_enrollments(self._context, account, view, self._head)
        return self._claimed[account]


def _release(gone: DesiredCertificate, enrollment: Enrollment, view: AccountView) -> Release:
    live = view.served.values.get(enrollment.id, Served()).production.values()
    return Release(
        desired=gone,
        enrollment_id=enrollment.id,
        expires_at=min((one.expires_at for one in live), default=None),
        pending=bool(enrollment.pending),
        looked_at=True,
    )
