"""Where the table of phases and kinds is played: many certificates on one sandbox, each brought to its own phase.

What CPS or SCM works on is held there by making that work long; what waits for certrecon is left out of the runs that
bring the others on. So a second run, without the clock moved, has nothing to do.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from reconciler.planning.steps import ActionKind
from tests.support.control import Control
from tests.support.phases import CERTIFICATE_KINDS, Row, Stop, Twist
from tests.support.program import Finished, Program

_HOLD, _QUICK = "60d", "1s"
_WORKS = ("checks_s", "csr_s", "verify_s", "slot_files_s", "live_check_s", "staging_s", "production_s", "removal_s")
_ISSUES = ("issue_dv_s", "issue_ov_s", "issue_ev_s")
_ANCHOR = "anchor.example.com"
_OVERLAP = [{"id": "SNI_DNS_OVERLAP"}]
_MUTUAL = {"setId": "4711", "sendCaListToClient": True}
_PROFILES = {Stop.ORDERED: "EV Multi-Domain", Stop.WARNINGS: "DV Multi-Domain"}
_BUDGETS = "budgets: {orders: 500, ordersPerDay: 500, deletes: 50, revokes: 50, cancels: 50, changedPercent: 100}"


@dataclass(kw_only=True)
class PhaseStage:
    program: Program
    control: Control
    rows: Sequence[Row]
    _names: dict[str, str] = field(default_factory=dict)  # common names, by row
    _documents: dict[str, dict[str, Any]] = field(default_factory=dict)  # files, by row

    # Judging

    def planned(self) -> dict[str, tuple[str, str | None]]:
        """Return each row's phase and action, as the plan shows them."""
        plan = json.loads(self.program.run("plan", "--format", "json").stdout)
        return {
            one["name"]: (one["work"]["phase"], one["action"] and one["action"]["kind"])
            for one in plan["certificates"]
            if one["name"] in self._names
        }

    def apply(self) -> Finished:
        """Run `apply` for all, with what rows need on the command line."""
        return self._apply(self.rows, "--format", "json", final=True)

    # Bringing

    def bring(self) -> None:
        """Bring each certificate to its phase, and hold it there."""
        self._configure()
        self._seed()
        self._begin()
        self._to_csr()
        self._order()
        self._upload()
        self._deploy()
        self._interfere()
        for name in self._names:
            self._write(name)
        self._durations(_HOLD)
        self._set(status_lag_s=_HOLD)
        self._apply(self._at(Stop.UPLOADED))  # last: an answer that CPS does not show for long is given again
        self._set(status_lag_s=0)

    def _configure(self) -> None:
        path = self.program.repository / "certrecon.yaml"
        text = path.read_text()
        before = "budgets: {orders: 50, ordersPerDay: 200}"
        assert before in text
        path.write_text(text.replace(before, _BUDGETS))
        self._set(rate_limits="unlimited", approvals="manual", auto_renewal_days=0)
        self._durations(_QUICK)

    def _seed(self) -> None:
        """Have a deployed enrollment for each row but those that create one; those to renew are due for age."""
        due = [row for row in self.rows if row.kind is ActionKind.RENEW]
        young = [row for row in self.rows if row.kind not in (ActionKind.RENEW, ActionKind.CREATE)]
        for some, number_due in ((due, len(due)), (young, 0)):
            if some:
                sown = self.control.post("/seed", {"count": len(some), "due": number_due, "files": True})
                self.program.write("certificates/_defaults.yaml", sown["files"].pop("_defaults.yaml"))
                names = (file.removesuffix(".yaml") for file in sorted(sown["files"]))
                self._names.update(zip((row.name for row in some), names, strict=True))
        for row in self.rows:
            self._names.setdefault(row.name, f"{row.name}.example.com")
        managed = [row for row in self.rows if row.kind not in (ActionKind.ADOPT, ActionKind.CREATE)]
        for row in managed:
            self._documents[row.name] = _document(self._names[row.name])
            self._write(row.name)
        # A run that finds them as their files say makes them managed. Those that are due for age need none.
        self._apply(row for row in managed if row.kind is not ActionKind.RENEW)

    def _begin(self) -> None:
        """Write what is wanted, and have the changes opened of all that is not judged before."""
        for row in self.rows:
            self._documents[row.name] = self._wanted(row)
            if row.stop is not Stop.START or row.kind is ActionKind.ADOPT:
                self._write(row.name)
        overlapping = [self._names[row.name] for row in self.rows if row.stop is Stop.PREWARNINGS]
        self._set(checks_s=_HOLD)
        if overlapping:  # another enrollment has their names: CPS asks about it
            self._documents["anchor"] = {**_document(_ANCHOR), "dnsNames": overlapping}
            self._write("anchor")
            self.program.apply("--target", "anchor", wait="0s")
        self._open(self._at(Stop.PRECHECKS))
        self._set(checks_s=_QUICK)

    def _to_csr(self) -> None:
        self._open(row for row in self._certificates() if row.stop is not Stop.PRECHECKS)
        self._pass()

    def _order(self) -> None:
        self._issue_after(_HOLD)
        self._apply(self._at(Stop.ORDERED, Stop.VALIDATING, Stop.REFUSED))
        self._pass()
        self._issue_after(_QUICK)
        orders = {order["common_name"]: order for order in self.control.get("/state")["orders"]}
        for row in self._at(Stop.REFUSED):
            self.control.post("/scm/reject", {"ssl_id": orders[self._names[row.name]]["ssl_id"]})
        self._apply(row for row in self._certificates() if row.stop in _ISSUED)
        self._pass()

    def _upload(self) -> None:
        self._set(verify_s=_HOLD)
        self._apply(self._at(Stop.CHECKING))
        self._set(verify_s=_QUICK, staging_s=_HOLD)
        self._apply(self._at(Stop.STAGING))  # an update opens its change by this
        self._pass()
        self._set(staging_s=_QUICK)
        self._apply(row for row in self._certificates() if row.stop in _REVIEWED)
        self._apply(row for row in self._settings() if row.stop in (*_REVIEWED, Stop.ERROR, Stop.SUSPENDED))
        self._pass()

    def _deploy(self) -> None:
        self._set(production_s=_HOLD)
        self._apply(self._at(Stop.SCHEDULED, Stop.DEPLOYING))
        self._apply(self._at(Stop.GONE))
        self._pass()
        self._set(removal_s=_HOLD)
        self._apply(self._at(Stop.REMOVING))

    def _interfere(self) -> None:
        """Do what a person does, or CPS by itself."""
        enrollments = {one["common_name"]: one for one in self.control.get("/state")["enrollments"]}
        orders = {one["common_name"]: one for one in self.control.get("/state")["orders"]}
        for row in self.rows:
            name = self._names[row.name]
            if row.stop is Stop.ERROR:
                self.control.post("/cps/fail", {"enrollment_id": enrollments[name]["id"]})
            elif row.stop is Stop.SUSPENDED:
                self.control.post("/cps/suspend", {"enrollment_id": enrollments[name]["id"]})
            elif row.kind is ActionKind.CANCEL or row.twist is Twist.HELD:
                change = self.control.post("/cps/open_renewal", {"enrollment_id": enrollments[name]["id"]})["result"]
                if row.kind is ActionKind.CANCEL:
                    self._documents[row.name]["akamai"]["cancelChange"] = change
            elif row.kind is ActionKind.REVOKE:
                self._documents[row.name]["revoke"] = [self._old_serial(orders[name]["ssl_id"])]
            elif row.twist in (Twist.MUTUAL, Twist.MUTUAL_LATE):
                self._documents[row.name]["akamai"]["clientMutualAuthentication"] = _MUTUAL

    def _old_serial(self, ssl_id: int) -> dict[str, str]:
        """Have a further certificate issued that nobody serves; return its revocation."""
        renewed = self.control.post("/scm/renew", {"ssl_id": ssl_id})["result"]["ssl_id"]
        self._pass()
        (serial,) = (one["serial"] for one in self.control.get("/state")["orders"] if one["ssl_id"] == renewed)
        return {"serial": serial, "reason": "superseded"}

    # Which

    def _at(self, *stops: Stop) -> list[Row]:
        return [row for row in self.rows if row.stop in stops]

    def _certificates(self) -> Iterator[Row]:
        """Yield the rows under way that need a certificate."""
        for row in self.rows:
            if row.stop is not Stop.START and (row.kind in CERTIFICATE_KINDS or row.twist is Twist.CPS_RENEWS):
                yield row

    def _settings(self) -> Iterator[Row]:
        return (row for row in self.rows if row.kind is ActionKind.UPDATE and row.twist is not Twist.CPS_RENEWS)

    # Files

    def _wanted(self, row: Row) -> dict[str, Any]:
        """Return the file that asks for what the row is about."""
        name = self._names[row.name]
        document = _document(name)
        akamai, sectigo = document["akamai"], document["sectigo"]
        match row.kind:
            case ActionKind.ADOPT | ActionKind.REISSUE:
                document["dnsNames"].append(f"new-{name}")
            case ActionKind.UPDATE:
                akamai["ocspStapling"] = "off"
            case ActionKind.DELETE:
                (found,) = (one for one in self.control.get("/state")["enrollments"] if one["common_name"] == name)
                document |= {"state": "absent"}
                akamai["enrollmentId"] = found["id"]
            case _:
                pass
        if row.stop in _PROFILES:
            sectigo["profile"] = _PROFILES[row.stop]
        if row.stop is Stop.PREWARNINGS:
            document["acceptWarnings"] = _OVERLAP
        if row.stop is Stop.SCHEDULED:
            akamai["deploy"] = {"notBefore": f"{self._now() + timedelta(days=5):%Y-%m-%d}"}
        return document

    def _write(self, name: str) -> None:
        self.program.write(f"certificates/{name}.yaml", json.dumps(self._documents[name]))

    # Runs and time

    def _open(self, rows: Iterable[Row]) -> None:
        """Open changes; CPS answers some updates of settings with a renewal."""
        rows = list(rows)
        renewing = [row for row in rows if row.twist is Twist.CPS_RENEWS]
        self._apply(row for row in rows if row not in renewing)
        self._set(network_update="renew")
        self._apply(renewing)
        self._set(network_update="redeploy")

    def _apply(self, rows: Iterable[Row], *arguments: str, final: bool = False) -> Finished:
        rows = list(rows)
        targets = [argument for row in rows for argument in ("--target", row.name)]
        adopted = [row.name for row in rows if row.kind is ActionKind.ADOPT]
        given = [argument for name in adopted for argument in ("--allow-adopt", name)]
        for row in rows if final else ():
            given += {
                Twist.RETRY: ["--retry", row.name],
                Twist.MUTUAL_LATE: ["--supersede", row.name],
            }.get(row.twist, [])
        if not rows:
            return Finished(exit_code=0, stdout="", stderr="")
        finished = self.program.apply(*arguments, *targets, *given, wait="0s")
        assert finished.exit_code in (0, 3, 4), finished.stdout + finished.stderr
        return finished

    def _pass(self) -> None:
        """Let time pass: enough for what is quick."""
        self.control.post("/advance", {"by": "2m"})

    def _now(self) -> datetime:
        return datetime.fromisoformat(self.control.get("/clock")["now"])

    def _set(self, **options: Any) -> None:
        self.control.post("/options", options)

    def _durations(self, duration: str) -> None:
        self._set(**dict.fromkeys(_WORKS, duration))
        self._issue_after(duration)

    def _issue_after(self, duration: str) -> None:
        self._set(**dict.fromkeys(_ISSUES, duration))


_REVIEWED = (Stop.WARNINGS, Stop.PROMOTE, Stop.SCHEDULED, Stop.DEPLOYING)
_ISSUED = (Stop.ISSUED, Stop.UPLOADED, Stop.CHECKING, Stop.STAGING, *_REVIEWED)


def _document(common_name: str) -> dict[str, Any]:
    """Return a file that asks for what the seed put in place."""
    label, _, domain = common_name.partition(".")
    return {
        "apiVersion": "certrecon/v1",
        "commonName": common_name,
        "dnsNames": [f"{label}-static.{domain}"],
        "sectigo": {},
        "akamai": {},
    }
