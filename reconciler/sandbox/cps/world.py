"""What all parts of the sandbox's CPS share, and how they find things in it."""

import copy
from dataclasses import dataclass
from datetime import datetime, timedelta

from reconciler.sandbox.clock import VirtualClock
from reconciler.sandbox.cps.chains import load_certificate
from reconciler.sandbox.cps.options import CpsOptions
from reconciler.sandbox.cps.problems import not_found
from reconciler.sandbox.cps.state import Change, CpsState, Deployment, Enrollment, Lagging
from reconciler.sandbox.cps.upload import san_names
from reconciler.sandbox.ids import Ids
from reconciler.sandbox.keys import KeyMaker
from reconciler.sandbox.trust import TrustStore


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    state: CpsState
    options: CpsOptions
    clock: VirtualClock
    ids: Ids
    keys: KeyMaker
    trust: TrustStore

    def now(self) -> datetime:
        return self.clock.now()

    def enrollment(self, enrollment_id: int) -> Enrollment:
        """Return an enrollment.

        Raises:
            Refused: 404.
        """
        enrollment = self.state.enrollments.get(enrollment_id)
        if enrollment is None:
            raise not_found()
        return enrollment

    def change(self, enrollment_id: int, change_id: int) -> Change:
        """Return a change of that enrollment.

        Raises:
            Refused: 404.
        """
        change = self.state.changes.get(change_id)
        if change is None or change.enrollment_id != enrollment_id:
            raise not_found()
        if change.outcome in ("cancelled", "completed") and self.options.finished_changes == "404":
            raise not_found()
        return change

    def pending(self, enrollment: Enrollment) -> Change | None:
        return None if enrollment.pending is None else self.state.changes[enrollment.pending]

    def before_write(self, enrollment_id: int) -> None:
        """Keep what the list shows of an enrollment, if the list lags. Call it before each write of a client."""
        self._keep(self.state.lagging, enrollment_id, self.options.list_lag_s)

    def before_deployment(self, enrollment_id: int) -> None:
        """Keep what the list of active certificates shows, if that lags. Call it before each deployment."""
        self._keep(self.state.lagging_active, enrollment_id, self.options.active_lag_s)

    def _keep(self, lagging: dict[int, Lagging], enrollment_id: int, lag_s: float) -> None:
        kept = lagging.get(enrollment_id)
        if not lag_s or (kept is not None and self.now() < kept.until):
            return
        before = copy.deepcopy(self.state.enrollments.get(enrollment_id))
        lagging[enrollment_id] = Lagging(until=self.now() + timedelta(seconds=lag_s), before=before)

    def listed(self) -> list[Enrollment]:
        """Return the enrollments as the list shows them: the newest writes may be missing."""
        return self._shown(self.state.lagging)

    def active(self) -> list[Enrollment]:
        """Return the enrollments as the list of active certificates shows them."""
        return self._shown(self.state.lagging_active)

    def _shown(self, lagging: dict[int, Lagging]) -> list[Enrollment]:
        shown: dict[int, Enrollment | None] = dict(self.state.enrollments)
        for enrollment_id, kept in list(lagging.items()):
            if self.now() < kept.until:
                shown[enrollment_id] = kept.before
            else:
                del lagging[enrollment_id]
        return [enrollment for _, enrollment in sorted(shown.items()) if enrollment is not None]


def deployed_names(deployment: Deployment | None) -> frozenset[str]:
    """Return the names of the certificates on a network, in lower case."""
    if deployment is None:
        return frozenset()
    leaves = [load_certificate(certificate.certificate_pem) for certificate in deployment.certificates]
    return frozenset(name.lower() for leaf in leaves for name in san_names(leaf))


def expiry(deployment: Deployment) -> datetime:
    """Return when the first of the certificates on a network expires."""
    return min(
        load_certificate(certificate.certificate_pem).not_valid_after_utc for certificate in deployment.certificates
    )


def renewal_start(enrollment: Enrollment, options: CpsOptions) -> datetime | None:
    """Return when CPS opens a renewal of what is in production, or would have; None if never."""
    if enrollment.production is None or options.auto_renewal_days == 0:
        return None
    return expiry(enrollment.production) - timedelta(days=options.auto_renewal_days)


def acknowledgement_deadline(enrollment: Enrollment, change: Change, options: CpsOptions) -> datetime | None:
    """Return when CPS deploys a staged certificate unasked: shortly before the one in production expires.

    A deploy date prevents that (CPS documentation, "CPS workflow").
    """
    days = options.acknowledgement_deadline_days
    if enrollment.production is None or change.not_before is not None or days == 0:
        return None
    return expiry(enrollment.production) - timedelta(days=days)
