"""Judges what certrecon did, from the sandbox's own state and from what was asked; never from what certrecon says.

An order needs a cause that the referee saw happen: a file that asks for other names or key types than at the run
before, a served certificate that was revoked or is in the second half of its life, names that a person changed in the
portal, or dead work that a person let begin again. There are never more orders of a key type than causes.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from reconciler.sandbox.cps.chains import load_certificate
from reconciler.sandbox.cps.world import deployed_names
from reconciler.sandbox.scm.leaf import serial_hex
from reconciler.sandbox.scm.state import Order, Status
from tests.support.estate import Ask, Estate
from tests.support.left import key_type, keys_of_changes, public_key
from tests.support.program import Finished

_DEAD = frozenset({Status.DECLINED, Status.REJECTED, Status.INVALID, Status.REVOKED})
# What only a file asks for, within a budget; all budgets are zero.
_NEVER = frozenset({"cps.delete_enrollment", "cps.cancel_change", "scm.revoke"})
_CLOSE = timedelta(days=21)  # no certificate is worth a warning before (pki-rules 2.2)
_SPOKEN = frozenset({0, 1, 3, 4, 5, 6})  # exit codes of an apply that was asked properly

Cause = tuple[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """One certificate in production."""

    serial: str
    begins: datetime
    ends: datetime

    def old(self, now: datetime) -> bool:
        """Tell whether it may be due for age: no certificate is, in the first half of its life."""
        return now >= self.begins + (self.ends - self.begins) / 2


Production = dict[tuple[int, str], Served]  # by enrollment id and key type


@dataclass(kw_only=True)
class Referee:
    estate: Estate
    causes: defaultdict[str, set[Cause]] = field(default_factory=lambda: defaultdict(set))  # by common name
    _installed: set[int] = field(default_factory=set)  # orders that were there before certrecon
    _asked: dict[str, tuple[frozenset[str], frozenset[str]]] = field(default_factory=dict)
    _production: Production = field(default_factory=dict)
    _keys: set[str] = field(default_factory=set)
    _rsa_alone: set[str] = field(default_factory=set)  # names whose file has asked for that since both were served

    def begin(self) -> None:
        """Take what is there for given."""
        self._installed = set(self.estate.sandbox.scm.state.orders)
        for ask in self.estate.asks.values():
            self._asked[ask.common_name] = (ask.names, ask.key_types)
        self._production = dict(self._now_served())

    def asked(self, *, retry: Iterable[str] = ()) -> None:
        """Note what the files ask for as a run begins, and what a person lets begin again."""
        for ask in self.estate.asks.values():
            self._note_ask(ask)
        for name in retry:
            self.cause(name, "retry")

    def _note_ask(self, ask: Ask) -> None:
        if not ask.ecdsa:
            self._rsa_alone.add(ask.common_name)
        if ask.declared != "absent" and self._asked.get(ask.common_name) != (ask.names, ask.key_types):
            self._asked[ask.common_name] = (ask.names, ask.key_types)
            self.cause(ask.common_name, "asked")

    def cause(self, common_name: str, why: str, of: object = None) -> None:
        """Note a reason to order. `of` tells it from an equal one; none: each counts."""
        self.causes[common_name].add((why, len(self.causes[common_name]) if of is None else of))

    # Verdicts

    def look(self) -> None:
        """Check all that must hold at any time."""
        self._check_production()
        self._check_keys()
        self._check_orders()
        forbidden = _NEVER & self.estate.sandbox.sandbox.gate.mutating_calls.keys()
        assert not forbidden, f"no budget allows {forbidden}"

    def check_run(self, finished: Finished) -> None:
        """Check that a run said something, and told of no bug."""
        said = finished.stdout + finished.stderr
        assert finished.exit_code in _SPOKEN, said
        assert "Traceback" not in said, said

    def due(self, common_name: str) -> bool:
        """Tell whether a served certificate of a name is old or revoked: what renews it is approved by policy."""
        return any(why in ("old", "revoked") for why, _ in self.causes[common_name])

    def served(self, common_name: str) -> tuple[frozenset[str], frozenset[str]]:
        """Return the names that production serves for a common name, and in which key types."""
        enrollment = self.estate.enrollment(common_name)
        assert enrollment is not None, f"{common_name} has no enrollment"
        kinds = frozenset(kind for number, kind in self._production if number == enrollment.id)
        return deployed_names(enrollment.production), kinds

    def _check_orders(self) -> None:
        placed = Counter((order.common_name, key_type(order.csr_pem)) for order in self._placed())
        for (common_name, kind), count in placed.items():
            causes = self.causes[common_name]
            assert count <= len(causes), f"{count} {kind} orders of {common_name}, for {sorted(map(str, causes))}"

    def _check_keys(self) -> None:
        """One CSR has one order, for ever, and CPS made its key."""
        self._keys |= keys_of_changes(self.estate.sandbox.sandbox)
        of_keys: defaultdict[str, list[Order]] = defaultdict(list)
        for order in self._placed():
            of_keys[public_key(order.csr_pem)].append(order)
        for key, orders in of_keys.items():
            ids = [(order.ssl_id, order.status.value) for order in orders]
            assert len([one for one in orders if one.status not in _DEAD]) <= 1, f"two live orders for one key: {ids}"
            assert len(orders) == 1, f"two orders for one key: {ids}"
            assert key in self._keys, f"an order for a key that CPS did not make: {ids}"

    def _placed(self) -> list[Order]:
        return [order for order in self.estate.orders() if order.ssl_id not in self._installed]

    def _check_production(self) -> None:
        """What is served and valid is never taken away; what takes its place is younger, and valid."""
        before, self._production = self._production, dict(self._now_served())
        now = self.estate.sandbox.clock.now()
        for (enrollment_id, kind), served in before.items():
            follower = self._production.get((enrollment_id, kind))
            gone = follower is None and not self._may_go(enrollment_id, kind, served)
            assert not gone, f"enrollment {enrollment_id} serves no {kind} any more"
            if follower is not None and follower != served:
                assert follower.begins >= served.begins, f"enrollment {enrollment_id} serves an older one again"
        self._note_pairs()
        self._note_ages(before, now)
        self._note_ages(self._production, now)

    def _may_go(self, enrollment_id: int, kind: str, served: Served) -> bool:
        """Tell whether a half may go: RSA stays; another, if RSA alone was asked for, or if it is close to its end."""
        enrollment = self.estate.sandbox.cps.state.enrollments.get(enrollment_id)
        if enrollment is None or kind == "RSA":
            return False
        ending = served.ends - self.estate.sandbox.clock.now() < _CLOSE
        return ending or enrollment.wanted.csr.cn in self._rsa_alone

    def _note_pairs(self) -> None:
        """Forget that RSA alone was asked for, once both are served, wanted, and nothing else is on its way."""
        for name, (_, key_types) in self._asked.items():
            enrollment = self.estate.enrollment(name)
            pair = enrollment is not None and (enrollment.id, "ECDSA") in self._production
            if pair and "ECDSA" in key_types and self.estate.change(name) is None:
                self._rsa_alone.discard(name)

    def _note_ages(self, production: Production, now: datetime) -> None:
        revoked = {order.serial for order in self.estate.orders(Status.REVOKED)}
        for (enrollment_id, _), served in production.items():
            enrollment = self.estate.sandbox.cps.state.enrollments.get(enrollment_id)
            if enrollment is None:
                continue
            if served.old(now):
                self.cause(enrollment.wanted.csr.cn, "old", served.serial)
            if served.serial in revoked:
                self.cause(enrollment.wanted.csr.cn, "revoked", served.serial)

    def _now_served(self) -> Iterator[tuple[tuple[int, str], Served]]:
        for enrollment in self.estate.sandbox.cps.state.enrollments.values():
            for one in enrollment.production.certificates if enrollment.production is not None else ():
                leaf = load_certificate(one.certificate_pem)
                yield (
                    (enrollment.id, one.algorithm),
                    Served(
                        serial=serial_hex(leaf.serial_number),
                        begins=leaf.not_valid_before_utc,
                        ends=leaf.not_valid_after_utc,
                    ),
                )
