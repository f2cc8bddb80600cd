"""A replacement campaign that is ready to be planned, and what one has begun to replace."""

from dataclasses import dataclass

from reconciler.model.policy import Campaign


@dataclass(frozen=True, slots=True, kw_only=True)
class Replacement:
    """A campaign, checked, with the serials that its file lists; none where it does not select by serial."""

    campaign: Campaign
    serials: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Replacing:
    """What a campaign replaces of one enrollment, as the journal keeps it: the new serials are in no selection."""

    campaign: str
    reason: str  # "superseded"
    serials: tuple[str, ...]  # selected and in production when it began; hexadecimal, sorted; empty: nothing served
