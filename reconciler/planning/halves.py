"""The key types of one change, each from its CSR to its issued certificate: what to order, what to upload."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from reconciler.model.certificate import (
    IssuerClass,
    KeyType,
)
from reconciler.model.enrollment import UploadHalf
from reconciler.planning.checks import Examined, check_halves
from reconciler.planning.csr_checks import TOO_OLD
from reconciler.planning.findings import errors
from reconciler.planning.half import Half, Surroundings, broken_rules, half_of, kind_ordered
from reconciler.planning.order_requests import Ordering, submit_order, untagged_order
from reconciler.planning.order_waits import checks_failed, dead_order, order_under_way, placed_by_hand
from reconciler.planning.profiles import Kind
from reconciler.planning.steps import Act, ActionKind, Actor, Blocked, Decision, Phase, Wait
from reconciler.planning.tags import key_of
from reconciler.planning.warnings import Evidence

_RSA_ALONE_AFTER = timedelta(hours=24)  # a new certificate's other half is not waited for longer (DESIGN, Key types)


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """Halves that may be uploaded together."""

    halves: tuple[UploadHalf, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Halves:
    """All wanted key types of one change, RSA first."""

    of: Surroundings
    halves: tuple[Half, ...]

    @property
    def unordered(self) -> int:
        """How many of them no order, alive or dead, is known to hold."""
        return sum(not half.live and not half.dead for half in self.halves)

    @property
    def outlived(self) -> bool:
        """Whether age alone forbids to order, and nothing is ordered, or may have been."""
        found = {finding.rule for half in self.halves for finding in errors(half.findings)}
        ordered = any(half.live or half.dead for half in self.halves)
        return found == {TOO_OLD} and not ordered and self.uncertain() is None

    def died(self, uploaded: frozenset[int]) -> Blocked | None:
        """Tell of an order that was revoked after its certificate was uploaded, or that none lives."""
        dead = [half for half in self.halves if half.dead and not half.live]
        serials = {half.key_type: {one.order.serial for one in half.dead} for half in dead}
        lost = [half for half in dead if serials[half.key_type] & uploaded or not self.serials()]
        return dead_order(lost[0], self.of.desired.name) if lost else None

    def serials(self) -> frozenset[int]:
        """Return the serials of the change's issued certificates, as far as SCM says them."""
        return frozenset(
            tagged.order.serial for half in self.halves for tagged in half.live if tagged.order.serial is not None
        )

    def evidence(self) -> Evidence:
        """Return what our own checks proved, of all the halves that are issued together."""
        examined = [half.examined for half in self.halves if half.examined is not None]
        kinds = {kind_ordered(self.of.desired, half.live[0].order) for half in self.halves if half.live}
        if not examined:
            return Evidence(kind=_only(kinds))
        sound = {rule for one in examined for rule in broken_rules(one)}
        private = self.of.desired.order.issuer is IssuerClass.PRIVATE
        return Evidence(
            kind=_only(kinds),
            path_verified=not sound & {"CERT-04", "CERT-05"},
            private_root_allowed=private and all(one.path is IssuerClass.PRIVATE for one in examined),
            term_as_ordered="CERT-03" not in sound,
        )

    def next_step(self, ordering: Ordering) -> Decision | Upload | None:
        """Return the orders to place, else what to upload, else what is waited for or in the way.

        None: the work is dead, and a person lets it begin again.
        """
        if self.of.retry and any(half.dead and not half.live for half in self.halves):
            return None
        if stop := self._wrong():
            return stop
        if uncertain := self.uncertain():
            return uncertain
        submit = tuple(
            submit_order(self.of, half, half.csr, ordering)
            for half in self.halves
            if half.csr is not None and not half.live and not half.dead
        )
        if submit and (by_hand := untagged_order(submit[0], self.of.book)) is not None:
            return placed_by_hand(by_hand, self.of.desired.name)
        if submit:
            kinds = " and ".join(step.key_type for step in submit)
            return Act(
                phase=Phase.CSR,
                kind=ActionKind.RESUME,
                cause=ordering.cause,
                steps=submit,
                reason="csr-ready",
                text=f"the {kinds} CSR has no order" if len(submit) == 1 else f"the {kinds} CSRs have no orders",
                notes=ordering.terms.notes,
            )
        return self.issued() or self.waiting()

    def uncertain(self) -> Wait | None:
        """Tell of an order whose answer was lost: it is not placed again before it must have shown (the order rule)."""
        for half in self.halves:
            until = self.of.uncertain.get(key_of(half.csr.spki_sha256)) if half.csr is not None else None
            if until is not None and until > self.of.now and not half.live and not half.dead:
                return Wait(
                    phase=Phase.ORDERED,
                    actor=Actor.SCM,
                    text=f"the answer to the {half.key_type} order was lost; the order may show yet",
                    poll=timedelta(minutes=1),
                    until=until,
                )
        return None

    def _wrong(self) -> Blocked | Wait | None:
        """Tell what must not go on: a CSR that is not as planned, two orders for one key, a stranger's order."""
        for half in self.halves:
            if half.csr is None:
                return Wait(
                    phase=Phase.CSR,
                    actor=Actor.CPS,
                    text=f"CPS shows no {half.key_type} CSR yet",
                    poll=timedelta(minutes=1),
                )
            if found := errors(half.findings):
                return checks_failed(Phase.CSR, half, found, "The change must be replaced: cancel it in the portal.")
        return None

    def issued(self) -> Upload | Blocked | None:
        """Return the upload once every half is issued; RSA alone once it has waited long enough for the other."""
        for half in self.halves:
            if half.examined is not None and (found := errors(half.examined.findings)):
                remedy = half.examined.remedy or "Do not use it; ask Sectigo, and cancel the change."
                return checks_failed(Phase.ISSUED, half, found, remedy)
        issued = {half.key_type: half.examined for half in self.halves if half.examined is not None}
        if len(issued) == len(self.halves):
            return self._checked(issued, ())
        rsa = next((half for half in self.halves if half.key_type is KeyType.RSA and half.examined), None)
        if rsa is None or rsa.examined is None or self._alone_at(rsa) > self.of.now:
            return None
        note = f"the ECDSA half is not issued {self._patience()}: RSA is uploaded alone"
        return self._checked({KeyType.RSA: rsa.examined}, (note,))

    def _alone_at(self, rsa: Half) -> datetime:
        """Return when RSA goes without the other half: a served certificate can wait, a new one a day."""
        if self.of.warn_at is not None:
            return self.of.warn_at
        return (rsa.live[0].order.issued_at or self.of.now) + _RSA_ALONE_AFTER

    def _patience(self) -> str:
        if self.of.warn_at is not None:
            return f"by {self.of.warn_at:%Y-%m-%d %H:%M} UTC, the level of warnings"
        return "24 h after the RSA half"

    def _checked(self, issued: Mapping[KeyType, Examined], notes: tuple[str, ...]) -> Upload | Blocked:
        if found := errors(check_halves(issued)):
            return checks_failed(
                Phase.ISSUED, self.halves[0], found, "Ask Sectigo, and cancel the change in the portal."
            )
        halves = tuple(
            UploadHalf(
                key_type=key_type,
                leaf_pem=examined.leaf.pem,
                chain_pem="".join(one.pem if one.pem.endswith("\n") else f"{one.pem}\n" for one in examined.chain),
            )
            for key_type, examined in sorted(issued.items(), reverse=True)
        )
        said = tuple(str(finding) for one in issued.values() for finding in one.findings if not finding.skipped)
        return Upload(halves=halves, notes=(*notes, *dict.fromkeys(said)))

    def waiting(self) -> Wait | Blocked:
        """Say who has to act on the halves that are not issued. A dead one blocks, but ECDSA beside a living RSA."""
        pending = [half for half in self.halves if half.live and half.examined is None]
        dead = [half for half in self.halves if half.dead and not half.live]
        rsa = next((half for half in self.halves if half.key_type is KeyType.RSA and half.live), None)
        if dead and rsa is None:
            return dead_order(dead[0], self.of.desired.name)  # ECDSA is never uploaded alone where RSA is wanted too
        if pending or rsa is None:
            return order_under_way(pending[0].live[0].order, self.of.now)
        refused = dead[0].dead[-1].order
        return Wait(
            phase=Phase.ISSUED,
            actor=Actor.SCM,
            text=f"order {refused.ssl_id} (ECDSA) is {refused.status_text}; RSA is uploaded alone if ECDSA is not"
            f" issued {self._patience()}",
            poll=timedelta(hours=1),
            until=self._alone_at(rsa),
            remedy=f"`certrecon apply --retry {self.of.desired.name}` begins both anew.",
        )


def halves_of(of: Surroundings) -> Halves:
    """Join CSRs, orders and issued certificates of one change, for each wanted key type."""
    halves = tuple(half_of(of, key_type) for key_type in sorted(of.desired.wanted_key_types, reverse=True))
    # A change that adds the missing half shows no CSR of the one that is served: that one stays as it is.
    added = tuple(half for half in halves if half.csr is not None or half.live or half.dead)
    return Halves(of=of, halves=added if of.view.csrs and of.live else halves)


def _only(kinds: set[Kind | None]) -> Kind | None:
    return next(iter(kinds)) if len(kinds) == 1 else None
