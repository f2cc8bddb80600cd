"""The sandbox's CPS as an HTTP service: the gateway in front, the operations behind it."""

import json
from collections.abc import Callable

from starlette.applications import Starlette
from starlette.responses import Response

from reconciler.sandbox.clock import VirtualClock, real_now
from reconciler.sandbox.cps import deployments, media
from reconciler.sandbox.cps.change_calls import ChangeCalls
from reconciler.sandbox.cps.changes import Changes
from reconciler.sandbox.cps.deployment_calls import DeploymentCalls
from reconciler.sandbox.cps.deployments import LiveCertificate, LiveCertificates
from reconciler.sandbox.cps.edgegrid import EdgeGridVerifier, client_token_of
from reconciler.sandbox.cps.endpoints import SERVICE, Asked, Endpoint
from reconciler.sandbox.cps.enrollment_calls import EnrollmentCalls
from reconciler.sandbox.cps.enrollments import Enrollments
from reconciler.sandbox.cps.inputs import Inputs
from reconciler.sandbox.cps.limits import Limits
from reconciler.sandbox.cps.options import CpsOptions
from reconciler.sandbox.cps.portal import CpsPortal
from reconciler.sandbox.cps.problems import (
    GatewayRefused,
    Refused,
    gateway_problem,
    invalid_request,
    not_in_the_sandbox,
    problem,
)
from reconciler.sandbox.cps.renewal import Renewals
from reconciler.sandbox.cps.rules import NotInTheSandbox
from reconciler.sandbox.cps.state import ApiClient, CpsState, Network
from reconciler.sandbox.cps.world import World
from reconciler.sandbox.gate import Call, Gate, Operation
from reconciler.sandbox.ids import Ids
from reconciler.sandbox.keys import KeyMaker
from reconciler.sandbox.trust import TrustStore

__all__ = ["CpsService", "LiveCertificate", "LiveCertificates"]

# Not of CPS, but where a client of CPS learns the contracts that it may name.
CONTRACTS = Operation(
    service=SERVICE,
    name="list_contracts",
    method="GET",
    path="/contract-api/v1/contracts/identifiers",
    mutates=False,
)

# The gateway's own: every client may ask for its grants. The answer's form is the one that Akamai's api-kickstart
# (verify_creds.py) reads: each word of `scope` is an address that ends in API, "-", and access.
GRANTS = Operation(
    service=SERVICE,
    name="list_grants",
    method="GET",
    path="/-/client-api/active-grants/implicit",
    mutates=False,
)


class CpsService:
    """CPS for third-party enrollments, behind Akamai's gateway."""

    def __init__(
        self,
        state: CpsState,
        *,
        options: CpsOptions,
        clock: VirtualClock,
        ids: Ids,
        gate: Gate,
        keys: KeyMaker,
        trust: TrustStore,
    ) -> None:
        self.state = state
        self.options = options
        self._gate = gate
        self._world = world = World(state=state, options=options, clock=clock, ids=ids, keys=keys, trust=trust)
        self._limits = Limits(options, clock, real_now=real_now)
        self._verifier = EdgeGridVerifier(state.clients, options, real_now=real_now)
        changes = Changes(world)
        Renewals(world, changes)  # lives on in the clock
        enrollments = Enrollments(world, changes, self._limits)
        inputs = Inputs(world, changes)
        self.portal = CpsPortal(world, changes, enrollments, inputs)
        self._endpoints = [
            *EnrollmentCalls(world, enrollments).endpoints(),
            *ChangeCalls(world, changes, inputs).endpoints(),
            *DeploymentCalls(world).endpoints(),
        ]

    def application(self) -> Starlette:
        operations = [(endpoint.operation, self._handler(endpoint)) for endpoint in self._endpoints]
        return self._gate.application(
            SERVICE,
            [(CONTRACTS, self._list_contracts), (GRANTS, self._list_grants), *operations],
            self._guard,
            self._not_known,
        )

    def live(self, network: Network, server_name: str) -> LiveCertificates | None:
        """Return what a network serves for an SNI name now, or None."""
        return deployments.live(list(self.state.enrollments.values()), network, server_name)

    def _guard(self, operation: Operation, call: Call) -> Response | None:
        try:
            client = self._verifier.verify(call)
            self._authorize(client, operation, call)
        except GatewayRefused as refusal:
            return gateway_problem(refusal, call, self._world.ids, real_now=real_now())
        return None if operation in (CONTRACTS, GRANTS) else self._limits.refusal(operation.name)

    def _authorize(self, client: ApiClient, operation: Operation, call: Call) -> None:
        switch_key = call.query.get("accountSwitchKey")
        if switch_key is not None and switch_key not in client.account_switch_keys:
            raise _forbidden("The client does not have access to the account of the account switch key")
        if operation.mutates and not client.may_write:
            raise _forbidden("The client does not have the grant needed for the request")
        enrollment = self.state.enrollments.get(call.path.get("enrollment", 0))
        if enrollment is not None and enrollment.contract not in client.contracts:
            raise _forbidden("The client does not have access to the contract of the enrollment")

    def _handler(self, endpoint: Endpoint) -> Callable[[Call], Response]:
        def handle(call: Call) -> Response:
            try:
                asked = self._asked(endpoint, call)
                answered = endpoint.act(asked)
            except Refused as refusal:
                return problem(refusal, call, self._world.ids)
            except NotInTheSandbox as missing:
                return not_in_the_sandbox(call, self._world.ids, str(missing))
            headers = {**self._limits.headers(), **answered.headers}
            return Response(json.dumps(answered.body), answered.status, headers, media_type=str(asked.accept))

        return handle

    def _asked(self, endpoint: Endpoint, call: Call) -> Asked:
        content = None
        if endpoint.takes:
            content = media.content(call.header("content-type"), endpoint.takes, self.options)
        accept = media.accepted(call.header("accept"), endpoint.gives, self.options)
        return Asked(call=call, client=self._client(call), accept=accept, content=content)

    def _client(self, call: Call) -> ApiClient:
        token = client_token_of(call)
        return next(client for client in self.state.clients if client.client_token == token)

    def _list_contracts(self, call: Call) -> Response:
        depth = call.query.get("depth", "TOP")
        if depth not in ("TOP", "ALL"):
            return problem(invalid_request(f"depth must be TOP or ALL, not [{depth}]."), call, self._world.ids)
        return Response(json.dumps(self._client(call).contracts), media_type="application/json")

    def _list_grants(self, call: Call) -> Response:
        client = self._client(call)
        scope = "https://luna.akamaiapis.net/-/scope"
        grants = {"contracts": "READ-ONLY", "cps": "READ-WRITE" if client.may_write else "READ-ONLY"}
        return Response(
            json.dumps(
                {
                    "name": client.user,
                    "createdBy": "admin",
                    "scope": " ".join(f"{scope}/{api}/-/{access}" for api, access in grants.items()),
                }
            ),
            media_type="application/json",
        )

    def _not_known(self, call: Call) -> Response:
        return not_in_the_sandbox(call, self._world.ids)


def _forbidden(detail: str) -> GatewayRefused:
    return GatewayRefused(403, "pep-authz/deny", "Forbidden", detail)
