"""Replacement campaigns: which certificates they are about, and how far each is (pki-rules 5.5).

What counts is when a certificate was *requested*: its `notBefore` may lie a day before its issue, and a bare date does
not say on which side of an instant it is.
"""

import enum
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta

from reconciler.model.certificate import AccountName, CertificateName, Promote
from reconciler.model.journal import OwnOrder
from reconciler.model.names import DnsName
from reconciler.model.order import Order
from reconciler.model.policy import Campaign, Selection
from reconciler.model.replacement import Replacement, Replacing

# A date without a zone, read as midnight UTC, is a day somewhere between UTC+14 and UTC-12.
_EASTMOST = timedelta(hours=14)
_DAY_TO_THE_WESTMOST_END = timedelta(hours=24 + 12)

# RFC 4514: one attribute of a name after the other; commas and plus signs in a value are escaped.
_ATTRIBUTE = re.compile(r"\s*([^=,+]+?)\s*=((?:\\.|[^,+\\])*)(?:[,+]|\Z)")
_ESCAPED = re.compile(r"\\(.)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Requested:
    """When a certificate was asked for. None: it was ordered at SCM, which does not say when."""

    at: datetime | None
    exact: bool = True  # else only the day is known: `at` is its midnight

    def surely_since(self, instant: datetime) -> bool:
        """Tell whether it is proved not to be earlier. No date proves that."""
        return self.at is not None and self.exact and self.at >= instant

    def surely_before(self, instant: datetime) -> bool:
        if self.at is None:
            return False
        return (self.at if self.exact else self.at + _DAY_TO_THE_WESTMOST_END) < instant

    def maybe_before(self, instant: datetime) -> bool:
        """Tell whether it may be earlier; a date of a later day can not."""
        return self.at is None or (self.at if self.exact else self.at - _EASTMOST) < instant


def requested(own: OwnOrder | None, order: Order | None) -> Requested | None:
    """Return when a certificate was requested; None where neither the journal nor SCM knows of it.

    Args:
        own: its order in the journal, which is believed first.
        order: its order at SCM. The report has timestamps; details have dates, which are read as midnight.
    """
    if own is not None:
        return Requested(at=own.requested_at)
    if order is None:
        return None
    at = order.requested_at
    return Requested(at=at, exact=at is None or at.astimezone(UTC).time() != time())


@dataclass(frozen=True, slots=True, kw_only=True)
class Issued:
    """One key type's certificate, or the order that leads to it."""

    serial: int | None  # None: not issued yet
    issuer: str | None  # as CPS says it ("CN=..., O=..."), or its common name alone; None: not known
    profile: str | None  # the name of the profile it was ordered by; None: not known
    requested: Requested | None  # see `requested`


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A certificate of the desired state that campaigns may be about."""

    name: CertificateName
    account: AccountName
    labels: Mapping[str, str] = field(default_factory=dict)
    names: frozenset[DnsName]  # all of its names
    served: tuple[Issued, ...]  # in production; empty: nothing is served
    ordered: tuple[Issued, ...] = ()  # the live orders of its pending change, if that is ours
    changing: bool = False  # a change of ours is pending, which will replace what is served
    begun: frozenset[str] = frozenset()  # campaigns of which the journal has a cause for it, ended or not
    blocked: str | None = None  # why nothing moves
    orders: int = 1  # that replacing it takes: one a wanted key type
    revoked: bool = False  # SCM says so of what is served
    remaining: timedelta | None = None  # of what is served


class Progress(enum.StrEnum):
    """How far a certificate is with a campaign."""

    DONE = "done"
    IN_FLIGHT = "in flight"
    WAITING = "waiting"  # to be replaced, and not begun
    STUCK = "stuck"  # nothing moves until somebody acts


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    progress: Progress
    cause: str = ""  # of what is stuck


def judge(replacement: Replacement, candidate: Candidate) -> Judged | None:
    """Return how far a certificate is with a campaign; None where the campaign is not about it.

    A campaign that has begun with a certificate goes on to be about it, although its new serial or issuer may not be
    among the selected. A pending change counts as in flight if no order of it can be from before the campaign's
    instant; if one is, it is not uploaded, and the certificate waits for a new change.
    """
    campaign = replacement.campaign
    about = _about(replacement, candidate)
    if not about:
        unknown = any(fit(replacement, candidate, half) is None for half in candidate.served)
        return Judged(progress=Progress.STUCK, cause=_unselectable(campaign.select)) if unknown else None
    if all(_since(half, campaign) for half in about):
        return Judged(progress=Progress.DONE)
    if candidate.blocked is not None:
        return Judged(progress=Progress.STUCK, cause=candidate.blocked)
    if candidate.changing:
        return _under_way(campaign, candidate.ordered)
    if any(_replaceable(half, campaign) for half in about):
        return Judged(progress=Progress.WAITING)
    return Judged(progress=Progress.STUCK, cause=_UNDATED)


def _about(replacement: Replacement, candidate: Candidate) -> tuple[Issued, ...]:
    begun = replacement.campaign.name in candidate.begun
    return tuple(half for half in candidate.served if begun or fit(replacement, candidate, half))


def replacing(replacement: Replacement, candidate: Candidate) -> Replacing:
    """Return what the journal is told when a campaign begins with a certificate, or goes on with it."""
    serials = sorted(f"{half.serial:X}" for half in _about(replacement, candidate) if half.serial is not None)
    return Replacing(campaign=replacement.campaign.name, reason=replacement.campaign.reason, serials=tuple(serials))


_UNDATED = (
    "when its certificate was requested is not known to the second, in the journal or at SCM: give SCM's admin the"
    " right to read reports, or take it out of the campaign"
)


def _since(half: Issued, campaign: Campaign) -> bool:
    return half.requested is not None and half.requested.surely_since(campaign.issued_before)


def _replaceable(half: Issued, campaign: Campaign) -> bool:
    """Tell whether it is to be replaced: requested before, or not ordered by any way known here.

    The successor of the latter has a known order, so that it is not replaced again and again.
    """
    return half.requested is None or half.requested.surely_before(campaign.issued_before)


def _under_way(campaign: Campaign, ordered: Iterable[Issued]) -> Judged:
    told = [order.requested or Requested(at=None) for order in ordered]
    if any(one.surely_before(campaign.issued_before) for one in told):
        return Judged(progress=Progress.WAITING)
    if any(one.maybe_before(campaign.issued_before) for one in told):
        return Judged(progress=Progress.STUCK, cause=_UNDATED)
    return Judged(progress=Progress.IN_FLIGHT)


def replacement_for(replacements: Iterable[Replacement], candidate: Candidate) -> Replacement | None:
    """Return the campaign for which a certificate is to be replaced now: the first deadline, then as listed."""
    waiting = [one for one in replacements if judge(one, candidate) == Judged(progress=Progress.WAITING)]
    return min(waiting, key=_deadline, default=None)


def worked_for(replacements: Iterable[Replacement], candidate: Candidate) -> Replacement | None:
    """Return the campaign that the work on a certificate is for: what waits for one, or is under way to satisfy it."""
    moving = {Judged(progress=Progress.WAITING), Judged(progress=Progress.IN_FLIGHT)}
    return min((one for one in replacements if judge(one, candidate) in moving), key=_deadline, default=None)


def rejected_by(replacements: Iterable[Replacement], candidate: Candidate) -> Replacement | None:
    """Return the campaign that lets no certificate of the pending change go on: one is selected, and surely older.

    That holds where nothing is served yet, too: what was requested before the instant is never uploaded.
    """
    for one in replacements:
        for half in candidate.ordered:
            dated = half.requested is not None and half.requested.surely_before(one.campaign.issued_before)
            if dated and fit(one, candidate, half):
                return one
    return None


def _deadline(replacement: Replacement) -> datetime:
    return replacement.campaign.deadline or datetime.max.replace(tzinfo=UTC)


def must_go_in(campaign: Campaign, remaining: timedelta | None, *, now: datetime) -> timedelta | None:
    """Return the time in which a certificate must be replaced, as `guards.Guarded.remaining` has it."""
    if campaign.deadline is None or remaining is None:
        return remaining
    return min(remaining, campaign.deadline - now)


def upload_refusal(replacements: Iterable[Replacement], candidate: Candidate, half: Issued) -> str | None:
    """Return why an issued certificate is not uploaded; None where no campaign is against it.

    Args:
        half: the certificate, with its serial and issuer. What is not known of it counts against it.
    """
    told = half.requested or Requested(at=None)
    for one in replacements:
        against = fit(one, candidate, half) is not False
        if against and told.maybe_before(one.campaign.issued_before):
            return (
                f"campaign {one.campaign.name} replaces what was requested before"
                f" {one.campaign.issued_before:%Y-%m-%d %H:%M:%S} UTC, and this was, or may have been"
            )
    return None


def promotion(campaign: Campaign, own: Promote) -> Promote:
    """Return how a certificate goes to production in a campaign: as that says, else as its file does."""
    return own if campaign.promote is None else Promote(campaign.promote)


def revocation_refusal(
    campaign: Campaign,
    old: Issued,
    *,
    staging: Collection[Issued],
    production: Collection[Issued],
    served_anywhere: Collection[int],
) -> str | None:
    """Return why a replaced certificate is not revoked, or not yet; None where it may be.

    Args:
        old: what the campaign replaced, by the cause in the journal.
        staging: what staging serves for its enrollment now.
        production: the same of production.
        served_anywhere: serials that any network serves for any enrollment, by complete readings.
    """
    if not campaign.revoke_old:
        return "the campaign does not say revokeOld: true"
    served = {*served_anywhere, *(half.serial for half in (*staging, *production))}
    if old.serial is None or old.serial in served:
        return "it is served, or its serial is not known"
    if old.requested is None or not old.requested.surely_before(campaign.issued_before):
        return "it is not proved that it was requested before the campaign's instant"
    for network, halves in (("staging", staging), ("production", production)):
        if not halves or not all(_since(half, campaign) for half in halves):
            return f"{network} does not serve the new certificate yet"
    return None


# Selection


def fit(replacement: Replacement, candidate: Candidate, half: Issued) -> bool | None:
    """Tell whether a campaign selects a certificate; None where what is known of it does not say.

    Every named part must fit: all labels, one pattern of names for one name, the serials, the issuer, the profile.
    """
    select = replacement.campaign.select
    parts = [
        all(candidate.labels.get(label) == value for label, value in select.labels.items()),
        not select.names or any(_matches(pattern, candidate.names) for pattern in select.names),
        select.serials_file is None or _among(half.serial, replacement.serials),
        select.issuer is None or _is_issuer(select.issuer, half.issuer),
        select.profile is None or _is_profile(select.profile, half.profile),
    ]
    if False in parts:
        return False
    return None if None in parts else True


def _matches(pattern: str, names: Iterable[DnsName]) -> bool:
    """Tell whether a pattern fits a name; its stars stand for any text, of several labels too."""
    texts = (re.escape(text) for text in pattern.lower().split("*"))
    compiled = re.compile(".*".join(texts))
    return any(compiled.fullmatch(name) for name in names)


def _among(serial: int | None, serials: frozenset[int]) -> bool | None:
    return None if serial is None else serial in serials


def _is_issuer(wanted: str, said: str | None) -> bool | None:
    if not said:
        return None
    values = (value for attribute, value in _ATTRIBUTE.findall(said) if attribute.upper() == "CN")
    common_name = _ESCAPED.sub(r"\1", next(values, said))
    return wanted.strip().casefold() in {common_name.strip().casefold(), said.strip().casefold()}


def _is_profile(wanted: str, said: str | None) -> bool | None:
    return said.strip() == wanted.strip() if said else None


def _unselectable(select: Selection) -> str:
    asked = {"issuer": select.issuer, "profile": select.profile, "serialsFile": select.serials_file}
    named = " and ".join(part for part, value in asked.items() if value is not None)
    return f"the campaign selects by {named}, and the services do not say that of its certificate"
