"""One certificate of one sandbox, and what people and time do to it between two runs of certrecon."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from tests.support.control import Control
from tests.support.left import Left, left_by_name
from tests.support.program import Finished, Program

if TYPE_CHECKING:
    from reconciler.sandbox.cps.state import Change, DeployedCertificate
    from reconciler.sandbox.scm.state import Order
    from reconciler.sandbox.server import BackgroundSandbox

NAME = "www.example.com"
_FILE = f"certificates/{NAME}.yaml"
DV = "sectigo: {profile: DV Multi-Domain}"  # needs nobody's approval
BOTH = "keyTypes: [RSA-2048, ECDSA-P256]"


@dataclass(frozen=True, kw_only=True)
class Site:
    """www.example.com. Ids of orders and changes are those of the sandbox; lists are oldest first."""

    program: Program
    control: Control
    sandbox: "BackgroundSandbox"

    # What the user does

    def write(self, *lines: str) -> None:
        """Write the certificate's file: these lines below its common name."""
        text = "\n".join(["apiVersion: certrecon/v1", f"commonName: {NAME}", *lines])
        self.program.write(_FILE, text + "\n")

    def apply(self, *arguments: str, wait: str = "48h") -> Finished:
        return self.program.apply(*arguments, wait=wait)

    def plan(self) -> Finished:
        return self.program.plan()

    def deploy(self) -> None:
        """Run until production serves what the file asks for; forget the calls that it took."""
        finished = self.apply()
        assert finished.exit_code == 0, finished.stdout + finished.stderr
        self.control.delete("/calls")

    def apply_until_done(self, *arguments: str, runs: int = 8) -> Finished:
        """Run `apply` again and again, an hour apart, until nothing is left; return the last run."""
        finished = self.apply(*arguments)
        for _ in range(runs):
            if finished.exit_code == 0:
                break
            self.advance("1h")
            finished = self.apply(*arguments)
        assert finished.exit_code == 0, finished.stdout + finished.stderr
        return finished

    def assert_settled(self) -> None:
        """Check that a further plan is empty, and that a further apply changes nothing."""
        planned = self.plan()
        assert (planned.exit_code, "No changes." in planned.stdout) == (0, True), planned.stdout
        self.control.delete("/calls")
        assert self.apply().exit_code == 0
        assert self.mutating == {}

    # What people, time and the services do

    def advance(self, by: str) -> None:
        """Let time pass. Domain validations end in it: somebody validates again."""
        self.control.post("/advance", {"by": by})
        self.control.post("/scm/validate_domain", {"name": "example.com"})

    def set(self, **options: Any) -> None:
        self.control.post("/options", options)

    def fault(self, operation: str, kind: str, **fields: Any) -> None:
        self.control.post("/faults", {"operation": operation, "kind": kind, **fields})

    def at_scm(self, deed: str, ssl_id: int, **parameters: Any) -> Any:
        return self.control.post(f"/scm/{deed}", {"ssl_id": ssl_id, **parameters})["result"]

    def at_cps(self, deed: str, **parameters: Any) -> Any:
        return self.control.post(f"/cps/{deed}", {"enrollment_id": self.enrollment_id, **parameters})["result"]

    # What there is

    @property
    def left(self) -> Left:
        return left_by_name(self.sandbox.sandbox)[NAME]

    @property
    def enrollment_id(self) -> int:
        (found,) = self.sandbox.cps.state.enrollments
        return found

    @property
    def orders(self) -> list["Order"]:
        return list(self.sandbox.scm.state.orders.values())

    @property
    def changes(self) -> list["Change"]:
        return list(self.sandbox.cps.state.changes.values())

    @property
    def pending(self) -> "Change":
        number = self.sandbox.cps.state.enrollments[self.enrollment_id].pending
        assert number is not None
        return self.sandbox.cps.state.changes[number]

    @property
    def production(self) -> list["DeployedCertificate"]:
        """What production serves."""
        deployment = self.sandbox.cps.state.enrollments[self.enrollment_id].production
        return [] if deployment is None else deployment.certificates

    def issuing_ca(self, key_type: Literal["RSA", "EC"] = "RSA", *, root: bool = False) -> str:
        """Return what a chain of DV certificates holds in PEM, with or without the root that does not belong there."""
        chain = self.sandbox.sandbox.authority.chain("DV", key_type, cross=False)
        return chain.issuing + chain.root if root else chain.issuing

    @property
    def mutating(self) -> dict[str, int]:
        """Count the mutating calls, by operation."""
        found: dict[str, int] = self.control.get("/calls")["mutating"]
        return found

    @property
    def calls(self) -> dict[str, int]:
        found: dict[str, int] = self.control.get("/calls")["calls"]
        return found
