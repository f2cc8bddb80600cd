"""Names that lose their certificate while DNS still points them at the edge (design: safety 5; files, `state: absent`).

Visitors of such a name would meet a certificate that is not for it, or none. Where a name points is looked up by
whoever asks for it (`--dns`); else it is said that nobody looked.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from reconciler.model.dns import AliasLookup
from reconciler.model.names import DnsName, is_wildcard
from reconciler.planning.diff import SansDiffer
from reconciler.planning.findings import Finding, listed, skipped, warning
from reconciler.planning.plan import Standing, removed_names
from reconciler.planning.steps import ActionKind, Actor, Blocked, Phase

RULE = "DNS-02"
NAMES_AT_EDGE = "names-at-edge"  # the reason of a removal that is refused for it
_PROBE = "certrecon-probe"  # a name that a wildcard covers, and that nobody has a reason to make


@dataclass(frozen=True, slots=True, kw_only=True)
class _Where:
    """The names of one certificate, by where they point; the last of these only without `--dns`."""

    at_edge: tuple[DnsName, ...]
    unread: tuple[DnsName, ...]
    unasked: tuple[DnsName, ...]


def leaving(standing: Standing) -> frozenset[DnsName]:
    """Return the names that the standing's action takes from production."""
    action, serving, enrollment = standing.action, standing.serving, standing.enrollment
    if action is None or serving is None:
        return frozenset()
    if action.kind is ActionKind.DELETE:
        return serving.names or (enrollment.sans if enrollment is not None else frozenset())
    differing = [one.removed for one in action.differences if isinstance(one, SansDiffer)]
    return removed_names(standing.desired, serving).union(*differing)


def asked_as(name: DnsName) -> DnsName:
    """Return what to look up for a name: of a wildcard a name that it covers."""
    return DnsName(f"{_PROBE}{name[1:]}") if is_wildcard(name) else name


def to_ask(standings: Iterable[Standing]) -> frozenset[DnsName]:
    """Return the lookups that tell where all names that go point."""
    return frozenset(asked_as(name) for standing in standings for name in leaving(standing))


def with_leaving_names(standing: Standing, lookups: Mapping[DnsName, AliasLookup] | None) -> Standing:
    """Return the standing with what DNS says of the names that go; a removal of what is at the edge is blocked.

    `lookups` is None where nobody asked.
    """
    names = leaving(standing)
    if not names or standing.action is None:
        return standing
    where = _where(names, lookups)
    if standing.action.kind is ActionKind.DELETE and where.at_edge:
        return replace(standing, decision=_blocked(where.at_edge), action=None)
    notes = tuple(str(finding) for finding in _findings(where))
    return replace(standing, action=replace(standing.action, notes=(*standing.action.notes, *notes)))


def _where(names: Iterable[DnsName], lookups: Mapping[DnsName, AliasLookup] | None) -> _Where:
    known = lookups or {}
    found = {name: known.get(asked_as(name)) for name in sorted(names)}
    return _Where(
        at_edge=tuple(name for name, lookup in found.items() if lookup is not None and lookup.at_edge),
        unread=tuple(name for name, lookup in found.items() if lookup is not None and lookup.at_edge is None),
        unasked=tuple(name for name, lookup in found.items() if lookup is None),
    )


def _findings(where: _Where) -> Iterable[Finding]:
    if where.at_edge:
        yield warning(RULE, f"DNS still points at the edge, which will have no certificate for {listed(where.at_edge)}")
    if where.unread:
        yield skipped(RULE, f"DNS did not tell whether it still points at the edge for {listed(where.unread)}")
    if where.unasked:
        yield skipped(RULE, f"nobody looked whether DNS still points at the edge for {listed(where.unasked)} (--dns)")


def _blocked(names: tuple[DnsName, ...]) -> Blocked:
    return Blocked(
        phase=Phase.PRODUCTION,
        actor=Actor.OPERATOR,
        text=f"it is not removed: DNS still points at the edge for {listed(names)}",
        remedy="Point the names elsewhere first, or set `state: present`.",
        reason=NAMES_AT_EDGE,
    )
