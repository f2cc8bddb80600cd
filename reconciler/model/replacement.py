"""A replacement campaign that is ready to be planned."""

from dataclasses import dataclass

from reconciler.model.policy import Campaign


@dataclass(frozen=True, slots=True, kw_only=True)
class Replacement:
    """A campaign, checked, with the serials that its file lists; none where it does not select by serial."""

    campaign: Campaign
    serials: frozenset[int] = frozenset()
