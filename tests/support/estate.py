"""A few certificates with their files, and all that people do to them: in git, in both portals, at the command line.

For tests that play a long story on one sandbox. Nothing here judges; `referee` does.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, TypeVar

from reconciler.sandbox.cps.problems import Refused
from reconciler.sandbox.cps.state import Change, Enrollment
from reconciler.sandbox.cps.world import deployed_names
from reconciler.sandbox.scm.errors import RefusedError
from reconciler.sandbox.scm.state import Order, Status
from reconciler.sandbox.server import BackgroundSandbox
from tests.support.control import Control
from tests.support.program import Finished, Program

DOMAINS = ("example.com", "example.net", "example.org", "example.co.uk")
PORTAL_USER = "portal-user"
_MERGE, _PLAN = "policy:\n", "policy:\n  approval: plan\n"

# One name in two certificates is meant.
_OVERLAPS = [{"id": "SNI_DNS_OVERLAP"}, {"id": "OVERLAPPING_TRAFFIC_CLASS"}]
_SANS_REMOVED = "SANS_REMOVED_REQUIRE_ACKNOWLEDGEMENT"

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """What one file asks for."""

    common_name: str
    further: frozenset[str] = frozenset()
    ecdsa: bool = False
    stapling: bool = True
    declared: str = ""  # what no budget allows: "absent", "revoke" or "cancel"

    @property
    def names(self) -> frozenset[str]:
        return self.further | {self.common_name}

    @property
    def key_types(self) -> frozenset[str]:
        return frozenset({"RSA", "ECDSA"} if self.ecdsa else {"RSA"})


@dataclass(kw_only=True)
class Estate:
    sandbox: BackgroundSandbox
    program: Program
    asks: dict[str, Ask] = field(default_factory=dict)  # by common name, which names the file too

    # What is there

    def enrollment(self, common_name: str) -> Enrollment | None:
        found = self.sandbox.cps.state.enrollments.values()
        return next((one for one in found if one.wanted.csr.cn == common_name), None)

    def change(self, common_name: str) -> Change | None:
        """Return the pending change of a name."""
        enrollment = self.enrollment(common_name)
        pending = enrollment.pending if enrollment is not None else None
        return None if pending is None else self.sandbox.cps.state.changes[pending]

    def orders(self, *statuses: Status) -> list[Order]:
        """Return the orders of these statuses, oldest first; all orders if none is named."""
        orders = sorted(self.sandbox.scm.state.orders.values(), key=lambda order: order.ssl_id)
        return [order for order in orders if not statuses or order.status in statuses]

    # In git

    def seed(self, count: int, *, term_days: int = 0) -> None:
        """Put deployed enrollments in place that nobody has managed yet, with the files that ask for just these."""
        control = Control(self.sandbox.urls["control"], self.sandbox.urls["ca_file"])
        files = control.post("/seed", {"count": count, "term_days": term_days, "files": True})["files"]
        self.program.write("certificates/_defaults.yaml", files.pop("_defaults.yaml"))
        for enrollment in self.sandbox.cps.state.enrollments.values():
            csr = enrollment.wanted.csr
            self.ask(Ask(common_name=csr.cn, further=frozenset(csr.names) - {csr.cn}))

    def ask(self, ask: Ask) -> None:
        """Write a file as a person would after a look at the plan: the removal of names is reviewed, and listed."""
        self.asks[ask.common_name] = ask
        self.program.write(self._path(ask.common_name), json.dumps(self._document(ask)))  # JSON is YAML

    def forget(self, common_name: str) -> None:
        del self.asks[common_name]
        (self.program.repository / self._path(common_name)).unlink()

    def review(self) -> None:
        """Write all files anew, with nothing declared that no budget allows, and today's removals accepted."""
        for ask in tuple(self.asks.values()):
            self.ask(replace(ask, declared=""))

    def approve_by_plan(self, *, wanted: bool) -> None:
        """Let only approved plan files run, or all that stands on the branch."""
        path = self.program.repository / "certrecon.yaml"
        text = path.read_text().replace(_PLAN, _MERGE)
        path.write_text(text.replace(_MERGE, _PLAN) if wanted else text)

    @staticmethod
    def _path(common_name: str) -> str:
        return f"certificates/{common_name}.yaml"

    def _document(self, ask: Ask) -> Mapping[str, Any]:
        enrollment = self.enrollment(ask.common_name)
        removed = sorted(deployed_names(enrollment.production) - ask.names) if enrollment is not None else []
        akamai: dict[str, Any] = {"ocspStapling": "on" if ask.stapling else "off"}
        document: dict[str, Any] = {
            "apiVersion": "certrecon/v1",
            "commonName": ask.common_name,
            "dnsNames": sorted(ask.further),
            "keyTypes": ["RSA-2048", "ECDSA-P256"] if ask.ecdsa else ["RSA-2048"],
            "acceptWarnings": [*_OVERLAPS, *([{"id": _SANS_REMOVED, "names": removed}] if removed else [])],
            "akamai": akamai,
        }
        change = self.change(ask.common_name)
        if ask.declared == "absent" and enrollment is not None:
            document["state"] = "absent"
            akamai["enrollmentId"] = enrollment.id
        if ask.declared == "cancel" and change is not None:
            akamai["cancelChange"] = change.id
        if ask.declared == "revoke" and (serials := self._unserved(ask.common_name, enrollment)):
            document["revoke"] = [{"serial": serials[-1], "reason": "superseded"}]
        return document

    def _unserved(self, common_name: str, enrollment: Enrollment | None) -> list[str]:
        deployment = enrollment.production if enrollment is not None else None
        served = {one.certificate_pem for one in deployment.certificates} if deployment is not None else set()
        issued = (order for order in self.orders(Status.ISSUED) if order.common_name == common_name)
        return [order.serial for order in issued if order.leaf_pem not in served]

    # In the portals, and time

    def deed(self, act: Callable[[], Result]) -> bool:
        """Have a person do something in a portal; tell whether the service let them."""

        def tried() -> bool:
            try:
                act()
            except (Refused, RefusedError):
                return False
            return True

        return self.sandbox.run(tried)

    def validate_everything(self) -> None:
        """Validate all domains and the organization today."""
        scm = self.sandbox.scm.portal
        for domain in DOMAINS:
            self.deed(partial(scm.validate_domain, domain))
        self.deed(partial(scm.validate_organization, "Example Ltd"))

    # At the command line

    def apply(self, *arguments: str, wait: str = "0s", retry: Iterable[str] = ()) -> Finished:
        named = [argument for name in retry for argument in ("--retry", name)]
        return self.program.apply("--format", "json", *named, *arguments, wait=wait)
