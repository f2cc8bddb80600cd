"""Where a scenario is played: one sandbox, one repository, and what must hold when the last run is over."""

import contextlib
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.planning.steps import HOUSEKEEPING
from reconciler.services.http import Answer, Request, Transport
from tests.faults.crash.scenarios import Scenario, text_of
from tests.support.control import Control
from tests.support.crash import Alone, Send, Surroundings, intercepted
from tests.support.journals import check_appends, check_journal
from tests.support.left import keys_of_changes, left_by_name, orders_by_key
from tests.support.locks import git
from tests.support.program import Finished, Program

if TYPE_CHECKING:
    from reconciler.sandbox.server import BackgroundSandbox

RUNS = 8  # an hour apart: more than any scenario needs after one fault
APPLY = ("apply", "--auto-approve", "--wait", "48h")
PATIENT = ("--lock-timeout", "2m")  # of real time: until the lock of a run that has died expires


@dataclass(frozen=True, kw_only=True)
class Stage:
    scenario: Scenario
    program: Program
    sandbox: "BackgroundSandbox"
    control: Control
    remote: Path | None = None  # of lock and journal; None: they are in a folder

    def prepare(self) -> None:
        """Play what comes before the run that is struck, and write the files of that."""
        if self.scenario.before:
            self._write(self.scenario.before)
            finished = self.run()
            assert finished.exit_code == 0, finished.stdout
        for path, body in self.scenario.acts:
            self.control.post(path, body)
        self._write(self.scenario.after)
        self.control.delete("/calls")

    def _write(self, files: Mapping[str, str | None]) -> None:
        serials = {order.ssl_id: order.serial for order in self.sandbox.scm.state.orders.values()}
        for name, text in files.items():
            if text is None:
                (self.program.repository / "certificates" / name).unlink()
            else:
                self.program.write(f"certificates/{name}", text_of(text, serials))

    def run(self) -> Finished:
        return self.program.run(*APPLY, *PATIENT)

    def begin(self, *options: str, inside: Surroundings = contextlib.nullcontext, log: str = "run.log") -> Alone:
        """Begin `apply` in a process of its own, inside of what `inside` makes."""
        return Alone(self.program.repository, self.program.environment, *APPLY, *options, inside=inside, log=log)

    def run_struck(self, inside: Surroundings) -> int:
        """Run `apply` in a process of its own, inside of what strikes it; return its exit code."""
        with self.begin(*PATIENT, inside=inside) as alone:
            code = alone.wait()
            assert "Traceback" not in alone.said, alone.said
        return code

    def run_until_done(self) -> list[Finished]:
        """Run `apply` again and again, an hour apart, until it says that nothing is left."""
        finished = []
        for _ in range(RUNS):
            finished.append(self.run())
            if finished[-1].exit_code == 0:
                break
            self.control.post("/advance", {"by": "1h"})
        return finished

    @contextlib.contextmanager
    def recording(self) -> Iterator[list[str]]:
        """Give a list that fills with the mutating calls of runs in this process, by the sandbox's names for them."""
        calls: list[str] = []
        counted = self.sandbox.sandbox.gate.mutating_calls

        def note(_transport: Transport, _request: Request, send: Send) -> Answer:
            before = Counter(counted)
            answer = send()
            calls.extend((counted - before).elements())
            return answer

        with intercepted(note):
            yield calls

    def mutating_calls(self) -> int:
        """Return how many calls that change something have reached the services since `prepare`."""
        total: int = self.control.get("/calls")["mutating_total"]
        return total

    def appends(self) -> int:
        """Return how many appends to the journal are on the remote."""
        assert self.remote is not None
        return int(git(self.remote, "rev-list", "--count", "--glob=refs/certrecon/journal"))

    def fault_struck(self) -> bool:
        """Tell whether the one fault that was armed has met its call."""
        (fault,) = self.control.get("/faults")["faults"]
        met: bool = fault["seen"] >= fault["nth"]
        return met

    def check_the_end(self, finished: list[Finished]) -> None:
        """Check that all came to its end, once: one of everything, on both networks, and nothing left to do."""
        assert finished[-1].exit_code == 0, finished[-1].stdout + finished[-1].stderr
        for one in finished:
            assert "Traceback" not in one.stderr, one.stderr
        self._settle_bookkeeping()
        self.check_what_is_left()
        self.check_the_journal()
        planned = self.program.plan()
        assert (planned.exit_code, "No changes." in planned.stdout) == (0, True), planned.stdout

    def _settle_bookkeeping(self) -> None:
        """Run once more where bookkeeping may still be on its way: no run waits for it, and one after an hour sees."""
        left = check_journal(self.program.repository, self.program.environment).open
        assert {one.intent.operation for one in left} <= HOUSEKEEPING, "an intent was never closed"
        if left:
            time.sleep(2.5)  # noqa: TID251 - it settles in real time too: 1.2 times the lock's 2 s
            self.control.post("/advance", {"by": "1h"})
            finished = self.run()
            assert finished.exit_code == 0, finished.stdout + finished.stderr

    def check_the_journal(self) -> None:
        """Check that the journal can be read, by us and by `history`, and is whole: no append is missing or torn."""
        state = check_journal(self.program.repository, self.program.environment)
        assert state.open == (), "an intent was never closed"
        if self.remote is not None:
            check_appends(self.remote)
        for path in sorted((self.program.repository / "certificates").glob("[!_]*.yaml")):
            told = self.program.run("history", path.stem)
            assert (told.exit_code, told.stderr) == (0, ""), told.stderr

    def check_what_is_left(self) -> None:
        world = self.sandbox.sandbox
        left = left_by_name(world)
        assert left == dict(self.scenario.left), f"left are {left}"
        of_keys = orders_by_key(world)
        assert max(of_keys.values(), default=0) <= 1, "two orders for one CSR"
        assert set(of_keys) <= keys_of_changes(world), "an order for a key that CPS did not make"
