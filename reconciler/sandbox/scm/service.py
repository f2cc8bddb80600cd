"""SCM's hosts: the header API with its client-certificate twin, and the admin host with its token endpoint."""

from collections.abc import Callable, Iterator
from functools import partial

from starlette.applications import Starlette
from starlette.responses import Response

from reconciler.sandbox.ca import Authority
from reconciler.sandbox.clock import VirtualClock
from reconciler.sandbox.gate import Call, Gate, Handler, Operation
from reconciler.sandbox.ids import Ids
from reconciler.sandbox.scm import dcv, orders, renew
from reconciler.sandbox.scm.answers import json_answer
from reconciler.sandbox.scm.auth import TOKEN_PATH, Logins
from reconciler.sandbox.scm.errors import RefusedError
from reconciler.sandbox.scm.operations import OPERATIONS
from reconciler.sandbox.scm.options import ScmOptions
from reconciler.sandbox.scm.portal import ScmPortal
from reconciler.sandbox.scm.state import ScmState
from reconciler.sandbox.scm.world import Host, Visit, World

Act = Callable[[World, Visit], Response]


class ScmService:
    """Serves one customer of SCM; all it remembers is in `state`."""

    def __init__(
        self, state: ScmState, *, options: ScmOptions, clock: VirtualClock, ids: Ids, gate: Gate, authority: Authority
    ) -> None:
        self.state = state
        self.options = options
        self._world = World(state=state, options=options, clock=clock, ids=ids, authority=authority)
        self._gate = gate
        self._logins = Logins(self._world)
        self.portal = ScmPortal(self._world)
        for part in (orders, renew, dcv):
            part.register(self._world)

    def header_application(self) -> Starlette:
        """Return what `cert-manager.com` serves: `/api` with passwords, `/private/api` with client certificates."""
        operations = [*self._operations("/api", "header"), *self._operations("/private/api", "header")]
        return self._gate.application("scm", operations, self._logins.guard("header"), _not_known)

    def admin_application(self) -> Starlette:
        """Return what `admin.*.sectigo.com` serves, and the token endpoint of the authorization server."""
        token = Operation(service="oauth", name="token", method="POST", path=TOKEN_PATH, mutates=False)
        operations = [*self._operations("/api", "admin"), (token, self._logins.token)]
        return self._gate.application("scm", operations, self._logins.guard("admin"), _not_known)

    def _operations(self, prefix: str, host: Host) -> Iterator[tuple[Operation, Handler]]:
        for name, method, path, act in OPERATIONS:
            operation = Operation(
                service="scm",
                name=name,
                method=method,
                path=f"{prefix}{path}",
                mutates=method not in ("GET", "HEAD") and name not in _READS,
            )
            yield operation, partial(self._answer, act, host)

    def _answer(self, act: Act, host: Host, call: Call) -> Response:
        try:
            return act(self._world, Visit(call=call, admin=self._logins.admin(call, host), host=host))
        except RefusedError as refusal:
            return refusal.answer()


# POSTs that read.
_READS = frozenset({"report", "activity_report", "domains_report", "get_dcv_status"})


def _not_known(call: Call) -> Response:
    description = f"The sandbox does not know {call.method} {call.target}"
    return json_answer({"code": -1, "description": description}, status=501)
