"""Verify: shake hands with the edge for every name, and judge what it shows. No credentials are needed for that."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

from reconciler.execution.sidebyside import side_by_side
from reconciler.model.certificate import DesiredCertificate, State
from reconciler.model.names import DnsName
from reconciler.model.policy import Policy
from reconciler.planning.case import Trust
from reconciler.planning.edge_checks import EdgeVerdict, judge_edge
from reconciler.ports import Dns, Edge

NETWORKS = ("staging", "production")
_AT_ONCE = 8  # handshakes side by side: each may wait for a timeout
_EDGE_HOSTS = (".edgekey.net", ".edgesuite.net")
_NO_HOST = "no name leads to an edge hostname: write verify.edgeHost in its file"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verifier:
    """Looks at the edge. `addressed`: the networks whose addresses are given, and need not be found by DNS."""

    edge: Edge
    dns: Dns
    trust: Trust
    policy: Policy
    now: datetime
    addressed: frozenset[str] = frozenset()

    def verify(self, certificates: Sequence[DesiredCertificate], networks: Sequence[str]) -> tuple[EdgeVerdict, ...]:
        """Return a verdict for each certificate that is to be there, on each network."""
        wanted = [one for one in certificates if one.state is State.PRESENT]
        work = [partial(self._verdict, one, network) for one in wanted for network in networks]
        return tuple(side_by_side(work, at_most=_AT_ONCE))

    def _verdict(self, desired: DesiredCertificate, network: str) -> EdgeVerdict:
        shown = {
            name: self.edge.handshakes(network, name, self._host(desired, network, name))
            for name in sorted(desired.sans)
        }
        asked = {name: handshakes for name, handshakes in shown.items() if handshakes}
        if not asked:
            return EdgeVerdict(desired=desired, network=network, leaves=(), skipped=_NO_HOST)
        verdict = judge_edge(desired, network, asked, trust=self.trust, policy=self.policy, now=self.now)
        if unasked := shown.keys() - asked.keys():
            text = f"not asked, since no edge hostname is known: {', '.join(sorted(unasked))}"
            return replace(verdict, warnings=(*verdict.warnings, text))
        return verdict

    def _host(self, desired: DesiredCertificate, network: str, name: DnsName) -> str | None:
        """Return whom to ask for `name`: the edge hostname of the file; else for production the name itself, for
        staging the edge hostname that the name leads to."""
        if network in self.addressed or desired.verify_edge_host is not None:
            return desired.verify_edge_host
        asked = DnsName(name.replace("*", "www", 1))
        if network == "production":
            return asked
        aliases = self.dns.aliases(asked).aliases
        return next((alias for alias in aliases if alias.endswith(_EDGE_HOSTS)), None)
