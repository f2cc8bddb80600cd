"""What the edge shows, judged against what a file wants: names, key types, dates, and the path to an allowed root."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from reconciler.model.certificate import DesiredCertificate, IssuerClass, KeyType
from reconciler.model.chains import verify_chain
from reconciler.model.handshake import Handshake
from reconciler.model.names import DnsName, covers
from reconciler.model.policy import Policy
from reconciler.model.x509 import Certificate
from reconciler.planning.case import Trust
from reconciler.planning.lifetime import RenewBeforeError, renew_before, warn_days

_SHOWN_NAMES = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaf:
    """One certificate that the edge serves, and for how many of the names."""

    certificate: Certificate
    key_type: KeyType
    names: int


@dataclass(frozen=True, slots=True, kw_only=True)
class EdgeVerdict:
    """What one network shows for one certificate. Nothing is wrong where `wrong` is empty and it was not skipped."""

    desired: DesiredCertificate
    network: str
    leaves: tuple[Leaf, ...]
    wrong: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    skipped: str | None = None  # why nothing could be looked at


def judge_edge(
    desired: DesiredCertificate,
    network: str,
    shown: Mapping[DnsName, Sequence[Handshake]],
    *,
    trust: Trust,
    policy: Policy,
    now: datetime,
) -> EdgeVerdict:
    """Judge what `network` shows for each name of a certificate."""
    leaves = _leaves(shown)
    wrong = [*_unanswered(desired, shown)]
    warnings: list[str] = []
    chains = {one.chain[0].sha256: one.chain for all_ in shown.values() for one in all_ if one.chain}
    for leaf in leaves:
        wrong += _leaf_problems(desired, leaf, chains[leaf.certificate.sha256], trust, now)
        warnings += _age_warnings(desired, leaf.certificate, policy, now)
    if any(count > 1 for count in Counter(leaf.key_type for leaf in leaves).values()):
        wrong.append("not all names are served by the same certificate")
    return EdgeVerdict(
        desired=desired,
        network=network,
        leaves=leaves,
        wrong=tuple(dict.fromkeys(wrong)),
        warnings=tuple(dict.fromkeys(warnings)),
    )


def _leaves(shown: Mapping[DnsName, Sequence[Handshake]]) -> tuple[Leaf, ...]:
    counts: dict[tuple[KeyType, str], int] = {}
    found: dict[tuple[KeyType, str], Certificate] = {}
    for one in (handshake for all_ in shown.values() for handshake in all_ if handshake.chain):
        key = (one.key_type, one.chain[0].sha256)
        counts[key] = counts.get(key, 0) + 1
        found[key] = one.chain[0]
    order = list(KeyType)
    return tuple(
        Leaf(certificate=found[key], key_type=key[0], names=counts[key])
        for key in sorted(found, key=lambda key: (order.index(key[0]), found[key].not_after, key[1]))
    )


def _unanswered(desired: DesiredCertificate, shown: Mapping[DnsName, Sequence[Handshake]]) -> Iterator[str]:
    """Say for which names nothing, or not every wanted key type, is served."""
    silent = sorted(name for name, all_ in shown.items() if not any(one.chain for one in all_))
    if silent:
        unreached = [one for name in silent for one in shown[name] if not one.reached]
        why = f" ({unreached[0].failure})" if unreached else ""
        yield f"nothing is served for {_listed(silent)}{why}"
    for key_type in sorted(desired.key_types or (), key=list(KeyType).index):
        lacking = sorted(
            name
            for name, all_ in shown.items()
            if name not in silent and not any(one.chain and one.key_type is key_type for one in all_)
        )
        if lacking:
            yield f"no {key_type.spelt} certificate is served for {_listed(lacking)}"


def _leaf_problems(
    desired: DesiredCertificate, leaf: Leaf, chain: Sequence[Certificate], trust: Trust, now: datetime
) -> Iterator[str]:
    certificate = leaf.certificate
    missing = sorted(name for name in desired.sans if not _names(certificate, name))
    if missing:
        yield f"{_called(leaf)} does not hold {_listed(missing)}"
    if desired.key_types is not None and leaf.key_type not in desired.key_types:
        yield f"{_called(leaf)} is served, and the file does not want {leaf.key_type.spelt}"
    if now > certificate.not_after:
        yield f"{_called(leaf)} expired on {certificate.not_after:%Y-%m-%d %H:%M} UTC"
    elif now < certificate.not_before:
        yield f"{_called(leaf)} is not valid before {certificate.not_before:%Y-%m-%d %H:%M} UTC"
    else:
        private = desired.order.issuer is IssuerClass.PRIVATE
        why = verify_chain(certificate, tuple(chain[1:]), _roots(desired, trust), now, private=private)
        if why is not None:
            yield f"{_called(leaf)}: {why}"


def _names(certificate: Certificate, name: DnsName) -> bool:
    return name in certificate.sans or any(covers(one, name) for one in certificate.sans)


def _roots(desired: DesiredCertificate, trust: Trust) -> tuple[Certificate, ...]:
    if desired.order.issuer is IssuerClass.PUBLIC:
        return trust.public_roots
    allowed = trust.private_roots.get(desired.order.instance, frozenset())
    return tuple(one for one in trust.private_certificates if one.sha256 in allowed)


def _age_warnings(
    desired: DesiredCertificate, certificate: Certificate, policy: Policy, now: datetime
) -> Iterator[str]:
    left = certificate.not_after - now
    try:
        before = renew_before(certificate.lifetime, desired.renew_before or policy.renew_before)
    except RenewBeforeError:
        before = timedelta()
    limit = policy.warn_days if policy.warn_days is not None else warn_days(certificate.lifetime, before)
    if timedelta() <= left < timedelta(days=limit):
        yield f"{left // timedelta(days=1)} days are left"


def _called(leaf: Leaf) -> str:
    return f"the {leaf.key_type} certificate {leaf.certificate.serial:x}"


def _listed(names: Iterable[str]) -> str:
    """Return some of the names, and how many more there are."""
    all_ = list(names)
    more = f" and {len(all_) - _SHOWN_NAMES} more" if len(all_) > _SHOWN_NAMES else ""
    return ", ".join(all_[:_SHOWN_NAMES]) + more
