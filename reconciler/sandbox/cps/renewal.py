"""The renewals that CPS opens by itself."""

from reconciler.sandbox.clock import Payload
from reconciler.sandbox.cps.changes import Changes
from reconciler.sandbox.cps.state import AUTO_RENEWAL, Kind
from reconciler.sandbox.cps.world import World, renewal_start


class Renewals:
    """Opens a renewal when a certificate in production comes near its end and nothing is pending."""

    def __init__(self, world: World, changes: Changes) -> None:
        self._world = world
        self._changes = changes
        world.clock.on("cps.renewal.due", self._on_due)

    def _on_due(self, payload: Payload) -> None:
        enrollment = self._world.state.enrollments.get(int(payload["enrollment"]))
        start = None if enrollment is None else renewal_start(enrollment, self._world.options)
        if enrollment is None or start is None or enrollment.pending is not None:
            return
        if start > self._world.now():  # another certificate is live by now, or the lead time was made shorter
            self._world.clock.schedule(start, "cps.renewal.due", enrollment=enrollment.id)
        else:
            self._changes.open(enrollment, Kind.RENEWAL, created_by=AUTO_RENEWAL)
