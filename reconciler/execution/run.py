"""What a run tells while it goes, and at its end."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from reconciler.model.certificate import CertificateName
from reconciler.model.entry import Outcome
from reconciler.planning.plan import Plan
from reconciler.planning.steps import Phase


@dataclass(frozen=True, slots=True, kw_only=True)
class Performed:
    """One step that was made, for reports."""

    certificate: CertificateName
    operation: str
    outcome: Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What a run did, and how everything stands after it."""

    plan: Plan  # of the last look
    performed: tuple[Performed, ...]
    failures: Mapping[CertificateName, str]  # refused, given up, or with an outcome that is still unknown
    under_way: frozenset[CertificateName]


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What the loop tells a listener while it runs."""

    at: datetime
    certificate: CertificateName | None
    text: str
    operation: str
    outcome: Outcome | None = None  # None: the step is begun


@dataclass(frozen=True, slots=True, kw_only=True)
class UnderWay:
    """Where the work of a run is, after each look."""

    at: datetime
    phases: Mapping[Phase, int]  # how many certificates are at each
    next_look: datetime | None  # None: there is something to do now
